//! OpenWrt's init script, in a shell that has what rc.common offers it.

use super::{Ground, install, installed, replaced};
use crate::support::peers;

/// Instead of procd: it takes the parameters and starts the command as it would.
const RC_COMMON: &str = r#"
procd_open_instance() { opened=1; }
procd_set_param() {
	parameter=$1; shift
	case $parameter in
	command) printf '%s\n' "$@" >"$CAPTURED" ;;
	user) user=$1 ;;
	stderr) [ "$1" = 1 ] && stderr=1 ;;
	respawn) [ $# = 3 ] && [ "$3" = 0 ] && respawn=1 ;;
	*) echo "unknown parameter $parameter" >&2; exit 1 ;;
	esac
}
procd_close_instance() { closed=1; }
. "$SCRIPT"
start_service
echo "USE_PROCD=$USE_PROCD user=$user opened=$opened closed=$closed stderr=$stderr respawn=$respawn"
"#;

#[test]
fn procd() {
    let Some(ground) = Ground::prepare() else {
        return;
    };
    let root = ground.path("installed");
    if install::install(&root, "/usr/local").is_none() {
        return;
    }
    let script = installed(&root, "procd/haproxy_exporter");
    assert!(script.starts_with("#!/bin/sh /etc/rc.common\n"), "{script}");
    let uri = format!(
        "--haproxy.scrape-uri={} --web.listen-address=unix:{}",
        ground.haproxy.unix_uri(),
        ground.text("metrics.sock")
    );
    let replacements = [
        ("/usr/local/bin/haproxy_exporter", &*ground.text("exporter")),
        ("--haproxy.scrape-uri=unix:/var/run/haproxy.sock", &uri),
    ];
    let script = replaced("procd/haproxy_exporter", script, &replacements);
    std::fs::write(ground.path("script"), script).expect("write the script");
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-euc", RC_COMMON])
        .env("SCRIPT", ground.path("script"))
        .env("CAPTURED", ground.path("captured"));
    let (status, output, error) = peers::run(&mut shell);
    assert!(status.success(), "{error}");
    let want = "USE_PROCD=1 user=haproxy_exporter opened=1 closed=1 stderr=1 respawn=1\n";
    assert_eq!(output, want);

    let command = std::fs::read_to_string(ground.path("captured")).expect("read the command");
    let words: Vec<String> = command.lines().map(str::to_owned).collect();
    ground.assert_command_serves(&words);
}

//! OpenRC's script, in a shell that starts the command as supervise-daemon(8) is told to.

use super::{Ground, install, installed, replaced};
use crate::support::peers::{self, Peer};

/// Instead of openrc-run: arguments pass through an `eval`, as OpenRC's supervise-daemon.sh has it.
const OPENRC_RUN: &str = r#"
. "$SCRIPT"
checkpath() { printf 'checkpath %s\n' "$*"; }
after() { printf 'after %s\n' "$*"; }
depend
start_pre
printf '%s %s %s %s\n' "$supervisor" "$command_user" "$respawn_delay" "$respawn_max"
eval printf "'%s\n'" "$command" "$command_args" >"$CAPTURED"
"#;

const WANT: &str = "after haproxy net
checkpath --file --owner haproxy_exporter:haproxy --mode 0640 /var/log/haproxy_exporter.log
supervise-daemon haproxy_exporter:haproxy 1 0
";

/// What the shell makes of the script: its output, and the command's words.
fn run(ground: &Ground, script: &str, arguments: Option<&str>) -> (String, Vec<String>) {
    std::fs::write(ground.path("script"), script).expect("write the script");
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-euc", OPENRC_RUN])
        .env("SCRIPT", ground.path("script"))
        .env("CAPTURED", ground.path("captured"));
    if let Some(arguments) = arguments {
        shell.env("ARGS", arguments);
    }
    let (status, output, error) = peers::run(&mut shell);
    assert!(status.success(), "{error}");
    let words = std::fs::read_to_string(ground.path("captured")).expect("read the command");
    (output, words.lines().map(str::to_owned).collect())
}

#[test]
fn openrc() {
    let Some(ground) = Ground::prepare() else {
        return;
    };
    let root = ground.path("installed");
    if install::install(&root, "/usr/local").is_none() {
        return;
    }
    let script = installed(&root, "openrc/haproxy_exporter");
    assert!(script.starts_with("#!/sbin/openrc-run\n"), "{script}");
    let (output, words) = run(&ground, &script, None);
    assert_eq!(output, WANT);
    let default = "--haproxy.scrape-uri=unix:/run/haproxy/admin.sock";
    assert_eq!(words, ["/usr/local/bin/haproxy_exporter", default]);

    // ARGS of /etc/conf.d, which OpenRC reads first, as the shell reads them.
    let program = ("/usr/local/bin/haproxy_exporter", &*ground.text("exporter"));
    let script = replaced("openrc/haproxy_exporter", script, &[program]);
    let uri = format!("--haproxy.scrape-uri={}", ground.haproxy.unix_uri());
    let listen = format!("--web.listen-address=unix:{}", ground.text("metrics.sock"));
    let (_, words) = run(&ground, &script, Some(&format!("{uri} '{listen}'")));
    assert_eq!(words[1..], [uri, listen]);

    let mut command = std::process::Command::new(&words[0]);
    let _exporter = Peer::start(command.args(&words[1..]));
    let answer = peers::wait_for("the metrics", || {
        peers::get_unix(&ground.path("metrics.sock"), "/metrics")
    });
    assert!(answer.text().contains("\nhaproxy_up 1\n"));
}

//! The commands for OpenWrt, with busybox alone, in a root directory that has nothing else.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{adapted, write_script};
use crate::support::peers;

/// What the commands may use: all of it is in OpenWrt's busybox by default, where `install` is not.
const APPLETS: [&str; 9] = [
    "sh", "tar", "gzip", "gunzip", "mkdir", "cp", "chmod", "grep", "ln",
];

/// Instead of OpenWrt's: enables, and says what it was told to start.
const RC_COMMON: &str = r#"#!/bin/sh
initscript=$1
action=$2
name=${initscript##*/}
. "$initscript"
case $action in
enable) mkdir -p /etc/rc.d; ln -sf "../init.d/$name" "/etc/rc.d/S$START$name" ;;
start)
	procd_open_instance() { :; }
	procd_close_instance() { :; }
	procd_set_param() { [ "$1" != command ] || echo "command $2"; }
	start_service ;;
esac
"#;

/// A tarball as `make dist` packs it, with a script in the program's place.
fn pack(name: &str, directory: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = directory.join("program");
    std::fs::write(&program, "#!/bin/sh\n").expect("write a program");
    let mut command = Command::new(root.join("tests/tools/pack.sh"));
    command.arg(&program).arg(name).arg(directory);
    let (status, output, error) = peers::run(command.current_dir(root));
    assert!(status.success(), "{output}{error}");
}

#[test]
fn openwrt() {
    let Some([busybox, chroot]) = peers::find_all(["busybox", "chroot"]) else {
        return;
    };
    if !peers::is_root() {
        peers::skip("only root can change the root directory");
        return;
    }
    let directory = TempDir::new().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name);
    for name in ["bin", "tmp", "etc/init.d"] {
        std::fs::create_dir_all(path(name)).expect("make a directory");
    }
    std::fs::copy(busybox, path("bin/busybox")).expect("copy busybox");
    for applet in APPLETS {
        let link = path("bin").join(applet);
        std::os::unix::fs::symlink("busybox", link).expect("link an applet");
    }
    write_script(&path("etc/rc.common"), RC_COMMON);
    for (name, text) in [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/ash\n"),
        ("etc/group", "root:x:0:\n"),
        ("etc/sysupgrade.conf", "# kept files\n"),
    ] {
        std::fs::write(path(name), text).expect("write a file");
    }
    pack(
        "haproxy_exporter-0.2.0-mips-unknown-linux-musl",
        &path("tmp"),
    );

    let script = adapted("openwrt", &[]);
    // A second time, after an update, adds nothing.
    for _ in 0..2 {
        let mut command = Command::new(&chroot);
        command
            .arg(directory.path())
            .args(["/bin/sh", "-euc", &script]);
        let (status, output, error) = peers::run(command.env("PATH", "/bin"));
        assert!(status.success() && error.is_empty(), "{output}{error}");
        assert_eq!(output, "command /usr/local/bin/haproxy_exporter\n");
    }
    let read = |name: &str| std::fs::read_to_string(path(name)).expect("read a file");
    let group = "root:x:0:\nhaproxy_exporter:x:911:\n";
    assert_eq!(read("etc/group"), group);
    assert_eq!(
        read("etc/passwd")
            .matches("haproxy_exporter:x:911:911:")
            .count(),
        1
    );
    let kept = "# kept files\n/usr/local/bin/haproxy_exporter\n/etc/init.d/haproxy_exporter\n\
                /etc/rc.d/S99haproxy_exporter\n";
    assert_eq!(read("etc/sysupgrade.conf"), kept);
    for name in kept.lines().skip(1) {
        let data = std::fs::metadata(path(&name[1..])).expect("a file that is kept");
        assert_eq!(data.permissions().mode() & 0o777, 0o755, "{name}");
    }
}

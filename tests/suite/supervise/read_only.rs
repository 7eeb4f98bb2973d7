//! Services on machines whose `/etc` is read-only: copied to `/run`, where supervisors can write.

use std::path::Path;
use std::process::Command;

use super::{Accounts, Ground, RUNIT, S6, adapted};
use crate::support::peers::{self, Peer};

/// Runs commands in a mount namespace where the directory is read-only; the supervisor is their last.
fn start(read_only: &Path, script: &str) -> Peer {
    let mut command = Command::new("unshare");
    let mount = "mount --bind \"$0\" \"$0\"; mount -o remount,bind,ro \"$0\"";
    let tried = "! touch \"$0/writable\" 2>/dev/null";
    command.args([
        "--mount",
        "sh",
        "-euc",
        &format!("{mount}\n{tried}\n{script}"),
    ]);
    Peer::start(command.arg(read_only))
}

/// Makes the service in a directory that will be read-only. `None` when something is not installed.
fn prepare(kind: &str, accounts: Accounts) -> Option<Ground> {
    peers::find_all(["unshare", "mount"])?;
    let ground = Ground::prepare()?;
    let made = ground.make_service(kind, accounts);
    let place = ground.path("etc/haproxy_exporter");
    std::fs::create_dir(ground.path("etc")).expect("make a directory");
    std::fs::rename(made, place).expect("move the service");
    std::fs::create_dir_all(ground.path("run/service")).expect("make a directory");
    Some(ground)
}

fn assert_serves(ground: &Ground, supervisor: &Peer) {
    peers::wait_for(&format!("the metrics; {}", supervisor.output()), || {
        peers::get_unix(&ground.path("metrics.sock"), "/metrics")
            .filter(|answer| answer.text().contains("\nhaproxy_up 1\n"))
    });
    ground.wait_for_log();
}

#[test]
fn runit() {
    if peers::find_all(["runsv", "svlogd", "chpst"]).is_none() {
        return;
    }
    let Some(ground) = prepare("runit", RUNIT) else {
        return;
    };
    let [etc, run] = ["etc", "run"].map(|name| ground.text(name));
    let recipe = adapted("runit-run", &[("/etc/sv", &etc), ("/run", &run)]);
    let script = format!("{recipe}exec runsv {run}/sv/haproxy_exporter\n");
    let supervisor = start(&ground.path("etc"), &script);
    assert_serves(&ground, &supervisor);
}

#[test]
fn s6() {
    if peers::find_all(["s6-svscan", "s6-svscanctl", "s6-log", "s6-setuidgid"]).is_none() {
        return;
    }
    let Some(ground) = prepare("s6", S6) else {
        return;
    };
    let [etc, run] = ["etc", "run"].map(|name| ground.text(name));
    let recipe = adapted("s6-run", &[("/etc/s6", &etc), ("/run", &run)]);
    // As at boot: s6-svscan runs already.
    let svscan = Peer::start(Command::new("s6-svscan").arg(ground.path("run/service")));
    peers::wait_for("s6-svscan", || {
        let control = ground.path("run/service/.s6-svscan/control");
        control.exists().then_some(())
    });
    let mut copied = start(&ground.path("etc"), &recipe);
    assert!(copied.wait().success(), "{}", copied.output());
    assert_serves(&ground, &svscan);
}

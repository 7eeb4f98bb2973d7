//! Under runsv and svlogd.

use std::process::Command;

use super::{Ground, RUNIT};
use crate::support::peers::{self, Peer};

#[test]
fn runit() {
    let programs = ["runsv", "sv", "svlogd", "chpst"];
    let Some([runsv, sv, _, _]) = peers::find_all(programs) else {
        return;
    };
    let Some(ground) = Ground::prepare() else {
        return;
    };
    let service = ground.make_service("runit", RUNIT);
    let _supervisor = Peer::start(Command::new(runsv).arg(&service));
    let pid = || -> Option<u32> {
        let text = std::fs::read_to_string(service.join("supervise/pid")).ok()?;
        text.trim().parse().ok()
    };
    let serving = || {
        peers::wait_for("the metrics", || {
            peers::get_unix(&ground.path("metrics.sock"), "/")
        });
    };
    serving();
    let first = pid().expect("the pid of a service that serves");
    ground.assert_serving(first);
    ground.wait_for_log();

    peers::signal(first, libc::SIGKILL);
    let second = peers::wait_for("a new process", || pid().filter(|pid| *pid != first));
    serving();
    ground.assert_serving(second);

    let mut stop = Command::new(sv);
    stop.args(["-w", "20", "stop"]).arg(&service);
    let (status, output, error) = peers::run(&mut stop);
    assert!(status.success(), "not stopped: {output}{error}");
    assert!(!ground.path("metrics.sock").exists(), "the socket is left");
}

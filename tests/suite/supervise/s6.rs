//! Under s6-svscan, s6-supervise and s6-log.

use std::path::Path;
use std::process::Command;

use super::{Ground, S6};
use crate::support::peers::{self, Peer};

fn run(program: &Path, arguments: &[&str], service: &Path) -> Option<String> {
    let (status, output, _) = peers::run(Command::new(program).args(arguments).arg(service));
    status.success().then_some(output)
}

#[test]
fn s6() {
    let programs = [
        "s6-svscan",
        "s6-svwait",
        "s6-svc",
        "s6-svstat",
        "s6-log",
        "s6-setuidgid",
    ];
    let Some([svscan, svwait, svc, svstat, _, _]) = peers::find_all(programs) else {
        return;
    };
    let Some(ground) = Ground::prepare() else {
        return;
    };
    let service = ground.make_service("s6", S6);
    let scan = Peer::start(Command::new(svscan).arg(ground.path("service")));
    let ready = || {
        peers::wait_for(&format!("readiness; {}", scan.output()), || {
            run(&svwait, &["-U", "-t", "30000"], &service)
        })
    };
    let pid = || -> Option<u32> {
        let pid = run(&svstat, &["-o", "pid"], &service)?.trim().parse().ok();
        pid.filter(|pid| *pid > 0)
    };
    ready();
    let first = pid().expect("the pid of a service that is ready");
    ground.assert_serving(first);
    ground.wait_for_log();

    peers::signal(first, libc::SIGKILL);
    let second = peers::wait_for("a new process", || pid().filter(|pid| *pid != first));
    ready();
    ground.assert_serving(second);

    let stopped = run(&svc, &["-wD", "-T", "20000", "-d"], &service);
    assert!(stopped.is_some(), "not stopped");
    assert!(!ground.path("metrics.sock").exists(), "the socket is left");
}

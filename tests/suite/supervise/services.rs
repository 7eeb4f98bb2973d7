//! Under runsv and svlogd, and under s6-svscan, s6-supervise and s6-log.

use std::path::Path;
use std::process::Command;

use super::{Ground, RUNIT, S6};
use crate::support::peers::{self, Peer};

/// What a supervisor does with its service.
struct Service<'a> {
    ground: &'a Ground,
    /// Waits until it is ready.
    wait: &'a dyn Fn(),
    pid: &'a dyn Fn() -> Option<u32>,
    stop: &'a dyn Fn() -> bool,
}

impl Service<'_> {
    fn check(&self) {
        (self.wait)();
        let first = (self.pid)().expect("the pid of a service that is ready");
        self.ground.assert_serving(first);
        self.ground.wait_for_log();

        peers::signal(first, libc::SIGKILL);
        let other = || (self.pid)().filter(|pid| *pid != first);
        let second = peers::wait_for("a new process", other);
        (self.wait)();
        self.ground.assert_serving(second);

        assert!((self.stop)(), "not stopped");
        let socket = self.ground.path("metrics.sock");
        assert!(!socket.exists(), "the socket is left");
    }
}

fn run(program: &Path, arguments: &[&str], service: &Path) -> Option<String> {
    let (status, output, _) = peers::run(Command::new(program).args(arguments).arg(service));
    status.success().then_some(output)
}

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
    Service {
        ground: &ground,
        wait: &|| {
            let answer = || peers::get_unix(&ground.path("metrics.sock"), "/");
            peers::wait_for("the metrics", answer);
        },
        pid: &|| {
            let text = std::fs::read_to_string(service.join("supervise/pid")).ok()?;
            text.trim().parse().ok()
        },
        stop: &|| run(&sv, &["-w", "20", "stop"], &service).is_some(),
    }
    .check();
}

#[test]
#[rustfmt::skip]
fn s6() {
    let programs = ["s6-svscan", "s6-svwait", "s6-svc", "s6-svstat", "s6-log", "s6-setuidgid"];
    let Some([svscan, svwait, svc, svstat, _, _]) = peers::find_all(programs) else {
        return;
    };
    let Some(ground) = Ground::prepare() else {
        return;
    };
    let service = ground.make_service("s6", S6);
    let scan = Peer::start(Command::new(svscan).arg(ground.path("service")));
    Service {
        ground: &ground,
        wait: &|| {
            let ready = || run(&svwait, &["-U", "-t", "30000"], &service);
            peers::wait_for(&format!("readiness; {}", scan.output()), ready);
        },
        pid: &|| {
            let pid = run(&svstat, &["-o", "pid"], &service)?.trim().parse().ok();
            pid.filter(|pid| *pid > 0)
        },
        stop: &|| run(&svc, &["-wD", "-T", "20000", "-d"], &service).is_some(),
    }
    .check();
}

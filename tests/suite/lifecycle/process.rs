//! The process collector on a live HAProxy, beside the Go exporter's.

use super::unprivileged;
use crate::support::exporter::Exporter;
use crate::support::go_exporter::Pair;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers;

const ALL: [&str; 7] = [
    "cpu_seconds_total",
    "max_fds",
    "open_fds",
    "resident_memory_bytes",
    "start_time_seconds",
    "virtual_memory_bytes",
    "virtual_memory_max_bytes",
];

fn haproxy() -> Option<Haproxy> {
    let place = Place::new(0);
    let configuration = format!("{}backend app\n  server one 127.0.0.1:1\n", place.global());
    Haproxy::start(place, &configuration)
}

/// An idle HAProxy stands still: after a while both see the same numbers, all seven of them.
#[test]
fn the_same_as_the_go_exporter() {
    let Some(haproxy) = haproxy() else { return };
    let pid_flag = format!("--haproxy.pid-file={}", haproxy.write_pid_file().display());
    let Some(pair) = Pair::start(&[&haproxy.unix_flag(), &pid_flag]) else {
        return;
    };
    let mut last = Vec::new();
    let equal = peers::wait_for_or_give_up(|| {
        let (ours, go) = (pair.ours.scrape(), pair.go.scrape());
        last = ALL
            .map(|name| format!("haproxy_process_{name}"))
            .into_iter()
            .filter(|name| {
                ours.families[name].kind != go.families[name].kind
                    || ours.value(name) != go.value(name)
            })
            .map(|name| format!("{name} is {}, not {}", ours.value(&name), go.value(&name)))
            .collect();
        last.is_empty().then_some(())
    });
    assert!(equal.is_some(), "{last:?}");
    assert_eq!(pair.ours.finish().problems(), []);
}

/// Without the right to look into HAProxy's `fd` directory the kernel must tell the number; before
/// Linux 6.2 it does not, then it is missing, and one log line says so once.
#[test]
fn as_another_user() {
    let Some(haproxy) = haproxy() else { return };
    let pid_file = haproxy.write_pid_file();
    let directory = super::open_directory();
    let Some(mut command) = unprivileged(directory.path()) else {
        return;
    };
    let directory = format!("/proc/{}/fd", haproxy.peer.pid());
    let is_told = std::fs::metadata(&directory).is_ok_and(|metadata| metadata.len() > 0);
    command.arg(haproxy.unix_flag());
    command.arg(format!("--haproxy.pid-file={}", pid_file.display()));
    let exporter = Exporter::spawn(&mut command);
    for _ in 0..5 {
        let got = exporter.scrape();
        assert_eq!(got.value("haproxy_up"), 1.0);
        for name in ALL {
            let there = got.get(&format!("haproxy_process_{name}")).is_some();
            assert_eq!(there, is_told || name != "open_fds", "{name}");
        }
        assert!(got.get("process_open_fds").is_some());
    }
    let problems = exporter.finish().problems();
    assert_eq!(problems.len(), usize::from(!is_told), "{problems:?}");
    for problem in problems {
        let details = &problem.details[0];
        let fd = format!("{directory}: permission denied");
        assert!(
            details.contains(&fd) && details.contains("CAP_"),
            "{details}"
        );
    }
}

/// The collector needs the pid file, not the socket.
#[test]
fn while_the_socket_is_away() {
    let Some(haproxy) = haproxy() else { return };
    let pid_flag = format!("--haproxy.pid-file={}", haproxy.write_pid_file().display());
    let exporter = Exporter::start(&["--haproxy.scrape-uri=unix:/nonexistent", &pid_flag]);
    let got = exporter.scrape();
    assert_eq!(got.value("haproxy_up"), 0.0);
    assert!(
        ALL.iter()
            .all(|name| got.get(&format!("haproxy_process_{name}")).is_some())
    );
}

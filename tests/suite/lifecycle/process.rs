//! The process collector on a live HAProxy, beside the Go exporter's.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::binaries::static_binary;
use super::unprivileged;
use crate::support::children;
use crate::support::csv::answer;
use crate::support::exporter::{self, Exporter};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::fixtures;
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

/// The master wrote the pid file; what is measured is the worker that answers, also after a reload.
#[test]
fn the_worker_of_a_master() {
    let place = Place::new(0);
    let configuration = format!("{}backend app\n  server one 127.0.0.1:1\n", place.global());
    let Some(haproxy) = Haproxy::start_as(place, &configuration, &["-W", "-db"]) else {
        return;
    };
    let pid_flag = format!("--haproxy.pid-file={}", haproxy.write_pid_file().display());
    let exporter = Exporter::start(&[&haproxy.unix_flag(), &pid_flag]);
    let master = haproxy.peer.pid();
    let first = measured_worker(&haproxy, &exporter);
    assert_ne!(first, master);
    peers::wait_for("a new worker", || {
        // A master that has just begun may miss it.
        peers::signal(master, libc::SIGUSR2);
        let worker = measured_worker(&haproxy, &exporter);
        (worker != first && worker != master).then_some(())
    });
    assert_eq!(exporter.finish().problems(), []);
}

/// The id of HAProxy's worker, once the exporter has measured that process and no other.
fn measured_worker(haproxy: &Haproxy, exporter: &Exporter) -> u32 {
    peers::wait_for("the numbers of the worker", || {
        let info = haproxy.try_cli("show info")?;
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid: "))?;
        let expected = virtual_bytes(pid)?;
        let master = virtual_bytes(&haproxy.peer.pid().to_string())?;
        let got = exporter.scrape();
        let is_same = expected != master
            && got.value("haproxy_process_virtual_memory_bytes") == expected
            && got.value("haproxy_process_pid").to_string() == pid;
        is_same.then(|| pid.parse().expect("a process id"))
    })
}

/// Field 23 of /proc/PID/stat.
fn virtual_bytes(pid: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(20)?.parse().ok()
}

/// With `nbproc` the file lists all processes; another one may answer each time.
#[test]
fn the_process_that_answered() {
    let mut other = Command::new("sleep");
    other
        .arg("600")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let (mut other, _group) = children::spawn(&mut other).expect("start a process");
    let (first, second) = (std::process::id(), other.id());
    let directory = TempDir::new().expect("a temporary directory");
    let pid_file = directory.path().join("haproxy.pid");
    std::fs::write(&pid_file, format!("{first}\n{second}\n")).expect("write a pid file");
    let pid_flag = format!("--haproxy.pid-file={}", pid_file.display());
    // This process has more open than a child inherits, once that does no more than wait.
    let of_second = || {
        let entries = std::fs::read_dir(format!("/proc/{second}/fd"));
        entries.expect("its descriptors").count() as f64
    };
    for (pid, is_second) in [(second, true), (first, false), (1, false)] {
        let info = format!("Name: HAProxy\nVersion: 2.4.0\nPid: {pid}\n\n");
        let socket = directory.path().join(format!("socket-{pid}"));
        let fake = Fake::unix(&socket, Answers::whole(&answer(&[]), info.as_bytes()));
        let flag = format!("--haproxy.scrape-uri={}", fake.uri());
        let exporter = Exporter::start(&[&flag, &pid_flag]);
        peers::wait_for(&format!("the numbers, where {pid} answered"), || {
            let count = exporter.scrape().value("haproxy_process_open_fds");
            ((count == of_second()) == is_second).then_some(())
        });
    }
    other.kill().expect("kill the process");
    other.wait().expect("wait for the process");
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

/// As ps and a debugger show them; the static binary names its threads without the C library.
#[test]
fn threads_have_names() {
    let uri = format!(
        "--haproxy.scrape-uri=file:{}",
        fixtures::path("3.2.0/stat.csv").display()
    );
    let names = |command: &mut Command| {
        let exporter = Exporter::spawn(command.arg(&uri));
        // Each thread names itself, and all have begun when it serves.
        exporter.scrape();
        let tasks = std::fs::read_dir(format!("/proc/{}/task", exporter.pid())).expect("threads");
        let names = tasks.map(|task| {
            let file = task.expect("a thread").path().join("comm");
            std::fs::read_to_string(file).unwrap_or_default()
        });
        names.collect::<Vec<_>>()
    };
    let is_front = |name: &String| name == "front\n";
    let found = names(&mut exporter::command());
    assert!(found.iter().any(is_front), "{found:?}");
    if let Some(binary) = static_binary() {
        let found = names(&mut exporter::command_of(binary.as_os_str()));
        assert!(found.iter().any(is_front), "{found:?}");
    }
}

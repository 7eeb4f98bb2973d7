//! Signals, while clients do what they do.

use std::io::Read;

use tempfile::TempDir;

use crate::hostile::readers::ask;
use crate::hostile::tools::{Bare, many_servers, signal, small};
use crate::support::csv::answer;
use crate::support::exporter::{Exporter, command};
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::INFO;
use crate::support::{http, peers};

/// Some 6 MB of metrics: more than the kernel takes for a client that does not read.
fn large() -> Exporter {
    Exporter::start(&[
        &format!("--haproxy.scrape-uri={}", many_servers()),
        "--haproxy.server-metric-fields=2,3,4,5,6,7,8,9,17,18,33,35",
    ])
}

#[test]
fn a_stop_finishes_the_answer_under_way() {
    for number in [libc::SIGTERM, libc::SIGINT] {
        let exporter = large();
        let mut client = ask(&exporter);
        client.peek(&mut [0]).expect("the start of an answer");
        signal(exporter.pid(), number);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("all of the answer");
        let response = http::parse(&answer, false).expect("a whole answer");
        assert!(response.body.len() > 6_000_000, "{}", response.body.len());
        assert_eq!(exporter.finish().status.code(), Some(0), "signal {number}");
    }
}

/// `finish` kills what does not stop, which shows in the status.
#[test]
fn a_stop_does_not_wait_for_a_never_reader() {
    let exporter = large();
    let mut client = ask(&exporter);
    client.peek(&mut [0]).expect("the start of an answer");
    let end = exporter.finish();
    assert_eq!(end.status.code(), Some(0));
    assert_eq!(end.problems(), []);
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    let error = http::parse(&answer, false).expect_err("a cut answer");
    assert!(error.starts_with("Content-Length "), "{error}");
}

#[test]
fn a_stop_does_not_wait_for_haproxy() {
    let directory = TempDir::new().expect("a temporary directory");
    let answers = Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::unix(&directory.path().join("socket"), answers);
    let exporter = Exporter::start(&[
        &format!("--haproxy.scrape-uri={}", fake.uri()),
        "--haproxy.timeout=60s",
    ]);
    let mut client = ask(&exporter);
    peers::wait_for("a scrape", || (!fake.requests().is_empty()).then_some(()));
    assert_eq!(exporter.finish().status.code(), Some(0));
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("an answer");
    let response = http::parse(&rest, false).expect("a whole answer");
    assert_eq!(
        (response.status, response.text()),
        (503, "the exporter stops\n")
    );
    assert_eq!(response.header("connection"), Some("close"));
}

/// Signals of the machine's and of its limits, whose default is to end a process in place.
#[test]
fn the_power_fails_or_the_limit_of_processor_time_comes() {
    for number in [libc::SIGPWR, libc::SIGXCPU] {
        let directory = TempDir::new().expect("a temporary directory");
        let mut exporter =
            Bare::spawn(&mut command(), directory.path()).expect("start the exporter");
        assert_eq!(exporter.wait_for_start(), None);
        exporter.get().expect("a scrape");
        let sockets = || {
            std::fs::read_dir(directory.path())
                .expect("the directory")
                .count()
        };
        let before = sockets();
        signal(exporter.child().id(), number);
        let status = exporter.child().wait().expect("an end");
        assert_eq!(status.code(), Some(0), "signal {number}");
        assert_eq!(sockets(), before - 1, "the socket file is left");
    }
}

#[test]
fn idle_and_waiting_clients_do_not_hold_a_stop() {
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(
        &directory.path().join("socket"),
        Answers::whole(&answer(&[]), INFO),
    );
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
    exporter.scrape();
    let idle: Vec<_> = (0..40)
        .map(|_| std::net::TcpStream::connect(exporter.address()).expect("connect"))
        .collect();
    let end = exporter.finish();
    assert_eq!(end.status.code(), Some(0));
    let last = end.lines.last().expect("a last line");
    assert!(last.ends_with("level=info msg=stopping"), "{last}");
    drop(idle);
}

#[test]
fn other_signals_are_harmless() {
    let exporter = small();
    let pid = exporter.pid();
    let ignored = [
        (libc::SIGHUP, "SIGHUP ignored: there is nothing to reload"),
        (libc::SIGUSR1, "SIGUSR1 ignored"),
        (libc::SIGUSR2, "SIGUSR2 ignored"),
        (libc::SIGALRM, "SIGALRM ignored"),
    ];
    for (number, message) in ignored {
        signal(pid, number);
        exporter.wait_for_line(message, |fields| {
            fields["level"] == "info" && fields["msg"] == message
        });
    }
    for number in [
        libc::SIGPIPE,
        libc::SIGXFSZ,
        libc::SIGIO,
        libc::SIGPROF,
        libc::SIGVTALRM,
    ] {
        signal(pid, number);
    }
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
    for number in [libc::SIGSTOP, libc::SIGCONT] {
        signal(pid, number);
    }
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
    let end = exporter.finish();
    assert_eq!(end.status.code(), Some(0));
    assert_eq!(end.problems(), []);
}

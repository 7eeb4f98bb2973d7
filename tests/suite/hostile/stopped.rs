//! A process that is stopped for a while, as in a frozen cgroup or a suspended machine.

use std::io::Read;
use std::time::Duration;

use tempfile::TempDir;

use crate::hostile::Honest;
use crate::hostile::readers::ask;
use crate::hostile::tools::{many_servers, signal};
use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::INFO;
use crate::support::{csv, http, peers};

/// More than the 11 s that the front waits for a scrape that may take 1 s.
const STOPPED: Duration = Duration::from_secs(20);

#[test]
fn a_stop_in_a_scrape_and_in_an_answer() {
    let directory = TempDir::new().expect("a temporary directory");
    let hanging = Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::unix(&directory.path().join("socket"), hanging);
    let scrapes = Exporter::start(&[
        &format!("--haproxy.scrape-uri={}", fake.uri()),
        "--haproxy.timeout=1s",
    ]);
    let mut waits = ask(&scrapes);
    peers::wait_for("a scrape", || (!fake.requests().is_empty()).then_some(()));

    let answers = Exporter::start(&[&format!("--haproxy.scrape-uri={}", many_servers())]);
    let honest = Honest::new(answers.address());
    let mut reads = ask(&answers);
    reads.peek(&mut [0]).expect("the start of an answer");

    for number in [libc::SIGSTOP, libc::SIGCONT] {
        signal(scrapes.pid(), number);
        signal(answers.pid(), number);
        if number == libc::SIGSTOP {
            std::thread::sleep(STOPPED);
        }
    }
    // HAProxy had its time, and has not answered.
    let mut answer = Vec::new();
    waits.read_to_end(&mut answer).expect("an answer");
    let response = http::parse(&answer, false).expect("a whole answer");
    assert!(response.text().contains("\nhaproxy_up 0\n"));
    let mut answer = Vec::new();
    reads.read_to_end(&mut answer).expect("all of it");
    let response = http::parse(&answer, false).expect("a whole answer");
    honest.check(&response.body).expect("a complete exposition");

    let stat = csv::answer(&[csv::frontend("web", &[(4, "1")])]);
    fake.set(Answers::whole(&stat, INFO));
    for exporter in [scrapes, answers] {
        assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
        assert_eq!(exporter.finish().status.code(), Some(0));
    }
}

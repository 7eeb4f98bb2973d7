//! Two thousand scrapes leave nothing behind.

use std::process::Command;

use tempfile::TempDir;

use super::binaries::static_binary;
use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::{fixtures, peers};

const SCRAPES: usize = 2000;
/// The budget of DESIGN.md, section 6, in bytes.
const PEAK: u64 = 2_500_000;
/// Pages that the allocator may take late: no scrape may cost as much as one byte on average.
const SLACK_KIB: u64 = 64;

#[derive(Debug)]
struct Cost {
    rss_kib: u64,
    peak_kib: u64,
    threads: u64,
    descriptors: usize,
}

fn cost(exporter: &Exporter) -> Cost {
    Cost {
        rss_kib: exporter.proc_status("VmRSS"),
        peak_kib: exporter.proc_status("VmHWM"),
        threads: exporter.proc_status("Threads"),
        descriptors: exporter.descriptors(),
    }
}

fn scrape(exporter: &Exporter, count: usize) {
    for _ in 0..count {
        let answer = exporter.get("/metrics");
        assert!(answer.status == 200 && answer.text().contains("\nhaproxy_up 1\n"));
    }
}

#[test]
fn two_thousand_scrapes() {
    let Some(binary) = static_binary() else {
        return;
    };
    let directory = TempDir::new().expect("a temporary directory");
    let answers = Answers::whole(
        &fixtures::bytes("2.6.12/stat.csv"),
        &fixtures::bytes("2.6.12/info.txt"),
    );
    let fake = Fake::unix(&directory.path().join("s"), answers);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let exporter = Exporter::spawn(Command::new(binary).arg(uri));
    scrape(&exporter, 20);
    let before = settled(&exporter);
    scrape(&exporter, SCRAPES);
    let after = settled(&exporter);
    peers::note(&format!(
        "before {SCRAPES} scrapes {before:?}, after {after:?}"
    ));
    assert!(
        after.descriptors <= before.descriptors,
        "{before:?} {after:?}"
    );
    assert!(
        after.threads <= 8 && after.threads <= before.threads,
        "{before:?} {after:?}"
    );
    assert!(
        after.rss_kib <= before.rss_kib + SLACK_KIB,
        "{before:?} {after:?}"
    );
    assert!(after.peak_kib * 1024 < PEAK, "{after:?}");
}

/// The cost once the last connection is closed on the exporter's side too.
fn settled(exporter: &Exporter) -> Cost {
    let mut last = usize::MAX;
    peers::wait_for("a steady number of descriptors", || {
        let now = exporter.descriptors();
        let steady = now == last;
        last = now;
        steady.then(|| cost(exporter))
    })
}

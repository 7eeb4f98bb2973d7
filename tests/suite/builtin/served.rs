//! Every recording, served to ours by a fake CLI, from a file and over HTTP: sample by sample.

use tempfile::TempDir;

use super::answers::{Answers, VERSIONS};
use super::ours;
use super::reference;
use super::responder::{self, Responder};
use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{self, Fake};
use crate::support::fixtures::RENAMED;
use crate::support::fixtures::{self, CAPTURES};
use crate::support::peers;

/// All recordings by name.
pub(super) fn recordings() -> Vec<(String, Answers)> {
    let mut found = Vec::new();
    for version in VERSIONS {
        for when in ["", "-after"] {
            let name = format!("builtin/{version}/stat{when}");
            found.push((name, Answers::recorded(version, "", when)));
        }
    }
    for version in ["3.2.0", "3.4.0"] {
        let name = format!("builtin/{version}/extra-stat");
        found.push((name, Answers::recorded(version, "extra-", "")));
    }
    for version in fixtures::VERSIONS {
        for capture in CAPTURES {
            let name = format!("{version}/{capture}");
            found.push((name, Answers::of_rows(version, capture)));
        }
    }
    found
}

#[test]
fn over_the_cli() {
    let mut compared = 0;
    for (name, answers) in recordings() {
        let responder = Responder::start(answers.clone());
        let exporter = ours::start(&[&responder.flag()]);
        let expected = reference::main(&answers);
        ours::assert_same(&ours::get(&exporter, "/metrics"), &expected, &name);
        assert_eq!(exporter.finish().problems(), [], "{name}");
        compared += expected.len();
    }
    peers::note(&format!("{compared} samples"));
}

/// There are only the rows.
#[test]
fn from_a_file_and_over_http() {
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("stat.csv");
    let mut compared = 0;
    for (name, answers) in recordings() {
        let mut expected = reference::main(&answers.rows_only());
        std::fs::write(&file, format!("{}\n", answers.stat)).expect("write a recording");
        let exporter = ours::start(&[&format!("--haproxy.scrape-uri=file:{}", file.display())]);
        ours::assert_same(&ours::get(&exporter, "/metrics"), &expected, &name);
        assert_eq!(exporter.finish().problems(), [], "{name}");
        compared += expected.len();

        // The page has frontends, backends and servers.
        expected.retain(|_, sample| sample.line.scope != "listener");
        let rows = responder::masked(&answers.stat, 7);
        let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", rows.len());
        let page = fake_haproxy::Answers::page((head + &rows).as_bytes());
        let fake = Fake::http("127.0.0.1", page);
        let exporter = ours::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
        ours::assert_same(&ours::get(&exporter, "/metrics"), &expected, &name);
        assert_eq!(exporter.finish().problems(), [], "{name}");
        compared += expected.len();
    }
    peers::note(&format!("{compared} samples"));
}

/// The families of `show info` are in the other profile too, beside its own three.
#[test]
fn show_info_for_both() {
    let mut compared = 0;
    for (name, answers) in recordings() {
        let responder = Responder::start(answers.clone());
        let exporter = Exporter::start(&[&responder.flag()]);
        let mut expected = reference::main(&answers);
        expected.retain(|_, sample| sample.line.scope == "process");
        for (name, renamed) in RENAMED {
            let sample = expected.remove(name);
            if let (Some(mut sample), Some(renamed)) = (sample, renamed) {
                sample.line.name = renamed.to_owned();
                sample.line.kind = "counter".to_owned();
                expected.insert(renamed.to_owned(), sample);
            }
        }
        let mut families = ours::get(&exporter, "/metrics");
        let pid = families
            .iter()
            .find(|family| family.name == "haproxy_process_pid");
        let pid = pid.map(|family| family.samples[0].value.as_str());
        assert_eq!(pid, answers.fact("Pid"), "{name}");
        families.retain(|family| {
            family.name.starts_with("haproxy_process_") && family.name != "haproxy_process_pid"
        });
        ours::assert_same(&families, &expected, &name);
        compared += expected.len();
    }
    peers::note(&format!("{compared} samples"));
}

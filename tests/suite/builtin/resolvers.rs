//! Name servers whose rows have lost their names, as `clear counters all` makes them.

use super::answers::Answers;
use super::live::values;
use super::ours;
use super::responder::{Fault, Responder};
use crate::support::fixtures;
use crate::support::haproxy::{Haproxy, Place, RELEASES};

const FAMILY: &str = "haproxy_resolver_sent";
const COMMANDS: &str = "show info;show stat domain resolvers";

/// The values of one family by the names of section and server.
fn sent(exporter: &crate::support::exporter::Exporter) -> Vec<String> {
    let values = values(&ours::get(exporter, "/metrics?scope=resolvers"));
    let of_family = values
        .into_iter()
        .filter(|(key, _)| key.starts_with(FAMILY));
    of_family
        .map(|(key, value)| format!("{} {value}", &key[FAMILY.len()..]))
        .collect()
}

fn recorded_answers() -> Answers {
    let read = |name: &str| {
        let text = fixtures::text(&format!("field/{name}"));
        text.strip_suffix('\n').expect("the empty line").to_owned()
    };
    Answers {
        resolvers: read("resolvers-cleared.csv"),
        names: read("show-resolvers.txt"),
        ..Answers::recorded("2.6.12", "", "")
    }
}

/// The names come from `show resolvers`, which is sent as long as the rows lack them.
#[test]
fn recorded() {
    let answers = recorded_answers();
    let responder = Responder::start(answers.clone());
    let exporter = ours::start(&[&responder.flag()]);
    let names = [
        "{resolver=\"default\",nameserver=\"192.0.2.53\"} 0",
        "{resolver=\"rr\",nameserver=\"n1\"} 0",
        "{resolver=\"rr\",nameserver=\"n2\"} 0",
    ];
    let more = format!("{COMMANDS};show resolvers");
    assert_eq!(sent(&exporter), names);
    assert_eq!(
        responder.take_lines(),
        ["show info", COMMANDS, more.as_str()]
    );
    assert_eq!(sent(&exporter), names);
    assert_eq!(responder.take_lines(), [more.as_str()]);
    // After a reload the rows have names again.
    responder.set_answers(Answers::recorded("2.6.12", "", ""));
    for line in [more.as_str(), COMMANDS] {
        assert_eq!(sent(&exporter).len(), 4);
        assert_eq!(responder.take_lines(), [line]);
    }
    assert_eq!(exporter.finish().problems(), []);
}

/// Without names there is no sample: each such row counts as a failure, at every scrape.
#[test]
fn names_that_are_missing() {
    for fault in [
        Fault::Say("Permission denied\n\n".to_owned()),
        Fault::Say("Resolvers section rr\n nameserver n1:\n\n".to_owned()),
        Fault::Cut,
    ] {
        let responder = Responder::start(recorded_answers());
        responder.set_faults(&[("show resolvers", fault)]);
        let exporter = ours::start(&[&responder.flag()]);
        for scrapes in 1..3 {
            assert_eq!(sent(&exporter), [""; 0]);
            let failures = values(&ours::get(
                &exporter,
                "/metrics?metrics=haproxy_exporter_csv_parse_failures_total",
            ));
            assert_eq!(
                failures["haproxy_exporter_csv_parse_failures_total"],
                (3 * scrapes).to_string()
            );
        }
        let problems = exporter.finish().problems();
        let first = "first=line 2 of \"show stat domain resolvers\": a name server without a name";
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].details, ["count=3", first]);
    }
}

#[test]
fn live() {
    for release in RELEASES {
        let place = Place::new(0);
        let text = place.global()
            + "resolvers rr\n  nameserver n1 127.0.0.1:1\n  nameserver n2 127.0.0.1:2\n\
               resolvers other\n  nameserver n1 127.0.0.1:3\nbackend b\n  \
               server x nothing.invalid:80 resolvers rr init-addr none check inter 200ms\n";
        let Some(haproxy) = Haproxy::start_release(release, place, &text) else {
            return;
        };
        let exporter = ours::start(&[&haproxy.unix_flag()]);
        let names = |sent: Vec<String>| -> Vec<String> {
            let names = sent.iter().filter_map(|line| line.split_once("} "));
            let names = names.map(|(names, _)| names.to_owned());
            // A resolv.conf of the machine may be listed too.
            names
                .filter(|names| !names.starts_with("{resolver=\"default\""))
                .collect()
        };
        let before = names(sent(&exporter));
        assert_eq!(before.len(), 3, "{release}: {before:?}");
        haproxy.cli("clear counters all");
        let rows = haproxy.cli("show stat domain resolvers");
        assert!(
            rows.lines().skip(1).any(|row| row.starts_with(",,")),
            "{release}: {rows}"
        );
        assert_eq!(names(sent(&exporter)), before, "{release}");
        assert_eq!(exporter.finish().problems(), [], "{release}");
    }
}

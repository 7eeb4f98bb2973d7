//! The description of `show info`, which is a field of the CSV.

use super::answers::Answers;
use super::live::values;
use super::ours;
use super::reference;
use super::responder::Responder;
use crate::support::haproxy::{Haproxy, Place, RELEASES};

const FAMILY: &str = "haproxy_process_description";

/// The key of the only sample.
fn key(description: &str) -> String {
    format!("{FAMILY}{{desc={description:?}}}")
}

/// Whatever the description is, it is one label, and the other replies on the connection are what they were.
#[test]
fn recorded() {
    let answers = Answers::recorded("2.6.12", "", "");
    let expected = reference::main(&answers);
    #[rustfmt::skip]
    let cases = [
        ("\"Main LB, site 2\"", "Main LB, site 2"),
        ("\"a \"\"b\"\" c\"", "a \"b\" c"),
        ("\"one\n\ntwo, \"\"three\"\"\"", "one\n\ntwo, \"three\""),
        ("\"open", "\"open"),
        ("\"open, \"\"doubled\"\"", "\"open, \"\"doubled\"\""),
        ("\"a\" and \"b\"", "\"a\" and \"b\""),
        ("plain", "plain"),
    ];
    for (printed, description) in cases {
        let mut answers = answers.clone();
        answers.info = answers.info.replace(
            "description: promex test\n",
            &format!("description: {printed}\n"),
        );
        let responder = Responder::start(answers);
        let exporter = ours::start(&[&responder.flag()]);
        let mut expected = expected.clone();
        let mut sample = expected
            .remove(&key("promex test"))
            .expect("the description");
        sample.labels[0].1 = description.to_owned();
        expected.insert(key(description), sample);
        for query in ["", "", "?scope=global&scope=sticktable&scope=resolver"] {
            let mut expected = expected.clone();
            if !query.is_empty() {
                expected.retain(|_, sample| {
                    ["process", "sticktable", "resolver"].contains(&sample.line.scope.as_str())
                });
            }
            let families = ours::get(&exporter, &format!("/metrics{query}"));
            ours::assert_same(&families, &expected, &format!("{printed}{query}"));
        }
        assert_eq!(exporter.finish().problems(), [], "{printed}");
    }
}

/// The text of the configuration is the label.
#[test]
fn live() {
    for release in RELEASES {
        for (configured, description) in [
            ("Main\\ LB,\\ site\\ 2", "Main LB, site 2"),
            ("\"edge, north\"", "edge, north"),
            ("'the \"edge\"'", "the \"edge\""),
            ("'\"open'", "\"open"),
            ("plain words", "plain words"),
        ] {
            let place = Place::new(0);
            let global = format!("  maxconn 200\n  description {configured}\n");
            let text = place.global().replace("  maxconn 200\n", &global);
            let Some(haproxy) = Haproxy::start_release(release, place, &(text + "backend b\n"))
            else {
                return;
            };
            let exporter = ours::start(&[&haproxy.unix_flag()]);
            let values = values(&ours::get(&exporter, "/metrics"));
            assert_eq!(
                values.get(&key(description)).map(String::as_str),
                Some("1"),
                "{release}: {configured}"
            );
            assert_eq!(
                values.keys().filter(|key| key.starts_with(FAMILY)).count(),
                1,
                "{release}: {configured}"
            );
            assert_eq!(exporter.finish().problems(), [], "{release}: {configured}");
        }
    }
}

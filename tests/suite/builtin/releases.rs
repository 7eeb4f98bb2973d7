//! Which HAProxy is asked for its resolvers: that depends on its release, which it is asked before.

use super::answers::Answers;
use super::ours;
use super::reference;
use super::responder::Responder;

const INFO: &str = "show info";
const ALL: &str = "show stat -1 15 -1;show info;show table;show stat domain resolvers";
const OLD: &str = "show stat -1 15 -1;show info;show table";

const DNS: &str = "show stat -1 15 -1;show info;show table;show stat domain dns";

/// The release, as `show info` has it, and what it is asked.
const RELEASES: [(&str, &str); 14] = [
    ("1.5.0", OLD),
    ("1.8.30-1~bpo9+1", OLD),
    ("2.0.0", OLD),
    ("2.2.34", OLD),
    ("2.3-dev1", DNS),
    ("2.3.21", DNS),
    ("2.4.0", DNS),
    ("2.4.99-dev10", DNS),
    ("2.5.0", ALL),
    ("2.6.12-1+deb12u4", ALL),
    ("2.10.1", ALL),
    ("3.0-dev1", ALL),
    ("3.5-dev5-abc123", ALL),
    ("10.0.0", ALL),
];

fn of_release(release: &str) -> Answers {
    let mut answers = Answers::recorded("2.6.12", "", "");
    let version = answers.fact("Version").expect("a version").to_owned();
    answers.info = answers.info.replace(&version, release);
    answers
}

#[test]
fn are_told_apart() {
    for (release, line) in RELEASES {
        let mut answers = of_release(release);
        let responder = Responder::start(answers.clone());
        if line == OLD {
            answers.resolvers.clear();
        }
        let exporter = ours::start(&[&responder.flag()]);
        let expected = reference::main(&answers);
        for _ in 0..2 {
            ours::assert_same(&ours::get(&exporter, "/metrics"), &expected, release);
        }
        assert_eq!(responder.take_lines(), [INFO, line, line], "{release}");
        assert_eq!(exporter.finish().problems(), [], "{release}");
    }
}

/// Each answer says which release gave it, so the next question is right.
#[test]
fn may_change() {
    let responder = Responder::start(of_release("2.4.0"));
    let exporter = ours::start(&[&responder.flag()]);
    ours::get(&exporter, "/metrics");
    responder.set_answers(of_release("2.8.0"));
    for _ in 0..2 {
        ours::get(&exporter, "/metrics");
    }
    // The first one of the new release is repeated, since it has another word.
    assert_eq!(responder.take_lines(), [INFO, DNS, DNS, ALL, ALL]);
    assert_eq!(exporter.finish().problems(), []);
}

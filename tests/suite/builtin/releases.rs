//! Which HAProxy is asked for its resolvers: that depends on its release, which it is asked before.

use super::answers::Answers;
use super::ours;
use super::reference;
use super::responder::Responder;

const INFO: &str = "show info";
const ALL: &str = "show stat -1 15 -1;show info;show table;show stat domain resolvers";
const OLD: &str = "show stat -1 15 -1;show info;show table";

/// The release, as `show info` has it, and whether it knows the command.
const RELEASES: [(&str, bool); 12] = [
    ("1.5.0", false),
    ("1.8.30-1~bpo9+1", false),
    ("2.0.0", false),
    ("2.3.21", false),
    ("2.4.0", false),
    ("2.4.99-dev10", false),
    ("2.5.0", true),
    ("2.6.12-1+deb12u4", true),
    ("2.10.1", true),
    ("3.0-dev1", true),
    ("3.5-dev5-abc123", true),
    ("10.0.0", true),
];

fn of_release(release: &str) -> Answers {
    let mut answers = Answers::recorded("2.6.12", "", "");
    let version = answers.fact("Version").expect("a version").to_owned();
    answers.info = answers.info.replace(&version, release);
    answers
}

#[test]
fn are_told_apart() {
    for (release, has_resolvers) in RELEASES {
        let mut answers = of_release(release);
        let responder = Responder::start(answers.clone());
        if !has_resolvers {
            answers.resolvers.clear();
        }
        let exporter = ours::start(&[&responder.flag()]);
        let expected = reference::main(&answers);
        for _ in 0..2 {
            ours::assert_same(&ours::get(&exporter, "/metrics"), &expected, release);
        }
        let line = if has_resolvers { ALL } else { OLD };
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
    // The first one of the new release is repeated, since it knows more.
    assert_eq!(responder.take_lines(), [INFO, OLD, OLD, ALL, ALL]);
    assert_eq!(exporter.finish().problems(), []);
}

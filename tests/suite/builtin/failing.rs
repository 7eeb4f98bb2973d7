//! Bad answers to what can be done without: they cost their own families, and a log line a change.

use super::answers::Answers;
use super::ours;
use super::reference;
use super::responder::Fault::{self, Blow, Cut, Hang, Say};
use super::responder::{self, Responder};
use crate::support::exporter::Exporter;
use crate::support::logfmt;

const INFO: &str = "show info";
const TABLE: &str = "show table";
const RESOLVERS: &str = "show stat domain resolvers";

const DENIED: &str = "Permission denied\n\n";
const UNKNOWN: &str = "Unknown command: 'show table', but maybe one of the following ones is a better match:\n  help           : full commands list\n\n";
/// The limit of the answers.
const MOST: usize = 100_000;

const NO_VERSION: &str = "not a reply to \"show info\": it has no Version";
const TABLE_DENIED: &str = "not a reply to \"show table\": it begins \"Permission denied\"";
const RESOLVERS_DENIED: &str =
    "not a reply to \"show stat domain resolvers\": it begins \"Permission denied\"";
const IS_CUT: &str = "reply cut: the closing empty line is missing";
const TIMED_OUT: &str = "read: timed out";
const TOO_LARGE: &str =
    "read: the reply is larger than 100000 bytes (--haproxy.max-response-bytes)";
const BEHIND: &str = "read: the previous reply was cut";

/// Commands that go wrong, and what is logged of which.
struct Case {
    name: &'static str,
    faults: Vec<(&'static str, Fault)>,
    lines: Vec<(&'static str, &'static str)>,
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let denied = || Say(DENIED.to_owned());
    let case =
        |name, faults: &[(&'static str, Fault)], lines: &[(&'static str, &'static str)]| Case {
            name,
            faults: faults.to_vec(),
            lines: lines.to_vec(),
        };
    vec![
        case("table denied", &[(TABLE, denied())], &[(TABLE, TABLE_DENIED)]),
        case(
            "table unknown",
            &[(TABLE, Say(UNKNOWN.to_owned()))],
            &[(
                TABLE,
                "not a reply to \"show table\": it begins \"Unknown command: 'show table', but maybe one of the following ones is a better m\"",
            )],
        ),
        case("table cut", &[(TABLE, Cut)], &[(TABLE, IS_CUT), (RESOLVERS, BEHIND)]),
        case("table hangs", &[(TABLE, Hang)], &[(TABLE, TIMED_OUT), (RESOLVERS, BEHIND)]),
        case("table too large", &[(TABLE, Blow(MOST))], &[(TABLE, TOO_LARGE), (RESOLVERS, BEHIND)]),
        case("resolvers denied", &[(RESOLVERS, denied())], &[(RESOLVERS, RESOLVERS_DENIED)]),
        case(
            "resolvers unknown",
            &[(RESOLVERS, Say("Invalid statistics domain.\n\n".to_owned()))],
            &[(
                RESOLVERS,
                "not a reply to \"show stat domain resolvers\": it begins \"Invalid statistics domain.\"",
            )],
        ),
        case(
            "resolvers are rows",
            &[(RESOLVERS, Say("# pxname,svname,\nns1,dns1,\n\n".to_owned()))],
            &[(
                RESOLVERS,
                "not a reply to \"show stat domain resolvers\": it begins \"# pxname,svname,\"",
            )],
        ),
        case("resolvers cut", &[(RESOLVERS, Cut)], &[(RESOLVERS, IS_CUT)]),
        case("resolvers hang", &[(RESOLVERS, Hang)], &[(RESOLVERS, TIMED_OUT)]),
        case("resolvers too large", &[(RESOLVERS, Blow(MOST))], &[(RESOLVERS, TOO_LARGE)]),
        case("info denied", &[(INFO, denied())], &[(INFO, NO_VERSION)]),
        case("info cut", &[(INFO, Cut)], &[(INFO, IS_CUT), (TABLE, BEHIND), (RESOLVERS, BEHIND)]),
        case("info hangs", &[(INFO, Hang)], &[(INFO, TIMED_OUT), (TABLE, BEHIND), (RESOLVERS, BEHIND)]),
        case(
            "all denied",
            &[(INFO, denied()), (TABLE, denied()), (RESOLVERS, denied())],
            &[
                (INFO, NO_VERSION),
                (TABLE, TABLE_DENIED),
                (RESOLVERS, RESOLVERS_DENIED),
            ],
        ),
        // There are none.
        case("no table", &[(TABLE, Say("\n".to_owned()))], &[]),
        case("no resolver", &[(RESOLVERS, Say("# id,pid,sent,\n\n".to_owned()))], &[]),
    ]
}

/// The scope that is made of a command.
fn scope(command: &str) -> &'static str {
    match command {
        INFO => "process",
        TABLE => "sticktable",
        RESOLVERS => "resolver",
        _ => panic!("{command}"),
    }
}

fn start(responder: &Responder) -> Exporter {
    ours::start(&[
        &responder.flag(),
        "--haproxy.timeout=6s",
        &format!("--haproxy.max-response-bytes={MOST}"),
    ])
}

/// The messages of a log, but for start and stop, each with its error.
fn messages(exporter: Exporter) -> Vec<String> {
    let lines = exporter.finish().lines;
    let fields = lines.iter().map(|line| logfmt::fields(line));
    let all = fields.map(|fields| {
        let err = fields.get("err").map(String::as_str).unwrap_or_default();
        format!("{} {}: {err}", fields["level"], fields["msg"])
    });
    let own = ["info starting haproxy_exporter: ", "info stopping: "];
    all.filter(|message| !own.contains(&message.as_str()))
        .collect()
}

/// Twice in between good answers: one line when it begins, one when it ends.
#[test]
fn cost_their_own_families() {
    let answers = Answers::recorded("3.4.0", "", "");
    let responder = Responder::start(answers.clone());
    let whole = reference::main(&answers);
    for case in cases() {
        let name = case.name;
        responder.set_faults(&[]);
        let exporter = start(&responder);
        ours::assert_same(&ours::get(&exporter, "/metrics"), &whole, name);
        responder.set_faults(&case.faults);
        let mut rest = whole.clone();
        let failed = case.lines.iter().map(|(command, _)| scope(command));
        let silent = case.faults.iter().map(|(command, _)| scope(command));
        let lost: Vec<&str> = failed.chain(silent).collect();
        rest.retain(|_, sample| !lost.contains(&sample.line.scope.as_str()));
        for _ in 0..2 {
            ours::assert_same(&ours::get(&exporter, "/metrics"), &rest, name);
        }
        responder.set_faults(&[]);
        for _ in 0..2 {
            ours::assert_same(&ours::get(&exporter, "/metrics"), &whole, name);
        }
        let object = responder.object();
        let begun = case
            .lines
            .iter()
            .map(|(command, why)| format!("warn {command} failed: {object}: {why}"));
        let ended = case
            .lines
            .iter()
            .map(|(command, _)| format!("info {command} recovered: "));
        let wanted: Vec<String> = begun.chain(ended).collect();
        assert_eq!(messages(exporter), wanted, "{name}");
    }
}

/// The same at the first scrape, when HAProxy's release is not known yet.
#[test]
fn cost_no_row_at_the_first_scrape() {
    let answers = Answers::recorded("3.4.0", "", "");
    let responder = Responder::start(answers.clone());
    let rows = reference::main(&answers.rows_only());
    for case in cases() {
        responder.set_faults(&case.faults);
        let exporter = start(&responder);
        let families = ours::get(&exporter, "/metrics");
        let of_rows: Vec<_> = families
            .into_iter()
            .filter(|family| {
                let scopes = ["frontend", "backend", "server", "listener"];
                scopes
                    .iter()
                    .any(|scope| family.name.starts_with(&format!("haproxy_{scope}_")))
            })
            .collect();
        ours::assert_same(&of_rows, &rows, case.name);
    }
}

/// A reason that changes is told again.
#[test]
fn a_change_is_told() {
    let responder = Responder::start(Answers::recorded("3.4.0", "", ""));
    let exporter = start(&responder);
    let other = "Another reason\n\n";
    for answer in [DENIED, DENIED, other, other, DENIED, "\n", "\n"] {
        responder.set_faults(&[(TABLE, Say(answer.to_owned()))]);
        ours::get(&exporter, "/metrics");
    }
    let failed = format!("warn show table failed: {}", responder.object());
    let wanted = [
        format!("{failed}: {TABLE_DENIED}"),
        format!("{failed}: not a reply to \"show table\": it begins \"Another reason\""),
        format!("{failed}: {TABLE_DENIED}"),
        "info show table recovered: ".to_owned(),
    ];
    assert_eq!(messages(exporter), wanted);
}

/// Requests for less neither end what others complained about nor complain that little is there.
#[test]
fn a_request_for_less_says_nothing_of_the_rest() {
    let mut answers = Answers::recorded("2.6.12", "", "");
    answers.stat = responder::masked(&answers.stat, 7);
    let whole = answers.clone();
    let current = responder::column(&answers.stat, "scur");
    let server = answers.stat.lines().find(|line| {
        let kind = responder::column(&answers.stat, "type");
        line.split(',').nth(kind) == Some("2")
    });
    let server = server.expect("a server");
    let mut cells: Vec<&str> = server.split(',').collect();
    cells[current] = "x";
    answers.stat = answers.stat.replacen(server, &cells.join(","), 1);
    let responder = Responder::start(answers);
    let exporter = start(&responder);
    let ask = |scope: &str| ours::get(&exporter, &format!("/metrics?scope={scope}"));
    for _ in 0..2 {
        for scope in ["server", "frontend", "listener", "global"] {
            ask(scope);
        }
    }
    responder.set_answers(whole.clone());
    ask("frontend");
    ask("server");
    // No proxy at all: that is worth a word, and only to those who want proxies.
    let mut none = whole.clone();
    none.stat = format!("{}\n", none.stat.lines().next().expect("a header"));
    responder.set_answers(none);
    ask("server");
    for _ in 0..2 {
        for scope in ["*", "listener", "global"] {
            ask(scope);
        }
    }
    responder.set_answers(whole);
    ask("*");
    let begun = messages(exporter);
    let begun: Vec<&str> = begun.iter().map(|line| line.trim_end()).collect();
    let no_row = "it has no proxies, is stopping, or its stats scope or bind-process hides them";
    let wanted = [
        "warn CSV parse failures:",
        "info all rows parsed again:",
        &format!("warn HAProxy printed no row: {no_row}"),
        "info HAProxy prints rows again:",
    ];
    assert_eq!(begun, wanted);
}

/// A name that is longer than a proxy's may be costs its own row, and not the answer.
#[test]
fn a_name_without_end_costs_its_row() {
    let responder = Responder::start(Answers::recorded("3.4.0", "", ""));
    let exporter = start(&responder);
    let table =
        |bytes: usize| format!("# table: {}, type: ip, size:1, used:0\n", "n".repeat(bytes));
    for bytes in [5_000, 70_000] {
        let answer = format!("{}{}\n", table(4_096), table(bytes));
        responder.set_faults(&[(TABLE, Say(answer))]);
        let families = ours::get(&exporter, "/metrics");
        let family = families
            .iter()
            .find(|family| family.name == "haproxy_sticktable_size");
        assert_eq!(family.expect("the other row").samples.len(), 1, "{bytes}");
    }
    assert_eq!(messages(exporter), Vec::<String>::new());
}

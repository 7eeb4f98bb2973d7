//! Servers asked for proxy by proxy: the same samples in the same order, whatever comes and goes
//! between two questions.

use std::time::Duration;

use tempfile::TempDir;

use crate::support::csv::{HEADER, answer, backend, frontend, server};
use crate::support::exporter::{Exporter, Problem};
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::faults::TIMED_OUT;
use crate::support::pages::with_length;

/// A HAProxy that prints without a break.
const INFO: &str = "Name: HAProxy\nVersion: 2.6.12\nRelease_date: 2023/04/01\nnode: n1\n\n";

/// Number, name, whether there is a frontend, whether there is a backend, and its servers.
type Proxy = (u32, &'static str, bool, bool, usize);

const PROXIES: [Proxy; 6] = [
    (2, "web", true, false, 0),
    (3, "app", false, true, 30),
    (4, "small", false, true, 3),
    // A frontend and a backend may have the same name.
    (5, "web", false, true, 3),
    (6, "both", true, true, 4),
    (7, "big", false, true, 50),
];

const WHOLE: &str = "show stat -1 7 -1;show info\n";
const LISTED: &str = "show stat -1 3 -1;show info\n";

/// The rows that a command asks for, as HAProxy prints them.
fn rows_of(proxies: &[Proxy], command: &str) -> Vec<String> {
    let words: Vec<&str> = command.split(' ').collect();
    let &["show", "stat", iid, types, "-1"] = words.as_slice() else {
        panic!("{command:?} is asked");
    };
    let types: u8 = types.parse().expect("a mask");
    let mut rows = Vec::new();
    for (number, name, is_frontend, is_backend, servers) in proxies {
        let number = number.to_string();
        if iid != "-1" && iid != number {
            continue;
        }
        let cells = [(4, "1"), (27, number.as_str())];
        if *is_frontend && types & 1 != 0 {
            rows.push(frontend(name, &cells));
        }
        for server_number in (0..*servers).filter(|_| types & 4 != 0) {
            let state = ["UP", "DOWN", "MAINT"][server_number % 3];
            let cells = [&cells[..], &[(17, state)]].concat();
            rows.push(server(name, &format!("s{server_number}"), &cells));
        }
        if *is_backend && types & 2 != 0 {
            rows.push(backend(name, &cells));
        }
    }
    rows
}

fn send(rows: &[String]) -> Script {
    vec![Act::Send(answer(rows))]
}

fn haproxy(command: &str) -> Script {
    match command {
        "show table" => return vec![Act::Send(b"\n".to_vec())],
        "show stat domain resolvers" => {
            return vec![Act::Send(b"# id,pid,sent,\n\n".to_vec())];
        }
        _ => {}
    }
    send(&rows_of(&PROXIES, command))
}

fn answers(choose: fn(&str) -> Script, info: &str) -> Answers {
    Answers {
        stat: vec![Act::Choose(choose)],
        info: vec![Act::Send(info.as_bytes().to_vec())],
    }
}

fn exporter(fake: &Fake, flags: &[&str]) -> Exporter {
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    Exporter::start(&[&[uri.as_str()], flags].concat())
}

/// The exposition as it is sent, without what differs from scrape to scrape.
pub(super) fn text(exporter: &Exporter, target: &str) -> String {
    let body = exporter.get(target).text().to_owned();
    let varies = |line: &&str| {
        let name = line
            .trim_start_matches("# HELP ")
            .trim_start_matches("# TYPE ");
        name.starts_with("haproxy_exporter_") || name.starts_with("process_")
    };
    body.lines()
        .filter(|line| !varies(line))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// One scrape, and what HAProxy was asked.
fn asked(fake: &Fake, exporter: &Exporter, answers: Answers) -> Vec<String> {
    fake.set(answers);
    assert_eq!(exporter.scrape().value("haproxy_up"), 1.0);
    fake.requests()
}

#[test]
fn the_same_samples_in_the_same_order() {
    let directory = TempDir::new().expect("a temporary directory");
    let fakes = [
        Fake::unix(&directory.path().join("s"), answers(haproxy, INFO)),
        Fake::tcp("127.0.0.1", answers(haproxy, INFO)),
    ];
    for fake in &fakes {
        for names in ["exporter", "builtin"] {
            let flags = [format!("--haproxy.metric-names={names}")];
            let at_once = exporter(fake, &[&flags[0], "--haproxy.rows-per-question=0"]);
            let split = exporter(fake, &[&flags[0], "--haproxy.rows-per-question=10"]);
            fake.set(answers(haproxy, INFO));
            let whole = text(&at_once, "/metrics");
            assert!(whole.contains("server=\"s49\""), "{whole}");
            // The first scrape has to find out how many there are.
            for _ in 0..3 {
                assert_eq!(text(&split, "/metrics"), whole);
            }
            let requests = fake.requests();
            let big = requests
                .iter()
                .filter(|line| line.starts_with("show stat 7 "));
            assert_eq!(big.count(), 2, "{requests:?}");
            assert_eq!(at_once.finish().problems(), []);
            assert_eq!(split.finish().problems(), []);
        }
    }
}

#[test]
fn proxies_that_share_a_connection() {
    let fake = Fake::tcp("127.0.0.1", Answers::default());
    let of = |numbers: &[u32]| {
        let commands: Vec<String> = numbers
            .iter()
            .map(|n| format!("show stat {n} 4 -1"))
            .collect();
        commands.join(";") + "\n"
    };
    let cases: [(&str, Vec<String>); 5] = [
        ("1", vec![of(&[3]), of(&[4]), of(&[5]), of(&[6]), of(&[7])]),
        ("9", vec![of(&[3]), of(&[4, 5]), of(&[6]), of(&[7])]),
        ("10", vec![of(&[3]), of(&[4, 5, 6]), of(&[7])]),
        ("40", vec![of(&[3, 4, 5, 6]), of(&[7])]),
        ("89", vec![of(&[3, 4, 5, 6]), of(&[7])]),
    ];
    for (rows, questions) in cases {
        let exporter = exporter(&fake, &[&format!("--haproxy.rows-per-question={rows}")]);
        assert_eq!(asked(&fake, &exporter, answers(haproxy, INFO)), [WHOLE]);
        let wanted = [&[LISTED.to_owned()], &questions[..]].concat();
        assert_eq!(
            asked(&fake, &exporter, answers(haproxy, INFO)),
            wanted,
            "{rows}"
        );
    }
}

/// A small HAProxy, one that yields, and one that is asked so.
#[test]
fn who_is_asked_at_once() {
    let fake = Fake::tcp("127.0.0.1", Answers::default());
    let newer = INFO.replace("2.6.12", "3.4.0");
    let cases = [("0", INFO), ("90", INFO), ("10", &newer)];
    for (rows, info) in cases {
        let exporter = exporter(&fake, &[&format!("--haproxy.rows-per-question={rows}")]);
        for _ in 0..3 {
            assert_eq!(
                asked(&fake, &exporter, answers(haproxy, info)),
                [WHOLE],
                "{rows}"
            );
        }
    }
    fn one_backend(command: &str) -> Script {
        send(&rows_of(&PROXIES[5..], command))
    }
    let exporter = exporter(&fake, &["--haproxy.rows-per-question=10"]);
    for _ in 0..3 {
        assert_eq!(asked(&fake, &exporter, answers(one_backend, INFO)), [WHOLE]);
    }
}

/// Between the list and the question one proxy has gone, after a reload one number is another's,
/// and one proxy is new.
#[test]
fn proxies_come_and_go() {
    fn changing(command: &str) -> Script {
        let mut proxies = PROXIES.to_vec();
        proxies.push((9, "new", false, true, 2));
        let mut rows = rows_of(&proxies, command);
        if command.contains(" 4 4 ") {
            rows.clear();
        }
        if command.contains(" 5 4 ") {
            rows = rows_of(&[(5, "app", false, true, 2)], command);
        }
        send(&rows)
    }
    let fake = Fake::tcp("127.0.0.1", Answers::default());
    let exporter = exporter(&fake, &["--haproxy.rows-per-question=10"]);
    asked(&fake, &exporter, answers(haproxy, INFO));
    let requests = asked(&fake, &exporter, answers(changing, INFO));
    // Nothing is known of it yet, so it is asked for alone.
    assert_eq!(
        requests.last().map(String::as_str),
        Some("show stat 9 4 -1\n")
    );
    let got = exporter.scrape();
    let up = |backend: &str, name: &str| {
        got.get(&format!(
            "haproxy_server_up{{backend=\"{backend}\",server=\"{name}\"}}"
        ))
    };
    assert_eq!(up("new", "s0"), Some(1.0));
    assert_eq!(up("small", "s0"), None);
    assert_eq!(up("web", "s0"), None);
    assert_eq!((up("app", "s0"), up("app", "s29")), (Some(1.0), Some(0.0)));
    assert_eq!(got.value("haproxy_exporter_csv_parse_failures_total"), 0.0);
    assert_eq!(exporter.finish().problems(), []);
}

/// All or nothing: one question that fails is a scrape that fails, and the next one is asked at once.
#[test]
fn a_question_that_fails() {
    fn cut(command: &str) -> Script {
        match command.contains(" 7 4 ") {
            true => vec![Act::Send(HEADER.as_bytes().to_vec())],
            false => haproxy(command),
        }
    }
    fn cut_in_a_group(command: &str) -> Script {
        match command.contains(" 5 4 ") {
            true => vec![Act::Close],
            false => haproxy(command),
        }
    }
    fn refused(command: &str) -> Script {
        match command.contains(" 5 4 ") {
            true => vec![Act::Send(b"Permission denied\n\n".to_vec())],
            false => haproxy(command),
        }
    }
    type Choose = fn(&str) -> Script;
    let cases: [(Choose, &str); 3] = [
        (cut, "answer cut: the closing empty line is missing"),
        (cut_in_a_group, "closed without an answer"),
        (
            refused,
            "not HAProxy statistics: it begins \"Permission denied\"",
        ),
    ];
    for (choose, err) in cases {
        let fake = Fake::tcp("127.0.0.1", Answers::default());
        let exporter = exporter(&fake, &["--haproxy.rows-per-question=10"]);
        asked(&fake, &exporter, answers(haproxy, INFO));
        fake.set(answers(choose, INFO));
        let got = exporter.scrape();
        assert_eq!(got.value("haproxy_up"), 0.0);
        assert!(
            !got.families
                .keys()
                .any(|name| name.starts_with("haproxy_server_"))
        );
        assert_eq!(asked(&fake, &exporter, answers(haproxy, INFO)), [WHOLE]);
        let failed = Problem::scrape_failed(&format!("{}: {err}", fake.object()));
        let problems = exporter.finish().problems();
        assert_eq!(problems[0], failed);
    }
}

/// The limit is that of all answers about rows together.
#[test]
fn the_largest_answer_is_that_of_all_questions() {
    let whole = answer(&rows_of(&PROXIES, "show stat -1 7 -1")).len();
    let fake = Fake::tcp("127.0.0.1", Answers::default());
    // Each question has a header of its own.
    for (limit, up) in [(whole + 5 * (HEADER.len() + 1), 1.0), (whole + 10, 0.0)] {
        let flags = [
            "--haproxy.rows-per-question=10",
            &format!("--haproxy.max-response-bytes={limit}"),
        ];
        let exporter = exporter(&fake, &flags);
        asked(&fake, &exporter, answers(haproxy, INFO));
        fake.set(answers(haproxy, INFO));
        assert_eq!(exporter.scrape().value("haproxy_up"), up, "{limit}");
        let too_large = format!(
            "{}: read: the answer is larger than {limit} bytes (--haproxy.max-response-bytes)",
            fake.object()
        );
        let expected = match up {
            0.0 => vec![Problem::scrape_failed(&too_large)],
            _ => vec![],
        };
        assert_eq!(exporter.finish().problems(), expected);
    }
}

/// Each question is answered in far less time than the deadline leaves, all together are not.
#[test]
fn one_deadline_over_all_questions() {
    fn slow(command: &str) -> Script {
        let answer = answer(&rows_of(&PROXIES, command));
        let (first, rest) = answer.split_at(1);
        vec![
            Act::Drip(first.to_vec(), Duration::from_millis(300)),
            Act::Send(rest.to_vec()),
        ]
    }
    let fake = Fake::tcp("127.0.0.1", Answers::default());
    let flags = ["--haproxy.timeout=1s", "--haproxy.rows-per-question=1"];
    let exporter = exporter(&fake, &flags);
    asked(&fake, &exporter, answers(haproxy, INFO));
    fake.set(answers(slow, INFO));
    let got = exporter.scrape();
    assert_eq!(got.value("haproxy_up"), 0.0);
    let requests = fake.requests();
    let wanted = [LISTED, "show stat 3 4 -1\n"];
    assert!(
        requests.starts_with(&wanted.map(str::to_owned)),
        "{requests:?}"
    );
    let timed_out = format!("{}: {TIMED_OUT}", fake.object());
    assert_eq!(
        exporter.finish().problems(),
        [Problem::scrape_failed(&timed_out)]
    );
}

/// A stats page cannot be asked for a part.
#[test]
fn a_stats_page_is_asked_once() {
    let rows = rows_of(&PROXIES, "show stat -1 7 -1");
    let page = with_length(&format!("{HEADER}{}", rows.concat()));
    let fake = Fake::http("127.0.0.1", Answers::default());
    let exporter = exporter(&fake, &["--haproxy.rows-per-question=1"]);
    for _ in 0..3 {
        fake.set(Answers::page(page.as_bytes()));
        let got = exporter.scrape();
        let last = "haproxy_server_up{backend=\"big\",server=\"s49\"}";
        assert_eq!((got.value("haproxy_up"), got.value(last)), (1.0, 0.0));
        let requests = fake.requests();
        let [request] = &requests[..] else {
            panic!("{requests:?}")
        };
        assert!(request.starts_with("GET /;csv HTTP/1."), "{request}");
    }
    assert_eq!(exporter.finish().problems(), []);
}

/// Other requests in between want other rows, and do not make it forget.
#[test]
fn what_requests_want() {
    let fake = Fake::tcp("127.0.0.1", answers(haproxy, INFO));
    let exporter = exporter(&fake, &["--haproxy.rows-per-question=89"]);
    let ask = |target: &str| {
        fake.set(answers(haproxy, INFO));
        exporter.get(target);
        fake.requests()
    };
    let servers = [
        "show stat 3 4 -1;show stat 4 4 -1;show stat 5 4 -1;show stat 6 4 -1\n",
        "show stat 7 4 -1\n",
    ];
    assert_eq!(ask("/metrics"), [WHOLE]);
    assert_eq!(ask("/metrics?scope=frontend"), ["show stat -1 1 -1\n"]);
    assert_eq!(ask("/metrics"), [&[LISTED], &servers[..]].concat());
    // Backends are asked for to know whom to ask, and not exported.
    let listed = ["show stat -1 2 -1\n"];
    assert_eq!(
        ask("/metrics?scope=server"),
        [&listed, &servers[..]].concat()
    );
    let only = text(&exporter, "/metrics?scope=server");
    let last = "haproxy_server_up{backend=\"big\",server=\"s49\"}";
    assert!(only.contains(last), "{only}");
    assert!(!only.contains("haproxy_backend_"), "{only}");
}

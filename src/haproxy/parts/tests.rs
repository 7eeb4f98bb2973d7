use std::io::{BufRead, BufReader, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::haproxy::rows::Filter;
use crate::haproxy::uri::UnixName;
use crate::net::address::HostPort;
use crate::net::deadline::Deadline;

const ALL: u8 = 15;

/// The first 33 columns; `iid` is the 28th.
const HEADER: &str = "# pxname,svname,c2,c3,c4,c5,c6,c7,c8,c9,c10,c11,c12,c13,c14,c15,c16,status,c18,c19,c20,c21,c22,\
    c23,c24,c25,c26,iid,c28,c29,c30,c31,type,\n";

fn row(proxy: &str, service: &str, iid: u64, row_type: u8) -> String {
    format!(
        "{proxy},{service}{},{iid}{},{row_type},\n",
        ",".repeat(25),
        ",".repeat(4)
    )
}

fn reply(rows: &[String]) -> String {
    format!("{HEADER}{}\n", rows.concat())
}

fn backend(name: &str, iid: u64, servers: usize) -> String {
    let servers = (0..servers).map(|server| row(name, &format!("s{server}"), iid, 2));
    reply(
        &servers
            .chain([row(name, "BACKEND", iid, 1)])
            .collect::<Vec<_>>(),
    )
}

/// The names of the rows.
#[derive(Default)]
struct Names(Vec<String>);

impl RowSink for Names {
    fn begin(&mut self, _: &Header) -> usize {
        2
    }

    fn push(&mut self, _: RowType, row: &Row<'_>, _: Place<'_>, _: &mut Failures) {
        let field = |at| String::from_utf8_lossy(row.field(at).unwrap()).into_owned();
        self.0.push(format!("{}/{}", field(0), field(1)));
    }

    fn count(&mut self, _: &Row<'_>) {}

    fn flush(&mut self, _: &[u8], _: &mut Failures) {}

    fn name_bytes(&self) -> usize {
        0
    }
}

/// A HAProxy in prompt mode.
#[derive(Clone)]
struct Fake {
    /// The reply to `prompt`.
    prompt: &'static str,
    /// Whether a prompt follows each command (up to 3.1), or each line (3.2 and later).
    after_each: bool,
    /// The replies to the list and to the proxies, by number.
    list: String,
    proxies: Vec<(u64, String)>,
    /// What it adds to each line's replies.
    more: &'static str,
    /// It closes after this many lines, and after so many bytes of the replies to the last of them.
    closes: (usize, usize),
    /// How long it waits before the prompt, and the time of the scrape.
    far: (Duration, Duration),
}

impl Fake {
    fn new() -> Self {
        let list = [row("a", "FRONTEND", 2, 0), row("a", "BACKEND", 2, 1)];
        let list = [
            &list[..],
            &[row("b", "BACKEND", 5, 1), row("c", "BACKEND", 9, 1)],
        ]
        .concat();
        let a = [
            row("a", "FRONTEND", 2, 0),
            row("a", "s0", 2, 2),
            row("a", "BACKEND", 2, 1),
        ];
        Self {
            prompt: "\n> ",
            after_each: true,
            list: reply(&list),
            proxies: vec![
                (2, reply(&a)),
                (5, backend("b", 5, 2)),
                (9, backend("c", 9, 0)),
            ],
            more: "",
            closes: (usize::MAX, 0),
            far: (Duration::ZERO, Duration::from_secs(60)),
        }
    }

    /// Replies until the peer closes; the lines that it got.
    fn run(&self, stream: &UnixStream) -> Vec<String> {
        let mut lines = Vec::new();
        for line in BufReader::new(stream).lines() {
            // The exporter may close with an unread reply.
            let Ok(line) = line else { break };
            let mut reply = self.reply(&line);
            lines.push(line);
            let is_last = lines.len() == self.closes.0;
            if is_last {
                reply.truncate(self.closes.1);
            }
            // The exporter may have seen enough.
            let _ = (&*stream).write_all(reply.as_bytes());
            if is_last {
                break;
            }
        }
        lines
    }

    fn reply(&self, line: &str) -> String {
        if line == "prompt" {
            std::thread::sleep(self.far.0);
            return self.prompt.to_owned();
        }
        let replies = line.split(';').map(|command| {
            let number = command.split(' ').nth(2).unwrap();
            let found = self
                .proxies
                .iter()
                .find(|(iid, _)| iid.to_string() == number);
            found.map_or(&self.list, |(_, reply)| reply).clone()
        });
        let replies: Vec<String> = replies.collect();
        let between = if self.after_each { "> " } else { "" };
        format!("{}> {}", replies.join(between), self.more)
    }
}

fn source(what: &str) -> (SocketSource, UnixListener) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("haproxy-exporter-{what}-{}-{number}", std::process::id());
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap());
    (
        SocketSource::unix(&UnixName::Abstract(name)),
        listener.unwrap(),
    )
}

/// What became of reading in parts: the rows, or why not; and the lines that the fake got.
fn read(parts: &mut Parts, fake: &Fake, max_bytes: u64) -> (String, Vec<String>) {
    let (text, lines, _) = read_and_count(parts, fake, max_bytes);
    (text, lines)
}

/// The same, and how many rows were bad.
fn read_and_count(parts: &mut Parts, fake: &Fake, max_bytes: u64) -> (String, Vec<String>, u64) {
    let (mut source, listener) = source("parts");
    let limits = Limits {
        deadline: Deadline::after(fake.far.1),
        max_bytes,
    };
    let mut names = Names::default();
    let mut reader = StatReader::new(Filter::default());
    let mut buffer = ReadBuffer::default();
    std::thread::scope(|scope| {
        let lines = scope.spawn(|| fake.run(&listener.accept().unwrap().0));
        let session = (&mut source, limits, &mut buffer);
        let text = match parts.read(ALL, session, &mut reader, &mut names) {
            Ok(Some(_)) => names.0.join(" "),
            Ok(None) => "changed".to_owned(),
            Err(error) => error.problem.to_string(),
        };
        (text, lines.join().unwrap(), reader.failures().count)
    })
}

const ROWS: &str = "a/FRONTEND a/s0 a/BACKEND b/s0 b/s1 b/BACKEND c/BACKEND";

/// The sizes decide how many proxies a line asks for.
#[test]
fn each_line_asks_for_about_a_hundred_rows() {
    let all: &[&str] = &["show stat 2 15 -1;show stat 5 15 -1;show stat 9 15 -1"];
    let two = &["show stat 2 15 -1;show stat 5 15 -1", "show stat 9 15 -1"];
    let one = &[
        "show stat 2 15 -1",
        "show stat 5 15 -1",
        "show stat 9 15 -1",
    ];
    for (rows, proxies, expected) in [
        (300, 10, all),
        (450, 10, two),
        (1000, 10, one),
        (5000, 10, one),
    ] {
        for after_each in [true, false] {
            let mut parts = Parts::default();
            parts.remember(ALL, [0, proxies, rows - proxies, 0]);
            let fake = Fake {
                after_each,
                ..Fake::new()
            };
            let (names, lines) = read(&mut parts, &fake, 1 << 20);
            assert_eq!(names, ROWS);
            assert_eq!(lines[..2], ["prompt", "show stat -1 3 -1"]);
            assert_eq!(lines[2..], *expected, "{rows} rows of {proxies} proxies");
        }
    }
}

#[test]
fn replies_that_are_not_used() {
    let new = Fake::new;
    let with = |reply: String| {
        let mut fake = new();
        fake.proxies[1].1 = reply;
        fake
    };
    let no_number = new().list.replace(",5,", ",,");
    let other_header = backend("b", 5, 2).replace("c26", "c27");
    let foreign = reply(&[row("b", "BACKEND", 5, 1), row("c", "BACKEND", 9, 1)]);
    let closes = |closes| Fake { closes, ..new() };
    let cut = "reply cut: the closing empty line is missing";
    let no_prompt = "read: no prompt behind the reply";
    #[rustfmt::skip]
    let bad = new().list.replace("b,BACKEND", "b,BACKEND,");
    let far = (Duration::from_millis(200), Duration::from_secs(3));
    let cases: [(&str, Fake, &str); 16] = [
        (
            "a bad row in the list",
            Fake { list: bad, ..new() },
            "changed",
        ),
        (
            "round trips of a tenth of the time",
            Fake { far, ..new() },
            "changed",
        ),
        ("no rows", with(reply(&[])), "changed"),
        ("rows of another proxy", with(backend("c", 9, 2)), "changed"),
        ("a row of another proxy", with(foreign), "changed"),
        ("another header", with(other_header), "changed"),
        (
            "no proxies",
            Fake {
                list: reply(&[]),
                ..new()
            },
            "changed",
        ),
        (
            "a proxy without a number",
            Fake {
                list: no_number,
                ..new()
            },
            "changed",
        ),
        (
            "other text",
            with("Unknown\n\n".to_owned()),
            "not HAProxy statistics: it begins \"Unknown\"",
        ),
        (
            "more behind the prompt",
            Fake { more: "x", ..new() },
            "read: more came behind the closing empty line",
        ),
        (
            "no prompt after a line",
            Fake {
                list: format!("{}x", new().list),
                ..new()
            },
            no_prompt,
        ),
        (
            "closed instead of the list",
            closes((2, 0)),
            "closed without a reply",
        ),
        ("closed in a row", closes((3, HEADER.len() + 20)), cut),
        (
            "closed before the prompt",
            closes((2, new().list.len())),
            no_prompt,
        ),
        (
            "no prompt mode",
            Fake {
                prompt: "Unknown command.\n\n",
                ..new()
            },
            no_prompt,
        ),
        ("closed instead of a prompt", closes((1, 0)), no_prompt),
    ];
    for (name, fake, expected) in cases {
        let mut parts = Parts::default();
        parts.remember(ALL, [0, 3, 300, 0]);
        assert_eq!(read(&mut parts, &fake, 1 << 20).0, expected, "{name}");
        // The next ones are at rest, and then it is tried again.
        let (source, _listener) = source("parts");
        let due: Vec<bool> = (0..=REST_SCRAPES)
            .map(|_| parts.are_due(ALL, &source))
            .collect();
        assert_eq!(
            due.iter().position(|due| *due),
            Some(REST_SCRAPES as usize),
            "{name}"
        );
    }
}

#[test]
fn bad_rows_of_a_part_are_counted() {
    let mut fake = Fake::new();
    fake.proxies[0].1 = fake.proxies[0].1.replace("a,s0", "a,s0,");
    let mut parts = Parts::default();
    parts.remember(ALL, [0, 3, 300, 0]);
    let (names, _, bad) = read_and_count(&mut parts, &fake, 1 << 20);
    assert_eq!((names, bad), (ROWS.replace("a/s0 ", ""), 1));
}

/// The limit of a reply holds for the rows of all proxies together.
#[test]
fn all_parts_are_as_large_as_allowed() {
    let fake = Fake::new();
    // Prompts count.
    let bytes = fake.list.len()
        + fake
            .proxies
            .iter()
            .map(|(_, reply)| reply.len())
            .sum::<usize>();
    let bytes = bytes as u64 + 8;
    for (limit, is_whole) in [(bytes, true), (bytes - 3, false)] {
        let mut parts = Parts::default();
        parts.remember(ALL, [0, 10, 300, 0]);
        let (found, _) = read(&mut parts, &fake, limit);
        assert_eq!(found == ROWS, is_whole, "{found}");
        assert_eq!(
            found.starts_with("read: the reply is larger than "),
            !is_whole
        );
    }
}

#[test]
fn parts_where_they_are_worth_it() {
    let (unix, _listener) = source("parts");
    let tcp = SocketSource::tcp(&HostPort::parse("127.0.0.1:9", None).unwrap());
    let servers_only = RowType::Server.bit();
    // The types and numbers of rows that were found, the types that are wanted, the answers for both sockets.
    type Case = (&'static str, u8, [usize; 4], u8, bool, bool);
    #[rustfmt::skip]
    let cases: [Case; 13] = [
        ("100 in 10", ALL, [1, 10, 100, 0], ALL, false, false),
        ("300 in 10", ALL, [1, 10, 300, 0], ALL, true, true),
        ("1,000 in 10", ALL, [1, 10, 1000, 0], ALL, true, true),
        ("1,000 in 100", ALL, [1, 100, 1000, 0], ALL, true, true),
        ("1,000 in 200", ALL, [1, 200, 1000, 0], ALL, false, false),
        ("10,000 in one", ALL, [0, 1, 10_000, 0], ALL, false, false),
        // A proxy fills the socket; over TCP nothing else helps.
        ("10,000 in 10", ALL, [0, 10, 10_000, 0], ALL, false, true),
        ("10,000 in 100", ALL, [0, 100, 10_000, 0], ALL, true, true),
        ("10,000 in 1,000", ALL, [0, 1000, 10_000, 0], ALL, false, false),
        ("only servers", ALL, [0, 100, 10_000, 0], servers_only, true, true),
        ("no servers", ALL, [0, 100, 10_000, 0], OF_PROXIES, false, false),
        ("unknown", servers_only, [0, 0, 10_000, 0], ALL, false, false),
        ("nothing", ALL, [0; 4], ALL, false, false),
    ];
    for (name, found, rows, wanted, on_unix, on_tcp) in cases {
        let mut parts = Parts::default();
        parts.remember(found, rows);
        assert_eq!(parts.are_worth_it(wanted, &unix), on_unix, "{name}, unix");
        assert_eq!(parts.are_worth_it(wanted, &tcp), on_tcp, "{name}, tcp");
    }
}

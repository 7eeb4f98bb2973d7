//! Replies to the commands besides `show stat`, and the queries of clients.

use std::cell::RefCell;

use haproxy_exporter::testing::{self, Proof, Statistics};

use super::{Pieces, controls, gzip, written};
use crate::support::{exposition, fixtures};

/// The lines of the recorded reply that are used: rows of each type, and a server in maintenance.
const FULL_ROWS: [&str; 7] = [
    "# pxname,",
    "fe_http,FRONTEND,",
    "fe_http,web1,",
    "be_unknown,b1,",
    "be_unknown,BACKEND,",
    "be_http,maint,",
    "be_http,BACKEND,",
];
/// Longest error of a query; it names at most a few of the names that nothing has.
const MAX_ERROR_BYTES: usize = 4000;

thread_local! {
    /// Statistics that live on, as the exporter's do, under both sets of names.
    static WHOLE: RefCell<[Statistics; 2]> = RefCell::new(statistics());
    static PIECES: RefCell<[Statistics; 2]> = RefCell::new(statistics());
    /// All of a recorded reply.
    static FULL: RefCell<Full> = RefCell::new(full());
}

fn statistics() -> [Statistics; 2] {
    ["exporter", "builtin"].map(|names| Statistics::new(names, "extra-counters", &[]))
}

/// As of the workers of a master.
pub fn show_proc(data: &[u8]) {
    let ([seed], reply) = controls(data);
    let mut sizes = Pieces(u32::from(seed));
    let in_one = testing::show_proc(reply, |left| left);
    let in_pieces = testing::show_proc(reply, |left| sizes.next(left));
    assert_eq!(in_one, in_pieces, "whole and in pieces");
    let Ok((master, workers)) = in_one else {
        return;
    };
    let pids: Vec<u64> = workers.iter().map(|(pid, _)| *pid).collect();
    for (at, pid) in pids.iter().enumerate() {
        assert!(!pids[..at].contains(pid), "{pid} twice");
    }
    // Each is a number that stands in the reply; zeros may stand before it.
    let numbers: Vec<&[u8]> = reply.split(|byte| !byte.is_ascii_digit()).collect();
    for pid in pids.iter().chain([&master]) {
        assert!((1..=u64::from(u32::MAX)).contains(pid), "{pid}");
        let text = pid.to_string();
        let stands = numbers
            .iter()
            .any(|number| number.ends_with(text.as_bytes()));
        assert!(stands, "{pid}");
    }
}

pub fn show_peers(data: &[u8]) {
    command("show peers", data);
}

/// `show ssl sni`, or instead of it `show ssl cert` and what follows.
pub fn show_ssl(data: &[u8]) {
    command("show ssl sni", data);
}

pub fn show_table(data: &[u8]) {
    command("show table", data);
}

/// The rows, and behind them `show resolvers`, which is asked for if the rows lack names.
pub fn show_resolvers(data: &[u8]) {
    command("show stat domain resolvers", data);
}

pub fn show_activity(data: &[u8]) {
    command("show activity", data);
}

/// The same comes of a reply whole and in pieces, and what came before does not matter. What is exported is
/// valid, and its labels stand in the reply.
fn command(ask: &str, data: &[u8]) {
    let ([seed], replies) = controls(data);
    WHOLE.with_borrow_mut(|whole| {
        PIECES.with_borrow_mut(|pieces| {
            for (whole, pieces) in whole.iter_mut().zip(pieces) {
                let mut sizes = Pieces(u32::from(seed));
                let in_one = whole.read_command(ask, replies, |left| left);
                let in_pieces = pieces.read_command(ask, replies, |left| sizes.next(left));
                assert_eq!(in_one, in_pieces, "whole and in pieces");
                if let Err(error) = in_one {
                    assert!(!error.is_empty() && error.len() < 2000);
                    continue;
                }
                let text = written(whole);
                assert_eq!(text, written(pieces));
                gzip::assert_decodes_to(whole, &text);
                let read = exposition::read(&text).unwrap_or_else(|error| panic!("{error}"));
                if let Ok(replies) = std::str::from_utf8(replies) {
                    labels_stand_in(replies, &read);
                }
            }
        });
    });
}

/// Threads are counted, not named.
fn labels_stand_in(replies: &str, read: &exposition::Exposition) {
    let keys = read.samples.keys();
    for key in keys.filter(|key| !key.contains("{thread=")) {
        let (_, labels) = key.split_once('{').unwrap_or_default();
        for value in label_values(labels) {
            assert!(replies.contains(&value), "{value:?} of {key}");
        }
    }
}

/// The values in quotes, without their escapes. No line has a line end, so that `\n` is not among these.
fn label_values(labels: &str) -> Vec<String> {
    let (mut values, mut value) = (Vec::new(), None);
    let mut characters = labels.chars();
    while let Some(character) = characters.next() {
        match (character, &mut value) {
            ('"', None) => value = Some(String::new()),
            ('"', Some(_)) => values.extend(value.take()),
            ('\\', Some(text)) => text.extend(characters.next()),
            (other, Some(text)) => text.push(other),
            (_, None) => {}
        }
    }
    values
}

/// Rows of each type, of a server in maintenance too, and what is written of them under both sets of names.
struct Full {
    statistics: Statistics,
    texts: [Vec<u8>; 2],
}

fn full() -> Full {
    let csv = fixtures::bytes("builtin/3.2.0/extra-stat.csv");
    let csv = String::from_utf8(csv).expect("a recorded reply");
    let is_used = |line: &&str| FULL_ROWS.iter().any(|start| line.starts_with(start));
    let mut reply: String = csv.split_inclusive('\n').filter(is_used).collect();
    assert_eq!(reply.lines().count(), FULL_ROWS.len());
    reply.push('\n');
    let mut statistics = Statistics::new("exporter", "", &[]);
    statistics.want_all();
    let result = statistics.read(reply.as_bytes(), Proof::EmptyLine, |left| left);
    assert_eq!(result, Ok(()));
    let texts = ["exporter", "builtin"].map(|names| {
        let everything = format!("names={names}&extra-counters");
        let selected = statistics.select(&everything);
        assert_eq!(selected, Ok((None, None)));
        written(&mut statistics)
    });
    Full { statistics, texts }
}

/// A query selects lines of those that there are without one, in their order, however it is encoded. What is
/// unknown changes nothing.
pub fn query(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    FULL.with_borrow_mut(|Full { statistics, texts }| {
        let selected = statistics.select(&query);
        let read = selected.clone().map(|found| (found, written(statistics)));
        if let Err(error) = &selected {
            assert!(
                !error.is_empty() && error.len() < MAX_ERROR_BYTES,
                "{error}"
            );
        }
        if let Ok((_, text)) = &read {
            assert!(
                texts.iter().any(|all| is_part(text, all)),
                "not all lines are of one set of names"
            );
            exposition::read(text).unwrap_or_else(|error| panic!("{error}"));
            gzip::assert_decodes_to(statistics, text);
        }
        for other in [
            encoded(&query),
            format!("x&{query}"),
            format!("y=1&&{query}#z"),
        ] {
            let again = statistics.select(&other);
            assert_eq!(again.is_ok(), selected.is_ok(), "{other}");
            if let (Ok(found), Ok((first, text))) = (again, &read) {
                assert_eq!(found, *first, "{other}");
                assert_eq!(statistics.exposition_bytes(), text.len() as u64, "{other}");
            }
        }
    });
}

/// The query with all bytes encoded that separate nothing.
fn encoded(query: &str) -> String {
    let mut text = String::new();
    let mut bytes = query.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'&' | b'=' | b'#' => text.push(char::from(byte)),
            // What is encoded stays so, as far as it goes.
            b'%' => {
                text.push('%');
                let next = bytes.by_ref().take(2);
                text.extend(next.map(char::from));
            }
            b'+' => text.push_str("%20"),
            byte => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text
}

/// Whether the lines of a text are some of the lines of another, in their order.
fn is_part(text: &[u8], of: &[u8]) -> bool {
    let mut all = of.split(|byte| *byte == b'\n');
    let mut lines = text.split(|byte| *byte == b'\n');
    lines.all(|line| all.any(|other| other == line))
}

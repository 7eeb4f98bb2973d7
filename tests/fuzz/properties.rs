//! What must hold for every input: one function a fuzz target, each panics when it does not.
//!
//! The fuzz targets run them on what libfuzzer finds, and `tests/suite/properties.rs` on seeded
//! random inputs and on the regression cases in plain `cargo test`. Where an input has a part that
//! steers the property (limits, sizes of pieces), it is the first bytes.

use std::cell::RefCell;

use haproxy_exporter::testing::haproxy::csv::{Item, LOCATED_FIELDS, Splitter};
use haproxy_exporter::testing::net::http::{self, ChunkDecoder, Ending};
use haproxy_exporter::testing::server::request::{self, Parsed};
use haproxy_exporter::testing::{self, Proof, Statistics};

use crate::support::exposition;

#[path = "properties_commands.rs"]
mod commands;
#[path = "properties_gzip.rs"]
mod gzip;
#[path = "properties_text.rs"]
mod text;
pub use commands::{
    query, show_activity, show_peers, show_proc, show_resolvers, show_ssl, show_table,
};
pub use gzip::gzip;
pub use text::{arguments, duration, scrape_uri};

/// A property with the name of its fuzz target.
pub type Property = (&'static str, fn(&[u8]));

/// All properties.
pub const ALL: &[Property] = &[
    ("csv_table", csv_table),
    ("gzip", gzip),
    ("show_info", show_info),
    ("http_response", http_response),
    ("scrape_uri", scrape_uri),
    ("request_head", request_head),
    ("duration", duration),
    ("arguments", arguments),
    ("query", query),
    ("show_activity", show_activity),
    ("show_peers", show_peers),
    ("show_proc", show_proc),
    ("show_resolvers", show_resolvers),
    ("show_ssl", show_ssl),
    ("show_table", show_table),
];

/// Sizes of the pieces that an input arrives in, from a seed.
struct Pieces(u32);

impl Pieces {
    /// 1 to 16 bytes mostly, now and then up to 512.
    fn next(&mut self, left: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = self.0 >> 16;
        let most = if size & 0x700 == 0 { 512 } else { 16 };
        left.min(1 + (size & 0xff) as usize * most / 256)
    }
}

/// Cuts `count` bytes off that steer a property; missing ones are 0.
fn controls<const COUNT: usize>(data: &[u8]) -> ([u8; COUNT], &[u8]) {
    let (head, rest) = data.split_at(COUNT.min(data.len()));
    let mut controls = [0; COUNT];
    controls[..head.len()].copy_from_slice(head);
    (controls, rest)
}

thread_local! {
    /// Statistics that live on, as the exporter's do, under both sets of names.
    static WHOLE: RefCell<[Statistics; 2]> = RefCell::new(statistics());
    static PIECES: RefCell<[Statistics; 2]> = RefCell::new(statistics());
}

fn statistics() -> [Statistics; 2] {
    [
        Statistics::new("exporter", "", &["MAINT"]),
        Statistics::new("builtin", "no-maint&extra-counters", &[]),
    ]
}

/// Rows come out the same whether they come in whole or in pieces, and what is written of them is a
/// valid exposition of the announced length. Nothing is remembered of the answer before.
pub fn csv_table(data: &[u8]) {
    let ([proof, seed], csv) = controls(data);
    let all = [Proof::EmptyLine, Proof::Length, Proof::LineEnd];
    let proof = all[usize::from(proof) % 3];
    splitter(csv, u32::from(seed));
    WHOLE.with_borrow_mut(|whole| {
        PIECES.with_borrow_mut(|pieces| {
            for (whole, pieces) in whole.iter_mut().zip(pieces) {
                in_pieces(whole, pieces, csv, proof, seed);
            }
        });
    });
}

fn in_pieces(whole: &mut Statistics, pieces: &mut Statistics, csv: &[u8], proof: Proof, seed: u8) {
    let in_one = whole.read(csv, proof, |left| left);
    let mut sizes = Pieces(u32::from(seed));
    let in_pieces = pieces.read(csv, proof, |left| sizes.next(left));
    assert_eq!(in_one, in_pieces, "whole and in pieces");
    let text = written(whole);
    // How far an answer that is refused was read may differ.
    if in_one.is_ok() {
        assert_eq!(whole.failures(), pieces.failures());
        assert_eq!(text, written(pieces));
        gzip::assert_decodes_to(whole, &text);
        exposition::read(&text).unwrap_or_else(|error| panic!("{error}"));
    }
    whole.clear();
    assert_eq!(whole.exposition_bytes(), 0);
    assert_eq!(whole.failures(), (0, None));
    assert_eq!(written(whole), b"");
}

fn written(statistics: &mut Statistics) -> Vec<u8> {
    let mut text = Vec::new();
    statistics.write(|piece| text.extend_from_slice(piece));
    assert_eq!(text.len() as u64, statistics.exposition_bytes());
    text
}

/// An item is the same once it is there, however much stands behind it; nothing is skipped.
fn splitter(csv: &[u8], seed: u32) {
    let (mut splitter, mut again) = (Splitter::default(), Splitter::default());
    let mut sizes = Pieces(seed);
    let mut rest = csv;
    let mut items = 0;
    while !rest.is_empty() && items < 64 {
        items += 1;
        let (item, taken) = splitter.next(rest, true);
        assert!(taken > 0 && taken <= rest.len(), "{item:?} takes {taken}");
        if let Item::Row(row) = &item {
            assert!(row.count > 0 && row.field(row.count).is_none());
            (0..row.count.min(LOCATED_FIELDS))
                .for_each(|at| assert!(row.field(at).is_some(), "field {at}"));
        }
        let more = sizes.next(rest.len() - taken + 1) - 1;
        for length in [taken / 2, taken - 1, taken, taken + more] {
            let (early, now) = again.next(&rest[..length], false);
            // Only the end of the input ends some items, and some may still get longer.
            let undecided = matches!(early, Item::Incomplete) && now == 0;
            let same = now == taken && is_same(&item, &early);
            assert!(undecided || same, "{early:?} takes {now}, {item:?} {taken}");
        }
        rest = &rest[taken..];
    }
}

fn is_same(one: &Item<'_>, other: &Item<'_>) -> bool {
    match (one, other) {
        (Item::Row(one), Item::Row(other)) => {
            one.count == other.count
                && (0..LOCATED_FIELDS).all(|at| one.field(at) == other.field(at))
        }
        (Item::Comment(one), Item::Comment(other)) => one == other,
        (Item::Bad(one), Item::Bad(other)) => one == other,
        (one, other) => matches!((one, other), (Item::Blank, Item::Blank)),
    }
}

/// An answer that is understood ends with an empty line, and no beginning of it is taken for a
/// whole one unless that ends so too.
pub fn show_info(data: &[u8]) {
    let ends_blank = |bytes: &[u8]| {
        [&b"\n"[..], b"\r\n"].contains(&bytes)
            || bytes.ends_with(b"\n\n")
            || bytes.ends_with(b"\n\r\n")
    };
    for end in [data.len(), data.len() / 2, data.len().saturating_sub(1)] {
        let Ok(values) = testing::show_info(&data[..end], &["Version", "no such key"]) else {
            continue;
        };
        assert!(ends_blank(&data[..end]));
        assert!(
            values[0]
                .as_ref()
                .is_some_and(|version| !version.is_empty())
        );
    }
}

/// The end of a head is found at the same place, and a body decodes to the same bytes, whole and
/// in pieces.
pub fn http_response(data: &[u8]) {
    let ([seed], answer) = controls(data);
    let whole = http::head_end(answer);
    let mut sizes = Pieces(u32::from(seed));
    assert_eq!(whole, head_end_in_pieces(answer, &mut sizes));
    let head = &answer[..whole.unwrap_or(answer.len())];
    let (status, ending) = (http::status(head), http::parse(head));
    match (&status, &ending) {
        (Ok((code, _)), Ok(_)) => assert!((200..300).contains(code)),
        (Err(error), ending) => assert_eq!(Err(error.clone()), *ending),
        (Ok((code, _)), Err(_)) => assert!((100..1000).contains(code)),
    }
    if let Err(error) = &ending {
        assert!(error.to_string().len() < 2000);
    }
    // Any bytes may stand where chunks should be.
    let body = match (whole, &ending) {
        (Some(end), Ok(Ending::Chunks)) => &answer[end..],
        _ => answer,
    };
    let in_one = decode(body, |left| left);
    assert_eq!(in_one, decode(body, |left| sizes.next(left)));
    let (consumed, decoded, _) = in_one;
    assert!(decoded.len() <= consumed);
}

/// As `HttpSource` looks for it while it reads.
fn head_end_in_pieces(answer: &[u8], sizes: &mut Pieces) -> Option<usize> {
    let (mut searched, mut filled) = (0_usize, 0);
    while filled < answer.len() {
        filled += sizes.next(answer.len() - filled);
        let from = searched.saturating_sub(3);
        if let Some(end) = http::head_end(&answer[from..filled]) {
            return Some(from + end);
        }
        searched = filled;
    }
    None
}

/// Bytes consumed, the data, and whether it ended well; a bad chunk may be noticed anywhere in its
/// piece, so that only what came before it counts.
fn decode(body: &[u8], mut size: impl FnMut(usize) -> usize) -> (usize, Vec<u8>, Result<bool, ()>) {
    let mut decoder = ChunkDecoder::default();
    let (mut at, mut decoded, mut consumed) = (0, Vec::new(), 0);
    while at < body.len() && !decoder.is_done() {
        let end = at + size(body.len() - at);
        while at < end && !decoder.is_done() {
            let Ok((taken, data)) = decoder.next(&body[at..end]) else {
                return (consumed, decoded, Err(()));
            };
            assert!(taken <= end - at && data.start <= data.end && data.end <= taken);
            assert!(taken > 0 || decoder.is_done());
            if !data.is_empty() {
                consumed = at + taken;
            }
            decoded.extend_from_slice(&body[at..end][data]);
            at += taken;
        }
    }
    (at, decoded, Ok(decoder.is_done()))
}

/// What a beginning of a connection's bytes is found to be, it stays: a request that is found is
/// found in every longer input, and what is refused early is refused late.
pub fn request_head(data: &[u8]) {
    let ([seed], bytes) = controls(data);
    let whole = request::parse(bytes);
    if let Parsed::Request(request, taken) = &whole {
        assert!(*taken <= bytes.len() && *taken <= request::MAX_HEAD_BYTES);
        assert!(request.path.starts_with('/'));
        assert!(
            request
                .path
                .bytes()
                .all(|b| b.is_ascii_graphic() && b != b'?' && b != b'#')
        );
        assert!(request.announced.is_none_or(|time| !time.is_zero()));
        assert_eq!(request::parse(&bytes[..*taken]), whole);
    }
    let mut sizes = Pieces(u32::from(seed));
    let mut end = 0;
    while end < bytes.len() {
        end += sizes.next(bytes.len() - end);
        match request::parse(&bytes[..end]) {
            Parsed::Incomplete => {}
            // Refused for what is in it or for its size: either is final.
            Parsed::Refused(_) => assert!(matches!(whole, Parsed::Refused(_)), "{whole:?}"),
            early => assert_eq!(early, whole),
        }
    }
}

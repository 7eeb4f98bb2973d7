//! What must hold for every input: one function a fuzz target, each panics when it does not.
//!
//! The fuzz targets run them on what libfuzzer finds, and `tests/suite/properties.rs` on seeded
//! random inputs and on the regression cases in plain `cargo test`. Where an input has a part that
//! steers the property (limits, sizes of pieces), it is the first bytes.

use std::cell::RefCell;

use haproxy_exporter::testing::haproxy::buffer::ReadBuffer;
use haproxy_exporter::testing::haproxy::csv::{Item, LOCATED_FIELDS, Splitter};
use haproxy_exporter::testing::haproxy::info;
use haproxy_exporter::testing::haproxy::rules::{MAX_FIELDS, Proof, TableError};
use haproxy_exporter::testing::haproxy::stat::Table;
use haproxy_exporter::testing::metrics;
use haproxy_exporter::testing::metrics::exposition::{BUFFER_BYTES, Writer};
use haproxy_exporter::testing::net::http::{self, ChunkDecoder, Ending};
use haproxy_exporter::testing::server::request::{self, Parsed};

use crate::support::exposition;

#[path = "properties_text.rs"]
mod text;
pub use text::{arguments, duration, scrape_uri};

/// A property with the name of its fuzz target.
pub type Property = (&'static str, fn(&[u8]));

/// All properties.
pub const ALL: &[Property] = &[
    ("csv_table", csv_table),
    ("show_info", show_info),
    ("http_response", http_response),
    ("scrape_uri", scrape_uri),
    ("request_head", request_head),
    ("duration", duration),
    ("arguments", arguments),
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
    /// Tables and a response buffer that live on, as the exporter's do.
    static TABLES: RefCell<(Table, Table, Vec<u8>)> = RefCell::new((table(), table(), vec![0; BUFFER_BYTES]));
}

fn table() -> Table {
    let columns: Vec<usize> = (0..MAX_FIELDS).collect();
    Table::new(&metrics::GO_EXPORTER, &columns, vec![b"MAINT".to_vec()])
}

/// Rows come out the same whether they come in whole or in pieces, and what is written of them is a
/// valid exposition of the announced length. A table remembers nothing of the answer before.
pub fn csv_table(data: &[u8]) {
    let ([proof, seed], csv) = controls(data);
    let proof = [Proof::EmptyLine, Proof::Length, Proof::LineEnd][usize::from(proof) % 3];
    splitter(csv, u32::from(seed));
    TABLES.with_borrow_mut(|(whole, pieces, buffer)| {
        let in_one = fill(whole, csv, proof, |left| left);
        let mut sizes = Pieces(u32::from(seed));
        let in_pieces = fill(pieces, csv, proof, |left| sizes.next(left));
        assert_eq!(in_one, in_pieces, "whole and in pieces");
        let text = written(whole, buffer);
        // How far an answer that is refused was read may differ.
        if in_one.is_ok() {
            let counts = |table: &Table| (table.failures().count, table.failures().first.clone());
            assert_eq!(counts(whole), counts(pieces));
            assert_eq!(text, written(pieces, buffer));
            exposition::read(&text).unwrap_or_else(|error| panic!("{error}"));
        }
        whole.clear();
        assert_eq!(whole.exposition_bytes(), 0);
        assert_eq!(whole.failures().count, 0);
        assert_eq!(written(whole, buffer), b"");
    });
}

/// Reads `csv` as a scrape does: through the read buffer, in reads of `size(left)` bytes.
fn fill(
    table: &mut Table,
    csv: &[u8],
    proof: Proof,
    mut size: impl FnMut(usize) -> usize,
) -> Result<(), TableError> {
    table.clear();
    let mut buffer = ReadBuffer::default();
    let mut rest = csv;
    while !rest.is_empty() {
        let count = buffer.put(&rest[..size(rest.len())]);
        rest = &rest[count..];
        let taken = table.push(buffer.data())?;
        buffer.take(taken);
    }
    table.finish(buffer.data(), proof)
}

fn written(table: &Table, buffer: &mut [u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut writer = Writer::new(buffer, &mut text);
    let result = table.write(&mut writer).and_then(|()| writer.flush());
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(text.len() as u64, table.exposition_bytes());
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
        let Ok(info) = info::parse(&data[..end]) else {
            continue;
        };
        assert!(ends_blank(&data[..end]));
        assert!(
            info.get("Version")
                .is_some_and(|version| !version.is_empty())
        );
        let mut text = Vec::new();
        let labels =
            ["node", "Release_date", "Version"].map(|key| info.get(key).unwrap_or_default());
        metrics::exposition::push_single(&mut text, &metrics::INFO, &labels, 1);
        let read = exposition::read(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.samples.len(), 1);
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

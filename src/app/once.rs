//! `--once`: one scrape on standard output.

use std::io::{self, Write};

use crate::metrics::cursor::Cursor;
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Selection, Wanted};
use crate::metrics::snapshot::Snapshot;
use crate::scrape::Scraper;
use crate::sys;

/// Scrapes everything and writes the exposition to `out`, each sample with these `labels`, even if the scrape failed. Returns what was
/// found out; the reason of a failure is logged.
///
/// # Errors
/// Errors of writing to `out`.
pub(super) fn print_scrape(
    scraper: &mut Scraper,
    defaults: &Defaults,
    labels: &[u8],
    out: &mut dyn Write,
) -> io::Result<Snapshot> {
    let selection = Selection::all(defaults);
    let wanted = Wanted::of(&selection);
    let mut snapshot = Snapshot::default();
    scraper.scrape(&wanted, None, &mut snapshot);
    let report = scraper.report(&snapshot);
    report.log("", "standard output", snapshot.outcome);
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut cursor = Cursor::default();
    let mut labelled = Vec::new();
    loop {
        let lines = match cursor.fill(&snapshot, &selection, &mut buffer) {
            0 => break,
            filled => &buffer[..filled],
        };
        if labels.is_empty() {
            write_whole(out, lines)?;
            continue;
        }
        labelled.clear();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            put_labelled(line, labels, &mut labelled);
        }
        write_whole(out, &labelled)?;
    }
    out.flush()?;
    Ok(snapshot)
}

/// Adds a line of the exposition, a sample with `labels` before its own. The responses of the server need
/// not pay for this: only `--once` prints such lines.
fn put_labelled(line: &[u8], labels: &[u8], to: &mut Vec<u8>) {
    let name = line.iter().position(|byte| matches!(byte, b'{' | b' '));
    let (name, rest) = line.split_at(name.unwrap_or_default());
    to.extend_from_slice(name);
    // `# HELP` and `# TYPE` have none.
    if name != b"#" {
        to.push(b'{');
        to.extend_from_slice(labels.get(1..).unwrap_or_default());
        to.push(if rest.first() == Some(&b'{') {
            b','
        } else {
            b'}'
        });
    }
    to.extend_from_slice(rest.strip_prefix(b"{").unwrap_or(rest));
}

/// Writes all of it, also to a pipe that its reader has made non-blocking.
///
/// # Errors
/// Errors of writing to `out`.
pub(super) fn write_whole(out: &mut dyn Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                sys::poll(&mut [sys::poll_fd(1, sys::WRITABLE)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

//! `--once`: one scrape on standard output.

use std::io::{self, Write};

use crate::metrics::cursor::Cursor;
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Selection, Wanted};
use crate::metrics::snapshot::Snapshot;
use crate::scrape::Scraper;
use crate::sys;

/// Scrapes everything and writes the exposition to `out`, even if the scrape failed. Returns what was
/// found out; the reason of a failure is logged.
///
/// # Errors
/// Errors of writing to `out`.
pub(super) fn print_scrape(
    scraper: &mut Scraper,
    defaults: &Defaults,
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
    loop {
        match cursor.fill(&snapshot, &selection, &mut buffer) {
            0 => break,
            filled => write_whole(out, &buffer[..filled])?,
        }
    }
    out.flush()?;
    Ok(snapshot)
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

//! `--once`: one scrape on standard output.

use std::io::{self, Write};

use crate::metrics::cursor::Cursor;
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::selection::{Defaults, Selection, Wanted};
use crate::metrics::snapshot::Snapshot;
use crate::scrape::Scraper;

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
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut cursor = Cursor::default();
    loop {
        match cursor.fill(&snapshot, &selection, &mut buffer) {
            0 => break,
            filled => out.write_all(&buffer[..filled])?,
        }
    }
    out.flush()?;
    Ok(snapshot)
}

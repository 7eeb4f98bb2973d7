//! Entry points of the benchmarks, the fuzz targets and the property tests. Not for other users:
//! they change with the crate.

use crate::commands;
use crate::commands::command::{ReadError, When};
use crate::commands::info;
use crate::commands::master::Processes;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::failures::Failures;
use crate::haproxy::reply::{Reply, ReplyError};
use crate::haproxy::rows::Filter;
use crate::haproxy::stat::StatReader;
use crate::metrics::PROFILES;
use crate::metrics::catalog::Catalog;
use crate::metrics::cursor::{self, Cursor};
use crate::metrics::exposition::BUFFER_BYTES;
use crate::metrics::gzip::{Common, Gzip};
use crate::metrics::selection::{Defaults, Query, Selection, Wanted};
use crate::metrics::snapshot::{Sink, Snapshot};
use crate::metrics::writer::RowBatcher;

pub use crate::haproxy::reply::Proof;

pub mod cli {
    pub use crate::cli::{Command, parse};
    pub mod arguments {
        pub use crate::cli::arguments::lines;
    }
    pub mod duration {
        pub use crate::cli::duration::parse;
    }
}
pub mod haproxy {
    pub mod csv {
        pub use crate::haproxy::csv::{Item, LOCATED_FIELDS, Splitter};
    }
    pub mod uri {
        pub use crate::haproxy::uri::ScrapeUri;
        pub use crate::net::address::HttpUri;
    }
}
pub mod net {
    pub mod http {
        pub use crate::net::http::{ChunkDecoder, Ending, head_end, parse, status};
    }
    pub mod proxy {
        pub use crate::net::proxy::Environment;
    }
}
pub mod server {
    pub mod request {
        pub use crate::server::request::{MAX_HEAD_BYTES, Parsed, parse};
    }
}

/// The path of a reply's bytes through the exporter, from the read buffer to the exposition.
pub struct Statistics {
    selection: Selection,
    wanted: Wanted,
    reader: StatReader,
    batcher: RowBatcher,
    snapshot: Snapshot,
    buffer: ReadBuffer,
    response: Vec<u8>,
    common: Common,
}

impl Statistics {
    /// With the names of a profile and the selection of a query, without servers in the states.
    ///
    /// # Panics
    /// If the profile or the query does not exist.
    #[must_use]
    pub fn new(profile: &str, query: &str, excluded_states: &[&str]) -> Self {
        let columns: Vec<usize> = (0..1024).collect();
        let catalog: &'static Catalog = Box::leak(Box::new(commands::catalog(&columns)));
        let number = PROFILES.iter().position(|known| *known == profile);
        let defaults = Defaults {
            catalog,
            profile: number.expect("a profile"),
        };
        let selection = Query::parse(query, &defaults)
            .expect("a selection")
            .selection;
        let mut wanted = Wanted::default();
        wanted.add(&selection);
        let excluded_states = excluded_states
            .iter()
            .map(|state| state.as_bytes().to_vec());
        let filter = Filter {
            excluded_states: excluded_states.collect(),
            ..Filter::default()
        };
        Self {
            selection,
            wanted,
            reader: StatReader::new(filter),
            batcher: RowBatcher::new(catalog),
            snapshot: Snapshot::default(),
            buffer: ReadBuffer::default(),
            response: vec![0; BUFFER_BYTES],
            common: Common::default(),
        }
    }

    /// Reads everything from now on, whatever is selected.
    pub fn want_all(&mut self) {
        let catalog = self.selection.catalog();
        for profile in 0..PROFILES.len() {
            let defaults = Defaults { catalog, profile };
            let query = Query::parse("extra-counters&no-maint", &defaults);
            let all = query.expect("a selection").selection;
            self.wanted.add(&all);
        }
    }

    /// Writes from now on what a query selects. Returns its target, and the names that no metric has.
    ///
    /// # Errors
    /// Why the query is refused.
    pub fn select(&mut self, query: &str) -> Result<(Option<String>, Option<String>), String> {
        let defaults = Defaults {
            catalog: self.selection.catalog(),
            profile: 0,
        };
        let query = Query::parse(query, &defaults).map_err(|error| error.to_string())?;
        self.selection = query.selection;
        Ok((query.target, query.unknown))
    }

    /// Reads a reply in reads of `size(left)` bytes, as a scrape does.
    ///
    /// # Errors
    /// Why the reply is rejected.
    pub fn read(
        &mut self,
        csv: &[u8],
        proof: Proof,
        mut size: impl FnMut(usize) -> usize,
    ) -> Result<(), String> {
        self.snapshot.clear();
        self.reader.clear();
        self.buffer.clear();
        let mut rows = self.batcher.fill(&mut self.snapshot, &self.wanted);
        let mut reply = self.reader.reply(&mut rows);
        let mut rest = csv;
        while !rest.is_empty() {
            let count = self.buffer.put(&rest[..size(rest.len())]);
            rest = &rest[count..];
            loop {
                let taken = reply
                    .push(self.buffer.data())
                    .map_err(|error| error.to_string())?;
                self.buffer.take(taken.bytes);
                // More rows can follow an empty line, as on the stats page.
                if !taken.ends {
                    break;
                }
            }
        }
        reply
            .finish(self.buffer.data(), proof)
            .map_err(|error| error.to_string())?;
        rows.finish();
        self.snapshot.shrink();
        Ok(())
    }

    /// Reads the replies to a command that is sent in addition to `show stat`, and to what it asks besides, in
    /// reads of `size(left)` bytes. Returns the number of rows that cannot be exported.
    ///
    /// # Errors
    /// Why a reply is rejected.
    ///
    /// # Panics
    /// If there is no such command.
    pub fn read_command(
        &mut self,
        ask: &str,
        replies: &[u8],
        size: impl FnMut(usize) -> usize,
    ) -> Result<u64, String> {
        self.snapshot.clear();
        let mut peer = Peer {
            rest: replies,
            buffer: ReadBuffer::default(),
            size,
        };
        let mut into = Sink {
            catalog: self.selection.catalog(),
            snapshot: &mut self.snapshot,
        };
        let mut failures = Failures::default();
        let command = commands::in_use(&[ask]).find(|command| command.ask == ask);
        match command.expect("a command").when {
            When::WithRows(make) => {
                let mut answer = make();
                let (reply, _) = answer.replies();
                peer.reply(reply).map_err(|error| error.to_string())?;
                if answer.needs_further() {
                    // All of it again, on one connection.
                    (peer.rest, peer.buffer) = (replies, ReadBuffer::default());
                    answer.clear();
                    let (reply, further) = answer.replies();
                    peer.reply(reply).map_err(|error| error.to_string())?;
                    // Without it the rows lack their names.
                    let _ = further.map(|(_, reply)| peer.reply(reply));
                }
                answer.count_bad_rows(&mut failures);
                answer.put_rows(&mut into);
            }
            When::NowAndThen { answer, .. } => {
                let mut answer = answer();
                let result = answer.read(&mut |_, reply| {
                    peer.reply(reply).map_err(|error| {
                        ReadError::Failed(SourceError {
                            object: String::new(),
                            problem: Problem::Reply(error),
                            advice: None,
                        })
                    })
                });
                result.map_err(|error| error.to_string())?;
                answer.put_rows(&mut into);
            }
            When::Itself | When::OfMaster => panic!("{ask} has no rows of its own"),
        }
        Ok(failures.count)
    }

    /// Discards the reply.
    pub fn clear(&mut self) {
        self.snapshot.clear();
        self.reader.clear();
    }

    /// Number of rows and fields that could not be parsed, and the text for the first.
    pub fn failures(&self) -> (u64, Option<String>) {
        let failures = self.reader.failures();
        (
            failures.count,
            failures.first.as_ref().map(ToString::to_string),
        )
    }

    /// Number of bytes that `write` will pass on.
    pub fn exposition_bytes(&self) -> u64 {
        cursor::exposition_bytes(&self.snapshot, &self.selection)
    }

    /// Passes the exposition on, piece by piece.
    pub fn write(&mut self, mut out: impl FnMut(&[u8])) {
        let mut cursor = Cursor::default();
        loop {
            match cursor.fill(&self.snapshot, &self.selection, &mut self.response) {
                0 => return,
                filled => out(&self.response[..filled]),
            }
        }
    }

    /// Passes the compressed exposition on, piece by piece.
    ///
    /// # Panics
    /// When there is no memory.
    pub fn compress(&mut self, mut out: impl FnMut(&[u8])) {
        let gzip = Gzip::new(&self.snapshot, &self.selection, &mut self.common);
        let mut gzip = gzip.expect("memory");
        loop {
            let to = &mut self.response;
            match gzip.fill(&self.snapshot, &self.selection, &mut self.common, to) {
                0 => return,
                filled => out(&self.response[..filled]),
            }
        }
    }
}

/// One that sends replies, in pieces.
struct Peer<'a, S> {
    rest: &'a [u8],
    buffer: ReadBuffer,
    /// Size of the next piece, of so many bytes.
    size: S,
}

impl<S: FnMut(usize) -> usize> Peer<'_, S> {
    fn reply(&mut self, reply: &mut dyn Reply) -> Result<(), ReplyError> {
        loop {
            let taken = reply.push(self.buffer.data())?;
            self.buffer.take(taken.bytes);
            if taken.ends || self.rest.is_empty() {
                let rest = if taken.ends { &[] } else { self.buffer.data() };
                return reply.finish(rest, Proof::EmptyLine);
            }
            let piece = &self.rest[..(self.size)(self.rest.len())];
            self.rest = &self.rest[self.buffer.put(piece)..];
        }
    }
}

/// Reads a reply to `show proc` in reads of `size(left)` bytes: the process id of the master, and of each
/// worker with whether it is listed as an old one.
///
/// # Errors
/// Why the reply is rejected.
pub fn show_proc(
    reply: &[u8],
    size: impl FnMut(usize) -> usize,
) -> Result<(u64, Vec<(u64, bool)>), String> {
    let mut processes = Processes::default();
    let mut peer = Peer {
        rest: reply,
        buffer: ReadBuffer::default(),
        size,
    };
    peer.reply(&mut processes)
        .map_err(|error| error.to_string())?;
    let workers = processes.workers().iter();
    let workers = workers.map(|worker| (worker.pid, worker.is_listed_old));
    let master = processes.master().ok_or("a reply without a master")?;
    Ok((master.pid, workers.collect()))
}

/// Parses a reply to `show info`; the value of each key.
///
/// # Errors
/// Why the reply is rejected.
pub fn show_info(answer: &[u8], keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, String> {
    let info = info::parse(answer).map_err(|error| error.to_string())?;
    Ok(keys
        .iter()
        .map(|key| info.get(key).map(<[u8]>::to_vec))
        .collect())
}

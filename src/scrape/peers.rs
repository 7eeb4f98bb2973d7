//! The peers of `--haproxy.peers`, asked for on the connection of the rows, as the last.

use crate::commands::peers::PEER;
use crate::event::Event;
use crate::haproxy::error::SourceError;
use crate::haproxy::peers::Peers;
use crate::haproxy::reply::Reply;
use crate::haproxy::source::Source;
use crate::log::Level;
use crate::metrics::catalog::Catalog;
use crate::metrics::snapshot::Snapshot;

/// Why the stats page and a file have no peers.
pub(super) const NO_CLI: &str = "only a CLI socket can be asked (unix:/path or tcp://host:port)";

/// The question and its answer, whose memory is kept from scrape to scrape.
pub(super) struct PeerWatch {
    peers: Peers,
    failed: Event,
}

impl PeerWatch {
    /// Nothing was asked yet.
    pub(super) fn new(target: Option<&str>) -> Self {
        let (message, over) = ("show peers failed", "show peers is answered again");
        Self {
            peers: Peers::default(),
            failed: Event::new(Level::Warn, message, over).of(target),
        }
    }

    /// Forgets the answer, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.peers.clear();
    }

    /// Whether there is a CLI to ask; that there is none is logged.
    pub(super) fn can_ask(&mut self, source: &Source) -> bool {
        if !source.takes_commands() {
            self.failed.report(Some(NO_CLI));
        }
        source.takes_commands()
    }

    /// Where the answer goes.
    pub(super) fn reply(&mut self) -> &mut dyn Reply {
        &mut self.peers
    }

    /// The question was asked; a failure costs peers alone.
    pub(super) fn is_answered(&mut self, failure: Option<SourceError>) {
        if failure.is_some() {
            self.peers.clear();
        }
        self.failed.report(failure);
    }

    /// Puts the rows into the snapshot.
    pub(super) fn add_rows(&self, catalog: &Catalog, into: &mut Snapshot) {
        let mut rows = into.add(catalog, &PEER);
        self.peers
            .for_each(|peer| rows.put(&[peer.section, peer.name], |value| value(peer)));
    }
}

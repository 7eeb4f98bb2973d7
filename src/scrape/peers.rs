//! The peers of `--haproxy.peers`, asked for when the rows are there.

use crate::commands::peers::PEER;
use crate::event::Event;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::peers::{Peers, SHOW_PEERS};
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Question};
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

    /// Asks on a connection of its own and puts the rows into the snapshot: behind all questions about
    /// rows, of which there may be many, so that it costs them no time. A failure costs peers alone.
    pub(super) fn add(
        &mut self,
        source: &mut Source,
        limits: Limits,
        buffer: &mut ReadBuffer,
        (catalog, into): (&Catalog, &mut Snapshot),
    ) {
        self.peers.clear();
        if !source.takes_commands() {
            self.failed.report(Some(NO_CLI));
            return;
        }
        let mut question = [Question::new(SHOW_PEERS, Need::All, &mut self.peers)];
        let failure = source.ask(&mut question, limits.of_extra(), buffer).err();
        if failure.is_none() {
            self.add_rows(catalog, into);
        }
        self.failed.report(failure);
    }

    fn add_rows(&self, catalog: &Catalog, into: &mut Snapshot) {
        let mut rows = into.add(catalog, &PEER);
        self.peers
            .for_each(|peer| rows.put(&[peer.section, peer.name], |value| value(peer)));
    }
}

//! `show peers` (`--haproxy.peers`): the peers that exchange stick tables. HAProxy's built-in
//! exporter has no such families.
//!
//! The reply has sections of peers and the state of each connection (management guide, section
//! 9.3): one line per section, below it a few lines per peer, and below each peer its tables. The
//! fields are identified by their keys: 3.0 has more of them than 2.4.

use super::command::{Answer, Command, Further, OfStatus, When};
use crate::config::Takes::Switch;
use crate::config::Flag;
use crate::haproxy::lines::Lines;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};
use crate::metrics::macros::table;
use crate::metrics::snapshot::Sink;
use crate::metrics::value::Value;

const ASK: &str = "show peers";

pub(super) static COMMAND: Command = Command {
    ask: ASK,
    flag: Some(Flag::new(
        "haproxy.peers",
        Switch(false),
        "Export the peers of stick tables (show peers); needs a CLI socket",
        |to, text| to.turn_command(ASK, text),
    )),
    groups: &[&PEER.group, &PEERS.group],
    when: When::WithRows(|| Box::new(Peers::default())),
    status: Some(&PEERS),
    events: ["show peers failed", "show peers recovered"],
    ..Command::USUAL
};

type OfPeer = for<'a> fn(&'a RemotePeer<'a>) -> Value<'a>;

table! {
    /// The remote peers.
    static PEER: OfPeer {
        prefix: "haproxy_peer_",
        labels: &["peers", "peer"],
    }
    Gauge   up = |peer| peer.is_up.into(), "1 if the connection to this peer is active and established, else 0.";
    Counter no_heartbeat_total = |peer| peer.no_heartbeat.into(), "Missed heartbeats of this peer.";
    Counter protocol_errors_total = |peer| peer.protocol_errors.into(), "Protocol errors on the connections to this peer.";
    Counter reconnects_total = |peer| peer.new_connections.into(), "Connections to this peer opened.";
}

table! {
    /// One row.
    static PEERS: OfStatus {
        prefix: "haproxy_peers_",
    }
    Gauge   up = |status| status.is_up.into(), "1 if HAProxy has peers and they could be read, else 0.";
}

/// What a reply without any peer means.
const NO_PEERS: &str =
    "HAProxy has no peers: it drops a section in which no peer has its own name (see localpeer)";

/// The beginning of the first line of a peer; its other lines are indented more.
const PEER_INDENT: &[u8] = b"  0x";
/// The indentation of the other lines of a peer.
const DETAIL_INDENT: &[u8] = b"        ";

/// The peers of one reply.
#[derive(Debug, Default)]
struct Peers {
    lines: Lines,
}

/// A peer with which HAProxy exchanges stick tables, as HAProxy printed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RemotePeer<'a> {
    /// The section's name.
    section: &'a [u8],
    /// The peer's name.
    name: &'a [u8],
    /// Whether the connection is established and its handshake done. 2.4 and 2.6 keep the last
    /// status, `ESTA`, after the connection is gone, so `active` is required too.
    is_up: bool,
    /// Missed heartbeats.
    no_heartbeat: Option<&'a [u8]>,
    /// Connections opened.
    new_connections: Option<&'a [u8]>,
    /// Protocol errors.
    protocol_errors: Option<&'a [u8]>,
}

impl Peers {
    /// Calls `take` for each remote peer in the order of the reply. The local peer, which is
    /// HAProxy itself, never has a connection and is omitted.
    fn for_each(&self, mut take: impl FnMut(&RemotePeer<'_>)) {
        let mut section: &[u8] = b"";
        let mut peer: Option<RemotePeer<'_>> = None;
        for line in self.lines.iter() {
            if line.starts_with(DETAIL_INDENT) {
                if let Some(peer) = &mut peer {
                    peer.add_counters(line);
                }
                continue;
            }
            if let Some(peer) = peer.take() {
                take(&peer);
            }
            match line.starts_with(PEER_INDENT) {
                true => peer = RemotePeer::of_line(section, line),
                false => section = field(line, b"id=").unwrap_or_default(),
            }
        }
        if let Some(peer) = peer {
            take(&peer);
        }
    }
}

impl Reply for Peers {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.lines.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.lines.finish(rest, ASK, |line| {
            let is_section = line.starts_with(b"0x") && field(line, b"id=").is_some();
            let is_peer = line.starts_with(PEER_INDENT) && field(line, b"id=").is_some();
            is_section || is_peer || line.starts_with(DETAIL_INDENT)
        })?;
        // The local peer is one.
        let mut lines = self.lines.iter();
        match lines.any(|line| line.starts_with(PEER_INDENT)) {
            true => Ok(()),
            false => Err(ReplyError::Nothing(NO_PEERS)),
        }
    }
}

impl Answer for Peers {
    fn replies(&mut self) -> (&mut dyn Reply, Option<Further<'_>>) {
        (self, None)
    }

    fn clear(&mut self) {
        self.lines.clear();
    }

    fn put_rows(&self, into: &mut Sink<'_>) {
        let mut rows = into.add(&PEER);
        self.for_each(|peer| rows.put(&[peer.section, peer.name], |value| value(peer)));
    }
}

impl<'a> RemotePeer<'a> {
    /// Parses `  0x...: id=NAME(remote,active) ... last_status=ESTA ...`; `None` for the local
    /// peer.
    fn of_line(section: &'a [u8], line: &'a [u8]) -> Option<Self> {
        let id = field(line, b"id=")?;
        let at = memchr::memchr(b'(', id)?;
        let state = id[at..].strip_prefix(b"(remote,")?;
        Some(Self {
            section,
            name: &id[..at],
            is_up: state == b"active)" && field(line, b"last_status=") == Some(b"ESTA"),
            no_heartbeat: None,
            new_connections: None,
            protocol_errors: None,
        })
    }

    fn add_counters(&mut self, line: &'a [u8]) {
        let counters: [(&mut Option<&[u8]>, &[u8]); 3] = [
            (&mut self.no_heartbeat, b"no_hbt="),
            (&mut self.new_connections, b"new_conn="),
            (&mut self.protocol_errors, b"proto_err="),
        ];
        for (counter, key) in counters {
            *counter = counter.or_else(|| field(line, key));
        }
    }
}

/// The value of the first word that begins with `key`.
fn field<'a>(line: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut words = line.split(|byte| *byte == b' ');
    words.find_map(|word| word.strip_prefix(key))
}

#[cfg(test)]
mod tests;

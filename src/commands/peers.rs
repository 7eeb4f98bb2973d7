//! The remote peers of `show peers`, in every profile: HAProxy's own exporter has no such families.

use crate::haproxy::peers::RemotePeer;
use crate::metrics::Group;
use crate::metrics::macros::table;
use crate::metrics::value::Value;

/// The only group.
pub(crate) static GROUPS: [&Group; 1] = [&PEER.group];

type OfPeer = for<'a> fn(&'a RemotePeer<'a>) -> Value<'a>;

table! {
    /// The remote peers.
    pub(crate) static PEER: OfPeer {
        prefix: "haproxy_peer_",
        labels: &["peers", "peer"],
    }
    Gauge   up = |peer| peer.is_up.into(), "1 if the connection to this peer is active and established, else 0.";
    Counter no_heartbeat_total = |peer| peer.no_heartbeat.into(), "Missed heartbeats of this peer.";
    Counter protocol_errors_total = |peer| peer.protocol_errors.into(), "Protocol errors on the connections to this peer.";
    Counter reconnects_total = |peer| peer.new_connections.into(), "Connections to this peer opened.";
}

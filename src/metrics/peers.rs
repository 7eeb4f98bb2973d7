//! What the remote peers of `show peers` have, in every profile: HAProxy's own exporter has no such
//! families.

use super::Scope;

keyed_families! {
    /// What is known of a peer.
    pub(crate) PEER_FIELDS [];
    PEER {
        scope: Scope::Peer,
        prefix: "haproxy_peer_",
        first_label: "peers",
        is_extra: false,
    }
    Gauge   up "up" "Whether the connection to this peer is established.";
    Counter no_heartbeat_total "no_heartbeat" "Heartbeats of this peer that did not come in time.";
    Counter protocol_errors_total "protocol_errors" "Messages of this peer that were not understood.";
    Counter reconnects_total "new_connections" "Connections to this peer that were opened.";
}

//! The names of HAProxy's built-in exporter ("promex", HAProxy 2.4 and later), one line each. The help
//! texts are our own.
//!
//! Families are there by column presence, so that an older HAProxy gets the same names as far as its
//! answers have the columns. An empty cell gives no sample, where HAProxy's exporter prints NaN.

mod backend;
mod extra;
mod frontend;
mod listener;
mod server;

use super::{Cell, Group, Reading, labels};
use crate::haproxy::columns::number;

/// The groups of `show stat`, in the order of the exposition.
pub(crate) static GROUPS: [&Group; 8] = [
    &frontend::MAIN,
    &extra::FRONTEND,
    &backend::MAIN,
    &extra::BACKEND,
    &server::MAIN,
    &extra::SERVER,
    &listener::MAIN,
    &extra::LISTENER,
];

/// From 3.0 on, proxies that are not in http mode have a zero in `hrsp_other` as well.
static RESPONSE_CODES: [Cell; 6] = {
    let mut cells = super::RESPONSE_CODES;
    cells[cells.len() - 1].reading = Reading::HttpInteger;
    cells
};
static FRONTEND_STATES: [Cell; 2] = states("status", Reading::FrontendState, labels::SERVER_STATE);
static BACKEND_STATES: [Cell; 2] = states("status", Reading::BackendState, labels::SERVER_STATE);
static LISTENER_STATES: [Cell; 3] =
    states("status", Reading::ListenerState, labels::LISTENER_STATE);
static SERVER_STATES: [Cell; 5] = states("status", Reading::ServerState, labels::SERVER_STATE);
static CHECK_RESULTS: [Cell; 16] =
    states("check_status", Reading::CheckResult, labels::CHECK_RESULT);
static AGENT_RESULTS: [Cell; 16] =
    states("agent_status", Reading::CheckResult, labels::CHECK_RESULT);
static SERVERS_IN_STATE: [Cell; 5] =
    states("status", Reading::ServersInState, labels::SERVER_STATE);
static SERVERS_WITH_RESULT: [Cell; 16] = states(
    "check_status",
    Reading::ServersWithResult,
    labels::CHECK_RESULT,
);

/// A cell for each state.
const fn states<const N: usize>(column: &str, reading: Reading, label: u8) -> [Cell; N] {
    let mut cells = [Cell::new(number(column), reading); N];
    let mut at = 0;
    while at < N {
        cells[at].state = at as u8;
        cells[at].label = label + at as u8;
        at += 1;
    }
    cells
}

//! Labels that distinguish the cells of a family, by number.

use crate::haproxy::stat::RowType;
use crate::haproxy::states::{CHECK_RESULTS, LISTENER_STATES, OUT_OF_SERVICE, SERVER_STATES};

/// The modules of HAProxy with their own counters.
pub(crate) const MODULES: [&str; 5] = ["ssl", "h1", "h2", "h3", "quic"];

/// No label.
pub(crate) const NONE: u8 = 0;
/// The first of the six classes of status codes.
pub(crate) const CODES: u8 = 1;
/// The first state of a server; frontends and backends have the first two of these.
pub(crate) const SERVER_STATE: u8 = CODES + 6;
/// The first state of a listener.
pub(crate) const LISTENER_STATE: u8 = SERVER_STATE + 5;
/// The first result of a check.
pub(crate) const CHECK_RESULT: u8 = LISTENER_STATE + 3;
/// The first of HAProxy's modules.
pub(crate) const MODULE: u8 = CHECK_RESULT + 16;

/// The first of HAProxy's versions of HTTP.
pub(crate) const VERSION: u8 = MODULE + MODULES.len() as u8;
/// The first reason why a server is out of service.
pub(crate) const REASON: u8 = VERSION + 4;

const COUNT: usize = REASON as usize + OUT_OF_SERVICE.len();

/// Name and value of each.
pub(crate) const LABELS: [(&str, &str); COUNT] = {
    let mut labels = [("", ""); COUNT];
    let versions = ["1", "2", "3", "other"];
    let codes = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];
    let mut at = 0;
    while at < CHECK_RESULTS.len() {
        if at < codes.len() {
            labels[CODES as usize + at] = ("code", codes[at]);
        }
        if at < SERVER_STATES.len() {
            labels[SERVER_STATE as usize + at] = ("state", SERVER_STATES[at]);
        }
        if at < LISTENER_STATES.len() {
            labels[LISTENER_STATE as usize + at] = ("state", LISTENER_STATES[at]);
        }
        if at < MODULES.len() {
            labels[MODULE as usize + at] = ("mod", MODULES[at]);
        }
        if at < versions.len() {
            labels[VERSION as usize + at] = ("version", versions[at]);
        }
        if at < OUT_OF_SERVICE.len() {
            labels[REASON as usize + at] = ("reason", OUT_OF_SERVICE[at]);
        }
        labels[CHECK_RESULT as usize + at] = ("state", CHECK_RESULTS[at]);
        at += 1;
    }
    labels
};

/// The labels of a row after that of the proxy; the same in both profiles.
pub(super) const fn labels_behind_proxy(row_type: RowType) -> &'static [&'static str] {
    match row_type {
        RowType::Frontend | RowType::Backend => &[],
        RowType::Server => &["server"],
        RowType::Listener => &["listener"],
    }
}

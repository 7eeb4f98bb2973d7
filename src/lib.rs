//! haproxy_exporter: HAProxy's statistics for Prometheus.
//!
//! One way through: listener -> scrape -> source -> bytes -> rows -> snapshot -> exposition ->
//! response. [`server`] owns the listeners and clients, [`scrape`] asks, [`haproxy`] knows what
//! HAProxy says and how it is asked, [`metrics`] knows what is exported, [`net`] has the network
//! below both.

pub mod app;
pub mod cli;
pub mod errno;
pub mod haproxy;
pub mod log;
pub mod metrics;
pub mod net;
pub mod process;
pub mod scrape;
pub mod server;
pub mod sys;

pub use app::main;

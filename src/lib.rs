//! haproxy_exporter: HAProxy's statistics for Prometheus.
//!
//! One way through: listener -> scrape -> source -> bytes -> rows -> snapshot -> exposition ->
//! response. `server` owns the listeners and clients, `scrape` asks, `haproxy` knows what HAProxy
//! says and how it is asked, `metrics` knows what is exported, `net` has the network below both.

mod app;
mod cli;
mod errno;
mod event;
mod haproxy;
mod log;
mod metrics;
mod net;
mod once;
mod process;
mod scrape;
mod server;
mod start_error;
mod sys;
mod version;

pub use app::main;

#[doc(hidden)]
pub mod testing;

//! haproxy_exporter: HAProxy's statistics for Prometheus.
//!
//! One way through: listener -> scrape -> source -> bytes -> rows -> metric table -> exposition ->
//! response. The modules stand in that order in [`server`], [`scrape`], [`source`], [`csv`],
//! [`table`], [`rows`], [`catalog`] and [`exposition`].
//!
//! This library serves the binary, its tests and benchmarks; its interface is not stable.

pub mod catalog;
pub mod cli;
pub mod copy;
pub mod csv;
pub mod deadline;
pub mod duration;
pub mod exposition;
pub mod failures;
pub mod http_head;
pub mod info;
pub mod log;
pub mod names;
pub mod process;
pub mod reason;
pub mod resolve;
pub mod rows;
pub mod rules;
pub mod scrape;
pub mod server;
pub mod source;
pub mod sys;
pub mod table;
pub mod uri;
pub mod value;

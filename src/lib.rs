//! haproxy_exporter: HAProxy's statistics for Prometheus.
//!
//! # Architecture
//!
//! Data flows in one direction: listener -> scrape -> source -> bytes -> rows -> snapshot -> exposition -> response.
//!
//! 1. The I/O thread of `server` owns the listeners and all client connections. It reads requests and passes
//!    those that need a scrape to the main loop.
//! 2. The main loop blocks on tiny_http and runs one scrape at a time. Requests that wait share the next scrape.
//! 3. `scrape` sends the commands to HAProxy, within one deadline for all of them.
//! 4. `haproxy` reads the replies: it splits the CSV in place, checks that the reply is complete, and judges rows.
//! 5. `metrics` keeps labels and values as columns of a snapshot, and writes the exposition from them.
//! 6. The I/O thread sends the exposition piece by piece, as fast as each client reads.
//!
//! The exporter is synchronous and holds no state between scrapes except the last snapshots, certificates and the
//! traffic of old workers. Modules use only modules below them; a test holds this.
//!
//! | question | file or folder in src |
//! |---|---|
//! | which flags exist, and how are they parsed? | `cli/` |
//! | who can connect, for how long, how many bytes? | `server/front.rs`, `server/connection.rs`, `server/request.rs` |
//! | how is a response sent, and how long can that take? | `server/delivery.rs`, `server/snapshots.rs` |
//! | which requests share a scrape, and what is its deadline? | `server/scrapes.rs` |
//! | which path returns what? | `server/routes.rs`, `server/landing.rs` |
//! | which HAProxy instances are targets, and how did their last scrapes end? | `server/targets.rs` |
//! | what does `--once` do? | `app.rs` |
//! | how are log lines written? | `log/` |
//! | which commands does a scrape send? | `scrape/` |
//! | what does HAProxy have besides `show stat`, and which metrics are made of it? | `commands/` |
//! | how are bytes read from HAProxy, and when is a reply complete? | `haproxy/` |
//! | host names, proxies, HTTP, TLS | `net/` |
//! | which column is which metric? | `metrics/names.rs` |
//! | what does a query select? | `metrics/selection.rs` |
//! | how is a snapshot kept, how is it written? | `metrics/snapshot.rs`, `metrics/exposition.rs` |
//! | what is read of `/proc`? | `process.rs` |
//! | where is `unsafe`? | only in `sys/` |
//!
//! A new metric is one line in a table of `metrics/` and one line in the contracts under `tests/fixtures`.
//!
//! # Working on it
//!
//! | command | what it does |
//! |---|---|
//! | `make test` | builds the static binaries and runs all tests with real peers: HAProxy, Prometheus, the Go exporter, s6, runit, qemu, strace |
//! | `cargo test` | runs the tests without installing or building the peers; tests whose peer is missing are skipped |
//! | `make lint` | formatting and clippy |
//! | `make bench` | the measurements of performance.md; `BIG=1` adds 100,000 servers |
//! | `make bench-check` | compares instruction counts with those recorded in `tests/bench` |
//! | `make fuzz`, `make fuzz-smoke` | every fuzz target for 10 minutes, or for 30 seconds |
//! | `make miri` | the parsing modules under Miri |
//! | `make soak` | scrapes without a pause while HAProxy is reloaded |
//! | `.ci/run` | CI on a fresh machine: lint and test; a test that would be skipped fails |
//!
//! After a change of flags or metrics, `UPDATE_README=1 cargo test readme` rewrites the generated documents.
//! `UPDATE_GOLDEN=1 cargo test golden` rewrites the golden expositions. Unit tests are next to their module,
//! `foo/tests.rs` for `foo.rs`. The documentation of `tests/suite/main.rs` lists the other tests.

mod app;
mod cli;
mod commands;
mod config;
mod errno;
mod event;
mod haproxy;
mod log;
mod metrics;
mod net;
mod process;
mod scrape;
mod server;
mod sys;
mod version;

pub use app::main;

#[doc(hidden)]
pub mod testing;

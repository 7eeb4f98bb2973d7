//! Black-box tests: the real binary on one side, a fake HAProxy or a recorded file on the other.
//!
//! Nothing here but `properties` links the production code, so a test can only see what an operator
//! sees: the exposition, the log, the exit status and the bytes on the sockets.
//!
//! | question | file or folder in tests/suite |
//! |---|---|
//! | which metrics does a reply give? | `golden.rs`; compared with the Go exporter in `differential/`, with HAProxy's in `builtin/` |
//! | who gets a compressed response, and is its text the same? | `compression.rs` |
//! | several HAProxy instances, peers, certificates | `targets.rs`, `stick_table_peers.rs`, `certificates.rs` |
//! | `--once`, `--check`, the page at `/`, mistakes in flags | `once.rs`, `check.rs`, `landing.rs`, `mistakes.rs` |
//! | is a reply of one process, and read at its pace? | `one_process/` |
//! | which sources exist, which commands are sent? | `sources/`; over https `tls/` |
//! | what if HAProxy stalls, cuts its reply, floods or sends malformed replies? | `faults/` |
//! | what if a system call fails? | `inject/` |
//! | do the properties of the fuzz targets hold? | `properties.rs` |
//! | what if clients are malicious? | `hostile/` |
//! | start, stop, reloads, static binaries, long runs | `lifecycle/`, `old_workers/`, `soak.rs` |
//! | do the recipes and service files work? | `supervise/`; with a real Prometheus `prometheus.rs` |
//! | are the documents true and readable? | `readme.rs`, `readme/wording.rs`, `troubleshooting.rs` |
//! | which module uses which? | `layout.rs` |
//! | how is it built, what is in the tarballs and the package, do programs for other processors run? | `build.rs`, `deb.rs`, `dist.rs` |
//! | do alerts and dashboards work? | `monitoring/` |
//! | fake HAProxy, real peers, strict readers | `support/` |

mod activity;
mod build;
mod builtin;
mod certificates;
mod check;
mod completions;
mod compression;
mod deb;
mod demo;
mod denied;
mod differential;
mod dist;
mod facts;
mod failure_status;
mod faults;
mod golden;
mod hostile;
mod inject;
mod landing;
mod layout;
mod lifecycle;
mod mistakes;
mod monitoring;
mod old_workers;
mod once;
mod one_process;
mod prometheus;
mod properties;
mod readme;
mod scrape_log;
mod server_info;
mod soak;
mod sources;
mod stick_table_peers;
mod supervise;
mod support;
mod targets;
mod tls;
mod troubleshooting;

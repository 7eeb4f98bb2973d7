//! Black-box tests: the real binary on one side, a fake HAProxy or a recorded file on the other.
//!
//! Nothing here but `properties` links the production code, so a test can only see what an operator
//! sees: the exposition, the log, the exit status and the bytes on the sockets.

mod differential;
mod faults_cli;
mod faults_cut;
mod faults_file;
mod faults_http;
mod faults_http_body;
mod faults_rows;
mod golden;
mod hostile;
mod hostile_connections;
mod hostile_heads;
mod hostile_honest;
mod hostile_http;
mod hostile_listen;
mod hostile_log;
mod hostile_readers;
mod hostile_signals;
mod hostile_threads;
mod hostile_tools;
mod inject;
mod lifecycle;
mod prometheus;
mod properties;
mod readme;
mod soak;
mod sources;
mod sources_http;
mod sources_proxy;
mod supervise;
mod support;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_answers;
#[cfg(feature = "tls")]
mod tls_certificates;
#[cfg(feature = "tls")]
mod tls_handshakes;
#[cfg(not(feature = "tls"))]
mod tls_off;
#[cfg(feature = "tls")]
mod tls_peer;
#[cfg(feature = "tls")]
mod tls_proxy;
#[cfg(feature = "tls")]
mod tls_start;

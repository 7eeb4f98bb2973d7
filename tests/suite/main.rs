//! Black-box tests: the real binary on one side, a fake HAProxy or a recorded file on the other.
//!
//! Nothing here but `properties` links the production code, so a test can only see what an operator
//! sees: the exposition, the log, the exit status and the bytes on the sockets.

mod builtin;
mod certificates;
mod differential;
mod dist;
mod faults;
mod golden;
mod hostile;
mod inject;
mod landing;
mod layout;
mod lifecycle;
mod monitoring;
mod old_workers;
mod once;
mod prometheus;
mod properties;
mod readme;
mod soak;
mod sources;
mod stick_table_peers;
mod supervise;
mod support;
mod targets;
mod tls;
mod troubleshooting;

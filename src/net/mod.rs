//! Blocking network access below one deadline. Knows nothing of HAProxy.

pub mod deadline;
pub mod http;
pub mod proxy;
pub mod resolve;
pub mod stream;
#[cfg(feature = "tls")]
pub mod tls;

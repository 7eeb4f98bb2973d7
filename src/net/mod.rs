//! Blocking network access below one deadline. Knows nothing of HAProxy.

pub(crate) mod deadline;
pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod resolve;
pub(crate) mod stream;
#[cfg(feature = "tls")]
pub(crate) mod tls;

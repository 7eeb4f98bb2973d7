//! https scrape URIs, in builds with TLS; in others, how they are refused.

#[cfg(feature = "tls")]
mod answers;
#[cfg(feature = "tls")]
mod certificates;
#[cfg(feature = "tls")]
mod handshakes;
#[cfg(not(feature = "tls"))]
mod off;
#[cfg(feature = "tls")]
mod peer;
#[cfg(feature = "tls")]
mod proxy;
#[cfg(feature = "tls")]
mod start;
#[cfg(feature = "tls")]
mod trust;

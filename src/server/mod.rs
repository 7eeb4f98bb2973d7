//! The HTTP side: who may ask, and how answers get to them. Knows nothing of HAProxy.
//!
//! The front (`front`) has a thread of its own and owns listeners and clients; the main loop (`link`)
//! blocks on `tiny_http`, scrapes when the front asks for it, and never sees a client.

mod clock;
mod connection;
mod delivery;
pub(crate) mod front;
mod landing;
pub(crate) mod link;
pub(crate) mod listen;
pub(crate) mod request;
pub(crate) mod routes;
pub(crate) mod scrapes;
mod slots;
mod snapshots;
pub(crate) mod supervisor;
pub(crate) mod targets;

#[cfg(test)]
mod tests;

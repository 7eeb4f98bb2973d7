//! The HTTP side: accepts clients and sends responses. It does not depend on HAProxy.
//!
//! The I/O thread (`event_loop`) owns listeners and clients. The main loop (`doorbell`) blocks on
//! `tiny_http`, scrapes when the I/O thread requests it, and never sees a client.

mod body;
mod clock;
mod connection;
mod connections;
pub(crate) mod doorbell;
pub(crate) mod encoding;
pub(crate) mod event_loop;
pub(crate) mod landing;
pub(crate) mod listen;
mod pace;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod routes;
pub(crate) mod scrapes;
mod snapshots;
pub(crate) mod supervisor;
pub(crate) mod targets;
mod turns;

#[cfg(test)]
mod tests;

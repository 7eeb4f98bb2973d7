#![doc = include_str!("architecture.md")]

mod app;
mod cli;
mod commands;
mod config;
mod errno;
mod event;
mod haproxy;
mod log;
mod masked;
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

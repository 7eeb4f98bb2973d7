//! How HAProxy is queried, and how its replies are read. It does not know metric names.

pub(crate) mod advice;
pub(crate) mod buffer;
pub(crate) mod columns;
pub(crate) mod csv;
pub(crate) mod error;
pub(crate) mod failures;
pub(crate) mod file;
pub(crate) mod limits;
pub(crate) mod lines;
mod link;
mod pace;
pub(crate) mod page;
pub(crate) mod parts;
pub(crate) mod prompt;
pub(crate) mod proxy_filter;
pub(crate) mod reader;
pub(crate) mod reply;
pub(crate) mod rows;
pub(crate) mod socket;
pub(crate) mod source;
pub(crate) mod stat;
pub(crate) mod states;
pub(crate) mod trace;
pub(crate) mod uri;

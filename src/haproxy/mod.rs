//! What HAProxy says and how it is asked. Knows no metric name.

pub mod buffer;
pub mod csv;
pub mod failures;
pub mod file;
pub mod info;
pub mod page;
pub mod rules;
pub mod socket;
pub mod source;
pub mod stat;
pub mod uri;

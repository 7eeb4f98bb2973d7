//! What the tests stand on: the exporter as a process, fake peers, a strict reader, a naive twin.

pub(crate) mod cases;
pub(crate) mod children;
pub(crate) mod csv;
pub(crate) mod csv_reader;
pub(crate) mod documents;
pub(crate) mod exporter;
pub(crate) mod exposition;
mod exposition_cases;
pub(crate) mod fake_haproxy;
pub(crate) mod fake_master;
pub(crate) mod faults;
pub(crate) mod fixtures;
pub(crate) mod go_exporter;
pub(crate) mod haproxy;
pub(crate) mod http;
pub(crate) mod logfmt;
pub(crate) mod namespace;
pub(crate) mod pages;
pub(crate) mod peers;
pub(crate) mod reference;
mod scripts;
pub(crate) mod seccomp;
pub(crate) mod slow_link;
pub(crate) mod stream;
pub(crate) mod text;

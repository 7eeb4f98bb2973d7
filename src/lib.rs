//! haproxy_exporter: HAProxy's statistics for Prometheus.
//!
//! One way through: listener -> scrape -> source -> bytes -> rows -> snapshot -> exposition ->
//! response. `server` owns the listeners and clients, `scrape` asks, `haproxy` knows what HAProxy
//! says and how it is asked, `metrics` knows what is exported, `net` has the network below both.

mod app;
mod cli;
mod errno;
mod haproxy;
mod log;
mod metrics;
mod net;
mod process;
mod scrape;
mod server;
mod sys;

pub use app::main;

/// What the benchmarks, the fuzz targets and their properties in the suite work on. Not for anybody
/// else: it changes with the crate.
#[doc(hidden)]
pub mod testing {
    pub mod cli {
        pub use crate::cli::{Command, parse};
        pub mod arguments {
            pub use crate::cli::arguments::lines;
        }
        pub mod duration {
            pub use crate::cli::duration::parse;
        }
    }
    pub mod haproxy {
        pub mod buffer {
            pub use crate::haproxy::buffer::ReadBuffer;
        }
        pub mod csv {
            pub use crate::haproxy::csv::{Item, LOCATED_FIELDS, Splitter};
        }
        pub mod info {
            pub use crate::haproxy::info::parse;
        }
        pub mod rules {
            pub use crate::haproxy::reply::Proof;
            pub use crate::haproxy::rules::{MAX_FIELDS, TableError};
        }
        pub mod stat {
            pub use crate::haproxy::stat::Table;
        }
        pub mod uri {
            pub use crate::haproxy::uri::ScrapeUri;
            pub use crate::net::http_uri::HttpUri;
        }
    }
    pub mod metrics {
        pub use crate::metrics::{GO_EXPORTER, INFO};
        pub mod exposition {
            pub use crate::metrics::exposition::{BUFFER_BYTES, Writer, push_single};
        }
    }
    pub mod net {
        pub mod http {
            pub use crate::net::http::{ChunkDecoder, Ending, head_end, parse, status};
        }
        pub mod proxy {
            pub use crate::net::proxy::Environment;
        }
    }
    pub mod server {
        pub mod request {
            pub use crate::server::request::{MAX_HEAD_BYTES, Parsed, parse};
        }
    }
}

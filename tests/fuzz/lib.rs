//! What the fuzz targets share: the properties, and the strict reader of the test suite.

pub mod properties;

#[allow(dead_code)]
#[path = "../suite/support/fixtures.rs"]
mod fixtures;
#[allow(dead_code)]
#[path = "../suite/support/exposition.rs"]
mod reader;

/// At the places where the suite has them, so that the properties find them in both crates.
mod support {
    pub(crate) use crate::fixtures;
    pub(crate) use crate::reader as exposition;
}

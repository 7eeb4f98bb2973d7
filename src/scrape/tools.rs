//! What all HAProxy instances share: their scrapes run one after the other.

use std::cell::RefCell;
use std::rc::Rc;

use crate::config::Config;
use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::stat::StatReader;
use crate::metrics::catalog::Catalog;
use crate::metrics::writer::RowBatcher;
use crate::process::ProcRoot;

/// Buffers and parsers. With a set for each of thousands of instances, they would need most of the memory.
pub(crate) struct Tools {
    pub(super) reader: StatReader,
    pub(super) batcher: RowBatcher,
    pub(super) buffer: ReadBuffer,
    pub(super) process: ProcRoot,
}

impl Tools {
    /// For the instances of a configuration.
    pub(crate) fn new(config: &Config, catalog: &'static Catalog) -> Rc<RefCell<Self>> {
        let mut batcher = RowBatcher::new(catalog);
        batcher.server_info.is_on = config.server_info;
        Rc::new(RefCell::new(Self {
            reader: StatReader::new(config.filter.clone()),
            batcher,
            buffer: ReadBuffer::default(),
            process: ProcRoot::system(),
        }))
    }
}

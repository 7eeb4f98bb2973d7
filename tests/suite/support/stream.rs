//! Unix and TCP connections as one type, for the fake HAProxy.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::http::PATIENCE;

/// Longer than a test waits for the exporter, so that a fake that gives up cannot hide a hang.
const LIMIT: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

/// A connection of either family.
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    /// A second handle on the same connection.
    pub(crate) fn twin(&self) -> io::Result<Stream> {
        match self {
            Stream::Unix(stream) => stream.try_clone().map(Stream::Unix),
            Stream::Tcp(stream) => stream.try_clone().map(Stream::Tcp),
        }
    }

    /// Bounds every read and write.
    pub(crate) fn set_patience(&self) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream
                .set_read_timeout(Some(LIMIT))
                .and(stream.set_write_timeout(Some(LIMIT))),
            Stream::Tcp(stream) => stream
                .set_read_timeout(Some(LIMIT))
                .and(stream.set_write_timeout(Some(LIMIT))),
        }
    }

    /// Sends nothing more.
    pub(crate) fn end(&self) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// Wakes whoever reads or writes it. It may be closed already.
    pub(crate) fn shut(&self) {
        let _ = match self {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The scraper: one GET over a fresh connection, read to its end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The Go exporter needs 20 seconds for 100,000 servers.
const TIMEOUT: Duration = Duration::from_secs(120);
/// What the scraper reads in one go.
const BUFFER_BYTES: usize = 256 * 1024;

/// What a scrape brought.
pub(crate) struct Scraped {
    /// From connecting to the last byte.
    pub(crate) took: Duration,
    /// Bytes of the body (with the lines of chunks, where there are any).
    pub(crate) body_bytes: u64,
}

/// Reads what comes from streams, always into the same memory.
pub(crate) struct Client {
    buffer: Vec<u8>,
    /// Behind the path of the metrics.
    pub(crate) query: &'static str,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER_BYTES],
            query: "",
        }
    }

    /// Gets `/metrics`, and fails unless the answer says that HAProxy is up.
    pub(crate) fn scrape(&mut self, address: SocketAddr, proof: &str) -> Result<Scraped, String> {
        self.get(address, "", |bytes| {
            memchr::memmem::find(bytes, proof.as_bytes()).is_some()
        })
    }

    /// The same, compressed. The text is not looked at: it is decoded nowhere, so that this takes no time.
    pub(crate) fn scrape_compressed(&mut self, address: SocketAddr) -> Result<Scraped, String> {
        self.get(address, "Accept-Encoding: gzip\r\n", |bytes| {
            let field = b"\r\ncontent-encoding: gzip\r\n";
            let mut head = bytes.windows(field.len());
            head.any(|part| part.eq_ignore_ascii_case(field))
        })
    }

    fn get(
        &mut self,
        address: SocketAddr,
        fields: &str,
        proves: impl Fn(&[u8]) -> bool,
    ) -> Result<Scraped, String> {
        let failed = |error: std::io::Error| format!("scrape of {address}: {error}");
        let query = self.query;
        let start = Instant::now();
        let mut stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(failed)?;
        stream
            .write_all(
                format!(
                    "GET /metrics{query} HTTP/1.1\r\nHost: bench\r\n{fields}Connection: close\r\n\r\n"
                )
                .as_bytes(),
            )
            .map_err(failed)?;
        let (mut total, mut head) = (0, Vec::new());
        let mut is_proven = false;
        loop {
            let count = stream.read(&mut self.buffer).map_err(failed)?;
            if count == 0 {
                break;
            }
            let bytes = &self.buffer[..count];
            if total == 0 {
                head = bytes.to_vec();
            }
            // The proof comes early, and where it does not, looking for it is not timed for long.
            is_proven = is_proven || proves(bytes);
            total += count as u64;
        }
        let took = start.elapsed();
        let head_bytes = memchr::memmem::find(&head, b"\r\n\r\n").map_or(0, |at| at + 4);
        if !head.starts_with(b"HTTP/1.1 200 ") || !is_proven {
            return Err(format!(
                "scrape of {address}: no good answer: {}",
                String::from_utf8_lossy(&head[..head_bytes])
            ));
        }
        Ok(Scraped {
            took,
            body_bytes: total - head_bytes as u64,
        })
    }

    /// Reads a stream to its end; returns the number of bytes.
    pub(crate) fn drain(&mut self, stream: &mut impl Read) -> std::io::Result<u64> {
        let mut total = 0;
        loop {
            match stream.read(&mut self.buffer)? {
                0 => return Ok(total),
                count => total += count as u64,
            }
        }
    }
}

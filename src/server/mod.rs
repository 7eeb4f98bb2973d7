//! The HTTP side: the main loop on `tiny_http`, its routes and answers.

pub(crate) mod answer;
pub(crate) mod connection;
pub(crate) mod front;
pub(crate) mod handover;
pub(crate) mod link;
pub(crate) mod listen;
pub(crate) mod request;
pub(crate) mod slots;
pub(crate) mod supervisor;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use tiny_http::{Method, Request};

use crate::log;
use crate::metrics::cursor::{self, Cursor};
use crate::metrics::exposition;
use crate::metrics::selection::{Defaults, Selection, Wanted};
use crate::metrics::snapshot::Snapshot;
use crate::scrape::Scraper;
use answer::Answer;
use handover::{Exchange, Handover};

/// Path of the answer that shows the process to be alive.
const HEALTHY_PATH: &str = "/-/healthy";
const TEXT: &str = "text/plain; charset=utf-8";

/// What the routes need.
pub(crate) struct Service {
    scraper: Scraper,
    defaults: Defaults,
    snapshot: Snapshot,
    buffer: Box<[u8]>,
    telemetry_path: String,
    handover: Arc<Handover>,
    /// The batch that the scraper's last scrape was for.
    scraped_batch: Option<u64>,
    /// When that scrape ended.
    scraped_at: Instant,
    /// The answer's head, and the body if it is a small one.
    head: Vec<u8>,
}

impl Service {
    /// A service that serves what `scraper` brings under `telemetry_path` to the clients that the front hands over.
    pub(crate) fn new(
        scraper: Scraper,
        defaults: Defaults,
        telemetry_path: String,
        handover: Arc<Handover>,
    ) -> Self {
        Self {
            scraper,
            defaults,
            snapshot: Snapshot::default(),
            buffer: vec![0; exposition::BUFFER_BYTES].into_boxed_slice(),
            telemetry_path,
            handover,
            scraped_batch: None,
            scraped_at: Instant::now(),
            head: Vec::new(),
        }
    }

    /// The main loop: blocks on `tiny_http`, answers one request after the other. Ends only when
    /// nothing can be received or reported any more.
    pub(crate) fn run(mut self, server: &tiny_http::Server) -> io::Error {
        loop {
            let result = server.recv().and_then(|request| self.answer(request));
            if let Err(error) = result {
                return error;
            }
        }
    }

    /// Answers the client, then tells the front whether it got all of it.
    fn answer(&mut self, request: Request) -> io::Result<()> {
        let Some(exchange) = self.handover.take() else {
            return Ok(());
        };
        let sent = self.send(&exchange, &request);
        if let Err(error) = &sent {
            // All but our own faults are the client's.
            let log = match error.kind() {
                io::ErrorKind::Other => log::error,
                _ => log::debug,
            };
            log("answer cut", &[("err", error)]);
        }
        // The front may close the connection as soon as it knows.
        drop(exchange);
        link::report(request, sent.is_ok())
    }

    fn send(&mut self, exchange: &Exchange, request: &Request) -> io::Result<()> {
        let is_head = *request.method() == Method::Head;
        if request.url() == self.telemetry_path {
            return self.send_metrics(exchange, is_head);
        }
        let (status, kind, body) = match request.url() {
            "/" => ("200 OK", "text/html; charset=utf-8", self.landing_page()),
            HEALTHY_PATH => ("200 OK", TEXT, "OK\n".to_owned()),
            _ => ("404 Not Found", TEXT, "404 Not Found\n".to_owned()),
        };
        self.put_head(exchange, status, kind, body.len() as u64);
        if !is_head {
            self.head.extend_from_slice(body.as_bytes());
        }
        Answer::new(&exchange.client, &self.handover, Instant::now()).write_all(&self.head)
    }

    fn send_metrics(&mut self, exchange: &Exchange, is_head: bool) -> io::Result<()> {
        let selection = Selection::parse("", &self.defaults).map_err(io::Error::other)?;
        if self.scraped_batch != Some(exchange.batch) {
            let mut wanted = Wanted::default();
            wanted.add(&selection);
            self.scraper
                .scrape(&wanted, exchange.time_left, &mut self.snapshot);
            self.scraped_batch = Some(exchange.batch);
            self.scraped_at = Instant::now();
        }
        let length = cursor::exposition_bytes(&self.snapshot, &selection);
        self.put_head(exchange, "200 OK", exposition::CONTENT_TYPE, length);
        let mut answer = Answer::new(&exchange.client, &self.handover, self.scraped_at);
        if is_head {
            return answer.write_all(&self.head);
        }
        answer.write_all(&self.head)?;
        let mut cursor = Cursor::default();
        loop {
            match cursor.fill(&self.snapshot, &selection, &mut self.buffer) {
                0 => break,
                filled => answer.write_all(&self.buffer[..filled])?,
            }
        }
        // A client that is told a wrong length would wait for more, or take the next answer for it.
        match answer.sent() - self.head.len() as u64 {
            sent if sent == length => Ok(()),
            sent => Err(io::Error::other(format!(
                "{sent} bytes instead of {length}"
            ))),
        }
    }

    fn put_head(&mut self, exchange: &Exchange, status: &str, kind: &str, length: u64) {
        let connection = match exchange.keep_alive {
            true => "keep-alive",
            false => "close",
        };
        self.head.clear();
        // Writing to a Vec cannot fail.
        let _ = write!(
            self.head,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: {connection}\r\n\r\n"
        );
    }

    fn landing_page(&self) -> String {
        let (version, path) = (env!("CARGO_PKG_VERSION"), &self.telemetry_path);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>HAProxy exporter</title></head>\n\
             <body>\n<h1>HAProxy exporter {version}</h1>\n<p><a href=\"{path}\">{path}</a></p>\n</body>\n</html>\n"
        )
    }
}

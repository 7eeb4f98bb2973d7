//! The HTTP side: the main loop on `tiny_http`, its routes and answers.

pub mod channel;
pub mod client;
pub mod clients;
pub mod front;
pub mod head;
pub mod listen;
pub mod notify;
pub mod relay;

use std::io::{self, Write};
use std::time::Duration;

use tiny_http::{Header, Method, Request, Response};

use crate::exposition;
use crate::scrape::Scraper;
use front::{BATCH_FIELD, TIMEOUT_FIELD};

/// Path of the answer that shows the process to be alive.
const HEALTHY_PATH: &str = "/-/healthy";

/// What the routes need.
pub struct Service {
    scraper: Scraper,
    telemetry_path: String,
    key: String,
    /// The batch that the scraper's last scrape was for.
    scraped_batch: Option<String>,
}

impl Service {
    /// A service that serves what `scraper` brings under `telemetry_path`, to requests with the
    /// front's `key`.
    pub fn new(scraper: Scraper, telemetry_path: String, key: String) -> Self {
        Self {
            scraper,
            telemetry_path,
            key,
            scraped_batch: None,
        }
    }

    /// The main loop: blocks on `tiny_http`, answers one request after the other. Ends only when
    /// nothing can be received or sent any more.
    pub fn run(mut self, server: &tiny_http::Server) -> io::Error {
        loop {
            let result = server.recv().and_then(|request| self.answer(request));
            if let Err(error) = result {
                return error;
            }
        }
    }

    fn answer(&mut self, request: Request) -> io::Result<()> {
        if !channel::has_key(&request, &self.key) {
            return Ok(());
        }
        if request.url() == self.telemetry_path {
            return self.metrics(request);
        }
        let (status, kind, body) = match request.url() {
            "/" => (200, "text/html; charset=utf-8", self.landing_page()),
            HEALTHY_PATH => (200, "text/plain; charset=utf-8", "OK\n".to_owned()),
            _ => (
                404,
                "text/plain; charset=utf-8",
                "404 Not Found\n".to_owned(),
            ),
        };
        let mut response = Response::from_string(body).with_status_code(status);
        // Both are ASCII constants, which from_bytes takes.
        if let Ok(header) = Header::from_bytes("Content-Type", kind) {
            response.add_header(header);
        }
        request.respond(response)
    }

    fn metrics(&mut self, request: Request) -> io::Result<()> {
        let batch = channel::field(&request, BATCH_FIELD).map(str::to_owned);
        if self.scraped_batch != batch {
            self.scraper
                .scrape(channel::field(&request, TIMEOUT_FIELD).and_then(seconds));
            self.scraped_batch = batch;
        }
        let is_head = *request.method() == Method::Head;
        // Written past tiny_http's response, which would send 20 MB in pieces of 8 KB.
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            exposition::CONTENT_TYPE,
            self.scraper.exposition_bytes()
        );
        let mut out = request.into_writer();
        if is_head {
            out.write_all(head.as_bytes())?;
        } else {
            self.scraper.write(head.as_bytes(), &mut out)?;
        }
        out.flush()
    }

    fn landing_page(&self) -> String {
        let (version, path) = (env!("CARGO_PKG_VERSION"), &self.telemetry_path);
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>HAProxy exporter</title></head>\n\
             <body>\n<h1>HAProxy exporter {version}</h1>\n<p><a href=\"{path}\">{path}</a></p>\n</body>\n</html>\n"
        )
    }
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

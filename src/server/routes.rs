//! What is at which path, and the answers that need no scrape.

use std::borrow::Cow;

use super::request::{Refusal, Request};
use crate::metrics::selection::{Defaults, Selection};

/// Path of the answer that shows the process to be alive.
const HEALTHY_PATH: &str = "/-/healthy";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Where a request leads.
pub(crate) enum Route<'a> {
    /// To a scrape: of which target, by number, and what is wanted of it.
    Metrics(usize, Selection),
    /// To a text.
    Text(Text<'a>),
}

/// An answer that is ready.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    status: &'static str,
    kind: &'static str,
    /// A field more, with its line end.
    field: &'static str,
    body: Cow<'a, str>,
}

/// The paths that are served.
pub(crate) struct Routes {
    telemetry_path: String,
    defaults: Defaults,
    landing_page: String,
}

impl Routes {
    /// Serves metrics at `telemetry_path`, with `defaults` for what a query does not say.
    pub(crate) fn new(telemetry_path: String, defaults: Defaults) -> Self {
        let (version, path) = (env!("CARGO_PKG_VERSION"), &telemetry_path);
        let landing_page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>HAProxy exporter</title></head>\n\
             <body>\n<h1>HAProxy exporter {version}</h1>\n<p><a href=\"{path}\">{path}</a></p>\n</body>\n</html>\n"
        );
        Self {
            telemetry_path,
            defaults,
            landing_page,
        }
    }

    /// Where a request leads.
    pub(crate) fn find(&self, request: &Request) -> Route<'_> {
        let (status, kind, body) = match request.path.as_str() {
            path if path == self.telemetry_path => {
                match Selection::parse(&request.query, &self.defaults) {
                    Ok(selection) => return Route::Metrics(0, selection),
                    Err(error) => ("400 Bad Request", TEXT, format!("{error}\n").into()),
                }
            }
            "/" => ("200 OK", HTML, self.landing_page.as_str().into()),
            HEALTHY_PATH => ("200 OK", TEXT, "OK\n".into()),
            _ => ("404 Not Found", TEXT, "404 Not Found\n".into()),
        };
        Route::Text(Text {
            status,
            kind,
            field: "",
            body,
        })
    }
}

impl Text<'_> {
    /// Why a request is refused.
    pub(crate) fn refusal(refusal: Refusal) -> Self {
        let status = refusal.status();
        let field = match refusal {
            Refusal::Method => "Allow: GET, HEAD\r\n",
            _ => "",
        };
        Self {
            status,
            kind: TEXT,
            field,
            body: format!("{status}\n").into(),
        }
    }

    /// For a client that announced less time than the scrape takes.
    pub(crate) fn too_late() -> Self {
        Self {
            status: "503 Service Unavailable",
            kind: TEXT,
            field: "",
            body:
                "no scrape ended in the time that X-Prometheus-Scrape-Timeout-Seconds announces\n"
                    .into(),
        }
    }

    /// The bytes of the answer, without the body for a HEAD request.
    pub(crate) fn bytes(&self, is_head: bool, keep_alive: bool) -> Vec<u8> {
        let (status, kind, field, length) = (self.status, self.kind, self.field, self.body.len());
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let body = if is_head { "" } else { &self.body };
        format!(
            "HTTP/1.1 {status}\r\n{field}Content-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: {connection}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests;

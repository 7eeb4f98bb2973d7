//! The paths that are served, and the responses that need no scrape.

use std::borrow::Cow;
use std::time::Instant;

use super::encoding::Encoding;
use super::landing;
use super::request::{Refusal, Request};
use super::targets::{TargetError, Targets};
use crate::metrics::selection::{Defaults, Selection};

/// Path of the health check, which shows that the process is alive.
pub(crate) const HEALTHY_PATH: &str = "/-/healthy";
/// Path of the check whether it can serve: whatever HAProxy does, because `haproxy_up` tells that.
pub(crate) const READY_PATH: &str = "/-/ready";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// What a request gets.
pub(crate) enum Route {
    /// The result of a scrape: the name of the target, and the selection.
    Metrics(Option<String>, Selection),
    /// The landing page.
    Landing,
    /// A fixed text.
    Text(Text),
}

/// A complete response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    status: &'static str,
    kind: &'static str,
    /// An additional header field, with its line end.
    field: &'static str,
    body: Cow<'static, str>,
}

/// The paths that are served.
pub(crate) struct Routes {
    telemetry_path: String,
    defaults: Defaults,
    /// Whether metrics are compressed for clients that accept it.
    compresses: bool,
    started: Instant,
}

impl Routes {
    /// Serves metrics at `telemetry_path`, compressed if `compresses`, for clients that accept it.
    /// `defaults` apply where a query does not choose.
    pub(crate) fn new(telemetry_path: String, defaults: Defaults, compresses: bool) -> Self {
        Self {
            telemetry_path,
            defaults,
            compresses,
            started: Instant::now(),
        }
    }

    /// Decides what a request gets.
    pub(crate) fn find(&self, request: &Request) -> Route {
        let (status, body) = match request.path.as_str() {
            path if path == self.telemetry_path => {
                match Selection::parse(&request.query, &self.defaults) {
                    Ok((selection, target)) => return Route::Metrics(target, selection),
                    Err(error) => ("400 Bad Request", format!("{error}\n").into()),
                }
            }
            "/" => return Route::Landing,
            HEALTHY_PATH | READY_PATH => ("200 OK", "OK\n".into()),
            _ => ("404 Not Found", "404 Not Found\n".into()),
        };
        Route::Text(Text::plain(status, body))
    }

    /// How a request gets its metrics.
    pub(crate) fn encoding(&self, request: &Request) -> Encoding {
        match request.takes_gzip {
            _ if !self.compresses => Encoding::Fixed,
            true => Encoding::Gzip,
            false => Encoding::Identity,
        }
    }

    /// The landing page at `/`.
    pub(crate) fn landing_page(&self, targets: &Targets, now: Instant) -> Text {
        let paths = [&self.telemetry_path, HEALTHY_PATH];
        let page = landing::page(paths, targets, self.started, now);
        Text {
            kind: HTML,
            ..Text::plain("200 OK", page.into())
        }
    }
}

impl Text {
    fn plain(status: &'static str, body: Cow<'static, str>) -> Self {
        Self {
            status,
            kind: TEXT,
            field: "",
            body,
        }
    }

    /// The response for an unknown target.
    pub(crate) fn no_target(error: &TargetError) -> Self {
        let status = match error {
            TargetError::NotNamed(_) => "400 Bad Request",
            TargetError::Unknown(..) => "404 Not Found",
        };
        Self::plain(status, format!("{error}\n").into())
    }

    /// The response for a request that is refused.
    pub(crate) fn refusal(refusal: Refusal) -> Self {
        let status = refusal.status();
        let field = match refusal {
            Refusal::Method => "Allow: GET, HEAD\r\n",
            _ => "",
        };
        Self {
            field,
            ..Self::plain(status, format!("{status}\n").into())
        }
    }

    /// The response for a client that announced a timeout shorter than the scrape.
    pub(crate) fn too_late() -> Self {
        let why =
            "no scrape ended in the time that X-Prometheus-Scrape-Timeout-Seconds announces\n";
        Self::plain("503 Service Unavailable", why.into())
    }

    /// The response for a client that comes while too many wait already.
    pub(crate) fn too_many() -> Self {
        let why = "too many clients wait for a scrape\n";
        Self::plain("503 Service Unavailable", why.into())
    }

    /// The response for a client that waits when the exporter stops.
    pub(crate) fn stopping() -> Self {
        Self::plain("503 Service Unavailable", "the exporter stops\n".into())
    }

    /// The bytes of the response; without the body for a HEAD request.
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

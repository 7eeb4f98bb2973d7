//! The paths that are served, and the responses that need no scrape.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Display;
use std::time::{Duration, Instant};

use super::encoding::Encoding;
use super::landing::{self, About, Clock};
use super::request::{Refusal, Request};
use super::response::{Manner, Status};
use super::targets::{TargetError, Targets};
use crate::log::{self, Level};
use crate::metrics::selection::{Defaults, Query, Selection};
use crate::sys;

/// Path of the health check, which shows that the process is alive.
pub(crate) const HEALTHY_PATH: &str = "/-/healthy";
/// Path of the check whether it can serve: whatever HAProxy does, because `haproxy_up` tells that.
pub(crate) const READY_PATH: &str = "/-/ready";
/// Interval between log lines about queries.
const REPORT_EVERY: Duration = Duration::from_secs(60);
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
    /// The status of responses with a failed scrape.
    failure_status: Status,
    about: About,
    started: Instant,
    /// When the last query of each message was reported: of ignored names, and of rejected queries.
    reported: [Cell<Option<Instant>>; 2],
}

impl Routes {
    /// Serves metrics at `telemetry_path`, compressed if `compresses`, for clients that accept it.
    /// `defaults` apply where a query does not choose; with a failed scrape, `failure_status` is the status.
    pub(crate) fn new(
        telemetry_path: String,
        defaults: Defaults,
        compresses: bool,
        failure_status: Status,
        about: About,
    ) -> Self {
        Self {
            telemetry_path,
            defaults,
            compresses,
            failure_status,
            about,
            started: Instant::now(),
            reported: Default::default(),
        }
    }

    /// Decides what a request gets.
    pub(crate) fn find(&self, request: &Request, now: Instant) -> Route {
        let (status, body) = match request.path.as_str() {
            path if path == self.telemetry_path => {
                match Query::parse(&request.query, &self.defaults) {
                    Ok(query) => {
                        if let Some(names) = &query.unknown {
                            let message = "unknown metrics in a query are ignored";
                            report(Level::Info, message, names, &self.reported[0], now);
                        }
                        return Route::Metrics(query.target, query.selection);
                    }
                    Err(error) => {
                        if error.is_reported() {
                            let message = "a query was rejected";
                            report(Level::Warn, message, &error, &self.reported[1], now);
                        }
                        ("400 Bad Request", format!("{error}\n").into())
                    }
                }
            }
            "/" => return Route::Landing,
            HEALTHY_PATH | READY_PATH => ("200 OK", "OK\n".into()),
            _ => ("404 Not Found", "404 Not Found\n".into()),
        };
        Route::Text(Text::plain(status, body))
    }

    /// How a request gets its metrics.
    pub(crate) fn manner(&self, request: &Request) -> Manner {
        Manner {
            is_head: request.is_head,
            keep_alive: request.keep_alive,
            encoding: match request.takes_gzip {
                _ if !self.compresses => Encoding::Fixed,
                true => Encoding::Gzip,
                false => Encoding::Identity,
            },
            failure_status: self.failure_status,
        }
    }

    /// The landing page at `/`.
    pub(crate) fn landing_page(&self, targets: &Targets, now: Instant) -> Text {
        let clock = Clock {
            now,
            utc: sys::time_of_day(),
            uptime: now.saturating_duration_since(self.started),
        };
        let paths = [self.telemetry_path.as_str(), HEALTHY_PATH];
        let page = landing::page(paths, &self.about, targets, clock);
        Text {
            kind: HTML,
            ..Text::plain("200 OK", page.into())
        }
    }
}

/// Logs what is wrong with a query, at most once a minute for each message: any client can send one.
fn report(
    level: Level,
    message: &str,
    what: &dyn Display,
    reported: &Cell<Option<Instant>>,
    now: Instant,
) {
    let is_early = |at: Instant| now.saturating_duration_since(at) < REPORT_EVERY;
    if !reported.get().is_some_and(is_early) {
        reported.set(Some(now));
        log::line(level, message, &[("err", what)]);
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

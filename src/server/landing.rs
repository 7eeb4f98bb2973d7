//! The landing page at `/`: each HAProxy instance with its last scrape, links, and the flags.

use std::fmt::{self, Write};
use std::time::{Duration, Instant};

use super::targets::{Last, Targets, UNNAMED};
use crate::log::Milliseconds;
use crate::metrics::PROFILES;
use crate::metrics::report::{State, Words};
use crate::sys::calendar::Utc;
use crate::version::REVISION;

/// The beginning of the page up to the revision. Responsive, with dark mode, no JavaScript. On a narrow screen
/// each value is below its name.
const HEAD: &str = concat!(
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
<title>HAProxy exporter</title>\n<style>\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem 1rem;overflow-wrap:anywhere}\
h1{font-size:1.4rem;margin:0}\
h2{font-size:1.1rem;margin:1.5rem 0 .5rem;padding-top:.5rem;border-top:1px solid #8886}\
p{margin:.2rem 0}\
dl{display:grid;grid-template-columns:14rem 1fr;gap:.2rem 1rem;margin:0}\
dt{color:light-dark(#555,#aaa)}\
dd{margin:0}\
.up{color:light-dark(#176d2d,#5ed37f)}\
.down{color:light-dark(#b3121d,#ff8b8b)}\
@media(max-width:40rem){dl{display:block}dd{margin-bottom:.4rem}}\
</style>\n</head>\n<body>\n<h1>HAProxy exporter ",
    env!("CARGO_PKG_VERSION"),
    "</h1>\n<p>revision "
);
/// Size in bytes from which on further instances are left out: about 1,500 that were scraped. Flags can double
/// it. Several clients can read the page slowly (`connections::MAX_TEXT_BYTES`).
const MAX_PAGE_BYTES: usize = 1 << 20;
/// Maximum length of a value, in characters: texts of HAProxy can be long.
const MAX_VALUE_CHARACTERS: usize = 500;

/// What the page shows of the configuration.
#[derive(Debug, Default)]
pub(crate) struct About {
    /// The URI of each target, without its password.
    pub(crate) sources: Vec<String>,
    /// See `Config::changed`.
    pub(crate) flags: &'static [String],
}

/// The time at which the page is written.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub(super) now: Instant,
    /// Since 1970-01-01 UTC.
    pub(super) utc: Duration,
    /// Of the exporter.
    pub(super) uptime: Duration,
}

/// The page. Its links are relative, so they work behind a proxy that serves it at another path. Instances
/// that are down come first.
pub(super) fn page(
    [path, healthy]: [&str; 2],
    about: &About,
    targets: &Targets,
    clock: Clock,
) -> String {
    let mut page = Page {
        html: String::with_capacity(8192),
        left: 0,
    };
    page.html.push_str(HEAD);
    let uptime = Words(clock.uptime);
    page.markup(format_args!("{REVISION}, running for {uptime}</p>\n<p>"));
    // If all targets have names, the bare path has no metrics.
    if targets.iter().any(|(name, _)| name.is_empty()) {
        page.markup(format_args!("<a href=\".{path}\">{path}</a> \u{b7} "));
    }
    page.markup(format_args!("<a href=\".{healthy}\">{healthy}</a></p>\n"));
    let mut left_out = 0;
    for down in [true, false] {
        for (number, (name, last)) in targets.iter().enumerate() {
            if last.is_some_and(|last| !last.outcome.is_up) != down {
                continue;
            }
            if page.html.len() > MAX_PAGE_BYTES {
                left_out += 1;
                continue;
            }
            page.instance(name, last, clock);
            if let Some(source) = about.sources.get(number) {
                page.row("source", "", format_args!("{source}"));
            }
            page.html.push_str("<dt>metrics<dd>");
            for names in PROFILES {
                let target = if name.is_empty() { "" } else { "&amp;target=" };
                let query = format_args!("?names={names}{target}{name}");
                page.markup(format_args!("<a href=\".{path}{query}\">{names}</a> "));
            }
            page.html.push_str("\n</dl>\n");
        }
    }
    if left_out > 0 {
        page.markup(format_args!("<p>{left_out} more instances</p>\n"));
    }
    page.html
        .push_str("<h2>Flags that differ from the defaults</h2>\n");
    for flag in about.flags {
        if page.html.len() > 2 * MAX_PAGE_BYTES {
            break;
        }
        page.html.push_str("<p>");
        page.text(format_args!("{flag}"));
    }
    page.html.push_str("</body>\n</html>\n");
    page.html
}

/// A page that is being written. Text that is written into it is escaped.
struct Page {
    html: String,
    /// Characters that are left for the value that is being written.
    left: usize,
}

impl Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let mut bytes = [0; 4];
            let text = match c {
                _ if self.left == 0 => break,
                '&' => "&amp;",
                '<' => "&lt;",
                c if c.is_control() => "\u{fffd}",
                c => c.encode_utf8(&mut bytes),
            };
            self.left -= 1;
            self.html.push_str(text);
        }
        Ok(())
    }
}

impl Page {
    /// Adds markup; what is in it must be harmless.
    fn markup(&mut self, markup: fmt::Arguments<'_>) {
        // Writing to a String cannot fail, here and below.
        let _ = self.html.write_fmt(markup);
    }

    /// Adds a name and its value, which is escaped.
    fn row(&mut self, name: &str, class: &str, value: fmt::Arguments<'_>) {
        self.markup(format_args!("<dt>{name}<dd class=\"{class}\">"));
        self.text(value);
    }

    /// Adds a line of text, which is escaped.
    fn text(&mut self, text: fmt::Arguments<'_>) {
        self.left = MAX_VALUE_CHARACTERS;
        let _ = self.write_fmt(text);
        self.html.push('\n');
    }

    /// Adds the beginning of an instance: its state, and what its last scrape found out.
    fn instance(&mut self, name: &str, last: Option<&Last>, clock: Clock) {
        let name = if name.is_empty() { UNNAMED } else { name };
        let Some(last) = last else {
            self.markup(format_args!("<h2>{name} is not scraped yet</h2>\n<dl>\n"));
            return;
        };
        let age = |at| clock.now.saturating_duration_since(at);
        let is_up = last.outcome.is_up;
        let state = if is_up { "up" } else { "down" };
        self.markup(format_args!(
            "<h2>{name} is <span class=\"{state}\">{state}</span></h2>\n<dl>\n"
        ));
        let since = age(last.since);
        let began = Utc(clock.utc.saturating_sub(since).as_secs());
        self.row("since", "", format_args!("{began}Z ({})", Words(since)));
        if let Some((why, at)) = &last.failure {
            let (name, class) = match is_up {
                true => ("last failure", ""),
                false => ("reason", "down"),
            };
            let ago = Words(age(*at));
            self.row(name, class, format_args!("{why} ({ago} ago)"));
        }
        let (haproxy, seen) = &last.haproxy;
        if let Some(uptime) = haproxy.uptime {
            let uptime = Words(uptime.saturating_add(age(*seen)));
            match is_up {
                true => self.row("HAProxy", "", format_args!("{haproxy}, up for {uptime}")),
                false => self.row("HAProxy", "", format_args!("{haproxy}")),
            }
        }
        let report = &last.report;
        let (ago, took) = (Words(age(last.at)), Milliseconds(last.outcome.took));
        let (bytes, rows) = (report.bytes, report.rows());
        self.row(
            "last scrape",
            "",
            format_args!("{ago} ago, took {took}: {bytes} bytes, {rows}"),
        );
        for (name, state) in &report.groups {
            let class = match state {
                State::Failed(_) => "down",
                _ => "",
            };
            self.row(name, class, format_args!("{state}"));
        }
    }
}

#[cfg(test)]
mod tests;

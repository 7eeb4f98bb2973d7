//! The landing page at `/`: the state of the exporter, the last scrapes, and links.

use std::fmt::Write;
use std::time::Instant;

use super::targets::{Targets, UNNAMED};
use crate::log::milliseconds;
use crate::metrics::{PROFILES, report};

/// Responsive, with dark mode, no JavaScript. If a row does not fit into one line, it becomes two,
/// and its cells are labelled instead of the header.
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:0 auto;padding:1.5rem 1rem;overflow-wrap:anywhere}\
h1{font-size:1.4rem;margin:0 0 .2rem}\
p{margin:.2rem 0 1rem}\
table{border-collapse:collapse;width:100%;margin:1rem 0}\
th,td{text-align:left;padding:.4rem .6rem .4rem 0;border-bottom:1px solid #8886;white-space:nowrap}\
td:first-child{white-space:normal;min-width:6rem}\
.up{color:light-dark(#176d2d,#5ed37f)}\
.down{color:light-dark(#b3121d,#ff8b8b);font-weight:600}\
@media(max-width:40rem){\
tr{display:flex;flex-wrap:wrap;column-gap:1rem;padding:.4rem 0;border-bottom:1px solid #8886}\
tr:first-child{display:none}\
td{border:0;padding:0}\
td:first-child{min-width:0}\
td:last-child{flex-basis:100%;white-space:normal}\
td:nth-child(3):not(:empty)::before{content:\"age \"}\
td:nth-child(4):not(:empty)::before{content:\"took \"}\
td:last-child::before{content:\"metrics \"}}";

/// The page.
pub(super) fn page(
    [path, healthy_path]: [&str; 2],
    targets: &Targets,
    started: Instant,
    now: Instant,
) -> String {
    let mut page = String::with_capacity(4096);
    let version = env!("CARGO_PKG_VERSION");
    let uptime = report::words(now.saturating_duration_since(started));
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>HAProxy exporter</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>HAProxy exporter {version}</h1>\n<p>running for {uptime}</p>\n\
         <table>\n<tr><th>HAProxy<th>last scrape<th>age<th>took<th>metrics</tr>\n"
    );
    for (name, last) in targets.iter() {
        let shown = if name.is_empty() { UNNAMED } else { name };
        let (class, state) = match last {
            None => ("", "none yet"),
            Some(last) if last.outcome.is_up => ("up", "up"),
            Some(_) => ("down", "down"),
        };
        let age = last.map_or_else(String::new, |last| report::words(last.age(now)));
        let took = last.map_or_else(String::new, |last| milliseconds(last.outcome.took));
        let target = match name {
            "" => String::new(),
            name => format!("target={name}&amp;"),
        };
        let _ = write!(
            page,
            "<tr><td>{shown}<td class=\"{class}\">{state}<td>{age}<td>{took}<td>"
        );
        for names in PROFILES {
            let _ = write!(
                page,
                "<a href=\"{path}?{target}names={names}\">{names}</a> "
            );
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n<p>");
    // If all targets have names, the bare path has no metrics.
    if targets.find(None).is_ok() {
        let _ = write!(page, "<a href=\"{path}\">{path}</a> \u{b7} ");
    }
    let _ = write!(
        page,
        "<a href=\"{healthy_path}\">{healthy_path}</a></p>\n</body>\n</html>\n"
    );
    page
}

#[cfg(test)]
mod tests;

//! `--check`: one scrape of each HAProxy instance, explained to a person.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::once::{print_scrape, write_whole};
use crate::config::Config;
use crate::log::Milliseconds;
use crate::metrics::report::{Report, State, Words};
use crate::metrics::selection::Defaults;
use crate::process::users;
use crate::scrape::Scraper;
use crate::version::REVISION;

/// What the stats page and a file cannot show.
const ONLY_ROWS: &str = "only frontends, backends, servers and listeners: no facts about the process, stick tables \
    or resolvers (a \"stats socket\" has them)";

/// Prints one block of lines for each HAProxy instance, as soon as it is ready: the next one can hang. Returns
/// whether all is right.
///
/// # Errors
/// Errors of writing to `out`.
pub(super) fn print(
    config: &Config,
    scrapers: &mut [Scraper],
    defaults: &Defaults,
    out: &mut dyn Write,
) -> io::Result<bool> {
    let mut text = format!(
        "haproxy_exporter {}, revision {REVISION}\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut is_right = true;
    for (scraper, (name, uri)) in scrapers.iter_mut().zip(&config.targets) {
        text.push('\n');
        if !name.is_empty() {
            line(&mut text, "target", name);
        }
        line(&mut text, "source", &uri.to_string());
        write_whole(out, text.as_bytes())?;
        text.clear();
        is_right &= block(&mut text, scraper, defaults)?;
    }
    write_whole(out, text.as_bytes())?;
    Ok(is_right)
}

/// The lines of one HAProxy instance after its source; returns whether all is right.
fn block(text: &mut String, scraper: &mut Scraper, defaults: &Defaults) -> io::Result<bool> {
    let mut exposition = Vec::new();
    let snapshot = print_scrape(scraper, defaults, &[], &mut exposition)?;
    let report = scraper.report(&snapshot);
    line(text, "connected as", &users::own());
    if let Some(why) = &report.failure {
        line(text, "scrape", &format!("FAILED: {why}"));
    } else {
        match scraper.cli_level() {
            Some(level) => line(text, "CLI level", &level),
            None => line(text, "exported", ONLY_ROWS),
        }
        let haproxy = &report.haproxy;
        match haproxy.uptime {
            Some(uptime) => {
                let uptime = Words(uptime);
                line(text, "HAProxy", &format!("{haproxy}, up for {uptime}"));
            }
            None => line(text, "HAProxy", &haproxy.to_string()),
        }
        line(text, "rows", &report.rows());
        let (families, bytes) = (families(&exposition), exposition.len());
        line(
            text,
            "metrics",
            &format!("{families} families, {bytes} bytes"),
        );
        let took = Milliseconds(snapshot.outcome.took);
        line(
            text,
            "scrape",
            &format!("{took}, {} bytes read", report.bytes),
        );
    }
    let mut problems = scraper.problems();
    for (name, state) in &report.groups {
        line(text, name, &state.to_string());
    }
    for problem in &problems {
        line(text, "problem", problem);
    }
    problems.extend(failed(&report));
    let result = match problems.len() {
        0 => "all works".to_owned(),
        count => format!("{count} FAILED, see above"),
    };
    line(text, "result", &result);
    Ok(problems.is_empty())
}

/// What failed in a scrape.
fn failed(report: &Report) -> impl Iterator<Item = String> {
    let groups = report.groups.iter();
    let groups = groups.filter(|(_, state)| matches!(state, State::Failed(_)));
    let groups = groups.map(|(name, _)| name.clone());
    report.failure.clone().into_iter().chain(groups)
}

fn line(text: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<30} {}", format!("{name}:"), value);
    }
}

/// The families of an exposition: each has one line with its type.
fn families(exposition: &[u8]) -> usize {
    let lines = exposition.split(|byte| *byte == b'\n');
    lines.filter(|line| line.starts_with(b"# TYPE ")).count()
}

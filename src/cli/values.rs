//! What the values of flags must be. Errors say why not, without what may be a password.

use std::time::Duration;

use super::duration;
use crate::commands;
use crate::config::{Check, Config};
use crate::haproxy::proxy_filter;
use crate::haproxy::states::{self, NO_CHECK, SERVER_STATES};
use crate::haproxy::uri::ScrapeUri;
use crate::log::{Format, Level};
use crate::masked::masked;
use crate::metrics::PROFILES;
use crate::metrics::exposition::push_escaped;
use crate::net::unsigned;
use crate::server::listen::ListenAddress;
use crate::server::response::Status;
use crate::server::routes::{HEALTHY_PATH, READY_PATH};
use crate::sys::InheritedFd;

/// The largest `--haproxy.max-response-bytes`: four million servers.
const LARGEST_MAX_RESPONSE_BYTES: u64 = 1 << 30;

/// Labels that only histograms and summaries have.
const OF_HISTOGRAMS: [&str; 2] = ["le", "quantile"];

/// What is said of `--web.config.file`.
const CONFIG_FILE: &str = "TLS and passwords are not supported; put HAProxy in front of the exporter \
    (security.md has a tested configuration)";

fn must_be(what: &str, text: &str) -> String {
    format!("must be {what}, not {text:?}")
}

pub(super) fn scrape_uri(text: &str) -> Result<ScrapeUri, String> {
    Ok(ScrapeUri::parse(text)?)
}

pub(super) fn listen_address(text: &str) -> Result<ListenAddress, String> {
    ListenAddress::parse(text).map_err(|error| format!("{text:?}: {error}"))
}

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        Duration::ZERO => Err("must be above zero".to_owned()),
        timeout => Ok(timeout),
    }
}

pub(super) fn max_response_bytes(text: &str) -> Result<u64, String> {
    number(text, 1, LARGEST_MAX_RESPONSE_BYTES)
}

fn number(text: &str, least: u64, largest: u64) -> Result<u64, String> {
    unsigned(text.as_bytes())
        .filter(|number| (least..=largest).contains(number))
        .ok_or_else(|| must_be(&format!("a number from {least} to {largest}"), text))
}

pub(super) fn failure_status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| must_be("200 or 503", text))
}

/// Numbers that no metric has are ignored, as the Go exporter ignores them; it refuses words as well.
pub(super) fn columns(text: &str) -> Result<Vec<usize>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let column = |word: &str| word.trim().parse();
    text.split(',')
        .map(|word| column(word).map_err(|_| format!("{word:?} is not a column number")))
        .collect()
}

/// The number of a profile.
pub(super) fn profile(text: &str) -> Result<usize, String> {
    let found = PROFILES.iter().position(|profile| *profile == text);
    found.ok_or_else(|| must_be("exporter or builtin", text))
}

/// `NAME=URI`. A name goes into URLs, pages and log lines as it is.
pub(super) fn add_target(to: &mut Config, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let (name, uri) = text.split_once('=').ok_or("write NAME=URI")?;
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(is_good) {
        // Without the name, this is a part of the URI, and a password can hold the `=`.
        let shown = masked(text);
        let name = shown.split('=').next().unwrap_or_default();
        return Err(format!(
            "{name:?} is not a name (letters, digits, _, - and .)"
        ));
    }
    let uri = ScrapeUri::parse(uri).map_err(|error| format!("{name}: {error}"))?;
    if to.targets.iter().any(|(other, _)| other == name) {
        return Err(format!("{name:?} is given twice"));
    }
    to.targets.push((name.to_owned(), uri));
    Ok(())
}

/// `NAME=VALUE`: a label that no metric has (Prometheus' data model, metric names and labels).
pub(super) fn add_label(to: &mut Config, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let (name, value) = match text.split_once('=') {
        Some((name, value)) if !value.is_empty() => (name, value),
        _ => return Err("write NAME=VALUE".to_owned()),
    };
    let is_good = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let starts_well = !matches!(name.as_bytes(), [] | [b'0'..=b'9', ..] | [b'_', b'_', ..]);
    if !starts_well || !name.as_bytes().iter().all(is_good) {
        return Err(format!(
            "{name:?} is not a label name (letters, digits and _, no digit first, not __ first)"
        ));
    }
    if OF_HISTOGRAMS.contains(&name) || commands::catalog(&[]).has_label(name) {
        return Err(format!("{name:?} is a label that metrics have"));
    }
    // Quotes inside of values are escaped.
    let begin = format!(",{name}=\"");
    let mut written = to.labels.windows(begin.len());
    if written.any(|text| text == begin.as_bytes()) {
        return Err(format!("{name:?} is given twice"));
    }
    to.labels.extend_from_slice(begin.as_bytes());
    push_escaped(&mut to.labels, value.as_bytes());
    to.labels.push(b'"');
    Ok(())
}

/// A value that is left out when empty.
pub(super) fn unless_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A pattern for names of proxies, unless it is empty.
pub(super) fn pattern(text: &str) -> Result<Option<String>, String> {
    proxy_filter::check(text).map(|()| unless_empty(text))
}

/// A value that this build can only use with TLS.
pub(super) fn with_tls(text: &str) -> Result<Option<String>, String> {
    match unless_empty(text) {
        Some(_) if !cfg!(feature = "tls") => {
            Err("this build has no TLS (build with `make TLS=1`)".to_owned())
        }
        value => Ok(value),
    }
}

/// `--web.config.file`, which asks for TLS and passwords.
pub(super) fn refused(text: &str) -> Result<(), String> {
    match text.is_empty() {
        true => Ok(()),
        false => Err(CONFIG_FILE.to_owned()),
    }
}

/// States of servers, with or without what HAProxy prints after them: `DOWN 1/2`, `MAINT (resolution)`.
pub(super) fn states(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let words = text.split(',').map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| state(word).map(Into::into)).collect()
}

fn state(word: &str) -> Result<&str, String> {
    let known = || SERVER_STATES.into_iter().chain([NO_CHECK]);
    let bare = states::bare(word.as_bytes());
    if known().any(|state| state.as_bytes() == bare) {
        return Ok(word);
    }
    if let Some(state) = known().find(|state| state.eq_ignore_ascii_case(word)) {
        return Err(format!("write {state}, not {word}"));
    }
    let known = known().collect::<Vec<_>>().join(", ");
    Err(format!("{word:?} is not a state of a server ({known})"))
}

/// A request's head has 8 KiB at most; a path of this length is a mistake.
const MAX_TELEMETRY_PATH_BYTES: usize = 1024;

pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    let reserved = ["/", HEALTHY_PATH, READY_PATH];
    if !text.starts_with('/') {
        return Err(format!("{text:?} does not begin with a slash"));
    }
    if text.len() > MAX_TELEMETRY_PATH_BYTES {
        return Err(format!("longer than {MAX_TELEMETRY_PATH_BYTES} bytes"));
    }
    if reserved.contains(&text) {
        return Err(format!("{text:?} is taken by another page"));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['?', '#', '"', '<', '>', '&'])
    {
        return Err(format!(
            "{text:?} holds a character that a path may not have"
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn socket_mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 && !text.starts_with('+') => Ok(mode),
        _ => Err(must_be("an octal number from 0 to 0777", text)),
    }
}

pub(super) fn ready_fd(text: &str) -> Result<Option<InheritedFd>, String> {
    match InheritedFd::from_flag(text) {
        None if !text.is_empty() => Err(must_be("a descriptor number above 2", text)),
        fd => Ok(fd),
    }
}

pub(super) fn log_level(text: &str) -> Result<Level, String> {
    match text {
        "debug" => Ok(Level::Debug),
        "info" => Ok(Level::Info),
        "warn" => Ok(Level::Warn),
        "error" => Ok(Level::Error),
        _ => Err(must_be("debug, info, warn or error", text)),
    }
}

/// What is to be checked.
pub(super) fn check(text: &str) -> Result<Check, String> {
    match text {
        "" => Ok(Check::Nothing),
        "flags" => Ok(Check::Flags),
        "scrape" => Ok(Check::Scrape),
        _ => Err(must_be("flags or scrape", text)),
    }
}

pub(super) fn log_format(text: &str) -> Result<Format, String> {
    match text {
        "logfmt" => Ok(Format::Logfmt),
        "json" => Ok(Format::Json),
        _ => Err(must_be("logfmt or json", text)),
    }
}

//! What the values of flags must be.

use std::time::Duration;

use super::duration;
use super::error::ValueError;
use crate::haproxy::uri::ScrapeUri;
use crate::log::{Format, Level};
use crate::metrics::PROFILES;
use crate::net::unsigned;
use crate::server::listen::ListenAddress;
use crate::server::routes::HEALTHY_PATH;
use crate::sys::InheritedFd;

/// The largest `--haproxy.max-response-bytes`: four million servers.
const LARGEST_MAX_RESPONSE_BYTES: u64 = 1 << 30;
/// The largest `--haproxy.rows-per-question`: more than fit into an answer.
const LARGEST_ROWS_PER_QUESTION: u64 = 1_000_000_000;

fn must_be(what: &'static str, text: &str) -> ValueError {
    ValueError::MustBe(what, text.to_owned())
}

pub(super) fn scrape_uri(text: &str) -> Result<ScrapeUri, ValueError> {
    ScrapeUri::parse(text).map_err(ValueError::Uri)
}

/// The CLI of a master process, if one is named.
pub(super) fn master_socket(text: &str) -> Result<Option<ScrapeUri>, ValueError> {
    if text.is_empty() {
        return Ok(None);
    }
    match scrape_uri(text)? {
        uri @ (ScrapeUri::Unix(_) | ScrapeUri::Tcp(_)) => Ok(Some(uri)),
        ScrapeUri::Http(_) | ScrapeUri::File(_) => Err(ValueError::NotSocket),
    }
}

pub(super) fn listen_address(text: &str) -> Result<ListenAddress, ValueError> {
    ListenAddress::parse(text).map_err(|error| ValueError::Address(text.to_owned(), error))
}

pub(super) fn timeout(text: &str) -> Result<Duration, ValueError> {
    match duration::parse(text).map_err(ValueError::Duration)? {
        Duration::ZERO => Err(ValueError::Zero),
        timeout => Ok(timeout),
    }
}

pub(super) fn rows_per_question(text: &str) -> Result<usize, ValueError> {
    let rows = number(text, 0, LARGEST_ROWS_PER_QUESTION)?;
    Ok(usize::try_from(rows).unwrap_or(usize::MAX))
}

pub(super) fn max_response_bytes(text: &str) -> Result<u64, ValueError> {
    number(text, 1, LARGEST_MAX_RESPONSE_BYTES)
}

fn number(text: &str, least: u64, largest: u64) -> Result<u64, ValueError> {
    unsigned(text.as_bytes())
        .filter(|number| (least..=largest).contains(number))
        .ok_or_else(|| ValueError::Number(least, largest, text.to_owned()))
}

/// Numbers that no metric has are ignored, as the Go exporter ignores them; it refuses words as well.
pub(super) fn columns(text: &str) -> Result<Vec<usize>, ValueError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let column = |word: &str| word.trim().parse();
    text.split(',')
        .map(|word| column(word).map_err(|_| ValueError::Column(word.to_owned())))
        .collect()
}

/// The number of a profile.
pub(super) fn profile(text: &str) -> Result<usize, ValueError> {
    let found = PROFILES.iter().position(|profile| *profile == text);
    found.ok_or_else(|| must_be("exporter or builtin", text))
}

/// `NAME=URI`. A name goes into URLs, pages and log lines as it is.
pub(super) fn target(text: &str) -> Result<(String, ScrapeUri), ValueError> {
    let (name, uri) = text.split_once('=').ok_or(ValueError::TargetWithoutName)?;
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(is_good) {
        return Err(ValueError::TargetName(name.to_owned()));
    }
    let uri =
        ScrapeUri::parse(uri).map_err(|error| ValueError::TargetUri(name.to_owned(), error))?;
    Ok((name.to_owned(), uri))
}

pub(super) fn states(text: &str) -> Vec<Vec<u8>> {
    text.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| word.into())
        .collect()
}

/// A request's head has 8 KiB at most; a path of this length is a mistake.
const MAX_TELEMETRY_PATH_BYTES: usize = 1024;

pub(super) fn telemetry_path(text: &str) -> Result<String, ValueError> {
    let reserved = ["/", HEALTHY_PATH];
    if !text.starts_with('/') {
        return Err(ValueError::PathWithoutSlash(text.to_owned()));
    }
    if text.len() > MAX_TELEMETRY_PATH_BYTES {
        return Err(ValueError::PathTooLong(MAX_TELEMETRY_PATH_BYTES));
    }
    if reserved.contains(&text) {
        return Err(ValueError::PathTaken(text.to_owned()));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['?', '#', '"', '<', '>', '&'])
    {
        return Err(ValueError::PathCharacter(text.to_owned()));
    }
    Ok(text.to_owned())
}

pub(super) fn socket_mode(text: &str) -> Result<u32, ValueError> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 && !text.starts_with('+') => Ok(mode),
        _ => Err(must_be("an octal number from 0 to 0777", text)),
    }
}

pub(super) fn ready_fd(text: &str) -> Result<Option<InheritedFd>, ValueError> {
    match InheritedFd::from_flag(text) {
        None if !text.is_empty() => Err(must_be("a descriptor number above 2", text)),
        fd => Ok(fd),
    }
}

pub(super) fn log_level(text: &str) -> Result<Level, ValueError> {
    match text {
        "debug" => Ok(Level::Debug),
        "info" => Ok(Level::Info),
        "warn" => Ok(Level::Warn),
        "error" => Ok(Level::Error),
        _ => Err(must_be("debug, info, warn or error", text)),
    }
}

pub(super) fn log_format(text: &str) -> Result<Format, ValueError> {
    match text {
        "logfmt" => Ok(Format::Logfmt),
        "json" => Ok(Format::Json),
        _ => Err(must_be("logfmt or json", text)),
    }
}

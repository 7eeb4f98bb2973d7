//! What the values of flags must be.

use std::time::Duration;

use super::duration;
use crate::haproxy::uri::ScrapeUri;
use crate::log::{Format, Level};
use crate::metrics::catalog::PROFILES;
use crate::sys::InheritedFd;

/// The largest `--haproxy.max-response-bytes`: four million servers.
const LARGEST_MAX_RESPONSE_BYTES: u64 = 1 << 30;
/// The largest `--haproxy.rows-per-question`: more than fit into an answer.
const LARGEST_ROWS_PER_QUESTION: u64 = 1_000_000_000;

pub(super) fn timeout(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        Duration::ZERO => Err("must be above zero".to_owned()),
        timeout => Ok(timeout),
    }
}

pub(super) fn rows_per_question(text: &str) -> Result<usize, String> {
    let rows = number(text, 0, LARGEST_ROWS_PER_QUESTION)?;
    Ok(usize::try_from(rows).unwrap_or(usize::MAX))
}

pub(super) fn max_response_bytes(text: &str) -> Result<u64, String> {
    number(text, 1, LARGEST_MAX_RESPONSE_BYTES)
}

fn number(text: &str, least: u64, largest: u64) -> Result<u64, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (least..=largest).contains(number))
        .ok_or_else(|| format!("must be a number from {least} to {largest}, not {text:?}"))
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
    let found = PROFILES.iter().position(|profile| profile.name == text);
    found.ok_or_else(|| format!("must be exporter or builtin, not {text:?}"))
}

/// `NAME=URI`. A name goes into URLs, pages and log lines as it is.
pub(super) fn target(text: &str) -> Result<(String, ScrapeUri), String> {
    let (name, uri) = text.split_once('=').ok_or("write NAME=URI")?;
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(is_good) {
        return Err(format!(
            "{name:?} is not a name (letters, digits, _, - and .)"
        ));
    }
    let uri = ScrapeUri::parse(uri).map_err(|reason| format!("{name}: {reason}"))?;
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

pub(super) fn telemetry_path(text: &str) -> Result<String, String> {
    let reserved = ["/", "/-/healthy"];
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
        _ => Err(format!(
            "must be an octal number from 0 to 0777, not {text:?}"
        )),
    }
}

pub(super) fn ready_fd(text: &str) -> Result<Option<InheritedFd>, String> {
    match InheritedFd::from_flag(text) {
        None if !text.is_empty() => {
            Err(format!("must be a descriptor number above 2, not {text:?}"))
        }
        fd => Ok(fd),
    }
}

pub(super) fn log_level(text: &str) -> Result<Level, String> {
    match text {
        "debug" => Ok(Level::Debug),
        "info" => Ok(Level::Info),
        "warn" => Ok(Level::Warn),
        "error" => Ok(Level::Error),
        _ => Err(format!("must be debug, info, warn or error, not {text:?}")),
    }
}

pub(super) fn log_format(text: &str) -> Result<Format, String> {
    match text {
        "logfmt" => Ok(Format::Logfmt),
        "json" => Ok(Format::Json),
        _ => Err(format!("must be logfmt or json, not {text:?}")),
    }
}

//! The answer to `show info`: `Key: value` lines (management guide, section 9.3, "show info").

use crate::metrics::value;

/// What the exporter uses of it; keys differ by version, so each may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Info<'a> {
    /// `Version`.
    pub version: &'a [u8],
    /// `Release_date`, such as `2025/05/28`.
    pub release_date: &'a [u8],
    /// `node`, from the configuration or the host name.
    pub node: &'a [u8],
    /// `Uptime_sec`, seconds since the process was started.
    pub uptime_seconds: Option<u64>,
    /// `Pid`.
    pub pid: Option<u64>,
    /// `Idle_pct`, 0 to 100; anything else is left out.
    pub idle_percent: Option<u64>,
}

/// Why an answer is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoError {
    /// Not a byte came.
    Empty,
    /// The closing empty line is missing.
    Cut,
    /// No `Version` in it.
    NoVersion,
}

impl std::fmt::Display for InfoError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "closed without an answer",
            Self::Cut => "answer cut: the closing empty line is missing",
            Self::NoVersion => "not an answer to \"show info\": it has no Version",
        })
    }
}

/// Reads a whole answer.
///
/// # Errors
/// When the answer is cut or something else than `show info`.
pub fn parse(answer: &[u8]) -> Result<Info<'_>, InfoError> {
    if answer.is_empty() {
        return Err(InfoError::Empty);
    }
    let mut info = Info::default();
    let mut ends_blank = false;
    for line in answer.split_inclusive(|b| *b == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(InfoError::Cut);
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        ends_blank = line.is_empty();
        let Some(colon) = memchr::memmem::find(line, b": ") else {
            continue;
        };
        let (key, value) = (&line[..colon], &line[colon + 2..]);
        match key {
            b"Version" => info.version = value,
            b"Release_date" => info.release_date = value,
            b"node" => info.node = value,
            b"Uptime_sec" => info.uptime_seconds = value::unsigned(value),
            b"Pid" => info.pid = value::unsigned(value),
            b"Idle_pct" => {
                info.idle_percent = value::unsigned(value).filter(|percent| *percent <= 100)
            }
            _ => {}
        }
    }
    match (ends_blank, info.version.is_empty()) {
        (false, _) => Err(InfoError::Cut),
        (true, true) => Err(InfoError::NoVersion),
        (true, false) => Ok(info),
    }
}

#[cfg(test)]
mod tests;

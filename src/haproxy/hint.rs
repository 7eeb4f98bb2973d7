//! What to look at when HAProxy cannot be reached, or answers with something else.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::net::error::{NetError, Phase};

/// A question that leads to the cause; its text stands in brackets behind the error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// A listener that was there has gone.
    IsRunning,
    /// The CLI socket was never there.
    HasSocket,
    /// The master's CLI socket was never there.
    HasMasterSocket,
    /// The socket belongs to HAProxy's group.
    IsInGroup,
    /// This directory on the way to the socket may not be entered.
    Directory(String),
    /// Nobody listens where the stats page should be.
    HasStatsPage,
    /// The stats page was read instead of its CSV.
    LacksCsv,
    /// The process has no descriptor left.
    Descriptors,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsRunning => f.write_str("is HAProxy running?"),
            Self::HasSocket => f.write_str("is HAProxy running, with \"stats socket\" there?"),
            Self::HasMasterSocket => f.write_str("is HAProxy running, with -W and \"-S\" there?"),
            Self::IsInGroup => f.write_str("is the exporter in HAProxy's group?"),
            Self::Directory(path) => write!(f, "the exporter may not enter the directory {path}"),
            Self::HasStatsPage => {
                f.write_str("is HAProxy's stats page there? the default is http://localhost/;csv")
            }
            Self::LacksCsv => f.write_str("does the scrape URI lack \";csv\"?"),
            Self::Descriptors => f.write_str("is the limit of open files too low?"),
        }
    }
}

impl Hint {
    /// For the CLI socket of a master process (`-S`).
    pub(crate) fn of_master(self) -> Self {
        match self {
            Self::HasSocket => Self::HasMasterSocket,
            other => other,
        }
    }

    /// For a unix socket; `path` is none of an abstract one.
    pub(crate) fn of_unix(error: &NetError, path: Option<&str>) -> Option<Self> {
        let NetError::Io(Phase::Connect, error) = error else {
            return None;
        };
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let closed = path.and_then(closed_directory).map(Self::Directory);
                Some(closed.unwrap_or(Self::IsInGroup))
            }
            io::ErrorKind::NotFound => Some(Self::HasSocket),
            io::ErrorKind::ConnectionRefused => Some(Self::IsRunning),
            _ => Self::of_system(error),
        }
    }

    /// For a CLI socket on TCP.
    pub(crate) fn of_tcp(error: &NetError) -> Option<Self> {
        match error {
            NetError::Io(Phase::Connect, error) => Self::of_system(error),
            _ => None,
        }
    }

    /// For a stats page that is asked without a proxy between.
    pub(crate) fn of_page(error: &NetError) -> Option<Self> {
        match error {
            NetError::Io(Phase::Connect, error)
                if error.kind() == io::ErrorKind::ConnectionRefused =>
            {
                Some(Self::HasStatsPage)
            }
            _ => Self::of_tcp(error),
        }
    }

    fn of_system(error: &io::Error) -> Option<Self> {
        let has_none = matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE));
        has_none.then_some(Self::Descriptors)
    }
}

/// The first directory on the way to `path` that may not be entered: connect(2) does not say whether
/// it was that or the socket itself.
fn closed_directory(path: &str) -> Option<String> {
    let is_denied = |path: &Path| {
        fs::symlink_metadata(path).is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied)
    };
    let way: Vec<&Path> = Path::new(path).ancestors().collect();
    let first = way.iter().rev().find(|path| is_denied(path))?;
    Some(first.parent()?.display().to_string())
}

#[cfg(test)]
mod tests;

//! Hints for errors: HAProxy cannot be reached, or sends something unexpected.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;

use super::error::{Problem, SourceError};
use super::reply::ReplyError;
use crate::net::error::{NetError, Phase};

/// The flag for the maximum size of a reply.
pub(crate) const MAX_RESPONSE_BYTES: &str = "haproxy.max-response-bytes";
/// The flag for the trusted roots.
pub(crate) const SSL_CA_FILE: &str = "haproxy.ssl-ca-file";

/// The peer that a command was sent to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    /// A CLI on a unix socket with this path; an abstract socket has none.
    Unix {
        path: Option<&'a str>,
        is_master: bool,
    },
    /// A CLI on TCP.
    Tcp,
    /// The stats page.
    Page { has_proxy: bool, asks_for_csv: bool },
    /// A file.
    File,
}

impl SourceError {
    /// Why `object` gave no reply. `is_denied`: HAProxy rejected the command because of the level
    /// of the socket.
    pub(super) fn new(object: &str, problem: Problem, asked: Asked<'_>, is_denied: bool) -> Self {
        Self {
            object: object.to_owned(),
            advice: advice(&problem, asked, is_denied),
            problem,
        }
    }
}

/// The hint in brackets after the error: a likely cause, or a setting that helps.
fn advice(problem: &Problem, asked: Asked<'_>, is_denied: bool) -> Option<Cow<'static, str>> {
    let text = match problem {
        Problem::Net(NetError::Io(Phase::Connect, error)) => return of_connect(error, asked),
        #[cfg(feature = "tls")]
        Problem::Net(NetError::Tls(_, error)) if error.is_unknown_issuer() => {
            return Some(format!("--{SSL_CA_FILE} can trust it").into());
        }
        Problem::TooLarge(_) => return Some(format!("--{MAX_RESPONSE_BYTES}").into()),
        Problem::Reply(_) if is_denied => "the CLI socket needs level operator",
        Problem::Reply(ReplyError::Html) => match asked {
            Asked::Page {
                asks_for_csv: false,
                ..
            } => "does the scrape URI lack \";csv\"?",
            _ => return None,
        },
        _ => return None,
    };
    Some(text.into())
}

/// The hint for errors of connect(2).
fn of_connect(error: &io::Error, asked: Asked<'_>) -> Option<Cow<'static, str>> {
    use io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
    let text = match (asked, error.kind()) {
        (
            Asked::Page {
                has_proxy: true, ..
            },
            _,
        ) => return None,
        (Asked::Unix { path, .. }, PermissionDenied) => match path.and_then(closed_directory) {
            Some(path) => {
                return Some(format!("the exporter may not enter the directory {path}").into());
            }
            None => "is the exporter in HAProxy's group?",
        },
        (Asked::Unix { is_master, .. }, NotFound) => match is_master {
            true => "is HAProxy running, with -W and \"-S\" there?",
            false => "is HAProxy running, with \"stats socket\" there?",
        },
        (Asked::Unix { .. }, ConnectionRefused) => "is HAProxy running?",
        (Asked::Page { .. }, ConnectionRefused) => {
            "is HAProxy's stats page there? the default is http://localhost/;csv"
        }
        _ => match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE) => "is the limit of open files too low?",
            _ => return None,
        },
    };
    Some(text.into())
}

/// The first directory on the path that the exporter must not enter: connect(2) does not tell
/// whether the directory or the socket denied access.
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

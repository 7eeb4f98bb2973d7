//! Hints for errors: HAProxy cannot be reached, or sends something unexpected.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::error::{Problem, SourceError};
use super::limits::MAX_PERIODIC_BYTES;
use super::reply::ReplyError;
use crate::net::error::{NetError, Phase};
use crate::process::users;

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
        // No flag raises this limit.
        Problem::TooLarge(MAX_PERIODIC_BYTES) => return None,
        Problem::TooLarge(_) => return Some(format!("--{MAX_RESPONSE_BYTES}").into()),
        Problem::Reply(_) if is_denied => "the CLI socket needs level operator",
        Problem::Reply(ReplyError::OfAnotherKind("show proc", line))
            if line.starts_with("Unknown command") =>
        {
            "this is a stats socket; write the one of haproxy -S"
        }
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
        (Asked::Unix { path, is_master }, PermissionDenied | ConnectionRefused) => {
            return Some(of_socket(path, is_master, error.kind() == PermissionDenied));
        }
        (Asked::Unix { is_master, .. }, NotFound) => match is_master {
            true => "is HAProxy running, with -W and \"-S\" there?",
            false => "is HAProxy running, and does its configuration have this \"stats socket\"?",
        },
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

/// The hint for a socket that is there: only its permissions, or those of a file that is not a socket, deny
/// access.
fn of_socket(path: Option<&str>, is_master: bool, is_denied: bool) -> Cow<'static, str> {
    if let Some(directory) = path.and_then(closed_directory).filter(|_| is_denied) {
        return format!("the exporter cannot enter the directory {directory}").into();
    }
    match path.and_then(not_a_socket) {
        Some(_) if is_master => "this is not a socket; write the one of haproxy -S".into(),
        Some(text) => text.into(),
        None if is_denied => denied(path, is_master).into(),
        None => "is HAProxy running?".into(),
    }
}

/// What lies at the path of a unix socket, if it is none: connect(2) then reports a refused connection, or
/// denied access.
fn not_a_socket(path: &str) -> Option<&'static str> {
    let kind = fs::metadata(path).ok()?.file_type();
    let text = match () {
        () if kind.is_socket() => return None,
        () if kind.is_dir() => "this is a directory; write the path of \"stats socket\"",
        () => {
            "this is a file, not a socket; write the path of \"stats socket\", or file:/path for a recording"
        }
    };
    Some(text)
}

/// Who may open the socket, who tries, and what to write. Only the group can open it to a user that is not
/// HAProxy's own.
fn denied(path: Option<&str>, is_master: bool) -> String {
    const QUESTION: &str = "is the exporter in HAProxy's group?";
    let Some(socket) = path.and_then(|path| users::of_file(Path::new(path))) else {
        return QUESTION.to_owned();
    };
    let who = users::own();
    let fix = match (socket.is_open_to_group, socket.group.as_str()) {
        (true, group) if group != "root" => {
            format!("add the exporter's user to group {group} and restart it")
        }
        _ if is_master => "start haproxy with -S PATH,mode,660,group,haproxy".to_owned(),
        _ => "write \"mode 660 group haproxy\" at \"stats socket\"".to_owned(),
    };
    format!("{QUESTION} the socket has {socket}; the exporter has {who}: {fix}")
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

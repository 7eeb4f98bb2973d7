//! Texts of system errors.

use std::io;

/// Whether an error is that of a system call that a strict profile denies: seccomp, AppArmor, SELinux.
pub(crate) fn is_denial(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    matches!(number, Some(libc::EPERM | libc::EACCES | libc::ENOSYS))
}

/// The text for a system call that is denied.
pub(crate) fn denied(call: &str, error: &io::Error) -> String {
    let why = reason(error);
    format!("{call}: {why} (does a profile such as seccomp deny this system call?)")
}

/// Whether this machine lacks an address or its family. Strict profiles deny sockets of a family with EPERM or
/// EACCES.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    use libc::{EACCES, EADDRNOTAVAIL, EAFNOSUPPORT, EPERM};
    let number = error.raw_os_error();
    matches!(number, Some(EAFNOSUPPORT | EADDRNOTAVAIL | EPERM | EACCES))
}

/// The text of a system error, without its number and independent of the libc.
pub(crate) fn reason(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let word = match error.kind() {
        Kind::NotFound => "no such file or directory",
        Kind::PermissionDenied => "permission denied",
        Kind::ConnectionRefused => "connection refused",
        Kind::ConnectionReset => "connection reset by peer",
        Kind::BrokenPipe => "broken pipe",
        Kind::AddrInUse => "address already in use",
        Kind::AddrNotAvailable => "no such address on this machine",
        Kind::NetworkUnreachable => "network is unreachable",
        Kind::HostUnreachable => "host is unreachable",
        Kind::TimedOut => "timed out",
        Kind::NotADirectory => "a part of the path is not a directory",
        Kind::IsADirectory => "is a directory",
        Kind::ReadOnlyFilesystem => "read-only file system",
        _ => "",
    };
    if !word.is_empty() {
        return word.to_owned();
    }
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut characters = text.chars();
    match (characters.next(), text.chars().nth(1)) {
        // Not the name of a variable.
        (Some(first), Some('a'..='z')) => first.to_lowercase().chain(characters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;

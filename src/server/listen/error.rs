//! Why a listener cannot be bound.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;

use crate::errno::reason;
use crate::net::resolve::ResolveError;

use super::ListenAddress;

/// An address that cannot be bound.
#[derive(Debug)]
pub(crate) struct BindError {
    pub(super) address: ListenAddress,
    pub(super) problem: BindProblem,
}

/// Why an address cannot be bound.
#[derive(Debug)]
pub(crate) enum BindProblem {
    /// A system call failed.
    Io(io::Error),
    /// The host has no address.
    Unresolved(ResolveError),
    /// The path of the socket file belongs to something else.
    NotSocket,
    /// Another server accepts on the socket file.
    Taken,
    /// No server accepts on the socket file, and it cannot be removed.
    Stale(io::Error),
}

impl From<io::Error> for BindProblem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Error for BindError {}

impl Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listen address {}: ", self.address)?;
        match &self.problem {
            BindProblem::Io(error) => f.write_str(&reason(error)),
            BindProblem::Unresolved(error) => error.fmt(f),
            BindProblem::NotSocket => f.write_str("exists and is not a socket"),
            BindProblem::Taken => f.write_str("another process is listening there"),
            BindProblem::Stale(error) => write!(f, "stale socket: {}", reason(error)),
        }
    }
}

/// Why systemd's sockets cannot be used.
#[derive(Debug)]
pub(crate) enum InheritError {
    /// The variables of sd_listen_fds(3) are missing.
    NotSet,
    /// They belong to another process, or count no socket.
    NoSocket,
    /// A descriptor is not a listening socket, or not open.
    Descriptor(String, io::Error),
}

impl Error for InheritError {}

impl Display for InheritError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet => f.write_str("LISTEN_PID and LISTEN_FDS are not set"),
            Self::NoSocket => f.write_str("systemd passed no socket to this process"),
            Self::Descriptor(fd, error) => write!(f, "descriptor {fd}: {}", reason(error)),
        }
    }
}

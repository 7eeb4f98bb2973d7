//! Descriptors that a supervisor opened for this process and named by number.

use std::fmt;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use super::check;

/// systemd's first descriptor (sd_listen_fds(3)).
const FIRST_OF_SYSTEMD: RawFd = 3;

/// A descriptor that a supervisor opened. Only the texts that name one make it, so that no number of
/// a file that this process opened itself comes in here.
#[derive(Debug, PartialEq, Eq)]
pub struct InheritedFd(RawFd);

impl InheritedFd {
    /// The number in a flag's value; `None` for anything but a number above 2, behind the standard
    /// streams.
    pub(crate) fn from_flag(text: &str) -> Option<Self> {
        text.parse().ok().filter(|fd| *fd > 2).map(Self)
    }

    /// As many as `LISTEN_FDS` counts (sd_listen_fds(3)).
    pub(crate) fn from_systemd(count: u16) -> impl Iterator<Item = Self> {
        (FIRST_OF_SYSTEMD..).take(usize::from(count)).map(Self)
    }

    /// Takes the descriptor over and marks it close-on-exec. To be called before the process opens
    /// anything that it keeps: what is open under this number is then the supervisor's.
    ///
    /// # Errors
    /// When nothing is open there, or it was taken before.
    pub(crate) fn take(self) -> io::Result<OwnedFd> {
        static TAKEN: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.contains(&self.0) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "is taken twice",
            ));
        }
        // SAFETY: F_SETFD passes no pointers; a wrong descriptor is an error, not a fault.
        check(unsafe { libc::fcntl(self.0, libc::F_SETFD, libc::FD_CLOEXEC) })?;
        taken.push(self.0);
        // SAFETY: the descriptor is open, it was handed to this process by number, and the list has
        // it now: nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(self.0) })
    }
}

impl fmt::Display for InheritedFd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;

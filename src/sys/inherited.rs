//! File descriptors that a supervisor opened for this process and named by number.

use std::fmt;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use super::result::check;

/// systemd's first descriptor (sd_listen_fds(3)).
const FIRST_OF_SYSTEMD: RawFd = 3;

/// A file descriptor that a supervisor opened. It can be constructed only from a flag value or from
/// `LISTEN_FDS`. It is never the number of a file that this process opened itself.
#[derive(Debug, PartialEq, Eq)]
pub struct InheritedFd(RawFd);

impl InheritedFd {
    /// The number in a flag value. `None` if it is not a number above 2: 0 to 2 are the standard
    /// streams.
    pub(crate) fn from_flag(text: &str) -> Option<Self> {
        text.parse().ok().filter(|fd| *fd > 2).map(Self)
    }

    /// The descriptors that `LISTEN_FDS` counts (sd_listen_fds(3)).
    pub(crate) fn from_systemd(count: u16) -> impl Iterator<Item = Self> {
        (FIRST_OF_SYSTEMD..).take(usize::from(count)).map(Self)
    }

    /// Takes ownership of the descriptor and marks it close-on-exec. Must be called before the
    /// process opens anything that it keeps, so that an open descriptor of this number is the
    /// supervisor's.
    ///
    /// # Errors
    /// If nothing is open under this number, or if it was taken before.
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
        // SAFETY: the descriptor is open, it was passed to this process by number, and the list of
        // taken numbers contains it now, so there is no other owner.
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

//! Passes one reply from its source to its reader, within limits.

use std::time::Duration;

use super::buffer::ReadBuffer;
use super::error::Problem;
use super::reply::{Proof, Reply};
use crate::net::deadline::Deadline;

/// Limits of a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Deadline of the scrape.
    pub deadline: Deadline,
    /// Maximum size of one reply in bytes.
    pub max_bytes: u64,
}

impl Limits {
    /// The limits of an optional command: a quarter of the remaining time, so that a command that
    /// hangs loses only its own metrics.
    pub(crate) fn of_extra(self) -> Self {
        self.part(4)
    }

    /// The limits of a command that is sent at intervals: a quarter of the remaining time, or `least` if that
    /// is more; `None` if there is not so much. Without `least`, half of what there is. A reply has at most
    /// `max_bytes`.
    pub(crate) fn of_periodic(self, least: Option<Duration>, max_bytes: u64) -> Option<Self> {
        let left = self.deadline.remaining()?;
        let time = match least {
            Some(least) if left < least => return None,
            Some(least) => least.max(left / 4),
            None => left / 2,
        };
        Some(Self {
            deadline: self.deadline.or_after(time),
            max_bytes: self.max_bytes.min(max_bytes),
        })
    }

    /// Half of the remaining time: for one of several commands, each of which can hang.
    pub(crate) fn half(self) -> Self {
        self.part(2)
    }

    fn part(self, of: u32) -> Self {
        let left = self.deadline.remaining().unwrap_or_default();
        Self {
            deadline: self.deadline.or_after(left / of),
            ..self
        }
    }
}

/// Passes bytes to a reply and keeps those that it does not take yet.
pub(crate) struct Reader<'a> {
    reply: &'a mut dyn Reply,
    buffer: &'a mut ReadBuffer,
    /// The limits of this reply.
    pub(super) limits: Limits,
    /// Number of bytes of this reply that were taken.
    taken: u64,
}

impl<'a> Reader<'a> {
    /// Bytes that are already in `buffer` are the beginning of the reply.
    pub(super) fn new(
        reply: &'a mut dyn Reply,
        buffer: &'a mut ReadBuffer,
        limits: Limits,
    ) -> Self {
        Self {
            reply,
            buffer,
            limits,
            taken: 0,
        }
    }

    /// Room to receive into.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.buffer.room()
    }

    /// `count` bytes were received into the room.
    pub(super) fn received(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// Appends bytes to those that are not taken yet; returns how many fit.
    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        self.buffer.put(bytes)
    }

    /// Passes on the bytes up to the empty line that ends a reply of the CLI. Returns whether that
    /// line was there. Bytes after it stay in the buffer: they belong to the next reply.
    ///
    /// # Errors
    /// If a limit is exceeded.
    pub(super) fn take_up_to_end(&mut self) -> Result<bool, Problem> {
        let data = self.buffer.data();
        // The limit applies to this reply only, and bytes beyond it are not read.
        let left =
            usize::try_from(self.limits.max_bytes.saturating_sub(self.taken)).unwrap_or(usize::MAX);
        let exceeds = data.len() > left;
        let taken = self.reply.push(&data[..data.len().min(left)])?;
        self.buffer.take(taken.bytes);
        self.taken += taken.bytes as u64;
        if exceeds && !taken.ends {
            return Err(Problem::TooLarge(self.limits.max_bytes));
        }
        Ok(taken.ends)
    }

    /// Passes on the bytes of a reply whose end is known from the transport, not from an empty
    /// line.
    ///
    /// # Errors
    /// If a limit is exceeded.
    pub(super) fn take(&mut self) -> Result<(), Problem> {
        while self.take_up_to_end()? {}
        Ok(())
    }

    /// The empty line that ends a reply of the CLI was taken.
    ///
    /// # Errors
    /// If the reply is of another kind.
    pub(super) fn finish_at_end(&mut self) -> Result<(), Problem> {
        Ok(self.reply.finish(&[], Proof::EmptyLine)?)
    }

    /// All bytes of the reply have arrived; `proof` shows whether it is complete.
    ///
    /// # Errors
    /// If it is incomplete, or of another kind.
    pub(super) fn finish(&mut self, proof: Proof) -> Result<(), Problem> {
        Ok(self.reply.finish(self.buffer.data(), proof)?)
    }

    /// The error of a reply that ended with `problem`. If the reply is of another kind, that tells
    /// more than how it ended.
    pub(super) fn broken(&mut self, problem: Problem) -> Problem {
        match self.reply.finish(self.buffer.data(), Proof::EmptyLine) {
            Err(error) if error.is_no_statistics() => error.into(),
            _ => problem,
        }
    }

    /// Takes a text that is not part of the reply. Returns whether it was there, `None` if only a part of it has
    /// arrived.
    pub(super) fn skip(&mut self, text: &[u8]) -> Option<bool> {
        let data = self.buffer.data();
        if text.len() > data.len() && text.starts_with(data) {
            return None;
        }
        let is_there = data.starts_with(text);
        if is_there {
            self.buffer.take(text.len());
            self.taken += text.len() as u64;
        }
        Some(is_there)
    }

    /// Number of bytes of the reply that were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether there are bytes that no reply has taken.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.data().is_empty()
    }
}

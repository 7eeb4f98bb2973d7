//! One answer on its way from a source to its reply, within its limits.

use super::buffer::ReadBuffer;
use super::error::Problem;
use super::reply::{Proof, Reply};
use crate::net::deadline::Deadline;

/// What an answer may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The end of the scrape's time.
    pub deadline: Deadline,
    /// Most bytes of one answer.
    pub max_bytes: u64,
}

impl Limits {
    /// Those of what can be done without: a quarter of the time that is left, so that what hangs costs
    /// its own metrics, and not the statistics.
    pub(crate) fn of_extra(self) -> Self {
        self.part(4)
    }

    /// Half of the time that is left: for one of several questions, of which any may hang.
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

/// Hands bytes on to a reply and keeps what it does not take yet.
pub(crate) struct Reader<'a> {
    reply: &'a mut dyn Reply,
    buffer: &'a mut ReadBuffer,
    /// The limits of this answer.
    pub(super) limits: Limits,
    /// Bytes of this answer that the reply took.
    taken: u64,
}

impl<'a> Reader<'a> {
    /// What is in `buffer` already is the beginning of the answer.
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

    /// `count` bytes of the room were received.
    pub(super) fn received(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// Copies bytes behind those that are not taken yet; returns how many found room.
    pub(super) fn put(&mut self, bytes: &[u8]) -> usize {
        self.buffer.put(bytes)
    }

    /// Hands on what came, up to the empty line that ends an answer of the CLI; returns whether that
    /// was there. What is behind it stays in the buffer: it belongs to the next answer.
    ///
    /// # Errors
    /// When a limit is passed.
    pub(super) fn take_up_to_end(&mut self) -> Result<bool, Problem> {
        let data = self.buffer.data();
        // The limit holds for this answer alone, and what is beyond it is not looked at.
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

    /// The same where not an empty line but the transport ends the answer.
    ///
    /// # Errors
    /// When a limit is passed.
    pub(super) fn take(&mut self) -> Result<(), Problem> {
        while self.take_up_to_end()? {}
        Ok(())
    }

    /// The empty line that ends an answer of the CLI was taken.
    ///
    /// # Errors
    /// When the answer is of another kind.
    pub(super) fn finish_at_end(&mut self) -> Result<(), Problem> {
        Ok(self.reply.finish(&[], Proof::EmptyLine)?)
    }

    /// All bytes of the answer have come; `proof` is what must show that nothing is missing.
    ///
    /// # Errors
    /// When something is, or the answer is of another kind.
    pub(super) fn finish(&mut self, proof: Proof) -> Result<(), Problem> {
        Ok(self.reply.finish(self.buffer.data(), proof)?)
    }

    /// What is wrong with an answer that broke off with `problem`: if it is of another kind, that
    /// says more than how it ended.
    pub(super) fn broken(&mut self, problem: Problem) -> Problem {
        match self.reply.finish(self.buffer.data(), Proof::EmptyLine) {
            Err(error) if error.is_no_statistics() => error.into(),
            _ => problem,
        }
    }

    /// Bytes of the answer that the reply took.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether bytes are there that no reply has taken.
    pub(super) fn has_more(&self) -> bool {
        !self.buffer.data().is_empty()
    }
}

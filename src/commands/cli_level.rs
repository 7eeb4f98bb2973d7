//! `show cli level`: what the socket lets its clients do (`level` of `stats socket`; management guide, 9.3),
//! for `--check`. Known from HAProxy 1.8 on.

use crate::haproxy::buffer::ReadBuffer;
use crate::haproxy::error::SourceError;
use crate::haproxy::lines::Lines;
use crate::haproxy::reader::Limits;
use crate::haproxy::reply::{Need, Proof, Question, Reply, ReplyError, Taken};
use crate::haproxy::source::Source;

const ASK: &str = "show cli level";
/// The levels, in the order of what they allow.
const LEVELS: [&[u8]; 3] = [b"user", b"operator", b"admin"];

#[derive(Default)]
struct Level(Lines);

impl Reply for Level {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        self.0.push(input)
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        self.0.finish(rest, ASK, |line| LEVELS.contains(&line))
    }
}

/// The level of a CLI socket.
///
/// # Errors
/// If there was no reply, or another one.
pub(crate) fn of(
    source: &mut Source,
    limits: Limits,
    buffer: &mut ReadBuffer,
) -> Result<String, SourceError> {
    let mut level = Level::default();
    let mut questions = [Question::new(ASK, Need::All, &mut level)];
    source.ask(&mut questions, limits, buffer)?;
    let line = level.0.iter().next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

//! HAProxy's CLI on a unix or TCP socket (management guide, 9.3).
//!
//! All commands are sent in one line on one connection, joined with `;`. HAProxy replies to them in
//! order, each reply with an empty line at its end, and closes the connection. The separator is not
//! a newline, because 3.2 and later run only the first line. There is no `;` at the end, because
//! 2.4 and 2.6 reply to it with the usage text. In prompt mode (`prompt.rs`) HAProxy replies to one
//! line after another.

use std::io;
use std::time::{Duration, Instant};

use super::advice::Asked;
use super::buffer::ReadBuffer;
use super::error::{Problem, SourceError};
use super::link::{self, End, Link};
use super::pace::Pace;
use super::reader::{Limits, Reader};
use super::reply::{Need, Proof, Question, Reply};
use super::uri::UnixName;
use crate::net::address::HostPort;
use crate::net::deadline::Deadline;
use crate::net::error::NetError;
use crate::net::resolve::Resolver;
use crate::net::stream::Stream;
use crate::sys::UnixAddress;

/// A CLI socket.
pub(crate) struct SocketSource {
    address: Address,
    object: String,
    /// The command line; kept to save an allocation per scrape.
    line: Vec<u8>,
    is_master: bool,
    spent: Spent,
    /// Maximum number of bytes that the socket held on the last connection.
    most_held: usize,
}

/// What a source has sent and received since it was made; HAProxy counts it in its own statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    /// Connections; HAProxy counts each as a request too.
    pub connections: u64,
    /// Size of the replies in bytes.
    pub bytes: u64,
}

enum Address {
    Unix(UnixName),
    Tcp(HostPort, Resolver),
}

impl Spent {
    /// What HAProxy had counted when it wrote the last reply, of this number of bytes: it counts
    /// before it sends.
    pub(crate) fn before_answer(self, bytes: u64) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(bytes),
            ..self
        }
    }

    /// What was added since `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            connections: self.connections.saturating_sub(before.connections),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }
}

impl SocketSource {
    /// A unix socket.
    pub(crate) fn unix(name: &UnixName) -> Self {
        let text = match name {
            UnixName::Path(path) => path.clone(),
            UnixName::Abstract(name) => format!("@{name}"),
        };
        Self::new(Address::Unix(name.clone()), format!("unix socket {text}"))
    }

    /// A TCP socket.
    pub(crate) fn tcp(host: &HostPort) -> Self {
        let address = Address::Tcp(host.clone(), Resolver::system());
        Self::new(address, format!("tcp socket {host}"))
    }

    fn new(address: Address, object: String) -> Self {
        Self {
            address,
            object,
            line: Vec::new(),
            is_master: false,
            spent: Spent::default(),
            most_held: 0,
        }
    }

    /// The same socket as the CLI of a master process (`-S`), which accepts one command per
    /// connection: it closes after a reply only if it has seen the end of the commands.
    pub(crate) fn of_master(self) -> Self {
        let object = format!("master {}", self.object);
        Self {
            object,
            is_master: true,
            ..self
        }
    }

    /// What was sent to it and received.
    pub(crate) fn spent(&self) -> Spent {
        self.spent
    }

    /// See `Source::ask`.
    ///
    /// # Errors
    /// If a required reply could not be read.
    pub(crate) fn ask(
        &mut self,
        questions: &mut [Question<'_>],
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(), SourceError> {
        let mut link = self.connect(limits.deadline)?;
        let mut commands = questions.iter().map(|question| question.command);
        self.send(&mut link, &mut commands, limits.deadline)?;
        self.read_all(&mut link, questions, true, limits, buffer)
    }

    /// Reads the replies in order. `are_last`: no replies to other commands of this line follow.
    ///
    /// # Errors
    /// If a required reply could not be read.
    pub(super) fn read_all(
        &mut self,
        link: &mut Link,
        questions: &mut [Question<'_>],
        are_last: bool,
        limits: Limits,
        buffer: &mut ReadBuffer,
    ) -> Result<(), SourceError> {
        let last = questions.len().saturating_sub(1);
        let mut is_broken = false;
        let mut received = 0;
        for (position, question) in questions.iter_mut().enumerate() {
            let limits = match question.need {
                Need::All => limits,
                Need::Extra => limits.of_extra(),
            };
            let problem = if is_broken {
                Some(Problem::BehindBroken)
            } else {
                let reader = &mut Reader::new(question.reply, buffer, limits);
                let began = Instant::now();
                let read = link::read(link, reader, are_last && position == last);
                question.took = Some(began.elapsed());
                question.bytes = reader.taken();
                self.spent.bytes += question.bytes;
                received += question.bytes;
                if let Some(pace) = link.pace() {
                    self.most_held = most_held(self.most_held, pace.most_held(), received);
                }
                is_broken = !matches!(read, Ok(End::EmptyLine));
                read.and_then(|end| match end {
                    End::EmptyLine => reader.finish_at_end(),
                    // The error is that the empty line is missing.
                    End::Closed => reader.finish(Proof::EmptyLine),
                })
                .err()
            };
            match (problem, question.need) {
                (None, _) => {}
                (Some(problem), Need::All) => {
                    return Err(self.error(problem, Some(&*question.reply)));
                }
                (Some(problem), Need::Extra) => {
                    question.failure = Some(self.error(problem, Some(&*question.reply)));
                }
            }
        }
        Ok(())
    }

    /// Only a unix socket of a process that prints rows is paced: over TCP, HAProxy can send more
    /// at a time, and that amount grows.
    pub(crate) fn is_paced(&self) -> bool {
        matches!(self.address, Address::Unix(_)) && !self.is_master
    }

    fn pace(&self, deadline: Deadline) -> Option<Pace> {
        let time = deadline.remaining().filter(|_| self.is_paced())?;
        Some(Pace::new(Duration::ZERO, time, self.most_held))
    }

    fn error(&self, problem: Problem, reply: Option<&dyn Reply>) -> SourceError {
        let is_denied = match (&problem, reply) {
            (Problem::Reply(error), Some(reply)) => reply.is_denial(error),
            _ => false,
        };
        let asked = match &self.address {
            Address::Tcp(..) => Asked::Tcp,
            Address::Unix(name) => Asked::Unix {
                path: match name {
                    UnixName::Path(path) => Some(path),
                    UnixName::Abstract(_) => None,
                },
                is_master: self.is_master,
            },
        };
        SourceError::new(&self.object, problem, asked, is_denied)
    }

    /// Connects.
    ///
    /// # Errors
    /// If it is impossible.
    pub(super) fn connect(&mut self, deadline: Deadline) -> Result<Link, SourceError> {
        let stream = match &mut self.address {
            Address::Unix(name) => connect_unix(name, deadline),
            Address::Tcp(address, resolver) => Stream::connect(address, resolver, deadline),
        };
        let stream = stream.map_err(|error| self.error(error.into(), None))?;
        self.spent.connections += 1;
        Ok(Link::new(stream))
    }

    /// Sends all commands in one line. Replies to a line that was sent before are read by now.
    ///
    /// # Errors
    /// If it could not be sent.
    pub(super) fn send(
        &mut self,
        link: &mut Link,
        commands: &mut dyn Iterator<Item = &str>,
        deadline: Deadline,
    ) -> Result<(), SourceError> {
        self.line.clear();
        for command in commands {
            if !self.line.is_empty() {
                self.line.push(b';');
            }
            self.line.extend_from_slice(command.as_bytes());
        }
        self.line.push(b'\n');
        link.send(&self.line, self.pace(deadline), deadline)
            .map_err(|error| self.error(error.into(), None))?;
        if self.is_master {
            link.end_sending();
        }
        Ok(())
    }

    /// Switches a connection to prompt mode.
    ///
    /// # Errors
    /// If no prompt has arrived.
    pub(super) fn prompt(
        &mut self,
        link: &mut Link,
        deadline: Deadline,
    ) -> Result<(), SourceError> {
        let bytes = link.prompt(deadline);
        let bytes = bytes.map_err(|problem| self.error(problem, None))?;
        self.spent.bytes += bytes as u64;
        Ok(())
    }
}

/// What the next connection can expect the socket to hold, in bytes: `held` as on the last one, unless that
/// `received` less than is `known`. The reply to a command about certificates can be small.
fn most_held(known: usize, held: usize, received: u64) -> usize {
    match received < known as u64 {
        true => known,
        false => held,
    }
}

/// Connects to a unix socket. `abns@name` of HAProxy pads the name with NULs to the full length,
/// `abnsz@name` (3.1) does not. The second is tried if the first has no listener.
fn connect_unix(name: &UnixName, deadline: Deadline) -> Result<Stream, NetError> {
    let connect = |address| Stream::connect_unix(address, deadline);
    match name {
        UnixName::Path(path) => connect(UnixAddress::Path(path.as_bytes())),
        UnixName::Abstract(name) => match connect(UnixAddress::PaddedAbstract(name.as_bytes())) {
            Err(NetError::Io(_, e)) if e.kind() == io::ErrorKind::ConnectionRefused => {
                connect(UnixAddress::Abstract(name.as_bytes()))
            }
            other => other,
        },
    }
}

#[cfg(test)]
mod tests;

//! What a fake HAProxy does for each command.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Send bytes at once.
    Send(Vec<u8>),
    /// Send bytes one at a time, with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Send the same bytes again and again until the reader or the test goes away.
    Repeat(Vec<u8>),
    /// Wait until so many commands, or HTTP requests, have come in since the script was set.
    AwaitCommands(usize),
    /// Wait until the test sets other scripts.
    AwaitChange,
    /// Say nothing more, but stay connected until the other side leaves.
    Hold,
    /// Do what the function says for the command.
    Choose(Choice),
    /// Close, whatever else was asked.
    Close,
    /// Close while a part of the request is unread: the reader sees a reset.
    Reset,
}

/// A function that chooses what to do for a command.
#[derive(Clone)]
pub(crate) struct Choice(Arc<dyn Fn(&str) -> Script + Send + Sync>);

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function")
    }
}

impl Act {
    pub(crate) fn choose(choose: impl Fn(&str) -> Script + Send + Sync + 'static) -> Act {
        Act::Choose(Choice(Arc::new(choose)))
    }
}

/// What happens after a command or an HTTP request.
pub(crate) type Script = Vec<Act>;

/// The scripts by request. An HTTP request gets `stat`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    pub(crate) stat: Script,
    pub(crate) info: Script,
}

impl Answers {
    /// Both commands answered whole.
    pub(crate) fn whole(stat: &[u8], info: &[u8]) -> Answers {
        Answers {
            stat: vec![Act::Send(stat.to_vec())],
            info: vec![Act::Send(info.to_vec())],
        }
    }

    /// Whatever the function says for each command.
    pub(crate) fn chosen(choose: impl Fn(&str) -> Script + Send + Sync + 'static) -> Answers {
        let script = vec![Act::choose(choose)];
        Answers {
            stat: script.clone(),
            info: script,
        }
    }

    /// A stats page, head and all.
    pub(crate) fn page(answer: &[u8]) -> Answers {
        Answers {
            stat: vec![Act::Send(answer.to_vec())],
            info: Script::new(),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Protocol {
    Cli,
    Http,
    Master,
}

impl Answers {
    /// Whether the last script for a request, as far as it is clear, ends with a reset.
    pub(super) fn is_reset_at(&self, request: &[u8], protocol: Protocol) -> bool {
        let script = match protocol {
            Protocol::Master => &chosen(&self.stat, request),
            Protocol::Http if request.ends_with(b"\r\n\r") => &self.stat,
            Protocol::Http => return false,
            Protocol::Cli => match request.rsplit(|byte| *byte == b';').next() {
                Some(command) if is_clear(command) => self.script(command),
                _ => return false,
            },
        };
        matches!(script.last(), Some(Act::Reset))
    }

    /// The scripts for a request.
    pub(super) fn to(&self, request: &[u8], protocol: Protocol) -> Vec<Script> {
        if protocol != Protocol::Cli {
            return vec![chosen(&self.stat, request)];
        }
        let commands = request.trim_ascii_end().split(|byte| *byte == b';');
        let script = |command: &[u8]| chosen(self.script(command), command);
        commands
            .filter(|command| is_clear(command))
            .map(script)
            .collect()
    }

    fn script(&self, command: &[u8]) -> &Script {
        match command.starts_with(b"show i") {
            true => &self.info,
            false => &self.stat,
        }
    }
}

fn chosen(script: &Script, command: &[u8]) -> Script {
    match script.as_slice() {
        [Act::Choose(Choice(choose))] => choose(&String::from_utf8_lossy(command)),
        script => script.to_vec(),
    }
}

fn is_clear(command: &[u8]) -> bool {
    command.len() >= "show s".len()
}

/// The end of what was sent of one answer.
#[derive(Default)]
pub(super) struct Sent {
    count: usize,
    last: [u8; 2],
}

impl Sent {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.count += bytes.len();
        for byte in bytes.iter().rev().take(2).rev() {
            self.last = [self.last[1], *byte];
        }
    }

    /// Whether the answer has its empty line.
    pub(super) fn is_whole(&self) -> bool {
        self.last == *b"\n\n" || (self.count == 1 && self.last[1] == b'\n')
    }
}

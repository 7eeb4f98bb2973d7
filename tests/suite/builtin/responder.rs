//! A HAProxy whose CLI answers what a scrape asks, in the order it is asked, and badly where it is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use super::answers::Answers;
use crate::support::fake_haproxy::{self, Act, Fake, Script};
use crate::support::peers;

/// What becomes of one command.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Another answer, with the closing empty line if it has one.
    Say(String),
    /// The first half of the answer, then the end of the connection.
    Cut,
    /// Nothing more, until the other side leaves.
    Hang,
    /// The answer, its first line again and again until it has so many bytes.
    Blow(usize),
}

/// Listens on a unix socket until it goes out of scope.
pub(super) struct Responder {
    fake: Fake,
    state: Arc<Mutex<State>>,
    _directory: TempDir,
}

struct State {
    answers: Answers,
    /// By the beginning of the command.
    faults: Vec<(&'static str, Fault)>,
    /// Whether answers wait.
    is_held: bool,
}

impl Responder {
    pub(super) fn start(answers: Answers) -> Responder {
        let directory = TempDir::new().expect("a temporary directory");
        let state = Arc::new(Mutex::new(State {
            answers,
            faults: Vec::new(),
            is_held: false,
        }));
        let scripts = scripts(&state);
        Responder {
            fake: Fake::unix(&directory.path().join("s"), scripts),
            state,
            _directory: directory,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The flag that points the exporter here.
    pub(super) fn flag(&self) -> String {
        format!("--haproxy.scrape-uri={}", self.fake.uri())
    }

    /// How the exporter names it in errors.
    pub(super) fn object(&self) -> String {
        self.fake.object()
    }

    /// From now on these commands go wrong, and no others.
    pub(super) fn set_faults(&self, faults: &[(&'static str, Fault)]) {
        self.state().faults = faults.to_vec();
    }

    /// From now on it answers so.
    pub(super) fn set_answers(&self, answers: Answers) {
        self.state().answers = answers;
    }

    /// Answers nothing until it is released.
    pub(super) fn hold(&self) {
        self.state().is_held = true;
    }

    /// Forgets the lines so far.
    pub(super) fn release(&self) {
        self.state().is_held = false;
        self.fake.set(scripts(&self.state));
    }

    /// Waits until lines have come, and takes them.
    pub(super) fn wait_for_lines(&self) -> Vec<String> {
        let lines = || Some(self.take_lines()).filter(|lines| !lines.is_empty());
        peers::wait_for("a line of commands", lines)
    }

    /// The lines since the last call, one for each connection.
    pub(super) fn take_lines(&self) -> Vec<String> {
        let lines = self.fake.take_requests().into_iter();
        lines.map(|line| line.trim_end().to_owned()).collect()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn scripts(state: &Arc<Mutex<State>>) -> fake_haproxy::Answers {
    let state = Arc::clone(state);
    fake_haproxy::Answers::chosen(move |command| lock(&state).script(command))
}

impl State {
    fn script(&self, command: &str) -> Script {
        let answer = format!("{}\n", answer(&self.answers, command));
        let fault = self.faults.iter().find(|(of, _)| command.starts_with(of));
        let last = match fault.map(|(_, fault)| fault) {
            None => Act::Send(answer.into_bytes()),
            Some(Fault::Say(text)) => Act::Send(text.clone().into_bytes()),
            Some(Fault::Cut) => Act::Send(answer.as_bytes()[..answer.len() / 2].to_vec()),
            Some(Fault::Hang) => Act::Hold,
            Some(Fault::Blow(bytes)) => {
                let first = answer.split_inclusive('\n').next().expect("a line");
                let many = first.repeat(bytes / first.len());
                Act::Send((many + &answer).into_bytes())
            }
        };
        let held = self.is_held.then_some(Act::AwaitChange);
        held.into_iter().chain([last]).collect()
    }
}

/// What HAProxy says to a command, without the closing empty line.
fn answer(answers: &Answers, command: &str) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    match words[..] {
        ["show", "info"] => answers.info.clone(),
        ["show", "table"] => answers.tables.clone(),
        ["show", "stat"] => answers.stat.clone(),
        ["show", "resolvers"] => answers.names.clone(),
        ["show", "stat", "domain", word] if word == answers.domain() => answers.resolvers.clone(),
        ["show", "stat", "domain", _] => "Invalid statistics domain.\n".to_owned(),
        ["show", "stat", proxy, mask, "-1"] => {
            let mask: u32 = mask.parse().expect("a mask");
            of_proxy(&masked(&answers.stat, mask), proxy)
        }
        _ => format!(
            "Unknown command: '{command}', but maybe one of the following ones is a better match:\n"
        ),
    }
}

/// The header and the rows of a proxy by its number, or of all if it is -1.
fn of_proxy(stat: &str, proxy: &str) -> String {
    let at = column(stat, "iid");
    let rows = stat.split_inclusive('\n').enumerate();
    let wanted = rows.filter(|(number, line)| {
        *number == 0 || proxy == "-1" || line.split(',').nth(at) == Some(proxy)
    });
    wanted.map(|(_, line)| line).collect()
}

pub(super) fn column(stat: &str, name: &str) -> usize {
    let header = stat.lines().next().expect("a header");
    let at = header.split(',').position(|column| column == name);
    at.unwrap_or_else(|| panic!("no column {name}"))
}

/// The header and the rows of these types: 1 frontends, 2 backends, 4 servers, 8 listeners.
pub(super) fn masked(stat: &str, mask: u32) -> String {
    if mask == 15 {
        return stat.to_owned();
    }
    let at = column(stat, "type");
    let header = stat.lines().next().expect("a header");
    let is_wanted = |line: &&str| {
        let kind: u32 = line
            .split(',')
            .nth(at)
            .and_then(|kind| kind.parse().ok())
            .expect("a type");
        mask >> kind & 1 == 1
    };
    let rows = stat.lines().skip(1).filter(is_wanted);
    std::iter::once(header)
        .chain(rows)
        .map(|line| format!("{line}\n"))
        .collect()
}

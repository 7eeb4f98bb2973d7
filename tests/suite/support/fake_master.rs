//! A master process (`haproxy -W -S`) that says what a test tells it to.
//!
//! As the real one it takes one command a connection and closes it only where the other side has shut
//! down its half: who does not gets no answer. A process that nobody described is not known. It keeps
//! every question.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fake_haproxy::{Act, Answers, Fake, Script};

/// A fake that listens until it is told to refuse.
pub(crate) struct FakeMaster {
    /// `None` while it refuses.
    fake: Option<Fake>,
    uri: String,
    object: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Script>,
    questions: Vec<String>,
    /// Whether connections are closed at once, with what was sent on them unread.
    resets: bool,
}

impl FakeMaster {
    /// On a unix socket at a path, which must be free.
    pub(crate) fn unix(path: PathBuf) -> FakeMaster {
        FakeMaster::on(format!("unix:{}", path.display()))
    }

    /// On a TCP port of its own.
    pub(crate) fn tcp() -> FakeMaster {
        FakeMaster::on("tcp://127.0.0.1:0".to_owned())
    }

    fn on(uri: String) -> FakeMaster {
        let mut master = FakeMaster {
            fake: None,
            uri,
            object: String::new(),
            state: Arc::default(),
        };
        master.listen();
        master
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The flag that leads here.
    pub(crate) fn flag(&self) -> String {
        format!("--haproxy.master-socket={}", self.uri)
    }

    /// How the exporter names it in errors.
    pub(crate) fn object(&self) -> &str {
        &self.object
    }

    /// Adds to what it answers, or changes it.
    pub(crate) fn answer(&self, command: &str, script: Script) {
        self.state().answers.insert(command.to_owned(), script);
    }

    /// Adds a whole answer.
    pub(crate) fn say(&self, command: &str, answer: &[u8]) {
        self.answer(command, vec![Act::Send(answer.to_vec())]);
    }

    /// Forgets all answers.
    pub(crate) fn forget(&self) {
        self.state().answers.clear();
    }

    /// What came since it was last asked for, one connection each, with all that was sent on it.
    pub(crate) fn take_questions(&self) -> Vec<String> {
        std::mem::take(&mut self.state().questions)
    }

    /// Closes each connection with its question unread, or no longer.
    pub(crate) fn reset(&self, resets: bool) {
        self.state().resets = resets;
    }

    /// Listens no longer. A unix socket's file stays.
    pub(crate) fn refuse(&mut self) {
        self.fake = None;
    }

    /// Listens, again.
    pub(crate) fn listen(&mut self) {
        let state = Arc::clone(&self.state);
        let answers = Answers::chosen(move |question| lock(&state).script(question));
        let fake = Fake::master(&self.uri, answers);
        fake.uri().clone_into(&mut self.uri);
        self.object = fake.object();
        self.fake = Some(fake);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Before a question is read it is empty.
    fn script(&mut self, question: &str) -> Script {
        if question.is_empty() {
            return self.resets.then_some(Act::Reset).into_iter().collect();
        }
        self.questions.push(question.to_owned());
        let command = question.trim_end();
        let script = self.answers.get(command).cloned().unwrap_or_else(|| {
            let process = command.split(' ').next().unwrap_or_default();
            let answer = format!("Can't find the target PID matching the prefix '{process}'\n");
            vec![Act::Send(answer.into_bytes())]
        });
        // From here on, with every connection.
        self.resets |= matches!(script.last(), Some(Act::Reset));
        script
    }
}

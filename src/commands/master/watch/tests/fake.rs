//! A master process that knows the replies to some questions.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a question is answered with.
#[derive(Clone)]
pub(super) enum Reply {
    Text(String),
    /// Nothing; the connection stays open.
    Held,
    /// Nothing; the connection is closed.
    Closed,
}

#[derive(Default)]
pub(super) struct Said {
    replies: HashMap<String, Reply>,
    pub(super) asked: Vec<String>,
    held: Vec<UnixStream>,
    is_over: bool,
}

/// A master that knows the replies to some questions.
pub(super) struct Fake {
    pub(super) path: PathBuf,
    pub(super) said: Arc<Mutex<Said>>,
    thread: Option<JoinHandle<()>>,
    _directory: tempfile::TempDir,
}

impl Fake {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let said = Arc::new(Mutex::new(Said::default()));
        let thread = std::thread::spawn({
            let said = Arc::clone(&said);
            move || while Self::answer(&listener.accept().unwrap().0, &said) {}
        });
        Self {
            path,
            said,
            thread: Some(thread),
            _directory: directory,
        }
    }

    /// Takes a question; `false` once nothing more will come.
    fn answer(mut stream: &UnixStream, said: &Mutex<Said>) -> bool {
        let mut question = String::new();
        stream.read_to_string(&mut question).unwrap();
        let mut said = said.lock().unwrap();
        if said.is_over {
            return false;
        }
        let question = question.trim_end().to_owned();
        let unknown =
            || Reply::Text("Can't find the target PID matching the prefix '@!'\n".to_owned());
        let reply = said.replies.get(&question).cloned();
        match reply.unwrap_or_else(unknown) {
            // The client may have gone.
            Reply::Text(text) => drop(stream.write_all(text.as_bytes())),
            Reply::Held => said.held.push(stream.try_clone().unwrap()),
            Reply::Closed => {}
        }
        said.asked.push(question);
        true
    }

    pub(super) fn reply(&self, question: &str, reply: Reply) {
        let replies = &mut self.said.lock().unwrap().replies;
        replies.insert(question.to_owned(), reply);
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.said.lock().unwrap().asked)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.said.lock().unwrap().is_over = true;
        drop(UnixStream::connect(&self.path));
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

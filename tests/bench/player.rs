//! Plays HAProxy's answers of before again: for numbers that a HAProxy without traffic does not have.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

/// Whoever connects to its socket gets the same answers.
pub(crate) struct Player {
    pub(crate) socket: PathBuf,
    _directory: tempfile::TempDir,
}

impl Player {
    /// Plays `stat`, and `info`, which each end in an empty line. Its thread ends with the process.
    pub(crate) fn start(stat: String, info: String) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("a player: {error}");
        let directory = tempfile::tempdir().map_err(failed)?;
        let socket = directory.path().join("stats.sock");
        let listener = UnixListener::bind(&socket).map_err(failed)?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever leaves early has no need of the rest.
                let _ = answer(stream, &stat, &info);
            }
        });
        Ok(Self {
            socket,
            _directory: directory,
        })
    }
}

/// Answers one line of commands.
fn answer(mut stream: UnixStream, stat: &str, info: &str) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    for command in line.trim().split(';') {
        let answer = match command {
            _ if command.starts_with("show stat") => stat,
            _ if command.starts_with("show info") => info,
            _ => "Unknown command.\n\n",
        };
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

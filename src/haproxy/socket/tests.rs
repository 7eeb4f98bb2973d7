use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::commands::info::Info;
use crate::haproxy::reply::{Reply, ReplyError, Taken};

/// Keeps the lines of an answer.
#[derive(Default)]
struct Lines(String);

impl Reply for Lines {
    fn push(&mut self, input: &[u8]) -> Result<Taken, ReplyError> {
        let mut bytes = 0;
        while let Some(end) = memchr::memchr(b'\n', &input[bytes..]) {
            let line = str::from_utf8(&input[bytes..bytes + end]).unwrap();
            bytes += end + 1;
            self.0.push_str(line);
            self.0.push('|');
            if line.is_empty() {
                return Ok(Taken { bytes, ends: true });
            }
        }
        Ok(Taken { bytes, ends: false })
    }

    fn finish(&mut self, rest: &[u8], _: Proof) -> Result<(), ReplyError> {
        match rest.is_empty() && (self.0 == "|" || self.0.ends_with("||")) {
            true => Ok(()),
            false => Err(ReplyError::Cut(Proof::EmptyLine)),
        }
    }
}

/// Asks a peer that sends `pieces` and closes; returns what it received, the result, and for each
/// question the lines or its failure.
fn ask(needs: &[Need], pieces: &[&str], max_bytes: u64) -> (String, String, Vec<String>) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("haproxy-exporter-unit-test-{}-{number}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let mut source = SocketSource::unix(&UnixName::Abstract(name));
    let mut replies: Vec<Lines> = needs.iter().map(|_| Lines::default()).collect();
    let commands = ["one", "two", "three", "four"];
    let mut questions: Vec<Question<'_>> = replies
        .iter_mut()
        .zip(needs)
        .zip(commands)
        .map(|((reply, need), command)| Question::new(command, *need, reply))
        .collect();
    let limits = Limits {
        deadline: Deadline::after(Duration::from_secs(60)),
        max_bytes,
    };
    let (received, result) = std::thread::scope(|scope| {
        let peer = scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut received = Vec::new();
            while !received.ends_with(b"\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                received.extend(byte);
            }
            for piece in pieces {
                // The exporter may have seen enough.
                let _ = stream.write_all(piece.as_bytes());
            }
            String::from_utf8(received).unwrap()
        });
        let result = source.ask(&mut questions, limits, &mut ReadBuffer::default());
        (peer.join().unwrap(), result)
    });
    let result = match result {
        Ok(()) => String::new(),
        Err(error) => error.problem.to_string(),
    };
    let failures: Vec<Option<String>> = questions
        .into_iter()
        .map(|question| question.failure.map(|failure| failure.problem.to_string()))
        .collect();
    let outcomes = replies.into_iter().zip(failures);
    let outcomes = outcomes.map(|(reply, failure)| failure.unwrap_or(reply.0));
    (received, result, outcomes.collect())
}

const CUT: &str = "reply cut: the closing empty line is missing";
const BEHIND: &str = "read: the previous reply was cut";
const TOO_MUCH: &str = "read: more came behind the closing empty line";

#[test]
fn commands_go_out_in_one_line() {
    let cases = [("one\n", 1), ("one;two\n", 2), ("one;two;three;four\n", 4)];
    for (expected, count) in cases {
        let (received, result, _) = ask(&vec![Need::All; count], &["\n".repeat(count).as_str()], 9);
        assert_eq!((received.as_str(), result.as_str()), (expected, ""));
    }
}

/// What each question gets, whatever pieces the answers come in.
#[test]
fn answers_go_to_their_questions() {
    use Need::{All, Extra};
    #[rustfmt::skip]
    let cases: [(&[Need], &str, &str, &[&str]); 13] = [
        (&[All], "a\n\n", "", &["a||"]),
        (&[All, All, All], "a\n\nb\nc\n\n\n", "", &["a||", "b|c||", "|"]),
        (&[All, Extra, Extra], "\n\n\n", "", &["|", "|", "|"]),
        (&[All, Extra, Extra], "a\n\nb\n\n", "", &["a||", "b||", CUT]),
        (&[All, Extra, Extra], "a\n\nb\n", "", &["a||", CUT, BEHIND]),
        (&[All, Extra, Extra], "a\n\n", "", &["a||", CUT, BEHIND]),
        (&[All, Extra, Extra], "a\n", CUT, &["a|", "", ""]),
        (&[All, Extra, All], "a\n\nb\n", BEHIND, &["a||", CUT, ""]),
        (&[All, Extra], "a\n\nb\n\nc", "", &["a||", TOO_MUCH]),
        (&[All, Extra], "a\n\nb\n\n\n", "", &["a||", TOO_MUCH]),
        (&[All], "a\n\n\n", TOO_MUCH, &["a||"]),
        (&[All, All], "", CUT, &["", ""]),
        (&[Extra, Extra], "", "", &[CUT, BEHIND]),
    ];
    for (needs, answer, expected, outcomes) in cases {
        let bytes: Vec<&str> = answer.split_inclusive(|_| true).collect();
        for pieces in [&[answer][..], &bytes] {
            let (_, result, found) = ask(needs, pieces, 100);
            assert_eq!(
                (result.as_str(), &found[..]),
                (
                    expected,
                    &outcomes
                        .iter()
                        .map(|text| (*text).to_owned())
                        .collect::<Vec<_>>()[..]
                ),
                "{needs:?} {answer:?}"
            );
        }
    }
}

/// The limit is that of each answer; an answer behind does not count.
#[test]
fn an_answer_is_as_large_as_allowed() {
    let at_once = ["aaa\n\nbbb\n\n"];
    let (_, result, outcomes) = ask(&[Need::All, Need::All], &at_once, 5);
    assert_eq!(
        (result.as_str(), &outcomes[..]),
        ("", &["aaa||".to_owned(), "bbb||".to_owned()][..])
    );
    let (_, result, _) = ask(&[Need::All, Need::All], &at_once, 4);
    assert_eq!(result, "read: the reply is larger than 4 bytes");
}

/// A reply that refuses its whole answer does not cost the next.
#[test]
fn a_refused_answer_ends_where_it_ends() {
    let name = format!("haproxy-exporter-unit-test-{}-refused", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let mut source = SocketSource::unix(&UnixName::Abstract(name));
    let (mut info, mut lines) = (Info::default(), Lines::default());
    let mut questions = [
        Question::new("show info", Need::Extra, &mut info),
        Question::new("other", Need::All, &mut lines),
    ];
    let limits = Limits {
        deadline: Deadline::after(Duration::from_secs(60)),
        max_bytes: 1000,
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut room = [0; 100];
            let _ = stream.read(&mut room).unwrap();
            stream.write_all(b"Permission denied\n\na\n\n").unwrap();
        });
        source
            .ask(&mut questions, limits, &mut ReadBuffer::default())
            .unwrap();
    });
    let [info, _] = questions;
    let failure = info.failure.unwrap().to_string();
    assert!(
        failure.ends_with("-refused: not a reply to \"show info\": it has no Version"),
        "{failure}"
    );
    assert_eq!(lines.0, "a||");
}

/// A short reply says nothing about what the socket holds, and a long one that there is another socket.
#[test]
fn what_a_socket_can_hold_is_known_from_long_replies() {
    for (known, held, received, expected) in [
        (0, 900, 1_000, 900),
        (200_000, 900, 1_000, 200_000),
        (200_000, 100_000, 199_999, 200_000),
        (200_000, 100_000, 200_000, 100_000),
        (100_000, 210_000, 1_000_000, 210_000),
    ] {
        assert_eq!(
            most_held(known, held, received),
            expected,
            "{known} {held} {received}"
        );
    }
}

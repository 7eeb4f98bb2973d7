//! Other users of the machine, who see the names of all abstract sockets.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::hostile::tools::Bare;
use crate::support::exporter::command;
use crate::support::namespace::{become_user, enter_new_network};
use crate::support::{exposition, peers};

const STARTS: usize = 30;
/// Nobody's.
const USER: u32 = 54_310;

/// What an attacker did and saw.
#[derive(Debug, Default)]
struct Seen {
    names: HashSet<String>,
    tries: usize,
    connections: usize,
    answers: Vec<String>,
}

/// A process that is no friend must neither keep the exporter from starting nor get a word in.
#[test]
fn nobody_gets_onto_the_private_connection() {
    if !peers::is_root() {
        peers::skip("only root can make network namespaces and be another user");
        return;
    }
    if !enter_new_network() {
        return;
    }
    let over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let attacker = scope.spawn(|| attack(&over));
        let starts = std::thread::scope(|starts| {
            let start = starts.spawn(|| (0..STARTS).for_each(start));
            start.join()
        });
        over.store(true, Ordering::Relaxed);
        let seen = attacker.join().expect("the attacker");
        starts.expect("each start");
        seen
    });
    peers::note(&format!(
        "{STARTS} starts, {} names seen, {} tries to connect, {} connections",
        seen.names.len(),
        seen.tries,
        seen.connections
    ));
    assert!(seen.tries > STARTS, "an attacker that did nothing");
    assert_eq!(seen.answers, Vec::<String>::new(), "somebody got in");
}

/// One start, two scrapes and a stop.
fn start(number: usize) {
    let directory = TempDir::new().expect("a temporary directory");
    let mut command = command();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut exporter = Bare::spawn(&mut command, directory.path()).expect("start the exporter");
    let ended = exporter.wait_for_start();
    assert_eq!(ended, None, "start {number}");
    for _ in 0..2 {
        let body = exporter.get().expect("a scrape");
        exposition::read(&body).expect("a valid exposition");
    }
    assert_eq!(exporter.stop().code(), Some(0), "start {number}");
}

/// Connects to every abstract name that there is, as fast as it can, and says what the front says.
fn attack(over: &AtomicBool) -> Seen {
    become_user(USER).expect("another user");
    let mut seen = Seen::default();
    let mut held: Vec<UnixStream> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let table = std::fs::read_to_string("/proc/thread-self/net/unix").expect("read the table");
        for name in table
            .lines()
            .filter_map(|line| line.split(' ').next_back()?.strip_prefix('@'))
        {
            let address = SocketAddr::from_abstract_name(name).expect("a name");
            seen.names.insert(name.to_owned());
            seen.tries += 1;
            if let Ok(mut stream) = UnixStream::connect_addr(&address) {
                seen.connections += 1;
                let _ = stream.write_all(b"GET / HTTP/1.1\r\n\r\n");
                held.push(stream);
            }
        }
        // Whoever was let in would be answered, at once or by the end.
        if held.len() > 64 {
            held.drain(..).for_each(|stream| listen(stream, &mut seen));
        }
    }
    held.into_iter()
        .for_each(|stream| listen(stream, &mut seen));
    seen
}

fn listen(mut stream: UnixStream, seen: &mut Seen) {
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("set a read timeout");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    if !answer.is_empty() {
        let text = String::from_utf8_lossy(&answer).into_owned();
        seen.answers.push(text);
    }
}

use super::super::tests::{selection, snapshot, text};
use super::*;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// An answer with a snapshot of so many frontends.
fn response(frontends: usize, is_head: bool, keep_alive: bool) -> Response {
    let snapshot = Arc::new(snapshot(1, frontends));
    Response::new(snapshot, selection(), (is_head, keep_alive), Instant::now())
}

/// A client's socket, as the I/O thread has it, and its far end.
fn client() -> (OwnedFd, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (near.into(), far)
}

fn head(length: usize, connection: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: {connection}\r\n\r\n"
    )
}

#[test]
fn small_answers_are_sent_at_once() {
    let text = text(&snapshot(1, 0));
    let length = text.len();
    for (is_head, keep_alive, expected) in [
        (false, true, head(length, "keep-alive") + &text),
        (false, false, head(length, "close") + &text),
        (true, true, head(length, "keep-alive")),
        (true, false, head(length, "close")),
    ] {
        let (near, mut far) = client();
        let mut buffers = Buffers::default();
        let progress = response(0, is_head, keep_alive).send(near.as_fd(), &mut buffers);
        assert_eq!(progress.unwrap(), Progress::Sent);
        assert_eq!(buffers.free.len(), 1, "the buffer is back");
        drop(near);
        let mut got = String::new();
        far.read_to_string(&mut got).unwrap();
        assert_eq!(got, expected);
    }
}

/// Far more than the socket holds, to a client that takes a little at a time.
#[test]
fn large_answers_are_sent_in_turns() {
    let text = text(&snapshot(1, 2_000));
    let (near, mut far) = client();
    let mut buffers = Buffers::default();
    let mut response = response(2_000, false, false);
    let (mut got, mut piece, mut turns) = (Vec::new(), vec![0; 50_000], 0);
    while response.send(near.as_fd(), &mut buffers).unwrap() == Progress::Unfinished {
        let held = response.piece.is_some();
        assert!(
            held || turns == 0 || buffers.free.len() == 1,
            "a buffer is lost"
        );
        let count = far.read(&mut piece).unwrap();
        got.extend_from_slice(&piece[..count]);
        turns += 1;
    }
    assert!(turns > 10, "{turns} turns");
    drop(near);
    far.read_to_end(&mut got).unwrap();
    assert!(got == (head(text.len(), "close") + &text).into_bytes());
}

/// The others wait meanwhile, however much the kernel takes for a client that reads fast.
#[test]
fn nobody_takes_more_than_a_turn() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    far.set_nonblocking(true).unwrap();
    let near = listener.accept().unwrap().0;
    near.set_nonblocking(true).unwrap();
    let mut buffers = Buffers::default();
    let mut response = response(20_000, false, false);
    let length = head(response.length as usize, "close").len() + response.length as usize;
    let (mut got, mut most, mut piece) = (0, 0, vec![0; 1 << 20]);
    loop {
        let before = response.left;
        let progress = response.send(near.as_fd(), &mut buffers).unwrap();
        most = most.max(before - response.left);
        // Then it has read all, and has room for several turns.
        while let Ok(count @ 1..) = far.read(&mut piece) {
            got += count;
        }
        if progress == Progress::Sent {
            break;
        }
    }
    // A piece holds whole lines.
    let whole_turn = (PIECES_A_TURN * (BUFFER_BYTES - 1024)) as u64;
    let allowed = whole_turn..=(PIECES_A_TURN * BUFFER_BYTES) as u64;
    assert!(allowed.contains(&most), "{most} bytes at most");
    drop(near);
    far.set_nonblocking(false).unwrap();
    got += far.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(got, length);
}

/// A crowd that reads slowly costs no memory once it has gone.
#[test]
fn two_buffers_are_kept_for_the_next_answers() {
    let mut buffers = Buffers::default();
    let mut crowd: Vec<_> = (0..KEPT_BUFFERS + 3)
        .map(|_| (client(), response(2_000, false, false)))
        .collect();
    for ((near, _), response) in &mut crowd {
        let progress = response.send(near.as_fd(), &mut buffers).unwrap();
        assert_eq!(progress, Progress::Unfinished);
        assert!(response.piece.is_some() && buffers.free.is_empty());
    }
    for (number, ((near, far), mut response)) in crowd.into_iter().enumerate() {
        drop(far);
        response.send(near.as_fd(), &mut buffers).unwrap_err();
        assert_eq!(buffers.free.len(), KEPT_BUFFERS.min(number + 1));
    }
}

#[test]
fn a_client_that_has_gone_fails_the_send() {
    let (near, far) = client();
    drop(far);
    let mut buffers = Buffers::default();
    let result = response(0, false, true).send(near.as_fd(), &mut buffers);
    assert_eq!(result.unwrap_err().to_string(), "broken pipe");
    assert_eq!(buffers.free.len(), 1, "the buffer is back");
}

/// Whatever is wrong with it, a client never gets an answer that is shorter or longer than announced.
#[test]
fn a_wrong_length_is_our_fault() {
    let whole = text(&snapshot(1, 0));
    let length = whole.len();
    // What is announced, how much the piece has that shows it, and how much was left then.
    for (announced, filled, left) in [
        (length - 1, length, length - 1),
        (length + 1, 0, 1),
        (length + 1_000, 0, 1_000),
    ] {
        let (near, mut far) = client();
        let mut response = response(0, false, true);
        response.length = announced as u64;
        response.left = response.length;
        let mut buffers = Buffers::default();
        let error = loop {
            match response.send(near.as_fd(), &mut buffers) {
                Ok(progress) => assert_eq!(progress, Progress::Unfinished),
                Err(error) => break error,
            }
        };
        let expected =
            format!("an exposition of {announced} bytes has {filled} where {left} are missing");
        assert_eq!(error.to_string(), expected);
        drop(near);
        let mut got = String::new();
        far.read_to_string(&mut got).unwrap();
        assert_eq!(got.ends_with(&whole), announced > length, "{got}");
    }
}

/// For a client on this machine the kernel would take megabytes that it does not read.
#[test]
fn the_kernel_holds_no_more_than_a_long_way_takes() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let near = listener.accept().unwrap().0;
    let mut buffers = Buffers::default();
    let mut response = response(100_000, false, false);
    let length = head(response.length as usize, "close").len() + response.length as usize;
    let turns = (0..100).map(|_| response.send(near.as_fd(), &mut buffers).unwrap());
    let enough = turns
        .take_while(|progress| *progress != Progress::Enough)
        .count();
    assert!(enough < 100, "the kernel takes all or nothing");
    let unsent = sys::unsent_bytes(near.as_fd()).unwrap();
    let most = MOST_UNSENT_BYTES + HEAD_BYTES + BUFFER_BYTES;
    assert!((MOST_UNSENT_BYTES..most).contains(&unsent), "{unsent}");
    assert!(length > 2 * unsent, "{length} bytes are not much");
    // Once it reads, it gets the rest.
    let reader = std::thread::spawn(move || far.read_to_end(&mut Vec::new()).unwrap());
    while response.send(near.as_fd(), &mut buffers).unwrap() != Progress::Sent {
        std::thread::yield_now();
    }
    drop(near);
    assert_eq!(reader.join().unwrap(), length);
}

/// No room is told apart from a client that has gone, and from no room that was reported already.
#[test]
fn out_of_memory() {
    let mut buffers = Buffers::default();
    let mut is_new = |bytes: usize| match buffers.make(bytes) {
        Ok(_) => None,
        Err(SendError::NoMemory { is_new }) => Some(is_new),
        Err(other) => panic!("{other}"),
    };
    let all = usize::MAX;
    let outcomes = [all, all, 1, all].map(&mut is_new);
    assert_eq!(outcomes, [Some(true), Some(false), None, Some(true)]);
    let text = SendError::NoMemory { is_new: true }.to_string();
    let expected = "out of memory: is the address space limited (ulimit -v)?";
    assert_eq!(text, expected);
}

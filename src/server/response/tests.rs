use super::super::tests::{selection, snapshot, text};
use super::*;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

mod status;

/// An answer with a snapshot of so many frontends.
fn response(frontends: usize, is_head: bool, keep_alive: bool) -> Response {
    let snapshot = Arc::new(snapshot(1, frontends));
    let manner = Manner {
        is_head,
        keep_alive,
        encoding: Encoding::Fixed,
        failure_status: Status::OK,
    };
    Response::new(snapshot, selection(), manner, Instant::now())
}

/// Bytes of the text that are not in a piece yet.
fn left(response: &Response) -> u64 {
    match response.body {
        Body::Plain { left, .. } => left,
        _ => 0,
    }
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
    let length = left(&response) as usize;
    let length = head(length, "close").len() + length;
    let (mut got, mut most, mut piece) = (0, 0, vec![0; 1 << 20]);
    loop {
        let before = left(&response);
        let progress = response.send(near.as_fd(), &mut buffers).unwrap();
        most = most.max(before - left(&response));
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
        let announced_length = announced as u64;
        if let Body::Plain { left, length, .. } = &mut response.body {
            (*left, *length) = (announced_length, announced_length);
        }
        response.head = Some(Head {
            length: Some(announced_length),
            encoding: Encoding::Fixed,
            status: Status::OK,
        });
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
        assert_eq!(buffers.free.len(), 1, "the buffer is back");
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
    let length = left(&response) as usize;
    let length = head(length, "close").len() + length;
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
    let is_new = |outcome: Result<Box<[u8]>, SendError>| match outcome {
        Ok(_) => None,
        Err(SendError::NoMemory { is_new }) => Some(is_new),
        Err(other) => panic!("{other}"),
    };
    let all = usize::MAX;
    let outcomes = [all, all, 1, all].map(|bytes| is_new(buffers.make(bytes)));
    // A buffer alone is not a piece: there can be no memory to compress it.
    assert_eq!(outcomes, [Some(true), Some(false), None, Some(false)]);
    // A piece is, also in a buffer that was kept.
    let (near, _far) = client();
    let kept = buffers.take().unwrap();
    buffers.give_back(kept);
    response(0, false, true)
        .send(near.as_fd(), &mut buffers)
        .unwrap();
    assert_eq!(is_new(buffers.make(all)), Some(true));
    let text = SendError::NoMemory { is_new: true }.to_string();
    let expected = "out of memory: is the address space limited (ulimit -v)?";
    assert_eq!(text, expected);
}

/// The text of a compressed response, whose chunks and head are as they should be.
fn decoded(response: &[u8], connection: &str) -> String {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Encoding: gzip\r\nVary: Accept-Encoding\r\nTransfer-Encoding: chunked\r\n\
         Connection: {connection}\r\n\r\n"
    );
    let mut rest = response.strip_prefix(head.as_bytes()).expect("a head");
    let mut compressed = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..line_end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let chunk = &rest[line_end + 2..];
        compressed.extend_from_slice(&chunk[..size]);
        assert_eq!(&chunk[size..size + 2], b"\r\n");
        rest = &chunk[size + 2..];
        if size == 0 {
            break;
        }
    }
    assert_eq!(rest, b"", "behind the last chunk");
    let mut text = String::new();
    let mut decoder = flate2::bufread::GzDecoder::new(compressed.as_slice());
    decoder.read_to_string(&mut text).unwrap();
    text
}

fn in_encoding(
    frontends: usize,
    encoding: Encoding,
    (is_head, keep_alive): (bool, bool),
) -> Response {
    let manner = Manner {
        is_head,
        keep_alive,
        encoding,
        failure_status: Status::OK,
    };
    let snapshot = Arc::new(snapshot(1, frontends));
    Response::new(snapshot, selection(), manner, Instant::now())
}

#[test]
fn compressed_answers_are_sent_in_chunks() {
    for (frontends, keep_alive, connection) in [(0, true, "keep-alive"), (500, false, "close")] {
        let (near, mut far) = client();
        let mut buffers = Buffers::default();
        let mut response = in_encoding(frontends, Encoding::Gzip, (false, keep_alive));
        assert_eq!(
            response.send(near.as_fd(), &mut buffers).unwrap(),
            Progress::Sent
        );
        assert_eq!(buffers.free.len(), 1, "the buffer is back");
        drop(near);
        let mut got = Vec::new();
        far.read_to_end(&mut got).unwrap();
        assert_eq!(decoded(&got, connection), text(&snapshot(1, frontends)));
    }
}

#[test]
fn a_client_that_could_have_another_encoding_is_told_so() {
    let text = text(&snapshot(1, 0));
    let cases = [
        (Encoding::Fixed, false, ""),
        (Encoding::Identity, false, "Vary: Accept-Encoding\r\n"),
        (Encoding::Fixed, true, ""),
        (Encoding::Identity, true, "Vary: Accept-Encoding\r\n"),
        // The length of a compressed response is not known before.
        (Encoding::Gzip, true, "Vary: Accept-Encoding\r\n"),
    ];
    for (encoding, is_head, field) in cases {
        let (near, mut far) = client();
        let mut response = in_encoding(0, encoding, (is_head, true));
        let progress = response.send(near.as_fd(), &mut Buffers::default());
        assert_eq!(progress.unwrap(), Progress::Sent);
        drop(near);
        let mut got = String::new();
        far.read_to_string(&mut got).unwrap();
        let mut expected = head(text.len(), "keep-alive");
        expected = expected.replace("Content-Length", &format!("{field}Content-Length"));
        if !is_head {
            expected.push_str(&text);
        }
        assert_eq!(got, expected, "{encoding:?}");
    }
}

/// To a client that takes a little at a time; what is cut has no last chunk.
#[test]
fn a_large_compressed_answer_is_sent_in_turns_that_are_short() {
    let (near, mut far) = client();
    let mut buffers = Buffers::default();
    let mut response = in_encoding(20_000, Encoding::Gzip, (false, false));
    let (mut got, mut piece, mut turns) = (Vec::new(), vec![0; 50_000], 0);
    while response.send(near.as_fd(), &mut buffers).unwrap() == Progress::Unfinished {
        assert!(!got.ends_with(b"\r\n0\r\n\r\n"));
        let count = far.read(&mut piece).unwrap();
        got.extend_from_slice(&piece[..count]);
        turns += 1;
    }
    assert!(turns > 5, "{turns} turns");
    drop(near);
    far.read_to_end(&mut got).unwrap();
    assert!(decoded(&got, "close") == text(&snapshot(1, 20_000)));
    assert!(got.len() < 2_000_000, "{} bytes", got.len());
}

/// The others wait meanwhile, and a piece takes longer to be made than a plain one.
#[test]
fn a_turn_has_fewer_compressed_pieces() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let near = listener.accept().unwrap().0;
    let mut response = in_encoding(20_000, Encoding::Gzip, (false, false));
    let progress = response.send(near.as_fd(), &mut Buffers::default());
    assert_eq!(progress.unwrap(), Progress::Unfinished);
    drop(near);
    let got = far.read_to_end(&mut Vec::new()).unwrap();
    let most = COMPRESSED_PIECES_A_TURN * (HEAD_BYTES + BUFFER_BYTES);
    assert!((most / 2..=most).contains(&got), "{got} bytes");
}

#[test]
fn every_client_of_a_snapshot_has_its_own_place() {
    let snapshot = Arc::new(snapshot(1, 3_000));
    let expected = text(&snapshot);
    let mut buffers = Buffers::default();
    let manner = |encoding| Manner {
        is_head: false,
        keep_alive: false,
        encoding,
        failure_status: Status::OK,
    };
    let mut clients: Vec<_> = [
        Encoding::Gzip,
        Encoding::Identity,
        Encoding::Gzip,
        Encoding::Gzip,
    ]
    .into_iter()
    .map(|encoding| {
        let response = Response::new(
            Arc::clone(&snapshot),
            selection(),
            manner(encoding),
            Instant::now(),
        );
        (client(), response, Vec::new(), encoding, false)
    })
    .collect();
    let mut piece = vec![0; 10_000];
    while clients.iter().any(|(.., is_sent)| !is_sent) {
        for ((near, far), response, got, _, is_sent) in &mut clients {
            if !*is_sent {
                *is_sent = response.send(near.as_fd(), &mut buffers).unwrap() == Progress::Sent;
            }
            far.set_nonblocking(true).unwrap();
            if let Ok(count) = far.read(&mut piece) {
                got.extend_from_slice(&piece[..count]);
            }
        }
    }
    for ((near, mut far), _, mut got, encoding, _) in clients {
        drop(near);
        far.set_nonblocking(false).unwrap();
        far.read_to_end(&mut got).unwrap();
        let text = match encoding {
            Encoding::Gzip => decoded(&got, "close"),
            _ => String::from_utf8(got)
                .unwrap()
                .split_once("\r\n\r\n")
                .unwrap()
                .1
                .to_owned(),
        };
        assert!(text == expected, "{encoding:?}");
    }
}

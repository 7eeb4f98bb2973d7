use super::super::tests::{snapshot, text};
use super::*;

/// The I/O thread's side of a doorbell whose main loop is the test.
pub(crate) struct FakeMain {
    stream: UnixStream,
    shared: Shared,
    abort: Abort,
}

/// A link that does not need `tiny_http`.
pub(crate) fn fake() -> (Doorbell, FakeMain) {
    let (near, stream) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let bell = Doorbell::new(near);
    let (shared, abort) = (bell.shared.clone(), bell.abort);
    let main = FakeMain {
        stream,
        shared,
        abort,
    };
    (bell, main)
}

impl FakeMain {
    /// Waits for a request to scrape.
    pub(crate) fn receive(&mut self) -> Scrape {
        let mut request = [0; REQUEST.len()];
        self.stream.read_exact(&mut request).unwrap();
        assert_eq!(request, REQUEST);
        self.shared.lock().take().unwrap()
    }

    /// What is to be scraped, which goes on.
    pub(crate) fn receive_again(&self) -> Scrape {
        let shared = self.shared.lock();
        let scrape = shared.as_ref().unwrap();
        Scrape {
            target: scrape.target,
            wanted: scrape.wanted,
            time: scrape.time,
            is_repeated: false,
            snapshot: Arc::default(),
            report: None,
        }
    }

    /// Whether there is a request to scrape now.
    pub(crate) fn is_asked(&self) -> bool {
        self.shared.lock().is_some()
    }

    /// Whether the scrape that goes on is to end.
    pub(crate) fn is_aborted(&self) -> bool {
        self.abort.is_set()
    }

    /// Gives a scrape back, with what it brought, and reports in two pieces.
    pub(crate) fn report(&mut self, mut scrape: Scrape, snapshot: Snapshot) {
        scrape.is_repeated = !snapshot.outcome.is_up && self.abort.repeats(false);
        *Arc::get_mut(&mut scrape.snapshot).unwrap() = snapshot;
        *self.shared.lock() = Some(scrape);
        let (first, rest) = REPORT.split_at(REPORT.len() / 2);
        self.send(first);
        self.send(rest);
    }

    /// Sends what is no report.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }
}

fn scrape(target: usize) -> Scrape {
    Scrape {
        target,
        wanted: Wanted::default(),
        time: Duration::from_secs(1),
        is_repeated: false,
        snapshot: Arc::default(),
        report: None,
    }
}

fn wait_for_report(bell: &mut Doorbell) -> Scrape {
    bell.stream.set_nonblocking(false).unwrap();
    loop {
        if let Some(scrape) = bell.report().unwrap() {
            return scrape;
        }
    }
}

#[test]
fn scrapes_go_there_and_back() {
    let (mut bell, main) = open().unwrap();
    std::thread::spawn(move || {
        main.run(|target, _, _, into| {
            *into = snapshot(target as u64, 0);
            None
        })
    });
    for target in [0, 7, 1] {
        bell.ask(scrape(target)).unwrap();
        let back = wait_for_report(&mut bell);
        assert_eq!((back.target, back.is_repeated), (target, true));
        assert_eq!(text(&back.snapshot), text(&snapshot(target as u64, 0)));
    }
}

#[test]
fn what_is_no_report() {
    let own_answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
    let (whole, others) = ("HTTP/1.1 204 Scraped\r\n\r\n", ["H", "\r\n"]);
    let longer = others.map(|more| format!("{whole}{more}"));
    for bytes in [
        own_answer,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "x",
        &longer[0],
        &longer[1],
    ] {
        let (mut bell, mut main) = fake();
        bell.ask(scrape(0)).unwrap();
        main.send(bytes.as_bytes());
        let error = bell.report().err().unwrap();
        assert_eq!(error.to_string(), "not a report", "{bytes}");
    }
    let (mut bell, mut main) = fake();
    main.send(REPORT);
    let error = bell.report().err().unwrap();
    assert_eq!(error.to_string(), "a report without a scrape");
    assert!(bell.report().unwrap().is_none());
    drop(main);
    let error = bell.report().err().unwrap();
    assert_eq!(error.to_string(), "closed by the server");
}

#[test]
fn nobody_else_gets_in() {
    let (listener, mut stream) = listener_with_own_connection().unwrap();
    let address = listener.local_addr().unwrap();
    assert!(address.as_pathname().is_none(), "{address:?}");
    let error = UnixStream::connect_addr(&address).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    // Ours is accepted, and nothing else ever is.
    stream.write_all(b"x").unwrap();
    let mut got = [0];
    listener.accept().unwrap().0.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"x");
    listener.accept().unwrap_err();
}

/// A connection of somebody else takes the only room, which shows.
#[test]
fn who_comes_first_is_noticed() {
    let listener = sys::bind_to_new_name().unwrap();
    let refused = connect_to(&listener).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    sys::set_backlog(listener.as_raw_fd(), 0).unwrap();
    let first = connect_to(&listener).unwrap();
    let error = connect_to(&listener).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    drop(first);
    let error = connect_to(&listener).unwrap_err();
    assert_eq!(
        error.kind(),
        io::ErrorKind::WouldBlock,
        "also if it has left"
    );
}

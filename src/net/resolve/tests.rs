use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::*;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn resolve(resolver: &mut Resolver, host: &str, time: Duration) -> Result<String, String> {
    let address = HostPort {
        host: host.to_owned(),
        port: 7,
    };
    let found = resolver.resolve(&address, Deadline::after(time));
    let found = found.map_err(|error| error.to_string())?;
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    Ok(texts.join(" "))
}

fn one_address() -> Vec<SocketAddr> {
    vec![SocketAddr::from(([192, 0, 2, 1], 7))]
}

/// RFC 6761, 6.3, and addresses with and without a zone.
#[test]
fn what_needs_no_lookup() {
    let mut resolver = Resolver::new(|host, _| panic!("{host} is looked up"));
    #[rustfmt::skip]
    let cases = [
        ("localhost", Ok("127.0.0.1:7 [::1]:7")),
        ("LocalHost.", Ok("127.0.0.1:7 [::1]:7")),
        ("a.b.LOCALHOST", Ok("127.0.0.1:7 [::1]:7")),
        ("10.0.0.1", Ok("10.0.0.1:7")),
        ("::1", Ok("[::1]:7")),
        ("2001:DB8::1", Ok("[2001:db8::1]:7")),
        ("fe80::1%2", Ok("[fe80::1%2]:7")),
        ("fe80::1%253", Ok("[fe80::1%253]:7")),
        ("fe80::1%lo", Ok("[fe80::1%1]:7")),
        ("fe80::1%nowhere", Err("no such interface: \"nowhere\"")),
        ("fe80::1%", Err("no such interface: \"\"")),
    ];
    for (host, expected) in cases {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(resolve(&mut resolver, host, LONG), expected, "{host}");
    }
}

#[test]
fn what_is_looked_up() {
    let mut resolver = Resolver::new(|host, port| {
        let number = |n: u16| SocketAddr::from(([192, 0, 2, n as u8], port));
        let text = "failed to lookup address information: ";
        match host {
            "localhost.lan" | "mylocalhost" => Ok(vec![number(1), number(2)]),
            "many" => Ok((0..40).map(number).collect()),
            "none" => Ok(Vec::new()),
            "thread" => panic!("as a test wants"),
            "system" => Err(io::Error::from_raw_os_error(libc::EMFILE)),
            known => Err(io::Error::other(format!("{text}{known}"))),
        }
    });
    let many: Vec<String> = (0..16).map(|n| format!("192.0.2.{n}:7")).collect();
    let many = many.join(" ");
    #[rustfmt::skip]
    let cases = [
        ("localhost.lan", Ok("192.0.2.1:7 192.0.2.2:7")),
        ("mylocalhost", Ok("192.0.2.1:7 192.0.2.2:7")),
        ("many", Ok(many.as_str())),
        ("none", Err("no such host")),
        ("Name does not resolve", Err("no such host")),
        ("Name or service not known", Err("no such host")),
        ("No address associated with hostname", Err("no such host")),
        ("Name has no usable address", Err("no such host")),
        ("Try again", Err("no name server replied")),
        ("Temporary failure in name resolution", Err("no name server replied")),
        ("Non-recoverable error", Err("failed to lookup address information: Non-recoverable error")),
        ("thread", Err("the lookup's thread has ended")),
    ];
    for (host, expected) in cases {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(resolve(&mut resolver, host, LONG), expected, "{host}");
    }
    let error = resolve(&mut resolver, "system", LONG).unwrap_err();
    assert!(error.contains("open files"), "{error}");
}

/// Lets lookups end one by one.
struct Gate {
    open: Mutex<usize>,
    changed: Condvar,
    started: AtomicUsize,
}

impl Gate {
    const fn new() -> Self {
        Self {
            open: Mutex::new(0),
            changed: Condvar::new(),
            started: AtomicUsize::new(0),
        }
    }

    fn pass(&self) {
        self.started.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock().unwrap();
        while *open == 0 {
            open = self.changed.wait(open).unwrap();
        }
        *open -= 1;
    }

    fn let_one_pass(&self) {
        *self.open.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }
}

/// However often it is asked, a lookup that hangs stays the only one, and answers who waits then.
#[test]
fn one_lookup_at_a_time() {
    static GATE: Gate = Gate::new();
    let mut resolver = Resolver::new(|_, _| {
        GATE.pass();
        Ok(one_address())
    });
    let timed_out = Err("timed out".to_owned());
    for time in [SHORT, SHORT, Duration::ZERO, SHORT] {
        assert_eq!(resolve(&mut resolver, "app", time), timed_out);
    }
    while GATE.started() == 0 {
        thread::yield_now();
    }
    assert_eq!(GATE.started(), 1);
    // It may end before somebody waits for it again; then it is too old, and another one begins.
    GATE.let_one_pass();
    GATE.let_one_pass();
    let found = Ok("192.0.2.1:7".to_owned());
    assert_eq!(resolve(&mut resolver, "app", LONG), found);
    let used = GATE.started();
    assert!([1, 2].contains(&used), "{used}");
    // The next one is new.
    GATE.let_one_pass();
    assert_eq!(resolve(&mut resolver, "app", LONG), found);
    assert_eq!(GATE.started(), used + 1);
}

/// What a lookup found after everybody had gone may be old by the next scrape.
#[test]
fn late_answers_are_not_used() {
    static GATE: Gate = Gate::new();
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    let mut resolver = Resolver::new(|_, port| {
        GATE.pass();
        let number = ENDED.fetch_add(1, Ordering::SeqCst) as u8;
        Ok(vec![SocketAddr::from(([192, 0, 2, number], port))])
    });
    let timed_out = Err("timed out".to_owned());
    assert_eq!(resolve(&mut resolver, "app", SHORT), timed_out);
    GATE.let_one_pass();
    // Until its answer is there.
    let running = resolver.running.take().unwrap();
    let late = running.recv_timeout(LONG).unwrap();
    let (sender, receiver) = sync_channel(1);
    sender.send(late).unwrap();
    resolver.running = Some(receiver);
    GATE.let_one_pass();
    assert_eq!(
        resolve(&mut resolver, "app", LONG),
        Ok("192.0.2.1:7".to_owned())
    );
}

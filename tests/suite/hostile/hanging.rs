//! Targets that hang, and many clients that wait for them.

use std::io::Read;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::csv::{answer, frontend};
use crate::support::exporter::{Exporter, Problem};
use crate::support::fake_haproxy::{Act, Answers, Fake, Script};
use crate::support::faults::INFO;
use crate::support::http::{self, Response};
use crate::support::{exposition, fixtures, peers};

const ANNOUNCES: &str = "X-Prometheus-Scrape-Timeout-Seconds";
/// A client's slots that never wait.
const SLOTS: usize = 64;
const WAITING: usize = 56;

fn stat() -> Vec<u8> {
    answer(&[frontend("web", &[(4, "1")])])
}

fn hangs() -> Answers {
    Answers {
        stat: vec![Act::Hold],
        info: vec![Act::Send(INFO.to_vec())],
    }
}

/// An exporter of targets that hang, `bad0` and so on, and of one that answers, `good`; a scrape may take a
/// minute, for which nobody waits.
struct Scene {
    exporter: Exporter,
    bad: Vec<Fake>,
    _good: Fake,
    _directory: TempDir,
}

impl Scene {
    fn new(hanging: usize) -> Scene {
        Scene::with(&[], hangs(), hanging)
    }

    /// The same with other answers of theirs, and with further flags.
    fn with(flags: &[&str], answers: Answers, hanging: usize) -> Scene {
        let directory = TempDir::new().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        let good = Fake::unix(&path("good"), Answers::whole(&stat(), INFO));
        let bad: Vec<_> = (0..hanging)
            .map(|number| Fake::unix(&path(&format!("bad{number}")), answers.clone()))
            .collect();
        let mut flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push("--haproxy.timeout=60s".to_owned());
        flags.push(format!("--haproxy.target=good={}", good.uri()));
        flags.extend(
            (bad.iter().enumerate())
                .map(|(number, fake)| format!("--haproxy.target=bad{number}={}", fake.uri())),
        );
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Scene {
            exporter: Exporter::start(&flags),
            bad,
            _good: good,
            _directory: directory,
        }
    }

    /// A client that waits for a target that hangs.
    fn wait_for(&self, number: usize) -> TcpStream {
        use std::io::Write;
        let mut stream = TcpStream::connect(self.exporter.address()).expect("connect");
        write!(stream, "GET /metrics?target=bad{number} HTTP/1.0\r\n\r\n").expect("send");
        stream
    }

    fn is_asked(&self, number: usize) -> bool {
        !self.bad[number].requests().is_empty()
    }

    /// The target that answers, for a client with so much time.
    fn good(&self, seconds: &str) -> Response {
        let path = "/metrics?target=good";
        http::request(
            self.exporter.address(),
            "GET",
            path,
            &[(ANNOUNCES, seconds)],
        )
    }
}

fn assert_is_whole(response: &Response) {
    assert_eq!(response.status, 200, "{}", response.text());
    let got = exposition::read(&response.body).expect("a valid exposition");
    assert_eq!(got.value("haproxy_up"), 1.0);
}

/// From the first scrape on, and while each of those that hang is tried.
#[test]
fn a_target_that_answers_is_served_beside_those_that_hang() {
    let scene = Scene::new(3);
    let waiting: Vec<_> = (0..3).map(|number| scene.wait_for(number)).collect();
    peers::wait_for("a try", || scene.is_asked(0).then_some(()));
    for _ in 0..5 {
        assert_is_whole(&scene.good("10"));
    }
    peers::wait_for("a try of each", || {
        (0..3).all(|number| scene.is_asked(number)).then_some(())
    });
    assert_is_whole(&scene.good("10"));
    drop(waiting);
}

/// One that works again is found, though it needs longer than a short try, and others are served meanwhile.
#[test]
fn a_slow_target_that_works_again_is_found() {
    let scene = Scene::new(1);
    let first = scene.wait_for(0);
    peers::wait_for("a try", || scene.is_asked(0).then_some(()));
    assert_is_whole(&scene.good("10"));
    let stat = stat();
    let (start, rest) = stat.split_at(8);
    scene.bad[0].set(Answers {
        stat: vec![
            Act::Drip(start.to_vec(), Duration::from_millis(100)),
            Act::Send(rest.to_vec()),
        ],
        info: vec![Act::Send(INFO.to_vec())],
    });
    let over = AtomicBool::new(false);
    let tries = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                assert_is_whole(&scene.good("10"));
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        let found = (1..=3).find(|_| {
            let mut answer = Vec::new();
            let read = scene.wait_for(0).read_to_end(&mut answer);
            read.expect("an answer");
            let response = http::parse(&answer, false).expect("a whole answer");
            let got = exposition::read(&response.body).expect("a valid exposition");
            got.value("haproxy_up") == 1.0
        });
        over.store(true, Ordering::Relaxed);
        found
    });
    assert!(tries.is_some(), "not found in three tries");
    drop(first);
}

/// What needs no scrape is served however many wait, and so is who waits for another target; of those that
/// wait for the same, the last is told that they are too many.
#[test]
fn clients_that_wait_leave_room_for_others() {
    let scene = Scene::new(1);
    let waiting: Vec<_> = (0..SLOTS + 16).map(|_| scene.wait_for(0)).collect();
    for _ in 0..5 {
        let healthy = scene.exporter.get("/-/healthy");
        assert_eq!((healthy.status, healthy.text()), (200, "OK\n"));
        assert_eq!(scene.exporter.get("/nothing").status, 404);
    }
    assert_is_whole(&scene.good("10"));
    let mut refused = 0;
    for mut stream in waiting {
        stream.set_nonblocking(true).expect("set non-blocking");
        let mut answer = Vec::new();
        if stream.read_to_end(&mut answer).is_ok() {
            let response = http::parse(&answer, false).expect("a whole answer");
            let expected = (503, "too many clients wait for a scrape\n");
            assert_eq!((response.status, response.text()), expected);
            refused += 1;
        }
    }
    // One more for the client of the other target.
    assert_eq!(refused, SLOTS + 16 - WAITING + 1);
}

/// Clients whose time is too short do not hold back one whose time is enough.
#[test]
fn a_time_that_is_enough_is_not_held_back_by_shorter_ones() {
    let directory = TempDir::new().expect("a temporary directory");
    let stat = stat();
    let (start, rest) = stat.split_at(4);
    let slow = Answers {
        stat: vec![
            Act::Drip(start.to_vec(), Duration::from_millis(100)),
            Act::Send(rest.to_vec()),
        ],
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::unix(&directory.path().join("socket"), slow);
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let headers = [(ANNOUNCES, "0.15")];
                    http::request(exporter.address(), "GET", "/metrics", &headers);
                }
            });
        }
        let whole = (0..10).filter(|_| {
            let headers = [(ANNOUNCES, "3")];
            let response = http::request(exporter.address(), "GET", "/metrics", &headers);
            response.status == 200 && response.text().contains("\nhaproxy_up 1\n")
        });
        let whole = whole.count();
        over.store(true, Ordering::Relaxed);
        assert_eq!(whole, 10);
    });
}

/// A reply to `show stat` that comes once the test has set other scripts.
fn rows_later(command: &str) -> Script {
    match command.starts_with("show stat") {
        true => vec![Act::AwaitChange, Act::Send(stat())],
        false => vec![Act::Send(b"\n".to_vec())],
    }
}

/// The same for `show info`, which comes after the rows.
fn info_later(command: &str) -> Script {
    match command {
        "show info" => vec![Act::AwaitChange, Act::Send(INFO.to_vec())],
        _ if command.starts_with("show stat") => vec![Act::Send(stat())],
        _ => vec![Act::Send(b"\n".to_vec())],
    }
}

/// The same for certificates.
fn certificates_later(command: &str) -> Script {
    match command {
        "show ssl sni" => {
            let sni = fixtures::bytes("cli/3.4.0/c03-show-ssl-sni.out");
            vec![Act::AwaitChange, Act::Send(sni)]
        }
        _ if command.starts_with("show stat") => vec![Act::Send(stat())],
        _ => vec![Act::Send(b"\n".to_vec())],
    }
}

/// A scrape that is ended for another target is repeated for its clients. It is no failure of HAProxy, and nobody
/// sees what it had read.
#[test]
fn a_scrape_that_is_ended_for_others_is_repeated() {
    let cases = [
        (rows_later as fn(&str) -> Script, "show stat"),
        (info_later, "show info"),
        (certificates_later, "show ssl sni"),
    ];
    for (later, last) in cases {
        let answers = |choose: fn(&str) -> Script| Answers {
            stat: vec![Act::choose(choose)],
            info: vec![match last {
                "show info" => Act::choose(choose),
                _ => Act::Send(INFO.to_vec()),
            }],
        };
        let flag = match last {
            "show ssl sni" => "--haproxy.certificates",
            _ => "--haproxy.certificates=false",
        };
        let scene = Scene::with(&[flag], answers(later), 1);
        let asked = |times: usize| {
            peers::wait_for("a question", || {
                let requests = scene.bad[0].requests();
                let those = requests.iter().filter(|one| one.contains(last));
                (those.count() == times).then_some(())
            });
        };
        let mut slow = scene.wait_for(0);
        asked(1);
        assert_is_whole(&scene.good("10"));
        asked(2);
        scene.bad[0].set(answers(later));
        let mut answer = Vec::new();
        slow.read_to_end(&mut answer).expect("an answer");
        let response = http::parse(&answer, false).expect("a whole answer");
        assert_is_whole(&response);
        let got = exposition::read(&response.body).expect("a valid exposition");
        assert!(
            got.families
                .contains_key("haproxy_frontend_current_sessions")
        );
        assert!(got.families.contains_key("haproxy_process_uptime_seconds"));
        if last == "show ssl sni" {
            assert_eq!(got.value("haproxy_ssl_certificates_up"), 1.0);
        }
        let log = scene.exporter.finish();
        let problems = log.problems().into_iter();
        let of_it = |one: &Problem| one.details.iter().any(|field| field == "target=bad0");
        assert_eq!(problems.filter(of_it).collect::<Vec<_>>(), []);
    }
}

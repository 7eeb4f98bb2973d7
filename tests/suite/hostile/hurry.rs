//! Clients that announce less time than HAProxy needs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::hostile::alone;
use crate::support::csv::{answer, frontend};
use crate::support::exporter::Exporter;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::INFO;
use crate::support::{exposition, http, peers};

const CLIENTS: usize = 30;
/// HAProxy takes six times this, which is more than the impatient announce and less than the patient.
const PAUSE: Duration = Duration::from_millis(100);
/// Honest scrapes in a phase, one after the other.
const SCRAPES: usize = 5;
const ANNOUNCES: &str = "X-Prometheus-Scrape-Timeout-Seconds";

/// What the crowd was told.
#[derive(Default)]
struct Told {
    answers: usize,
    too_late: usize,
}

/// However impatient they are, HAProxy is not asked more often than by patient ones, and a patient one
/// among them is served each time.
#[test]
fn the_impatient_cost_nobody_anything() {
    let _alone = alone();
    let (asked_by_patient, patient) = crowd("10");
    let (asked_by_impatient, impatient) = crowd("0.49");
    assert_eq!(patient.too_late, 0);
    assert!(impatient.too_late > 0, "nobody was impatient");
    // Each honest scrape is one; besides, HAProxy is asked once for the impatient alone, who then know, and
    // one is under way at the end.
    assert!(asked_by_impatient <= SCRAPES + 2, "{asked_by_impatient}");
    // Each honest scrape takes one or two of HAProxy's answers, with whomever it shares them; and so
    // does what is under way at the end.
    assert!(asked_by_patient <= 2 * SCRAPES + 2, "{asked_by_patient}");
}

/// How often HAProxy is asked while a patient client scrapes `SCRAPES` times beside a crowd.
fn crowd(seconds: &str) -> (usize, Told) {
    let directory = TempDir::new().expect("a temporary directory");
    let stat = answer(&[frontend("web", &[(4, "1")])]);
    let (first, rest) = stat.split_at(6);
    let slow = Answers {
        stat: vec![Act::Drip(first.to_vec(), PAUSE), Act::Send(rest.to_vec())],
        info: vec![Act::Send(INFO.to_vec())],
    };
    let fake = Fake::unix(&directory.path().join("socket"), slow);
    let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={}", fake.uri())]);
    let over = AtomicBool::new(false);
    let began = Instant::now();
    let told = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| ask_again_and_again(&exporter, seconds, &over)))
            .collect();
        for _ in 0..SCRAPES {
            let got = exporter.scrape_with(&[(ANNOUNCES, "10")]);
            assert_eq!(got.value("haproxy_up"), 1.0, "beside {seconds} s");
        }
        over.store(true, Ordering::Relaxed);
        let told = clients
            .into_iter()
            .map(|client| client.join().expect("a client"));
        told.fold(Told::default(), |all, one| Told {
            answers: all.answers + one.answers,
            too_late: all.too_late + one.too_late,
        })
    });
    let lasted = began.elapsed().as_secs_f64();
    let asked = fake.requests();
    let asked = asked.iter().filter(|request| request.contains("show stat"));
    let asked = asked.count();
    peers::note(&format!(
        "{CLIENTS} clients that announce {seconds} s: HAProxy is asked {asked} times during {SCRAPES} honest \
         scrapes, {:.2} times a second; {} answers, {} times too late",
        asked as f64 / lasted,
        told.answers,
        told.too_late
    ));
    (asked, told)
}

fn ask_again_and_again(exporter: &Exporter, seconds: &str, over: &AtomicBool) -> Told {
    let mut told = Told::default();
    while !over.load(Ordering::Relaxed) {
        let headers = [(ANNOUNCES, seconds)];
        let response = http::request(exporter.address(), "GET", "/metrics", &headers);
        match response.status {
            200 => {
                exposition::read(&response.body).expect("a valid exposition");
                told.answers += 1;
            }
            status => {
                assert_eq!((status, response.text().lines().count()), (503, 1));
                told.too_late += 1;
            }
        }
    }
    told
}

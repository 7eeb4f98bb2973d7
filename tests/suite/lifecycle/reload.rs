//! HAProxy reloaded and restarted under continuous scrapes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::exporter::Exporter;
use crate::support::exposition;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers;

const SERVERS: usize = 40;

/// A configuration whose servers are named after its generation.
fn generation(place: &Place, number: usize) -> String {
    let servers: String = (0..SERVERS)
        .map(|server| format!("  server g{number}_{server} 127.0.0.1:1\n"))
        .collect();
    format!("{}backend app\n{servers}", place.global())
}

/// What one scrape showed: the generation, or `None` when HAProxy was away.
fn look(exporter: &Exporter) -> Option<usize> {
    let answer = exporter.get("/metrics");
    assert_eq!(answer.status, 200);
    let got = exposition::read(&answer.body).expect("a well-formed answer");
    let keys = got.samples.keys();
    let servers: Vec<&String> = keys
        .filter(|key| key.starts_with("haproxy_server_up{"))
        .collect();
    if got.value("haproxy_up") == 0.0 {
        let stale = got.families.keys().find(|name| {
            [
                "haproxy_server_",
                "haproxy_backend_",
                "haproxy_frontend_",
                "haproxy_info",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        });
        assert_eq!(stale, None, "shown while HAProxy is away");
        return None;
    }
    let first = servers.first().expect("servers");
    let (_, rest) = first.split_once("server=\"g").expect("a server's name");
    let number = rest
        .split('_')
        .next()
        .and_then(|digits| digits.parse().ok());
    let number = number.expect("a generation");
    let of_it = servers
        .iter()
        .filter(|key| key.contains(&format!("server=\"g{number}_")));
    assert_eq!(
        (of_it.count(), servers.len()),
        (SERVERS, SERVERS),
        "a mixture or a part"
    );
    let backend = got.get("haproxy_backend_up{backend=\"app\"}");
    assert!(backend.is_some(), "the backend is missing");
    Some(number)
}

#[test]
fn reloads_and_restarts() {
    let place = Place::new(0);
    let first = generation(&place, 0);
    let Some(mut haproxy) = Haproxy::start_as(place, &first, &["-W"]) else {
        return;
    };
    let exporter = Exporter::start(&[&haproxy.unix_flag()]);
    let seen = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let restarting = AtomicBool::new(false);
    let away_in_reload = AtomicUsize::new(0);
    let lock = || {
        seen.lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    std::thread::scope(|scope| {
        /// Ends the scraping thread also when this one panics.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _stop = Stop(&stop);
        let scraping = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let shown = look(&exporter);
                let expected = restarting.load(Ordering::Relaxed);
                lock().push(shown);
                if shown.is_none() && !expected {
                    away_in_reload.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        for number in 1..=6 {
            haproxy.reconfigure(&generation(haproxy.place(), number));
            if number % 3 == 0 {
                restarting.store(true, Ordering::Relaxed);
                haproxy.restart(&["-W"]);
            } else {
                haproxy.reload();
            }
            let come = peers::wait_for_or_give_up(|| {
                assert!(!scraping.is_finished(), "the scraping thread has failed");
                lock().contains(&Some(number)).then_some(())
            });
            restarting.store(false, Ordering::Relaxed);
            assert!(
                come.is_some(),
                "no generation {number}: {}",
                haproxy.peer.output()
            );
        }
    });
    let seen = seen.into_inner().expect("the list of generations");
    let up: Vec<usize> = seen.iter().copied().flatten().collect();
    peers::note(&format!(
        "{} scrapes over 4 reloads and 2 restarts, haproxy_up 0 in {}, {} of them not in a restart",
        seen.len(),
        seen.len() - up.len(),
        away_in_reload.load(Ordering::Relaxed)
    ));
    assert!(up.is_sorted(), "an older answer after a newer one: {up:?}");
}

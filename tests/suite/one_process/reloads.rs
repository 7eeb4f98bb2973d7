//! Reloads of a real HAProxy that insert, remove and rename backends, while many scrape.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::exporter::Exporter;
use crate::support::exposition::{self, Exposition};
use crate::support::haproxy::{Haproxy, Place};
use crate::support::peers;

/// Unless the environment names another number in `HAPROXY_EXPORTER_RELOADS`.
const RELOADS: u32 = 60;
const SERVERS: usize = 40;
/// Between two scrapes of a client, so that HAProxy has a processor to reload on.
const PAUSE: Duration = Duration::from_millis(10);
/// What each client asks for, and which kinds of rows it must get.
const CLIENTS: [(&str, &[&str]); 8] = [
    ("", &["frontend", "backend", "server"]),
    ("?names=builtin", &["frontend", "backend", "server"]),
    ("?scope=server", &["server"]),
    ("?scope=backend&scope=server", &["backend", "server"]),
    ("?scope=frontend", &["frontend"]),
    ("?names=builtin&scope=backend&scope=global", &["backend"]),
    (
        "?metrics=haproxy_server_weight,haproxy_backend_weight",
        &["backend", "server"],
    ),
    ("?names=builtin&scope=server&no-maint", &["server"]),
];

/// The backends of a generation: each reload inserts one in front, removes one or renames them all.
fn backends(generation: u32) -> Vec<String> {
    let letter = ["b", "c"][generation as usize / 7 % 2];
    let first = match generation % 3 {
        0 => 1,
        1 => 0,
        _ => 2,
    };
    (first..12)
        .map(|number| format!("{letter}{number}"))
        .collect()
}

/// All servers of a generation have its weight.
fn weight(generation: u32) -> u32 {
    generation % 250 + 1
}

fn configuration(place: &Place, generation: u32) -> String {
    let mut text = place.global();
    text.push_str(&format!(
        "frontend g{generation}\n  bind {}\n",
        place.bind(0)
    ));
    for backend in backends(generation) {
        text.push_str(&format!("backend {backend}\n"));
        for server in 0..SERVERS {
            let weight = weight(generation);
            text.push_str(&format!("  server s{server} 127.0.0.1:1 weight {weight}\n"));
        }
    }
    text
}

/// The names of one kind of proxies, with the number of samples of each in a family that all have.
fn named(found: &Exposition, kind: &str) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for key in found.samples.keys() {
        let Some((family, labels)) = key.split_once('{') else {
            continue;
        };
        let counted = match kind {
            "frontend" => "haproxy_frontend_bytes_in_total".to_owned(),
            _ => format!("haproxy_{kind}_weight"),
        };
        let label = match kind {
            "frontend" => ["frontend=\"", "proxy=\""],
            _ => ["backend=\"", "proxy=\""],
        };
        let name = label.iter().find_map(|label| labels.split_once(label));
        if let (true, Some((_, name))) = (family == counted, name) {
            let name = name.split('"').next().unwrap_or_default();
            *names.entry(name.to_owned()).or_default() += 1;
        }
    }
    names
}

/// The generation that an answer is of, all of it. `None` if it says that HAProxy did not answer.
///
/// # Errors
/// What is wrong with it.
fn generation(body: &[u8], kinds: &[&str], last: u32) -> Result<Option<u32>, String> {
    let found = exposition::read(body)?;
    let is_empty = kinds.iter().all(|kind| named(&found, kind).is_empty());
    match found.get("haproxy_up") {
        Some(0.0) if is_empty => return Ok(None),
        Some(0.0) => return Err("rows of a HAProxy that is down".to_owned()),
        // It is not among what is asked for.
        None if is_empty => return Ok(None),
        _ => {}
    }
    let servers = found
        .samples
        .iter()
        .filter(|(key, _)| key.starts_with("haproxy_server_weight{"));
    let weights: BTreeSet<u64> = servers.map(|(_, weight)| weight.number as u64).collect();
    // Several generations may have what is shown; it must be one of them.
    let is_whole = |generation: &u32| {
        let backends = backends(*generation);
        kinds.iter().all(|kind| {
            let rows = if *kind == "server" { SERVERS } else { 1 };
            let expected: BTreeMap<String, usize> = match *kind {
                "frontend" => [(format!("g{generation}"), 1)].into(),
                _ => backends.iter().map(|name| (name.clone(), rows)).collect(),
            };
            named(&found, kind) == expected
        }) && (!kinds.contains(&"server") || weights == [u64::from(weight(*generation))].into())
    };
    match (0..=last).rev().find(is_whole) {
        Some(generation) => Ok(Some(generation)),
        None => {
            let shown: Vec<_> = kinds.iter().map(|kind| named(&found, kind)).collect();
            Err(format!(
                "of no generation up to {last}: {weights:?} {shown:?}"
            ))
        }
    }
}

#[test]
fn each_answer_is_of_one_process() {
    let place = Place::new(1);
    let start = configuration(&place, 0);
    let Some(haproxy) = Haproxy::start_as(place, &start, &["-W"]) else {
        return;
    };
    let number = std::env::var("HAPROXY_EXPORTER_RELOADS");
    let reloads = number.map_or(RELOADS, |number| number.parse().expect("a number"));
    let flags = [&haproxy.unix_flag(), "--haproxy.peers"];
    let exporter = Exporter::start(&flags);
    let begun = AtomicUsize::new(0);
    let (is_over, wrong) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let (whole, down) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for (query, kinds) in CLIENTS {
            let (exporter, wrong, is_over) = (&exporter, &wrong, &is_over);
            let (begun, whole, down) = (&begun, &whole, &down);
            scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let response = exporter.get(&format!("/metrics{query}"));
                    let last = begun.load(Ordering::SeqCst) as u32;
                    match generation(&response.body, kinds, last) {
                        Ok(Some(_)) => whole.fetch_add(1, Ordering::SeqCst),
                        Ok(None) => down.fetch_add(1, Ordering::SeqCst),
                        Err(why) => {
                            wrong
                                .lock()
                                .expect("a lock")
                                .push(format!("{query}: {why}"));
                            return;
                        }
                    };
                    std::thread::sleep(PAUSE);
                }
            });
        }
        // Also where a reload fails.
        let ends = OnDrop(&is_over);
        for number in 1..=reloads {
            begun.store(number as usize, Ordering::SeqCst);
            haproxy.reconfigure(&configuration(haproxy.place(), number));
            haproxy.reload();
            let frontend = format!("\ng{number},FRONTEND,");
            peers::wait_for("the next generation", || {
                let rows = haproxy.try_cli("show stat -1 1 -1")?;
                rows.contains(&frontend).then_some(())
            });
            if !wrong.lock().expect("a lock").is_empty() {
                break;
            }
        }
        drop(ends);
    });
    let wrong = wrong.into_inner().expect("a lock");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (whole, down) = (whole.into_inner(), down.into_inner());
    peers::note(&format!(
        "{reloads} reloads, {whole} whole answers, {down} without HAProxy"
    ));
    assert!(whole > reloads as usize, "{whole} whole answers");
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

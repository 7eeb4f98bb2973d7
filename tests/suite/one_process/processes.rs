//! Several processes at one address.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::{Cli, info, reply};
use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::haproxy::{Haproxy, Place};

/// The weights of all servers, each once, and how many servers there are.
pub(super) fn weights(found: &Exposition) -> (BTreeSet<u64>, usize) {
    let servers = found
        .samples
        .iter()
        .filter(|(key, _)| key.starts_with("haproxy_server_weight{"));
    let weights: Vec<u64> = servers.map(|(_, weight)| weight.number as u64).collect();
    (weights.iter().copied().collect(), weights.len())
}

/// Two that were started on one address, as `nbproc` had them and as machines behind one name are. The
/// numbers of the backends are the same, or one higher in the second, which has one more.
#[test]
fn two_haproxys_on_one_tcp_address() {
    for first_of_second in [1, 0] {
        let configuration = |place: &Place, first: usize, weight: u32| {
            let global = place.global();
            let cli = format!("global\n  stats socket {} level admin\n", place.bind(0));
            let mut text = global.replacen("global\n", &cli, 1);
            for backend in first..=20 {
                text.push_str(&format!("backend b{backend}\n"));
                for server in 0..30 {
                    text.push_str(&format!("  server s{server} 127.0.0.1:1 weight {weight}\n"));
                }
            }
            text
        };
        let place = Place::new(1);
        let beside = place.beside();
        let text = configuration(&place, 1, 11);
        let Some(first) = Haproxy::start(place, &text) else {
            return;
        };
        let text = configuration(&beside, first_of_second, 22);
        let second = Haproxy::start(beside, &text).expect("it is installed");
        let uri = format!("--haproxy.scrape-uri=tcp://{}", first.address(0));
        let exporter = Exporter::start(&[&uri, "--haproxy.peers", "--haproxy.certificates"]);
        let of_second = (21 - first_of_second) * 30;
        let mut seen = BTreeSet::new();
        for scrape in 0.. {
            assert!(scrape < 3_000, "only one of them answers: {seen:?}");
            let found = exporter.scrape();
            assert_eq!(found.value("haproxy_up"), 1.0);
            let pid = found.value("haproxy_process_pid") as u32;
            let expected = match pid == first.peer.pid() {
                true => (BTreeSet::from([11]), 600),
                false => (BTreeSet::from([22]), of_second),
            };
            assert_eq!(weights(&found), expected, "process {pid}");
            seen.insert(pid);
            if scrape >= 40 && seen.len() == 2 {
                break;
            }
            // The one that answers stops for a moment, so that the other one does.
            if scrape % 10 == 9 {
                let [one, other] = [&first, &second].map(|haproxy| &haproxy.peer);
                let stopped = if one.pid() == pid { one } else { other };
                stopped.signal(libc::SIGSTOP);
                exporter.scrape();
                stopped.signal(libc::SIGCONT);
            }
        }
        drop(second);
    }
}

/// While one process answers, another takes its path over, as at a reload: the answer stays the first's to
/// its end, and the next scrape is the second's.
#[test]
fn a_unix_path_that_is_replaced() {
    let directory = TempDir::new().expect("a temporary directory");
    let (path, next) = (directory.path().join("s"), directory.path().join("next"));
    let asked = Arc::new(AtomicUsize::new(0));
    let second = Cli::start(&next, {
        let asked = Arc::clone(&asked);
        move |commands, stream| {
            asked.fetch_add(1, Ordering::SeqCst);
            for command in commands {
                stream.write_all(&reply(command, 20, 700, "22"))?;
            }
            Ok(())
        }
    });
    let first = Cli::start(&path, {
        let path = path.clone();
        move |commands, stream| {
            for (number, command) in commands.iter().enumerate() {
                let answer = reply(command, 10, 2_000, "11");
                let (begin, rest) = answer.split_at(answer.len() / 2);
                stream.write_all(begin)?;
                // At the first scrape it is asked for the release alone, and then it knows no resolvers.
                if number == 0 && command.starts_with("show stat") && next.exists() {
                    std::fs::rename(&next, &path)?;
                }
                stream.write_all(rest)?;
            }
            Ok(())
        }
    });
    let exporter = Exporter::start(&[&first.flag(), "--haproxy.peers"]);
    let found = exporter.scrape();
    assert_eq!(weights(&found), (BTreeSet::from([11]), 2_000));
    assert_eq!(found.value("haproxy_process_pid"), 10.0);
    assert_eq!(
        asked.load(Ordering::SeqCst),
        0,
        "both were asked for one answer"
    );
    let found = exporter.scrape();
    assert_eq!(weights(&found), (BTreeSet::from([22]), 700));
    assert_eq!(found.value("haproxy_process_pid"), 20.0);
    drop(second);
}

/// The name servers of a HAProxy that did not know the command for them before it was replaced.
#[test]
fn a_release_that_changes() {
    let directory = TempDir::new().expect("a temporary directory");
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let cli = Cli::start(&directory.path().join("s"), {
        let lines = Arc::clone(&lines);
        move |commands, stream| {
            let mut lines = lines.lock().expect("a lock");
            lines.push(commands.join(";"));
            let is_old = lines.len() <= 2;
            for command in commands {
                let answer = match *command {
                    "show info" if is_old => info(10).replace("2.6.12", "2.4.0").into_bytes(),
                    "show stat domain resolvers" => {
                        b"# id,pid,sent,send_error,\nns1,dns,7,0,\n\n".to_vec()
                    }
                    _ => reply(command, 20, 4, "11"),
                };
                stream.write_all(&answer)?;
            }
            Ok(())
        }
    });
    let exporter = Exporter::start(&[&cli.flag(), "--haproxy.metric-names=builtin"]);
    let name_servers = || {
        let found = exporter.scrape();
        assert_eq!(found.value("haproxy_up"), 1.0);
        let servers = found
            .samples
            .keys()
            .filter(|key| key.starts_with("haproxy_server_weight{"));
        assert_eq!(servers.count(), 4);
        found
            .samples
            .keys()
            .any(|key| key.starts_with("haproxy_resolver_sent{"))
    };
    assert!(!name_servers());
    // It is asked as the old one was, says that it is another, and is asked again.
    assert!(name_servers());
    assert!(name_servers());
    let lines = lines.lock().expect("a lock");
    let knows = |line: &String| line.contains("resolvers");
    let known: Vec<bool> = lines.iter().map(knows).collect();
    assert_eq!(known, [false, false, false, true, true], "{lines:?}");
    drop(lines);
    assert_eq!(exporter.finish().problems(), []);
}

const NOT_AFTER: &str = "haproxy_ssl_certificate_not_after_timestamp_seconds";

/// Whether a file is shown, and whether the reading went well.
fn shown(found: &Exposition, file: &str) -> (bool, f64) {
    let key = format!("{NOT_AFTER}{{filename=\"/{file}.pem\"}}");
    (
        found.get(&key).is_some(),
        found.value("haproxy_ssl_certificates_up"),
    )
}

/// Another process has other certificates: those of the first are shown once more, and read anew at the
/// scrape behind that.
#[test]
fn certificates_of_another_process() {
    let directory = TempDir::new().expect("a temporary directory");
    let pid = Arc::new(AtomicUsize::new(10));
    let asked = Arc::new(AtomicUsize::new(0));
    let cli = Cli::start(&directory.path().join("s"), {
        let (pid, asked) = (Arc::clone(&pid), Arc::clone(&asked));
        move |commands, stream| {
            let pid = pid.load(Ordering::SeqCst) as u32;
            for command in commands {
                let answer = match *command {
                    "show ssl sni" => {
                        asked.fetch_add(1, Ordering::SeqCst);
                        let end = "Dec 25 03:53:13 2026 GMT";
                        format!("# Bind\tFilename\tNotAfter\nsite\t/{pid}.pem\t{end}\n\n")
                            .into_bytes()
                    }
                    _ => reply(command, pid, 4, "11"),
                };
                stream.write_all(&answer)?;
            }
            Ok(())
        }
    });
    let exporter = Exporter::start(&[&cli.flag(), "--haproxy.certificates"]);
    let look = |file| {
        let found = exporter.scrape();
        let read = found.value("haproxy_ssl_certificates_read_timestamp_seconds");
        (shown(&found, file), asked.load(Ordering::SeqCst), read)
    };
    let (first, count, read) = look("10");
    assert_eq!((first, count), ((true, 1.0), 1));
    // Also where a client wants no number of the process.
    exporter.get("/metrics?scope=server");
    assert_eq!(look("10"), ((true, 1.0), 1, read));
    pid.store(11, Ordering::SeqCst);
    assert_eq!(look("10"), ((true, 1.0), 1, read));
    let (second, count, _) = look("11");
    assert_eq!((second, count), ((true, 1.0), 2));
    let (second, count, _) = look("11");
    assert_eq!((second, count), ((true, 1.0), 2));
    assert!(!look("10").0.0);
    assert_eq!(exporter.finish().problems(), []);
}

/// Processes, whether the file is shown and the reading went well, and what is logged.
type Case = (&'static [u32], (bool, f64), Vec<Problem>);

/// Before 3.2 they are read on several connections. Where those lead to several processes, nothing is
/// shown, and the next scrape reads again; a reload in the middle costs nothing.
#[test]
fn certificates_of_several_processes() {
    let mixed = Problem {
        level: "warn".to_owned(),
        msg: "certificates cannot be read".to_owned(),
        details: vec!["err=the replies are of several processes at this address".to_owned()],
    };
    // Which process answers each of the connections about certificates, from the second command on: the
    // first is not known.
    let cases: [Case; 3] = [
        (&[10, 10], (true, 1.0), vec![]),
        (&[10, 11, 11, 11], (true, 1.0), vec![]),
        (&[10, 11, 10, 11, 12, 12], (false, 0.0), vec![mixed]),
    ];
    for (pids, expected, problems) in cases {
        let directory = TempDir::new().expect("a temporary directory");
        let turn = AtomicUsize::new(0);
        let pids_of_fake = pids.to_vec();
        let cli = Cli::start(&directory.path().join("s"), move |commands, stream| {
            let is_turn = commands[0].starts_with("show ssl cert");
            let pid = match is_turn {
                true => {
                    let turn = turn.fetch_add(1, Ordering::SeqCst);
                    *pids_of_fake.get(turn).unwrap_or(&99)
                }
                false => 10,
            };
            for command in commands {
                let answer = match *command {
                    "show ssl sni" => b"Unknown command: 'show ssl sni'.\n\n".to_vec(),
                    "show ssl cert" => b"# filename\n/site.pem\n\n".to_vec(),
                    "show ssl cert /site.pem" => {
                        b"Filename: /site.pem\nnotAfter: Dec 25 03:53:13 2026 GMT\n\n".to_vec()
                    }
                    _ => reply(command, pid, 4, "11"),
                };
                stream.write_all(&answer)?;
            }
            Ok(())
        });
        let exporter = Exporter::start(&[&cli.flag(), "--haproxy.certificates"]);
        assert_eq!(shown(&exporter.scrape(), "site"), expected, "{pids:?}");
        if expected.0 {
            continue;
        }
        assert_eq!(shown(&exporter.scrape(), "site"), (true, 1.0), "{pids:?}");
        assert_eq!(exporter.finish().problems(), problems, "{pids:?}");
    }
}

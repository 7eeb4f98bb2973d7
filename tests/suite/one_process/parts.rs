//! Rows that are read a few proxies at a time, on one connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::{Cli, info};
use crate::support::csv;
use crate::support::exporter::{Exporter, Problem};
use crate::support::haproxy::{Haproxy, Place, RELEASES};
use crate::support::{http, logfmt};

const DEBUG: &str = "--log.level=debug";
const BACKENDS: usize = 24;
const SERVERS: usize = 12;

/// The lines that came on each connection.
type Lines = Arc<Mutex<Vec<Vec<String>>>>;

/// Passes all between the exporter and HAProxy, and keeps the lines of commands.
fn relay(path: &Path, to: PathBuf, lines: &Lines) -> Cli {
    let lines = Arc::clone(lines);
    Cli::start(path, move |first, stream| {
        let mut haproxy = UnixStream::connect(&to)?;
        let number = {
            let mut lines = lines.lock().expect("a lock");
            lines.push(vec![first.join(";")]);
            lines.len() - 1
        };
        writeln!(haproxy, "{}", first.join(";"))?;
        let (mut from, mut back) = (haproxy.try_clone()?, stream.try_clone()?);
        let replies = std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut back);
            let _ = back.shutdown(std::net::Shutdown::Both);
        });
        for line in BufReader::new(&*stream).lines() {
            let Ok(line) = line else { break };
            writeln!(haproxy, "{line}")?;
            lines.lock().expect("a lock")[number].push(line);
        }
        let _ = haproxy.shutdown(std::net::Shutdown::Both);
        let _ = replies.join();
        Ok(())
    })
}

/// From the second scrape on, which shows the same as the first.
#[test]
fn the_second_scrape_reads_in_parts() {
    for release in RELEASES {
        let place = Place::new(1);
        let mut text = place.global() + &format!("frontend web\n  bind {}\n", place.bind(0));
        for backend in 0..BACKENDS {
            text += &format!("backend b{backend}\n");
            let servers = (0..SERVERS).map(|server| format!("  server s{server} 127.0.0.1:9\n"));
            text.extend(servers);
        }
        let Some(haproxy) = Haproxy::start_release(release, place, &text) else {
            continue;
        };
        let directory = TempDir::new().expect("a temporary directory");
        let lines = Lines::default();
        let cli = relay(&directory.path().join("s"), haproxy.socket(), &lines);
        let names = "--haproxy.metric-names=builtin";
        let exporter = Exporter::start(&[
            &cli.flag(),
            "--haproxy.activity",
            "--haproxy.timeout=60s",
            names,
            DEBUG,
        ]);
        // What traffic and time change.
        let is_volatile = |key: &str| {
            !(key.contains("_server_") || key.contains("_backend_")) || key.contains("seconds")
        };
        let [first, second, third] = [(); 3].map(|()| exporter.scrape().without(is_volatile));
        second.assert_equals(&first, release);
        third.assert_equals(&first, release);
        let weights = (0..BACKENDS * SERVERS).map(|number| {
            let (backend, server) = (number / SERVERS, number % SERVERS);
            let labels = format!("{{proxy=\"b{backend}\",server=\"s{server}\"}}");
            first.value(&format!("haproxy_server_weight{labels}"))
        });
        assert_eq!(weights.sum::<f64>(), (BACKENDS * SERVERS) as f64);
        let commands = exporter.log_lines();
        let commands = commands.iter().map(|line| logfmt::fields(line));
        let commands: Vec<_> = commands
            .filter_map(|mut line| line.remove("commands"))
            .collect();
        assert!(commands[0].contains("show stat -1 15 -1 ("), "{commands:?}");
        assert!(
            commands[1].starts_with("show stat in parts ("),
            "{commands:?}"
        );
        assert!(commands[1].contains(", show activity ("), "{commands:?}");
        assert!(exporter.finish().problems().is_empty());
        let lines = lines.lock().expect("a lock");
        // The first learns the release.
        let [_, whole, parts, again] = &lines[..] else {
            panic!("{release}: {lines:?}");
        };
        let [line] = &whole[..] else {
            panic!("{release}: {whole:?}");
        };
        assert!(line.starts_with("show stat -1 15 -1;show info;"), "{line}");
        assert_eq!(again, parts, "{release}");
        assert_eq!(parts[..2], ["prompt", "show stat -1 3 -1"], "{release}");
        let (extras, parts) = parts[2..].split_last().expect("commands");
        assert!(
            extras.starts_with("show info;") && extras.contains("show activity"),
            "{extras}"
        );
        let commands: Vec<&str> = parts.iter().flat_map(|line| line.split(';')).collect();
        assert_eq!(commands.len(), BACKENDS + 1, "{release}: {parts:?}");
        // 13 rows each.
        assert_eq!(parts[0].split(';').count(), 7, "{release}: {parts:?}");
    }
}

/// What a fake does on a connection in prompt mode.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Everything,
    /// It has no prompt mode.
    NoPrompt,
    /// One backend has gone since the list.
    LacksOne,
    /// It closes in the middle of a part.
    Closes,
    /// It stops in the middle of a part.
    Stalls,
}

fn rows_of(backend: usize, types: u8) -> Vec<String> {
    let (name, iid) = (format!("b{backend}"), (backend + 2).to_string());
    let cells = [(17, "UP"), (18, "1"), (27, iid.as_str())];
    let servers = (0..SERVERS).filter(|_| types & 4 != 0);
    let servers = servers.map(|server| csv::server(&name, &format!("s{server}"), &cells));
    servers.chain([csv::backend(&name, &cells)]).collect()
}

fn reply(command: &str) -> Vec<u8> {
    let words: Vec<&str> = command.split(' ').collect();
    let ["show", "stat", number, types, "-1"] = words[..] else {
        return match command {
            "show info" => info(7).into_bytes(),
            _ => b"\n".to_vec(),
        };
    };
    let types = types.parse().expect("a number");
    match number.parse::<usize>() {
        Ok(number) => csv::answer(&rows_of(number - 2, types)),
        Err(_) => csv::answer(
            &(0..BACKENDS)
                .flat_map(|at| rows_of(at, types))
                .collect::<Vec<_>>(),
        ),
    }
}

fn serve(first: &[&str], does: Does, stream: &mut UnixStream) -> io::Result<()> {
    if first != ["prompt"] {
        return first
            .iter()
            .try_for_each(|command| stream.write_all(&reply(command)));
    }
    if does == Does::NoPrompt {
        return stream.write_all(b"Unknown command\n\n");
    }
    stream.write_all(b"\n> ")?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        for command in line?.split(';') {
            let mut reply = reply(command);
            if command.starts_with("show stat 9 ") {
                match does {
                    Does::Everything | Does::NoPrompt => {}
                    Does::LacksOne => reply = csv::answer(&[]),
                    Does::Closes => return stream.write_all(&reply[..reply.len() / 2]),
                    Does::Stalls => {
                        stream.write_all(&reply[..reply.len() / 2])?;
                        return stream.read(&mut [0]).map(|_| ());
                    }
                }
            }
            stream.write_all(&reply)?;
            stream.write_all(b"> ")?;
        }
    }
    Ok(())
}

/// Parts that cannot be used cost no scrape, if there is time to read all rows at once.
#[test]
fn parts_that_cannot_be_used() {
    use Does::*;
    // Connections of the three scrapes.
    #[rustfmt::skip]
    let cases = [
        (Everything, 3, "whole"),
        // Not tried again at once.
        (NoPrompt, 4, "whole"),
        (LacksOne, 4, "whole"),
        (Closes, 4, "whole"),
        (Stalls, 3, "timed out"),
    ];
    for (does, connections, expected) in cases {
        let directory = TempDir::new().expect("a temporary directory");
        let seen = Arc::new(Mutex::new(0));
        let cli = Cli::start(&directory.path().join("s"), {
            let seen = Arc::clone(&seen);
            move |first, stream| {
                *seen.lock().expect("a lock") += 1;
                serve(first, does, stream)
            }
        });
        let timeout = if does == Stalls {
            "--haproxy.timeout=6s"
        } else {
            "--haproxy.timeout=60s"
        };
        let exporter = Exporter::start(&[&cli.flag(), timeout]);
        let up = [(); 3].map(|()| {
            let response = http::request(exporter.address(), "GET", "/metrics", &[]);
            let text = String::from_utf8(response.body).expect("UTF-8");
            let servers = text
                .lines()
                .filter(|line| line.starts_with("haproxy_server_up{"));
            let servers = servers.count();
            let is_up = text.contains("\nhaproxy_up 1\n");
            assert_eq!(
                servers,
                if is_up { BACKENDS * SERVERS } else { 0 },
                "{does:?}"
            );
            assert!(
                text.contains("\nhaproxy_exporter_csv_parse_failures_total 0\n"),
                "{does:?}"
            );
            is_up
        });
        let problems = exporter.finish().problems();
        match expected {
            "whole" => {
                assert_eq!((up, &problems[..]), ([true; 3], &[][..]), "{does:?}");
            }
            _ => {
                let timed_out =
                    Problem::scrape_failed(&format!("{}: read: timed out", cli.object()));
                assert_eq!((up, &problems[..]), ([true, false, true], &[timed_out][..]));
            }
        }
        assert_eq!(*seen.lock().expect("a lock"), connections, "{does:?}");
    }
}

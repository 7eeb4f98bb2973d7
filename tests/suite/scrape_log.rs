//! `--log.level=debug`: one line for each scrape, with its commands and for whom it was.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use tempfile::TempDir;

use crate::support::exporter::{self, Exporter};
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::faults::INFO;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http::PATIENCE;
use crate::support::text::mask;
use crate::support::{csv, fixtures, logfmt, peers};

const DEBUG: &str = "--log.level=debug";

/// A client that has sent its request, and its own address.
fn client(exporter: &Exporter, query: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(exporter.address()).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = format!("GET /metrics{query} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("send");
    let own: SocketAddr = stream.local_addr().expect("an address");
    (stream, own.to_string())
}

fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The lines about scrapes in a log, without what every line has; numbers that differ are `#`.
fn scrapes(lines: &[String]) -> Vec<BTreeMap<String, String>> {
    let lines = lines.iter().map(|line| logfmt::fields(line));
    let lines = lines.filter(|fields| fields["msg"] == "scraped");
    let masked = lines.map(|mut fields| {
        assert_eq!(fields["level"], "debug", "{fields:?}");
        for common in ["ts", "level", "msg"] {
            fields.remove(common);
        }
        for key in ["took", "bytes", "commands"] {
            if let Some(value) = fields.get_mut(key) {
                *value = mask(value);
            }
        }
        fields
    });
    masked.collect()
}

fn line(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    let fields = fields
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    fields.collect()
}

#[test]
fn commands_of_a_real_haproxy() {
    let place = Place::new(1);
    let master = place.path("master.sock").display().to_string();
    let configuration = format!(
        "{}frontend web\n  bind {}\nbackend app\n  server one 127.0.0.1:1\n  server two 127.0.0.1:1\n",
        place.global(),
        place.bind(0)
    );
    let Some(haproxy) = Haproxy::start_as(place, &configuration, &["-W", "-db", "-S", &master])
    else {
        return;
    };
    let master = format!("--haproxy.master-socket=unix:{master}");
    // The master opens its socket once more when the worker has started.
    peers::wait_for("the master", || {
        let flags = ["--check", &haproxy.unix_flag(), &master];
        let (status, ..) = peers::run(exporter::command().args(flags));
        status.success().then_some(())
    });
    let exporter = Exporter::start(&[&haproxy.unix_flag(), &master, DEBUG]);
    let (stream, own) = client(&exporter, "?names=builtin");
    assert!(read(stream).contains("\nhaproxy_up 1\n"));
    let (stream, again) = client(&exporter, "?scope=frontend");
    assert!(read(stream).contains("\nhaproxy_up 1\n"));
    let lines = exporter.finish().lines;
    let rows = "1 frontends, 1 backends, 2 servers, 0 listeners";
    let expected = [
        line(&[
            ("clients", &own),
            ("haproxy_up", "1"),
            ("took", "# ms"),
            ("bytes", "#"),
            ("rows", rows),
            (
                "commands",
                "show info (# bytes, # ms), show stat -# # -# (# bytes, # ms), show info (# bytes, # ms), \
                 show table (# bytes, # ms), show stat domain resolvers (# bytes, # ms), \
                 show proc (# bytes, # ms)",
            ),
        ]),
        line(&[
            ("clients", &again),
            ("haproxy_up", "1"),
            ("took", "# ms"),
            ("bytes", "#"),
            ("rows", "1 frontends, 0 backends, 0 servers, 0 listeners"),
            (
                "commands",
                "show stat -# # -# (# bytes, # ms), show info (# bytes, # ms), show proc (# bytes, # ms)",
            ),
        ]),
    ];
    assert_eq!(scrapes(&lines), expected, "{lines:#?}");
}

#[test]
fn pages_files_targets_and_failures() {
    let stat = csv::answer(&[csv::frontend("web", &[(4, "1")])]);
    let page = [b"HTTP/1.0 200 OK\r\n\r\n", &stat[..]].concat();
    let page = Fake::http("127.0.0.1", Answers::page(&page));
    let closing = Answers {
        stat: vec![Act::Send(stat.clone())],
        info: vec![Act::Close],
    };
    let directory = TempDir::new().expect("a temporary directory");
    let cli = Fake::unix(&directory.path().join("cli"), closing);
    let missing = "file /none: open: no such file or directory";
    let rows = "1 frontends, 0 backends, 0 servers, 0 listeners";
    let none = "0 frontends, 0 backends, 0 servers, 0 listeners";
    let cases = [
        (page.uri(), "1", rows, "stats page (# bytes, # ms)", None),
        (
            "file:/none",
            "0",
            none,
            "file (# bytes, # ms, failed)",
            Some(missing),
        ),
        (
            cli.uri(),
            "1",
            rows,
            "show stat -# # -# (# bytes, # ms), show info (# bytes, # ms, failed)",
            None,
        ),
    ];
    for (uri, up, rows, commands, err) in cases {
        let exporter = Exporter::start(&[&format!("--haproxy.target=edge={uri}"), DEBUG]);
        let query = "?target=edge&scope=frontend&scope=global";
        let (stream, own) = client(&exporter, query);
        read(stream);
        let (stream, again) = client(&exporter, query);
        read(stream);
        let lines = exporter.finish().lines;
        let expected = |own: &str| {
            let mut fields = line(&[
                ("target", "edge"),
                ("clients", own),
                ("haproxy_up", up),
                ("took", "# ms"),
                ("bytes", "#"),
                ("rows", rows),
                ("commands", commands),
            ]);
            fields.extend(err.map(|err| ("err".to_owned(), err.to_owned())));
            fields
        };
        // A failure that lasts is logged again at this level.
        assert_eq!(
            scrapes(&lines),
            [expected(&own), expected(&again)],
            "{lines:#?}"
        );
    }
}

/// Clients that come during a scrape share the next one.
#[test]
fn a_scrape_for_several_clients() {
    let stat = csv::answer(&[csv::frontend("web", &[(4, "1")])]);
    let waiting = Answers {
        stat: vec![Act::AwaitChange, Act::Send(stat.clone())],
        info: vec![Act::Send(INFO.to_vec())],
    };
    let directory = TempDir::new().expect("a temporary directory");
    let fake = Fake::unix(&directory.path().join("cli"), waiting);
    let uri = format!("--haproxy.scrape-uri={}", fake.uri());
    let socket = directory.path().join("exporter");
    let listen = format!("--web.listen-address=unix:{}", socket.display());
    let exporter = Exporter::start(&[&uri, &listen, DEBUG]);
    let first = client(&exporter, "");
    peers::wait_for("a scrape", || (!fake.requests().is_empty()).then_some(()));
    let others = [client(&exporter, ""), client(&exporter, "")];
    let mut local = std::os::unix::net::UnixStream::connect(&socket).expect("connect");
    local
        .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
        .expect("send");
    // What was sent before is taken before these.
    for _ in 0..2 {
        assert_eq!(exporter.get("/-/healthy").status, 200);
    }
    fake.set(Answers::whole(&stat, INFO));
    let (first, first_address) = first;
    read(first);
    let mut expected: Vec<String> = vec!["unix".to_owned()];
    for (stream, address) in others {
        read(stream);
        expected.push(address);
    }
    local.read_to_string(&mut String::new()).expect("an answer");
    expected.sort();
    let lines = scrapes(&exporter.finish().lines);
    let clients: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| {
            let mut clients: Vec<&str> = line["clients"].split(", ").collect();
            clients.sort_unstable();
            clients
        })
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(clients, [vec![first_address.as_str()], expected]);
}

/// Not at the usual level, and not in a scrape that only `--check` explains.
#[test]
fn only_at_level_debug() {
    let stat = fixtures::path("3.2.0/stat.csv");
    let uri = format!("--haproxy.scrape-uri=file:{}", stat.display());
    let exporter = Exporter::start(&[&uri]);
    exporter.scrape();
    assert_eq!(scrapes(&exporter.finish().lines), []);
    for (flag, count) in [("--once", 1), ("--check", 0)] {
        let mut command = exporter::command();
        let (_, _, error) = peers::run(command.args([&uri, DEBUG, flag]));
        let lines: Vec<String> = error.lines().map(str::to_owned).collect();
        let scrapes = scrapes(&lines);
        assert_eq!(scrapes.len(), count, "{flag}: {error}");
        for scrape in scrapes {
            assert_eq!(scrape["clients"], "standard output");
        }
    }
}

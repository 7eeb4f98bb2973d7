//! Facts that no other exporter shows, brought about in a real HAProxy of each release: what servers are out
//! of service for, requests by version of HTTP, a process that is tainted, threads under load.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::support::exporter::Exporter;
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Act, Answers, Fake};
use crate::support::haproxy::{Haproxy, Place, RELEASES};
use crate::support::peers;

/// The listeners of [`configuration`], in the order of its `bind` lines.
const WEB: usize = 0;
const WEB_2: usize = 1;
const ORIGIN: usize = 2;

/// Requests over HTTP/1 on one connection, and over HTTP/2 on one connection each.
const REQUESTS_1: usize = 5;
const REQUESTS_2: usize = 3;

/// Servers by the state that they end in, and why those are out of service that are.
const SERVERS: [(&str, &str, &str); 10] = [
    ("up", "UP", ""),
    ("spare", "UP", ""),
    ("down", "DOWN", ""),
    ("disabled", "MAINT", "admin"),
    ("paused", "MAINT", "admin"),
    ("follower", "MAINT", "tracked"),
    ("unresolved", "MAINT", "resolution"),
    ("drained", "DRAIN", "admin"),
    ("agent", "DRAIN", "agent"),
    ("leaving", "NOLB", "check"),
];

fn configuration(place: &Place, agent: &Fake) -> String {
    format!(
        "{global}
resolvers names
  nameserver one 127.0.0.1:1
frontend web
  bind {web}
  bind {web_2} proto h2
  default_backend app
frontend origin
  bind {bind_origin}
  http-request return status 404 if {{ path /leaving }} {{ src -f {gone} }}
  http-request return status 200
backend app
  option httpchk GET /
  http-check disable-on-404
  default-server inter 200ms rise 1 fall 1
  server up {origin} check
  server spare {origin} check backup
  server down 127.0.0.1:1 check
  server disabled {origin} check disabled
  server paused {origin} check
  server follower {origin} track app/paused
  server unresolved nothing.invalid:80 resolvers names init-addr none check
  server drained {origin} check
  server agent {origin} check agent-check agent-addr 127.0.0.1 agent-port {agent} agent-inter 200ms agent-send \"show stat\\n\"
  server leaving {origin} track leaving/leaving
backend leaving
  option httpchk GET /leaving
  http-check disable-on-404
  server leaving {origin} check inter 200ms rise 1 fall 1
",
        global = place.global().replacen("global\n", "global\n  nbthread 2\n", 1),
        web = place.bind(WEB),
        web_2 = place.bind(WEB_2),
        bind_origin = place.bind(ORIGIN),
        gone = place.path("gone").display(),
        origin = place.address(ORIGIN),
        agent = agent.address().port(),
    )
}

/// A HAProxy whose servers are up, but for those that start out of service.
fn haproxy(release: &str, agent: &Fake) -> Option<Haproxy> {
    let place = Place::new(3);
    std::fs::write(place.path("gone"), "").expect("write a list");
    let configuration = configuration(&place, agent);
    let haproxy = Haproxy::start_release(release, place, &configuration)?;
    for (server, status) in [
        ("up", "UP"),
        ("spare", "UP"),
        ("down", "DOWN"),
        ("disabled", "MAINT"),
        ("paused", "UP"),
        ("unresolved", "MAINT (resolution)"),
        ("drained", "UP"),
        ("agent", "DRAIN (agent)"),
        ("leaving", "UP"),
    ] {
        haproxy.wait_for_status("app", server, status);
    }
    Some(haproxy)
}

/// The samples of a family, as `labels value`.
fn samples(found: &Exposition, family: &str) -> Vec<String> {
    let named = found
        .samples
        .iter()
        .filter(|(_, sample)| sample.family == family);
    let short = |key: &str| key[family.len()..].trim_matches(['{', '}']).to_owned();
    named
        .map(|(key, sample)| format!("{} {}", short(key), sample.text))
        .collect()
}

#[test]
fn servers_by_state_and_why_they_are_out_of_service() {
    let answers = Answers {
        stat: vec![Act::Send(b"drain\n".to_vec())],
        ..Answers::default()
    };
    let agent = Fake::tcp("127.0.0.1", answers);
    for release in RELEASES {
        let Some(haproxy) = haproxy(release, &agent) else {
            return;
        };
        let start = |names: &str| {
            let names = format!("--haproxy.metric-names={names}");
            Exporter::start(&[&haproxy.unix_flag(), &names])
        };
        let exporter = start("exporter");
        let before = exporter.scrape();
        let counted = |state: &str| format!("haproxy_servers{{backend=\"app\",state=\"{state}\"}}");
        assert_eq!(before.value(&counted("UP")), 6.0, "{release}");
        haproxy.cli("set server app/paused state maint");
        haproxy.cli("set server app/drained state drain");
        let list = haproxy.place().path("gone");
        haproxy.cli(&format!("add acl {} 127.0.0.1", list.display()));
        for (server, status) in [
            ("paused", "MAINT"),
            ("follower", "MAINT (via app/paused)"),
            ("drained", "DRAIN"),
            ("leaving", "NOLB"),
        ] {
            haproxy.wait_for_status("app", server, status);
        }
        let after = exporter.scrape();
        for state in ["UP", "DOWN", "MAINT", "DRAIN", "NOLB"] {
            let expected = SERVERS.iter().filter(|(_, of, _)| *of == state).count();
            assert_eq!(
                after.value(&counted(state)),
                expected as f64,
                "{release} {state}"
            );
        }
        let backup = samples(&after, "haproxy_server_backup");
        assert_eq!(backup, ["backend=\"app\",server=\"spare\" 1"], "{release}");
        let with = |label: &str, states: &[&str]| {
            let chosen = SERVERS
                .iter()
                .filter(|(_, state, _)| states.contains(state));
            let lines = chosen.map(|(server, _, reason)| {
                format!("{label}=\"app\",reason=\"{reason}\",server=\"{server}\" 1")
            });
            let mut lines: Vec<String> = lines.collect();
            if states.contains(&"NOLB") {
                lines.push(format!(
                    "{label}=\"leaving\",reason=\"check\",server=\"leaving\" 1"
                ));
            }
            lines.sort();
            lines
        };
        let builtin = start("builtin");
        for (found, label) in [(after, "backend"), (builtin.scrape(), "proxy")] {
            let maintenance = samples(&found, "haproxy_server_maintenance");
            assert_eq!(maintenance, with(label, &["MAINT"]), "{release}");
            let draining = samples(&found, "haproxy_server_draining");
            assert_eq!(draining, with(label, &["DRAIN", "NOLB"]), "{release}");
        }
        // HAProxy prints it from 3.4 on.
        assert!(samples(&exporter.scrape(), "haproxy_backend_published").is_empty());
        assert_eq!(exporter.finish().problems(), []);
        assert_eq!(builtin.finish().problems(), []);
    }
}

/// So many requests on one connection.
fn request(curl: &Path, version: &str, address: SocketAddr, count: usize) {
    let mut command = Command::new(curl);
    command.args(["--silent", "--show-error", "--fail", "--noproxy", "*"]);
    command.args([version, "--write-out", "%{http_version} "]);
    for _ in 0..count {
        command.args(["--output", "/dev/null", &format!("http://{address}/")]);
    }
    let expected = match version {
        "--http1.1" => "1.1 ",
        _ => "2 ",
    };
    let (status, output, error) = peers::run(&mut command);
    assert_eq!(
        (status.code(), error),
        (Some(0), String::new()),
        "{version}"
    );
    assert_eq!(output, expected.repeat(count), "{version}");
}

/// What HAProxy prints in hexadecimal.
fn shown_as_tainted(haproxy: &Haproxy) -> u64 {
    let shown = haproxy.cli("show info");
    let digits = shown
        .lines()
        .find_map(|line| line.strip_prefix("Tainted: "));
    let digits = digits.expect("Tainted").trim_start_matches("0x");
    u64::from_str_radix(digits, 16).expect("a hexadecimal number")
}

#[test]
fn requests_by_version_and_a_tainted_process() {
    let Some(curl) = peers::find("curl") else {
        return;
    };
    let agent = Fake::tcp("127.0.0.1", Answers::default());
    for release in RELEASES {
        let place = Place::new(3);
        std::fs::write(place.path("gone"), "").expect("write a list");
        let configuration = configuration(&place, &agent);
        let Some(haproxy) = Haproxy::start_release(release, place, &configuration) else {
            return;
        };
        haproxy.wait_for_status("app", "up", "UP");
        let exporters = ["exporter", "builtin"].map(|names| {
            let names = format!("--haproxy.metric-names={names}");
            Exporter::start(&[&haproxy.unix_flag(), &names])
        });
        let tainted = |found: &Exposition| found.value("haproxy_process_tainted");
        let before = exporters.each_ref().map(Exporter::scrape);
        let at_start = shown_as_tainted(&haproxy);
        assert_eq!(
            before.each_ref().map(tainted),
            [at_start as f64; 2],
            "{release}"
        );
        // Debian's curl fails at the second request on a connection over HTTP/2.
        request(&curl, "--http1.1", haproxy.address(WEB), REQUESTS_1);
        for _ in 0..REQUESTS_2 {
            request(&curl, "--http2-prior-knowledge", haproxy.address(WEB_2), 1);
        }
        // What only developers should do.
        haproxy.cli("expert-mode on; debug dev delay 1");

        let shown = shown_as_tainted(&haproxy);
        assert!(shown > at_start, "{release}: {shown}");
        let rows = haproxy.cli("show stat");
        let has_versions = rows
            .lines()
            .next()
            .is_some_and(|header| header.contains(",h1req,"));
        assert_eq!(has_versions, release != "haproxy", "{release}");
        for (exporter, label) in exporters.iter().zip(["frontend", "proxy"]) {
            let found = exporter.scrape();
            assert_eq!(tainted(&found), shown as f64, "{release}");
            let of = |kind: &str, counts: [usize; 4]| {
                let found = samples(&found, &format!("haproxy_frontend_{kind}_by_version_total"));
                let found = found.into_iter().filter(|line| line.contains("=\"web\""));
                let expected =
                    ["1", "2", "3", "other"]
                        .into_iter()
                        .zip(counts)
                        .map(|(version, count)| {
                            format!("{label}=\"web\",version=\"{version}\" {count}")
                        });
                let expected: Vec<String> = match has_versions {
                    true => expected.collect(),
                    false => Vec::new(),
                };
                assert_eq!(found.collect::<Vec<_>>(), expected, "{release} {kind}");
            };
            of("http_requests", [REQUESTS_1, REQUESTS_2, 0, 0]);
            of("sessions", [1, REQUESTS_2, 0, 0]);
            // HAProxy 3.2 and later count streams; 2.8.25 prints how long it took to start.
            let info = haproxy.cli("show info");
            for (name, key, unit) in [
                ("current_streams", "CurrStreams: ", 1.0),
                ("streams_total", "CumStreams: ", 1.0),
                ("boot_duration_seconds", "BootTime_ms: ", 1000.0),
            ] {
                let shown = info.lines().find_map(|line| line.strip_prefix(key));
                let shown = shown.map(|text| text.parse::<f64>().expect("a number") / unit);
                let found = found.get(&format!("haproxy_process_{name}"));
                assert_eq!(found, shown, "{release} {name}");
            }
        }
        for exporter in exporters {
            assert_eq!(exporter.finish().problems(), []);
        }
    }
}

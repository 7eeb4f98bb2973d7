//! Mistakes in flags: each text names the thing to write instead.

use std::net::TcpListener;

use crate::support::exporter::{self, Exporter};
use crate::support::{csv, logfmt, peers};

/// The text and status of a start that is refused.
fn refused(flags: &[&str]) -> (Option<i32>, String) {
    let (status, output, error) = peers::run(exporter::command().args(flags));
    assert_eq!(output, "", "{flags:?}");
    let error = error.strip_prefix("haproxy_exporter: ").unwrap_or(&error);
    (status.code(), error.trim_end().to_owned())
}

const CLI: &str = "needs a CLI socket: write --haproxy.scrape-uri=unix:/path, the path of \"stats socket\", instead of \
                   a stats page or a file";

const LABEL_ALONE: &str = "--label: needs --once; where Prometheus scrapes the exporter, it adds labels itself (static_configs)";

#[test]
fn texts() {
    let uri = |why: &str| format!("--haproxy.scrape-uri: a scheme is missing ({why})");
    let pattern = |text: &str| {
        format!("--haproxy.proxy-include: {text}: * matches any text, ? one character")
    };
    let state = |text: &str| format!("--haproxy.server-exclude-states: {text}");
    let once = |text: &str| format!("--once: {text}");
    let write = |flag: &str, name: &str| format!("unknown flag {flag}: write --{name}");
    #[rustfmt::skip]
    let cases: &[(&[&str], String)] = &[
        (&["--haproxy.scrape-uri=127.0.0.1:8404"], uri("write \"http://127.0.0.1:8404/;csv\" for a stats page, tcp://127.0.0.1:8404 for a CLI")),
        (&["--haproxy.scrape-uri=localhost:8404"], uri("write \"http://localhost:8404/;csv\" for a stats page, tcp://localhost:8404 for a CLI")),
        (&["--haproxy.scrape-uri=lb1:8404/stats"], uri("write \"http://lb1:8404/stats;csv\"")),
        (&["--haproxy.scrape-uri=lb1:8404/stats;csv"], uri("write \"http://lb1:8404/stats;csv\"")),
        (&["--haproxy.scrape-uri=/run/haproxy/admin.sock"], uri("write unix:/run/haproxy/admin.sock")),
        (&["--haproxy.scrape-uri=@haproxy"], uri("write unix:@haproxy")),
        (&["--haproxy.scrape-uri=u:secret@lb1/;csv"], "--haproxy.scrape-uri: scheme \"u\" is not supported (use http://, unix:, tcp:// or file:)".to_owned()),
        (&["--haproxy.scrape-uri=u.v:secret@lb1/;csv"], uri("write http:// before it")),
        (&["--haproxy.proxy-include=^web.*$"], pattern("\"^web.*$\" is a regular expression; write \"web*\"")),
        (&["--haproxy.proxy-include=(a|b)"], "--haproxy.proxy-include: \"(a|b)\" is a regular expression; * matches any text, ? one character".to_owned()),
        (&["--haproxy.server-exclude-states=FOO"], state("\"FOO\" is not a state of a server (DOWN, UP, MAINT, DRAIN, NOLB, no check)")),
        (&["--haproxy.server-exclude-states=MAINT,drain"], state("write DRAIN, not drain")),
        (&["--haproxy.scrape-url=x"], write("--haproxy.scrape-url", "haproxy.scrape-uri")),
        (&["--scrape-uri=x"], write("--scrape-uri", "haproxy.scrape-uri")),
        (&["--web.listen-adress=:1"], write("--web.listen-adress", "web.listen-address")),
        (&["-web.listen-adress=:1"], write("-web.listen-adress", "web.listen-address")),
        (&["--hlep"], write("--hlep", "help")),
        (&["--collector.anything=x"], "unknown flag --collector.anything (try --help)".to_owned()),
        (&["--haproxy.peers"], format!("--haproxy.peers {CLI}")),
        (&["--haproxy.certificates", "--haproxy.scrape-uri=file:/x"], format!("--haproxy.certificates {CLI}")),
        (&["--haproxy.activity", "--haproxy.target=a=http://h/"], format!("--haproxy.activity {CLI}")),
        (&["--once", "--haproxy.target=a=unix:/x", "--haproxy.target=b=unix:/y"], once("write --once=NAME with one of a, b")),
        (&["--once", "--haproxy.scrape-uri=unix:/x", "--haproxy.target=b=unix:/y"], once("write --once=NAME with one of default, b")),
        (&["--once=c", "--haproxy.target=a=unix:/x", "--haproxy.target=b=unix:/y"], once("target: \"c\" is not a known target (use a, b)")),
        (&["--once=c", "--haproxy.target=a=unix:/x"], once("target: \"c\" is not a known target (use a)")),
        (&["--once=c"], once("target: \"c\" is not a known target (there is none with a name)")),
        (&["--once=http://u:secret@h/"], once("target: \"http://***@h/\" is not a known target (there is none with a name)")),
        (&["--once", "--check=flags", "--haproxy.target=a=unix:/x", "--haproxy.target=b=unix:/y"], once("write --once=NAME with one of a, b")),
        (&["--once="], "--once needs a value".to_owned()),
        (&["--check="], "--check needs a value".to_owned()),
        (&["--label=a=b"], LABEL_ALONE.to_owned()),
        (&["--check", "--label=a=b"], LABEL_ALONE.to_owned()),
    ];
    for (flags, expected) in cases {
        assert_eq!(refused(flags), (Some(2), expected.clone()), "{flags:?}");
    }
}

/// One of the instances can have a CLI socket.
#[test]
fn peers_of_some_targets() {
    let flags = [
        "--check=flags",
        "--haproxy.peers",
        "--haproxy.target=a=http://h/",
        "--haproxy.target=b=unix:/x",
    ];
    assert_eq!(refused(&flags), (Some(0), String::new()));
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = taken.local_addr().expect("its address");
    let flag = format!("--web.listen-address={address}");
    let expected = format!("{flag}: address already in use");
    assert_eq!(refused(&[&flag]), (Some(1), expected));
}

/// It is ready as soon as it listens, whatever HAProxy does.
#[test]
fn ready_without_haproxy() {
    let exporter = Exporter::start(&["--haproxy.scrape-uri=unix:/none"]);
    let ready = exporter.get("/-/ready");
    assert_eq!((ready.status, ready.text()), (200, "OK\n"));
}

/// The page calls the target without a name so.
#[test]
fn the_default_target() {
    let exporter = Exporter::start(&[
        "--haproxy.scrape-uri=unix:/none",
        "--haproxy.target=a=unix:/none",
    ]);
    let statuses =
        ["default", "a", "b"].map(|name| exporter.get(&format!("/metrics?target={name}")).status);
    assert_eq!(statuses, [200, 200, 404]);
    let named = Exporter::start(&["--haproxy.target=a=unix:/none"]);
    let found = named.get("/metrics?target=default");
    assert_eq!(
        (found.status, found.text()),
        (404, "target: \"default\" is not a known target (use a)\n")
    );
}

/// HAProxy has proxies, and none of them is exported: logged once, with a name that there is.
#[test]
fn patterns_that_match_no_proxy() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let file = directory.path().join("stat.csv");
    let rows = [csv::frontend("web", &[]), csv::backend("web.app", &[])];
    std::fs::write(&file, csv::answer(&rows)).expect("write rows");
    let uri = format!("--haproxy.scrape-uri=file:{}", file.display());
    let include = "--haproxy.proxy-include=";
    let no_match = |patterns: &str| {
        format!(
            "no proxy matches {include}{patterns} (the first is \"web\"; * matches any text, ? one character)"
        )
    };
    let cases: [(&[&str], String); 3] = [
        (&["--haproxy.proxy-include=web.*z"], no_match("web.*z")),
        (
            &[
                "--haproxy.proxy-include=we",
                "--haproxy.proxy-include=WEB",
                "--haproxy.proxy-exclude=x",
            ],
            no_match("we, WEB"),
        ),
        (
            &["--haproxy.proxy-exclude=w*"],
            "--haproxy.proxy-exclude excludes all proxies, such as \"web\"".to_owned(),
        ),
    ];
    for (flags, err) in cases {
        let exporter = Exporter::start(&[&[uri.as_str()], flags].concat());
        for _ in 0..2 {
            let exposition = exporter.scrape();
            assert_eq!(exposition.value("haproxy_up"), 1.0);
        }
        let lines = exporter.finish().lines;
        let lines = lines.iter().map(|line| logfmt::fields(line));
        let problems: Vec<_> = lines.filter(|line| line["level"] == "warn").collect();
        let [problem] = &problems[..] else {
            panic!("{flags:?}: {problems:?}");
        };
        assert_eq!(problem["msg"], "no proxy is exported", "{flags:?}");
        assert_eq!(problem["err"], err, "{flags:?}");
    }
}

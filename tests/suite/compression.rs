//! Compressed responses: who gets one, and whether everybody reads in it what stands in a plain one.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use crate::hostile::tools::read_response;
use crate::prometheus::Prometheus;
use crate::support::exporter::Exporter;
use crate::support::exposition::{self, Exposition};
use crate::support::fixtures::{self, CAPTURES, VERSIONS};
use crate::support::http::{self, PATIENCE, Response};
use crate::support::{peers, reference};

const GZIP: (&str, &str) = ("Accept-Encoding", "gzip");

/// Serves a recorded reply from a file.
fn exporter(capture: &str, flags: &[&str]) -> Exporter {
    let file = fixtures::path(capture);
    let uri = format!("--haproxy.scrape-uri=file:{}", file.display());
    Exporter::start(&[&[uri.as_str()], flags].concat())
}

/// What stands in a text, without what differs from scrape to scrape.
fn read(text: &[u8]) -> Exposition {
    let read = exposition::read(text).unwrap_or_else(|error| panic!("{error}"));
    read.without(|family| reference::volatile(family) || family == "haproxy_exporter_scrapes_total")
}

fn compressed(address: SocketAddr, path: &str) -> Response {
    let response = http::request(address, "GET", path, &[GZIP]);
    assert_eq!(response.header("content-encoding"), Some("gzip"));
    response
}

/// Method, path and version, the fields of the request, the flag, and whether the response is compressed.
type Case = (&'static str, &'static str, &'static str, bool);

#[test]
fn who_accepts_gzip_gets_it() {
    const OFF: &str = "--no-web.compression";
    #[rustfmt::skip]
    let cases: [Case; 23] = [
        ("GET /metrics HTTP/1.1", "Accept-Encoding: gzip", "", true),
        ("GET /metrics HTTP/1.1", "accept-encoding:X-GZIP", "", true),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: *", "", true),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: deflate, gzip;q=0.5", "", true),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: br\r\nAccept-Encoding: gzip", "", true),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: gzip ; q=0.001 , identity;q=0", "", true),
        ("GET /metrics?names=builtin HTTP/1.1", "Accept-Encoding: gzip", "", true),
        ("GET /metrics?scope=server HTTP/1.1", "Accept-Encoding: gzip", "--web.compression", true),
        ("GET /metrics HTTP/1.1", "", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding:", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: identity", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: deflate, br, zstd", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: gzip;q=0", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: *;q=0", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: gzip;q=0.5, identity", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: gzip\r\nAccept-Encoding: gzip;q=0", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: gzip;q=7", "", false),
        ("GET /metrics HTTP/1.1", "Accept-Encoding: gzip", OFF, false),
        ("GET /metrics HTTP/1.0", "Accept-Encoding: gzip", "", false),
        ("HEAD /metrics HTTP/1.1", "Accept-Encoding: gzip", "", false),
        ("GET / HTTP/1.1", "Accept-Encoding: gzip", "", false),
        ("GET /nothing HTTP/1.1", "Accept-Encoding: gzip", "", false),
        ("GET /metrics?scope=x HTTP/1.1", "Accept-Encoding: gzip", "", false),
    ];
    for flag in ["", "--web.compression", OFF] {
        let flags: Vec<&str> = [flag].into_iter().filter(|flag| !flag.is_empty()).collect();
        let exporter = exporter("3.2.0/stat.csv", &flags);
        for (line, fields, _, expected) in cases.iter().filter(|(_, _, of, _)| *of == flag) {
            let fields = if fields.is_empty() {
                ""
            } else {
                &format!("{fields}\r\n")
            };
            let request = format!("{line}\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
            let answer = http::exchange(exporter.address(), request.as_bytes());
            let bodiless = line.starts_with("HEAD");
            let response = http::parse(&answer, bodiless).expect("a whole response");
            let what = format!("{request:?} {flag}");
            let encoding = response.header("content-encoding");
            assert_eq!(encoding == Some("gzip"), *expected, "{what}");
            assert_eq!(encoding.is_some(), *expected, "{what}");
            let is_metrics = line.contains("/metrics") && response.status == 200;
            let vary = (is_metrics && flag != OFF).then_some("Accept-Encoding");
            assert_eq!(response.header("vary"), vary, "{what}");
            let framing = (
                response.header("transfer-encoding"),
                response.header("content-length").is_some(),
            );
            let chunked = (Some("chunked"), false);
            let framed = if *expected { chunked } else { (None, true) };
            assert_eq!(framing, framed, "{what}");
            if is_metrics && !bodiless {
                let text = response.decoded().expect("a text");
                exposition::read(&text).expect("a valid exposition");
            }
        }
    }
}

#[test]
fn the_text_of_every_recorded_reply_is_the_same() {
    for version in VERSIONS {
        for capture in CAPTURES {
            let exporter = exporter(&format!("{version}/{capture}.csv"), &[]);
            for path in [
                "/metrics",
                "/metrics?names=builtin&extra-counters=1",
                "/metrics?no-maint=1",
            ] {
                let plain = exporter.get(path);
                let response = compressed(exporter.address(), path);
                let text = response.decoded().expect("a text");
                let what = format!("{version}/{capture} {path}");
                read(&text).assert_equals(&read(&plain.body), &what);
                let (few, many) = (response.body.len(), plain.body.len());
                assert!(few * 6 < many, "{what}: {few} bytes of {many}");
            }
        }
    }
}

/// Each reads what stands in the plain response.
#[test]
fn other_programs_read_it() {
    let exporter = exporter("3.2.0/stat.csv", &[]);
    let plain = read(&exporter.get("/metrics").body);
    let url = format!("http://{}/metrics", exporter.address());
    if let Some(curl) = peers::find("curl") {
        let mut command = Command::new(curl);
        command.args(["-sS", "--fail", "--compressed", &url]);
        let (status, text, error) = peers::run(&mut command);
        assert!(status.success(), "curl: {error}");
        read(text.as_bytes()).assert_equals(&plain, "curl");
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("metrics.gz");
    std::fs::write(&file, compressed(exporter.address(), "/metrics").body).expect("write a file");
    for (program, arguments) in [
        ("gzip", &["-t", "-v"][..]),
        ("gzip", &["-d", "-c"]),
        ("python3", &["-c", PYTHON]),
    ] {
        let Some(path) = peers::find(program) else {
            continue;
        };
        let mut command = Command::new(path);
        let (status, text, error) = peers::run(command.args(arguments).arg(&file));
        assert!(status.success(), "{program} {arguments:?}: {error}");
        if !arguments.contains(&"-t") {
            read(text.as_bytes()).assert_equals(&plain, program);
        }
    }
}

/// Decodes strictly: nothing may stand behind the end.
const PYTHON: &str = "
import sys, zlib
decoder = zlib.decompressobj(31)
text = decoder.decompress(open(sys.argv[1], 'rb').read()) + decoder.flush()
assert decoder.eof and not decoder.unused_data
sys.stdout.buffer.write(text)
";

/// Two responses on one connection, and a plain one between them.
#[test]
fn connections_stay_open() {
    let exporter = exporter("2.6.12/stat.csv", &[]);
    let get = |fields: &str| format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let [first, plain, last] = [
        get("Accept-Encoding: gzip\r\n"),
        get(""),
        get("Accept-Encoding: gzip\r\nConnection: close\r\n"),
    ];
    let mut stream = TcpStream::connect(exporter.address()).expect("connect");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    let mut answers = BufReader::new(stream.try_clone().expect("the same connection"));
    let texts = [first, plain, last].map(|request| {
        stream
            .write_all(request.as_bytes())
            .expect("send a request");
        let response = read_response(&mut answers, false).expect("a response");
        read(&response.decoded().expect("a text"))
    });
    texts[0].assert_equals(&texts[1], "the first");
    texts[2].assert_equals(&texts[1], "the last");
}

/// The same samples, and the limit on the size of a response counts the text, as Prometheus documents it.
#[test]
fn prometheus_has_the_same_samples() {
    let (with, without) = (
        exporter("3.2.0/stat.csv", &[]),
        exporter("3.2.0/stat.csv", &["--no-web.compression"]),
    );
    let plain = without.get("/metrics").body.len();
    let few = compressed(with.address(), "/metrics").body.len();
    assert!(few * 3 < plain, "{few} bytes of {plain}");
    let job = |name: &str, exporter: &Exporter, limit: usize| {
        format!(
            "  - job_name: {name}\n    body_size_limit: {limit}B\n    static_configs:\n      - targets: ['{}']\n",
            exporter.address()
        )
    };
    let jobs = [
        job("compressed", &with, 2 * plain),
        job("plain", &without, 2 * plain),
        // More than is sent, and less than stands in it.
        job("limited", &with, plain / 2),
    ];
    let configuration = format!("scrape_configs:\n{}", jobs.concat());
    let Some(prometheus) = Prometheus::start_with(&configuration) else {
        return;
    };
    prometheus.wait_for("up{job=\"compressed\"}", 1.0);
    prometheus.wait_for("up{job=\"plain\"}", 1.0);
    let samples =
        |job: &str| prometheus.wait_for(&format!("scrape_samples_scraped{{job=\"{job}\"}}"), 1.0);
    assert_eq!(samples("compressed"), samples("plain"));
    for job in ["compressed", "plain"] {
        prometheus.wait_for(
            &format!("count({{job=\"{job}\",__name__=~\"haproxy_server_.*\"}})"),
            1.0,
        );
    }
    let count = |job: &str| prometheus.wait_for(&format!("count({{job=\"{job}\"}})"), 100.0);
    assert_eq!(count("compressed"), count("plain"));
    prometheus.wait_for("1 - up{job=\"limited\"}", 1.0);
    let targets = prometheus.get("/api/v1/targets");
    assert!(
        targets.text().contains("body size limit exceeded"),
        "{}",
        targets.text()
    );
}

//! HAProxy in front of the exporter: TLS and a password.

use std::process::Command;

use super::adapted;
use crate::prometheus::Prometheus;
use crate::support::exporter::Exporter;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http::{self, Response};
use crate::support::peers;

/// `scraper:change-me`, as the recipe has it.
const RIGHT: &str = "Authorization: Basic c2NyYXBlcjpjaGFuZ2UtbWU=\r\n";
/// `scraper:wrong`
const WRONG: &str = "Authorization: Basic c2NyYXBlcjp3cm9uZw==\r\n";

#[test]
fn haproxy_in_front() {
    let Some([openssl, _]) = peers::find_all(["openssl", "haproxy"]) else {
        return;
    };
    let place = Place::new(1);
    let [certificate, both] = ["metrics-ca.pem", "metrics.pem"].map(|name| place.path(name));
    let script = adapted(
        "metrics-pem",
        &[("/etc/haproxy/metrics.pem", &both.display().to_string())],
    );
    let mut shell = Command::new("sh");
    shell.args(["-euc", &script]).current_dir(place.path(""));
    let (status, _, error) = peers::run(&mut shell);
    assert!(status.success(), "{error}");

    let exporter = Exporter::start(&["--haproxy.scrape-uri=unix:/nonexistent"]);
    let recipe = adapted(
        "haproxy-front",
        &[
            ("bind :9443 ", &format!("bind {} ", place.bind(0))),
            ("/etc/haproxy/metrics.pem", &both.display().to_string()),
            ("127.0.0.1:9101", &exporter.address().to_string()),
        ],
    );
    let configuration = format!("{}{recipe}", place.global());
    let Some(haproxy) = Haproxy::start(place, &configuration) else {
        return;
    };
    let send = |method: &str, header: &str| -> String {
        let request = format!(
            "{method} /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n"
        );
        let mut command = Command::new(&openssl);
        command
            .args([
                "s_client",
                "-quiet",
                "-verify_return_error",
                "-verify_quiet",
            ])
            .args([
                "-servername",
                "localhost",
                "-verify_hostname",
                "localhost",
                "-CAfile",
            ])
            .arg(&certificate)
            .args(["-connect", &haproxy.address(0).to_string()]);
        let (_, answer, error) = peers::run_with_input(&mut command, request.as_bytes());
        assert!(!answer.is_empty(), "{error}");
        answer
    };
    let ask = |method: &str, header: &str| -> Response {
        let answer = send(method, header);
        http::parse(answer.as_bytes(), method == "HEAD")
            .unwrap_or_else(|why| panic!("{method}: {why} in {answer:?}"))
    };
    for header in ["", WRONG] {
        let refused = ask("GET", header);
        assert_eq!(refused.status, 401);
        let challenge = refused.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Basic"), "{challenge}");
        assert!(!refused.text().contains("haproxy_up"));
    }
    let answer = ask("GET", RIGHT);
    assert_eq!(answer.status, 200);
    assert!(
        answer.text().contains("\nhaproxy_up 0\n"),
        "{}",
        answer.text()
    );
    assert_eq!(ask("HEAD", RIGHT).status, 200);
    assert_eq!(ask("POST", RIGHT).status, 405);
    let compressed = send("GET", &format!("{RIGHT}Accept-Encoding: gzip\r\n"));
    let (head, _) = compressed.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("\r\ncontent-encoding: gzip"), "{head}");

    let target = format!("localhost:{}", haproxy.address(0).port());
    let job = adapted(
        "prometheus-front-yml",
        &[
            ("localhost:9443", &target),
            (
                "/etc/prometheus/metrics-ca.pem",
                &certificate.display().to_string(),
            ),
        ],
    );
    if let Some(prometheus) = Prometheus::start_with(&job) {
        prometheus.wait_for("up", 1.0);
        assert_eq!(prometheus.wait_for("haproxy_up", 0.0), 0.0);
    }
}

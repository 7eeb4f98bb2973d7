//! The HTTP request as HAProxy receives it: target, Host, credentials.

use crate::support::exporter::{self, Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::pages::{FAR, body, only_request, page};
use crate::support::reference;

fn wanted() -> Exposition {
    reference::exposition(body().as_bytes(), None)
}

/// One good scrape of the URI, and what the fake received.
fn request_of(fake: &Fake, uri: &str) -> Vec<String> {
    exporter::assert_serves(uri, &wanted());
    only_request(fake)
}

#[test]
fn request_line_and_host() {
    for host in ["127.0.0.1", "[::1]"] {
        let cases = [
            ("/;csv", "GET /;csv HTTP/1.0"),
            ("/haproxy?stats;csv", "GET /haproxy?stats;csv HTTP/1.0"),
            ("/a%20b;csv;norefresh", "GET /a%20b;csv;norefresh HTTP/1.0"),
            ("/", "GET / HTTP/1.0"),
            ("", "GET / HTTP/1.0"),
            ("?stats;csv", "GET /?stats;csv HTTP/1.0"),
            ("/;csv#fragment", "GET /;csv HTTP/1.0"),
        ];
        for (target, line) in cases {
            let fake = Fake::http(host, page());
            let got = request_of(&fake, &format!("http://{}{target}", fake.address()));
            assert_eq!(
                got,
                [line.to_owned(), format!("host: {}", fake.address())],
                "{target:?}"
            );
        }
    }
}

#[test]
fn host_names() {
    let fake = Fake::http("127.0.0.1", page());
    let port = fake.address().port();
    let got = request_of(&fake, &format!("http://localhost:{port}/;csv"));
    assert_eq!(
        got,
        [
            "GET /;csv HTTP/1.0".to_owned(),
            format!("host: localhost:{port}")
        ]
    );
    fake.set(page());
    let got = request_of(&fake, &format!("HTTP://LocalHost:{port}/;csv"));
    assert_eq!(got[0], "GET /;csv HTTP/1.0");
}

#[test]
fn credentials() {
    let cases = [
        ("user:password@", "Basic dXNlcjpwYXNzd29yZA=="),
        (
            "us%20er:p%40ss%3Aword%2f%25@",
            "Basic dXMgZXI6cEBzczp3b3JkLyU=",
        ),
        ("user:@", "Basic dXNlcjo="),
        ("user@", "Basic dXNlcjo="),
        (":password@", "Basic OnBhc3N3b3Jk"),
        ("user:pass:word@", "Basic dXNlcjpwYXNzOndvcmQ="),
        ("%C3%BC:%C3%9F@", "Basic w7w6w58="),
        ("a:b%FF@", "Basic YTpi/w=="),
    ];
    for (userinfo, authorization) in cases {
        let fake = Fake::http("127.0.0.1", page());
        let got = request_of(&fake, &format!("http://{userinfo}{}/;csv", fake.address()));
        let want = [
            "GET /;csv HTTP/1.0".to_owned(),
            format!("authorization: {authorization}"),
            format!("host: {}", fake.address()),
        ];
        assert_eq!(got, want, "{userinfo}");
    }
}

/// Whatever happens, the log never holds a password, in its own form or in the one of the URI.
#[test]
fn passwords_stay_out_of_the_log() {
    let secrets = ["s3cr3t", "t0ps3cr3t", "czNjcjN0", "s3%63r3t"];
    let answers = [
        page(),
        Answers::default(),
        Answers::page(b"HTTP/1.0 401 Unauthorized\r\n\r\n"),
        Answers::page(b"noise"),
    ];
    for level in ["info", "debug"] {
        let (origin, proxy) = (
            Fake::http("127.0.0.1", page()),
            Fake::http("127.0.0.1", page()),
        );
        let direct = format!("http://user:s3%63r3t@{}/;csv", origin.address());
        let proxied = format!("http://user:s3%63r3t@{FAR}/;csv");
        for uri in [direct, proxied] {
            let mut command = exporter::command();
            command.args([
                &format!("--haproxy.scrape-uri={uri}"),
                "--http.proxy-from-env",
                &format!("--log.level={level}"),
            ]);
            command.env(
                "http_proxy",
                format!("http://user:t0ps3cr3t@{}", proxy.address()),
            );
            let exporter = Exporter::spawn(&mut command);
            for answers in &answers {
                origin.set(answers.clone());
                proxy.set(answers.clone());
                exporter.scrape();
            }
            let index = exporter.get("/");
            let log = exporter.finish().lines.join("\n");
            for secret in secrets {
                assert!(!log.contains(secret), "{secret} in the log:\n{log}");
                assert!(
                    !index.text().contains(secret),
                    "{secret} on the landing page:\n{}",
                    index.text()
                );
            }
            assert!(log.contains("user"), "the rest of the URI is there:\n{log}");
        }
    }
}

/// Nothing listens on port 80 of this loopback address; a URI without a port is good all the same.
#[test]
fn a_port_may_be_left_out() {
    for uri in ["http://127.83.17.5/;csv", "http://127.83.17.5:/;csv"] {
        let exporter = Exporter::start(&[&format!("--haproxy.scrape-uri={uri}")]);
        assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
        let refused = "http://127.83.17.5/;csv: connect: connection refused \
                       (is HAProxy's stats page there? the default is http://localhost/;csv)";
        assert_eq!(
            exporter.finish().problems(),
            [Problem::scrape_failed(refused)]
        );
    }
}

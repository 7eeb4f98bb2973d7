//! `--http.proxy-from-env`: which requests go through a proxy, and what it receives.

use crate::support::exporter::{self, Exporter, Problem};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::pages::{FAR, only_request, page};

/// Exceptions that are one each of a kind, with a URI, and whether that goes through the proxy. The
/// rules are listed with `src/net/proxy.rs`.
const EXCEPTIONS: [(&str, &str, bool); 8] = [
    ("", "http://198.51.100.7/;csv", true),
    ("*", "http://198.51.100.7/;csv", false),
    (
        " 192.0.2.9 , 198.51.100.7 ,",
        "http://198.51.100.7/;csv",
        false,
    ),
    ("198.51.100.8/30", "http://198.51.100.7/;csv", true),
    ("198.51.100.7:8080", "http://198.51.100.7:8080/;csv", false),
    ("2001:db8::/32", "http://[2001:db8::7]/;csv", false),
    (".invalid", "http://HAProxy.invalid/;csv", false),
    (".haproxy.invalid", "http://haproxy.invalid/;csv", true),
];

/// Runs the exporter with a proxy in its environment; up or not, the proxy's requests tell the way.
fn scrape_with_environment(uri: &str, flags: &[&str], environment: &[(&str, &str)]) -> f64 {
    let mut command = exporter::command();
    command
        .arg(format!("--haproxy.scrape-uri={uri}"))
        .args(flags);
    command.envs(environment.iter().copied());
    Exporter::spawn(&mut command).scrape().value("haproxy_up")
}

#[test]
fn no_proxy() {
    for (no_proxy, uri, is_proxied) in EXCEPTIONS {
        let proxy = Fake::http("127.0.0.1", page());
        let http_proxy = format!("http://{}", proxy.address());
        // A direct connection goes nowhere, and need not take long to find out.
        let timeout = if is_proxied { "30s" } else { "100ms" };
        let up = scrape_with_environment(
            uri,
            &[
                "--http.proxy-from-env",
                &format!("--haproxy.timeout={timeout}"),
            ],
            &[("http_proxy", &http_proxy), ("no_proxy", no_proxy)],
        );
        let way = (up == 1.0, !proxy.requests().is_empty());
        assert_eq!(
            way,
            (is_proxied, is_proxied),
            "{uri} with no_proxy={no_proxy:?}"
        );
    }
}

/// A proxy gets the whole URI, the name of the origin as Host, and its own credentials.
#[test]
#[rustfmt::skip]
fn what_a_proxy_receives() {
    let cases = [
        (
            "",
            "http://haproxy.invalid/;csv",
            vec![
                "GET http://haproxy.invalid/;csv HTTP/1.0",
                "host: haproxy.invalid",
            ],
        ),
        (
            "",
            "http://haproxy.invalid:81/a?b;csv",
            vec![
                "GET http://haproxy.invalid:81/a?b;csv HTTP/1.0",
                "host: haproxy.invalid:81",
            ],
        ),
        ("", "http://[2001:db8::7]/;csv", vec!["GET http://[2001:db8::7]/;csv HTTP/1.0", "host: [2001:db8::7]"]),
        (
            "us%20er:p%40ss@",
            "http://a:b@haproxy.invalid/;csv",
            vec![
                "GET http://haproxy.invalid/;csv HTTP/1.0",
                "authorization: Basic YTpi",
                "host: haproxy.invalid",
                "proxy-authorization: Basic dXMgZXI6cEBzcw==",
            ],
        ),
    ];
    for (credentials, uri, want) in cases {
        let proxy = Fake::http("127.0.0.1", page());
        let http_proxy = format!("http://{credentials}{}", proxy.address());
        assert_eq!(
            scrape_with_environment(uri, &["--http.proxy-from-env"], &[("http_proxy", &http_proxy)]),
            1.0,
            "{uri}"
        );
        assert_eq!(only_request(&proxy), want, "{uri}");
    }
}

/// Which variables count, in which order, and that the flag must be there.
#[test]
#[rustfmt::skip]
fn proxy_variables() {
    let (proxy, other) = (
        Fake::http("127.0.0.1", page()),
        Fake::http("127.0.0.1", page()),
    );
    let (url, other_url) = (
        format!("http://{}", proxy.address()),
        format!("http://{}", other.address()),
    );
    let bare = proxy.address().to_string();
    let far = format!("http://{FAR}/;csv");
    let on = ["--http.proxy-from-env"];
    let quick = ["--http.proxy-from-env", "--haproxy.timeout=100ms"];
    let no_flag = ["--haproxy.timeout=100ms"];
    let off = ["--no-http.proxy-from-env", "--haproxy.timeout=100ms"];
    type Environment<'a> = Vec<(&'a str, &'a str)>;
    let cases: Vec<(&str, &[&str], Environment, bool)> = vec![
        ("lower case", &on, vec![("http_proxy", &url)], true),
        ("upper case", &on, vec![("HTTP_PROXY", &url)], true),
        ("upper case comes first, as with Go", &on, vec![("HTTP_PROXY", &url), ("http_proxy", &other_url)], true),
        ("an empty one does not count", &on, vec![("HTTP_PROXY", ""), ("http_proxy", &url)], true),
        ("without a scheme", &on, vec![("http_proxy", &bare)], true),
        ("NO_PROXY in upper case", &quick, vec![("http_proxy", &url), ("NO_PROXY", "*")], false),
        ("only https_proxy", &quick, vec![("https_proxy", &url), ("HTTPS_PROXY", &url)], false),
        ("without the flag", &no_flag, vec![("http_proxy", &url)], false),
        ("with the flag negated", &off, vec![("http_proxy", &url)], false),
    ];
    for (name, flags, environment, through) in cases {
        proxy.set(page());
        let up = scrape_with_environment(&far, flags, &environment);
        assert_eq!(
            (up == 1.0, proxy.requests().len()),
            (through, usize::from(through)),
            "{name}"
        );
    }
    assert_eq!(other.requests(), [""; 0]);
}

/// Go never sends a request for this machine through a proxy.
#[test]
fn loopback_is_never_proxied() {
    let proxy = Fake::http("127.0.0.1", page());
    for host in ["127.0.0.1", "[::1]"] {
        let origin = Fake::http(host, page());
        let http_proxy = format!("http://{}", proxy.address());
        assert_eq!(
            scrape_with_environment(
                origin.uri(),
                &["--http.proxy-from-env"],
                &[("http_proxy", &http_proxy)]
            ),
            1.0
        );
    }
    let origin = Fake::http("127.0.0.1", page());
    let named = format!("http://localhost:{}/;csv", origin.address().port());
    assert_eq!(
        scrape_with_environment(
            &named,
            &["--http.proxy-from-env"],
            &[("http_proxy", &format!("http://{}", proxy.address()))]
        ),
        1.0
    );
    assert_eq!(proxy.requests(), [""; 0]);
}

#[test]
fn a_proxy_that_fails() {
    let proxy = Fake::http(
        "127.0.0.1",
        Answers::page(b"HTTP/1.0 407 Proxy Authentication Required\r\n\r\n"),
    );
    let mut command = exporter::command();
    command.args([
        &format!("--haproxy.scrape-uri=http://{FAR}/;csv"),
        "--http.proxy-from-env",
    ]);
    command.env(
        "http_proxy",
        format!("http://user:secret@{}", proxy.address()),
    );
    let exporter = Exporter::spawn(&mut command);
    assert_eq!(exporter.scrape().value("haproxy_up"), 0.0);
    let refused = format!(
        "http://{FAR}/;csv through proxy {}: the response is \"HTTP/1.0 407 Proxy Authentication Required\" instead of 200",
        proxy.address()
    );
    assert_eq!(
        exporter.finish().problems(),
        [Problem::scrape_failed(&refused)]
    );
}

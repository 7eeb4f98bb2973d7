//! `--http.proxy-from-env`: which requests go through a proxy, and what it receives.

use crate::support::exporter::{self, Exporter, Problem};
use crate::support::fake_haproxy::{Answers, Fake};
use crate::support::pages::{FAR, only_request, page};

/// What the environment says about proxies, and whether this URI goes through one.
struct ProxyCase {
    uri: &'static str,
    no_proxy: &'static str,
    proxied: bool,
}

const fn proxied(uri: &'static str, no_proxy: &'static str) -> ProxyCase {
    ProxyCase {
        uri,
        no_proxy,
        proxied: true,
    }
}

const fn direct(uri: &'static str, no_proxy: &'static str) -> ProxyCase {
    ProxyCase {
        uri,
        no_proxy,
        proxied: false,
    }
}

/// The rules of Go's `httpproxy`: names match themselves and all below, `.suffix` only what is below.
const PROXY_CASES: &[ProxyCase] = &[
    proxied("http://198.51.100.7/;csv", ""),
    direct("http://198.51.100.7/;csv", "*"),
    direct("http://198.51.100.7/;csv", "example.com,*"),
    direct("http://198.51.100.7/;csv", "198.51.100.7"),
    direct("http://198.51.100.7/;csv", " 192.0.2.9 , 198.51.100.7 ,"),
    proxied("http://198.51.100.7/;csv", "198.51.100.8"),
    proxied("http://198.51.100.7/;csv", "198.51.100"),
    direct("http://198.51.100.7/;csv", "198.51.100.0/24"),
    direct("http://198.51.100.7/;csv", "0.0.0.0/0"),
    proxied("http://198.51.100.7/;csv", "198.51.101.0/24"),
    proxied("http://198.51.100.7/;csv", "198.51.100.8/30"),
    direct("http://198.51.100.7/;csv", "198.51.100.7:80"),
    proxied("http://198.51.100.7/;csv", "198.51.100.7:8080"),
    direct("http://198.51.100.7:8080/;csv", "198.51.100.7:8080"),
    direct("http://198.51.100.7:8080/;csv", "198.51.100.7"),
    proxied("http://[2001:db8::7]/;csv", "2001:db8::8"),
    direct("http://[2001:db8::7]/;csv", "2001:db8::7"),
    direct("http://[2001:db8::7]/;csv", "2001:db8::/32"),
    direct("http://[2001:db8::7]:81/;csv", "[2001:db8::7]:81"),
    proxied("http://[2001:db8::7]/;csv", "198.51.100.0/24"),
    proxied("http://haproxy.invalid/;csv", "other.invalid"),
    direct("http://haproxy.invalid/;csv", "haproxy.invalid"),
    direct("http://haproxy.invalid/;csv", "HAProxy.Invalid"),
    direct("http://HAProxy.invalid/;csv", "haproxy.invalid"),
    direct("http://haproxy.invalid/;csv", "invalid"),
    direct("http://haproxy.invalid/;csv", ".invalid"),
    direct("http://haproxy.invalid/;csv", "*.invalid"),
    proxied("http://haproxy.invalid/;csv", ".haproxy.invalid"),
    proxied("http://haproxy.invalid/;csv", "proxy.invalid"),
    proxied("http://haproxy.invalid/;csv", "haproxy.invalid:81"),
    direct("http://haproxy.invalid:81/;csv", "haproxy.invalid:81"),
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
    for case in PROXY_CASES {
        let proxy = Fake::http("127.0.0.1", page());
        let http_proxy = format!("http://{}", proxy.address());
        // A direct connection goes nowhere, and need not take long to find out.
        let timeout = if case.proxied {
            "--haproxy.timeout=10s"
        } else {
            "--haproxy.timeout=100ms"
        };
        let up = scrape_with_environment(
            case.uri,
            &["--http.proxy-from-env", timeout],
            &[("http_proxy", &http_proxy), ("no_proxy", case.no_proxy)],
        );
        let way = (up == 1.0, !proxy.requests().is_empty());
        assert_eq!(
            way,
            (case.proxied, case.proxied),
            "{} with no_proxy={:?}",
            case.uri,
            case.no_proxy
        );
    }
}

/// A proxy gets the whole URI, the name of the origin as Host, and its own credentials.
#[test]
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
        (
            "",
            "http://[2001:db8::7]/;csv",
            vec![
                "GET http://[2001:db8::7]/;csv HTTP/1.0",
                "host: [2001:db8::7]",
            ],
        ),
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
            scrape_with_environment(
                uri,
                &["--http.proxy-from-env"],
                &[("http_proxy", &http_proxy)]
            ),
            1.0,
            "{uri}"
        );
        assert_eq!(only_request(&proxy), want, "{uri}");
    }
}

/// Which variables count, in which order, and that the flag must be there.
#[test]
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
        (
            "upper case comes first, as with Go",
            &on,
            vec![("HTTP_PROXY", &url), ("http_proxy", &other_url)],
            true,
        ),
        (
            "an empty one does not count",
            &on,
            vec![("HTTP_PROXY", ""), ("http_proxy", &url)],
            true,
        ),
        ("without a scheme", &on, vec![("http_proxy", &bare)], true),
        (
            "NO_PROXY in upper case",
            &quick,
            vec![("http_proxy", &url), ("NO_PROXY", "*")],
            false,
        ),
        (
            "only https_proxy",
            &quick,
            vec![("https_proxy", &url), ("HTTPS_PROXY", &url)],
            false,
        ),
        (
            "without the flag",
            &no_flag,
            vec![("http_proxy", &url)],
            false,
        ),
        (
            "with the flag negated",
            &off,
            vec![("http_proxy", &url)],
            false,
        ),
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
        "http://{FAR}/;csv through proxy {}: the answer is \"HTTP/1.0 407 Proxy Authentication Required\" instead of 200",
        proxy.address()
    );
    assert_eq!(
        exporter.finish().problems(),
        [Problem::scrape_failed(&refused)]
    );
}

//! Properties of what operators write: URIs, durations, argument files.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use haproxy_exporter::testing::cli::{self, duration as durations};
use haproxy_exporter::testing::haproxy::uri::{HttpUri, ScrapeUri};
use haproxy_exporter::testing::net::proxy;

/// What is printed of a URI is parsed to the same again, holds no secret, and no bytes that would
/// break a request head. Proxy settings of any kind are read without harm.
pub fn scrape_uri(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (uri, http_proxy, no_proxy, host) = (line(), line(), line(), line());
    let parsed = ScrapeUri::parse(uri);
    match &parsed {
        Ok(parsed) => one_uri(parsed),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    secret_stays_secret(uri);
    let environment = proxy::Environment {
        http: http_proxy.to_owned(),
        https: http_proxy.to_owned(),
        exceptions: no_proxy.to_owned(),
    };
    let other = ScrapeUri::parse(&format!("http://{host}/;csv"));
    for parsed in [parsed, other].into_iter().flatten() {
        let ScrapeUri::Http(http) = &parsed else {
            continue;
        };
        match environment.proxy_for(http) {
            Ok(Some(proxy)) => assert!(!proxy.address.host.is_empty() && proxy.address.port > 0),
            Ok(None) => {}
            Err(error) => {
                let said = error.to_string();
                assert!(said.starts_with("http_proxy: "), "{said}");
            }
        }
        if no_proxy.split(',').any(|rule| rule.trim() == "*") {
            assert_eq!(environment.proxy_for(http), Ok(None));
        }
    }
}

fn one_uri(parsed: &ScrapeUri) {
    let printed = parsed.to_string();
    let again = ScrapeUri::parse(&printed).unwrap_or_else(|error| panic!("{printed}: {error}"));
    assert_eq!(printed, again.to_string());
    let ScrapeUri::Http(http) = parsed else {
        assert_eq!(*parsed, again);
        return;
    };
    assert_eq!(
        *http,
        HttpUri {
            credentials: http.credentials.clone(),
            ..http_of(again)
        }
    );
    assert!(http.path.starts_with('/') && http.address.port > 0 && !http.address.host.is_empty());
    for part in [&http.path, &http.authority] {
        assert!(!part.contains(|c: char| c.is_control() || c == ' ' || c == '#'));
    }
    let credentials = http.credentials.as_deref();
    assert!(credentials.is_none_or(|bytes| bytes.contains(&b':')));
}

fn http_of(uri: ScrapeUri) -> HttpUri {
    match uri {
        ScrapeUri::Http(http) => http,
        other => panic!("{other}"),
    }
}

/// A password in its place is in no message and no log line, whatever stands around it.
fn secret_stays_secret(rest: &str) {
    const SECRET: &str = "hunter2secret";
    if rest.contains('@') || rest.contains(SECRET) {
        return;
    }
    for start in [
        "http://user:",
        "https://user:",
        "HTTP://:",
        "tcp://u:",
        "ftp://u:",
    ] {
        let said = match ScrapeUri::parse(&format!("{start}{SECRET}@{rest}")) {
            Ok(uri) => format!("{uri} {uri:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!said.contains(SECRET), "{said}");
    }
}

/// Durations are read as a plain sum of decimal fractions.
pub fn duration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(parsed) = durations::parse(&text) else {
        return;
    };
    assert!(parsed <= Duration::from_nanos(i64::MAX as u64));
    let sum = plain_sum(&text);
    let (got, slack) = (parsed.as_secs_f64(), 1e-9 * text.len() as f64);
    assert!(
        (got - sum).abs() <= slack + sum * 1e-12,
        "{text:?}: {got} instead of {sum}"
    );
    // Printed in the smallest unit it is the same.
    let again = durations::parse(&format!("{}ns", parsed.as_nanos()));
    assert_eq!(again, Ok(parsed));
}

fn plain_sum(text: &str) -> f64 {
    let mut rest = text.trim_start_matches('+');
    let mut sum = 0.0;
    while let Some(digits) = rest.find(|c: char| !c.is_ascii_digit() && c != '.') {
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let scale = match unit {
            "ns" => 1e-9,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            other => panic!("unit {other:?}"),
        };
        sum += number.parse::<f64>().unwrap_or(f64::NAN) * scale;
        rest = after;
    }
    sum
}

/// The lines of an argument file become a configuration or one message, and a configuration keeps
/// its promises. Lines that name further files stand for files that do not exist.
pub fn arguments(data: &[u8]) {
    let lines = cli::arguments::lines(data);
    for line in &lines {
        let bytes = line.as_bytes();
        assert!(!bytes.is_empty() && !bytes.contains(&b'\n') && bytes[0] != b'#');
    }
    let named = |line: &OsString| line.as_bytes().starts_with(b"@");
    let missing = || OsString::from("@/nonexistent/arguments");
    let arguments = lines
        .iter()
        .map(|line| if named(line) { missing() } else { line.clone() });
    match cli::parse(arguments) {
        Ok(cli::Command::Run(config)) => {
            assert!(!config.timeout.is_zero());
            assert!((1..=1 << 30).contains(&config.max_response_bytes));
            assert!(config.telemetry_path.starts_with('/') && config.telemetry_path.len() > 1);
            assert!(!config.listen.is_empty() && config.socket_mode <= 0o777);
            let ready_fd = config.ready_fd.map(|fd| fd.to_string().parse::<i32>());
            assert!(ready_fd.is_none_or(|fd| fd.is_ok_and(|fd| fd > 2)));
            config.targets.iter().for_each(|(_, uri)| one_uri(uri));
        }
        Ok(cli::Command::Print(text)) => assert!(text.ends_with('\n')),
        Err(reason) => assert!(!reason.to_string().is_empty()),
    }
}

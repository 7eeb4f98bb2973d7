use super::*;
use std::ffi::OsString;

use crate::cli;
use crate::net::address::HttpUri;
use crate::net::proxy::Environment;
use crate::server::listen::{ListenAddress, bind_all};

const NO_PORT: &str = "the port is missing (host:port)";
const BAD_PORT: &str = "port must be a number from 1 to 65535, not \"x\"";
const IN_BRACKETS: &str = "an IPv6 address must be in brackets: [::1]:port";

#[test]
fn texts_of_usage_errors() {
    #[rustfmt::skip]
    let cases = [
        ("--haproxy.scrape-uri=tcp://h", &*format!("--haproxy.scrape-uri: {NO_PORT}")),
        ("--haproxy.target=a=http://h:x/", &format!("--haproxy.target: a: {BAD_PORT}")),
        ("--web.listen-address=::1", &format!("--web.listen-address: \"::1\": {IN_BRACKETS}")),
        ("--haproxy.timeout=-1s", "--haproxy.timeout: duration \"-1s\" is negative"),
        ("--haproxy.timeout=0", "--haproxy.timeout: must be above zero"),
        ("@/no/such/file", "argument file /no/such/file: no such file or directory"),
        ("--twice", "unknown flag --twice (try --help)"),
    ];
    for (argument, expected) in cases {
        let error = cli::parse([OsString::from(argument)]).unwrap_err();
        assert_eq!(error.to_string(), expected, "{argument}");
    }
}

#[test]
fn texts_of_failed_starts() {
    let failed = || io::Error::from_raw_os_error(libc::EMFILE);
    let proxy = Environment {
        http: "p:x".to_owned(),
        ..Environment::default()
    };
    let uri = HttpUri::parse("//h/", false).unwrap();
    let proxy = SetupError::Proxy(proxy.proxy_for(&uri).unwrap_err());
    let addresses = [ListenAddress::parse("unix:/no/such/directory/socket").unwrap()];
    let of = |what: &'static str| StartError::of(what)(failed());
    let reason = "too many open files";
    #[rustfmt::skip]
    let cases = [
        (StartError::Usage(setup(&proxy)), &*format!("--http.proxy-from-env: http_proxy: {BAD_PORT}"), USAGE),
        (StartError::Failed(bind_all(&addresses, 0).unwrap_err()), "--web.listen-address=unix:/no/such/directory/socket: no such file or directory", FAILED),
        (of("signals"), &format!("signals: {reason}"), FAILED),
        (StartError::no_thread(&failed()), &format!("cannot start a thread: is there a memory or process limit? ({reason})"), FAILED),
        (StartError::of("x")(io::Error::other("LISTEN_PID is not set")), "x: LISTEN_PID is not set", FAILED),
    ];
    for (error, expected, status) in cases {
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.status(), status, "{expected}");
    }
}

/// systemd passes nothing, or what is not open.
#[test]
fn texts_of_inherited_listeners() {
    let pid = std::process::id().to_string();
    let cases = [
        (None, None, "LISTEN_PID and LISTEN_FDS are not set"),
        (
            Some("1"),
            Some("1"),
            "systemd passed no socket to this process",
        ),
        (
            Some(&*pid),
            Some("0"),
            "systemd passed no socket to this process",
        ),
    ];
    for (listen_pid, count, expected) in cases {
        let variable = |name: &str| match name {
            "LISTEN_PID" => listen_pid.map(str::to_owned),
            _ => count.map(str::to_owned),
        };
        let error = listen::inherited(variable).unwrap_err();
        assert_eq!(reason(&error), expected);
    }
}

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
        assert_eq!(StartError::Usage(error).to_string(), expected, "{argument}");
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
    let address = ListenAddress::parse("unix:/no/such/directory/socket").unwrap();
    let bind = bind_all(&[address], 0).unwrap_err();
    let descriptor = InheritError::Descriptor("3".to_owned(), failed());
    let unexpected = || lexopt::Error::UnexpectedOption("-x".to_owned());
    let link = LinkError::Io(failed());
    let reason = "too many open files";
    #[rustfmt::skip]
    let cases: [(StartError, &str); 12] = [
        (StartError::Usage(UsageError::Parser(unexpected())), "invalid option '-x'"),
        (StartError::Source(proxy), &format!("--http.proxy-from-env: http_proxy: {BAD_PORT}")),
        (StartError::NotOne, "--once: scrapes one HAProxy; more are given"),
        (StartError::Ready(ReadyError::NotOpen("9".to_owned(), failed())), "--ready-fd=9: too many open files (is it the number in s6's notification-fd?)"),
        (StartError::Inherited(descriptor), "--web.systemd-socket: descriptor 3: too many open files"),
        (StartError::Listen(bind), "listen address unix:/no/such/directory/socket: no such file or directory"),
        (StartError::Descriptors(1, 10), "no descriptors: limit is 1, 10 are needed"),
        (StartError::Signals(failed()), &format!("signals: {reason}")),
        (StartError::PrivateConnection(link), &format!("private connection: {reason}")),
        (StartError::Thread(failed()), &format!("cannot start a thread: is there a memory or process limit? ({reason})")),
        (StartError::Output(failed()), &format!("standard output: {reason}")),
        (StartError::Stopped(failed()), &format!("the server stopped: {reason}")),
    ];
    for (error, expected) in cases {
        assert_eq!(error.to_string(), expected);
    }
}

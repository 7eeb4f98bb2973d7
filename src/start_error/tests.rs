use super::*;
use std::ffi::OsString;

use crate::cli;
use crate::errno::tests::sources;
use crate::net::http_uri::HttpUri;
use crate::net::proxy::Environment;
use crate::server::listen::{ListenAddress, bind_all};

const NO_PORT: &str = "the port is missing (host:port)";
const BAD_PORT: &str = "port must be a number from 1 to 65535, not \"x\"";
const IN_BRACKETS: &str = "an IPv6 address must be in brackets: [::1]:port";

#[test]
fn sources_of_usage_errors() {
    let missing = io::Error::from_raw_os_error(libc::ENOENT).to_string();
    #[rustfmt::skip]
    let cases: [(&str, &[&str]); 7] = [
        ("--haproxy.scrape-uri=tcp://h", &[NO_PORT, NO_PORT, NO_PORT]),
        ("--haproxy.target=a=http://h:x/", &[&format!("a: {BAD_PORT}"), BAD_PORT, BAD_PORT, BAD_PORT]),
        ("--web.listen-address=::1", &[&format!("\"::1\": {IN_BRACKETS}"), IN_BRACKETS, IN_BRACKETS]),
        ("--haproxy.timeout=-1s", &["duration \"-1s\" is negative", "duration \"-1s\" is negative"]),
        ("--haproxy.timeout=0", &["must be above zero"]),
        ("@/no/such/file", &["argument file /no/such/file: no such file or directory", &missing]),
        ("--twice", &[]),
    ];
    for (argument, expected) in cases {
        let error = cli::parse([OsString::from(argument)]).unwrap_err();
        let error = StartError::Usage(error);
        let found = sources(&error);
        assert_eq!(found[1..], *expected, "{argument}");
        assert!(error.to_string().ends_with(&found[0]), "{argument}");
    }
}

#[test]
fn sources_of_failed_starts() {
    let failed = || io::Error::from_raw_os_error(libc::EMFILE);
    let system = &*failed().to_string();
    let missing = &*io::Error::from_raw_os_error(libc::ENOENT).to_string();
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
    let unexpected_text = &*unexpected().to_string();
    let link = LinkError::Io(failed());
    let of_proxy = &*format!("http_proxy: {BAD_PORT}");
    #[rustfmt::skip]
    let cases: [(StartError, &[&str]); 12] = [
        (StartError::Usage(UsageError::Parser(unexpected())), &[unexpected_text, unexpected_text]),
        (StartError::Source(proxy), &[of_proxy, of_proxy, BAD_PORT, BAD_PORT]),
        (StartError::NotOne, &[]),
        (StartError::Ready(ReadyError::NotOpen("9".to_owned(), failed())), &["9: too many open files (is it the number in s6's notification-fd?)", system]),
        (StartError::Inherited(descriptor), &["descriptor 3: too many open files", system]),
        (StartError::Listen(bind), &["listen address unix:/no/such/directory/socket: no such file or directory", missing]),
        (StartError::Descriptors(1, 10), &[]),
        (StartError::Signals(failed()), &[system]),
        (StartError::PrivateConnection(link), &["too many open files", system]),
        (StartError::Thread(failed()), &[system]),
        (StartError::Output(failed()), &[system]),
        (StartError::Stopped(failed()), &[system]),
    ];
    for (error, expected) in cases {
        assert_eq!(sources(&error), expected, "{error}");
    }
}

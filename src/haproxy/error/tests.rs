use super::super::advice::Asked;
use super::*;
use std::io;

use crate::net::error::Phase;

#[test]
fn texts_of_failed_questions() {
    let failed = || io::Error::from_raw_os_error(libc::ECONNRESET);
    let html = &*format!("unix:/socket: {}", ReplyError::Html);
    #[rustfmt::skip]
    let cases: [(Problem, &str); 5] = [
        (NetError::Io(Phase::Read, failed()).into(), "unix:/socket: read: connection reset by peer"),
        (Problem::File("open: connection reset by peer".to_owned()), "unix:/socket: open: connection reset by peer"),
        (ReplyError::Html.into(), html),
        (Problem::TooMuch, "unix:/socket: read: more came behind the closing empty line"),
        (Problem::TooLarge(9), "unix:/socket: read: the reply is larger than 9 bytes (--haproxy.max-response-bytes)"),
    ];
    for (problem, expected) in cases {
        let error = SourceError::new("unix:/socket", problem, Asked::Tcp, false);
        assert_eq!(error.to_string(), expected);
    }
}

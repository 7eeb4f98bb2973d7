use super::*;
use std::io;

use super::super::rules::TableError;
use crate::errno::tests::sources;
use crate::net::error::Phase;

#[test]
fn sources_of_failed_questions() {
    let failed = || io::Error::from_raw_os_error(libc::ECONNRESET);
    let system = &*failed().to_string();
    let html = &*TableError::Html.to_string();
    #[rustfmt::skip]
    let cases: [(Problem, &[&str]); 4] = [
        (NetError::Io(Phase::Read, failed()).into(), &["read: connection reset by peer", system]),
        (FileError::Open(failed()).into(), &["open: connection reset by peer", system]),
        (ReplyError::Stat(TableError::Html).into(), &[html, html]),
        (Problem::TooMuch, &[]),
    ];
    for (problem, expected) in cases {
        let object = "unix:/socket".to_owned();
        let error = SourceError::new(&object, problem, Asked::Tcp);
        assert_eq!(sources(&error), expected, "{error}");
    }
}

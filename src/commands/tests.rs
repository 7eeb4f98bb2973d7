use super::command::ReadError;
use super::*;
use crate::haproxy::error::{Problem, SourceError};
use crate::haproxy::reply::ReplyError;
use crate::net::error::{NetError, Phase};

/// Each command with its flag, and its place in the order of sending: the scrape itself, with the rows, now and
/// then, and to the master.
#[test]
fn all_commands() {
    let cases = [
        ("show info", "", 0),
        ("show table", "", 1),
        ("show stat domain resolvers", "", 1),
        ("show proc", "haproxy.master-socket", 3),
        ("show peers", "haproxy.peers", 1),
        ("show ssl sni", "haproxy.certificates", 2),
        ("show activity", "haproxy.activity", 1),
    ];
    let flag = |command: &Command| command.flag.as_ref().map_or("", |flag| flag.name);
    let found = ALL
        .iter()
        .map(|command| (command.ask, flag(command), command.when.order()));
    assert_eq!(found.collect::<Vec<_>>(), cases);
    let names = cases
        .iter()
        .map(|(_, flag, _)| *flag)
        .filter(|flag| !flag.is_empty());
    assert!(flags().map(|flag| flag.name).eq(names));
}

/// A reading that a network error or a reload ended may succeed at once; another reply would be the same.
#[test]
fn what_may_succeed_at_once() {
    let failed = |problem| {
        ReadError::Failed(SourceError {
            object: String::new(),
            problem,
            advice: None,
        })
    };
    let reset = std::io::Error::from_raw_os_error(libc::ECONNRESET);
    let cases = [
        (failed(NetError::Io(Phase::Read, reset).into()), true),
        (failed(Problem::TooMuch), false),
        (failed(ReplyError::NoVersion.into()), false),
        (ReadError::Mixed, true),
        (ReadError::TooMuch(1), false),
    ];
    for (error, is_passing) in cases {
        assert_eq!(error.is_passing(), is_passing, "{error}");
    }
}

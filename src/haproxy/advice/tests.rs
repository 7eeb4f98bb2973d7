use super::super::reply::Proof;
use super::*;

fn io(phase: Phase, number: i32) -> Problem {
    NetError::Io(phase, io::Error::from_raw_os_error(number)).into()
}

/// Errors of connect(2), and the advice for each kind of source.
#[test]
fn advice_by_errno() {
    let no_descriptor = Some("is the limit of open files too low?");
    let group = Some("is the exporter in HAProxy's group?");
    let socket = Some("is HAProxy running, and does its configuration have this \"stats socket\"?");
    let master = Some("is HAProxy running, with -W and \"-S\" there?");
    let running = Some("is HAProxy running?");
    let page = Some("is HAProxy's stats page there? the default is http://localhost/;csv");
    let unix = |is_master| Asked::Unix {
        path: None,
        is_master,
    };
    let http = |has_proxy| Asked::Page {
        has_proxy,
        asks_for_csv: true,
    };
    let asked = [unix(false), unix(true), Asked::Tcp, http(false), http(true)];
    let cases = [
        (
            libc::EMFILE,
            [
                no_descriptor,
                no_descriptor,
                no_descriptor,
                no_descriptor,
                None,
            ],
        ),
        (
            libc::ENFILE,
            [
                no_descriptor,
                no_descriptor,
                no_descriptor,
                no_descriptor,
                None,
            ],
        ),
        (libc::EACCES, [group, group, None, None, None]),
        (libc::ENOENT, [socket, master, None, None, None]),
        (libc::ECONNREFUSED, [running, running, None, page, None]),
        (libc::EHOSTUNREACH, [None; 5]),
    ];
    for (number, expected) in cases {
        let found = asked.map(|asked| advice(&io(Phase::Connect, number), asked, false));
        assert_eq!(found.each_ref().map(Option::as_deref), expected, "{number}");
        // Later, nobody has to look at the listener.
        let later = asked.map(|asked| advice(&io(Phase::Read, number), asked, false));
        assert_eq!(later, [const { None }; 5], "{number}");
    }
}

/// Answers that are refused, and what can be done.
#[test]
fn advice_by_answer() {
    let page = |asks_for_csv| Asked::Page {
        has_proxy: true,
        asks_for_csv,
    };
    let html = || Problem::Reply(ReplyError::Html);
    let line = |command| {
        let line = "Permission denied".to_owned();
        Problem::Reply(ReplyError::OfAnotherKind(command, line))
    };
    let level = Some("the CLI socket needs level operator");
    #[rustfmt::skip]
    let cases = [
        (Problem::TooLarge(9), Asked::Tcp, false, Some("--haproxy.max-response-bytes")),
        (Problem::TooLarge(9), page(true), false, Some("--haproxy.max-response-bytes")),
        (Problem::TooLarge(MAX_PERIODIC_BYTES), Asked::Tcp, false, None),
        (html(), page(false), false, Some("does the scrape URI lack \";csv\"?")),
        (html(), page(true), false, None),
        (html(), Asked::File, false, None),
        (line("show proc"), Asked::Tcp, true, level),
        (line("show proc"), Asked::Tcp, false, None),
        (Problem::Reply(ReplyError::Empty(Proof::EmptyLine)), Asked::Tcp, true, level),
        (Problem::TooMuch, Asked::Tcp, true, None),
    ];
    for (problem, asked, is_denied, expected) in cases {
        let found = advice(&problem, asked, is_denied);
        assert_eq!(found.as_deref(), expected, "{problem}");
    }
}

use super::*;

fn connect(number: i32) -> NetError {
    NetError::Io(Phase::Connect, io::Error::from_raw_os_error(number))
}

/// Errors of connect(2), and the hints for each kind of source.
#[test]
fn hints() {
    let no_descriptor = Some("is the limit of open files too low?");
    let group = Some("is the exporter in HAProxy's group?");
    let socket = Some("is HAProxy running, with \"stats socket\" there?");
    let running = Some("is HAProxy running?");
    let page = Some("is HAProxy's stats page there? the default is http://localhost/;csv");
    let cases = [
        (libc::EMFILE, [no_descriptor; 3]),
        (libc::ENFILE, [no_descriptor; 3]),
        (libc::EACCES, [group, None, None]),
        (libc::ENOENT, [socket, None, None]),
        (libc::ECONNREFUSED, [running, None, page]),
        (libc::EHOSTUNREACH, [None; 3]),
    ];
    for (number, expected) in cases {
        let error = connect(number);
        let found = [
            Hint::of_unix(&error, None),
            Hint::of_tcp(&error),
            Hint::of_page(&error),
        ];
        let found = found.map(|hint| hint.map(|hint| hint.to_string()));
        assert_eq!(
            found,
            expected.map(|text| text.map(str::to_owned)),
            "{number}"
        );
        // Later, nobody has to look at the listener.
        let later = NetError::Io(Phase::Read, io::Error::from_raw_os_error(number));
        assert_eq!(Hint::of_unix(&later, None), None);
        assert_eq!(Hint::of_page(&later), None);
    }
}

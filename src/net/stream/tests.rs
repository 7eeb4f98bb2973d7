use super::*;

#[test]
fn errors_that_say_nothing_of_the_host() {
    let cases = [
        (libc::EAFNOSUPPORT, true),
        (libc::EADDRNOTAVAIL, true),
        (libc::ENETUNREACH, true),
        (libc::EPERM, true),
        (libc::EACCES, true),
        (libc::ECONNREFUSED, false),
        (libc::EHOSTUNREACH, false),
    ];
    for (number, expected) in cases {
        let error = io::Error::from_raw_os_error(number);
        let text = error.to_string();
        let error = NetError::Io(Phase::Connect, error);
        assert_eq!(has_no_way(&error), expected, "{text}");
    }
    assert!(!has_no_way(&NetError::TimedOut(Phase::Connect)));
}

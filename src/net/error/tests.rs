use super::*;

#[test]
fn texts_of_failed_connections() {
    let failed = || io::Error::from_raw_os_error(libc::ECONNRESET);
    #[rustfmt::skip]
    let cases = [
        (NetError::Io(Phase::Read, failed()), "read: connection reset by peer"),
        (NetError::TimedOut(Phase::Connect), "connect: timed out"),
        (NetError::Unresolved(io::Error::other("no such host")), "resolve: no such host"),
        (NetError::Http("response cut: the body is shorter than announced".into()), "response cut: the body is shorter than announced"),
    ];
    for (error, expected) in cases {
        assert_eq!(error.to_string(), expected);
    }
}

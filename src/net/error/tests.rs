use super::*;

use crate::errno::tests::sources;

#[test]
fn sources_of_failed_connections() {
    let failed = || io::Error::from_raw_os_error(libc::ECONNRESET);
    let system = &*failed().to_string();
    #[rustfmt::skip]
    let cases: [(NetError, &[&str]); 4] = [
        (NetError::Io(Phase::Read, failed()), &[system]),
        (NetError::TimedOut(Phase::Connect), &[]),
        (NetError::Unresolved(ResolveError::NoThread(Some(failed()))), &["cannot start a thread: connection reset by peer", system]),
        (NetError::Http(HttpError::CutBody), &["answer cut: the body is shorter than announced"]),
    ];
    for (error, expected) in cases {
        assert_eq!(sources(&error), expected, "{error}");
    }
}

use super::*;

#[test]
fn what_a_profile_denies_and_what_a_machine_lacks() {
    let cases = [
        (libc::EPERM, true, true),
        (libc::EACCES, true, true),
        (libc::ENOSYS, true, false),
        (libc::EAFNOSUPPORT, false, true),
        (libc::EADDRNOTAVAIL, false, true),
        (libc::ECONNREFUSED, false, false),
        (libc::EINVAL, false, false),
    ];
    for (number, denial, absent) in cases {
        let error = io::Error::from_raw_os_error(number);
        assert_eq!(
            (is_denial(&error), is_absent(&error)),
            (denial, absent),
            "{error}"
        );
    }
}

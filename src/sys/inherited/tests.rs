use super::*;
use std::os::fd::{AsRawFd, IntoRawFd};

#[test]
fn only_numbers_behind_the_standard_streams() {
    let number = |text: &str| InheritedFd::from_flag(text).map(|fd| fd.0);
    for (text, expected) in [("3", Some(3)), ("255", Some(255)), ("+4", Some(4))] {
        assert_eq!(number(text), expected, "{text:?}");
    }
    for text in ["", "2", "0", "-1", "x", "3 ", "2147483648"] {
        assert_eq!(number(text), None, "{text:?}");
    }
    let numbers =
        |count| -> Vec<RawFd> { InheritedFd::from_systemd(count).map(|fd| fd.0).collect() };
    assert_eq!(numbers(3), [3, 4, 5]);
    assert_eq!(numbers(0), [0; 0]);
}

#[test]
fn a_descriptor_is_taken_once_and_only_if_it_is_open() {
    let text = std::fs::File::open("/dev/null")
        .unwrap()
        .into_raw_fd()
        .to_string();
    let take = || InheritedFd::from_flag(&text).unwrap().take();
    let taken = take().unwrap();
    assert_eq!(taken.as_raw_fd().to_string(), text);
    assert_eq!(take().unwrap_err().to_string(), "is taken twice");
    let closed = InheritedFd::from_flag("1000000").unwrap().take();
    assert_eq!(closed.unwrap_err().raw_os_error(), Some(libc::EBADF));
}

use super::*;

/// A common name and an organization of two bytes that are not UTF-8.
const NAME: &[u8] = b"\x31\x0b\x30\x09\x06\x03\x55\x04\x0a\x0c\x02O\xff\
    \x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03CA1";

#[test]
fn names() {
    assert_eq!(common_name(NAME), "CA1");
    assert_eq!(common_name(&NAME[..13]), "O\u{fffd}");
    assert_eq!(common_name(b""), "");
    let long = [
        &b"\x31\x81\x8b\x30\x81\x88\x06\x03\x55\x04\x03\x0c\x81\x80"[..],
        &[b'x'; 128],
    ]
    .concat();
    assert_eq!(common_name(&long), "x".repeat(64));
}

#[test]
fn damaged_names_are_read_somehow() {
    for length in 0..NAME.len() {
        assert!(common_name(&NAME[..length]).len() < 10);
    }
    for at in 0..NAME.len() {
        for byte in 0..=255 {
            let mut damaged = NAME.to_vec();
            damaged[at] = byte;
            assert!(common_name(&damaged).chars().count() <= MAX_NAME_CHARACTERS);
        }
    }
}

use std::time::Duration;

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

/// The numbers are those of `date -u +%s`.
#[test]
fn dates() {
    let cases = [
        (0, "1970-01-01T00:00:00Z"),
        (951_868_799, "2000-02-29T23:59:59Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_583_020_799, "2020-02-29T23:59:59Z"),
        (1_709_208_000, "2024-02-29T12:00:00Z"),
        (1_735_689_599, "2024-12-31T23:59:59Z"),
        (2_524_607_999, "2049-12-31T23:59:59Z"),
        (4_102_444_798, "2099-12-31T23:59:58Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ];
    for (seconds, expected) in cases {
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        assert_eq!(Date(time).to_string(), expected);
    }
}

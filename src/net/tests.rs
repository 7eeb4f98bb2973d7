use super::*;

#[test]
fn unsigned_numbers() {
    let cases = [
        ("0", Some(0)),
        ("007", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("", None),
        ("+1", None),
        ("-1", None),
        (" 1", None),
        ("1.0", None),
        ("0x1", None),
    ];
    for (text, expected) in cases {
        assert_eq!(unsigned(text.as_bytes()), expected, "{text:?}");
    }
}

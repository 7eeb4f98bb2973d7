use super::*;

fn text(write: fn(&[u8], &mut Text) -> Option<usize>, field: &str) -> Option<String> {
    let mut to = [b'x'; MAX_VALUE_BYTES];
    let length = write(field.as_bytes(), &mut to)?;
    Some(String::from_utf8(to[..length].to_vec()).unwrap())
}

#[test]
fn digits_are_told_from_all_other_bytes() {
    for byte in 0..=u8::MAX {
        for length in 0..=8 {
            for position in 0..8 {
                let mut bytes = *b"90909090";
                bytes[position] = byte;
                let expected = bytes[..length].iter().all(u8::is_ascii_digit);
                assert_eq!(are_digits(bytes, length), expected, "{bytes:?} {length}");
            }
        }
    }
}

#[test]
fn integers() {
    let good = [
        ("", ""),
        ("0", "0"),
        ("7", "7"),
        ("007", "007"),
        ("+5", "5"),
        ("-5", "-5"),
        ("-0", "-0"),
        ("-05", "-05"),
        ("123456789012345678", "123456789012345678"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("00000000000000000000000000042", "42"),
        ("0000000000000000000000", "0"),
    ];
    for (field, expected) in good {
        assert_eq!(
            text(write_integer, field).as_deref(),
            Some(expected),
            "{field}"
        );
    }
    let bad = [
        "a",
        "1a",
        "1.5",
        "1e3",
        " 1",
        "1 ",
        "-",
        "+",
        "+-1",
        "--1",
        "0x10",
        "1_000",
        "18446744073709551616",
        "-9223372036854775809",
        "99999999999999999999999",
        "\u{661}",
        "NaN",
        "-00000000000000000000000000042",
    ];
    for field in bad {
        assert_eq!(text(write_integer, field), None, "{field}");
        assert_eq!(text(write_milliseconds, field), None, "{field}");
    }
}

#[test]
fn milliseconds_are_seconds() {
    let cases = [
        ("0", "0"),
        ("5", "0.005"),
        ("50", "0.05"),
        ("500", "0.5"),
        ("1000", "1"),
        ("1500", "1.5"),
        ("12345", "12.345"),
        ("-7", "-0.007"),
        ("+7", "0.007"),
        ("18446744073709551615", "18446744073709551.615"),
        ("-9223372036854775808", "-9223372036854775.808"),
    ];
    for (field, expected) in cases {
        assert_eq!(
            text(write_milliseconds, field).as_deref(),
            Some(expected),
            "{field}"
        );
    }
    for millis in 0..20_000u32 {
        let got: f64 = text(write_milliseconds, &millis.to_string())
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(got, f64::from(millis) / 1000.0);
    }
}

#[test]
fn times_in_seconds() {
    let cases = [
        (Duration::ZERO, "0"),
        (Duration::from_secs(7), "7"),
        (Duration::from_nanos(1), "0.000000001"),
        (Duration::from_nanos(1_234_567), "0.001234567"),
        (Duration::from_micros(250), "0.00025"),
        (Duration::from_millis(100), "0.1"),
        (Duration::from_millis(1_700_000_098_760), "1700000098.76"),
        (Duration::new(9, 999_999_999), "9.999999999"),
        (Duration::new(10, 10), "10.00000001"),
        (Duration::from_millis(u64::MAX), "18446744073709551.615"),
        // What finds no room is cut.
        (
            Duration::new(u64::MAX, 987_654_321),
            "18446744073709551615.987",
        ),
        (Duration::new(u64::MAX, 1), "18446744073709551615.000"),
    ];
    for (time, expected) in cases {
        let mut to = [b'x'; MAX_VALUE_BYTES];
        let length = Value::from(time).write(&mut to);
        assert_eq!(std::str::from_utf8(&to[..length]), Ok(expected), "{time:?}");
    }
    assert_eq!(
        Value::from(None::<Duration>).write(&mut [0; MAX_VALUE_BYTES]),
        0
    );
}

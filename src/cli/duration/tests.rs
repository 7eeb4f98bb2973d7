use super::parse;
use std::time::Duration;

#[test]
fn good_durations() {
    let cases = [
        ("0", Duration::ZERO),
        ("0s", Duration::ZERO),
        ("5s", Duration::from_secs(5)),
        ("+5s", Duration::from_secs(5)),
        ("1m30s", Duration::from_secs(90)),
        ("500ms", Duration::from_millis(500)),
        ("1.5h", Duration::from_secs(5400)),
        (".5s", Duration::from_millis(500)),
        ("1.s", Duration::from_secs(1)),
        ("2us", Duration::from_micros(2)),
        ("2µs", Duration::from_micros(2)),
        ("2μs", Duration::from_micros(2)),
        ("7ns", Duration::from_nanos(7)),
        ("1h1m1s1ms", Duration::from_millis(3_661_001)),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn bad_durations() {
    let cases = [
        (
            "",
            r#""" is not a duration (use for example 5s, 500ms, 1m30s)"#,
        ),
        (
            "5",
            r#"duration "5" has no unit (use for example 5s, 500ms, 1m30s)"#,
        ),
        ("-1s", r#"duration "-1s" is negative"#),
        (
            "5d",
            r#"duration "5d" has an unknown unit "d" (use ns, us, ms, s, m or h)"#,
        ),
        ("1..5s", r#""1..5s" is not a duration: bad number "1..5""#),
        (".s", r#"".s" is not a duration: bad number ".""#),
        ("s", r#""s" is not a duration: bad number """#),
        (
            "5s ",
            r#"duration "5s " has an unknown unit "s " (use ns, us, ms, s, m or h)"#,
        ),
        (
            "9999999999h",
            r#"duration "9999999999h" is beyond 292 years"#,
        ),
        (
            "99999999999999999999s",
            r#""99999999999999999999s" is not a duration: bad number "99999999999999999999""#,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
    }
}

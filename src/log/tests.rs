use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_millis(seconds * 1000 + 7)
}

#[test]
fn timestamps() {
    let cases = [
        (0, "1970-01-01T00:00:00.007Z"),
        (951_782_400, "2000-02-29T00:00:00.007Z"),
        (951_868_799, "2000-02-29T23:59:59.007Z"),
        (1_709_251_200, "2024-03-01T00:00:00.007Z"),
        (1_795_339_984, "2026-11-22T09:33:04.007Z"),
        // Beyond what 32 bits hold, and what the kernel holds at most (KTIME_MAX).
        (2_147_483_648, "2038-01-19T03:14:08.007Z"),
        (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        (9_223_372_036, "2262-04-11T23:47:16.007Z"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(timestamp(at(seconds)), expected);
    }
}

#[test]
fn logfmt_and_json() {
    let fields: [(&str, &dyn Display); 3] =
        [("a", &1), ("b", &"x y\n\x1b[31m"), ("c", &"say \"hi\" \\")];
    assert_eq!(
        render(Format::Logfmt, Level::Warn, at(0), "hello", &fields, 0),
        r#"ts=1970-01-01T00:00:00.007Z level=warn msg=hello a=1 b="x y\n\u001b[31m" c="say \"hi\" \\""#
    );
    assert_eq!(
        render(Format::Json, Level::Error, at(0), "a b", &fields, 2),
        concat!(
            r#"{"ts":"1970-01-01T00:00:00.007Z","level":"error","msg":"a b","lines_lost":"2","#,
            r#""a":"1","b":"x y\n\u001b[31m","c":"say \"hi\" \\"}"#
        )
    );
}

#[test]
fn a_line_never_grows_beyond_a_pipe_write() {
    let long = "\u{1}ü".repeat(10_000);
    for format in [Format::Logfmt, Format::Json] {
        let line = render(
            format,
            Level::Info,
            at(0),
            "m",
            &[("x", &long), ("y", &long)],
            0,
        );
        assert!(line.len() < MAX_LINE_BYTES, "{}", line.len());
        let end = if format == Format::Json { "\"}" } else { "\"" };
        assert!(line.ends_with(end), "{}", &line[line.len() - 20..]);
    }
}

#[test]
fn times_in_milliseconds() {
    let cases = [
        (0, "0.0 ms"),
        (99, "0.0 ms"),
        (100, "0.1 ms"),
        (999, "0.9 ms"),
        (12_250, "12.2 ms"),
        (10_000_000, "10000.0 ms"),
    ];
    for (micros, expected) in cases {
        let time = Milliseconds(Duration::from_micros(micros));
        assert_eq!(time.to_string(), expected);
    }
}

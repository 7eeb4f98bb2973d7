use super::pairs::{MAX_INFO_BYTES, release};
use super::*;
use crate::haproxy::reply::{Proof, Reply, ReplyError, Taken};

const ANSWERS: [(&[u8], &str, &str, &str, &str); 4] = [
    (
        include_bytes!("../../../tests/fixtures/1.5.0/info.txt"),
        "1.5.0",
        "2014/06/19",
        "8",
        "99",
    ),
    (
        include_bytes!("../../../tests/fixtures/2.0.0/info.txt"),
        "2.0.0",
        "2019/06/16",
        "8",
        "100",
    ),
    (
        include_bytes!("../../../tests/fixtures/2.6.12/info.txt"),
        "2.6.12-1+deb12u4",
        "2026/10/17",
        "7",
        "100",
    ),
    (
        include_bytes!("../../../tests/fixtures/3.2.0/info.txt"),
        "3.2.0-e134140d2",
        "2025/05/28",
        "7",
        "100",
    ),
];

fn text<'a>(info: &'a Info, key: &str) -> Option<&'a str> {
    info.get(key).map(|value| str::from_utf8(value).unwrap())
}

#[test]
fn recorded_answers() {
    for (answer, version, release_date, uptime, idle) in ANSWERS {
        let info = parse(answer).unwrap();
        assert_eq!(text(&info, "Name"), Some("HAProxy"));
        assert_eq!(text(&info, "Version"), Some(version));
        assert_eq!(text(&info, "Release_date"), Some(release_date));
        assert_eq!(text(&info, "node"), Some("cap-node"));
        assert_eq!(text(&info, "Uptime_sec"), Some(uptime));
        assert_eq!(text(&info, "Idle_pct"), Some(idle));
        assert_eq!(text(&info, "Uptime_se"), None);
        // Every line but the last is a pair, in its place; a value may be empty (`description: `).
        let lines = answer.strip_suffix(b"\n\n").unwrap().split(|b| *b == b'\n');
        let decoded = lines.map(|line| match line.strip_suffix(b"\"") {
            Some(line) if version != "1.5.0" => {
                let line = str::from_utf8(line).unwrap();
                line.replacen(": \"", ": ", 1).replace("\"\"", "\"").into_bytes()
            }
            _ => line.to_vec(),
        });
        let pairs = info
            .pairs()
            .map(|(key, value)| [key, b": ", value].concat());
        assert!(decoded.eq(pairs), "{version}");
        // Cut anywhere, it is not understood: only the closing empty line is proof.
        for end in 0..answer.len() {
            assert!(parse(&answer[..end]).is_err(), "{version}: {end}");
        }
    }
}

/// In pieces of any size, and with another answer behind it, the same is taken.
#[test]
fn pieces() {
    for (answer, ..) in ANSWERS {
        let whole: Vec<_> = parse(answer)
            .unwrap()
            .pairs()
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect();
        let input = [answer, b"# pxname,svname\n\n"].concat();
        for size in [1, 2, 3, 7, 100, input.len()] {
            let (mut info, mut at, mut end, mut ends) = (Info::default(), 0, 0, false);
            while !ends {
                end = (end + size).min(input.len());
                let taken = info.push(&input[at..end]).unwrap();
                (at, ends) = (at + taken.bytes, taken.ends);
                assert!(ends || end < input.len());
            }
            assert_eq!(at, answer.len());
            assert_eq!(info.finish(&[], Proof::EmptyLine), Ok(()));
            let pairs = info
                .pairs()
                .map(|(key, value)| (key.to_vec(), value.to_vec()));
            assert!(pairs.eq(whole.iter().cloned()));
            // Nothing is left for the next answer.
            info.clear();
            assert_eq!(
                info.finish(&[], Proof::EmptyLine),
                Err(ReplyError::Empty(Proof::EmptyLine))
            );
            assert_eq!(info.pairs().count(), 0);
        }
    }
}

#[test]
fn odd_answers() {
    let error = |answer: &[u8]| parse(answer).map(|_| ()).unwrap_err();
    assert_eq!(error(b""), ReplyError::Empty(Proof::EmptyLine));
    assert_eq!(error(b"\n"), ReplyError::NoVersion);
    assert_eq!(error(b"Unknown command.\n\n"), ReplyError::NoVersion);
    assert_eq!(error(b"Version: \n\n"), ReplyError::NoVersion);
    assert_eq!(error(b"Version: 1\n"), ReplyError::Cut(Proof::EmptyLine));
    assert_eq!(
        error(b"Version: 1\n\nmore"),
        ReplyError::Cut(Proof::EmptyLine)
    );
    let info = parse(b"Version: 1: 2\r\nIdle_pct: 101\r\nUptime_sec: \r\n\r\n").unwrap();
    assert_eq!(text(&info, "Version"), Some("1: 2"));
    assert_eq!(text(&info, "Idle_pct"), Some("101"));
    assert_eq!(text(&info, "Uptime_sec"), Some(""));
}

/// A description may hold line ends, and look like more keys or like the answer's end.
#[test]
fn the_first_line_of_a_key_counts() {
    let quoted = parse(include_bytes!(
        "../../../tests/fixtures/field/info-description.txt"
    ));
    let plain =
        parse(b"Version: 2.6.12\nPid: 4711\nnode: lb1\ndescription: a\nVersion: 9\nnode: two\n\n");
    // A quote that an old version did not mean as one.
    let opened = parse(b"Version: 2.6.12\nPid: 4711\nnode: lb1\ndescription: \"a\nVersion: 9\n\n");
    for info in [quoted.unwrap(), plain.unwrap(), opened.unwrap()] {
        assert_eq!(text(&info, "Version"), Some("2.6.12"));
        assert_eq!(text(&info, "Pid"), Some("4711"));
        assert_eq!(text(&info, "node"), Some("lb1"));
    }
    let quoted = parse(include_bytes!(
        "../../../tests/fixtures/field/info-description.txt"
    ))
    .unwrap();
    assert_eq!(text(&quoted, "Uptime_sec"), Some("100"));
    assert_eq!(text(&quoted, "Stopping"), Some("0"));
    let description =
        "first line\nVersion: 9.9.9\nnode: two\nPid: 1\nIdle_pct: 5\n\nUptime_sec: 7 x";
    assert_eq!(text(&quoted, "description"), Some(description));
    // A doubled quote does not end a value.
    let info = parse(b"Version: 2\na: \"x\"\"\n\n\"\nb: 2\n\n").unwrap();
    assert_eq!(text(&info, "a"), Some("x\"\n\n"));
    assert_eq!(text(&info, "b"), Some("2"));
}

/// A value is a field of the CSV from HAProxy 1.7 on; one that cannot be such a field is taken as it is. The
/// keys that follow, and the reply to the next command, are no part of it.
#[test]
fn quotes_of_a_value() {
    // The release, the lines of the description, its value.
    #[rustfmt::skip]
    let cases: [(&str, &str, &str); 20] = [
        ("2.6.12", "plain", "plain"),
        ("2.6.12", "\"Main LB, site 2\"", "Main LB, site 2"),
        ("2.6.12", "\"a \"\"b\"\" c\"", "a \"b\" c"),
        ("2.6.12", "\"\"\"all\"\"\"", "\"all\""),
        ("2.6.12", "\"\"\"\"", "\""),
        ("2.6.12", "\"\"", ""),
        ("2.6.12", "\"one\n\ntwo, \"\"three\"\"\"", "one\n\ntwo, \"three\""),
        ("2.6.12", "\"one\nStopping: 7\n\"", "one\nStopping: 7\n"),
        ("1.7.0", "\"a, b\"", "a, b"),
        ("not a release", "\"a, b\"", "a, b"),
        // Not a field of the CSV.
        ("2.6.12", "\"open", "\"open"),
        ("2.6.12", "\"open \"\"doubled\"\"", "\"open \"\"doubled\"\""),
        ("2.6.12", "\"", "\""),
        ("2.6.12", "\"a\" and \"b\"", "\"a\" and \"b\""),
        ("2.6.12", "\"a\"b", "\"a\"b"),
        ("2.6.12", "in \"the\" middle, open\"", "in \"the\" middle, open\""),
        // Printed as it is.
        ("1.6.16", "\"a, b\"", "\"a, b\""),
        ("1.5.0", "\"open", "\"open"),
        ("1.4.6", "\"a \"\"b\"\"\"", "\"a \"\"b\"\"\""),
        ("1.6.16", "\"", "\""),
    ];
    for (version, lines, value) in cases {
        let reply = format!("Version: {version}\nPid: 1\ndescription: {lines}\nStopping: 0\nJobs: 5\n\n");
        for next in ["", "# table: t, type: ip, size:1, used:0\n\n", "x\"y\n\n"] {
            let input = reply.clone() + next;
            let mut info = Info::default();
            for turn in 0.. {
                info.clear();
                let taken = info.push(input.as_bytes()).unwrap();
                if info.has_learned() {
                    assert_eq!(turn, 0, "{version}: {lines}");
                    continue;
                }
                assert_eq!(taken, Taken { bytes: reply.len(), ends: true }, "{version}: {lines}");
                break;
            }
            assert_eq!(text(&info, "description"), Some(value), "{version}: {lines}");
            assert_eq!(text(&info, "Stopping"), Some("0"), "{version}: {lines}");
            assert_eq!(text(&info, "Jobs"), Some("5"), "{version}: {lines}");
        }
        let info = parse(reply.as_bytes()).unwrap();
        assert_eq!(text(&info, "description"), Some(value), "{version}: {lines}");
        assert_eq!(text(&info, "Jobs"), Some("5"), "{version}: {lines}");
    }
}

#[test]
fn an_answer_is_bounded() {
    let of = |bytes: usize| {
        let mut answer = b"Version: 1\n".to_vec();
        answer.resize(bytes - 2, b'x');
        answer.extend_from_slice(b"\n\n");
        answer
    };
    assert!(parse(&of(MAX_INFO_BYTES)).is_ok());
    for answer in [
        of(MAX_INFO_BYTES + 1),
        vec![b'x'; MAX_INFO_BYTES + 1],
        b"a\n".repeat(40_000),
    ] {
        assert_eq!(
            parse(&answer).map(|_| ()),
            Err(ReplyError::TooLarge(MAX_INFO_BYTES))
        );
    }
}

#[test]
fn releases() {
    let cases = [
        ("2.6.12-1+deb12u4", Some((2, 6))),
        ("3.2.0-e134140d2", Some((3, 2))),
        ("3.5-dev5-1234", Some((3, 5))),
        ("1.5.0", Some((1, 5))),
        ("2.10", Some((2, 10))),
        ("2", None),
        ("x.y", None),
        ("2.", None),
        ("", None),
    ];
    for (version, expected) in cases {
        assert_eq!(release(version.as_bytes()), expected, "{version}");
    }
    assert_eq!(release(b"2.\xff"), None);
}

#[test]
fn values_that_are_no_plain_numbers() {
    let cases: [(&str, &str, &str); 10] = [
        ("Tainted", "0", "0"),
        ("Tainted", "0x4", "4"),
        ("Tainted", "0xffffffffffffffff", "18446744073709551615"),
        ("Tainted", "0x1ffffffffffffffff", ""),
        ("Tainted", "0x", ""),
        ("Tainted", "+1", ""),
        ("Idle_pct", "100", "100"),
        ("Idle_pct", "101", ""),
        ("BootTime_ms", "15", "0.015"),
        ("BootTime_ms", "x", ""),
    ];
    for (key, text, expected) in cases {
        let mut info = Info::default();
        let answer = format!("Version: 3\n{key}: {text}\n\n");
        info.push(answer.as_bytes()).unwrap();
        let mut found = [0; crate::metrics::value::MAX_VALUE_BYTES];
        let length = info.value(key).write(&mut found);
        assert_eq!(str::from_utf8(&found[..length]), Ok(expected), "{key} {text}");
    }
}

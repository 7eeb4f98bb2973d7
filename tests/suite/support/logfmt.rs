//! Reads the exporter's log lines, so that tests compare values and not quoting.

use std::collections::BTreeMap;

/// The fields of one logfmt line. Panics on anything that is not logfmt: a log that cannot be
/// parsed is a defect of its own.
pub(crate) fn fields(line: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut rest = line.chars().peekable();
    while rest.peek().is_some() {
        let mut key = String::new();
        loop {
            match rest.next() {
                Some('=') => break,
                Some(c) if c.is_ascii_alphanumeric() || "_.-".contains(c) => key.push(c),
                other => panic!("{other:?} in a key of the log line: {line:?}"),
            }
        }
        assert!(!key.is_empty(), "empty key in the log line: {line:?}");
        let value = if rest.next_if_eq(&'"').is_some() {
            quoted(&mut rest)
                .unwrap_or_else(|| panic!("bad quoted value in the log line: {line:?}"))
        } else {
            let mut value = String::new();
            while let Some(c) = rest.next_if(|c| *c != ' ') {
                assert!(
                    !"\"=\\".contains(c) && !c.is_control(),
                    "unquoted {c:?} in the log line: {line:?}"
                );
                value.push(c);
            }
            value
        };
        assert!(
            fields.insert(key.clone(), value).is_none(),
            "{key} twice in the log line: {line:?}"
        );
        if let Some(c) = rest.next() {
            assert_eq!(c, ' ', "no space between fields of the log line: {line:?}");
            assert!(
                rest.peek().is_some(),
                "the log line ends with a space: {line:?}"
            );
        }
    }
    fields
}

/// Reads up to the closing quote. `None` when there is none, or at an escape that no reader knows.
fn quoted(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut value = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(value),
            '\\' => match rest.next()? {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                'x' => value.push(hexadecimal(rest, 2)?),
                'u' => value.push(hexadecimal(rest, 4)?),
                c @ ('"' | '\\') => value.push(c),
                _ => return None,
            },
            c if c.is_control() => return None,
            c => value.push(c),
        }
    }
}

fn hexadecimal(rest: &mut impl Iterator<Item = char>, digits: usize) -> Option<char> {
    let digits: String = rest.take(digits).collect();
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}

#[test]
fn reads_quoted_and_plain_values() {
    let got = fields(r#"ts=2026-01-02T03:04:05.678Z level=info msg="a \"b\" \\ \n" empty= n=1"#);
    let want = [
        ("ts", "2026-01-02T03:04:05.678Z"),
        ("level", "info"),
        ("msg", "a \"b\" \\ \n"),
        ("empty", ""),
        ("n", "1"),
    ];
    assert_eq!(got, want.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
}

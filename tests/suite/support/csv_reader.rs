//! Reads CSV in the plainest code, for the reference.

/// The rows of a CSV text, `None` for one with a bare or unclosed quote. Comments and empty lines
/// are no rows; a newline inside quotes belongs to its field.
pub(crate) fn rows(text: &str) -> Vec<Option<Vec<String>>> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after_line) = rest.split_once('\n').unwrap_or((rest, ""));
        if line.is_empty() || line == "\r" || line.starts_with('#') {
            rest = after_line;
        } else {
            let (row, after_row) = row(rest);
            rows.push(row);
            rest = after_row;
        }
    }
    rows
}

/// The row at the start of the text, and what follows it. A bad row costs the line it goes bad in.
fn row(text: &str) -> (Option<Vec<String>>, &str) {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let field;
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some(end) = closing_quote(quoted) else {
                return (None, "");
            };
            field = quoted[..end].replace("\"\"", "\"");
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find([',', '\n', '"']).unwrap_or(rest.len());
            // A carriage return before a newline is not part of the field.
            let bare = &rest[..end];
            let line_end = bare
                .strip_suffix('\r')
                .filter(|_| rest[end..].starts_with('\n'));
            field = line_end.unwrap_or(bare).to_owned();
            rest = &rest[end..];
        }
        rest = rest
            .strip_prefix('\r')
            .filter(|end| end.starts_with('\n'))
            .unwrap_or(rest);
        if let Some(after) = rest.strip_prefix(',') {
            fields.push(field);
            rest = after;
        } else if rest.is_empty() || rest.starts_with('\n') {
            fields.push(field);
            return (Some(fields), rest.strip_prefix('\n').unwrap_or(""));
        } else {
            return (None, rest.split_once('\n').map_or("", |(_, after)| after));
        }
    }
}

/// The quote that ends a quoted field: the first one that is not doubled.
fn closing_quote(quoted: &str) -> Option<usize> {
    let mut end = quoted.find('"')?;
    while quoted[end + 1..].starts_with('"') {
        end += 2 + quoted[end + 2..].find('"')?;
    }
    Some(end)
}

#[test]
fn splits_by_rfc_4180() {
    let cases: [(&str, &[Option<&str>]); 12] = [
        ("a,,b,\n", &[Some("a||b|")]),
        ("a,b", &[Some("a|b")]),
        ("\"a,b\",\"c\"\"d\",\"\"\n", &[Some("a,b|c\"d|")]),
        ("a,\"b\nc\"\nd\n", &[Some("a|b\nc"), Some("d")]),
        ("# \"x\n\n\r\na\r\n", &[Some("a")]),
        ("a,\"b\"\r\nc\n", &[Some("a|b"), Some("c")]),
        ("a\rb\n", &[Some("a\rb")]),
        ("a\"b,c\nd\n", &[None, Some("d")]),
        ("\"a\"b,c\nd\n", &[None, Some("d")]),
        ("\"a\nb\"c\nd\n", &[None, Some("d")]),
        ("a\n\"b\nc\n", &[Some("a"), None]),
        ("\"a\"\"\n", &[None]),
    ];
    for (text, want) in cases {
        let got: Vec<_> = rows(text)
            .into_iter()
            .map(|row| row.map(|fields| fields.join("|")))
            .collect();
        let got: Vec<_> = got.iter().map(Option::as_deref).collect();
        assert_eq!(got, want, "{text:?}");
    }
}

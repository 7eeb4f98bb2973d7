use super::*;
use crate::metrics;

#[test]
fn labels_are_escaped() {
    let cases: [(&[u8], &str); 7] = [
        (b"", r#"n="""#),
        (b"web", r#"n="web""#),
        (b"a\"b\\c\nd\r", "n=\"a\\\"b\\\\c\\nd\r\""),
        ("\u{fc}\u{1f600}".as_bytes(), "n=\"\u{fc}\u{1f600}\""),
        (b"\xff", "n=\"\u{fffd}\""),
        (b"a\xc3\"b\xe2\x82", "n=\"a\u{fffd}\\\"b\u{fffd}\""),
        (b"\0", "n=\"\0\""),
    ];
    for (value, expected) in cases {
        let mut to = Vec::new();
        push_label(&mut to, false, "n", value);
        assert_eq!(String::from_utf8(to).as_deref(), Ok(expected));
    }
}

fn line(value: &[u8]) -> Line<'_> {
    let (prefix, labels) = (b"m{", b"a=\"b\"} ");
    Line {
        prefix,
        prefix_bytes: prefix.len(),
        labels,
        label_bytes: labels.len(),
        value,
        value_bytes: value.len(),
    }
}

#[test]
fn the_fixed_buffer_loses_nothing_at_its_edges() {
    for size in 16..64 {
        let mut out = Vec::new();
        let mut buffer = vec![0; size];
        let mut writer = Writer::new(&mut buffer, &mut out);
        for n in 0..9u8 {
            writer.sample(line(&[b'0' + n])).unwrap();
        }
        writer
            .text(b"a text that is longer than some of these buffers\n")
            .unwrap();
        writer.flush().unwrap();
        let lines: String = (0..9).map(|n| format!("m{{a=\"b\"}} {n}\n")).collect();
        let expected = lines + "a text that is longer than some of these buffers\n";
        assert_eq!(String::from_utf8(out), Ok(expected), "{size}");
    }
    let (mut buffer, mut out) = (vec![0; 10], Vec::new());
    let error = Writer::new(&mut buffer, &mut out)
        .sample(line(b"1"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a sample line is longer than the response buffer"
    );
}

#[test]
fn a_header_is_as_long_as_it_says() {
    for (family, _) in metrics::all() {
        let (mut buffer, mut out) = (vec![0; 64], Vec::new());
        let mut writer = Writer::new(&mut buffer, &mut out);
        writer.header(&family).unwrap();
        writer.flush().unwrap();
        assert_eq!(out.len() as u64, header_bytes(&family));
    }
}

//! The reader's own tests: one row a rule. A reader that takes too much proves nothing.

use super::exposition::{key, read};

const HEAD: &str = "# HELP a_b Text.\n# TYPE a_b gauge\n";

/// Input after [`HEAD`] and the message it must be refused with.
#[rustfmt::skip]
const BAD_SAMPLES: &[(&str, &str)] = &[
    ("a_b 1", "the last line does not end with a newline"),
    ("", "at the end: no sample in family a_b"),
    ("\n", "line 3: no value in \"\""),
    ("a_b\n", "line 3: no value in \"a_b\""),
    ("a_b  1\n", "line 3: bad value \" 1\""),
    ("a_b 1 1700000000\n", "line 3: bad value \"1 1700000000\""),
    ("a_b 1 \n", "line 3: bad value \"1 \""),
    ("a_b 1\r\n", "line 3: bad value \"1\\r\""),
    ("a_b \n", "line 3: bad value \"\""),
    ("a_b x\n", "line 3: bad value \"x\""),
    ("a_b inf\n", "line 3: bad value \"inf\""),
    ("a_b .5\n", "line 3: bad value \".5\""),
    ("a_b 5.\n", "line 3: bad value \"5.\""),
    ("a_b 1_0\n", "line 3: bad value \"1_0\""),
    ("a_b 0x1\n", "line 3: bad value \"0x1\""),
    ("a_b 1e\n", "line 3: bad value \"1e\""),
    ("a_b --1\n", "line 3: bad value \"--1\""),
    ("a_b{} 1\n", "line 3: no label in \"} 1\""),
    ("a_b{x=\"1\",} 1\n", "line 3: no label in \"} 1\""),
    ("a_b{x=1} 1\n", "line 3: no label in \"x=1} 1\""),
    ("a_b{x=\"1\" y=\"2\"} 1\n", "line 3: neither comma nor brace after a label"),
    ("a_b{x=\"1\"}1\n", "line 3: no space before the value"),
    ("a_b{x=\"1\",x=\"2\"} 1\n", "line 3: label x twice"),
    ("a_b{x=\"1} 1\n", "line 3: a label value without an end"),
    ("a_b{x=\"\\\"} 1\n", "line 3: a label value without an end"),
    ("a_b{x=\"\\t\"} 1\n", "line 3: bad escape \\t"),
    ("a_b{1x=\"\"} 1\n", "line 3: bad name \"1x\""),
    ("a_b{x:y=\"\"} 1\n", "line 3: bad name \"x:y\""),
    ("a_b{__x=\"\"} 1\n", "line 3: bad name \"__x\""),
    ("a_b{x-y=\"\"} 1\n", "line 3: bad name \"x-y\""),
    ("a_b 1\na_b 2\n", "line 4: a second sample a_b"),
    ("a_b{x=\"1\",y=\"2\"} 1\na_b{y=\"2\",x=\"1\"} 1\n", "line 4: a second sample a_b{x=\"1\",y=\"2\"}"),
    ("a_c 1\n", "line 3: a sample of a_c outside its family"),
    ("a-b 1\n", "line 3: bad name \"a-b\""),
    ("# a comment\na_b 1\n", "line 3: neither HELP nor TYPE: \"# a comment\""),
    ("# TYPE a_b gauge\na_b 1\n", "line 3: a second TYPE for a_b"),
    ("# HELP a_b Text.\n", "line 3: no sample in family a_b"),
    ("a_b 1\n# HELP a_b Text.\n", "line 4: a second HELP for a_b, or a family in two pieces"),
    ("a_b 1\n# HELP c Text.\n# TYPE c gauge\nc 1\na_b{x=\"\"} 1\n", "line 7: a sample of a_b outside its family"),
];

/// Whole inputs whose HELP and TYPE are at fault.
#[rustfmt::skip]
const BAD_HEADS: &[(&str, &str)] = &[
    ("a 1\n", "line 1: a sample of a outside its family"),
    ("# TYPE a gauge\na 1\n", "line 1: TYPE of a without its HELP before it"),
    ("# HELP a Text.\na 1\n", "line 2: a sample of a before its TYPE"),
    ("# HELP a Text.\n", "at the end: no TYPE for a"),
    ("# HELP a\n", "line 1: HELP without a text"),
    ("# HELP 1a Text.\n", "line 1: bad name \"1a\""),
    ("# HELP a \\x\n", "line 1: bad escape \\x"),
    ("# HELP a \\\"\n", "line 1: bad escape \\\""),
    ("# HELP a \\\n", "line 1: bad escape \\"),
    ("# HELP a Text.\n# TYPE a\na 1\n", "line 2: TYPE without a type"),
    ("# HELP a Text.\n# TYPE b gauge\nb 1\n", "line 2: TYPE of b without its HELP before it"),
    ("# HELP a Text.\n# TYPE a histogram\na 1\n", "line 2: a is of type \"histogram\""),
    ("# HELP a Text.\n# TYPE a counter\na 1\n", "line 2: counter a does not end with _total"),
    ("# HELP a_total Text.\n# TYPE a_total gauge\na_total 1\n", "line 2: gauge a_total ends with _total"),
];

/// Samples that must be read, the key and the value they must have.
const GOOD_SAMPLES: &[(&str, &str, f64)] = &[
    ("a_b 1\n", "a_b", 1.0),
    ("a_b -1.5e+3\n", "a_b", -1500.0),
    ("a_b +5\n", "a_b", 5.0),
    ("a_b 0.001\n", "a_b", 0.001),
    ("a_b +Inf\n", "a_b", f64::INFINITY),
    ("a_b 18446744073709551615\n", "a_b", 18446744073709551615.0),
    ("a_b{y=\"2\",x=\"1\"} 1\n", "a_b{x=\"1\",y=\"2\"}", 1.0),
    (
        "a_b{x=\"\\\\ \\\" \\n {},= \u{fffd}\0\"} 1\n",
        "a_b{x=\"\\\\ \\\" \\n {},= \u{fffd}\0\"}",
        1.0,
    ),
];

#[test]
fn refuses_what_breaks_a_rule() {
    for (input, want) in BAD_SAMPLES {
        let got = read(format!("{HEAD}{input}").as_bytes()).map(|_| ());
        assert_eq!(got, Err((*want).to_owned()), "{input:?}");
    }
    for (input, want) in BAD_HEADS {
        assert_eq!(
            read(input.as_bytes()).map(|_| ()),
            Err((*want).to_owned()),
            "{input:?}"
        );
    }
    let not_text = read(b"# HELP a \xff\n").map(|_| ());
    assert_eq!(
        not_text,
        Err("not UTF-8: invalid utf-8 sequence of 1 bytes from index 9".to_owned())
    );
}

#[test]
fn reads_what_keeps_them() {
    for (input, key, want) in GOOD_SAMPLES {
        let got = read(format!("{HEAD}{input}").as_bytes())
            .unwrap_or_else(|error| panic!("{input:?}: {error}"));
        assert_eq!(got.value(key), *want, "{input:?}");
        assert_eq!(got.families["a_b"].help, "Text.");
    }
    assert!(read(b"").expect("an empty reply").samples.is_empty());
    let help =
        read(b"# HELP a \\\\ \\n \"\n# TYPE a gauge\na 1\n").expect("escapes in a help text");
    assert_eq!(help.families["a"].help, "\\ \n \"");
}

#[test]
fn finds_every_kind_of_difference() {
    let want = read(format!("{HEAD}a_b 1\n").as_bytes()).expect("a good input");
    let cases = [
        (format!("{HEAD}a_b 1.0\n"), vec![]),
        (format!("{HEAD}a_b 2\n"), vec!["a_b is 2, not 1"]),
        (
            format!("{HEAD}a_b 1\na_b{{x=\"\"}} 1\n"),
            vec!["extra a_b{x=\"\"}"],
        ),
        (String::new(), vec!["missing family a_b", "missing a_b"]),
        (
            "# HELP c C.\n# TYPE c gauge\nc 1\n".to_owned(),
            vec![
                "missing family a_b",
                "extra family c",
                "missing a_b",
                "extra c",
            ],
        ),
    ];
    for (input, differences) in cases {
        assert_eq!(
            read(input.as_bytes())
                .expect("a good input")
                .differences(&want),
            differences,
            "{input:?}"
        );
    }
}

#[test]
fn keys_are_canonical() {
    let labels =
        [("b", "x\"\\\n"), ("a", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(key("m", &labels.into()), "m{a=\"\",b=\"x\\\"\\\\\\n\"}");
    assert_eq!(key("m", &[].into()), "m");
}

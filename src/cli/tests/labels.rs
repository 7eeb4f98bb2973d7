//! `--label`.

use super::config;

fn labels(values: &[&str]) -> Result<String, String> {
    let flags = values.iter().map(|value| format!("--label={value}"));
    let flags: Vec<String> = flags.chain(["--once".to_owned()]).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    config(&flags).map(|config| String::from_utf8(config.labels).unwrap())
}

#[test]
fn labels_that_are_refused() {
    #[rustfmt::skip]
    let cases = [
        ("site", "write NAME=VALUE"),
        ("site=", "write NAME=VALUE"),
        ("=x", "\"\" is not a label name (letters, digits and _, no digit first, not __ first)"),
        ("1a=x", "\"1a\" is not a label name (letters, digits and _, no digit first, not __ first)"),
        ("a-b=x", "\"a-b\" is not a label name (letters, digits and _, no digit first, not __ first)"),
        ("\u{fc}=x", "\"\u{fc}\" is not a label name (letters, digits and _, no digit first, not __ first)"),
        ("__a=x", "\"__a\" is not a label name (letters, digits and _, no digit first, not __ first)"),
        ("le=x", "\"le\" is a label that metrics have"),
        ("quantile=x", "\"quantile\" is a label that metrics have"),
        ("proxy=x", "\"proxy\" is a label that metrics have"),
        ("backend=x", "\"backend\" is a label that metrics have"),
        ("version=x", "\"version\" is a label that metrics have"),
        ("thread=x", "\"thread\" is a label that metrics have"),
        ("rustversion=x", "\"rustversion\" is a label that metrics have"),
    ];
    for (value, why) in cases {
        assert_eq!(
            labels(&[value]).unwrap_err(),
            format!("--label: {why}"),
            "{value}"
        );
    }
}

#[test]
fn labels_are_written_once_each() {
    assert_eq!(labels(&[""]).unwrap(), "");
    // What looks like another label inside of a value is none.
    let both = labels(&["a=1,b=\"", "_B9=x=y"]).unwrap();
    assert_eq!(both, ",a=\"1,b=\\\"\",_B9=\"x=y\"");
    assert!(labels(&["a=1,b=\"", "b=2", "ab=3"]).is_ok());
    for values in [["a=1", "b=2", "a=3"], ["b=2", "a=1", "a=1"]] {
        let twice = labels(&values).unwrap_err();
        assert_eq!(twice, "--label: \"a\" is given twice");
    }
}

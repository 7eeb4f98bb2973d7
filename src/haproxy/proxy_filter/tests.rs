use super::*;

#[test]
fn patterns() {
    let cases = [
        ("", "", true),
        ("", "a", false),
        ("a", "a", true),
        ("a", "A", false),
        ("a", "ab", false),
        ("*", "", true),
        ("*", "anything", true),
        ("web*", "web", true),
        ("web*", "web-1", true),
        ("web*", "aweb", false),
        ("*web", "aweb", true),
        ("*web", "webs", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-b-b-", false),
        ("**", "x", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "a\u{fc}c", true),
        ("?", "\u{1f600}", true),
        ("*?", "", false),
        ("[a]", "a", false),
        ("[a]", "[a]", true),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(
            is_match(pattern.as_bytes(), name.as_bytes()),
            expected,
            "{pattern:?} {name:?}"
        );
    }
    assert!(is_match(b"?", b"\xff"));
    // Many stars must not take long.
    let name = "a".repeat(4000);
    assert!(!is_match(
        format!("{}b", "*a".repeat(500)).as_bytes(),
        name.as_bytes()
    ));
}

#[test]
fn what_is_left_out_wins() {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let cases: [(&[&str], &[&str], &str, bool); 6] = [
        (&[], &[], "a", true),
        (&["a*", "b"], &[], "ab", true),
        (&["a*", "b"], &[], "b", true),
        (&["a*", "b"], &[], "c", false),
        (&[], &["a*"], "ab", false),
        (&["a*"], &["ab"], "ab", false),
    ];
    for (include, exclude, name, expected) in cases {
        let filter = ProxyFilter {
            include: texts(include),
            exclude: texts(exclude),
        };
        assert_eq!(
            filter.allows(name.as_bytes()),
            expected,
            "{include:?} {exclude:?} {name}"
        );
    }
}

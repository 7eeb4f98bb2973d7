use super::release;

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

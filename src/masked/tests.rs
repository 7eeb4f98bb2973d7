use super::*;

#[test]
fn a_password_is_masked_in_any_text() {
    let cases = [
        ("http://u:secret@h/", "http://***@h/"),
        ("http://u:secret==@h/", "http://***@h/"),
        ("http://u:se/c?r#e t@@h/;csv", "http://***@h/;csv"),
        ("a=http://u:secret@h b=http://v:secret@i", "a=http://***@i"),
        ("//secret@h", "//***@h"),
        ("u:secret@h", "***@h"),
        ("u:secret@", "***@"),
        // No password.
        ("http://h/", "http://h/"),
        ("http://@h/", "http://@h/"),
        ("unix:@name", "unix:@name"),
        ("unix:/run/a:b@c", "unix:/run/a:b@c"),
        ("/etc/haproxy@1.pid", "/etc/haproxy@1.pid"),
        ("user:@h", "user:@h"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(masked(text), expected, "{text}");
    }
}

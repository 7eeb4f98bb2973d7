use super::*;

#[test]
fn requests() {
    let parse = |rest: &str| HttpUri::parse(rest, false).unwrap();
    let proxy = |credentials: Option<&[u8]>| Proxy {
        address: parse("//proxy:3128").address,
        credentials: credentials.map(<[u8]>::to_vec),
    };
    let version = env!("CARGO_PKG_VERSION");
    let text = |target: &str, host: &str, fields: &str| {
        format!(
            "GET {target} HTTP/1.0\r\nHost: {host}\r\n\
             User-Agent: haproxy_exporter/{version}\r\n{fields}\r\n"
        )
    };
    let authorization = "Authorization: Basic dTpw\r\n";
    let both = format!("{authorization}Proxy-Authorization: Basic YTo=\r\n");
    let cases = [
        ("//h/;csv", None, text("/;csv", "h", "")),
        ("//h:81?a=b#c", None, text("/?a=b", "h:81", "")),
        ("//[::1]:81/", None, text("/", "[::1]:81", "")),
        (
            "//[fe80::1%25eth0]:81/",
            None,
            text("/", "[fe80::1]:81", ""),
        ),
        ("//u:p@h/", None, text("/", "h", authorization)),
        (
            "//h:81/a",
            Some(proxy(None)),
            text("http://h:81/a", "h:81", ""),
        ),
        (
            "//u:p@h/",
            Some(proxy(Some(b"a:"))),
            text("http://h/", "h", &both),
        ),
    ];
    for (uri, proxy, expected) in cases {
        let found = request(&parse(uri), proxy.as_ref());
        assert_eq!(String::from_utf8(found).unwrap(), expected, "{uri}");
    }
}

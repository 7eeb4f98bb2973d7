use super::*;

/// What a text means where port 80 is the default, and where there is none.
#[test]
fn hosts_and_ports() {
    #[rustfmt::skip]
    let cases = [
        ("h:1", Ok("h:1"), Ok("h:1")),
        ("h:65535", Ok("h:65535"), Ok("h:65535")),
        ("h", Ok("h:80"), Err("the port is missing (host:port)")),
        ("h:", Ok("h:80"), Err("port must be a number from 1 to 65535, not \"\"")),
        ("[::1]", Ok("[::1]:80"), Err("the port is missing (host:port)")),
        ("[::1]:", Ok("[::1]:80"), Err("port must be a number from 1 to 65535, not \"\"")),
        ("[fe80::1%eth0]:5", Ok("[fe80::1%eth0]:5"), Ok("[fe80::1%eth0]:5")),
        (":1", Err("the host is missing"), Err("the host is missing")),
    ];
    for (text, with_default, without) in cases {
        for (default, expected) in [(Some(80), with_default), (None, without)] {
            let found = HostPort::parse(text, default);
            let found = found
                .map(|found| found.to_string())
                .map_err(|error| error.to_string());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected, "{text}");
        }
    }
}

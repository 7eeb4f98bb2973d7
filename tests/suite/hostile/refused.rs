//! Requests that are refused whole, each with the status that it gets.

const BAD: &str = "400 Bad Request";
const METHOD: &str = "405 Method Not Allowed";
const BODY: &str = "413 Content Too Large";
const EXPECT: &str = "417 Expectation Failed";
const TOO_LARGE: &str = "431 Request Header Fields Too Large";
const VERSION: &str = "505 HTTP Version Not Supported";

/// What has no special bytes: the request line, the fields, the status.
#[rustfmt::skip]
const LINES: [(&str, &str, &str); 31] = [
    ("nonsense", "", BAD),
    ("GET  / HTTP/1.1", "Host: a", BAD),
    ("GET / HTTP/1.1", "", BAD),
    ("GET / HTTP/1.1", "Host: a\r\nHost: a", BAD),
    ("GET / HTTP/1.1", "Host: a\r\n folded", BAD),
    ("GET / HTTP/1.1", "Host : a", BAD),
    ("GET metrics HTTP/1.0", "", BAD),
    ("GET /\u{fc} HTTP/1.0", "", BAD),
    ("GET /-/healthy HTTP/1.0", "\u{fc}: a", BAD),
    ("GET /-/healthy HTTP/1.0", "a: \0", BAD),
    ("GET / HTTP/1.1", "Host: a\r\nUpgrade: h2c", BAD),
    ("GET / HTTP/1.1", "Host: a\r\nUpgrade: h2c\r\nConnection: upgrade", BAD),
    ("POST /metrics HTTP/1.0", "", METHOD),
    ("OPTIONS / HTTP/1.0", "", METHOD),
    ("CONNECT a:1 HTTP/1.1", "Host: a:1", METHOD),
    ("GET / HTTP/1.0", "Expect: 100-continue", EXPECT),
    ("GET / HTTP/1.0", "Content-Length: 5\r\nExpect: 100-continue", EXPECT),
    ("GET / HTTP/2.0", "", VERSION),
    ("GET / HTTP/0.9", "", VERSION),
    ("GET / HTTP/1.0", "Content-Length: 1", BODY),
    ("GET / HTTP/1.0", "Content-Length: 5000", BODY),
    ("GET / HTTP/1.0", "Content-Length: 4611686018427387904", BODY),
    ("GET / HTTP/1.0", "Content-Length: 18446744073709551615", BODY),
    ("GET / HTTP/1.0", "Content-Length: 99999999999999999999999", BODY),
    ("GET / HTTP/1.0", "Content-Length: 5\r\nContent-Length: 5", BODY),
    ("GET / HTTP/1.0", "Content-Length: 5\r\nContent-Length: 6", BAD),
    ("GET / HTTP/1.0", "Content-Length: -1", BAD),
    ("GET / HTTP/1.0", "Content-Length: 0x5", BAD),
    ("GET / HTTP/1.0", "Content-Length: ", BAD),
    ("GET / HTTP/1.0", "Transfer-Encoding: chunked", BODY),
    ("GET / HTTP/1.0", "Transfer-Encoding: chunked\r\nContent-Length: 5", BODY),
];

/// All of them, as bytes.
pub(crate) fn refused() -> Vec<(Vec<u8>, &'static str)> {
    let lines = LINES.iter().map(|(line, fields, status)| {
        let end = if fields.is_empty() { "" } else { "\r\n" };
        // What may be a body, or the next request, is not read as one.
        let request = format!("{line}\r\n{fields}{end}\r\n5\r\nhello\r\n0\r\n\r\n");
        (request.into_bytes(), *status)
    });
    let long = "x".repeat(8192);
    let tls_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello that never ends";
    let others = [
        (tls_hello.to_vec(), BAD),
        (noise(), BAD),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), VERSION),
        (b"\r\n".repeat(5000), TOO_LARGE),
        (
            format!("GET /{long} HTTP/1.0\r\n\r\n").into_bytes(),
            TOO_LARGE,
        ),
        (
            format!("GET / HTTP/1.0\r\na: {long}\r\n\r\n").into_bytes(),
            TOO_LARGE,
        ),
    ];
    lines.chain(others).collect()
}

/// Bytes that no text has, the same in each run.
fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8 | 0x80
    };
    (0..4096).map(|_| next()).collect()
}

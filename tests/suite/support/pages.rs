//! Stats pages as HTTP answers, right and wrong.

use super::csv::{self, backend, frontend, server};
use super::fake_haproxy::{Act, Answers, Fake, Script};
use super::faults::{self, Case};

/// A head that says nothing of the body's length.
pub(crate) const OK: &str = "HTTP/1.0 200 OK\r\n";
/// A head, whole, of a body in chunks.
pub(crate) const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A short page. It has no empty line at its end, unlike an answer of the CLI.
pub(crate) fn body() -> String {
    let rows = [
        frontend("web", &[(4, "1"), (17, "OPEN")]),
        server("app", "s1", &[(4, "2"), (17, "UP")]),
        backend("app", &[(4, "3")]),
    ];
    format!("{}{}", csv::HEADER, rows.concat())
}

/// An answer with a Content-Length.
pub(crate) fn with_length(body: &str) -> String {
    format!("{OK}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// An answer of one chunk.
pub(crate) fn in_chunks(body: &str) -> String {
    format!("{CHUNKED}{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

/// Sends all at once and closes.
pub(crate) fn send(answer: impl AsRef<[u8]>) -> Script {
    vec![Act::Send(answer.as_ref().to_vec())]
}

/// Sends all at once, then does something else.
pub(crate) fn send_then(answer: impl AsRef<[u8]>, act: Act) -> Script {
    vec![Act::Send(answer.as_ref().to_vec()), act]
}

/// Sends a start, then the same bytes for ever.
pub(crate) fn flood(start: &str, bytes: impl AsRef<[u8]>) -> Script {
    send_then(start, Act::Repeat(bytes.as_ref().to_vec()))
}

/// The script brings [`body`] whole.
pub(crate) fn served(name: &str, script: Script) -> Case {
    Case::served(name, body().as_bytes(), script).over_http()
}

/// Runs the cases against a few exporters, each followed by a healthy page.
pub(crate) fn run(flags: &[&str], cases: &[Case]) {
    let fakes = [(); 4].map(|()| Fake::http("127.0.0.1", Answers::default()));
    let healthy = served("healthy", send(with_length(&body())));
    faults::run(&fakes, flags, &healthy, cases);
}

/// An address for documentation (RFC 5737): a direct connection to it cannot succeed.
pub(crate) const FAR: &str = "198.51.100.7";

/// A peer that serves [`body`].
pub(crate) fn page() -> Answers {
    Answers::page(with_length(&body()).as_bytes())
}

/// The only request so far as lines, without the headers that are the exporter's to choose. Header
/// names are in lower case and in alphabetical order.
pub(crate) fn only_request(fake: &Fake) -> Vec<String> {
    let requests = fake.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let head = requests[0]
        .strip_suffix("\r\n\r\n")
        .expect("a whole request head");
    let mut lines = head.split("\r\n").map(str::to_owned);
    let request_line = lines.next().expect("a request line");
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(": ").expect("a header field");
        format!("{}: {value}", name.to_ascii_lowercase())
    });
    let free = ["accept: ", "user-agent: ", "connection: "];
    let mut fields: Vec<String> = fields
        .filter(|field| !free.iter().any(|name| field.starts_with(name)))
        .collect();
    fields.sort();
    fields.insert(0, request_line);
    fields
}

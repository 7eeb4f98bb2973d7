//! A plain HTTP client that trusts nothing: a body must be exactly as long as its head says.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use flate2::bufread::GzDecoder;

/// No answer of the exporter may take this long; a test that waits longer has found a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case, in the order they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of the only header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let value = values.next();
        assert!(
            values.next().is_none(),
            "{name} twice in {:?}",
            self.headers
        );
        value
    }

    /// What stands in the body, decoded strictly: nothing is missing, and nothing stands behind the end.
    pub(crate) fn decoded(&self) -> Result<Vec<u8>, String> {
        match self.header("content-encoding") {
            None => Ok(self.body.clone()),
            Some("gzip") => {
                let mut text = Vec::new();
                let mut decoder = GzDecoder::new(self.body.as_slice());
                decoder
                    .read_to_end(&mut text)
                    .map_err(|error| format!("gzip: {error} behind {} bytes", text.len()))?;
                match decoder.into_inner() {
                    [] => Ok(text),
                    rest => Err(format!("gzip: {} bytes behind the end", rest.len())),
                }
            }
            Some(other) => Err(format!("Content-Encoding {other:?}")),
        }
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of UTF-8")
    }
}

/// Sends one request on a connection of its own and reads the answer to its end.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let answer = exchange(address, format!("{head}\r\n").as_bytes());
    parse(&answer, method == "HEAD").unwrap_or_else(|error| {
        panic!(
            "{method} {path}: {error} in {}",
            String::from_utf8_lossy(&answer[..answer.len().min(2000)])
        )
    })
}

/// Sends raw bytes and returns everything up to the end of the connection.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream =
        TcpStream::connect_timeout(&address, PATIENCE).expect("connect to the exporter");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a read timeout");
    stream
        .set_write_timeout(Some(PATIENCE))
        .expect("set a write timeout");
    stream.write_all(bytes).expect("send a request");
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => answer,
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!(
            "no whole answer in {PATIENCE:?}, but {} bytes",
            answer.len()
        ),
        Err(error) => panic!("reading the answer after {} bytes: {error}", answer.len()),
    }
}

/// Reads a whole answer. `bodiless` is for HEAD, whose Content-Length describes a body that stays away.
pub(crate) fn parse(answer: &[u8], bodiless: bool) -> Result<Response, String> {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("no end of the head")?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|error| error.to_string())?;
    let body = &answer[end + 4..];
    let mut lines = head.split("\r\n");
    let status_line = lines.next().ok_or("no status line")?;
    let status = status_line
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| status_line.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| format!("bad status line {status_line:?}"))?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| format!("bad header {line:?}"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut response = Response {
        status,
        headers,
        body: Vec::new(),
    };
    response.body = match (
        bodiless,
        response.header("content-length"),
        response.header("transfer-encoding"),
    ) {
        (true, ..) if body.is_empty() => Vec::new(),
        (true, ..) => return Err("a body where there must be none".to_owned()),
        (false, Some(length), None) => {
            let length: usize = length
                .parse()
                .map_err(|_| format!("bad Content-Length {length:?}"))?;
            if length != body.len() {
                return Err(format!("Content-Length {length}, but {} bytes", body.len()));
            }
            body.to_vec()
        }
        (false, None, Some("chunked")) => dechunk(body)?,
        (false, length, encoding) => {
            return Err(format!("no proof of the length: {length:?}, {encoding:?}"));
        }
    };
    Ok(response)
}

/// Joins chunks. Slow and strict: sizes in hexadecimal, CRLF everywhere, nothing after the last chunk.
pub(crate) fn dechunk(mut rest: &[u8]) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let line = rest
            .windows(2)
            .position(|window| window == b"\r\n")
            .ok_or("no end of a chunk size")?;
        let digits = std::str::from_utf8(&rest[..line]).map_err(|error| error.to_string())?;
        let size =
            usize::from_str_radix(digits, 16).map_err(|_| format!("bad chunk size {digits:?}"))?;
        rest = &rest[line + 2..];
        let chunk = rest.get(..size).ok_or("a chunk is cut")?;
        body.extend_from_slice(chunk);
        rest = rest[size..]
            .strip_prefix(b"\r\n")
            .ok_or("no CRLF after a chunk")?;
        if size == 0 {
            return if rest.is_empty() {
                Ok(body)
            } else {
                Err("bytes after the last chunk".to_owned())
            };
        }
    }
}

#[test]
fn a_body_must_be_as_long_as_announced() {
    let parse = |text: &str| parse(text.as_bytes(), false).map(|response| response.body);
    assert_eq!(
        parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"),
        Ok(b"ab".to_vec())
    );
    assert_eq!(
        parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"),
        Err("Content-Length 3, but 2 bytes".to_owned())
    );
    assert_eq!(
        parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        Ok(b"a".to_vec())
    );
    assert_eq!(
        parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na"),
        Err("a chunk is cut".to_owned())
    );
    assert_eq!(
        parse("HTTP/1.1 200 OK\r\n\r\nab"),
        Err("no proof of the length: None, None".to_owned())
    );
}

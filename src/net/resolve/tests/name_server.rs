//! A name server of the tests' own on 127.0.0.1.

use super::*;
use std::thread::JoinHandle;

const OK: u8 = 0;

/// A question that came, with its packet.
pub(super) struct Question {
    pub(super) packet: Vec<u8>,
    pub(super) name: String,
    pub(super) kind: u16,
}

impl Question {
    pub(super) fn read(packet: &[u8]) -> Self {
        let mut name = String::new();
        let mut at = 12;
        while packet[at] > 0 {
            let end = at + 1 + usize::from(packet[at]);
            name += std::str::from_utf8(&packet[at + 1..end]).unwrap();
            name += ".";
            at = end;
        }
        assert_eq!(packet[2..12], [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            (packet[at + 3..].to_vec(), packet.len()),
            (vec![0, 1], at + 5)
        );
        Self {
            packet: packet.to_vec(),
            name: name.trim_end_matches('.').to_owned(),
            kind: u16::from_be_bytes([packet[at + 1], packet[at + 2]]),
        }
    }

    /// An answer with records of the question's own name.
    pub(super) fn answer(&self, code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut packet = self.packet.clone();
        (packet[2], packet[3]) = (0x81, 0x80 | code);
        packet[7] = records.len() as u8;
        for (kind, data) in records {
            packet.extend_from_slice(b"\xc0\x0c");
            packet.extend_from_slice(&record(*kind, data));
        }
        packet
    }

    /// The usual answer: these addresses, by kind.
    pub(super) fn addresses(&self, v4: &[[u8; 4]], v6: &[[u8; 16]]) -> Vec<u8> {
        let v4 = v4.iter().map(|data| (TYPE_A, &data[..]));
        let v6 = v6.iter().map(|data| (TYPE_AAAA, &data[..]));
        let records: Vec<_> = v4
            .chain(v6)
            .filter(|(kind, _)| *kind == self.kind)
            .collect();
        self.answer(OK, &records)
    }
}

/// A record behind its name.
pub(super) fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_be_bytes().to_vec();
    bytes.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

pub(super) const V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// A name server that sends what `script` makes of each question, until it is dropped.
pub(super) struct NameServer {
    pub(super) port: u16,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl NameServer {
    pub(super) fn start(script: impl Fn(&Question) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let mut names = Vec::new();
            let mut packet = [0; 512];
            loop {
                let (length, peer) = socket.recv_from(&mut packet).unwrap();
                if length == 0 {
                    return names;
                }
                let question = Question::read(&packet[..length]);
                for answer in script(&question) {
                    socket.send_to(&answer, peer).unwrap();
                }
                if question.kind == TYPE_A {
                    names.push(question.name);
                }
            }
        });
        Self {
            port,
            thread: Some(thread),
        }
    }

    /// Asks for a host; the text of `Files::resolve`.
    pub(super) fn resolve(
        &self,
        configuration: &str,
        host: &str,
        time: Duration,
    ) -> Result<String, String> {
        Files::new(None, Some(configuration), self.port).resolve(host, time)
    }

    /// Ends it; the names it was asked for, in order.
    pub(super) fn names(mut self) -> Vec<String> {
        self.stop().unwrap_or_default()
    }

    fn stop(&mut self) -> Option<Vec<String>> {
        let thread = self.thread.take()?;
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(&[], ("127.0.0.1", self.port)).unwrap();
        thread.join().ok()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop();
    }
}

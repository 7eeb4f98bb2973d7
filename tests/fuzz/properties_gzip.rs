//! Compressed responses: rows that an input steers, decoded again.

use std::cell::RefCell;

use haproxy_exporter::testing::{Proof, Statistics};

/// Rows of an input at most, and bytes of a name.
const MOST_ROWS: usize = 400;
const MOST_NAME_BYTES: usize = 300;
const HEADER: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,\
status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,\n";
/// Columns between the names and the status, and between the weight and the type.
const NUMBERS: usize = 15;
const OTHERS: &str = "1,0,0,0,7,0,,1,2,1,,0,,";

thread_local! {
    /// Statistics that live on, as the exporter's do, under both sets of names.
    static STATISTICS: RefCell<[Statistics; 3]> = RefCell::new([
        Statistics::new("exporter", "", &[]),
        Statistics::new("builtin", "no-maint", &[]),
        Statistics::new("builtin", "extra-counters", &[]),
    ]);
}

/// Rows whose names and values are like those above, or are not: what is compressed is the text.
pub fn gzip(data: &[u8]) {
    let csv = csv(data);
    STATISTICS.with_borrow_mut(|all| {
        for statistics in all.iter_mut() {
            if statistics.read(&csv, Proof::EmptyLine, |left| left).is_ok() {
                let mut text = Vec::new();
                statistics.write(|piece| text.extend_from_slice(piece));
                assert_decodes_to(statistics, &text);
            }
        }
        // Under the built-in names there is something of every row.
        let [.., builtin] = all;
        let (bad_rows, _) = builtin.failures();
        let is_something = data.is_empty() || bad_rows > 0 || builtin.exposition_bytes() > 100;
        assert!(is_something, "nothing is compressed");
    });
}

/// The compressed response is one whole gzip member with this text.
pub(super) fn assert_decodes_to(statistics: &mut Statistics, text: &[u8]) {
    let mut compressed = Vec::new();
    statistics.compress(|piece| compressed.extend_from_slice(piece));
    let (head, rest) = compressed.split_at(10);
    assert_eq!(head[..4], [0x1f, 0x8b, 8, 0]);
    let (body, end) = rest.split_at(rest.len() - 8);
    let decoded = miniz_oxide::inflate::decompress_to_vec(body).expect("a deflate stream");
    assert!(decoded == text, "another text");
    let crc = crc(text).to_le_bytes();
    assert_eq!(end, [crc, (text.len() as u32).to_le_bytes()].concat());
}

/// CRC-32 bit by bit (RFC 1952, section 8).
fn crc(text: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !text.iter().fold(!0, byte)
}

/// The bytes of an input, one after the other; 0 behind the last.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A text that is the one above, changed a little, or another.
    fn like(&mut self, above: &[u8], letters: impl Fn(u8) -> u8) -> Vec<u8> {
        let mut text = above.to_vec();
        match self.next() % 8 {
            0 => {}
            1 => text = self.letters(&letters),
            2 => text.extend(self.letters(&letters)),
            3 => text = [self.letters(&letters), text].concat(),
            4 if !text.is_empty() => {
                let at = usize::from(self.next()) % text.len();
                text[at] = letters(self.next());
            }
            5 => text.truncate(usize::from(self.next()) % (text.len() + 1)),
            6 => text.reverse(),
            _ => text = vec![letters(self.next())],
        }
        text
    }

    fn letters(&mut self, letters: impl Fn(u8) -> u8) -> Vec<u8> {
        let count = usize::from(self.next() % 16);
        (0..count).map(|_| letters(self.next())).collect()
    }
}

fn csv(data: &[u8]) -> Vec<u8> {
    let mut bytes = Bytes(data);
    let mut csv = HEADER.as_bytes().to_vec();
    let mut names = [b"web".to_vec(), b"one".to_vec()];
    let mut numbers = vec![b"0".to_vec(); NUMBERS];
    for _ in 0..MOST_ROWS {
        if bytes.0.is_empty() {
            break;
        }
        let steer = bytes.next();
        for (name, is_changed) in names.iter_mut().zip([steer & 4 > 0, true]) {
            if is_changed {
                *name = bytes.like(name, |byte| byte);
                name.truncate(MOST_NAME_BYTES);
            }
            // RFC 4180: a quote in quotes is doubled.
            let quoted: Vec<u8> = name
                .iter()
                .flat_map(|byte| {
                    let count = if *byte == b'"' { 2 } else { 1 };
                    std::iter::repeat_n(*byte, count)
                })
                .collect();
            csv.extend([b"\"", quoted.as_slice(), b"\","].concat());
        }
        for number in &mut numbers {
            if steer & 8 > 0 {
                *number = bytes.like(number, |byte| b'0' + byte % 10);
                number.truncate(18);
            }
            csv.extend_from_slice(number);
            csv.push(b',');
        }
        let status = ["UP", "DOWN", "MAINT", "no check"][usize::from(steer >> 4) % 4];
        let row = format!("{status},{},{OTHERS}{},\n", steer >> 6, steer % 4);
        csv.extend_from_slice(row.as_bytes());
    }
    csv.push(b'\n');
    csv
}

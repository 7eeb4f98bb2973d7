//! Compressed responses (RFC 1952), which cost less than plain ones: they are not searched for what
//! repeats itself, since the exporter knows it.
//!
//! A response is one deflate block. Its literals and copies (`lines`, `headers`, `prior`) become codes
//! (`encoder`, `bits`) that fit a sample of its rows, or of those of a response shortly before (`sample`, `huffman`, `known`). Its CRC is made of that of each row's
//! labels (`facts`, `crc`) and not by a pass over the text.

mod bits;
mod cell;
mod crc;
mod encoder;
pub(super) mod facts;
mod fast;
mod headers;
mod huffman;
mod known;
mod lines;
mod prior;
mod rows;
mod run;
mod sample;
mod text;
mod tokens;

use std::collections::TryReserveError;
use std::sync::Arc;

use self::bits::Bits;
use self::crc::Shifts;
use self::encoder::{Encoder, Tables};
use self::headers::Headers;
use self::huffman::Codes;
use self::known::Known;
use self::run::{Crc, Run};
use self::text::State;
use self::tokens::Counts;
use super::PROFILES;
use super::cursor::Cursor;
use super::selection::Selection;
use super::snapshot::Snapshot;

/// No name, no time, no comment; an unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// Room for the head and the description of the codes.
const HEAD_ROOM_BYTES: usize = 1024;
/// Room for the end of the last line, the end of the block, the CRC and the length.
const END_ROOM_BYTES: usize = 1024;

/// What all compressed responses need: made once, when the first client wants one.
#[derive(Debug, Default)]
pub(crate) struct Common {
    shifts: Shifts,
    headers: [Option<Headers>; PROFILES.len()],
    tables: Tables,
    known: Known,
}

impl Common {
    fn headers(&mut self, selection: &Selection) -> &Headers {
        let profile = selection.profile();
        self.headers[profile].get_or_insert_with(|| Headers::new(selection.catalog(), profile))
    }
}

/// A compressed response: where it stands.
#[derive(Debug)]
pub(crate) struct Gzip {
    cursor: Cursor,
    state: State,
    crc: Crc,
    codes: Arc<Codes>,
    bits: Bits,
    stage: Stage,
}

/// What is to be put next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Lines,
    End,
    Nothing,
}

impl Gzip {
    /// A response that nothing has been put of yet.
    ///
    /// # Errors
    /// When there is no memory for what is found of the rows.
    pub(crate) fn new(
        snapshot: &Snapshot,
        selection: &Selection,
        common: &mut Common,
    ) -> Result<Self, TryReserveError> {
        for rows in snapshot.all() {
            rows::find_facts(rows, &mut common.shifts)?;
        }
        common.headers(selection);
        let Common { headers, known, .. } = common;
        let codes = known.get(snapshot, selection, |number| {
            let headers = headers[selection.profile()].as_ref();
            let counts = headers.map(|headers| sample::counts(headers, snapshot, selection));
            Codes::new(&counts.unwrap_or_else(Counts::new), number)
        });
        Ok(Self {
            cursor: Cursor::default(),
            state: State::default(),
            crc: Crc::default(),
            codes,
            bits: Bits::default(),
            stage: Stage::Head,
        })
    }

    /// Whether all of it was put.
    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Nothing
    }

    /// Puts as much as finds room into `to` and returns its bytes; 0 is the end. `to` must have
    /// `BUFFER_BYTES`, so that every line finds room.
    pub(crate) fn fill(
        &mut self,
        snapshot: &Snapshot,
        selection: &Selection,
        common: &mut Common,
        to: &mut [u8],
    ) -> usize {
        common.headers(selection);
        let Common {
            headers,
            shifts,
            tables,
            ..
        } = common;
        let Some(headers) = &headers[selection.profile()] else {
            return 0;
        };
        tables.make(&self.codes);
        let mut used = 0;
        if self.stage == Stage::Head && to.len() >= HEAD_ROOM_BYTES {
            to[..HEAD.len()].copy_from_slice(&HEAD);
            used = HEAD.len();
            self.codes.describe(&mut self.bits, to, &mut used);
            self.stage = Stage::Lines;
        }
        if self.stage == Stage::Lines {
            let encoder = Encoder::new((&self.codes, tables), &mut self.bits, to, used);
            let states = (&mut self.state, &mut self.crc);
            let response = (snapshot, selection);
            let mut run = Run::new(states, encoder, (headers, shifts), response);
            let is_all = self.cursor.put(snapshot, selection, &mut run);
            used = run.finish();
            if is_all {
                self.stage = Stage::End;
            }
        }
        if self.stage == Stage::End && to.len() - used >= END_ROOM_BYTES {
            self.put_end((headers, tables), to, &mut used);
            self.stage = Stage::Nothing;
        }
        used
    }

    fn put_end(&mut self, (headers, tables): (&Headers, &Tables), to: &mut [u8], used: &mut usize) {
        let mut encoder = Encoder::new((&self.codes, tables), &mut self.bits, to, *used);
        self.state.above.finish(&mut encoder);
        *used = encoder.used;
        let end = huffman::end(&self.codes);
        self.bits.put(u64::from(end.bits), u32::from(end.length));
        self.bits.flush(to, used);
        self.bits.put(0, self.bits.missing());
        // The length is that modulo 2^32.
        let length = self.state.position as u32;
        self.bits.flush(to, used);
        for number in [self.crc.of_text(headers), length] {
            self.bits.put(u64::from(number), u32::BITS);
            self.bits.flush(to, used);
        }
    }
}

#[cfg(test)]
mod tests;

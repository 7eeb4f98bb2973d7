//! Finds rows that have the same names: a hash set of row numbers, without a copy of the names.

use std::hash::{BuildHasher, RandomState};

/// A set of texts that are kept elsewhere, in insertion order.
///
/// It uses SipHash with a random key, so that a peer cannot choose names that collide.
#[derive(Debug, Default)]
pub(crate) struct NameIndex {
    hasher: RandomState,
    /// Open addressing: 0 is free; otherwise the upper half is a hash and the lower half a number
    /// from 1.
    slots: Vec<u64>,
    count: usize,
}

/// Number of slots of the smallest table.
const MIN_SLOTS: usize = 64;

impl NameIndex {
    /// Forgets all names, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.count = 0;
    }

    /// Inserts the next text; `text_of` returns the earlier ones by number, from 0. A text that is
    /// already there is not inserted, and its number is returned.
    pub(crate) fn insert<'a>(
        &mut self,
        text: &[u8],
        text_of: impl Fn(usize) -> &'a [u8],
    ) -> Option<usize> {
        if self.count * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = self.hasher.hash_one(text) >> 32;
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 {
            let number = (self.slots[at] & u64::from(u32::MAX)) as usize - 1;
            if self.slots[at] >> 32 == hash && text_of(number) == text {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
        self.count += 1;
        self.slots[at] = hash << 32 | self.count as u64;
        None
    }

    /// Releases memory that the current number of names does not need.
    pub(crate) fn shrink(&mut self) {
        let needed = (self.count * 4).next_power_of_two().max(MIN_SLOTS);
        if needed < self.slots.len() {
            self.resize(needed);
        }
    }

    /// Used and allocated bytes.
    pub(crate) fn memory(&self) -> (usize, usize) {
        (self.count * 16, self.slots.capacity() * 8)
    }

    fn grow(&mut self) {
        self.resize((self.slots.len() * 2).max(MIN_SLOTS));
    }

    fn resize(&mut self, size: usize) {
        let before = std::mem::replace(&mut self.slots, vec![0; size]);
        for slot in before.into_iter().filter(|slot| *slot != 0) {
            let mut at = (slot >> 32) as usize & (size - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = slot;
        }
    }
}

#[cfg(test)]
mod tests;

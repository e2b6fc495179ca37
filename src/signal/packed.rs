//! How are the values of one account laid out in a few hundred bytes that can be read without copying?
//!
//! A value is written field by field: numbers little-endian, lengths as LEB128, texts as UTF-8. Sets are rows of plain
//! bytes that need no alignment, so that a reader borrows them where they lie, in a mapped file or in memory.
//! Reading never panics: bytes that are no value give `None`.

use bytemuck::AnyBitPattern;

/// Steps of a rarity in one bit. Nobody knows one more closely, and two bytes hold up to 256 bits.
const STEPS: f32 = 256.0;

/// The rarity as it is kept, in bits: to the nearest step. Values are rounded when they are made, so that an account read back is
/// the account that was written. O(1).
pub(crate) fn rounded(bits: f32) -> f32 {
    f32::from(steps(bits)) / STEPS
}

/// A rarity in two bytes.
pub(crate) fn bits_to_bytes(bits: f32) -> [u8; 2] {
    steps(bits).to_le_bytes()
}

/// The rarity in bits that [`bits_to_bytes`] made two bytes of.
pub(crate) fn bits_of_bytes(bytes: [u8; 2]) -> f32 {
    f32::from(u16::from_le_bytes(bytes)) / STEPS
}

/// Steps of a rarity, as many as there may be: what is negative or no number is none.
pub(crate) fn steps(bits: f32) -> u16 {
    (bits * STEPS).round() as u16
}

/// Writes values behind each other.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
}

impl Packer {
    /// What was written since the last [`Packer::clear`].
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was written and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Writes a small number in as few bytes as it needs.
    pub(crate) fn len(&mut self, len: usize) {
        let mut rest = len;
        while rest >= 0x80 {
            self.bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    /// Writes a rarity in bits, [`rounded`].
    pub(crate) fn bits(&mut self, bits: f32) {
        self.bytes.extend_from_slice(&bits_to_bytes(bits));
    }

    /// Writes a key.
    pub(crate) fn key(&mut self, key: u64) {
        self.bytes.extend_from_slice(&key.to_le_bytes());
    }

    /// Writes a text behind its length.
    pub(crate) fn text(&mut self, text: &str) {
        self.len(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Writes rows behind their number.
    pub(crate) fn rows<T: bytemuck::NoUninit>(&mut self, rows: &[T]) {
        self.len(rows.len());
        self.bytes.extend_from_slice(bytemuck::cast_slice(rows));
    }
}

/// Reads values where they lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    /// Reads from the start of `bytes`.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads a small number.
    pub(crate) fn len(&mut self) -> Option<usize> {
        let mut len = 0usize;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            len |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(len);
            }
        }
        None
    }

    /// Reads a rarity in bits.
    pub(crate) fn bits(&mut self) -> Option<f32> {
        self.take(2)?.try_into().ok().map(bits_of_bytes)
    }

    /// Reads a key.
    pub(crate) fn key(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// Reads a text.
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let len = self.len()?;
        std::str::from_utf8(self.take(len)?).ok()
    }

    /// Reads rows.
    pub(crate) fn rows<T: AnyBitPattern>(&mut self) -> Option<&'a [T]> {
        let len = self.len()?;
        let bytes = self.take(len.checked_mul(size_of::<T>())?)?;
        bytemuck::try_cast_slice(bytes).ok()
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_rarity_is_rounded_once_and_to_the_nearest_step(bits in 0f32..255.9) {
            prop_assert!((rounded(bits) - bits).abs() <= 0.5 / STEPS);
            prop_assert_eq!(rounded(rounded(bits)), rounded(bits));
        }

        #[test]
        fn reading_gives_back_what_was_written(len in 0usize..1 << 34, bits: f32, key: u64, text in ".{0,200}", rows: Vec<[u8; 3]>) {
            let mut packer = Packer::default();
            packer.len(len);
            let bits = rounded(bits);
            packer.bits(bits);
            packer.text(&text);
            packer.key(key);
            packer.rows(&rows);
            let mut unpacker = Unpacker::of(packer.bytes());
            prop_assert_eq!(unpacker.len(), Some(len));
            prop_assert_eq!(unpacker.bits().map(f32::to_bits), Some(bits.to_bits()));
            prop_assert_eq!(unpacker.text(), Some(text.as_str()));
            prop_assert_eq!(unpacker.key(), Some(key));
            prop_assert_eq!(unpacker.rows::<[u8; 3]>(), Some(rows.as_slice()));
        }
    }
}

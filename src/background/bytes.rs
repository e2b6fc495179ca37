//! The background's file: `MWBG` + version + CRC-32 of the rest, then a zstd frame of little-endian numbers.
//!
//! The frame holds the totals by space, the trigram counts and the features sorted by hash, each hash as the distance
//! from the one before; numbers are LEB128.

use crate::background::counts::FeatureCounts;
use crate::background::letters::LetterCounts;
use crate::error::{Error, Result};

const MAGIC: &[u8; 4] = b"MWBG";
const VERSION: u8 = 1;
const HEADER_LEN: usize = 9;
/// A background never unpacks to more than this; a larger frame is not ours.
const UNPACKED_BYTES_MAX: usize = 64 << 20;

/// The bytes before compression; equal counts give equal bytes. O(features log features).
pub(crate) fn plain(letters: &LetterCounts, features: &FeatureCounts) -> Vec<u8> {
    let mut plain = Vec::new();
    for number in features.totals.iter().chain(&letters.0) {
        push(&mut plain, *number);
    }
    let mut sorted: Vec<(u32, u32)> = features
        .counts
        .iter()
        .map(|(hash, count)| (*hash, *count))
        .collect();
    sorted.sort_unstable();
    let mut before = 0;
    for (hash, count) in sorted {
        push(&mut plain, hash - before);
        push(&mut plain, count);
        before = hash;
    }
    plain
}

/// Counts as a file's bytes.
pub(crate) fn encode(letters: &LetterCounts, features: &FeatureCounts) -> Result<Vec<u8>> {
    let plain = plain(letters, features);
    let packed = zstd::bulk::compress(&plain, 19).map_err(|e| malformed(&e.to_string()))?;
    let mut stored = MAGIC.to_vec();
    stored.push(VERSION);
    stored.extend_from_slice(&crc32fast::hash(&packed).to_le_bytes());
    stored.extend_from_slice(&packed);
    Ok(stored)
}

/// Counts from bytes; no bytes at all are no counts.
pub(crate) fn decode(stored: &[u8]) -> Result<(LetterCounts, FeatureCounts)> {
    let (mut letters, mut features) = (LetterCounts::default(), FeatureCounts::default());
    if stored.is_empty() {
        return Ok((letters, features));
    }
    let (header, packed) = stored
        .split_at_checked(HEADER_LEN)
        .ok_or_else(|| malformed("cut short"))?;
    if !header.starts_with(MAGIC) {
        return Err(malformed("not a background file"));
    }
    if header.get(4) != Some(&VERSION) {
        return Err(malformed("a version this program does not read"));
    }
    if header.get(5..) != Some(&crc32fast::hash(packed).to_le_bytes()[..]) {
        return Err(malformed("checksum differs"));
    }
    let plain = zstd::bulk::decompress(packed, UNPACKED_BYTES_MAX)
        .map_err(|e| malformed(&e.to_string()))?;
    let mut rest = plain.as_slice();
    for number in features.totals.iter_mut().chain(&mut letters.0) {
        *number = pull(&mut rest).ok_or_else(|| malformed("cut short"))?;
    }
    let mut hash = 0u32;
    while !rest.is_empty() {
        let (Some(step), Some(count)) = (pull(&mut rest), pull(&mut rest)) else {
            return Err(malformed("cut short"));
        };
        hash = hash.wrapping_add(step);
        features.counts.insert(hash, count);
    }
    Ok((letters, features))
}

fn push(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn pull(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0u32;
    for shift in (0..35).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u32::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn malformed(reason: &str) -> Error {
    Error::Malformed {
        what: "background".into(),
        reason: reason.into(),
    }
}

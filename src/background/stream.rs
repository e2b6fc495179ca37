//! What screened accounts have in common: rarity learnt from the stream of signups itself.
//!
//! Each account that was found clear teaches the values it may be compared by: links, contacts, tokens, whole texts,
//! names and pictures. Memory is bounded (lossy counting), old fashions fade (all counts are halved every four million
//! accounts), and nobody teaches much alone: an account teaches when it is first seen, and a value counts once for each
//! source and day, where the source is what the platform's tokens say of the network or device, or else the platform itself. Flagged accounts teach nothing, so that a
//! wave of mirrors cannot make its own picture common. What was learnt is in force only once it is adopted: until then
//! the same probe gets the same report.

use std::collections::HashSet;

use crate::background::bytes;
use crate::background::counts::{FeatureCounts, Frozen};
use crate::background::letters::LetterCounts;
use crate::error::Result;
use crate::hash::feature::{Space, feature};
use crate::hash::spread::Spread;

/// Values counted; 2^20 keep the table under 16 MB.
const VALUES_MAX: usize = 1 << 20;
/// Accounts after which all counts are halved.
const ACCOUNTS_MAX: u32 = 4_000_000;
/// Pairs of source and value remembered, so that none counts twice.
const TAUGHT_MAX: usize = 1 << 20;
/// A value that few had may be one operator's own.
const COUNT_MIN: u32 = 8;
/// A stream of fewer accounts says nothing of shares.
const ACCOUNTS_MIN: u32 = 1_000;
/// Who brings more values than this brings them to teach.
const VALUES_A_PROBE_MAX: usize = 32;

/// Counts in the making.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    counts: FeatureCounts,
    taught: HashSet<u64, Spread>,
}

/// Counts that are asked.
#[derive(Debug, Clone)]
pub(crate) struct Learnt {
    counts: Frozen,
    accounts: u32,
    checksum: u32,
}

impl Stream {
    /// Goes on from what [`Stream::to_bytes`] wrote; empty bytes are a stream that has seen nothing.
    ///
    /// # Errors
    /// Damaged bytes.
    pub(crate) fn from_bytes(stored: &[u8]) -> Result<Self> {
        let (_, counts) = bytes::decode(stored)?;
        Ok(Self {
            counts,
            taught: HashSet::default(),
        })
    }

    /// The counts as bytes.
    ///
    /// # Errors
    /// Only if compression fails.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        bytes::encode(&LetterCounts::default(), &self.counts)
    }

    /// Counts the values of one clear account that came from `source`. O(values).
    pub(crate) fn observe(&mut self, source: u64, values: &[u64]) {
        if values.len() > VALUES_A_PROBE_MAX {
            return;
        }
        if self.taught.len() >= TAUGHT_MAX {
            self.taught.clear();
        }
        let accounts = &mut self.counts.totals[Space::Id as usize];
        *accounts += 1;
        if *accounts >= ACCOUNTS_MAX || self.counts.counts.len() >= VALUES_MAX {
            self.counts.halve();
        }
        for value in values {
            let pair = feature(
                Space::Pair,
                &[source, *value].map(u64::to_le_bytes).concat(),
            );
            if self.taught.insert(pair) {
                self.counts.observe(*value);
            }
        }
    }

    /// Accounts that taught, old ones faded.
    pub(crate) fn accounts(&self) -> u32 {
        self.counts.totals[Space::Id as usize]
    }
}

impl Learnt {
    /// Reads what [`Stream::to_bytes`] wrote.
    ///
    /// # Errors
    /// Damaged bytes.
    pub(crate) fn from_bytes(stored: &[u8]) -> Result<Self> {
        let (_, counts) = bytes::decode(stored)?;
        Ok(Self {
            counts: Frozen::of(&counts),
            accounts: counts.totals[Space::Id as usize],
            checksum: if stored.is_empty() {
                0
            } else {
                crc32fast::hash(stored)
            },
        })
    }

    /// -log2 of the share of ordinary accounts with this value; `None` where too few had it, or taught at all.
    #[inline]
    pub(crate) fn bits(&self, value: u64) -> Option<f32> {
        if self.accounts < ACCOUNTS_MIN {
            return None;
        }
        let count = self.counts.count(value);
        (count >= COUNT_MIN).then(|| (self.accounts.max(count) as f32 / count as f32).log2())
    }

    /// Identifies the counts; 0 where nothing was learnt.
    pub(crate) fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Accounts that taught it.
    pub(crate) fn accounts(&self) -> u32 {
        self.accounts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(stream: &Stream) -> Learnt {
        Learnt::from_bytes(&stream.to_bytes().unwrap()).unwrap()
    }

    #[test]
    fn what_many_sources_have_is_common() {
        let mut stream = Stream::default();
        for source in 0..2_000u64 {
            let own = (source + 7).wrapping_mul(crate::hash::spread::GOLDEN);
            let shared = crate::hash::spread::GOLDEN.rotate_left(9);
            stream.observe(source, &[own, shared]);
        }
        let learnt = learnt(&stream);
        assert_eq!(
            learnt.bits(crate::hash::spread::GOLDEN.rotate_left(9)),
            Some(0.0)
        );
        assert_eq!(
            learnt.bits(8u64.wrapping_mul(crate::hash::spread::GOLDEN)),
            None
        );
        assert_eq!(learnt.accounts(), 2_000);
    }

    #[test]
    fn one_source_teaches_nothing_by_saying_it_often() {
        let mut stream = Stream::default();
        for _ in 0..10_000 {
            stream.observe(5, &[crate::hash::spread::GOLDEN]);
        }
        assert_eq!(learnt(&stream).bits(crate::hash::spread::GOLDEN), None);
    }

    #[test]
    fn nothing_learnt_says_nothing() {
        let nothing = Learnt::from_bytes(&[]).unwrap();
        assert_eq!((nothing.bits(7), nothing.checksum()), (None, 0));
    }
}

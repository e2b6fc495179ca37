//! How often features occur among ordinary accounts, in bounded memory.
//!
//! Lossy counting (Manku and Motwani 2002): features are counted one by one until the table is full, then every count
//! is halved and those that fall to nothing leave. What stays is what is common, which is all that rarity asks; halving
//! also lets old fashions fade. Features are kept as 32-bit hashes: at 200,000 of them, one look-up in 20,000 of a
//! feature never seen finds another's count, and errs towards "common", which never raises a score.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::hash::feature::SPACES;

/// Most features kept while counting; 2^23 keep the table under 128 MB.
pub(crate) const FEATURES_MAX: usize = 1 << 23;

/// Counts of features and, per space, of accounts that had any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FeatureCounts {
    pub(crate) counts: HashMap<u32, u32, BuildHasherDefault<Spread>>,
    pub(crate) totals: [u32; SPACES],
}

impl FeatureCounts {
    /// Counts one occurrence of `feature`.
    pub(crate) fn observe(&mut self, feature: u64) {
        if self.counts.len() >= FEATURES_MAX {
            self.halve();
        }
        let count = self.counts.entry(short(feature)).or_insert(0);
        *count = count.saturating_add(1);
    }

    /// Occurrences of `feature`; 0 when it was never seen or has faded.
    pub(crate) fn count(&self, feature: u64) -> u32 {
        self.counts.get(&short(feature)).copied().unwrap_or(0)
    }

    /// Drops the rarest features until at most `len_max` are left.
    pub(crate) fn prune(&mut self, len_max: usize) {
        let mut count_min = 2;
        while self.counts.len() > len_max {
            self.counts.retain(|_, count| *count >= count_min);
            count_min += 1;
        }
    }

    fn halve(&mut self) {
        self.counts.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
        for total in &mut self.totals {
            *total /= 2;
        }
    }
}

/// The hasher of keys that are hashes already: one multiplication brings their bits to both ends, where the table looks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread(u64);

/// 2^64 divided by the golden ratio (Knuth's multiplicative hashing).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, key: u32) {
        self.0 = (self.0 ^ u64::from(key)).wrapping_mul(GOLDEN);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

fn short(feature: u64) -> u32 {
    (feature >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_features_outlive_a_flood_of_rare_ones() {
        let mut counts = FeatureCounts::default();
        let spread = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for n in 0..(2 * FEATURES_MAX as u64) {
            counts.observe(spread(n));
            counts.observe(spread(7));
        }
        assert!(counts.counts.len() <= FEATURES_MAX);
        assert!(counts.count(spread(7)) > 1000);
    }
}

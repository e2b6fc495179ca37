//! How often features occur among ordinary accounts, in bounded memory.
//!
//! Lossy counting (Manku and Motwani 2002): features are counted one by one until the table is full, then every count
//! is halved and those that fall to nothing leave. What stays is what is common, which is all that rarity asks; halving
//! also lets old fashions fade. Features are kept as 32-bit hashes: at 300,000 of them, one look-up in 14,000 of a
//! feature never seen finds another's count, and errs towards "common", which never raises a score.
//! Counting done, the counts are frozen into [`Frozen`], which answers "never seen" from a table that fits a core's cache.

use crate::hash::feature::SPACES;
use crate::hash::spread::Spread;
use crate::index::ahead;
use std::collections::HashMap;

/// Most features kept while counting; 2^23 keep the table under 128 MB.
pub(crate) const FEATURES_MAX: usize = 1 << 23;

/// Counts of features and, per space, of accounts that had any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FeatureCounts {
    pub(crate) counts: HashMap<u32, u32, Spread>,
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

    /// Drops the rarest features until at most `len_max` are left.
    pub(crate) fn prune(&mut self, len_max: usize) {
        let mut count_min = 2;
        while self.counts.len() > len_max {
            self.counts.retain(|_, count| *count >= count_min);
            count_min += 1;
        }
    }

    /// Halves every count; what falls to nothing leaves.
    pub(crate) fn halve(&mut self) {
        self.counts.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
        for total in &mut self.totals {
            *total /= 2;
        }
    }
}

/// Counts that are only asked for. Immutable; 8 bytes a slot, at most three quarters of the slots taken.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    /// Two bits for each feature in the word its high bits choose: most features asked for were never seen, and end here.
    filter: Vec<u64>,
    /// Shift that leaves of a short feature the word of the filter.
    filter_shift: u32,
    /// Features, each at or after the slot its high bits choose; [`FREE`] where there is none.
    keys: Vec<u32>,
    /// The count of the feature in the same slot; apart from the keys, so that more of them fit a cache.
    counts: Vec<u32>,
    /// The count of the feature that is written like a free slot.
    count_free: u32,
    /// Shift that leaves of a short feature its slot.
    slot_shift: u32,
    totals: [u32; SPACES],
}

/// A slot without a feature.
const FREE: u32 = u32::MAX;
/// Features to a word of the filter; 8 make one look-up in twenty of a feature never seen go on to the slots.
const FEATURES_A_WORD: usize = 8;
/// The filter's words are chosen by at most this many bits, so that the two bits inside a word are others.
const FILTER_BITS_MAX: u32 = 20;

impl Frozen {
    /// Freezes `features`. O(features log features).
    pub(crate) fn of(features: &FeatureCounts) -> Self {
        let len = features.counts.len().max(1);
        let filter_bits = len.div_ceil(FEATURES_A_WORD).next_power_of_two().ilog2();
        let filter_bits = filter_bits.clamp(1, FILTER_BITS_MAX);
        let slot_bits = (len + len / 3 + 1).next_power_of_two().ilog2().clamp(1, 31);
        let mut frozen = Self {
            filter: vec![0; 1 << filter_bits],
            filter_shift: u32::BITS - filter_bits,
            keys: vec![FREE; 1 << slot_bits],
            counts: vec![0; 1 << slot_bits],
            count_free: features.counts.get(&FREE).copied().unwrap_or(0),
            slot_shift: u32::BITS - slot_bits,
            totals: features.totals,
        };
        let mut sorted: Vec<(u32, u32)> =
            features.counts.iter().map(|(&key, &n)| (key, n)).collect();
        sorted.sort_unstable();
        for (key, count) in sorted.into_iter().filter(|(_, count)| *count > 0) {
            if let Some(word) = frozen.filter.get_mut((key >> frozen.filter_shift) as usize) {
                *word |= marks(key);
            }
            let at = frozen.slot_of(key, FREE);
            let slot = at.and_then(|at| frozen.keys.get_mut(at).zip(frozen.counts.get_mut(at)));
            if let Some((free, free_count)) = slot.filter(|_| key != FREE) {
                (*free, *free_count) = (key, count);
            }
        }
        frozen
    }

    /// Asks for what tells whether `feature` was seen. O(1).
    #[inline]
    pub(crate) fn ahead(&self, feature: u64) {
        ahead(&self.filter, (short(feature) >> self.filter_shift) as usize);
    }

    /// False where `feature` was never seen; of others the count is asked for. O(1).
    #[inline]
    pub(crate) fn may_have(&self, feature: u64) -> bool {
        let (key, marks) = (short(feature), marks(short(feature)));
        let word = self.filter.get((key >> self.filter_shift) as usize);
        let may_have = word.is_some_and(|word| word & marks == marks);
        if may_have {
            let slot = (key >> self.slot_shift) as usize;
            ahead(&self.keys, slot);
            ahead(&self.counts, slot);
        }
        may_have
    }

    /// Occurrences of `feature`; 0 when it was never seen or has faded. O(1).
    #[inline]
    pub(crate) fn count(&self, feature: u64) -> u32 {
        let (key, marks) = (short(feature), marks(short(feature)));
        let word = self.filter.get((key >> self.filter_shift) as usize);
        if word.is_none_or(|word| word & marks != marks) {
            return 0;
        }
        if key == FREE {
            return self.count_free;
        }
        let at = self.slot_of(key, key);
        at.and_then(|at| self.counts.get(at)).copied().unwrap_or(0)
    }

    /// The first slot from the one `key` chooses on that holds `wanted` or nothing.
    #[inline]
    fn slot_of(&self, key: u32, wanted: u32) -> Option<usize> {
        let first = (key >> self.slot_shift) as usize;
        let holds = |known: &u32| *known == wanted || *known == FREE;
        let (before, after) = self.keys.split_at(first.min(self.keys.len()));
        match after.iter().position(holds) {
            Some(steps) => Some(first + steps),
            None => before.iter().position(holds),
        }
    }

    /// Accounts that had anything in the space of this number.
    pub(crate) fn total(&self, space: usize) -> u32 {
        self.totals.get(space).copied().unwrap_or(0)
    }

    /// The counts as they were counted. O(slots).
    pub(crate) fn thawed(&self) -> FeatureCounts {
        let slots = self.keys.iter().copied().zip(self.counts.iter().copied());
        let taken = slots.chain([(FREE, self.count_free)]);
        FeatureCounts {
            counts: taken.filter(|(_, count)| *count > 0).collect(),
            totals: self.totals,
        }
    }
}

/// The two bits of a word of the filter that a short feature sets, chosen by its low bits.
fn marks(key: u32) -> u64 {
    (1 << (key & 63)) | (1 << ((key >> 6) & 63))
}

fn short(feature: u64) -> u32 {
    (feature >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    #[test]
    fn common_features_outlive_a_flood_of_rare_ones() {
        let mut counts = FeatureCounts::default();
        let spread = |n: u64| n.wrapping_mul(crate::hash::spread::GOLDEN);
        for n in 0..(2 * FEATURES_MAX as u64) {
            counts.observe(spread(n));
            counts.observe(spread(7));
        }
        assert!(counts.counts.len() <= FEATURES_MAX);
        assert!(counts.counts.get(&short(spread(7))) > Some(&1000));
    }

    proptest! {
        #[test]
        fn frozen_counts_are_the_counts(
            near in proptest::collection::vec(any::<u8>(), 0..200),
            far in proptest::collection::vec(any::<u64>(), 0..300),
            asked in proptest::collection::vec(any::<u64>(), 0..50),
        ) {
            let mut counts = FeatureCounts::default();
            // Keys at the very end fill the last slots and go on at the first.
            let near: Vec<u64> = near.iter().map(|low| u64::MAX - (u64::from(*low) << 32)).collect();
            for feature in near.iter().chain(&far) {
                counts.observe(*feature);
            }
            let frozen = Frozen::of(&counts);
            for feature in near.iter().chain(&far).chain(&asked) {
                let expected = counts.counts.get(&short(*feature)).copied().unwrap_or(0);
                frozen.ahead(*feature);
                prop_assert_eq!(frozen.count(*feature), expected);
                proptest::prop_assert!(expected == 0 || frozen.may_have(*feature));
            }
            prop_assert_eq!(frozen.thawed(), counts);
        }
    }
}

//! A set of features, each with its rarity: what bios, links, contacts and tokens are compared by.

use std::borrow::Cow;

use bytemuck::{Pod, Zeroable};

use crate::signal::packed::{Packer, Unpacker, bits_of_bytes, bits_to_bytes};
use crate::signal::relation::LEADING_BITS_MIN;

/// Share of a second shared feature's bits beside the first: links, numbers and devices travel together.
pub(crate) const SECOND: f32 = 0.3;

/// A feature and its rarity, as it lies in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Weighted {
    key: [u8; 8],
    bits: [u8; 2],
}

impl Weighted {
    fn new(key: u64, bits: f32) -> Self {
        Self {
            key: key.to_le_bytes(),
            bits: bits_to_bytes(bits),
        }
    }

    fn key(&self) -> u64 {
        u64::from_le_bytes(self.key)
    }

    fn bits(&self) -> f32 {
        bits_of_bytes(self.bits)
    }
}

/// Features sorted by key, each with its rarity in bits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct WeightedSet<'a>(Cow<'a, [Weighted]>);

impl<'a> WeightedSet<'a> {
    /// Sorts and deduplicates; of equal keys the first stays.
    pub(crate) fn of(mut features: Vec<(u64, f32)>) -> Self {
        features.sort_by_key(|(key, _)| *key);
        features.dedup_by_key(|(key, _)| *key);
        let rows = features
            .iter()
            .map(|(key, bits)| Weighted::new(*key, *bits));
        Self(rows.collect())
    }

    /// True when there is no feature.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every feature with its rarity, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, f32)> + '_ {
        self.0.iter().map(|row| (row.key(), row.bits()))
    }

    /// The features alone.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().map(Weighted::key)
    }

    /// Features rare enough to lead to candidates.
    pub(crate) fn leading(&self) -> impl Iterator<Item = (u64, f32)> + '_ {
        self.iter().filter(|(_, bits)| *bits >= LEADING_BITS_MIN)
    }

    /// Sum of all rarities, in bits.
    pub(crate) fn bits(&self) -> f32 {
        self.iter().map(|(_, bits)| bits).sum()
    }

    /// Features in both, with the rarity `self` gives them. O(len + len).
    pub(crate) fn shared<'s>(
        &'s self,
        other: &'s WeightedSet<'_>,
    ) -> impl Iterator<Item = (u64, f32)> + 's {
        let mut rest = other.0.iter().map(Weighted::key).peekable();
        self.iter().filter(move |(key, _)| {
            while rest.next_if(|other| other < key).is_some() {}
            rest.peek().is_some_and(|other| other == key)
        })
    }

    /// The bits of the rarest feature in both and a share of the second's; 0 where nothing is shared.
    /// `capped` knows of each what many carry.
    pub(crate) fn strongest_shared(
        &self,
        other: &WeightedSet<'_>,
        capped: impl Fn(u64, f32) -> f32,
    ) -> f32 {
        let (mut first, mut second) = (0.0f32, 0.0f32);
        for (key, bits) in self.shared(other) {
            // That only lowers: what is not above both could change neither.
            if bits <= second {
                continue;
            }
            let bits = capped(key, bits);
            second = second.max(bits.min(first));
            first = first.max(bits);
        }
        first + SECOND * second
    }

    /// Writes the set.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        packer.rows(&self.0);
    }

    /// Reads what [`WeightedSet::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self(Cow::Borrowed(unpacker.rows()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shared_is_the_intersection(left in prop::collection::vec(0u64..40, 0..30), right in prop::collection::vec(0u64..40, 0..30)) {
            let set = |keys: &[u64]| WeightedSet::of(keys.iter().map(|key| (*key, 1.0)).collect());
            let shared: Vec<u64> = set(&left).shared(&set(&right)).map(|(key, _)| key).collect();
            let expected: Vec<u64> = (0..40).filter(|key| left.contains(key) && right.contains(key)).collect();
            prop_assert_eq!(shared, expected);
        }
    }
}

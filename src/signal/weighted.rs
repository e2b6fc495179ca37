//! A set of features, each with its rarity: what bios, links, contacts and tokens are compared by.

use crate::signal::relation::{Crowd, LEADING_BITS_MIN};

/// Share of a second shared feature's bits beside the first: links, numbers and devices travel together.
const SECOND: f32 = 0.3;

/// Features sorted by key, each with its rarity in bits.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct WeightedSet(Box<[(u64, f32)]>);

impl WeightedSet {
    /// Sorts and deduplicates; of equal keys the first stays.
    pub(crate) fn of(mut features: Vec<(u64, f32)>) -> Self {
        features.sort_by_key(|(key, _)| *key);
        features.dedup_by_key(|(key, _)| *key);
        Self(features.into_boxed_slice())
    }

    /// True when there is no feature.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every feature with its rarity, by key.
    pub(crate) fn as_slice(&self) -> &[(u64, f32)] {
        &self.0
    }

    /// Keys rare enough to lead to candidates.
    pub(crate) fn leading(&self) -> impl Iterator<Item = u64> + '_ {
        self.0
            .iter()
            .filter(|(_, bits)| *bits >= LEADING_BITS_MIN)
            .map(|(key, _)| *key)
    }

    /// Sum of all rarities, in bits.
    pub(crate) fn bits(&self) -> f32 {
        self.0.iter().map(|(_, bits)| bits).sum()
    }

    /// Features in both, with the rarity `self` gives them. O(len + len).
    pub(crate) fn shared<'a>(
        &'a self,
        other: &'a WeightedSet,
    ) -> impl Iterator<Item = (u64, f32)> + 'a {
        let mut rest = other.0.iter().peekable();
        self.0.iter().copied().filter(move |(key, _)| {
            while rest.next_if(|(other, _)| other < key).is_some() {}
            rest.peek().is_some_and(|(other, _)| other == key)
        })
    }

    /// The bits of the rarest feature in both and a share of the second's; 0 where nothing is shared.
    pub(crate) fn strongest_shared(&self, other: &WeightedSet, crowd: &Crowd) -> f32 {
        let mut bits: Vec<f32> = self
            .shared(other)
            .map(|(key, bits)| crowd.capped_by_share(key, bits))
            .collect();
        bits.sort_by(|a, b| b.total_cmp(a));
        bits.first().copied().unwrap_or(0.0) + SECOND * bits.get(1).copied().unwrap_or(0.0)
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

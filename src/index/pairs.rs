//! Under which keys is a text stored so that a text sharing two rare features finds it?
//!
//! One feature is either too common to follow or too easily changed; a pair of the rarest few is neither. Each pair
//! becomes one 64-bit key for `Postings`. What a feature is and how rare it is the caller says.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

/// Two features that stand together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    /// The key of both, in either order.
    pub(crate) key: u64,
    /// Weight of the heavier.
    pub(crate) first: f32,
    /// Weight of the lighter; 0 for a feature alone.
    pub(crate) second: f32,
}

/// Returns one key for each unordered pair of the `top.end` heaviest features, ascending, but for those of the `top.start`
/// heaviest alone, which another call gave; one feature alone gives its own.
///
/// Ties in weight go to the smaller feature, a feature given twice counts with its larger weight, and one whose weight
/// is not a number not at all: the keys do not depend on the order of `features`. With `n = top.end`, `n * (n - 1) / 2` keys
/// from 0 on.
pub(crate) fn pair_keys(features: &[(u64, f32)], top: Range<usize>) -> Vec<Pair> {
    let mut ranked: Vec<(u64, f32)> = features.to_vec();
    ranked.retain(|(_, weight)| !weight.is_nan());
    ranked.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    ranked.dedup_by_key(|(feature, _)| *feature);
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(top.end);
    if let [(feature, first)] = ranked.as_slice() {
        let alone = Pair {
            key: xxh3_64(&feature.to_le_bytes()),
            first: *first,
            second: 0.0,
        };
        return top.contains(&0).then_some(alone).into_iter().collect();
    }
    let mut keys = Vec::new();
    for (place, (first, first_weight)) in ranked.iter().enumerate() {
        for (second, second_weight) in ranked.iter().skip(top.start.max(place + 1)) {
            keys.push(Pair {
                key: pair_key(*first, *second),
                first: *first_weight,
                second: *second_weight,
            });
        }
    }
    keys.sort_unstable_by_key(|pair| pair.key);
    keys
}

/// Returns the key of two features in either order.
fn pair_key(first: u64, second: u64) -> u64 {
    let mut bytes = [0u8; 16];
    let ordered = [first.min(second), first.max(second)];
    for (slot, byte) in bytes
        .iter_mut()
        .zip(ordered.iter().flat_map(|f| f.to_le_bytes()))
    {
        *slot = byte;
    }
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::pair_key;

    fn pair_keys(features: &[(u64, f32)], top: usize) -> Vec<u64> {
        super::pair_keys(features, 0..top)
            .iter()
            .map(|pair| pair.key)
            .collect()
    }
    use proptest::prelude::{prop_assert_eq, proptest};

    #[test]
    fn the_heaviest_pair_up() {
        let features = [(1, 0.5), (2, 3.0), (3, 2.0), (4, 2.0), (5, f32::NAN)];
        let mut expected = vec![pair_key(2, 3), pair_key(2, 4), pair_key(3, 4)];
        expected.sort();
        assert_eq!(pair_keys(&features, 3), expected);
        assert_eq!(pair_keys(&features, 2), vec![pair_key(3, 2)]);
        assert_eq!(pair_keys(&features, 1), pair_keys(&[(2, 9.0)], 7));
        assert!(pair_keys(&features, 0).is_empty());
        assert!(pair_keys(&[], 9).is_empty());
    }

    proptest! {
        #[test]
        fn order_does_not_matter(mut features in proptest::collection::vec((0u64..9, 0f32..4.0), 0..12), top in 0usize..9) {
            let forward = pair_keys(&features, top);
            features.reverse();
            prop_assert_eq!(&forward, &pair_keys(&features, top));
            let distinct: std::collections::BTreeSet<u64> = features.iter().map(|f| f.0).collect();
            let count = distinct.len().min(top);
            prop_assert_eq!(forward.len(), if count == 1 { 1 } else { count * count.saturating_sub(1) / 2 });
            // Of one alone a call gives no pair, but it.
            for start in (0..=top).filter(|start| *start != 1) {
                let mut parts = pair_keys(&features, start);
                parts.extend(super::pair_keys(&features, start..top).iter().map(|pair| pair.key));
                parts.sort();
                prop_assert_eq!(&forward, &parts);
            }
        }
    }
}

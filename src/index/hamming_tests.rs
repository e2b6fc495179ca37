//! Tests of the Hamming index: the linear scan defines the meaning, the tables must agree with it.

use crate::hash::hamming;
use crate::index::Ordinal;
use crate::index::chunks::{chunks_of, dealt};
use crate::index::hamming::{HammingIndex, SCAN_LEN};
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

/// A reproducible stream of numbers (Steele, Lea, Flood 2014: SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A copy with `flips` bits turned over, some perhaps twice.
    fn near<const W: usize>(&mut self, value: &[u64; W], flips: usize) -> [u64; W] {
        let mut copy = *value;
        for _ in 0..flips {
            let bit = self.next() as usize % (64 * W);
            copy[bit / 64] ^= 1 << (bit % 64);
        }
        copy
    }
}

/// Every entry within the distance, ascending.
fn flat<const W: usize>(
    index: &HammingIndex<W>,
    probe: &[u64; W],
    distance_max: u32,
) -> Vec<(Ordinal, u32)> {
    let mut groups = Vec::new();
    index.within(probe, distance_max, usize::MAX, &mut groups);
    for limit in [usize::MAX, 3] {
        let (mut at_once, mut scanned) = (Vec::new(), Vec::new());
        let is_cut = index.within(probe, distance_max, limit, &mut at_once);
        let mut sought = index.sought(probe, distance_max);
        index.touch(&sought);
        index.scan(&mut sought);
        assert_eq!(index.near(&sought, limit, &mut scanned), is_cut);
        assert_eq!(scanned, at_once, "rows looked through before");
        index.fetch(&mut sought);
        let mut fetched = Vec::new();
        assert_eq!(index.near(&sought, limit, &mut fetched), is_cut);
        assert_eq!(fetched, at_once, "postings read before");
    }
    let mut found: Vec<(Ordinal, u32)> = groups
        .iter()
        .flat_map(|(group, distance)| group.iter().map(|ordinal| (*ordinal, *distance)))
        .collect();
    found.sort_unstable();
    found
}

/// Values beyond the scan: random ones, and clusters around the probe at every distance.
fn check<const W: usize>(
    seed: u64,
    spread: usize,
    distance_max: u32,
) -> Result<(), proptest::test_runner::TestCaseError> {
    let mut numbers = Numbers(seed);
    let probe: [u64; W] = std::array::from_fn(|_| numbers.next());
    let mut entries = Vec::new();
    for ordinal in 0..SCAN_LEN as u32 * 3 / 2 {
        let flips = numbers.next() as usize % (spread + 1);
        let value = match ordinal % 4 {
            0 => numbers.near(&probe, flips),
            _ => std::array::from_fn(|_| numbers.next()),
        };
        entries.push((value, ordinal));
        entries.push((value, ordinal / 2));
    }
    let index = HammingIndex::build(entries.clone());
    let found = flat(&index, &probe, distance_max);
    entries.sort();
    entries.dedup();
    let mut expected: Vec<(u32, u32)> = entries
        .iter()
        .map(|(value, ordinal)| (*ordinal, hamming(value, &probe)))
        .filter(|(_, distance)| *distance <= distance_max)
        .collect();
    expected.sort();
    prop_assert!(index.values.len() > SCAN_LEN);
    prop_assert!(found == expected, "{} {}", found.len(), expected.len());
    Ok(())
}

#[test]
fn a_crowded_value_is_one_group() {
    let entries: Vec<([u64; 1], u32)> = (0..1000).map(|ordinal| ([42], ordinal)).collect();
    let index = HammingIndex::build(entries);
    let mut found = Vec::new();
    index.within(&[43], 1, usize::MAX, &mut found);
    let lens: Vec<(usize, u32)> = found
        .iter()
        .map(|(group, distance)| (group.len(), *distance))
        .collect();
    assert_eq!((index.values.len(), lens), (1, vec![(1000, 1)]));
}

#[test]
fn empty_answers_nothing() {
    let mut found = Vec::new();
    let index = HammingIndex::<4>::default();
    index.within(&[0; 4], 256, usize::MAX, &mut found);
    assert!(found.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bits_are_dealt_out_alike_at_once_and_one_by_one(value in any::<[u64; 4]>()) {
        let mut chunks = [[0; 4]; 4];
        dealt(&value, &mut chunks);
        prop_assert_eq!(chunks_of(&value), chunks);
    }

    #[test]
    fn four_words_equal_linear_scan(seed in any::<u64>(), spread in 0usize..60, distance_max in 0u32..60) {
        check::<4>(seed, spread, distance_max)?;
        check::<4>(seed, 40, 31)?;
    }

    #[test]
    fn one_word_equals_linear_scan(seed in any::<u64>(), spread in 0usize..12, distance_max in 0u32..16) {
        check::<1>(seed, spread, distance_max)?;
        check::<1>(seed, 5, 3)?;
    }

    #[test]
    fn few_values_equal_linear_scan(values in proptest::collection::vec(0u64..40, 0..40), probe in 0u64..50, distance_max in 0u32..8) {
        let entries: Vec<([u64; 1], u32)> = values.iter().map(|value| [*value]).zip(0u32..).collect();
        let found = flat(&HammingIndex::build(entries.clone()), &[probe], distance_max);
        let expected: Vec<(u32, u32)> = entries
            .iter()
            .map(|(value, ordinal)| (*ordinal, hamming(value, &[probe])))
            .filter(|(_, distance)| *distance <= distance_max)
            .collect();
        prop_assert_eq!(found, expected);
    }
}

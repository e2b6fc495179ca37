//! Which 64 bits stay nearly the same when few words of a text change?
//!
//! Every word votes on every bit by its hash (M. Charikar, STOC 2002); the values are those of the `simhash` crate, with
//! eight votes counted in one addition.
//! The order of the words does not matter, their number of occurrences does. It neither splits nor folds a text, and is a near-exact key only: at 20 % of words changed the
//! distance is far beyond what an index can afford.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher;

/// The lowest bit of each byte of a word.
const LOW_BITS: u64 = 0x0101_0101_0101_0101;

/// Returns the SimHash of a stream of words, 0 for an empty stream. O(length), about 20 ns a word.
///
/// Distances are taken by [`crate::hash::hamming`] over `[u64; 1]`.
pub(crate) fn of_words<'a>(words: impl Iterator<Item = &'a str>) -> u64 {
    let mut words = words.peekable();
    // Votes for each bit: bit 8 j + i in row i, column j.
    let mut votes = [[0u32; 8]; 8];
    let mut count = 0u32;
    while words.peek().is_some() {
        let mut sums = [0u64; 8];
        // A byte of a sum holds no more votes than that.
        for word in words.by_ref().take(usize::from(u8::MAX)) {
            let mut hasher = SipHasher::default();
            word.hash(&mut hasher);
            let hash = hasher.finish();
            for (bit, sum) in sums.iter_mut().enumerate() {
                *sum += (hash >> bit) & LOW_BITS;
            }
            count = count.saturating_add(1);
        }
        for (row, sum) in votes.iter_mut().zip(sums) {
            for (vote, sum) in row.iter_mut().zip(sum.to_le_bytes()) {
                *vote = vote.saturating_add(u32::from(sum));
            }
        }
    }
    let mut simhash = 0;
    for (bit, row) in votes.iter().enumerate() {
        for (byte, vote) in row.iter().enumerate() {
            simhash |= u64::from(*vote > count / 2) << (8 * byte + bit);
        }
    }
    simhash
}

#[cfg(test)]
mod tests {
    use super::of_words;
    use crate::hash::hamming;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn of_text(text: &str) -> u64 {
        of_words(text.split_whitespace())
    }

    #[test]
    fn values_are_pinned_because_they_are_stored() {
        assert_eq!(of_text(""), 0);
        assert_eq!(of_text("The cat sat on the mat"), 2_595_200_813_813_010_837);
    }

    #[test]
    fn one_word_of_many_moves_few_bits() {
        let long = "official news channel of the eastern valley with daily reports and pictures";
        let near = of_text(&format!("{long} backup"));
        let far = of_text("handmade soap and candles shipped from lahore every friday morning");
        let distance_near = hamming(&[of_text(long)], &[near]);
        let distance_far = hamming(&[of_text(long)], &[far]);
        assert!(
            distance_near < distance_far,
            "{distance_near} {distance_far}"
        );
    }

    proptest! {
        #[test]
        fn values_are_those_of_the_crate(words in proptest::collection::vec("\\PC{0,12}", 0..600)) {
            let words = || words.iter().map(String::as_str);
            prop_assert_eq!(of_words(words()), ::simhash::simhash_stream(words()));
        }

        #[test]
        fn order_does_not_matter(words in proptest::collection::vec("[a-z]{1,8}", 0..20)) {
            let forward = of_words(words.iter().map(String::as_str));
            let backward = of_words(words.iter().rev().map(String::as_str));
            prop_assert_eq!(forward, backward);
        }
    }
}

//! Which 64 bits stay nearly the same when few words of a text change?
//!
//! Every word votes on every bit by its hash (M. Charikar, STOC 2002); the `simhash` crate counts the votes.
//! The order of the words does not matter, their number of occurrences does. It neither splits nor folds a text, and is a near-exact key only: at 20 % of words changed the
//! distance is far beyond what an index can afford.

/// Returns the SimHash of a stream of words, 0 for an empty stream. O(64) a word.
///
/// Distances are taken by [`crate::hash::hamming`] over `[u64; 1]`.
pub(crate) fn of_words<'a>(words: impl Iterator<Item = &'a str>) -> u64 {
    ::simhash::simhash_stream(words)
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
        fn order_does_not_matter(words in proptest::collection::vec("[a-z]{1,8}", 0..20)) {
            let forward = of_words(words.iter().map(String::as_str));
            let backward = of_words(words.iter().rev().map(String::as_str));
            prop_assert_eq!(forward, backward);
        }
    }
}

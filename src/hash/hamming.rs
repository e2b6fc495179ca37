//! In how many bits do two values of one width differ?
//!
//! Generic over the width in 64-bit words, so that PDQ (4 words) and SimHash (1 word) share one distance and one
//! index. The compiler unrolls the loop. It does not know what the bits mean.

/// Returns the number of differing bits of two values of `W` words, `0..=64 * W`.
pub(crate) fn hamming<const W: usize>(a: &[u64; W], b: &[u64; W]) -> u32 {
    a.iter()
        .zip(b)
        .map(|(a_word, b_word)| (a_word ^ b_word).count_ones())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::hamming;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn is_a_metric(a: [u64; 4], b: [u64; 4], c: [u64; 4]) {
            prop_assert_eq!(hamming(&a, &a), 0);
            prop_assert_eq!(hamming(&a, &b), hamming(&b, &a));
            prop_assert!(hamming(&a, &c) <= hamming(&a, &b) + hamming(&b, &c));
        }

        #[test]
        fn counts_flipped_bits(a: u64, flips: u64) {
            prop_assert_eq!(hamming(&[a], &[a ^ flips]), flips.count_ones());
        }
    }
}

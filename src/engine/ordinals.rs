//! Which entries of a segment are withdrawn?

use crate::index::Ordinal;

/// A set of ordinals of one segment.
///
/// Whoever screens asks it of thousands of entries all over the segment, and of ten millions the words take 1.25 MB: most
/// are zero, and which are not fits in 20 KB that stay at hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrdinalSet {
    words: Vec<u64>,
    /// Which words are not zero.
    filled: Vec<u64>,
}

impl OrdinalSet {
    /// Whether the ordinal is in the set.
    #[inline]
    pub(crate) fn contains(&self, ordinal: Ordinal) -> bool {
        let place = ordinal as usize;
        bit_at(&self.filled, place / 64) && bit_at(&self.words, place)
    }

    /// Adds an ordinal.
    pub(crate) fn insert(&mut self, ordinal: Ordinal) {
        let place = ordinal as usize;
        set_bit(&mut self.words, place);
        set_bit(&mut self.filled, place / 64);
    }

    /// The set as words of bits, from the first ordinal on.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// The ordinals below `len` whose bits are set in `words`, ascending.
    pub(crate) fn in_words(words: &[u64], len: u32) -> impl Iterator<Item = Ordinal> {
        (0..len).filter(|ordinal| bit_at(words, *ordinal as usize))
    }
}

fn bit_at(words: &[u64], place: usize) -> bool {
    let word = words.get(place / 64);
    word.is_some_and(|word| word >> (place % 64) & 1 == 1)
}

fn set_bit(words: &mut Vec<u64>, place: usize) {
    let word = place / 64;
    if words.len() <= word {
        words.resize(word + 1, 0);
    }
    if let Some(word) = words.get_mut(word) {
        *word |= 1 << (place % 64);
    }
}

#[cfg(test)]
mod tests {
    use super::OrdinalSet;
    use proptest::prelude::{prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn equals_linear_scan(ordinals in proptest::collection::vec(0u32..20_000, 0..60)) {
            let mut set = OrdinalSet::default();
            ordinals.iter().for_each(|ordinal| set.insert(*ordinal));
            let expected: Vec<u32> = (0..20_000).filter(|ordinal| ordinals.contains(ordinal)).collect();
            let contained: Vec<u32> = (0..20_000).filter(|ordinal| set.contains(*ordinal)).collect();
            let read: Vec<u32> = OrdinalSet::in_words(set.words(), 20_000).collect();
            prop_assert_eq!(&contained, &expected);
            prop_assert_eq!(&read, &expected);
        }
    }
}

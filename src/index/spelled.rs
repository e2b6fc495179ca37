//! What is the hash of any part of a string, in constant time?
//!
//! Prefix hashes of a polynomial over the characters (Karp and Rabin 1987), modulo 2^64: the hash of a part is one
//! product and one difference of two prefixes, that of a string with a character left out one more. Two different
//! strings can be made to agree on purpose; every user verifies what it finds. Strings are cut at [`LEN_MAX`].

use crate::index::hashed::mixed;

/// Number of characters of a string that are looked at.
///
/// Longer than any platform's handle; it bounds the cost of a look-up, which grows with the length.
pub(crate) const LEN_MAX: usize = 64;

/// Base of the polynomial: an odd number with bits all over (2^64 divided by the golden ratio).
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Powers of the base.
const POWERS: [u64; LEN_MAX + 1] = {
    let mut powers = [1u64; LEN_MAX + 1];
    let mut exponent = 1;
    while exponent <= LEN_MAX {
        powers[exponent] = powers[exponent - 1].wrapping_mul(BASE);
        exponent += 1;
    }
    powers
};

/// The prefix hashes of the first [`LEN_MAX`] characters of a string.
pub(crate) struct Spelled {
    letters: [char; LEN_MAX],
    prefixes: [u64; LEN_MAX + 1],
    len: usize,
    is_cut: bool,
}

impl Spelled {
    /// Reads a string. O(length).
    pub(crate) fn of(text: &str) -> Self {
        let mut letters = ['\0'; LEN_MAX];
        let mut prefixes = [0u64; LEN_MAX + 1];
        let mut hash = 0u64;
        let mut len = 0;
        let mut rest = text.chars();
        let slots = letters.iter_mut().zip(prefixes.iter_mut().skip(1));
        for ((letter_slot, prefix), letter) in slots.zip(rest.by_ref()) {
            hash = hash
                .wrapping_mul(BASE)
                .wrapping_add(mixed(u64::from(letter) + 1));
            *letter_slot = letter;
            *prefix = hash;
            len += 1;
        }
        Self {
            letters,
            prefixes,
            len,
            is_cut: text.chars().nth(LEN_MAX).is_some(),
        }
    }

    /// Returns the number of characters read, at most [`LEN_MAX`].
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Says whether the string was longer than what was read.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Says whether the characters at `position` and before it are equal.
    pub(crate) fn repeats(&self, position: usize) -> bool {
        position > 0 && self.letters.get(position) == self.letters.get(position - 1)
    }

    /// Returns the hash of the characters `start..end`.
    pub(crate) fn part(&self, start: usize, end: usize) -> u64 {
        let before = shifted(self.prefix(start), end.saturating_sub(start));
        self.prefix(end).wrapping_sub(before)
    }

    /// Returns the hash of the characters `start..end` without the one at `gap`.
    pub(crate) fn without(&self, start: usize, gap: usize, end: usize) -> u64 {
        joined(
            self.part(start, gap),
            self.part(gap + 1, end),
            end - gap - 1,
        )
    }

    /// Returns the hash of the whole without the characters at `first < second`.
    pub(crate) fn without_two(&self, first: usize, second: usize) -> u64 {
        let front = self.without(0, first, second);
        joined(
            front,
            self.part(second + 1, self.len),
            self.len - second - 1,
        )
    }

    fn prefix(&self, end: usize) -> u64 {
        self.prefixes.get(end).copied().unwrap_or(0)
    }
}

/// Returns the hash of a string followed by `len` characters that do not count.
fn shifted(hash: u64, len: usize) -> u64 {
    hash.wrapping_mul(POWERS.get(len).copied().unwrap_or(0))
}

/// Returns the hash of two strings one after the other, the second of `len` characters.
fn joined(front: u64, back: u64, len: usize) -> u64 {
    shifted(front, len).wrapping_add(back)
}

#[cfg(test)]
mod tests {
    use super::Spelled;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn whole(letters: &[char]) -> u64 {
        let spelled = Spelled::of(&letters.iter().collect::<String>());
        spelled.part(0, spelled.len())
    }

    proptest! {
        #[test]
        fn parts_hash_as_strings_of_their_own(text in "[abcع\u{1f600}]{2,70}", a in 0usize..70, b in 0usize..70) {
            let letters: Vec<char> = text.chars().take(64).collect();
            let spelled = Spelled::of(&text);
            prop_assert_eq!(spelled.is_cut(), text.chars().count() > 64);
            let (a, b) = (a.min(b) % letters.len(), a.max(b) % letters.len());
            let (start, end) = (a.min(b), a.max(b));
            prop_assert_eq!(spelled.part(start, end), whole(&letters[start..end]));
            if start < end {
                let mut gap = letters.clone();
                gap.remove(end);
                gap.remove(start);
                prop_assert_eq!(spelled.without_two(start, end), whole(&gap));
                prop_assert_eq!(spelled.without(start, start, end), whole(&letters[start + 1..end]));
            }
        }
    }
}

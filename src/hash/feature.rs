//! Features: what is looked up and counted, as 64-bit keys.
//!
//! One hash serves the exact postings of the index and the counts of the background, so that "which entries have
//! this" and "how many ordinary accounts have this" are asked with the same key. XXH3 is frozen across versions.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What a feature is made of; equal texts of different spaces are different features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Space {
    /// A whole handle, or a whole name written as one word: coarse letters.
    Whole = 1,
    /// A handle without its affixes and numeric tail.
    Core = 2,
    /// The consonants of a whole handle or name.
    Sound = 3,
    /// All tokens of a name, sorted.
    Name = 4,
    /// One token of a name.
    NameToken = 5,
    /// The consonants of one token of a name.
    NameSound = 6,
    /// A word that handles and names are made of.
    Term = 7,
    /// A word of a bio.
    Word = 8,
    /// A whole bio, folded.
    Bio = 9,
    /// A link.
    Link = 10,
    /// A registered domain.
    Domain = 11,
    /// A phone, e-mail, mention, hashtag or wallet.
    Contact = 12,
    /// Sixteen bits of a picture hash and their place.
    Picture = 13,
    /// A platform's opaque identifier, keyed.
    Token = 14,
    /// A pair of features that occur together.
    Pair = 15,
    /// An account id.
    Id = 16,
    /// The numeric tail of a handle.
    Number = 17,
}

/// How many spaces there are, counting the unused 0.
pub(crate) const SPACES: usize = 18;

/// The key of `bytes` in `space`. O(bytes).
#[inline]
pub(crate) fn feature(space: Space, bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, space as u64)
}

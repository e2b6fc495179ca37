//! Which entries carry one of these keys, when a wrong one now and then does no harm?
//!
//! [`crate::index::Postings`] keeps every key and takes 12.5 bytes a posting; here the key is cut to a bucket and a tag, 4.3 bytes.
//! Made for keys that only propose candidates, which are compared afterwards: none is missed, a stranger passes with
//! the chance [`HashedPostings`] tells. Keys may be badly spread, and one may have any number of carriers: the postings
//! of a bucket are in order of their tag, so a hot key neither costs nor hides more than its neighbours.

use crate::index::Ordinal;
use crate::index::flat::{Sections, Stored};
use crate::index::hashed::{HashedPostings, Placed, Run, mixed};

/// Mean number of postings in a bucket: a quarter byte of table a posting, and one or two cache lines to read.
const LOAD: usize = 16;

/// Key to ordinals, inexact by design: the caller compares. 4.3 bytes a posting.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loose {
    postings: HashedPostings,
}

impl Loose {
    /// Builds from what `for_each` gives the function it is called with: pairs of a key and an ordinal.
    ///
    /// `for_each` is called twice, once more for each quarter of a billion postings, and must answer alike; nothing
    /// it gives is held. A pair repeated at once counts once. Fewer than 2^32 postings.
    #[cfg(test)]
    pub(crate) fn build(for_each: impl Fn(&mut dyn FnMut(u64, Ordinal)) + Sync) -> Self {
        Self::build_parts(1, |_, then| for_each(then))
    }

    /// Builds as [`Self::build`] from `parts` that are asked for on all cores, `for_each(part, then)`. The bytes are the
    /// same however the pairs are cut into parts.
    pub(crate) fn build_parts(
        parts: usize,
        for_each: impl Fn(usize, &mut dyn FnMut(u64, Ordinal)) + Sync,
    ) -> Self {
        let postings = HashedPostings::build_parts(LOAD, parts, |part, then| {
            for_each(part, &mut |key, ordinal| then(mixed(key), ordinal));
        });
        Self { postings }
    }

    /// What `keys` are looked up by, to be asked of several indexes.
    pub(crate) fn hashes(keys: impl Iterator<Item = u64>) -> Vec<u64> {
        keys.map(mixed).collect()
    }

    /// Asks for where the postings of `hashes` stand.
    pub(crate) fn ahead(&self, hashes: &[u64]) {
        self.postings.ahead(hashes);
    }

    /// Reads where the postings of `hashes` stand, and asks for them.
    pub(crate) fn placed(&self, hashes: &[u64]) -> Placed {
        self.postings.placed(hashes.to_vec())
    }

    /// [`Self::each`] of keys that were not placed before.
    #[cfg(test)]
    pub(crate) fn get(&self, keys: &[u64], limit: usize, mut visit: impl FnMut(usize, &[Ordinal])) {
        let hashes = Self::hashes(keys.iter().copied());
        self.ahead(&hashes);
        self.each(&self.placed(&hashes), |position, found| {
            let ordinals: Vec<Ordinal> = found.take(limit.saturating_add(1)).collect();
            if !ordinals.is_empty() {
                visit(position, &ordinals);
            }
        });
    }

    /// Calls `visit` for every key, by its position among those placed, with its ordinals (and few others): ascending and
    /// distinct.
    ///
    /// What a key costs is what is read of it, however many carry it or one in the same bucket.
    pub(crate) fn each(&self, placed: &Placed, visit: impl FnMut(usize, &mut Run<'_>)) {
        self.postings.each_at(placed, visit);
    }

    /// Returns how many keys more than `limit` entries carry. Reads every posting.
    pub(crate) fn hot(&self, limit: usize) -> usize {
        self.postings.hot(limit)
    }

    /// Puts the arrays as sections `name.*`.
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) {
        self.postings.store(name, sections);
    }

    /// Returns what was stored under `name`, or `None` if sections are missing or do not fit each other. O(1).
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> {
        let postings = HashedPostings::load(name, stored)?;
        Some(Self { postings })
    }

    /// Returns the bytes of the arrays.
    pub(crate) fn bytes(&self) -> usize {
        self.postings.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Loose;
    use proptest::prelude::{prop_assert_eq, proptest};

    #[test]
    fn a_hot_key_hides_and_delays_none() {
        // Two of three postings are of one key: in its bucket others are still found at once.
        let index = Loose::build(|then| {
            for ordinal in 0..300_000u32 {
                let key = if ordinal % 3 == 0 {
                    u64::from(ordinal)
                } else {
                    1
                };
                then(key, ordinal);
            }
        });
        let keys: Vec<u64> = (0..300_000).step_by(3).collect();
        let mut found = 0;
        index.get(&keys, 3, |position, ordinals| {
            found += 1;
            assert!(ordinals.contains(&(position as u32 * 3)) || ordinals.len() == 4);
        });
        assert_eq!(found, keys.len());
        index.get(&[1], 3, |_, ordinals| assert_eq!(ordinals, [1, 2, 4, 5]));
    }

    proptest! {
        #[test]
        fn equals_linear_scan(
            pairs in proptest::collection::vec((0u64..30, 0u32..60), 0..300),
            keys in proptest::collection::vec(0u64..40, 0..20),
            limit in 0usize..12,
            parts in 1usize..5,
        ) {
            let index = Loose::build_parts(parts, |part, then| {
                for (key, ordinal) in pairs.iter().skip(part).step_by(parts) {
                    then(*key, *ordinal);
                }
            });
            let whole = Loose::build(|then| pairs.iter().for_each(|(key, ordinal)| then(*key, *ordinal)));
            let mut expected = Vec::new();
            for (position, key) in keys.iter().enumerate() {
                let mut ordinals: Vec<u32> = pairs.iter().filter(|pair| pair.0 == *key).map(|pair| pair.1).collect();
                ordinals.sort();
                ordinals.dedup();
                ordinals.truncate(limit + 1);
                expected.extend((!ordinals.is_empty()).then_some((position, ordinals)));
            }
            for index in [&index, &whole] {
                let mut found = Vec::new();
                index.get(&keys, limit, |position, ordinals| found.push((position, ordinals.to_vec())));
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}

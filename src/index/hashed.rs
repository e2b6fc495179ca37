//! Which entries emitted a given hash, in little more than four bytes a posting?
//!
//! No keys are stored. A posting is 32 bits: the ordinal in as many low bits as the segment needs, and in the bits left
//! over a tag cut from the hash; the bucket comes from the other end of the hash. A wrong posting passes with a chance
//! of 2^-tag bits (1 in 4,096 at a million entries, 1 in 256 at 16 million), so an answer may hold false positives and
//! never misses. Two passes over the emitted hashes build it in place, with no list of pairs in between.

use crate::index::Ordinal;
use crate::index::flat::{Array, Sections, Stored, put_array, put_numbers};

/// Hash to ordinals, inexact by design: the caller verifies.
#[derive(Clone, Debug, Default)]
pub(crate) struct HashedPostings {
    /// Position of the first posting of each bucket, and the number of postings at the end.
    buckets: Array<u32>,
    postings: Array<u32>,
    /// Low bits of a posting that hold the ordinal.
    ordinal_bits: u32,
}

impl HashedPostings {
    /// Builds from pairs of a value and its ordinal; `hashes_of` writes a value's hashes into the vector it is given,
    /// and `load` is the mean number of postings a bucket holds.
    ///
    /// `hashes_of` is called three times a value and must answer alike. A segment holds fewer than 2^32 postings.
    pub(crate) fn build<T>(
        entries: &[(T, Ordinal)],
        load: usize,
        hashes_of: impl Fn(&T, &mut Vec<u64>),
    ) -> Self {
        let mut hashes = Vec::new();
        let mut hashes_into = |value: &T, then: &mut dyn FnMut(u64)| {
            hashes.clear();
            hashes_of(value, &mut hashes);
            hashes.iter().for_each(|hash| then(*hash));
        };
        let mut total = 0usize;
        for (value, _) in entries {
            hashes_into(value, &mut |_| total += 1);
        }
        let ordinal_max = entries.iter().map(|(_, ordinal)| *ordinal).max();
        let mut filling = Filling {
            buckets: vec![0; total / load.max(1) + 2],
            postings: vec![0; total],
            mask: ordinal_mask(u32::BITS - ordinal_max.unwrap_or(0).leading_zeros()),
        };
        for (value, _) in entries {
            hashes_into(value, &mut |hash| filling.count(hash));
        }
        filling.accumulate();
        for (value, ordinal) in entries {
            hashes_into(value, &mut |hash| filling.place(hash, *ordinal));
        }
        Self {
            ordinal_bits: filling.mask.count_ones(),
            buckets: filling.buckets.into(),
            postings: filling.postings.into(),
        }
    }

    /// Pushes the ordinals that emitted one of `hashes` (and few others), ascending and distinct.
    ///
    /// All bucket bounds are read first, then one posting of each bucket, then the buckets: reads that wait for nothing
    /// overlap, while a loop whose length is still on its way from memory lets none follow.
    pub(crate) fn get(&self, hashes: &[u64], out: &mut Vec<Ordinal>) {
        let before = out.len();
        let (buckets, all): (&[u32], &[u32]) = (&self.buckets, &self.postings);
        let mask = self.mask();
        let bounds: Vec<(u32, u32, u32)> = hashes
            .iter()
            .filter_map(|hash| {
                let bucket = bucket_of(*hash, buckets.len());
                let pair = buckets.get(bucket..bucket + 2)?;
                Some((*pair.first()?, *pair.last()?, *hash as u32 & !mask))
            })
            .collect();
        let touched = bounds
            .iter()
            .filter_map(|(start, _, _)| all.get(*start as usize));
        std::hint::black_box(touched.fold(0, |sum, posting| sum ^ posting));
        for (start, end, tag) in bounds {
            let postings = all.get(start as usize..end as usize);
            for posting in postings.unwrap_or(&[]) {
                if posting & !mask == tag {
                    out.push(posting & mask);
                }
            }
        }
        sort_tail(out, before);
    }

    /// Puts the arrays as sections `name.*`.
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) {
        put_array(sections, name, "buckets", &self.buckets);
        put_array(sections, name, "postings", &self.postings);
        put_numbers(sections, name, &[u64::from(self.ordinal_bits)]);
    }

    /// Returns what was stored under `name`, or `None` if sections are missing or do not fit each other. O(1).
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> {
        let [ordinal_bits] = stored.numbers(name)?;
        let loaded = Self {
            buckets: stored.array(&format!("{name}.buckets"))?,
            postings: stored.array(&format!("{name}.postings"))?,
            ordinal_bits: u32::try_from(ordinal_bits).ok()?,
        };
        let end = loaded.buckets.last().copied().unwrap_or(0) as usize;
        (loaded.ordinal_bits <= u32::BITS && end == loaded.postings.len()).then_some(loaded)
    }

    /// Returns the bytes of the arrays.
    pub(crate) fn bytes(&self) -> usize {
        (self.buckets.len() + self.postings.len()) * 4
    }

    fn mask(&self) -> u32 {
        ordinal_mask(self.ordinal_bits)
    }
}

/// The arrays while they are filled.
struct Filling {
    /// Postings in each bucket, then where the next posting of each goes.
    buckets: Vec<u32>,
    postings: Vec<u32>,
    mask: u32,
}

impl Filling {
    /// Counts one posting in its bucket.
    fn count(&mut self, hash: u64) {
        let bucket = bucket_of(hash, self.buckets.len());
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
    }

    /// Turns counts into the end of each bucket, from which [`Self::place`] counts down to its start.
    fn accumulate(&mut self) {
        let mut total = 0;
        for bucket in &mut self.buckets {
            total += *bucket;
            *bucket = total;
        }
    }

    /// Writes one posting at the highest free place of its bucket.
    fn place(&mut self, hash: u64, ordinal: Ordinal) {
        let bucket = bucket_of(hash, self.buckets.len());
        let posting = (hash as u32 & !self.mask) | ordinal;
        if let Some(end) = self.buckets.get_mut(bucket) {
            *end = end.saturating_sub(1);
            if let Some(slot) = self.postings.get_mut(*end as usize) {
                *slot = posting;
            }
        }
    }
}

/// Scales the high half of the hash to the number of buckets; the last place of the table holds the end of the last.
fn bucket_of(hash: u64, table_len: usize) -> usize {
    (((hash >> 32) * table_len.saturating_sub(1) as u64) >> 32) as usize
}

/// Returns the bits of a posting that hold the ordinal; the rest of the hash's low half is the tag.
fn ordinal_mask(bits: u32) -> u32 {
    u32::MAX >> (u32::BITS - bits.clamp(1, u32::BITS))
}

/// Orders what was pushed from `start` on and drops repetitions, leaving what was there before.
fn sort_tail(out: &mut Vec<Ordinal>, start: usize) {
    let Some(tail) = out.get_mut(start..) else {
        return;
    };
    tail.sort_unstable();
    let mut kept = start;
    for position in start..out.len() {
        let is_new = kept == start || out.get(position) != out.get(kept - 1);
        if is_new {
            out.swap(kept, position);
            kept += 1;
        }
    }
    out.truncate(kept);
}

/// Spreads a hash over all 64 bits (the finisher of MurmurHash3, public domain, by A. Appleby).
pub(crate) fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::{HashedPostings, mixed};
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn misses_none_and_repeats_none(
            entries in proptest::collection::vec(proptest::collection::vec(0u64..60, 0..6), 0..80),
            probe in proptest::collection::vec(0u64..70, 0..6),
            load in 0usize..9,
        ) {
            let numbered: Vec<_> = entries.iter().cloned().zip(0u32..).collect();
            let index = HashedPostings::build(&numbered, load, |values, out| {
                out.extend(values.iter().map(|value| mixed(*value)));
            });
            let hashes: Vec<u64> = probe.iter().map(|value| mixed(*value)).collect();
            let mut found = vec![7, 7];
            index.get(&hashes, &mut found);
            prop_assert_eq!(&found[..2], &[7, 7]);
            prop_assert!(found[2..].windows(2).all(|pair| pair[0] < pair[1]));
            let expected: Vec<u32> = (0..entries.len() as u32)
                .filter(|entry| entries[*entry as usize].iter().any(|value| probe.contains(value)))
                .collect();
            // With fewer than 128 entries 25 bits of tag and the bucket are compared: no chance agreement is expected.
            prop_assert_eq!(&found[2..], &expected[..]);
        }
    }
}

//! Which entries emitted a given hash, in little more than four bytes a posting?
//!
//! No keys are stored. A posting is 32 bits: the ordinal in as many low bits as the segment needs, and in the bits left
//! over a tag cut from the hash; the bucket comes from the other end of the hash. A wrong posting passes with a chance
//! of 2^-tag bits (1 in 4,096 at a million entries, 1 in 256 at 16 million) for each in its bucket, so an answer may
//! hold false positives and never misses. Within a bucket postings ascend, tag first: a value that a million entries
//! share is one run, found and passed by halving where the bucket is long.

use crate::index::Ordinal;
use crate::index::ahead::ahead;
use crate::index::filling::{bucket_of, fill, ordinal_mask};
use crate::index::flat::{Array, Sections, Stored, put_array, put_numbers};

/// Fewest entries that are worth a part of their own when all cores build.
const PART_LEN: usize = 1 << 12;

/// Postings of a bucket that are counted and not halved: of 16 on average hardly one bucket has more.
const COUNTED_LEN: usize = 40;

/// Parts of a longer bucket whose bounds are asked for: what three halvings look at.
const HALVED_PARTS: usize = 8;

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
    /// `hashes_of` is called twice a value, once more for each quarter of a billion postings, and must answer alike; for few
    /// values it is called once. All cores. A segment holds fewer than 2^32 postings.
    pub(crate) fn build<T: Sync>(
        entries: &[(T, Ordinal)],
        load: usize,
        hashes_of: impl Fn(&T, &mut Vec<u64>) + Sync,
    ) -> Self {
        if entries.len() <= PART_LEN {
            return Self::build_few(entries, load, hashes_of);
        }
        let parts = (rayon::current_num_threads() * 2).min(entries.len() / PART_LEN + 1);
        let part_len = entries.len().div_ceil(parts).max(1);
        Self::build_parts(load, parts, |part, then| {
            let mut hashes = Vec::new();
            for (value, ordinal) in entries.chunks(part_len).nth(part).unwrap_or(&[]) {
                hashes.clear();
                hashes_of(value, &mut hashes);
                hashes.iter().for_each(|hash| then(*hash, *ordinal));
            }
        })
    }

    /// Builds what [`Self::build`] does, of few values: their hashes are held instead of made again.
    fn build_few<T>(
        entries: &[(T, Ordinal)],
        load: usize,
        hashes_of: impl Fn(&T, &mut Vec<u64>),
    ) -> Self {
        let (mut hashes, mut pairs) = (Vec::new(), Vec::new());
        for (value, ordinal) in entries {
            hashes.clear();
            hashes_of(value, &mut hashes);
            pairs.extend(hashes.iter().map(|hash| (*hash, *ordinal)));
        }
        Self::build_parts(load, 1, |_, then| {
            pairs
                .iter()
                .for_each(|(hash, ordinal)| then(*hash, *ordinal));
        })
    }

    /// Builds from what `emit` gives for each of `parts`, as [`fill`] tells.
    pub(crate) fn build_parts(
        load: usize,
        parts: usize,
        emit: impl Fn(usize, &mut dyn FnMut(u64, Ordinal)) + Sync,
    ) -> Self {
        let filled = fill(load, parts, emit);
        Self {
            buckets: filled.buckets.into(),
            postings: filled.postings.into(),
            ordinal_bits: filled.ordinal_bits,
        }
    }

    /// Pushes the ordinals that emitted one of `hashes` (and few others), ascending and distinct, and returns how many of
    /// the hashes were cut: of each only the `limit` smallest ordinals are taken.
    pub(crate) fn get(&self, hashes: &[u64], limit: usize, out: &mut Vec<Ordinal>) -> usize {
        let before = out.len();
        let mut cuts = 0;
        self.each(hashes, |_, found| {
            out.extend(found.by_ref().take(limit));
            cuts += usize::from(found.next().is_some());
        });
        sort_tail(out, before);
        cuts
    }

    /// Calls `visit` for every hash with its position and its ordinals, ascending and distinct.
    pub(crate) fn each(&self, hashes: &[u64], visit: impl FnMut(usize, &mut Run<'_>)) {
        self.each_at(&self.placed(hashes.to_vec()), visit);
    }

    /// Asks for the bounds of the buckets of `hashes`.
    pub(crate) fn ahead(&self, hashes: &[u64]) {
        let buckets: &[u32] = &self.buckets;
        for hash in hashes {
            ahead(buckets, bucket_of(*hash, buckets.len()));
        }
    }

    /// Reads where the postings of `hashes` stand, and asks for them. All bounds are read before the first bucket is: a loop
    /// whose length is still on its way from memory lets no other read follow.
    pub(crate) fn placed(&self, hashes: Vec<u64>) -> Placed {
        let (buckets, postings): (&[u32], &[u32]) = (&self.buckets, &self.postings);
        let bounds = |hash: &u64| {
            let bucket = bucket_of(*hash, buckets.len());
            let bound = |place: usize| buckets.get(place).copied().unwrap_or(0);
            let (start, end) = (bound(bucket), bound(bucket + 1));
            bucket_ahead(postings, start as usize, end as usize);
            (start, end)
        };
        let bounds = hashes.iter().map(bounds).collect();
        Placed { hashes, bounds }
    }

    /// Calls `visit` for every hash, placed in these postings, with its position and its ordinals, ascending and distinct.
    pub(crate) fn each_at(&self, placed: &Placed, mut visit: impl FnMut(usize, &mut Run<'_>)) {
        let postings: &[u32] = &self.postings;
        let mask = ordinal_mask(self.ordinal_bits);
        let placed = placed.hashes.iter().zip(&placed.bounds);
        for (position, (hash, (start, end))) in placed.enumerate() {
            let tag = *hash as u32 & !mask;
            let bucket = postings.get(*start as usize..*end as usize).unwrap_or(&[]);
            let first = first_from(bucket, tag);
            let mut found = Run {
                rest: bucket.get(first..).unwrap_or(&[]).iter(),
                tag,
                mask,
                last: None,
            };
            visit(position, &mut found);
        }
    }

    /// Returns how many tags of a bucket stand for more than `limit` postings. Reads every posting.
    pub(crate) fn hot(&self, limit: usize) -> usize {
        let (buckets, postings): (&[u32], &[u32]) = (&self.buckets, &self.postings);
        let mask = ordinal_mask(self.ordinal_bits);
        let bucket = |bounds: &[u32]| match bounds {
            [start, end] => postings.get(*start as usize..*end as usize).unwrap_or(&[]),
            _ => &[],
        };
        let long = buckets
            .windows(2)
            .map(bucket)
            .filter(|bucket| bucket.len() > limit);
        let runs = long.flat_map(|bucket| bucket.chunk_by(|a, b| a & !mask == b & !mask));
        runs.filter(|run| run.len() > limit).count()
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
}

/// Hashes to look up, and where the postings of each stand in one index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placed {
    hashes: Vec<u64>,
    bounds: Vec<(u32, u32)>,
}

/// The ordinals under one hash, ascending and distinct.
pub(crate) struct Run<'a> {
    rest: std::slice::Iter<'a, u32>,
    tag: u32,
    mask: u32,
    last: Option<Ordinal>,
}

impl Run<'_> {
    /// Whether there are more than `limit` postings; nothing between is read.
    pub(crate) fn is_longer(&self, limit: usize) -> bool {
        let next = self.rest.as_slice().get(limit);
        next.is_some_and(|posting| posting & !self.mask == self.tag)
    }
}

impl Iterator for Run<'_> {
    type Item = Ordinal;

    fn next(&mut self) -> Option<Ordinal> {
        for posting in self.rest.by_ref() {
            if posting & !self.mask != self.tag {
                self.rest = [].iter();
                return None;
            }
            let ordinal = Some(posting & self.mask);
            if self.last != ordinal {
                self.last = ordinal;
                return ordinal;
            }
        }
        None
    }
}

/// Asks for the first and the last line of a bucket; of one that will be halved also for where the first halvings look.
#[inline(always)]
fn bucket_ahead(postings: &[u32], start: usize, end: usize) {
    ahead(postings, start);
    ahead(postings, end.saturating_sub(1));
    let len = end.saturating_sub(start);
    if len > COUNTED_LEN {
        for part in 1..HALVED_PARTS {
            ahead(postings, start + len * part / HALVED_PARTS);
        }
    }
}

/// Place of the first posting of an ordered bucket from `tag` on. Those of a usual bucket are counted, which waits for none of
/// them; halving waits for one after the other.
fn first_from(bucket: &[u32], tag: u32) -> usize {
    match bucket.len() {
        0..=COUNTED_LEN => {
            let before = |all: u32, posting: &u32| all + u32::from(*posting < tag);
            bucket.iter().fold(0, before) as usize
        }
        _ => bucket.partition_point(|posting| *posting < tag),
    }
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
            prop_assert_eq!(index.get(&hashes, usize::MAX, &mut found), 0);
            prop_assert_eq!(&found[..2], &[7, 7]);
            prop_assert!(found[2..].windows(2).all(|pair| pair[0] < pair[1]));
            let expected: Vec<u32> = (0..entries.len() as u32)
                .filter(|entry| entries[*entry as usize].iter().any(|value| probe.contains(value)))
                .collect();
            // With fewer than 128 entries 25 bits of tag and the bucket are compared: no chance agreement is expected.
            prop_assert_eq!(&found[2..], &expected[..]);
        }

        #[test]
        fn a_limit_keeps_the_smallest_of_each(
            values in proptest::collection::vec(0u64..6, 0..200),
            probe in proptest::collection::vec(0u64..7, 0..6),
            limit in 0usize..40,
        ) {
            let numbered: Vec<_> = (0u32..).zip(&values).map(|(ordinal, value)| (*value, ordinal)).collect();
            let index = HashedPostings::build(&numbered, 16, |value, out| out.push(mixed(*value)));
            let hashes: Vec<u64> = probe.iter().map(|value| mixed(*value)).collect();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            let cuts = index.get(&hashes, limit, &mut found);
            let mut expected_cuts = 0;
            for wanted in &probe {
                let all = (0..values.len() as u32).filter(|entry| values[*entry as usize] == *wanted);
                let all: Vec<u32> = all.collect();
                expected_cuts += usize::from(all.len() > limit);
                expected.extend(all.into_iter().take(limit));
            }
            expected.sort();
            expected.dedup();
            prop_assert_eq!((found, cuts), (expected, expected_cuts));
        }
    }
}

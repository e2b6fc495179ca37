//! How are hundreds of millions of postings brought into their buckets quickly?
//!
//! Written straight to its bucket, each posting costs a miss of every cache. So they are dealt into partitions by the
//! first bits of their hash, which is writing along a few thousand lines of memory, and each partition is ordered by
//! itself, in the cache, all cores at once. What is emitted is never held: it is emitted once to be counted and once
//! more for every [`ROUND_MAX`] postings. Within a bucket the postings ascend, so the bytes do not depend on who came first.

use crate::index::Ordinal;
use rayon::prelude::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator,
};

/// Binary logarithm of the number of partitions that are counted; of those, neighbours are put together.
const FINE_BITS: u32 = 12;

/// About so many buckets a partition: at 16 postings each they fill a core's second-level cache.
const PARTITION_BUCKETS: usize = 1 << 14;

/// Number of postings dealt at a time. Each needs two bytes besides the result: half a gigabyte.
const ROUND_MAX: usize = 1 << 28;

/// The arrays of hashed postings.
pub(crate) struct Filled {
    /// Position of the first posting of each bucket, and the number of postings at the end.
    pub(crate) buckets: Vec<u32>,
    /// Tag and ordinal of each posting.
    pub(crate) postings: Vec<u32>,
    /// Low bits of a posting that hold the ordinal.
    pub(crate) ordinal_bits: u32,
}

/// Lays out what `emit` gives for each of `parts`, with `load` postings a bucket in the mean.
///
/// `emit(part, then)` calls `then` with each hash and ordinal of the part; it is called twice or more a part and must
/// answer alike. A pair repeated at once counts once. Fewer than 2^32 postings.
pub(crate) fn fill<E>(load: usize, parts: usize, emit: E) -> Filled
where
    E: Fn(usize, &mut dyn FnMut(u64, Ordinal)) + Sync,
{
    let parts: Vec<Part> = (0..parts)
        .into_par_iter()
        .map(|part| Part::counted(part, &emit))
        .collect();
    let total = parts.iter().map(Part::len).sum();
    let plan = Plan::of(total, load);
    let ordinal_max = parts.iter().map(|part| part.ordinal_max).max();
    let ordinal_bits = u32::BITS - ordinal_max.unwrap_or(0).leading_zeros();
    let mut buckets = vec![0u32; (plan.buckets_each << plan.bits) + 1];
    let mut postings = vec![0u32; total];
    let (mut buckets_left, mut postings_left) = (buckets.as_mut_slice(), postings.as_mut_slice());
    let mut start = 0;
    for partitions in plan.rounds(&parts) {
        let round = Round {
            plan,
            lens: parts
                .iter()
                .map(|part| plan.lens(part, &partitions))
                .collect(),
            first: partitions.start,
            mask: ordinal_mask(ordinal_bits),
        };
        let len = round.lens.iter().flatten().sum();
        let own = buckets_left.split_off_mut(..partitions.len() * plan.buckets_each);
        let taken = own.zip(postings_left.split_off_mut(..len));
        if let Some((buckets, postings)) = taken {
            round.run(start, buckets, postings, &emit);
        }
        start += len;
    }
    if let Some(end) = buckets.last_mut() {
        *end = total as u32;
    }
    Filled {
        buckets,
        postings,
        ordinal_bits,
    }
}

/// Scales the high half of the hash to the number of buckets; the last place of the table holds the end of the last.
pub(crate) fn bucket_of(hash: u64, table_len: usize) -> usize {
    (((hash >> 32) * table_len.saturating_sub(1) as u64) >> 32) as usize
}

/// Returns the bits of a posting that hold the ordinal; in the others stands the tag, from the hash's low half.
pub(crate) fn ordinal_mask(bits: u32) -> u32 {
    u32::MAX >> (u32::BITS - bits.clamp(1, u32::BITS))
}

/// Calls `then` with the pairs of a part, repetitions dropped.
fn distinct<E>(part: usize, emit: &E, mut then: impl FnMut(u64, Ordinal))
where
    E: Fn(usize, &mut dyn FnMut(u64, Ordinal)),
{
    let mut last = None;
    emit(part, &mut |hash, ordinal| {
        let pair = Some((hash, ordinal));
        if pair != last {
            last = pair;
            then(hash, ordinal);
        }
    });
}

/// What one part emits.
struct Part {
    /// Postings by the first bits of their hash.
    counts: Vec<usize>,
    ordinal_max: Ordinal,
}

impl Part {
    fn counted<E>(part: usize, emit: &E) -> Self
    where
        E: Fn(usize, &mut dyn FnMut(u64, Ordinal)),
    {
        let mut counts = vec![0; 1 << FINE_BITS];
        let mut ordinal_max = 0;
        distinct(part, emit, |hash, ordinal| {
            if let Some(count) = counts.get_mut((hash >> (u64::BITS - FINE_BITS)) as usize) {
                *count += 1;
            }
            ordinal_max = ordinal.max(ordinal_max);
        });
        Self {
            counts,
            ordinal_max,
        }
    }

    fn len(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// How hashes are partitioned: a power of two of partitions with equally many buckets, so that no bucket lies across.
#[derive(Clone, Copy)]
struct Plan {
    /// Binary logarithm of the number of partitions.
    bits: u32,
    /// Buckets of a partition, at most 2^16.
    buckets_each: usize,
}

impl Plan {
    fn of(total: usize, load: usize) -> Self {
        let buckets = total / load.max(1) + 1;
        let bits = (buckets / PARTITION_BUCKETS + 1)
            .next_power_of_two()
            .ilog2()
            .min(FINE_BITS);
        let buckets_each = buckets.div_ceil(1 << bits).min(1 << u16::BITS);
        Self { bits, buckets_each }
    }

    fn partition_of(self, hash: u64) -> usize {
        ((hash >> u32::BITS) >> (u32::BITS - self.bits)) as usize
    }

    /// Number of postings a part has in each of these partitions.
    fn lens(self, part: &Part, partitions: &std::ops::Range<usize>) -> Vec<usize> {
        let fine = part.counts.chunks(1 << (FINE_BITS - self.bits));
        let lens = fine.map(|counts| counts.iter().sum());
        lens.skip(partitions.start).take(partitions.len()).collect()
    }

    /// Runs of partitions of at most [`ROUND_MAX`] postings together, or one alone.
    fn rounds(self, parts: &[Part]) -> Vec<std::ops::Range<usize>> {
        let all = 0..1usize << self.bits;
        let mut totals = vec![0usize; all.len()];
        for part in parts {
            for (total, len) in totals.iter_mut().zip(self.lens(part, &all)) {
                *total += len;
            }
        }
        let (mut rounds, mut start, mut sum) = (Vec::new(), 0, 0);
        for (partition, total) in totals.into_iter().enumerate() {
            if partition > start && sum + total > ROUND_MAX {
                rounds.push(start..partition);
                (start, sum) = (partition, 0);
            }
            sum += total;
        }
        rounds.push(start..all.end);
        rounds
    }
}

/// Partitions that are dealt together.
struct Round {
    plan: Plan,
    /// Number of postings by part and partition.
    lens: Vec<Vec<usize>>,
    /// The first of the partitions.
    first: usize,
    mask: u32,
}

/// Where a part writes its next posting of one partition, and its bucket within the partition.
type Cursor<'a> = std::iter::Zip<std::slice::IterMut<'a, u32>, std::slice::IterMut<'a, u16>>;

impl Round {
    /// Writes the round's buckets and postings, of which `start` lie before.
    fn run<E>(&self, start: usize, buckets: &mut [u32], postings: &mut [u32], emit: &E)
    where
        E: Fn(usize, &mut dyn FnMut(u64, Ordinal)) + Sync,
    {
        let mut places = vec![0u16; postings.len()];
        self.deal(postings, &mut places, emit);
        let (mut postings, mut places) = (postings, places.as_mut_slice());
        let mut start = start;
        let mut partitions = Vec::new();
        for (partition, buckets) in buckets.chunks_mut(self.plan.buckets_each).enumerate() {
            let lens = self.lens.iter().filter_map(|lens| lens.get(partition));
            let len = lens.sum();
            let taken = postings
                .split_off_mut(..len)
                .zip(places.split_off_mut(..len));
            partitions.extend(taken.map(|(postings, places)| (start, buckets, postings, places)));
            start += len;
        }
        partitions
            .into_par_iter()
            .for_each(|(start, buckets, postings, places)| {
                order(start as u32, buckets, postings, places);
            });
    }

    /// Writes every posting somewhere into its partition, and beside it its bucket.
    fn deal<E>(&self, mut postings: &mut [u32], mut places: &mut [u16], emit: &E)
    where
        E: Fn(usize, &mut dyn FnMut(u64, Ordinal)) + Sync,
    {
        let mut cursors: Vec<Vec<Cursor<'_>>> = self.lens.iter().map(|_| Vec::new()).collect();
        for partition in 0..self.lens.first().map_or(0, Vec::len) {
            for (lens, cursors) in self.lens.iter().zip(&mut cursors) {
                let len = lens.get(partition).copied().unwrap_or(0);
                let taken = postings
                    .split_off_mut(..len)
                    .zip(places.split_off_mut(..len));
                cursors.extend(taken.map(|(own, places)| own.iter_mut().zip(places.iter_mut())));
            }
        }
        let table_len = (self.plan.buckets_each << self.plan.bits) + 1;
        cursors
            .par_iter_mut()
            .enumerate()
            .for_each(|(part, cursors)| {
                distinct(part, emit, |hash, ordinal| {
                    let partition = self.plan.partition_of(hash);
                    let cursor = cursors.get_mut(partition.wrapping_sub(self.first));
                    if let Some((posting, place)) = cursor.and_then(Iterator::next) {
                        *posting = (hash as u32 & !self.mask) | ordinal;
                        let first_bucket = partition * self.plan.buckets_each;
                        *place = (bucket_of(hash, table_len) - first_bucket) as u16;
                    }
                });
            });
    }
}

/// Orders the postings of one partition by bucket and value, and writes where each bucket begins.
fn order(start: u32, buckets: &mut [u32], postings: &mut [u32], places: &[u16]) {
    for place in places {
        if let Some(count) = buckets.get_mut(usize::from(*place)) {
            *count += 1;
        }
    }
    let mut total = 0;
    for bucket in buckets.iter_mut() {
        let count = *bucket;
        *bucket = total;
        total += count;
    }
    let dealt = postings.to_vec();
    for (posting, place) in dealt.iter().zip(places) {
        if let Some(next) = buckets.get_mut(usize::from(*place)) {
            if let Some(slot) = postings.get_mut(*next as usize) {
                *slot = *posting;
            }
            *next += 1;
        }
    }
    let mut begin = 0;
    for bucket in buckets.iter_mut() {
        let end = *bucket;
        if let Some(own) = postings.get_mut(begin as usize..end as usize) {
            own.sort_unstable();
        }
        *bucket = start + begin;
        begin = end;
    }
}

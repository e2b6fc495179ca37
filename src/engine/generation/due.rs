//! Which segments are built into one, and when.
//!
//! The logarithmic method of Bentley and Saxe 1980: segments of about one size are built into one, so an entry is indexed
//! O(log entries) times and a screen asks O(log entries) segments. Small merges are made at once, large ones in the background
//! (`merger.rs`), and some only at leisure.

use std::cmp::Ordering;

use crate::engine::generation::{Generation, Part, merge_order, rows};
use crate::engine::segment::{KEPT_MIN, Segment};

/// How many times larger segments of the next size class are; and how many of one class are merged, of large ones.
const FANOUT: usize = 4;
/// How many of one class are merged, of those too small to be kept in files: each of them costs every screen as much as a large
/// one that finds little, and indexing its entries twice as often costs less (`benches/README.md`, "Small segments").
const FANOUT_IN_MEMORY: usize = 2;
/// Entries up to which a merge is made by the writer at once: about a millisecond. Larger ones are the merger's.
const MERGED_AT_ONCE: u32 = 64;

/// The logarithm of a number of entries to the base [`FANOUT`].
fn size_class(entries: u32) -> u32 {
    entries.max(1).ilog2() / FANOUT.ilog2()
}

/// How many of a size class are merged.
fn fanout(class: u32) -> usize {
    match class < size_class(KEPT_MIN as u32) {
        true => FANOUT_IN_MEMORY,
        false => FANOUT,
    }
}

impl Generation {
    /// The newest parts that should be built into one: some of one size class and the smaller ones after them, or one that is
    /// mostly withdrawn.
    pub(crate) fn due(&self) -> Option<Vec<Part>> {
        self.due_by(fanout, u32::MAX)
    }

    /// The same where entries come faster than they are asked about: [`FANOUT`] of any class.
    pub(crate) fn due_rarely(&self) -> Option<Vec<Part>> {
        self.due_by(|_| FANOUT, u32::MAX)
    }

    /// The longest run of newest parts that are due, of `entries_max` together: what piled up while another merge was made is
    /// built at once, since of a part that stands before a larger one no run comes any more.
    fn due_by(&self, fanout: impl Fn(u32) -> usize, entries_max: u32) -> Option<Vec<Part>> {
        let (mut class, mut run, mut entries, mut due) = (0, 0, 0, None);
        for (start, part) in self.parts.iter().enumerate().rev() {
            entries += part.live;
            if entries > entries_max {
                break;
            }
            let own = size_class(part.live);
            run = match own.cmp(&class) {
                Ordering::Greater => 1,
                Ordering::Equal => run + 1,
                Ordering::Less => run,
            };
            class = class.max(own);
            if run >= fanout(class) {
                due = self.parts.get(start..);
            }
        }
        let is_wasteful = |part: &&Part| {
            let is_small = part.columns().len() <= MERGED_AT_ONCE as usize;
            part.withdrawn_len() > part.live as usize && !is_small && part.live <= entries_max
        };
        let wasteful = || {
            self.parts
                .iter()
                .find(is_wasteful)
                .map(std::slice::from_ref)
        };
        due.or_else(wasteful).map(<[Part]>::to_vec)
    }

    /// The newest parts that should be built into one at leisure: all that came after as many older ones, so that each part then
    /// holds more than all newer ones together. Parts of more than `entries_max` are passed over.
    pub(crate) fn untidy(&self, entries_max: u32) -> Option<Vec<Part>> {
        let small = self.parts.iter().filter(|part| part.live <= entries_max);
        let small: Vec<&Part> = small.collect();
        let (mut newer, mut start) = (0, None);
        for (place, part) in small.iter().enumerate().rev() {
            if newer > 0 && newer >= part.live {
                start = Some(place);
            }
            newer += part.live;
        }
        let untidy = small.get(start?..)?.iter();
        Some(untidy.map(|part| (*part).clone()).collect())
    }

    /// Drops empty parts and merges the newest ones while that is cheap.
    pub(in crate::engine) fn merge_small(&mut self) {
        self.parts.retain(|part| part.live > 0);
        while let Some(due) = self.due_by(fanout, MERGED_AT_ONCE) {
            let since = due.iter().map(Part::since).min().unwrap_or(self.lsn);
            let merged = Part::of(Segment::build(rows(&merge_order(&due), &due)), since);
            *self = self.replaced(&due, merged);
        }
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests;

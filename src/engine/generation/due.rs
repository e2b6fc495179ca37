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
pub(in crate::engine) mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::{fanout, size_class};
    use crate::account::AccountDraft;
    use crate::background::Background;
    use crate::engine::generation::{Generation, Part};
    use crate::engine::packed::Packed;
    use crate::engine::segment::{KEPT_MIN, Segment};
    use crate::hash::Secret;
    use crate::watchlist::Entry;

    fn entry(number: usize) -> Entry {
        let draft = AccountDraft {
            id: format!("x:{number}"),
            handle: format!("ordinary{number}"),
            ..AccountDraft::default()
        };
        let (background, secret) = (Background::starter(), Secret::new([0; 32]));
        Entry::of(&draft.check().unwrap(), &background, &secret)
    }

    /// A part of `len` entries numbered from `first` on.
    fn part(first: usize, len: usize) -> Part {
        let mut packed = Packed::default();
        (first..first + len).for_each(|number| packed.push(&entry(number)));
        Part::of(Segment::build(packed.sorted()), 0)
    }

    /// Parts of so many entries each.
    pub(in crate::engine) fn view(lens: &[usize]) -> Generation {
        let firsts = lens
            .iter()
            .scan(0, |first, len| Some(std::mem::replace(first, *first + len)));
        let parts = firsts.zip(lens).map(|(first, len)| part(first, *len));
        Generation::of(parts.collect(), Default::default(), 0)
    }

    fn lens(due: Option<Vec<Part>>) -> Vec<u32> {
        due.unwrap_or_default().iter().map(Part::live).collect()
    }

    #[test]
    fn of_segments_in_memory_two_of_a_size_are_built_into_one() {
        assert_eq!(lens(view(&[100, 40, 5, 1]).due()), [0; 0]);
        assert_eq!(lens(view(&[100, 40, 5, 2, 6]).due()), [5, 2, 6]);
        assert_eq!(lens(view(&[100, 40, 20, 9]).due()), [40, 20, 9]);
        // What piled up, at once; of it by the writer what is soon built.
        let piled = view(&[300, 20, 20, 20, 20, 20, 1]);
        assert_eq!(lens(piled.due()), [20, 20, 20, 20, 20, 1]);
        assert_eq!(lens(piled.due_by(fanout, 64)), [20, 20, 20, 1]);
        assert_eq!(lens(piled.due_by(fanout, 40)), [0; 0]);
        assert_eq!(lens(view(&[100, 40, 20, 9]).due_rarely()), [0; 0]);
        assert_eq!(lens(view(&[40, 20, 30, 21]).due_rarely()), [40, 20, 30, 21]);
    }

    #[test]
    fn those_in_files_wait_for_four_of_a_size() {
        let in_file = size_class(KEPT_MIN as u32);
        assert_eq!((fanout(in_file - 1), fanout(in_file)), (2, 4));
    }

    #[test]
    fn at_leisure_large_segments_are_left() {
        let view = view(&[50, 10, 8, 9]);
        assert_eq!(lens(view.untidy(u32::MAX)), [10, 8, 9]);
        assert_eq!(lens(view.untidy(9)), [8, 9]);
        let before_a_large_one = super::tests::view(&[90, 12, 7, 6, 50, 3]);
        assert_eq!(lens(before_a_large_one.untidy(20)), [12, 7, 6, 3]);
        assert_eq!(lens(view.untidy(8)), [0; 0]);
    }

    #[test]
    fn networks_are_counted_as_their_live_entries_are() {
        let of_network = |number: usize| {
            let mut entry = entry(number);
            let name = ["", "north", "south", "east"][number % 4];
            entry.network = (!name.is_empty()).then(|| Arc::from(name));
            entry
        };
        let mut view = Generation::default();
        for first in [0, 90, 130] {
            let mut packed = Packed::default();
            (first..first + 70).for_each(|number| packed.push(&of_network(number)));
            let gone = (first / 2..first).step_by(3).map(|number| entry(number).id);
            view = view.changed(&mut packed, &gone.collect::<Vec<_>>(), 1);
        }
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for part in view.parts() {
            for ordinal in part.ordinals() {
                let network = part.columns().network(ordinal);
                let name = network.and_then(|network| part.columns().network_name(network));
                *counts
                    .entry(name.unwrap_or_default().to_owned())
                    .or_default() += 1;
            }
        }
        assert_eq!(counts.len(), 4);
        assert_eq!(view.networks(), counts);
    }
}

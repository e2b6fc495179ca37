//! Which entries' strings occur inside this string?
//!
//! The hash of every part of the probe is looked up, of those lengths only that some entry has: prefix hashes make each
//! O(1). A part shorter than five characters says nothing. The answer is exact up to hash collisions, which the caller
//! drops by a plain substring test. The other direction (entries that contain the probe) is the dictionary's.

use crate::index::Ordinal;
use crate::index::flat::{Sections, Stored, put_numbers};
use crate::index::hashed::{HashedPostings, Placed, Run, mixed};
use crate::index::spelled::Spelled;

/// Fewest characters of an entry that is looked for inside others.
///
/// Below five, one handle in a few contains some entry by chance.
pub(crate) const LEN_MIN: usize = 5;

/// Mean number of postings in a bucket: one byte of table a posting, few wrong ones to read past.
const LOAD: usize = 4;

/// Index of strings by what contains them. Five bytes an entry.
#[derive(Clone, Debug, Default)]
pub struct Containment {
    wholes: HashedPostings,
    /// Bit `n` is set if an entry has `n + 1` characters.
    lens: u64,
}

/// Those parts of a probe that entries of one index may equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlacedParts {
    /// The place of each among all parts.
    places: Vec<usize>,
    wholes: Placed,
}

impl Containment {
    /// Stores the strings of [`LEN_MIN`] to [`crate::index::LEN_MAX`] characters; shorter and longer ones are never found.
    pub fn build<S: AsRef<str> + Sync>(entries: &[(S, Ordinal)]) -> Self {
        let is_kept = |spelled: &Spelled| spelled.len() >= LEN_MIN && !spelled.is_cut();
        let mut lens = 0;
        for (text, _) in entries {
            let spelled = Spelled::of(text.as_ref());
            if is_kept(&spelled) {
                lens |= 1 << (spelled.len() - 1);
            }
        }
        let wholes = HashedPostings::build(entries, LOAD, |text, out| {
            let spelled = Spelled::of(text.as_ref());
            if is_kept(&spelled) {
                out.push(mixed(spelled.part(0, spelled.len())));
            }
        });
        Self { wholes, lens }
    }

    /// Pushes every entry whose string is part of the probe's first [`crate::index::LEN_MAX`] characters (the whole included), and a
    /// rare false one, ascending and distinct; returns the number of parts that were cut. At most 1,830 look-ups, 28 for a probe of 11 characters.
    ///
    /// Of entries with equal strings only the smallest `limit` ordinals are taken; `usize::MAX` cuts none.
    pub fn contained_in(&self, probe: &str, limit: usize, out: &mut Vec<Ordinal>) -> usize {
        let spelled = Spelled::of(probe);
        let mut hashes = Vec::with_capacity(64);
        for len in (LEN_MIN..=spelled.len()).filter(|len| (self.lens >> (len - 1)) & 1 == 1) {
            for start in 0..=spelled.len() - len {
                hashes.push(mixed(spelled.part(start, start + len)));
            }
        }
        self.wholes.get(&hashes, limit, out)
    }

    /// The parts of the probe that entries may equal, each with its length, to be asked of several indexes; at most 1,830.
    pub(crate) fn parts_of(probe: &str) -> Vec<(usize, u64)> {
        let spelled = Spelled::of(probe);
        let mut parts = Vec::with_capacity(64);
        for len in LEN_MIN..=spelled.len() {
            let starts = 0..=spelled.len() - len;
            parts.extend(starts.map(|start| (len, mixed(spelled.part(start, start + len)))));
        }
        parts.sort_unstable();
        parts.dedup();
        parts
    }

    /// Asks for where the entries that equal one of `parts` stand.
    pub(crate) fn ahead(&self, parts: &[(usize, u64)]) {
        let (_, hashes) = self.possible(parts);
        self.wholes.ahead(&hashes);
    }

    /// Reads where the entries that equal one of `parts` stand, and asks for them.
    pub(crate) fn placed(&self, parts: &[(usize, u64)]) -> PlacedParts {
        let (places, hashes) = self.possible(parts);
        let wholes = self.wholes.placed(hashes);
        PlacedParts { places, wholes }
    }

    /// Place and hash of those of `parts` that are as long as some entry.
    fn possible(&self, parts: &[(usize, u64)]) -> (Vec<usize>, Vec<u64>) {
        let (mut places, mut hashes) = (
            Vec::with_capacity(parts.len()),
            Vec::with_capacity(parts.len()),
        );
        for (place, (len, hash)) in parts.iter().enumerate() {
            if (self.lens >> (len - 1)) & 1 == 1 {
                places.push(place);
                hashes.push(*hash);
            }
        }
        (places, hashes)
    }

    /// Calls `visit` with the place of each part and the entries that equal it, ascending and distinct; what
    /// [`Containment::contained_in`] finds, cut by nothing.
    pub(crate) fn each(&self, parts: &PlacedParts, mut visit: impl FnMut(usize, &mut Run<'_>)) {
        self.wholes.each_at(&parts.wholes, |position, found| {
            if let Some(place) = parts.places.get(position) {
                visit(*place, found);
            }
        });
    }

    /// Puts the arrays as sections `name.*`.
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) {
        self.wholes.store(&format!("{name}.wholes"), sections);
        put_numbers(sections, name, &[self.lens]);
    }

    /// Returns what was stored under `name`, or `None` if sections are missing or do not fit each other. O(1).
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> {
        let [lens] = stored.numbers(name)?;
        let wholes = HashedPostings::load(&format!("{name}.wholes"), stored)?;
        Some(Self { wholes, lens })
    }

    /// Returns the bytes of the arrays.
    pub fn bytes(&self) -> usize {
        self.wholes.bytes() + 8
    }
}

#[cfg(test)]
mod tests {
    use super::Containment;
    use proptest::prelude::{prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn equals_linear_scan(
            strings in proptest::collection::vec("[abя]{0,9}|a{60,70}", 0..40),
            probes in proptest::collection::vec("[abя]{0,20}|a{55,80}", 1..8),
        ) {
            let entries: Vec<(&str, u32)> = strings.iter().map(String::as_str).zip(0u32..).collect();
            let index = Containment::build(&entries);
            for probe in probes {
                let mut found = Vec::new();
                index.contained_in(&probe, usize::MAX, &mut found);
                let cut: String = probe.chars().take(64).collect();
                let expected: Vec<u32> = entries
                    .iter()
                    .filter(|(text, _)| text.chars().count() >= 5 && cut.contains(text))
                    .map(|(_, ordinal)| *ordinal)
                    .collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}

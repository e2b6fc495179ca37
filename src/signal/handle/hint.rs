//! What can a near handle tell at most, before it is read?
//!
//! Two bytes of an entry say how rare its stem is, and a little of its number. They bound what a probe that is near can tell, so that
//! of hundreds of near handles only those are read that may matter.

use xxhash_rust::xxh3::xxh3_64;

use crate::signal::handle::compare::MOVE_BITS;
use crate::signal::handle::{EDIT_BITS, Handle};
use crate::signal::number;
use crate::signal::relation::{Comparison, Relation};

/// Of an entry's handle, kept beside its fingerprint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HandleHint {
    /// Rarity of the stem in bits, rounded up.
    pub(crate) stem_bits: u8,
    /// A byte of the hash of the numeric tail; 0 where there is none.
    number: u8,
}

impl HandleHint {
    /// The two bytes as one number.
    pub(crate) fn pack(self) -> u16 {
        u16::from_le_bytes([self.stem_bits, self.number])
    }

    /// What [`HandleHint::pack`] made.
    pub(crate) fn unpack(packed: u16) -> Self {
        let [stem_bits, number] = packed.to_le_bytes();
        Self { stem_bits, number }
    }
}

/// How an entry's number may relate to the probe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NumberHint {
    /// It is another one.
    Other,
    /// It has none, though the probe's may stand among its letters.
    None,
    /// It is the probe's, or stands among the probe's letters; one in 255 others seems to.
    Same,
}

impl NumberHint {
    /// Every one, in the order of their numbers.
    pub(crate) const ALL: [Self; 3] = [Self::Other, Self::None, Self::Same];
}

/// What numbers can tell of a probe's near handles.
#[derive(Debug)]
pub(crate) struct NumbersAsked {
    /// The probe's own numeric tail and numbers among its letters.
    marks: Vec<u8>,
    /// Bits of the rarest of them.
    bits: f32,
}

impl NumbersAsked {
    /// Of the probe's handle. O(length).
    pub(crate) fn of(probe: &Handle<'_>) -> Self {
        let among = number::known(probe.named());
        let most = among.clone().map(number::bits_max);
        let own = Some(&*probe.number).filter(|number| !number.is_empty());
        Self {
            bits: most.fold(probe.number_bits(), f32::max),
            marks: among.chain(own).map(mark).collect(),
        }
    }

    /// How an entry's number relates to the probe's, as far as its hint tells.
    pub(crate) fn hint(&self, entry: HandleHint) -> NumberHint {
        match entry.number {
            0 => NumberHint::None,
            number if self.marks.contains(&number) => NumberHint::Same,
            _ => NumberHint::Other,
        }
    }

    /// What a near handle tells at most, with what its number adds or takes away.
    pub(crate) fn with(&self, met: Comparison, number: NumberHint) -> Comparison {
        let told = match number {
            NumberHint::Same => self.bits,
            NumberHint::None => 0.0,
            NumberHint::Other => -MOVE_BITS,
        };
        Comparison::new(met.relation, (met.surprise + told).max(0.0))
    }
}

/// A byte of a number's hash, never 0.
fn mark(number: &str) -> u8 {
    (xxh3_64(number.as_bytes()) % 255) as u8 + 1
}

impl Handle<'_> {
    /// What is kept of it beside its fingerprint.
    pub(crate) fn hint(&self) -> HandleHint {
        HandleHint {
            stem_bits: self.stem.bits.ceil() as u8,
            number: match self.number.is_empty() {
                true => 0,
                false => mark(&self.number),
            },
        }
    }

    /// What `edits` edits to an entry's stem of `stem_bits` would suggest, at most.
    pub(crate) fn edited(&self, edits: u8, stem_bits: f32) -> Comparison {
        let bits = stem_bits.min(self.stem.bits - EDIT_BITS * f32::from(edits));
        Comparison::new(Relation::edited(edits.into()), bits.max(0.0))
    }

    /// What finding the core of an entry whose stem has `stem_bits` inside the probe would suggest, at most.
    pub(crate) fn contained_once(stem_bits: f32) -> Comparison {
        Comparison::new(Relation::Contains, stem_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::Background;
    use crate::signal::handle::compare;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    /// What the hint lets a near handle tell, and what comparing tells.
    fn told(probe: &str, entry: &str) -> (f32, Comparison) {
        let background = Background::starter();
        let of = |handle| Handle::of(handle, &background).unwrap();
        let (probe, entry) = (of(probe), of(entry));
        let (numbers, hint) = (NumbersAsked::of(&probe), entry.hint());
        let met = probe.edited(1, hint.stem_bits.into());
        let bound = numbers.with(met, numbers.hint(hint));
        (bound.surprise, compare(&probe, &entry))
    }

    #[test]
    fn a_number_that_came_along_is_known_before_reading() {
        let entry = "zorvanidesk3319";
        let [same, moved, other, none] = [
            "zorvamidesk3319",
            "3319zorvamidesk",
            "zorvamidesk8207",
            "zorvamidesk",
        ]
        .map(|probe| told(probe, entry).0);
        assert!(same > none + 5.0 && moved > other + 5.0);
        assert_eq!(other, none);
        assert!(other + MOVE_BITS <= told("zorvamidesk", "zorvanidesk").0 + 1.0);
    }

    proptest! {
        #[test]
        fn hints_survive_packing(stem_bits in 0u8..=255, number in 0u8..=255) {
            let hint = HandleHint { stem_bits, number };
            prop_assert_eq!(HandleHint::unpack(hint.pack()), hint);
        }

        #[test]
        fn one_edit_tells_no_more_than_its_hint(
            stem in "[a-z]{6,12}",
            at in 0usize..6,
            letter in "[a-z]",
            numbers in ("[0-9]{0,4}", "[0-9]{0,4}"),
        ) {
            let mut edited = stem.clone();
            edited.replace_range(at..at + 1, &letter);
            let (bound, met) = told(&(edited + &numbers.0), &(stem + &numbers.1));
            if met.relation == Relation::Edited1 {
                prop_assert!(met.surprise <= bound + 0.1, "{bound} {met:?}");
            }
        }
    }
}

//! About how much can a near handle tell, before it is read?
//!
//! Two bytes of an entry say how rare its stem is, and a little of its number. Of hundreds of near handles only those are read then
//! that may matter. What a letter replaced tells is never more; a vowel left out, or a number counted on, may tell some bits more.

use xxhash_rust::xxh3::xxh3_64;

use crate::signal::handle::compare::MOVE_BITS;
use crate::signal::handle::{EDIT_BITS, Handle};
use crate::signal::number;
use crate::signal::relation::{Comparison, Relation};

/// Marks of numbers; those of a numeric tail are below, those of a number among the letters are as many higher.
const MARKS: u8 = 127;
/// Numbers of a probe that are looked for: a handle may be written to hold hundreds.
const ASKED_MAX: usize = 8;
/// Most bits that a number tells here.
const NUMBER_BITS_MAX: f32 = 40.0;

/// Of an entry's handle, kept beside its fingerprint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HandleHint {
    /// Rarity of the stem in bits, rounded up.
    pub(crate) stem_bits: u8,
    /// The mark of its numeric tail, or of the first number among its letters; 0 where it has none.
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
    /// It tells nothing: there is none, or it is another one behind the same letters.
    Missing,
    /// It is the probe's, wherever it stands; one in 127 others seems to be.
    Same,
}

impl NumberHint {
    /// Every one, in the order of their numbers.
    pub(crate) const ALL: [Self; 3] = [Self::Other, Self::Missing, Self::Same];
}

/// What numbers can tell of a probe's near handles.
#[derive(Debug)]
pub(crate) struct NumbersAsked {
    /// Of the probe's numeric tail and the numbers among its letters.
    marks: Vec<u8>,
    /// Most bits that one of them tells.
    bits: f32,
    /// Of the probe itself.
    stem_bits: u8,
}

impl NumbersAsked {
    /// Of the probe's handle. O(length).
    pub(crate) fn of(probe: &Handle<'_>) -> Self {
        let own = Some(&*probe.number).filter(|number| !number.is_empty());
        let asked = own.into_iter().chain(number::known(probe.named()));
        let asked = asked.take(ASKED_MAX);
        let bits = asked.clone().map(number::bits_max).fold(0.0, f32::max);
        Self {
            bits: bits.min(NUMBER_BITS_MAX),
            marks: asked.map(mark).collect(),
            stem_bits: probe.hint().stem_bits,
        }
    }

    /// How an entry's number relates to the probe's, as far as its hint tells.
    pub(crate) fn hint(&self, entry: HandleHint) -> NumberHint {
        let is_tail = entry.number <= MARKS;
        let mark = if is_tail {
            entry.number
        } else {
            entry.number - MARKS
        };
        if entry.number > 0 && self.marks.contains(&mark) {
            NumberHint::Same
        } else if entry.number > 0 && is_tail && entry.stem_bits != self.stem_bits {
            NumberHint::Other
        } else {
            NumberHint::Missing
        }
    }

    /// What a near handle suggests with what its number adds or takes away.
    pub(crate) fn with(&self, met: Comparison, number: NumberHint) -> Comparison {
        let told = match number {
            NumberHint::Same => self.bits,
            NumberHint::Missing => 0.0,
            NumberHint::Other => -MOVE_BITS,
        };
        Comparison::new(met.relation, (met.surprise + told).max(0.0))
    }
}

/// A number from 1 to [`MARKS`] that equal numbers share.
fn mark(number: &str) -> u8 {
    (xxh3_64(number.as_bytes()) % u64::from(MARKS)) as u8 + 1
}

impl Handle<'_> {
    /// What is kept of it beside its fingerprint.
    pub(crate) fn hint(&self) -> HandleHint {
        let among = || number::known(self.named()).next();
        let number = match self.number.is_empty() {
            true => among().map_or(0, |number| MARKS + mark(number)),
            false => mark(&self.number),
        };
        HandleHint {
            stem_bits: self.stem.bits.ceil() as u8,
            number,
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
    use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

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
        let [same, moved, other, none] = [
            "zorvamidesk3319",
            "3319zorvamidesk",
            "zorvamidesk8207",
            "zorvamidesk",
        ]
        .map(|probe| told(probe, "zorvanidesk3319").0);
        assert!(same > none + 5.0 && moved > other + 5.0);
        assert_eq!(other, none);
        let missing = told("zorvamidesk3319", "zorvanidesk").0;
        assert!(missing > other + 5.0 && same > missing + 5.0);
        let put_in = told("zorvamidesk3319", "3319zorvanidesk").0;
        assert!(put_in > told("zorvamidesk3319", "8207zorvanidesk").0 + 5.0);
    }

    /// The entry's numbers before and behind its letters, and the probe's.
    fn numbers() -> impl Strategy<Value = [String; 4]> {
        let number = "[0-9]{2,6}";
        prop_oneof![
            number.prop_map(|own| [String::new(), own.clone(), String::new(), own]),
            number.prop_map(|own| [own.clone(), String::new(), String::new(), own]),
            number.prop_map(|own| [String::new(), own.clone(), own, String::new()]),
            number.prop_map(|own| [String::new(), String::new(), String::new(), own]),
            (number, number).prop_map(|(own, other)| [String::new(), own, String::new(), other]),
            Just([const { String::new() }; 4]),
        ]
    }

    proptest! {
        #[test]
        fn hints_survive_packing(stem_bits in 0u8..=255, number in 0u8..=255) {
            let hint = HandleHint { stem_bits, number };
            prop_assert_eq!(HandleHint::unpack(hint.pack()), hint);
        }

        #[test]
        fn one_letter_replaced_tells_no_more_than_its_hint(
            stem in "[a-z]{7,12}",
            at in 1usize..6,
            letter in "[a-z]",
            numbers in numbers(),
        ) {
            let mut edited = stem.clone();
            edited.replace_range(at..at + 1, &letter);
            let [before, behind, probe_before, probe_behind] = numbers;
            let entry = before + &stem + &behind;
            let probe = probe_before + &edited + &probe_behind;
            let (bound, met) = told(&probe, &entry);
            if met.relation == Relation::Edited1 {
                prop_assert!(met.surprise <= bound + 0.1, "{probe} {entry} {bound} {met:?}");
            }
        }
    }
}

//! Numbers of handles: how rare a numeric tail is, and what it tells that a number came along.
//!
//! Whoever takes an old handle up again keeps its number, counts it on, adds to it or puts it elsewhere; a stranger of the same letters has
//! any other. Numbers of one digit are everybody's.

use crate::background::Background;
use crate::hash::feature::{Space, feature};

/// Numbers this near one another were counted on; people who are banned often skip one or two.
const COUNTED_ON_MAX: u64 = 3;
/// Bits of each digit of a numeric tail nobody counted; log2(10) less the years, runs and repeats people prefer.
const DIGIT_BITS: f32 = 2.6;
/// Shortest number that is known again among other digits or at another place, in digits.
const KNOWN_DIGITS_MIN: usize = 2;
/// Bits lost because a number may be the beginning of a longer one by chance.
const PLACES_BITS: f32 = 1.0;

/// Rarity of a numeric tail: as counted, or by its length.
pub(crate) fn rarity(number: &str, background: &Background) -> f32 {
    let key = feature(Space::Number, number.as_bytes());
    let by_len = bits_max(number);
    let counted = background.feature_bits(Space::Number, key);
    counted.map_or(by_len, |bits| bits.min(by_len))
}

/// Bits of the probe's number having come about from the entry's, of rarity `bits`: counted on, or with digits added.
pub(crate) fn followed(probe: &str, entry: &str, bits: f32) -> f32 {
    counted_on(probe, entry).max(taken_along(probe, entry, bits))
}

/// Bits of a number being one of the next after, or before, the other: chance takes any of as many digits.
fn counted_on(probe: &str, entry: &str) -> f32 {
    match (probe.parse::<u64>(), entry.parse::<u64>()) {
        (Ok(new), Ok(old)) if new.abs_diff(old) <= COUNTED_ON_MAX => {
            let near = 2.0 * COUNTED_ON_MAX as f32 + 1.0;
            let all = 10f32.powi(entry.len().min(4) as i32);
            (all / near).log2().max(0.0)
        }
        _ => 0.0,
    }
}

/// Bits of the probe's number being the entry's, of rarity `bits`, with digits added: 3319 and 33192.
fn taken_along(probe: &str, entry: &str, bits: f32) -> f32 {
    match entry.len() >= KNOWN_DIGITS_MIN && probe.starts_with(entry) {
        true => (bits - PLACES_BITS).max(0.0),
        false => 0.0,
    }
}

/// Whether `number` stands somewhere in the letters of another handle, not as a part of a longer number. O(length).
pub(crate) fn stands_in(number: &str, letters: &str) -> bool {
    known(letters).any(|run| run == number)
}

/// The numbers in the letters of a handle that are long enough to be known again.
pub(crate) fn known(letters: &str) -> impl Iterator<Item = &str> + Clone {
    let runs = letters.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| run.len() >= KNOWN_DIGITS_MIN)
}

/// Most bits that a number of this length has.
pub(crate) fn bits_max(number: &str) -> f32 {
    DIGIT_BITS * number.len() as f32
}

/// Whether a handle is another one but for the numbers, one of which stands before or among the letters. `named` is the
/// probe's handle without its numeric tail. O(length).
pub(crate) fn is_placed(named: &str, probe: &str, entry: &str) -> bool {
    fn unnumbered(letters: &str) -> impl Iterator<Item = char> {
        let plain = letters.chars().filter(|c| !c.is_ascii_digit());
        plain.map(|c| c.to_ascii_lowercase())
    }
    stands_inside(named) && unnumbered(probe).eq(unnumbered(entry))
}

/// Whether a number stands before or among the letters of a handle without its numeric tail. O(length).
pub(crate) fn stands_inside(named: &str) -> bool {
    known(named).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::handle::{Handle, compare};
    use crate::signal::relation::Relation;

    #[test]
    fn a_number_that_came_along_tells_a_return_from_a_stranger() {
        let background = Background::starter();
        let of = |handle| Handle::of(handle, &background).unwrap();
        for (entry, kept, other) in [
            ("zorvanidesk3319", "zorvamidesk3319", "zorvamidesk8207"),
            ("zorvani_desk3319", "3319_zorvani_desk", "8207_zorvani_desk"),
            (
                "zorvanidesk3319",
                "zorvanidesk3319_alt",
                "zorvanidesk8207_alt",
            ),
            ("zorvanidesk3319", "zorvanidesk_33192", "zorvanidesk_82072"),
            ("zorvanidesk", "zorvamidesk", "zorvamidesk8207"),
        ] {
            let met = |probe| compare(&of(probe), &of(entry)).surprise;
            assert!(
                met(kept) > met(other) + 5.0,
                "{kept} {} {other} {}",
                met(kept),
                met(other)
            );
        }
    }

    #[test]
    fn a_number_among_the_letters_is_rarer_than_words_swapped() {
        let background = Background::starter();
        let of = |handle| Handle::of(handle, &background).unwrap();
        let met = |probe, entry| compare(&of(probe), &of(entry));
        let entry = "zorvani_makzamak";
        let swapped = met("makzamak_zorvani", entry).surprise;
        for probe in ["2019zorvani_makzamak", "zorvani_2019_makzamak"] {
            let met = met(probe, entry);
            assert_eq!(met.relation, Relation::Renumbered);
            assert!(met.surprise > swapped + 5.0, "{probe}");
        }
        // Whoever changes the separators as well does more than one thing.
        let changed = met("2019zorvani.makzamak", entry);
        assert_eq!(changed.relation, Relation::Reordered);
        let placed = met("2019zorvani_makzamak", entry).surprise;
        // Less where the probe's own number stands at the end, or its words are swapped as well.
        for (probe, entry) in [
            ("zorvani_makzamak77", "zorvani_2019_makzamak"),
            ("2019makzamak_zorvani", entry),
        ] {
            let met = met(probe, entry);
            assert_eq!(met.relation, Relation::Reordered);
            assert!(met.surprise + 8.0 < placed, "{probe}");
        }
    }

    #[test]
    fn a_number_is_known_again() {
        assert!(stands_in("3319", "3319zorvani") && stands_in("3319", "zorvani3319alt"));
        assert!(!stands_in("3319", "zorvani33190") && !stands_in("7", "7zorvani"));
        assert_eq!(taken_along("33192", "3319", 10.0), 9.0);
        assert_eq!(taken_along("3318", "3319", 10.0), 0.0);
        assert!(counted_on("3320", "3319") > 9.0);
        assert_eq!(counted_on("", "3319"), 0.0);
    }
}

//! The old handle as the new display name, and the old name as the new handle.

use crate::signal::handle::Handle;
use crate::signal::name::Name;
use crate::signal::relation::{Comparison, Relation};

/// Shortest text believed to have crossed over, in characters.
const CROSSED_CHARS_MIN: usize = 6;
/// Most bits of an old handle that is written in words: followers and fans write it like that too.
const IN_WORDS_BITS_MAX: f32 = 20.0;
/// Bits lost because either side may have crossed, and because many handles are names.
const CROSSED_BITS: f32 = 2.0;

/// Whether the probe's name is the entry's handle, or its handle the entry's name. O(length).
pub(crate) fn compare(
    (probe_handle, probe_name): (Option<&Handle<'_>>, Option<&Name<'_>>),
    (entry_handle, entry_name): (Option<&Handle<'_>>, Option<&Name<'_>>),
) -> Comparison {
    let mut found = Comparison::MISSING;
    if let (Some(name), Some(handle)) = (probe_name, entry_handle) {
        let mut crossed = same(name.joined(), handle, f32::INFINITY);
        if crossed.relation == Relation::Crossed && name.joined() != handle.whole() {
            // Whoever takes the old handle for a name takes its number along; without it, it is what followers write too.
            crossed.relation = Relation::SharedWords;
        } else if !name.is_solid() && handle.whole() == handle.stem() {
            crossed.surprise = crossed.surprise.min(IN_WORDS_BITS_MAX);
        }
        found = found.or(crossed).or(heard(name, handle));
    }
    if let (Some(handle), Some(name)) = (probe_handle, entry_name) {
        let crossed = same(name.joined(), handle, name.bits());
        found = found.or(crossed).or(heard(name, handle));
    }
    found
}

/// Whether a name in another script sounds like the handle: worth no more than the handle written in words.
fn heard(name: &Name<'_>, handle: &Handle<'_>) -> Comparison {
    match name.heard().zip(handle.sound()) {
        Some((heard, (key, bits))) if heard == key && !handle.is_foreign() => {
            let bits = bits.min(name.bits()).min(IN_WORDS_BITS_MAX);
            Comparison::new(Relation::Transliterated, (bits - CROSSED_BITS).max(0.0))
        }
        _ => Comparison::MISSING,
    }
}

fn same(joined: &str, handle: &Handle<'_>, bits: f32) -> Comparison {
    let long_enough = joined.chars().count() >= CROSSED_CHARS_MIN;
    let met = match joined {
        joined if joined == handle.whole() => handle.bits(),
        joined if joined == handle.stem() => handle.stem_bits(),
        _ => return Comparison::MISSING,
    };
    if !long_enough {
        return Comparison::MISSING;
    }
    Comparison::new(Relation::Crossed, (met.min(bits) - CROSSED_BITS).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::Background;

    #[test]
    fn the_words_of_a_numbered_handle_are_not_the_handle() {
        let background = Background::starter();
        let name = |text| Name::of(text, &background).unwrap();
        let handle = |text| Handle::of(text, &background).unwrap();
        let crossed = |probe: &Name<'_>, entry: &Handle<'_>| {
            compare((None, Some(probe)), (Some(entry), None)).relation
        };
        let entry = handle("makzamak_gold_6109");
        assert_eq!(
            crossed(&name("Makzamak Gold 6109"), &entry),
            Relation::Crossed
        );
        assert_eq!(
            crossed(&name("Makzamak Gold"), &entry),
            Relation::SharedWords
        );
        let bits = |written| {
            let entry = handle("makzamak.gold");
            compare((None, Some(&name(written))), (Some(&entry), None)).surprise
        };
        assert!(bits("makzamak.gold") > bits("Makzamak Gold ❤") + 5.0);
        assert!(bits("makzamakgold") > bits("Makzamakgold") + 5.0);
        let written = name("زوروانی ڈیسک");
        let entry = handle("zorvani_desk");
        assert_eq!(crossed(&written, &entry), Relation::Transliterated);
        assert_eq!(
            crossed(&written, &handle("zorvani_disk_m")),
            Relation::Missing
        );
        let (probe, entry) = (handle("zorvani_desk_22"), name("Zorvani Desk"));
        let back = compare((Some(&probe), None), (None, Some(&entry)));
        assert_eq!(back.relation, Relation::Crossed);
    }
}

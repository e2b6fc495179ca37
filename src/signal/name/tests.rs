//! Names: what is no name, and slips against their definition.

use super::*;
use proptest::prelude::*;

#[test]
fn names_are_not_written_as_handles_are() {
    for handle in [
        "makzamak.gold",
        "Zorv4ni",
        "makzamakgold",
        "MakzamakGold",
        "a_khan",
    ] {
        assert!(is_solid(handle), "{handle}");
    }
    for name in [
        "Shamsulhaq",
        "shamsulhaq",
        "Jean-Pierre",
        "J.R.Khan",
        "Ali Khan_1",
        "علی",
        "",
    ] {
        assert!(!is_solid(name), "{name}");
    }
}

fn word(text: &str) -> NameWord<'_> {
    NameWord {
        text,
        bits: 12.0,
        sound: 0,
        sound_bits: 0.0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn nothing_is_ruled_out_that_is_a_slip(probe in "[a-eяю]{4,9}", edits in prop::collection::vec((0usize..9, "[a-eяю]?"), 0..4)) {
        let mut letters: Vec<String> = probe.chars().map(String::from).collect();
        for (place, letter) in edits {
            let place = place % letters.len();
            letters[place] = letter;
        }
        let entry = letters.concat();
        let lens = [&probe, &entry].map(|text| text.chars().count());
        let near = osa_within(&probe, &entry, 1).is_some()
            || jaro_winkler(&probe, &entry) >= SLIP_JARO_WINKLER;
        let expected = near && lens.iter().all(|len| *len >= SLIP_CHARS_MIN);
        prop_assert_eq!(slip(&word(&probe), &word(&entry)).is_some(), expected);
    }
}

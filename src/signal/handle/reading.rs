//! Is a handle in other letters this Latin one, as it sounds?
//!
//! Consonants alone find the pair ([`crate::normalize::outline`]); they are few, and two strangers in a thousand times a thousand share them. What
//! somebody wrote as it sounds has the vowels too, as far as the script writes them, and in the same places. So both are read letter by letter and laid
//! beside each other, the cheapest way: a cost is -log2 of how often transliterators write a sound otherwise.

use crate::normalize::outline::{is_slip, read, shown_as, writes_vowels};

/// Bits of a consonant that one has and the other has not, or another in its place than transliterators write.
const CONSONANT_BITS: f32 = 5.0;
/// Bits of another vowel, and of one of the same kind: e and i, o and u.
const VOWEL_BITS: f32 = 3.0;
const KIN_BITS: f32 = 0.5;
/// Bits of a vowel that only one of them has; less where the script leaves short vowels out.
const EXTRA_BITS: f32 = 2.0;
const UNWRITTEN_BITS: f32 = 0.7;
/// Bits of an h that only one of them has: kh is one letter or two.
const BREATH_BITS: f32 = 1.0;
/// Letters that are looked at.
const LETTERS_MAX: usize = 64;

/// What it costs to read `foreign`, in whatever script, as the Latin letters of `latin`, in bits: 0 where it is written just as it sounds. O(length squared).
pub(super) fn cost(foreign: &str, latin: &str) -> f32 {
    let own: Vec<u8> = read(foreign).bytes().take(LETTERS_MAX).collect();
    let old = latin.bytes().filter(u8::is_ascii_alphanumeric);
    let old: Vec<u8> = (old.map(|c| c.to_ascii_lowercase()))
        .take(LETTERS_MAX)
        .collect();
    let unwritten = match writes_vowels(foreign) {
        true => EXTRA_BITS,
        false => UNWRITTEN_BITS,
    };
    // The cheapest way to read all letters so far as the first so many of the Latin ones.
    let mut row = vec![0.0f32];
    let mut before = 0;
    for letter in &old {
        let so_far = row.last().copied().unwrap_or_default();
        row.push(so_far + extra(*letter, before, unwritten));
        before = *letter;
    }
    let mut own_before = 0;
    for own_letter in &own {
        let alone = extra(*own_letter, own_before, EXTRA_BITS);
        let mut next = Vec::with_capacity(row.len());
        next.push(row.first().copied().unwrap_or_default() + alone);
        let mut before = 0;
        for ((letter, above), above_before) in old.iter().zip(row.iter().skip(1)).zip(&row) {
            let last = next.last().copied().unwrap_or_default();
            let as_it = above_before + other(*own_letter, *letter);
            let cheapest = as_it
                .min(above + alone)
                .min(last + extra(*letter, before, unwritten));
            next.push(cheapest);
            before = *letter;
        }
        row = next;
        own_before = *own_letter;
    }
    row.last().copied().unwrap_or_default()
}

/// Bits of one letter in the place of another.
fn other(own: u8, old: u8) -> f32 {
    let (own_shown, old_shown) = (shown_as(own), shown_as(old));
    match (kind(own), kind(old)) {
        _ if own == old => 0.0,
        (None, None) if own_shown == old_shown && !own_shown.is_empty() => 0.0,
        (None, None) if is_slip(own_shown, old_shown) => CONSONANT_BITS,
        (Some(own), Some(old)) if own == old => KIN_BITS,
        (Some(_), Some(_)) => VOWEL_BITS,
        // v is u and w.
        (None, Some('o')) if own == b'v' => KIN_BITS,
        (Some('o'), None) if old == b'v' => KIN_BITS,
        _ => 2.0 * CONSONANT_BITS,
    }
}

/// Bits of a letter that has no counterpart, behind `before`.
fn extra(letter: u8, before: u8, vowel: f32) -> f32 {
    match letter {
        _ if letter == before => KIN_BITS,
        b'h' => BREATH_BITS,
        b'v' => EXTRA_BITS,
        b'0'..=b'9' => CONSONANT_BITS,
        _ if kind(letter).is_some() => vowel,
        _ => CONSONANT_BITS,
    }
}

/// Which kind of vowel a letter is, if it may be one.
fn kind(letter: u8) -> Option<char> {
    match letter {
        b'a' => Some('a'),
        b'e' | b'i' | b'y' => Some('i'),
        b'o' | b'u' | b'w' => Some('o'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::cost;

    #[test]
    fn what_is_written_as_it_sounds_costs_little() {
        for (foreign, latin) in [
            ("макзамак_голд", "makzamak_gold"),
            ("مکزمک_گولڈ", "makzamak_gold"),
            ("ماکزاماک", "makzamak"),
            ("मकज़मक_गोल्द", "makzamak_gold"),
            ("ЕленаИсмаилова", "elena_ismailova"),
            ("مهدی", "mahdi"),
        ] {
            let costs = cost(foreign, latin);
            assert!(costs <= 5.0, "{foreign} {latin} {costs}");
        }
    }

    #[test]
    fn strangers_with_the_same_consonants_differ_in_the_rest() {
        for (foreign, latin) in [
            ("Влада_Смирнова", "alessiomariani"),
            ("خواسته_مهدی", "cash.tomada"),
            ("कहांप्रदेश", "weichen_pouvoirs"),
            ("судАлтын", "saeedlavasani"),
            ("ИльсияАфанасьев", "alessiofnes"),
        ] {
            let costs = cost(foreign, latin);
            assert!(costs >= 8.0, "{foreign} {latin} {costs}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_cost(foreign in "\\PC{0,24}", latin in "[ -~]{0,24}") {
            let costs = cost(&foreign, &latin);
            proptest::prop_assert!(costs.is_finite() && costs >= 0.0);
        }
    }
}

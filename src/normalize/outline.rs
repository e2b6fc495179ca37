//! Which consonants does a handle show, in whichever script somebody writes it?
//!
//! Coarser than `sound`, and made letter by letter: what is left when vowels are left out of a Latin handle, or when it is written in Arabic, Cyrillic,
//! Devanagari, Greek or Hebrew letters. Vowels, h, v, w, y and digits are not shown (Arabic writes vowels with the letters of w and y, Devanagari one letter
//! for kh, and nobody agrees about v), f is p, c and q are k, x is ks. Transliterators still disagree about some letters: [`near_outlines`] has those.
//! It is a key, not a distance.

use std::borrow::Cow;

use crate::normalize::romanize::romanized;

/// Consonants that one transliterator writes where another writes the first: soft and hard c, sh and s, Hebrew and Arabic b and p.
const SLIPS: [(char, &str); 10] = [
    ('k', "sg"),
    ('s', "kzt"),
    ('z', "sdj"),
    ('t', "sd"),
    ('d', "tzr"),
    ('g', "kj"),
    ('j', "gz"),
    ('b', "p"),
    ('p', "b"),
    ('r', "d"),
];
/// Doubled consonants that are read either way.
const DOUBLES_MAX: usize = 3;

/// The consonants of a handle or name of any script; empty where it shows none. O(length).
pub(crate) fn outline(text: &str) -> String {
    match text.is_ascii() {
        true => shown(text, true),
        // Arabic and Hebrew write a doubled letter once, and leave the vowel between two equal ones out.
        false => shown(&read(text), writes_vowels(text)),
    }
}

/// A text of any script letter by letter in Latin ones, as handles are read. O(length).
pub(crate) fn read(text: &str) -> String {
    let spelled: String = text.chars().map(heard).collect();
    romanized(&digraphs(&spelled))
}

/// Whether the script of a text writes its short vowels, as Arabic and Hebrew do not.
pub(crate) fn writes_vowels(text: &str) -> bool {
    !text.chars().any(|c| matches!(c, '\u{590}'..='\u{77F}'))
}

/// How an outline shows a lower-case letter; empty for one that it does not show.
pub(crate) fn shown_as(letter: u8) -> &'static str {
    class(char::from(letter))
}

/// Whether one transliterator writes the second consonant where another writes the first, as outlines show them.
pub(crate) fn is_slip(written: &str, other: &str) -> bool {
    let slip = |(one, others): &(char, &str)| {
        written.starts_with(*one) && !other.is_empty() && others.contains(other)
    };
    SLIPS.iter().any(slip)
}

/// Outlines that another transliterator's spelling of the same sounds has: one consonant fewer, or another that is written for it. At most some three
/// for each consonant. O(length squared).
pub(crate) fn near_outlines(outline: &str) -> Vec<String> {
    let mut near = Vec::with_capacity(3 * outline.len());
    for (at, consonant) in outline.char_indices() {
        let (before, from) = outline.split_at(at);
        let after = from.get(consonant.len_utf8()..).unwrap_or_default();
        near.push(format!("{before}{after}"));
        let others = SLIPS.iter().find(|(written, _)| *written == consonant);
        let others = others.map_or("", |(_, others)| others).chars();
        near.extend(others.map(|other| format!("{before}{other}{after}")));
    }
    near.sort_unstable();
    near.dedup();
    near
}

/// Outlines of a handle that leaves vowels out, other than the one it has: a vowel may have stood between two equal consonants that now meet. O(length).
pub(crate) fn undoubled(text: &str) -> Vec<String> {
    let mut outlines = vec![String::new()];
    let (mut before, mut doubles) = (None, 0);
    for c in text.chars() {
        let letter = c.to_ascii_lowercase();
        let class = class(letter);
        let meets = !class.is_empty() && class.chars().next() == before;
        if meets && doubles < DOUBLES_MAX {
            doubles += 1;
            let apart: Vec<String> = outlines.iter().map(|one| format!("{one}{class}")).collect();
            outlines.extend(apart);
        } else if !meets {
            outlines.iter_mut().for_each(|one| one.push_str(class));
        }
        before = class.chars().last();
    }
    let own = outline(text);
    outlines.retain(|one| *one != own);
    outlines
}

/// The consonants of Latin letters; of two equal ones that meet only the first, unless `is_doubled_once` is false.
fn shown(latin: &str, is_doubled_once: bool) -> String {
    let mut shown = String::with_capacity(latin.len());
    let mut before = None;
    for c in latin.chars() {
        let class = class(c.to_ascii_lowercase());
        let meets = is_doubled_once && !class.is_empty() && class.chars().next() == before;
        if !meets {
            shown.push_str(class);
        }
        before = class.chars().last();
    }
    shown
}

/// How a letter is shown; empty for one that is not.
fn class(letter: char) -> &'static str {
    match letter {
        'b' => "b",
        'c' | 'k' | 'q' => "k",
        'd' => "d",
        'f' | 'p' => "p",
        'g' => "g",
        'j' => "j",
        'l' => "l",
        'm' => "m",
        'n' => "n",
        'r' => "r",
        's' => "s",
        't' => "t",
        'x' => "ks",
        'z' => "z",
        _ => "",
    }
}

/// The letter, or a Latin one where names are read otherwise than letter by letter.
fn heard(c: char) -> char {
    match c {
        'х' | 'Х' | 'χ' | 'Χ' => 'h',
        'ц' | 'Ц' | 'щ' | 'Щ' => 's',
        'ж' | 'Ж' | 'ژ' => 'j',
        _ => c,
    }
}

/// Greek begins a word that sounds with b, d or g with two letters; within one they are mostly read one by one.
fn digraphs(text: &str) -> Cow<'_, str> {
    let begins = |(two, one): &(&str, &str)| Some(format!("{one}{}", text.strip_prefix(two)?));
    let read = [("μπ", "b"), ("ντ", "d"), ("γκ", "g")]
        .iter()
        .find_map(begins);
    read.map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_handle_shows_the_same_consonants_in_every_script() {
        for (latin, others) in [
            (
                "makzamak_gold",
                "مکزمک_گولڈ макзамак_голд मकज़मक_गोल्ड מקזמק_גולד",
            ),
            ("Muhammad Hussain", "محمدحسین Мухаммадхуссаин मुहम्मदहुसैन"),
            ("velmintra", "ولمنترا велминтра वेलमिन्त्रा βελμιντρα"),
            ("shahidfarooq", "شاہدفاروق шахидфарук शाहिदफ़ारूक़"),
            ("taxidriver", "ٹاکسیدرایور таксидривер"),
        ] {
            let own = outline(latin);
            for other in others.split(' ') {
                let other = outline(other);
                assert!(
                    other == own || near_outlines(&other).contains(&own),
                    "{latin} {own} {other}"
                );
            }
        }
    }

    #[test]
    fn what_vowels_are_left_out_of_is_found() {
        for (whole, short) in [
            ("zorvanidispatch", "zrvndsptch"),
            ("kaka_mosselaar", "kkmsslr"),
            ("sahara", "shr"),
            ("hussainali", "hssnl"),
        ] {
            let own = outline(whole);
            assert!(
                outline(short) == own || undoubled(short).contains(&own),
                "{whole} {short} {own}"
            );
        }
    }

    #[test]
    fn nothing_is_shown_of_what_has_no_consonants() {
        assert_eq!(outline("aeiou99"), "");
        assert!(near_outlines("").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,24}") {
            let own = outline(&text);
            proptest::prop_assert!(own.is_ascii());
            proptest::prop_assert!(near_outlines(&own).len() <= 4 * own.len());
            proptest::prop_assert!(undoubled(&text).len() < 1 << DOUBLES_MAX);
        }
    }
}

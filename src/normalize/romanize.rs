//! How does a text read in plain Latin letters?
//!
//! The text is folded first, so that Arabic keyboards, marks and digits already agree, then each letter is transliterated alone (`any_ascii`), with two
//! corrections that need the neighbour: the inherent vowel and the nukta of the Indic scripts. Vowels that Arabic does not write are not invented:
//! `محمد` is "mhmd". Names across scripts meet through `sound`, not here.

use any_ascii::any_ascii_char;

use crate::normalize::unicode::fold;

/// The text in lower-case ASCII letters, digits and single spaces. O(length); ASCII text is only folded.
pub(crate) fn romanized(text: &str) -> String {
    let folded = fold(text);
    let mut latin = String::with_capacity(folded.len());
    if folded.is_ascii() {
        push_latin(&folded, &mut latin);
        latin.truncate(latin.trim_end_matches(' ').len());
        return latin;
    }
    let mut chars = folded.chars().peekable();
    while let Some(c) = chars.next() {
        let with_nukta = chars.next_if_eq(&'\u{93C}').and_then(|_| nukta_letter(c));
        push_latin(with_nukta.unwrap_or_else(|| plain_letter(c)), &mut latin);
        if is_indic(c, Role::Consonant) && chars.peek().is_some_and(|next| starts_syllable(*next)) {
            latin.push('a');
        }
    }
    if latin.ends_with(' ') {
        latin.pop();
    }
    latin
}

/// Adds the letters and digits of one transliteration in lower case; a space or dash separates, anything else vanishes.
fn push_latin(letter: &str, latin: &mut String) {
    for c in letter.chars() {
        if c.is_ascii_alphanumeric() {
            latin.push(c.to_ascii_lowercase());
        } else if c.is_ascii_whitespace() && !latin.is_empty() && !latin.ends_with(' ') {
            latin.push(' ');
        }
    }
}

/// The transliteration of one letter, with the letters that `any_ascii` writes otherwise than names do: it leaves alef out, has one s for the three
/// Devanagari sibilants, c for the "ch" of च, and m for a nasal that is n before most letters.
fn plain_letter(c: char) -> &'static str {
    match c {
        'ا' => "a",
        'च' => "ch",
        'श' | 'ष' => "sh",
        '\u{901}' | '\u{902}' | '\u{A70}' => "n",
        _ => any_ascii_char(c),
    }
}

/// Devanagari letters whose nukta makes another consonant: the Perso-Arabic sounds of Urdu names.
fn nukta_letter(c: char) -> Option<&'static str> {
    Some(match c {
        'क' => "q",
        'ख' => "kh",
        'ग' => "gh",
        'ज' => "z",
        'झ' => "zh",
        'फ' => "f",
        'ड' | 'ढ' => "r",
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Consonant,
    Vowel,
    Nasal,
}

/// The Indic blocks from Devanagari to Malayalam repeat one layout every 128 code points, so the offset gives a letter's role.
fn is_indic(c: char, role: Role) -> bool {
    let Some(offset) = u32::from(c).checked_sub(0x900).filter(|o| *o < 0x480) else {
        return false;
    };
    role == match offset % 0x80 {
        0x15..=0x39 | 0x58..=0x5F => Role::Consonant,
        0x04..=0x14 => Role::Vowel,
        0x01..=0x03 => Role::Nasal,
        _ => return false,
    }
}

/// A consonant keeps its inherent vowel before another letter; at the end of a word Hindi and its neighbours drop it.
fn starts_syllable(next: char) -> bool {
    is_indic(next, Role::Consonant) || is_indic(next, Role::Vowel) || is_indic(next, Role::Nasal)
}

#[cfg(test)]
mod tests {
    use super::romanized;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(romanized(text), expected);
    }

    #[test]
    fn scripts_to_latin() {
        check("Bad_Actor 99", "badactor 99");
        check("تحریک طالبان", "thryk talban");
        check("محمّد علی", "mhmd ly");
        check("Хусейн", "khusein");
        check("हिन्दी", "hindi");
        check("खान", "khan");
        check("अज़ीज़", "aziz");
        check("कमल", "kamal");
        check("ਸਿੰਘ", "singh");
        check("गांधी", "gandhi");
        check("🔥 …", "");
    }
}

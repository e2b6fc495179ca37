//! Which characters would a reader take for one another?
//!
//! [`coarse`] is the generous key of the candidate indexes, where every homoglyph, leet digit and separator meets; [`char_match`] judges one pair of
//! letters by UTS #39 prototypes on the original case (folding first would turn a capital I, drawn like l, into i).
//! Prototypes apply to Latin, Greek, Cyrillic, Armenian, Cherokee and shared characters only. It finds nothing across scripts by sound: see `romanize`.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use unicode_security::confusable_detection::skeleton as prototypes;

use crate::normalize::arabic;
use crate::normalize::romanize::romanized;
use crate::normalize::script::{has_prototypes, is_latin};
use crate::normalize::unicode::{
    ascii_digit, fold, is_invisible, is_word_part, plain_latin, visible,
};

/// How two characters agree, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum CharMatch {
    /// One and the same code point.
    Same,
    /// Equal under case folding, or one Arabic letter typed on two keyboards.
    Case,
    /// Drawn alike: equal UTS #39 prototypes, or styled forms (fullwidth, mathematical, accented) of one letter.
    Lookalike,
    /// A digit or sign standing for a letter (4 for a, $ for s).
    Leet,
    /// None of these.
    Different,
}

/// The generous key: the letters, marks and digits of the text with one class for each group of look-alike or leet characters (`i I l 1 | !` are i,
/// `o 0` o, `e 3` e, `a 4 @` a, `s 5 $` s, `t 7` t, `b 8` b; 2, 6 and 9 stay, `rn` and `m` stay apart). `@ $ ! |` count only between letters or digits.
///
/// Greek, Cyrillic, Armenian and Cherokee letters take the class of the Latin letter they are drawn like if the text also has Latin letters, or if
/// *all* its letters have such a twin; a text in real Cyrillic stays Cyrillic. A Greek capital counts as it is drawn (Ν is n, ν is v).
/// Every character of [`visible`] text gives at most one character except full case foldings (ß), so edit distance stays meaningful. O(length).
pub(crate) fn coarse(text: &str) -> String {
    if text.is_ascii() {
        return signs_between_letters(text.chars().filter(|c| !is_invisible(*c)), class);
    }
    let mut letters = signs_between_letters(visible(text).chars(), |c| c);
    if !letters.is_ascii() {
        if is_posing_as_latin(&letters) {
            letters = letters
                .chars()
                .map(|c| latin_twin(c).unwrap_or(c))
                .collect();
        }
        letters = fold(&letters);
        letters.retain(|c| is_word_part(c) || is_leet_sign(c));
    }
    letters.chars().map(class).collect()
}

/// The coarse Latin letters of a text of any script, without spaces: the spelling that rarity is asked for, in which a
/// disguised handle is as common as what it disguises. O(length).
pub(crate) fn spelled(text: &str) -> String {
    let latin = if text.is_ascii() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(romanized(text))
    };
    let letters = latin.chars().filter(char::is_ascii_alphanumeric);
    let mut spelled = String::with_capacity(latin.len());
    spelled.extend(letters.map(class));
    spelled
}

/// Judges two characters as they were typed. Digits and letters: `1` and `l` look alike, `1` and `i` are leet; `0` and `O` look alike, `0` and `o` are
/// leet. O(1).
pub(crate) fn char_match(a: char, b: char) -> CharMatch {
    if a == b {
        return CharMatch::Same;
    }
    if case_folded(a) == case_folded(b) {
        return CharMatch::Case;
    }
    if a.is_ascii() && b.is_ascii() {
        if drawn(a) == drawn(b) {
            return CharMatch::Lookalike;
        }
    } else if fold(&drawn(a)) == fold(&drawn(b)) && !fold(&drawn(a)).is_empty() {
        return CharMatch::Lookalike;
    }
    if is_leet_pair(a, b) || is_leet_pair(b, a) {
        return CharMatch::Leet;
    }
    CharMatch::Different
}

/// The ASCII letter or digit that a character of a look-alike script is drawn like, in the same case; ASCII is its own twin. Where the prototype of one
/// case is not ASCII the other case decides (Cyrillic т by Т, Ш by ш), so that having a twin does not depend on case.
fn latin_twin(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    if !has_prototypes(c) {
        return None;
    }
    ascii_prototype(c).or_else(|| {
        let case_mapper = CaseMapper::new();
        let (lower, upper) = (
            case_mapper.simple_lowercase(c),
            case_mapper.simple_uppercase(c),
        );
        if upper != c {
            ascii_prototype(upper).map(|twin| twin.to_ascii_lowercase())
        } else if lower != c {
            ascii_prototype(lower).map(|twin| twin.to_ascii_uppercase())
        } else {
            None
        }
    })
}

/// The prototype of one character if it is one ASCII letter or digit.
fn ascii_prototype(c: char) -> Option<char> {
    let mut chars = prototypes(c.encode_utf8(&mut [0; 4])).collect::<String>();
    if chars == "rn" {
        return Some('m');
    }
    let last = chars.pop().filter(char::is_ascii_alphanumeric)?;
    chars.is_empty().then_some(last)
}

/// What one visible character is drawn like: its twin, or its prototype. A prototype that transliterates to a Latin letter it is not drawn like (И has
/// the reversed small capital ɴ) is not used, since a later [`fold`] would read that letter.
fn push_prototype(c: char, drawing: &mut String) {
    match c {
        // The ASCII rows of UTS #39 but m, which a reader tells from rn.
        '0' => drawing.push('O'),
        '1' | 'I' | '|' => drawing.push('l'),
        _ if c.is_ascii() || !has_prototypes(c) => drawing.push(c),
        _ => match latin_twin(c) {
            Some(twin) => push_prototype(twin, drawing),
            None => {
                let prototype: String = prototypes(c.encode_utf8(&mut [0; 4])).collect();
                if prototype.chars().any(|p| plain_latin(p) != p) {
                    drawing.push(c);
                } else {
                    drawing.push_str(&prototype);
                }
            }
        },
    }
}

/// What one typed character is drawn like, in its own case.
fn drawn(c: char) -> String {
    let mut drawing = String::new();
    for plain in visible(c.encode_utf8(&mut [0; 4])).chars() {
        push_prototype(plain, &mut drawing);
    }
    drawing
}

/// Whether the letters of non-Latin look-alike scripts in this text stand for Latin ones.
fn is_posing_as_latin(letters: &str) -> bool {
    letters.chars().any(is_latin)
        || letters
            .chars()
            .filter(|c| c.is_alphabetic())
            .all(|c| latin_twin(c).is_some_and(|twin| class(twin).is_ascii_alphabetic()))
}

/// The text's letters, marks and digits, and those runs of leet signs that stand directly between two of them (hu$$ain),
/// each as `written`.
fn signs_between_letters(
    plain: impl Iterator<Item = char>,
    written: impl Fn(char) -> char,
) -> String {
    let mut kept = String::with_capacity(plain.size_hint().1.unwrap_or(0));
    // Length of the text up to the last letter if only leet signs followed it: they stay when a letter comes next.
    let mut settled = None;
    for c in plain {
        if is_word_part(c) {
            kept.push(written(c));
            settled = Some(kept.len());
        } else if settled.is_some() && is_leet_sign(c) {
            kept.push(written(c));
        } else if let Some(len) = settled.take() {
            kept.truncate(len);
        }
    }
    kept.truncate(settled.unwrap_or(kept.len()));
    kept
}

fn is_leet_sign(c: char) -> bool {
    matches!(c, '@' | '$' | '!' | '|')
}

/// The class of a folded character in the generous key.
fn class(c: char) -> char {
    match c.to_ascii_lowercase() {
        '0' => 'o',
        '1' | 'l' | '|' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        other => other,
    }
}

/// Whether `sign` is a digit or sign written for `letter`, or another sign for the same letter.
fn is_leet_pair(sign: char, letter: char) -> bool {
    let (sign, letter) = (ascii_digit(sign), drawn(letter).to_ascii_lowercase());
    let stands_for = match sign {
        '0' => "o",
        '1' | '!' => "il1",
        '3' => "e",
        '4' => "a@",
        '@' => "a4",
        '5' => "s$",
        '$' => "s5",
        '7' => "t",
        '8' => "b",
        _ => return false,
    };
    !letter.is_empty() && stands_for.contains(&letter)
}

/// Simple case folding and the Arabic letter table: one character in, one out.
fn case_folded(c: char) -> char {
    let folded = CaseMapper::new().simple_fold(c);
    arabic::fold(folded).unwrap_or(folded)
}

#[cfg(test)]
mod tests {
    use super::{CharMatch, char_match, coarse};

    #[track_caller]
    fn check_coarse(texts: &[&str]) {
        let keys: Vec<String> = texts.iter().map(|text| coarse(text)).collect();
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
    }

    #[track_caller]
    fn check_pair(a: char, b: char, expected: CharMatch) {
        assert_eq!(char_match(a, b), expected, "{a} {b}");
        assert_eq!(char_match(b, a), expected, "{b} {a}");
    }

    #[test]
    fn coarse_meets() {
        check_coarse(&[
            "Bad_Actor",
            "b4d.act0r",
            "Ваd_Аctоr",
            "BADACTOR",
            "b@dact0r",
        ]);
        check_coarse(&["PayPal", "PаyPаI", "paypa1", "p4yp@l", "PAYPAL"]);
        check_coarse(&["islam", "1s1am", "IsIam", "i5lam", "I$L4M"]);
        check_coarse(&["москва", "МОСКВА", "мос-ква"]);
        check_coarse(&["Hussain", "Нuѕѕаіn", "hu$$ain"]);
        check_coarse(&["B@d\tAct\u{0}or!", "bad actor", "ｂａｄ　ａｃｔｏｒ"]);
        assert_ne!(coarse("modi"), coarse("rnodi"));
        assert_eq!(coarse("хорошо"), coarse("ХОРОШО"));
        assert_eq!(coarse("Дмитрий"), "дмитрии");
        assert_eq!(coarse("@ali $ !"), "aii");
        assert_eq!(coarse("сосо"), "coco");
    }

    #[test]
    fn pairs_of_letters() {
        check_pair('a', 'a', CharMatch::Same);
        check_pair('a', 'A', CharMatch::Case);
        check_pair('ی', 'ي', CharMatch::Case);
        check_pair('٣', '3', CharMatch::Case);
        check_pair('I', 'l', CharMatch::Lookalike);
        check_pair('1', 'l', CharMatch::Lookalike);
        check_pair('i', 'l', CharMatch::Different);
        check_pair('i', '1', CharMatch::Leet);
        check_pair('0', 'O', CharMatch::Lookalike);
        check_pair('0', 'o', CharMatch::Leet);
        check_pair('а', 'a', CharMatch::Lookalike);
        check_pair('А', 'a', CharMatch::Lookalike);
        check_pair('𝓪', 'a', CharMatch::Lookalike);
        check_pair('4', 'a', CharMatch::Leet);
        check_pair('4', '@', CharMatch::Leet);
        check_pair('$', 'S', CharMatch::Leet);
        check_pair('!', 'i', CharMatch::Leet);
        check_pair('x', 'y', CharMatch::Different);
        check_pair('م', 'ن', CharMatch::Different);
    }
}

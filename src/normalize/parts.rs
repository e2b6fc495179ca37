//! A handle taken apart: its letters, its numeric tail, and the core that affixes are put around.
//!
//! Splits by rule (separators, case changes, trailing digits) and by a short table of words people put around a name in
//! several languages. Texts are coarse letters, so that disguises fold away; [`disguise`] says what was folded.

use std::ops::Range;
use std::sync::LazyLock;

use crate::normalize::lookalike::{CharMatch, char_match, coarse};
use crate::normalize::script::is_alphanumeric;
use crate::normalize::unicode::{ascii_digit, visible};

/// Words set before or after a handle to come back under it: "the real ..", "... official", "... backup". Containment
/// finds every other affix; this table only lets the common ones be split off when the rest is short.
const AFFIXES: [&str; 38] = [
    "the", "real", "official", "officiel", "oficial", "resmi", "rasmi", "original", "orig", "true",
    "only", "new", "newer", "naya", "nai", "jadid", "old", "back", "backup", "bak", "again",
    "return", "returns", "reborn", "acc", "account", "acct", "alt", "second", "2nd", "ii", "iii",
    "v2", "its", "iam", "this", "رسمي", "جديد",
];
/// What stays after an affix is split off has at least this many letters; shorter rests are names of anybody.
const CORE_CHARS_MIN: usize = 4;
/// Words of at most this length at either end, set off by a separator, are affixes when enough is left.
const SHORT_AFFIX_CHARS: usize = 3;
/// What stays after a short unknown word is split off has at least this many letters.
const SHORT_AFFIX_REST: usize = 6;
/// Shortest ring of letters that words are looked for in; shorter ones meet by chance.
const RING_CHARS_MIN: usize = 7;
/// Letters of a ring that are looked at: turning takes the square of them.
const RING_CHARS_MAX: usize = 48;
/// Shortest word that is known again beside the initials of others, in characters.
pub(crate) const WORD_CHARS_MIN: usize = 5;
/// Most letters of what may be initials, in characters.
const INITIALS_MAX: usize = 2;
/// Letters up to which the place of a separator is told.
const SEPARATED_MAX: u8 = 0x7f;
static COARSE_AFFIXES: LazyLock<Vec<String>> =
    LazyLock::new(|| AFFIXES.iter().map(|word| coarse(word)).collect());
/// The affixes long enough to be known without a separator.
static GLUED_AFFIXES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let affixes = COARSE_AFFIXES.iter().map(String::as_str);
    affixes
        .filter(|affix| affix.chars().count() > SHORT_AFFIX_CHARS)
        .collect()
});

/// A handle taken apart. All texts are coarse letters (case, look-alikes and leet folded) except `letters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Letters and digits as written: invisible marks and separators are gone, case is kept.
    pub letters: String,
    /// Everything in coarse letters.
    pub whole: String,
    /// The separators before the numeric tail, each behind its place: how many letters stand before it, as a character.
    pub separators: String,
    /// Without the numeric tail.
    pub stem: String,
    /// Without the numeric tail and customary affixes.
    pub core: String,
    /// The numeric tail, ASCII digits.
    pub number: String,
    /// Coarse letters of all words without numbers, from the place on from which they come first in order: the same for
    /// words swapped and for numbers moved or put in. Empty where fewer than [`RING_CHARS_MIN`] letters are left.
    pub ring: String,
    /// The same letters in the order they are written.
    pub unnumbered: String,
    /// Where the longest of several words stands in the stem, in bytes; `None` where it is shorter than [`WORD_CHARS_MIN`].
    pub longest: Option<Range<usize>>,
    /// Whether a word of one or two letters stands beside others, as initials do.
    pub has_initials: bool,
}

impl Parts {
    /// Splits `handle`. Total; an empty handle has empty parts.
    pub(crate) fn of(handle: &str) -> Self {
        let mut visible = visible(handle);
        if !visible.is_ascii() {
            visible = visible.chars().map(ascii_digit).collect();
        }
        let letters: String = visible.chars().filter(|c| is_letter(*c)).collect();
        let trimmed = visible.trim_end_matches(|c: char| !is_letter(c));
        let named = trimmed.trim_end_matches(|c: char| c.is_ascii_digit() || !is_letter(c));
        let (named, number) = match trimmed.strip_prefix(named) {
            Some(tail) if !named.is_empty() => {
                (named, tail.chars().filter(char::is_ascii_digit).collect())
            }
            _ => (trimmed, String::new()),
        };
        let stem = coarse(named);
        let words = words_of(named);
        let core = core_of(&words, &stem);
        let unnumbered = unnumbered(trimmed);
        Self {
            longest: longest_of(&words, &stem),
            has_initials: words
                .iter()
                .any(|word| word.chars().count() <= INITIALS_MAX),
            ring: ring_of(&unnumbered),
            unnumbered,
            separators: separators(named),
            whole: match named == trimmed {
                true => stem.clone(),
                false => coarse(trimmed),
            },
            stem,
            core,
            number,
            letters,
        }
    }
}

/// How the letters of two handles that fold to the same coarse letters differ when each pair is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Disguise {
    /// The same letters, case aside.
    None,
    /// Some letters only look the same.
    Lookalike,
    /// Some digits or signs stand for letters.
    Leet,
    /// Some letters are of another alphabet, or of a fancy one, among letters that are the same.
    Foreign,
    /// Some letters merely share a class (i for l): other letters, in fact.
    Other,
}

/// The strongest difference of two texts of equal coarse letters; texts of unequal length are [`Disguise::Other`].
pub(crate) fn disguise(probe_letters: &str, entry_letters: &str) -> Disguise {
    if probe_letters.chars().count() != entry_letters.chars().count() {
        return Disguise::Other;
    }
    let pairs = || probe_letters.chars().zip(entry_letters.chars());
    let is_foreign =
        |(probe, entry): (char, char)| !probe.is_ascii() && entry.is_ascii_alphabetic();
    let is_mixed = pairs().any(is_foreign) && pairs().any(|(probe, _)| probe.is_ascii_alphabetic());
    let strongest = pairs().map(|(probe, entry)| match char_match(probe, entry) {
        CharMatch::Same | CharMatch::Case => Disguise::None,
        CharMatch::Lookalike if is_mixed && is_foreign((probe, entry)) => Disguise::Foreign,
        CharMatch::Lookalike => Disguise::Lookalike,
        CharMatch::Leet => Disguise::Leet,
        CharMatch::Different => Disguise::Other,
    });
    strongest.max().unwrap_or(Disguise::None)
}

/// True for what a handle is made of: letters, digits and the marks that belong to them.
pub(crate) fn is_letter(c: char) -> bool {
    is_alphanumeric(c) || (!c.is_ascii() && unicode_normalization::char::is_combining_mark(c))
}

/// The separators inside of a handle and where they stand.
fn separators(named: &str) -> String {
    let mut found = String::new();
    let mut place = 0u8;
    for c in named.chars() {
        if is_letter(c) {
            place = place.saturating_add(1).min(SEPARATED_MAX);
        } else {
            found.extend([char::from(place), c]);
        }
    }
    found
}

/// Words of a handle of several: runs between separators and lower-to-upper case changes. A single word is the stem itself.
fn words_of(named: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in named.chars() {
        let starts = !is_letter(c) || (before.is_lowercase() && c.is_uppercase());
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| is_letter(c)) {
            word.push(c);
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    if words.len() < 2 {
        return Vec::new();
    }
    words.iter().map(|word| coarse(word)).collect()
}

/// Where the longest word stands in the stem, where it is long enough; of equally long ones the first.
fn longest_of(words: &[String], stem: &str) -> Option<Range<usize>> {
    let mut longest: Option<Range<usize>> = None;
    let mut start = 0;
    for word in words {
        if word.len() > longest.as_ref().map_or(0, Range::len) {
            longest = Some(start..start + word.len());
        }
        start += word.len();
    }
    let longest = longest.filter(|_| start == stem.len())?;
    let word = stem.get(longest.clone())?;
    (word.chars().count() >= WORD_CHARS_MIN).then_some(longest)
}

/// The coarse letters of `trimmed` without its numbers. A digit alone stays: it may stand for a letter.
fn unnumbered(trimmed: &str) -> String {
    let mut plain = String::with_capacity(trimmed.len());
    for word in trimmed.split(|c: char| !is_letter(c)) {
        let mut rest = word;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(start);
            let end = from
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(from.len());
            let (digits, after) = from.split_at(end);
            plain.push_str(before);
            let is_letter_in_word = digits.len() == 1 && !(before.is_empty() && plain.is_empty());
            if is_letter_in_word && !after.is_empty() {
                plain.push_str(digits);
            }
            rest = after;
        }
        plain.push_str(rest);
    }
    coarse(&plain)
}

/// Letters turned like a ring to where they come first in order (least rotation; Booth 1980): "news_kabul", "kabulnews"
/// and "kabul2024news" are one ring.
fn ring_of(unnumbered: &str) -> String {
    let letters: Vec<char> = unnumbered.chars().take(RING_CHARS_MAX).collect();
    if letters.len() < RING_CHARS_MIN {
        return String::new();
    }
    let turned = |start: usize| {
        let (before, after) = letters.split_at(start.min(letters.len()));
        after.iter().chain(before)
    };
    let first = (0..letters.len()).min_by(|a, b| turned(*a).cmp(turned(*b)));
    turned(first.unwrap_or(0)).collect()
}

fn core_of(words: &[String], stem: &str) -> String {
    let mut rest: &[String] = words;
    loop {
        let left: usize = rest.iter().map(|word| word.chars().count()).sum();
        let splits = |word: &String| {
            let len = word.chars().count();
            let known = left >= len + CORE_CHARS_MIN && COARSE_AFFIXES.contains(word);
            known || (len <= SHORT_AFFIX_CHARS && left >= len + SHORT_AFFIX_REST)
        };
        rest = match rest {
            [first, others @ ..] if !others.is_empty() && splits(first) => others,
            [others @ .., last] if !others.is_empty() && splits(last) => others,
            _ => break,
        };
    }
    let joined = if words.len() == rest.len() {
        stem.to_owned()
    } else {
        rest.concat()
    };
    unglued(&joined).to_owned()
}

/// `joined` without an affix written together with it.
fn unglued(joined: &str) -> &str {
    let long_enough = |rest: &&str| rest.chars().count() > CORE_CHARS_MIN;
    let mut cuts = GLUED_AFFIXES
        .iter()
        .filter_map(|affix| joined.strip_prefix(affix).or(joined.strip_suffix(affix)));
    cuts.find(long_enough).unwrap_or(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_parts(handle: &str, stem: &str, core: &str, number: &str) {
        let parts = Parts::of(handle);
        let found = (
            parts.stem.as_str(),
            parts.core.as_str(),
            parts.number.as_str(),
        );
        assert_eq!(
            found,
            (coarse(stem).as_str(), coarse(core).as_str(), number)
        );
    }

    #[test]
    fn cores() {
        check_parts("example_news", "examplenews", "examplenews", "");
        check_parts("Ex4mple_News2", "examplenews", "examplenews", "2");
        check_parts(
            "example_news_official",
            "examplenewsofficial",
            "examplenews",
            "",
        );
        check_parts(
            "TheRealExampleNews99",
            "therealexamplenews",
            "examplenews",
            "99",
        );
        check_parts("examplenewsbackup", "examplenewsbackup", "examplenews", "");
        check_parts("pk_examplenews", "pkexamplenews", "examplenews", "");
        check_parts("786313", "786313", "786313", "");
        check_parts("name_99_", "name", "name", "99");
        check_parts("ali_khan", "alikhan", "alikhan", "");
        check_parts("", "", "", "");
    }

    #[test]
    fn the_longest_word_is_known() {
        let longest = |handle| {
            let parts = Parts::of(handle);
            parts.longest.map(|place| parts.stem[place].to_owned())
        };
        assert_eq!(longest("makzam_kabul7"), Some("makzam".into()));
        assert_eq!(longest("j.Kabul"), Some("kabui".into()));
        assert_eq!(longest("makzamak"), None);
        assert_eq!(longest("ali_khan"), None);
        assert!(Parts::of("j_kabul").has_initials && !Parts::of("jkabul").has_initials);
    }

    #[test]
    fn swapped_words_and_moved_numbers_are_one_ring() {
        let ring = |handle| Parts::of(handle).ring;
        for other in [
            "kabul_news",
            "NewsKabul",
            "2024.kabulnews",
            "kabul_1999_news7",
            "newskabul",
        ] {
            assert_eq!(ring(other), ring("kabulnews"), "{other}");
        }
        assert_ne!(ring("kabulnews"), ring("kabulnewt"));
        assert_eq!(ring("k4bulnews"), ring("kabulnews"));
        assert_eq!(ring("ali99"), "");
    }

    #[test]
    fn letters_of_one_class_are_not_the_same_letters() {
        assert_eq!(disguise("pili", "pill"), Disguise::Other);
        assert_eq!(disguise("PILL", "pill"), Disguise::None);
        assert_eq!(disguise("pi11", "pill"), Disguise::Lookalike);
        assert_eq!(disguise("p3n", "pen"), Disguise::Leet);
        assert_eq!(disguise("pеn", "pen"), Disguise::Foreign);
    }
}

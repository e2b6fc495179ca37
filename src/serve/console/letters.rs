//! Which letters of two values differ, and which only look the same?
//!
//! Short values are aligned grapheme by grapheme, long ones word by word: the cheapest alignment (Wagner and Fischer,
//! 1974), in which a look-alike costs less than another letter. Invisible characters are never passed on to the
//! page: their code points stand in their place, so that no text can reorder or hide what is around it.

use icu_properties::props::Script;
use icu_properties::{CodePointMapData, PropertyNamesLong};
use unicode_segmentation::UnicodeSegmentation;

use crate::normalize::lookalike::{CharMatch, char_match};
use crate::normalize::unicode::{fold, is_invisible};

/// Longest value that is aligned by graphemes.
const GRAPHEMES_MAX: usize = 128;
/// From so many words on a value is aligned by words, however short.
const PROSE_WORDS_MIN: usize = 5;
/// Longest value that is aligned by words; longer ones are shown unmarked.
const WORDS_MAX: usize = 600;
/// What leaving one out costs.
const GAP: u32 = 3;
/// From here on code points are told no more.
const TITLE_BYTES_MAX: usize = 160;
/// Look-alikes that are spelled out beneath a value.
const SWAPS_MAX: usize = 6;

/// How a piece of a value stands to the other value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The same, but for case.
    Same,
    /// Drawn like its counterpart, and another character.
    Lookalike,
    /// A digit or sign for a letter.
    Leet,
    /// Not in the other value.
    Other,
    /// Has no shape of its own; the text is its code point.
    Unseen,
}

/// Some letters with one mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The letters.
    pub text: String,
    /// How they stand to the other value.
    pub mark: Mark,
    /// Their code points and scripts, where they are marked.
    pub title: String,
}

impl Piece {
    /// True for letters that need no mark.
    pub(crate) fn is_same(&self) -> bool {
        self.mark == Mark::Same
    }

    /// The class of the page.
    pub(crate) fn class(&self) -> &'static str {
        match self.mark {
            Mark::Same => "same",
            Mark::Lookalike => "lookalike",
            Mark::Leet => "leet",
            Mark::Other => "other",
            Mark::Unseen => "unseen",
        }
    }
}

/// A letter and the one it is drawn like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Swap {
    /// The probe's letter, and its code points.
    pub probe: String,
    /// `U+0430 Cyrillic`.
    pub probe_point: String,
    /// The entry's letter.
    pub entry: String,
    /// `U+0061 Latin`.
    pub entry_point: String,
}

/// Two values held against each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Letters {
    /// The probe's value in pieces.
    pub probe: Vec<Piece>,
    /// The entry's value in pieces.
    pub entry: Vec<Piece>,
    /// Look-alikes, each pair once.
    pub swaps: Vec<Swap>,
}

impl Letters {
    /// Aligns two values. O(length of one times length of the other), both bounded.
    pub(crate) fn of(probe: &str, entry: &str) -> Self {
        let (a, b) = (graphemes(probe), graphemes(entry));
        let is_short = a.len().max(b.len()) <= GRAPHEMES_MAX;
        if is_short && !is_prose(probe) && !is_prose(entry) {
            return Self::told(&a, &b, &aligned(&a, &b, grapheme_match));
        }
        let (a, b) = (words(probe), words(entry));
        if a.len().max(b.len()) <= WORDS_MAX {
            return Self::told(&a, &b, &aligned(&a, &b, word_match));
        }
        Self::apart(probe, entry)
    }

    /// Two values that are not held against each other.
    pub(crate) fn apart(probe: &str, entry: &str) -> Self {
        Self {
            probe: plain(probe),
            entry: plain(entry),
            swaps: Vec::new(),
        }
    }

    fn told(a: &[&str], b: &[&str], steps: &[Step]) -> Self {
        let mut told = Self::default();
        let (mut a, mut b) = (a.iter(), b.iter());
        for step in steps {
            match step {
                Step::Pair(found) => {
                    let (Some(probe), Some(entry)) = (a.next(), b.next()) else {
                        continue;
                    };
                    let mark = mark_of(*found);
                    put(&mut told.probe, probe, mark);
                    put(&mut told.entry, entry, mark);
                    if mark == Mark::Lookalike {
                        told.swap(probe, entry);
                    }
                }
                Step::Probe => put_next(&mut told.probe, a.next()),
                Step::Entry => put_next(&mut told.entry, b.next()),
            }
        }
        told
    }

    fn swap(&mut self, probe: &str, entry: &str) {
        let swap = Swap {
            probe: probe.to_owned(),
            probe_point: points(probe),
            entry: entry.to_owned(),
            entry_point: points(entry),
        };
        if self.swaps.len() < SWAPS_MAX && !self.swaps.contains(&swap) {
            self.swaps.push(swap);
        }
    }
}

/// A value with nothing to hold it against: only what is invisible is marked.
pub(crate) fn plain(value: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for grapheme in value.graphemes(true) {
        put(&mut pieces, grapheme, Mark::Same);
    }
    pieces
}

/// Sentences are held against each other by words: letters that two words share by chance mean nothing.
fn is_prose(value: &str) -> bool {
    value.split_whitespace().nth(PROSE_WORDS_MIN - 1).is_some()
}

enum Step {
    Pair(CharMatch),
    Probe,
    Entry,
}

fn graphemes(value: &str) -> Vec<&str> {
    value.graphemes(true).take(GRAPHEMES_MAX + 1).collect()
}

fn words(value: &str) -> Vec<&str> {
    value.split_word_bounds().take(WORDS_MAX + 1).collect()
}

fn grapheme_match(a: &str, b: &str) -> CharMatch {
    if a == b {
        return CharMatch::Same;
    }
    let (mut left, mut right) = (a.chars(), b.chars());
    match (left.next(), right.next(), left.next(), right.next()) {
        (Some(a), Some(b), None, None) => char_match(a, b),
        _ if fold(a) == fold(b) => CharMatch::Lookalike,
        _ => CharMatch::Different,
    }
}

fn word_match(a: &str, b: &str) -> CharMatch {
    match a == b {
        true => CharMatch::Same,
        false if fold(a) == fold(b) => CharMatch::Case,
        false => CharMatch::Different,
    }
}

fn cost(found: CharMatch) -> u32 {
    match found {
        CharMatch::Same | CharMatch::Case => 0,
        CharMatch::Lookalike => 1,
        CharMatch::Leet => 2,
        CharMatch::Different => 2 * GAP - 1,
    }
}

fn mark_of(found: CharMatch) -> Mark {
    match found {
        CharMatch::Same | CharMatch::Case => Mark::Same,
        CharMatch::Lookalike => Mark::Lookalike,
        CharMatch::Leet => Mark::Leet,
        CharMatch::Different => Mark::Other,
    }
}

/// The cheapest way from one sequence to the other.
fn aligned(a: &[&str], b: &[&str], matched: impl Fn(&str, &str) -> CharMatch) -> Vec<Step> {
    let width = b.len() + 1;
    let mut costs = vec![0u32; width * (a.len() + 1)];
    let at = |costs: &[u32], row: usize, column: usize| {
        costs
            .get(row * width + column)
            .copied()
            .unwrap_or(u32::MAX / 2)
    };
    for row in (0..=a.len()).rev() {
        for column in (0..=b.len()).rev() {
            let pair = a
                .get(row)
                .zip(b.get(column))
                .map_or(u32::MAX / 2, |(x, y)| {
                    at(&costs, row + 1, column + 1) + cost(matched(x, y))
                });
            let left = if row < a.len() {
                at(&costs, row + 1, column) + GAP
            } else {
                u32::MAX / 2
            };
            let right = if column < b.len() {
                at(&costs, row, column + 1) + GAP
            } else {
                u32::MAX / 2
            };
            let best = pair.min(left).min(right);
            let end = row == a.len() && column == b.len();
            if let Some(slot) = costs.get_mut(row * width + column) {
                *slot = if end { 0 } else { best };
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut steps = Vec::with_capacity(a.len().max(b.len()));
    while row < a.len() || column < b.len() {
        let here = at(&costs, row, column);
        if let Some((x, y)) = a.get(row).zip(b.get(column)) {
            let found = matched(x, y);
            if here == at(&costs, row + 1, column + 1) + cost(found) {
                steps.push(Step::Pair(found));
                (row, column) = (row + 1, column + 1);
                continue;
            }
        }
        if row < a.len() && here == at(&costs, row + 1, column) + GAP {
            steps.push(Step::Probe);
            row += 1;
        } else {
            steps.push(Step::Entry);
            column += 1;
        }
    }
    steps
}

fn put_next(pieces: &mut Vec<Piece>, text: Option<&&str>) {
    if let Some(text) = text {
        let mark = if text.trim().is_empty() {
            Mark::Same
        } else {
            Mark::Other
        };
        put(pieces, text, mark);
    }
}

/// Appends letters; what is invisible among them by its code point.
fn put(pieces: &mut Vec<Piece>, text: &str, mark: Mark) {
    for grapheme in text.graphemes(true) {
        if grapheme.chars().all(is_invisible) {
            let title = format!("invisible: {}", points(grapheme));
            pieces.push(Piece {
                text: hex(grapheme),
                mark: Mark::Unseen,
                title,
            });
        } else {
            put_seen(pieces, grapheme, mark);
        }
    }
}

/// Appends one letter, to the last piece where the mark is the same.
fn put_seen(pieces: &mut Vec<Piece>, text: &str, mark: Mark) {
    let title = match mark {
        Mark::Same => String::new(),
        _ => points(text),
    };
    match pieces.last_mut().filter(|last| last.mark == mark) {
        Some(last) => {
            last.text.push_str(text);
            if !title.is_empty() && last.title.len() < TITLE_BYTES_MAX {
                last.title = format!("{}, {title}", last.title);
            }
        }
        None => pieces.push(Piece {
            text: text.to_owned(),
            mark,
            title,
        }),
    }
}

fn hex(text: &str) -> String {
    let points: Vec<String> = text
        .chars()
        .map(|c| format!("U+{:04X}", u32::from(c)))
        .collect();
    points.join(" ")
}

/// `U+0430 Cyrillic`, at most eight code points.
fn points(text: &str) -> String {
    let names = PropertyNamesLong::<Script>::new();
    let scripts = CodePointMapData::<Script>::new();
    let point = |c: char| match scripts.get(c) {
        Script::Common | Script::Inherited | Script::Unknown => format!("U+{:04X}", u32::from(c)),
        script => {
            let name = names.get(script).unwrap_or_default().replace('_', " ");
            format!("U+{:04X} {name}", u32::from(c))
        }
    };
    let points: Vec<String> = text.chars().take(8).map(point).collect();
    points.join(" + ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        let piece = |piece: &Piece| match piece.mark {
            Mark::Same => piece.text.clone(),
            _ => format!("[{} {}]", piece.class(), piece.text),
        };
        pieces.iter().map(piece).collect()
    }

    #[track_caller]
    fn check(probe: &str, entry: &str, expected: [&str; 2]) -> Letters {
        let letters = Letters::of(probe, entry);
        assert_eq!([shown(&letters.probe), shown(&letters.entry)], expected);
        letters
    }

    #[test]
    fn what_differs_is_marked_on_both_sides() {
        check(
            "Zorv4ni_Dispatch2",
            "zorvani_dispatch",
            [
                "Zorv[leet 4]ni_Dispatch[other 2]",
                "zorv[leet a]ni_dispatch",
            ],
        );
        check("the.falcon", "falcon", ["[other the.]falcon", "falcon"]);
        check("same", "same", ["same", "same"]);
        check("", "gone", ["", "[other gone]"]);
    }

    #[test]
    fn look_alikes_are_told_by_code_point_and_script() {
        let letters = check(
            "t\u{43e}rmand",
            "tormand",
            ["t[lookalike \u{43e}]rmand", "t[lookalike o]rmand"],
        );
        assert_eq!(letters.probe[1].title, "U+043E Cyrillic");
        let swap = &letters.swaps[0];
        assert_eq!(
            [swap.probe_point.as_str(), swap.entry_point.as_str()],
            ["U+043E Cyrillic", "U+006F Latin"]
        );
    }

    #[test]
    fn nothing_invisible_reaches_the_page() {
        let letters = Letters::of("bad\u{200b}_ac\u{202e}tor", "bad_actor");
        assert_eq!(
            shown(&letters.probe),
            "bad[unseen U+200B]_ac[unseen U+202E]tor"
        );
        assert_eq!(letters.probe[1].title, "invisible: U+200B");
        let prose = "so many words in one text\u{202e} here";
        let told = shown(&Letters::of(prose, prose).probe);
        assert_eq!(told, "so many words in one text[unseen U+202E] here");
    }

    #[test]
    fn long_texts_are_held_against_each_other_by_words() {
        let text = "one two three four five six seven eight nine ten ".repeat(6);
        let other = text.replacen("seven", "SEVEN up", 1);
        let letters = Letters::of(&other, &text);
        assert_eq!(shown(&letters.entry), text);
        assert!(
            shown(&letters.probe).contains("SEVEN [other up]"),
            "{}",
            shown(&letters.probe)
        );
        let endless = "word ".repeat(20_000);
        assert!(
            Letters::of(&endless, "word")
                .probe
                .iter()
                .all(Piece::is_same)
        );
    }

    proptest::proptest! {
        #[test]
        fn no_letter_is_lost(probe in "[a-cа-в0 \u{200b}]{0,12}", entry in "\\PC{0,12}") {
            let letters = Letters::of(&probe, &entry);
            let told: String = letters.probe.iter().map(|piece| match piece.mark {
                Mark::Unseen => String::new(),
                _ => piece.text.clone(),
            }).collect();
            proptest::prop_assert_eq!(told, probe.replace('\u{200b}', ""));
        }
    }
}

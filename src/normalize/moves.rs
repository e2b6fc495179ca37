//! Which moves lead from one handle to another, in the words of a report.
//!
//! The letters of both are aligned; each difference is named. Only run for what is shown: whether two handles are close
//! is not decided here.

use std::fmt;

use crate::normalize::lookalike::{CharMatch, char_match};
use crate::normalize::parts::{Parts, is_letter};
use crate::normalize::unicode::visible;

/// Letters compared when moves are named; longer handles are compared up to here.
const MOVES_CHARS_MAX: usize = 96;

/// One difference between two handles, in the words of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Move {
    /// Invisible marks or fancy letters around the same letters.
    Disguised,
    /// Separators differ.
    Separators,
    /// A look-alike letter: the probe's, the entry's.
    Lookalike(char, char),
    /// A digit or sign for a letter: the probe's, the entry's.
    Leet(char, char),
    /// A letter doubled or undoubled.
    Doubled(char),
    /// Two neighbours swapped.
    Swapped(char, char),
    /// A letter replaced: the probe's, the entry's.
    Replaced(char, char),
    /// Letters added before, inside or after.
    Added(Place, String),
    /// Letters left out before, inside or after.
    Dropped(Place, String),
    /// The numeric tail changed: the entry's, the probe's; either may be empty.
    Renumbered(String, String),
}

/// Where letters were added or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the first common letter.
    Before,
    /// Between common letters.
    Inside,
    /// After the last common letter.
    After,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::Inside => "inside",
            Self::After => "after",
        })
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disguised => f.write_str("invisible marks or fancy letters"),
            Self::Separators => f.write_str("separators changed"),
            Self::Lookalike(probe, entry) => write!(
                f,
                "look-alike {probe} (U+{:04X}) for {entry}",
                u32::from(*probe)
            ),
            Self::Leet(probe, entry) => write!(f, "leetspeak {probe}={entry}"),
            Self::Doubled(letter) => write!(f, "letter {letter} doubled or undoubled"),
            Self::Swapped(first, second) => write!(f, "letters {first}{second} swapped"),
            Self::Replaced(probe, entry) => write!(f, "letter {entry} replaced by {probe}"),
            Self::Added(place, text) => write!(f, "\"{text}\" added {place}"),
            Self::Dropped(place, text) => write!(f, "\"{text}\" left out {place}"),
            Self::Renumbered(from, to) if from.is_empty() => write!(f, "numeric suffix {to} added"),
            Self::Renumbered(from, to) if to.is_empty() => {
                write!(f, "numeric suffix {from} removed")
            }
            Self::Renumbered(from, to) => match (from.parse::<u64>(), to.parse::<u64>()) {
                (Ok(a), Ok(b)) if a.checked_add(1) == Some(b) => {
                    write!(f, "numeric suffix {from} counted up to {to}")
                }
                _ => write!(f, "numeric suffix {from} changed to {to}"),
            },
        }
    }
}

/// The moves that lead from the entry's handle to the probe's. O(length squared); for reports only.
pub(crate) fn moves(probe: &str, entry: &str) -> Vec<Move> {
    let (probe_parts, entry_parts) = (Parts::of(probe), Parts::of(entry));
    let mut found = Vec::new();
    let same_to_reader = visible(probe) == visible(entry);
    if same_to_reader && probe != entry {
        found.push(Move::Disguised);
        return found;
    }
    let probe_letters = letters_before_number(&probe_parts);
    let entry_letters = letters_before_number(&entry_parts);
    found.extend(letter_moves(&probe_letters, &entry_letters));
    if probe_parts.number != entry_parts.number {
        found.push(Move::Renumbered(
            entry_parts.number.clone(),
            probe_parts.number.clone(),
        ));
    }
    let separators =
        |text: &str| -> String { visible(text).chars().filter(|c| !is_letter(*c)).collect() };
    if separators(probe) != separators(entry) {
        found.push(Move::Separators);
    }
    found
}

fn letters_before_number(parts: &Parts) -> Vec<char> {
    let letters = parts.letters.chars().count()
        - parts
            .number
            .chars()
            .count()
            .min(parts.letters.chars().count());
    parts
        .letters
        .chars()
        .take(letters.min(MOVES_CHARS_MAX))
        .collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Pair,
    Swap,
    Add,
    Drop,
}

/// Aligns the letters by optimal string alignment and names each difference.
fn letter_moves(probe: &[char], entry: &[char]) -> Vec<Move> {
    let mut found = Vec::new();
    let (mut added, mut dropped) = (String::new(), String::new());
    let (mut p, mut e) = (0, 0);
    for step in alignment(probe, entry) {
        let (probe_char, entry_char) = (probe.get(p).copied(), entry.get(e).copied());
        match step {
            Step::Add => added.extend(probe_char),
            Step::Drop => dropped.extend(entry_char),
            Step::Pair | Step::Swap => {
                flush(&mut found, &mut added, &mut dropped, (p, e), (probe, entry))
            }
        }
        if let (Some(a), Some(b)) = (probe_char, entry_char) {
            match step {
                Step::Swap => found.push(Move::Swapped(b, a)),
                Step::Pair => found.extend(pair_move(a, b)),
                Step::Add | Step::Drop => {}
            }
        }
        match step {
            Step::Pair => (p, e) = (p + 1, e + 1),
            Step::Swap => (p, e) = (p + 2, e + 2),
            Step::Add => p += 1,
            Step::Drop => e += 1,
        }
    }
    flush(&mut found, &mut added, &mut dropped, (p, e), (probe, entry));
    found.dedup();
    found
}

fn pair_move(probe: char, entry: char) -> Option<Move> {
    match char_match(probe, entry) {
        CharMatch::Same | CharMatch::Case => None,
        CharMatch::Lookalike => Some(Move::Lookalike(probe, entry)),
        CharMatch::Leet => Some(Move::Leet(probe, entry)),
        CharMatch::Different => Some(Move::Replaced(probe, entry)),
    }
}

/// Turns runs of added and dropped letters that end at (`p`, `e`) into moves.
fn flush(
    found: &mut Vec<Move>,
    added: &mut String,
    dropped: &mut String,
    (p, e): (usize, usize),
    (probe, entry): (&[char], &[char]),
) {
    for (run, end, text, is_added) in [
        (&mut *added, p, probe, true),
        (&mut *dropped, e, entry, false),
    ] {
        if run.is_empty() {
            continue;
        }
        let start = end - run.chars().count();
        let place = match (start, end) {
            (0, _) => Place::Before,
            (_, end) if end >= text.len() => Place::After,
            _ => Place::Inside,
        };
        let single = run.chars().next().filter(|_| run.chars().count() == 1);
        let neighbours =
            [start.checked_sub(1), Some(end)].map(|at| at.and_then(|at| text.get(at)).copied());
        let doubled = single.filter(|letter| neighbours.contains(&Some(*letter)));
        let run = std::mem::take(run);
        found.push(match (doubled, is_added) {
            (Some(letter), _) => Move::Doubled(letter),
            (None, true) => Move::Added(place, run),
            (None, false) => Move::Dropped(place, run),
        });
    }
}

/// Cheapest steps from entry to probe. Look-alikes and leet cost less than other letters, so they are paired.
fn alignment(probe: &[char], entry: &[char]) -> Vec<Step> {
    let width = entry.len() + 1;
    let mut cost = vec![0u32; (probe.len() + 1) * width];
    let mut step = vec![Step::Add; cost.len()];
    for (p, e) in (0..=probe.len()).flat_map(|p| (0..=entry.len()).map(move |e| (p, e))) {
        let at = |p: usize, e: usize| cost.get(p * width + e).copied().unwrap_or(u32::MAX / 2);
        let mut best = if p == 0 && e == 0 {
            (0, Step::Pair)
        } else {
            (u32::MAX, Step::Pair)
        };
        if p > 0 {
            best = best.min_by_cost((at(p - 1, e) + 10, Step::Add));
        }
        if e > 0 {
            best = best.min_by_cost((at(p, e - 1) + 10, Step::Drop));
        }
        if let (Some(a), Some(b)) = (
            p.checked_sub(1).and_then(|p| probe.get(p)),
            e.checked_sub(1).and_then(|e| entry.get(e)),
        ) {
            best = best.min_by_cost((at(p - 1, e - 1) + pair_cost(*a, *b), Step::Pair));
            let swapped = p > 1
                && e > 1
                && probe.get(p - 2) == Some(b)
                && entry.get(e - 2) == Some(a)
                && a != b;
            if swapped {
                best = best.min_by_cost((at(p - 2, e - 2) + 10, Step::Swap));
            }
        }
        if let (Some(cell), Some(how)) = (cost.get_mut(p * width + e), step.get_mut(p * width + e))
        {
            (*cell, *how) = best;
        }
    }
    walk_back(&step, probe.len(), entry.len(), width)
}

fn walk_back(step: &[Step], mut p: usize, mut e: usize, width: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    while p > 0 || e > 0 {
        let how = step.get(p * width + e).copied().unwrap_or(Step::Pair);
        let (back_p, back_e) = match how {
            Step::Pair => (1, 1),
            Step::Swap => (2, 2),
            Step::Add => (1, 0),
            Step::Drop => (0, 1),
        };
        (p, e) = (p.saturating_sub(back_p), e.saturating_sub(back_e));
        steps.push(how);
    }
    steps.reverse();
    steps
}

fn pair_cost(probe: char, entry: char) -> u32 {
    match char_match(probe, entry) {
        CharMatch::Same => 0,
        CharMatch::Case => 1,
        CharMatch::Lookalike => 3,
        CharMatch::Leet => 4,
        CharMatch::Different => 12,
    }
}

trait MinByCost {
    fn min_by_cost(self, other: Self) -> Self;
}

impl MinByCost for (u32, Step) {
    fn min_by_cost(self, other: Self) -> Self {
        if other.0 < self.0 { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_moves(probe: &str, entry: &str, expected: &str) {
        let words: Vec<String> = moves(probe, entry).iter().map(Move::to_string).collect();
        assert_eq!(words.join("; "), expected);
    }

    #[test]
    fn each_move_is_named() {
        check_moves(
            "Ex4mple_News2",
            "example_news",
            "leetspeak 4=a; numeric suffix 2 added",
        );
        check_moves(
            "name9930",
            "name9929",
            "numeric suffix 9929 counted up to 9930",
        );
        check_moves("exmaple", "example", "letters am swapped");
        check_moves("exaample", "example", "letter a doubled or undoubled");
        check_moves("example", "examplenews", "\"news\" left out after");
        check_moves("exampletv", "example", "\"tv\" added after");
        check_moves("ex.ample", "ex_ample", "separators changed");
        check_moves("exаmple", "example", "look-alike а (U+0430) for a");
        check_moves(
            "ex\u{200b}ample",
            "example",
            "invisible marks or fancy letters",
        );
    }
}

//! Which numbers of a text are meant to be dialled?
//!
//! Digits are read in groups. International numbers (+ or 00) must be valid in their country's numbering plan (`phonenumber`); local ones need a leading
//! zero or the separators people write phones with, and must not read as dates, prices, addresses or counts.
//! The key is the last nine digits, since nothing says which country a local number belongs to.

use std::ops::Range;

/// Digits a key keeps: what the local and the international form of a mobile number share in most plans.
const KEY_DIGITS: usize = 9;
/// Groups read together; longer rows are tables, not phones.
const GROUPS_MAX: usize = 8;
/// International numbers of one text that are looked up in their plans, valid or not. Each costs up to a millisecond, since `phonenumber`
/// holds the patterns of some ten countries only and makes the others again: hundreds in one bio would keep a core busy for a second.
pub(crate) const PLANS_ASKED_MAX: usize = 16;
/// Digits of an international number (ITU-T E.164), and the fewest that a local one is believed with.
const DIGITS_MAX: usize = 15;
const LOCAL_MIN: usize = 10;

/// A run of digits, its bytes, and what stands before it.
struct Group<'a> {
    digits: &'a str,
    range: Range<usize>,
    /// The text between the previous group and this one; for the first group what stands directly before.
    before: &'a str,
}

/// Byte range and key of each telephone number in a line whose digits are ASCII. O(length). Takes what it asks of numbering plans from
/// `plans_left`, at first [`PLANS_ASKED_MAX`]; once none are left a number is found only where its groups read as a local one.
pub(crate) fn phones_in(line: &str, plans_left: &mut usize) -> Vec<(Range<usize>, String)> {
    let groups = groups(line);
    let mut found = Vec::new();
    let mut first = 0;
    while first < groups.len() {
        let candidates = groups.get(first..).unwrap_or_default();
        let longest = 1 + candidates
            .iter()
            .skip(1)
            .take(GROUPS_MAX - 1)
            .take_while(|group| is_separator(group.before))
            .count();
        let hit = (1..=longest).rev().find_map(|len| {
            let taken = candidates.get(..len)?;
            number_of(line, taken, plans_left).map(|key| (len, taken, key))
        });
        match hit {
            Some((len, taken, key)) => {
                found.extend(span(taken).map(|range| (range, key)));
                first += len;
            }
            None => first += 1,
        }
    }
    found
}

/// The key of a number given as digits only, `None` below seven digits.
pub(crate) fn key_of(digits: &str) -> Option<String> {
    if digits.len() < 7 {
        return None;
    }
    digits
        .get(digits.len().saturating_sub(KEY_DIGITS)..)
        .map(str::to_string)
}

fn groups(line: &str) -> Vec<Group<'_>> {
    let mut found: Vec<Group> = Vec::new();
    let mut from = 0;
    while let Some(offset) = line
        .get(from..)
        .and_then(|rest| rest.find(|c: char| c.is_ascii_digit()))
    {
        let start = from + offset;
        let rest = line.get(start..).unwrap_or_default();
        let len = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        found.push(Group {
            digits: rest.get(..len).unwrap_or_default(),
            range: start..start + len,
            before: line.get(from..start).unwrap_or_default(),
        });
        from = start + len;
    }
    found
}

fn span(groups: &[Group]) -> Option<Range<usize>> {
    Some(groups.first()?.range.start..groups.last()?.range.end)
}

/// What people put between the digits of one number.
fn is_separator(between: &str) -> bool {
    between.chars().count() <= 3
        && between
            .chars()
            .all(|c| " -.()\u{2010}\u{2011}\u{2012}\u{2013}".contains(c))
}

/// The key of these groups if they are one telephone number.
fn number_of(line: &str, groups: &[Group], plans_left: &mut usize) -> Option<String> {
    let range = span(groups)?;
    let before = line.get(..range.start)?.chars().next_back();
    let after = line.get(range.end..)?.chars().next();
    let is_part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if is_part_of_word(before)
        || is_part_of_word(after)
        || matches!(before, Some('$' | '€' | '£' | '#'))
        || after == Some('%')
    {
        return None;
    }
    let digits: String = groups.iter().map(|group| group.digits).collect();
    let first = digits.chars().next()?;
    if digits.len() > DIGITS_MAX + 2 || digits.chars().all(|c| c == first) {
        return None;
    }
    // In right-to-left text the plus is often typed, or moved, behind the number.
    if before == Some('+') || after == Some('+') {
        return international(&digits, plans_left);
    }
    if let Some(number) = digits.strip_prefix("00") {
        return international(number, plans_left);
    }
    let is_local = if first == '0' {
        (LOCAL_MIN..=12).contains(&digits.len())
            && groups.iter().skip(1).all(|group| group.digits.len() > 1)
    } else {
        (LOCAL_MIN..=DIGITS_MAX).contains(&digits.len()) && is_dialled(groups)
    };
    (is_local && !reads_otherwise(groups))
        .then(|| key_of(&digits))
        .flatten()
}

fn international(digits: &str, plans_left: &mut usize) -> Option<String> {
    if !(8..=DIGITS_MAX).contains(&digits.len()) {
        return None;
    }
    *plans_left = plans_left.checked_sub(1)?;
    let number = phonenumber::parse(None, format!("+{digits}")).ok()?;
    number.is_valid().then(|| key_of(digits)).flatten()
}

/// Whether a number without any prefix is grouped as phones are: two to five groups, a last one of four digits or more, and a dash or bracket, or a
/// long last group.
fn is_dialled(groups: &[Group]) -> bool {
    let Some(last) = groups.last() else {
        return false;
    };
    let is_marked = groups
        .iter()
        .skip(1)
        .any(|group| group.before.chars().any(|c| c != ' ' && c != '.'));
    (2..=5).contains(&groups.len())
        && last.digits.len() >= 4
        && (is_marked || last.digits.len() >= 6)
}

/// Whether the groups are a date, a span of years, a price or an IP address.
fn reads_otherwise(groups: &[Group]) -> bool {
    let is_year = |group: &Group| {
        group.digits.len() == 4
            && (group.digits.starts_with("19") || group.digits.starts_with("20"))
    };
    let years = groups.iter().filter(|group| is_year(group)).count();
    let short = groups
        .iter()
        .filter(|group| group.digits.len() <= 2)
        .count();
    let has_dots = groups.len() > 2 && groups.iter().skip(1).all(|group| group.before == ".");
    (years >= 1 && short >= 2)
        || years >= 2
        || (has_dots && groups.iter().all(|group| group.digits.len() <= 3))
}

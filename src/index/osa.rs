//! How many edits apart are two strings, if not more than a few?
//!
//! Optimal string alignment: insertion, deletion, substitution and the swap of two neighbours count 1, and no part is
//! edited twice. Up to 64 characters a column of the edit table is a pair of words of vertical differences, and the next
//! one some twenty operations on them (Hyyrö 2003, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit
//! Distances"). The dictionary's fuzzy search walks strings letter by letter and turns back often: its state is a
//! [`Band`], the cells within `max` of the diagonal, and so are longer strings compared. Both mean the same distance.

/// Widest band kept on the stack; beyond it the full table of `strsim` is used.
pub(crate) const BAND_MAX: usize = 7;

/// Number of cells of a band of `BAND_MAX`.
const CELLS: usize = 2 * BAND_MAX + 1;

/// Larger than any distance within a band.
const FAR: u8 = 99;

/// Longest string in characters whose differences fit a word.
const WORD_LEN: usize = 64;

/// Returns the distance of two strings in characters if it is at most `max`. No allocation up to 64 characters.
///
/// Up to 64 characters the product of the lengths in single steps, above it O(max x length); beyond `max` 7 the full
/// table. At `max` 2 and 12 characters 70 ns for near pairs and 50 ns for others (a band takes 210 and 150), in other
/// scripts 100 and 90 (band 500 and 440).
pub fn osa_within(a: &str, b: &str, max: usize) -> Option<usize> {
    if max > BAND_MAX {
        return Some(strsim::osa_distance(a, b)).filter(|distance| *distance <= max);
    }
    if a.is_ascii() && b.is_ascii() {
        return within(a.as_bytes(), b.as_bytes(), max);
    }
    let (mut a_letters, mut b_letters) = (['\0'; WORD_LEN], ['\0'; WORD_LEN]);
    if let Some((a, b)) = spelled(a, &mut a_letters).zip(spelled(b, &mut b_letters)) {
        return within(a, b, max);
    }
    let a_chars: Vec<char> = a.chars().collect();
    let b_chars: Vec<char> = b.chars().collect();
    within(&a_chars, &b_chars, max)
}

/// Writes the characters of a string; `None` if there are more than fit.
fn spelled<'a>(text: &str, letters: &'a mut [char; WORD_LEN]) -> Option<&'a [char]> {
    let mut len = 0;
    for letter in text.chars() {
        *letters.get_mut(len)? = letter;
        len += 1;
    }
    letters.get(..len)
}

/// Compares two strings once what they share at both ends is cut off, which leaves the distance.
fn within<T: Copy + Eq + Into<u32>>(a: &[T], b: &[T], max: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > max {
        return None;
    }
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(front..)?, b.get(front..)?);
    let ends = a.iter().rev().zip(b.iter().rev());
    let back = ends.take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(..a.len() - back)?, b.get(..b.len() - back)?);
    let (a_set, b_set) = (letter_set(a), letter_set(b));
    let missing = (a_set & !b_set)
        .count_ones()
        .max((b_set & !a_set).count_ones());
    if missing as usize > max {
        return None;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    match short.len() {
        0 => Some(long.len()),
        1..=WORD_LEN => by_words(short, long, max),
        _ => banded(short, long, max),
    }
}

/// Returns which letters occur, several sharing a bit: a letter the other string lacks takes an edit of its own.
fn letter_set<T: Copy + Into<u32>>(letters: &[T]) -> u64 {
    let bits = letters
        .iter()
        .map(|letter| 1u64 << ((*letter).into() % u64::BITS));
    bits.fold(0, |set, bit| set | bit)
}

/// Runs the columns of the edit table of a pattern of 1 to 64 characters, a column for each character of `text`.
///
/// Bit `i` of `rising` says that cell `i + 1` is one more than cell `i` in the column, of `falling` that it is one less.
fn by_words<T: Copy + Eq>(pattern: &[T], text: &[T], max: usize) -> Option<usize> {
    let last = 1u64 << (pattern.len() - 1);
    let (mut rising, mut falling) = (u64::MAX, 0u64);
    let (mut diagonal, mut matches_before) = (0u64, 0u64);
    let mut distance = pattern.len();
    for (place, letter) in text.iter().enumerate() {
        let mut matches = 0u64;
        for (bit, pattern_letter) in pattern.iter().enumerate() {
            matches |= u64::from(pattern_letter == letter) << bit;
        }
        let swapped = ((!diagonal & matches) << 1) & matches_before;
        diagonal = ((matches & rising).wrapping_add(rising) ^ rising) | matches | falling | swapped;
        let right_rising = falling | !(diagonal | rising);
        let right_falling = diagonal & rising;
        distance += usize::from(right_rising & last != 0);
        distance -= usize::from(right_falling & last != 0);
        let shifted = (right_rising << 1) | 1;
        rising = (right_falling << 1) | !(diagonal | shifted);
        falling = shifted & diagonal;
        matches_before = matches;
        // Each character left can bring the last cell down by one.
        if distance > max + (text.len() - place - 1) {
            return None;
        }
    }
    (distance <= max).then_some(distance)
}

/// Feeds `a` through the band over `b`.
fn banded<T: Copy + Eq>(a: &[T], b: &[T], max: usize) -> Option<usize> {
    let mut band = Band::start(max, b.len());
    for letter in a {
        band = band.step(*letter, b);
        if !band.can_match() {
            return None;
        }
    }
    band.distance(b.len())
}

/// One row of the edit table, and what a swap needs of the row before: cell `t` stands for the probe's first
/// `consumed + t - max` characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Band<T> {
    cells: [u8; CELLS],
    cells_before: [u8; CELLS],
    last: Option<T>,
    consumed: usize,
    max: usize,
}

impl<T: Copy + Eq> Band<T> {
    /// Returns the row before any character, over a probe of `probe_len` characters.
    pub(crate) fn start(max: usize, probe_len: usize) -> Self {
        let max = max.min(BAND_MAX);
        let mut cells = [FAR; CELLS];
        for (distance, cell) in cells.iter_mut().skip(max).take(max + 1).enumerate() {
            if distance <= probe_len {
                *cell = distance as u8;
            }
        }
        Self {
            cells,
            cells_before: [FAR; CELLS],
            last: None,
            consumed: 0,
            max,
        }
    }

    /// Returns the row after one more character.
    pub(crate) fn step(&self, letter: T, probe: &[T]) -> Self {
        let consumed = self.consumed + 1;
        let mut cells = [FAR; CELLS];
        let mut left = FAR;
        let olds = self
            .cells
            .iter()
            .zip(self.cells.iter().skip(1).chain(&[FAR]));
        let rows = cells.iter_mut().zip(olds).zip(&self.cells_before);
        for (place, ((cell, (diagonal, above)), swapped)) in rows.take(2 * self.max + 1).enumerate()
        {
            let Some(column) = (consumed + place).checked_sub(self.max) else {
                continue;
            };
            if column > probe.len() {
                break;
            }
            let at = |back: usize| {
                column
                    .checked_sub(back)
                    .and_then(|at| probe.get(at))
                    .copied()
            };
            let mut best = left.saturating_add(1).min(above.saturating_add(1));
            if column > 0 {
                best = best.min(diagonal + u8::from(at(1) != Some(letter)));
                if column > 1 && at(2) == Some(letter) && self.last.is_some() && at(1) == self.last
                {
                    best = best.min(swapped + 1);
                }
            }
            *cell = best.min(FAR);
            left = *cell;
        }
        Self {
            cells,
            cells_before: self.cells,
            last: Some(letter),
            consumed,
            max: self.max,
        }
    }

    /// Returns the distance to the whole probe if it is at most the band's maximum.
    pub(crate) fn distance(&self, probe_len: usize) -> Option<usize> {
        let place = (probe_len + self.max).checked_sub(self.consumed)?;
        let distance = usize::from(*self.cells.get(place)?);
        (distance <= self.max).then_some(distance)
    }

    /// Says whether any continuation can still end within the maximum: from this row, or by a swap from the one before.
    pub(crate) fn can_match(&self) -> bool {
        let here = self.cells.iter().any(|cell| usize::from(*cell) <= self.max);
        let swapped = self
            .cells_before
            .iter()
            .any(|cell| usize::from(*cell) < self.max);
        here || swapped
    }
}

#[cfg(test)]
mod tests {
    use super::{BAND_MAX, banded, osa_within};
    use proptest::prelude::{ProptestConfig, Strategy, prop_assert_eq, proptest};

    /// Strings of up to 140 characters, and a copy with some of them changed.
    fn pair() -> impl Strategy<Value = (String, String)> {
        let edits = proptest::collection::vec((0usize..4, 0usize..140), 0..8);
        let text = "[abя]{0,20}|[abc]{50,140}|[a-d\u{1f600}]{55,75}";
        (text, edits).prop_map(|(text, edits)| {
            let mut letters: Vec<char> = text.chars().collect();
            for (kind, place) in edits {
                let place = place % (letters.len() + 1);
                match kind {
                    0 => letters.insert(place, 'a'),
                    1 if place < letters.len() => drop(letters.remove(place)),
                    2 if place + 1 < letters.len() => letters.swap(place, place + 1),
                    _ if place < letters.len() => letters[place] = 'b',
                    _ => {}
                }
            }
            (text, letters.into_iter().collect())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn equals_the_full_table(a in "[abc]{0,12}", b in "[abc]{0,12}", max in 0usize..12) {
            let distance = strsim::osa_distance(&a, &b);
            prop_assert_eq!(osa_within(&a, &b, max), (distance <= max).then_some(distance));
        }

        #[test]
        fn equals_the_full_table_in_any_script(a in "[aбع\u{1f600}]{0,10}", b in "[aбعx]{0,10}", max in 0usize..9) {
            let distance = strsim::osa_distance(&a, &b);
            prop_assert_eq!(osa_within(&a, &b, max), (distance <= max).then_some(distance));
        }

        #[test]
        fn equals_the_full_table_at_any_length((a, b) in pair(), max in 0usize..9) {
            let distance = strsim::osa_distance(&a, &b);
            let expected = (distance <= max).then_some(distance);
            prop_assert_eq!(osa_within(&a, &b, max), expected);
            if max <= BAND_MAX {
                let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
                prop_assert_eq!(banded(&a, &b, max), expected.filter(|_| a.len().abs_diff(b.len()) <= max));
            }
        }
    }
}

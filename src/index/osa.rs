//! How many edits apart are two strings, if not more than a few?
//!
//! Optimal string alignment: insertion, deletion, substitution and the swap of two neighbours count 1, and no part is
//! edited twice. Only the cells within `max` of the diagonal are kept, one [`Band`] a character: it is the inner loop
//! of verification and the state of the dictionary's fuzzy search, so that both mean the same distance.

/// Widest band kept on the stack; beyond it the full table of `strsim` is used.
pub(crate) const BAND_MAX: usize = 7;

/// Number of cells of a band of `BAND_MAX`.
const CELLS: usize = 2 * BAND_MAX + 1;

/// Larger than any distance within a band.
const FAR: u8 = 99;

/// Returns the distance of two strings in characters if it is at most `max`. O(max x length), no allocation for ASCII.
///
/// Beyond `max` 7 it costs the product of the lengths.
pub fn osa_within(a: &str, b: &str, max: usize) -> Option<usize> {
    if max > BAND_MAX {
        return Some(strsim::osa_distance(a, b)).filter(|distance| *distance <= max);
    }
    if a.is_ascii() && b.is_ascii() {
        return banded(a.as_bytes(), b.as_bytes(), max);
    }
    let a_chars: Vec<char> = a.chars().collect();
    let b_chars: Vec<char> = b.chars().collect();
    banded(&a_chars, &b_chars, max)
}

/// Feeds `a` through the band over `b`, once what they share at both ends is cut off (which leaves the distance).
fn banded<T: Copy + Eq>(a: &[T], b: &[T], max: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > max {
        return None;
    }
    let front = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(front..)?, b.get(front..)?);
    let ends = a.iter().rev().zip(b.iter().rev());
    let back = ends.take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(..a.len() - back)?, b.get(..b.len() - back)?);
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
    use super::osa_within;
    use proptest::prelude::{prop_assert_eq, proptest};

    proptest! {
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
    }
}

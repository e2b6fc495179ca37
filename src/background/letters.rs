//! How probable a string of letters is: an interpolated character trigram model.
//!
//! It answers "how many ordinary handles would look like this by chance" for strings that nobody counted. Counts are
//! kept for 26 letters, 10 digits, a word boundary and one symbol for every other character; probabilities of
//! trigrams are smoothed with bigrams (Jelinek and Mercer 1980), so that no string is impossible.

/// a-z, 0-9, boundary, other.
pub(crate) const SYMBOLS: usize = 38;
const BOUNDARY: usize = 36;
const OTHER: usize = 37;
/// How many observations a bigram estimate is worth against the trigram's own counts.
const SMOOTHING: f32 = 8.0;
/// Bits of a character outside a-z and 0-9 beyond what the model says: it stands for hundreds of letters.
const OTHER_BITS: f32 = 5.0;

/// Counts of character trigrams, `[a][b][c]` flattened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LetterCounts(pub(crate) Vec<u32>);

impl Default for LetterCounts {
    fn default() -> Self {
        Self(vec![0; SYMBOLS * SYMBOLS * SYMBOLS])
    }
}

impl LetterCounts {
    /// Counts the trigrams of `text`, boundaries included.
    pub(crate) fn observe(&mut self, text: &str) {
        let (mut before, mut last) = (BOUNDARY, BOUNDARY);
        for symbol in text.chars().map(symbol).chain([BOUNDARY]) {
            if let Some(count) = self.0.get_mut(at(before, last, symbol)) {
                *count = count.saturating_add(1);
            }
            (before, last) = (last, symbol);
        }
    }
}

/// Cost in bits of each character after the two before it.
#[derive(Debug, Clone)]
pub(crate) struct LetterModel {
    bits: Vec<f32>,
}

impl LetterModel {
    /// Turns counts into smoothed costs. O(38^3).
    pub(crate) fn of(counts: &LetterCounts) -> Self {
        let count = |a, b, c| counts.0.get(at(a, b, c)).copied().unwrap_or(0) as f32;
        let mut pairs = vec![0.0f32; SYMBOLS * SYMBOLS];
        let mut singles = [0.0f32; SYMBOLS];
        for b in 0..SYMBOLS {
            for c in 0..SYMBOLS {
                let pair: f32 = (0..SYMBOLS).map(|a| count(a, b, c)).sum();
                pairs[b * SYMBOLS + c] = pair;
                singles[c] += pair;
            }
        }
        let total: f32 = singles.iter().sum();
        let mut bits = vec![0.0; SYMBOLS * SYMBOLS * SYMBOLS];
        for b in 0..SYMBOLS {
            let after_b: f32 = pairs[b * SYMBOLS..(b + 1) * SYMBOLS].iter().sum();
            let given_b: Vec<f32> = (0..SYMBOLS)
                .map(|c| {
                    let single = (singles[c] + 1.0) / (total + SYMBOLS as f32);
                    (pairs[b * SYMBOLS + c] + SMOOTHING * single) / (after_b + SMOOTHING)
                })
                .collect();
            for a in 0..SYMBOLS {
                let after_ab: f32 = (0..SYMBOLS).map(|c| count(a, b, c)).sum();
                for (c, given) in given_b.iter().enumerate() {
                    let m = (count(a, b, c) + SMOOTHING * given) / (after_ab + SMOOTHING);
                    bits[at(a, b, c)] = -m.log2();
                }
            }
        }
        Self { bits }
    }

    /// Cost of each character of `text` given the two before it; the start counts as a boundary. O(1) a character.
    pub(crate) fn costs(&self, text: &str) -> impl Iterator<Item = f32> {
        let (mut before, mut last) = (BOUNDARY, BOUNDARY);
        text.chars().map(move |c| {
            let symbol = symbol(c);
            let extra = if symbol == OTHER { OTHER_BITS } else { 0.0 };
            let cost = self.bits.get(at(before, last, symbol)).copied();
            (before, last) = (last, symbol);
            cost.unwrap_or(0.0) + extra
        })
    }
}

fn symbol(c: char) -> usize {
    match c {
        'a'..='z' => c as usize - 'a' as usize,
        '0'..='9' => 26 + (c as usize - '0' as usize),
        _ => OTHER,
    }
}

fn at(a: usize, b: usize, c: usize) -> usize {
    (a * SYMBOLS + b) * SYMBOLS + c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_letters_cost_less_than_rare_ones() {
        let mut counts = LetterCounts::default();
        for word in ["khan", "khalid", "khalil", "shah", "ahmad", "hamza"] {
            counts.observe(word);
        }
        let model = LetterModel::of(&counts);
        let bits = |text: &str| model.costs(text).sum::<f32>();
        assert!(bits("kha") < bits("xqz"));
        assert!(bits("xqz").is_finite());
    }
}

//! The background itself: counts and letters turned into bits of rarity.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::background::bytes;
use crate::background::counts::{FeatureCounts, Frozen};
use crate::background::letters::{LetterCounts, LetterModel};
use crate::error::Result;
use crate::hash::feature::{Space, feature};

/// Characters of a text that are looked at; longer ones are rarer than any cap anyway.
const TEXT_CHARS_MAX: usize = 64;
/// Shortest and longest word the segmentation looks up, in characters.
const TERM_CHARS_MIN: usize = 3;
const TERM_CHARS_MAX: usize = 20;
/// A word counted fewer times is no better known than its letters.
const TERM_COUNT_MIN: u32 = COUNT_MIN;
/// Bits for starting another word: which of the few usual ways handles are put together.
const TERM_JOIN_BITS: f32 = 1.5;
/// More than a logarithm is ever rounded by.
const ROUNDING_BITS: f32 = 0.01;
/// Accounts from which it tells something that none of them had a value.
const UNSEEN_ACCOUNTS_MIN: u32 = 4_096;
/// A feature counted once may have been the account itself.
const COUNT_MIN: u32 = 2;

/// The features of one ordinary account, as a fingerprint lists them.
#[derive(Debug, Default)]
pub struct Observation {
    /// Handle and name texts for the letter model, folded and romanised.
    pub texts: Vec<String>,
    /// Features by space; an account counts once for each space it has.
    pub features: Vec<(Space, u64)>,
}

/// Rarity of values among ordinary accounts. Immutable; cheap to share.
#[derive(Debug)]
pub struct Background {
    letters: LetterModel,
    letter_counts: LetterCounts,
    features: Frozen,
    checksum: u32,
    /// No term has fewer bits than this.
    term_bits_min: f32,
}

/// What a text costs, in bits, up to each place of it and from each place on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spelling {
    before: Vec<f32>,
    after: Vec<f32>,
}

impl Spelling {
    /// Bits that the letters from `start` to `end` add to those around them: few where they end within a known word, so
    /// that they are there by chance.
    pub(crate) fn inside(&self, start: usize, end: usize) -> Option<f32> {
        let around = self.before.get(start)? + self.after.get(end)?;
        Some((self.before.last()? - around).max(0.0))
    }
}

static STARTER: LazyLock<Arc<Background>> = LazyLock::new(|| {
    let stored = include_bytes!("../../data/background.bin");
    let background =
        Background::from_bytes(stored).unwrap_or_else(|_| BackgroundBuilder::default().build());
    Arc::new(background)
});

impl Background {
    /// The background that ships with the program, made by `scripts/starter` from public package data.
    pub fn starter() -> Arc<Background> {
        Arc::clone(&STARTER)
    }

    /// Reads what [`Background::to_bytes`] wrote. Empty bytes are the empty background.
    ///
    /// # Errors
    /// A wrong magic, version or checksum, or a cut file.
    pub fn from_bytes(stored: &[u8]) -> Result<Background> {
        let (letter_counts, features) = bytes::decode(stored)?;
        Ok(Self::of(letter_counts, features))
    }

    /// The counts as bytes (compressed, checksummed); features beyond `len_max` are left out, rarest first.
    ///
    /// # Errors
    /// Only if compression fails.
    pub fn to_bytes(&self, len_max: usize) -> Result<Vec<u8>> {
        let mut features = self.features.thawed();
        features.prune(len_max);
        bytes::encode(&self.letter_counts, &features)
    }

    /// Identifies the counts; equal backgrounds have equal checksums.
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Ordinary accounts observed that had anything in `space`.
    pub fn accounts(&self, space: Space) -> u32 {
        self.features.total(space as usize)
    }

    /// -log2 of the share of ordinary accounts with this feature, or `None` where it was not counted twice.
    pub fn feature_bits(&self, space: Space, key: u64) -> Option<f32> {
        let count = self.features.count(key);
        if count < COUNT_MIN {
            return None;
        }
        let total = self.accounts(space).max(count);
        Some((total as f32 / count as f32).log2())
    }

    /// Bits of a value of `space` that nobody counted was seen to have: it is at most as common as one more account with it
    /// would make it (Laplace's rule of succession), and nothing says that it is rarer. Infinite where so few accounts
    /// had anything of the kind that the counts say nothing.
    pub fn unseen_bits(&self, space: Space) -> f32 {
        match self.accounts(space) {
            0..UNSEEN_ACCOUNTS_MIN => f32::INFINITY,
            accounts => (accounts as f32 + 2.0).log2(),
        }
    }

    /// -log2 of the chance that an ordinary handle or name reads just like `text` (folded Latin letters and digits).
    ///
    /// The cheapest way to spell the text out of known words and single letters. O(length x longest word).
    pub fn text_bits(&self, text: &str) -> f32 {
        match text.is_ascii() && text.len() <= TEXT_CHARS_MAX {
            true => self.terms(text.into()).bits(text),
            false => self.any_text_bits(text),
        }
    }

    /// [`Background::text_bits`] of a text of any letters and length.
    fn any_text_bits(&self, text: &str) -> f32 {
        // For each character looked at: where it starts, and the cheapest spelling of all before it.
        let mut starts = [0usize; TEXT_CHARS_MAX + 1];
        let mut best = [0f32; TEXT_CHARS_MAX + 1];
        let mut bits = 0.0f32;
        let chars = text.char_indices().zip(self.letters.costs(text));
        for (index, ((start, c), cost)) in chars.take(TEXT_CHARS_MAX).enumerate() {
            let is_last = index + 1 == TEXT_CHARS_MAX;
            let end = if is_last {
                text.len()
            } else {
                start + c.len_utf8()
            };
            bits += cost;
            let before = starts.iter().zip(&best);
            // The longest term first: where one is known, most of the shorter ones cannot be cheaper.
            let usable = (index + 2).saturating_sub(TERM_CHARS_MIN);
            for (from, before) in before
                .take(usable)
                .skip(usable.saturating_sub(TERM_CHARS_MAX + 1 - TERM_CHARS_MIN))
            {
                if before + self.term_bits_min >= bits {
                    continue;
                }
                let term = text.as_bytes().get(*from..end).unwrap_or_default();
                if let Some(term_bits) = self.term_bits(feature(Space::Term, term)) {
                    bits = bits.min(before + term_bits);
                }
            }
            if let (Some(next), Some(cheapest)) =
                (starts.get_mut(index + 1), best.get_mut(index + 1))
            {
                (*next, *cheapest) = (end, bits);
            }
        }
        bits
    }

    /// Asks for what tells how rare a feature is, so that it comes from memory together with what else is asked for.
    pub(crate) fn ahead(&self, key: u64) {
        self.features.ahead(key);
    }

    /// The known words of `text`, found once for all that is asked of it. O(length x longest word).
    ///
    /// All parts are asked for before the first is looked up, since each lies anywhere in the counts.
    pub(crate) fn terms<'t>(&'t self, text: Cow<'t, str>) -> Terms<'t> {
        let len = text.len();
        if !text.is_ascii() || len > TEXT_CHARS_MAX {
            let found = None;
            return Terms {
                background: self,
                text,
                found,
            };
        }
        let parts_len = (len + 1).saturating_sub(TERM_CHARS_MIN) * len / 2;
        let mut parts: Vec<(usize, usize, u64)> = Vec::with_capacity(parts_len);
        for end in TERM_CHARS_MIN..=len {
            for start in end.saturating_sub(TERM_CHARS_MAX)..=end - TERM_CHARS_MIN {
                let term = text.as_bytes().get(start..end).unwrap_or_default();
                let key = feature(Space::Term, term);
                self.features.ahead(key);
                parts.push((start, end, key));
            }
        }
        parts.retain(|(_, _, key)| self.features.may_have(*key));
        let known = |(start, end, key)| Some((start, end, self.term_bits(key)?));
        let found = Some(parts.into_iter().filter_map(known).collect());
        Terms {
            background: self,
            text,
            found,
        }
    }

    fn term_bits(&self, key: u64) -> Option<f32> {
        let count = self.features.count(key);
        if count < TERM_COUNT_MIN {
            return None;
        }
        Some((self.accounts(Space::Term).max(count) as f32 / count as f32).log2() + TERM_JOIN_BITS)
    }

    fn of(letter_counts: LetterCounts, features: FeatureCounts) -> Self {
        let total = features.totals.get(Space::Term as usize).copied();
        let count_max = features.counts.values().copied().max().unwrap_or(1).max(1);
        let commonest = total.unwrap_or(0).max(count_max) as f32 / count_max as f32;
        let letters = LetterModel::of(&letter_counts);
        let checksum = crc32fast::hash(&bytes::plain(&letter_counts, &features));
        Self {
            letters,
            letter_counts,
            features: Frozen::of(&features),
            checksum,
            term_bits_min: commonest.log2() + TERM_JOIN_BITS - ROUNDING_BITS,
        }
    }
}

/// The known words that stand in a text, wherever they start and end.
#[derive(Debug)]
pub(crate) struct Terms<'b> {
    background: &'b Background,
    text: Cow<'b, str>,
    /// Start, end and bits of each, by end; `None` of a text that is too long, or not in Latin letters.
    found: Option<Vec<(usize, usize, f32)>>,
}

impl Terms<'_> {
    /// What [`Background::text_bits`] says of `part`; nothing is looked up where it stands in the text. O(length + terms).
    pub(crate) fn bits(&self, part: &str) -> f32 {
        let start = match self.text.starts_with(part) {
            true => Some(0),
            false => self.text.find(part),
        };
        let Some((start, found)) = start.zip(self.found.as_ref()) else {
            return self.background.text_bits(part);
        };
        // The cheapest spelling of all before each character.
        let mut best = [0f32; TEXT_CHARS_MAX + 1];
        let mut bits = 0.0f32;
        let mut terms = found
            .iter()
            .filter(|(from, _, _)| *from >= start)
            .peekable();
        for (index, cost) in self.background.letters.costs(part).enumerate() {
            bits += cost;
            let end = start + index + 1;
            while let Some((from, _, term_bits)) = terms.next_if(|(_, to, _)| *to <= end) {
                let before = best.get(from - start).copied();
                bits = bits.min(before.unwrap_or(f32::INFINITY) + term_bits);
            }
            if let Some(cheapest) = best.get_mut(index + 1) {
                *cheapest = bits;
            }
        }
        bits
    }

    /// What the text costs up to each place of it, and from each place on; `None` for one that is too long, or not in Latin
    /// letters. O(length x terms).
    pub(crate) fn spelling(&self) -> Option<Spelling> {
        let terms = self.found.as_ref()?;
        let len = self.text.len();
        let costs: Vec<f32> = self.background.letters.costs(&self.text).collect();
        let cheapest = |place: usize, known: &[f32], cost: f32, is_start: bool| {
            let ways = terms.iter().filter_map(|(start, end, bits)| {
                let (here, there) = if is_start { (start, end) } else { (end, start) };
                (*here == place).then(|| known.get(*there).map_or(f32::INFINITY, |k| k + bits))
            });
            ways.fold(cost, f32::min)
        };
        let (mut before, mut after) = (vec![0.0; len + 1], vec![0.0; len + 1]);
        for (at, cost) in costs.iter().enumerate() {
            before[at + 1] = cheapest(at + 1, &before, before[at] + cost, false);
        }
        for (at, cost) in costs.iter().enumerate().rev() {
            after[at] = cheapest(at, &after, after[at + 1] + cost, true);
        }
        Some(Spelling { before, after })
    }
}

/// Counts ordinary accounts into a background.
#[derive(Debug, Default)]
pub struct BackgroundBuilder {
    letters: LetterCounts,
    features: FeatureCounts,
}

impl BackgroundBuilder {
    /// Goes on from what `background` has counted.
    pub fn extending(background: &Background) -> Self {
        Self {
            letters: background.letter_counts.clone(),
            features: background.features.thawed(),
        }
    }

    /// Counts one ordinary account. O(features).
    pub fn observe(&mut self, observation: &Observation) {
        for text in &observation.texts {
            self.letters.observe(text);
        }
        let mut seen = [false; crate::hash::feature::SPACES];
        for (space, key) in &observation.features {
            self.features.observe(*key);
            if let Some(space_seen) = seen.get_mut(*space as usize) {
                *space_seen = true;
            }
        }
        for (total, seen) in self.features.totals.iter_mut().zip(seen) {
            *total = total.saturating_add(u32::from(seen));
        }
    }

    /// The background of everything observed so far.
    pub fn build(self) -> Background {
        Background::of(self.letters, self.features)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn background(handles: &[&str]) -> Background {
        let mut builder = BackgroundBuilder::default();
        for handle in handles {
            builder.observe(&Observation {
                texts: vec![(*handle).to_owned()],
                features: vec![(Space::Term, feature(Space::Term, handle.as_bytes()))],
            });
        }
        builder.build()
    }

    #[test]
    fn known_words_make_a_handle_common() {
        let mut handles = vec!["khan"; 50];
        handles.extend(["ahmad"; 50]);
        handles.extend(["zubair", "farooq", "tariq", "yusuf", "bilal"]);
        let background = background(&handles);
        assert!(background.text_bits("ahmadkhan") < 8.0);
        assert!(background.text_bits("qxvzwkjpq") > 25.0);
    }

    #[test]
    fn letters_within_a_word_are_there_by_chance() {
        let background = Background::starter();
        let spelling = background.terms("goldnewskabul".into()).spelling();
        let spelling = spelling.unwrap();
        let inside = |start, end| spelling.inside(start, end).unwrap();
        let whole = background.text_bits("goldnewskabul");
        assert!((inside(0, 13) - whole).abs() < 0.1);
        // "news" is a word of its own there; "ews" and "newskab" are not.
        assert!(inside(4, 8) > inside(5, 8) + 2.0);
        assert!(inside(4, 8) > inside(4, 11));
        assert_eq!(spelling.inside(0, 14), None);
        assert_eq!(background.terms("قلم".into()).spelling(), None);
    }

    #[test]
    fn bytes_keep_every_answer() {
        let before = background(&["khan", "khan", "ahmad", "ahmad", "ahmad"]);
        let after = Background::from_bytes(&before.to_bytes(1000).unwrap()).unwrap();
        assert_eq!(before.text_bits("ahmadkhan"), after.text_bits("ahmadkhan"));
        assert!(Background::from_bytes(b"nonsense").is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_part_costs_what_it_costs_alone(
            text in "(news|kabul|gold|tech|ahmad|[a-z0-9]){0,24}",
            start in 0usize..80,
            len in 0usize..80,
            other in "[a-z]{0,5}",
        ) {
            let background = Background::starter();
            let terms = background.terms(text.as_str().into());
            let part = text.get(start.min(text.len())..).unwrap_or_default();
            let part = part.get(..len.min(part.len())).unwrap_or_default();
            for asked in [part, &text, &other] {
                let alone = background.any_text_bits(asked);
                proptest::prop_assert_eq!(terms.bits(asked).to_bits(), alone.to_bits());
                proptest::prop_assert_eq!(background.text_bits(asked).to_bits(), alone.to_bits());
            }
        }
    }
}

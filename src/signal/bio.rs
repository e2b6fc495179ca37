//! Bios: the same text, or the same rare words.
//!
//! A bio is a bag of words and emoji, each with its rarity; what two bios share weighs by how rare it is, so a copied
//! sentence survives cuts, additions and re-ordering, and "dad | coffee | opinions mine" weighs next to nothing.
//! SimHash alone does not carry this (design.md section 2): here it only tells near-exact copies of long texts.

use std::collections::HashSet;
use std::ops::Range;

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::hash::{hamming, of_words};
use crate::index::pair_keys;
use crate::normalize::emoji::emoji;
use crate::normalize::lookalike::spelled;
use crate::normalize::unicode::words;
use crate::signal::crowd::Crowd;
use crate::signal::lead::Lead;
use crate::signal::packed::{Packer, Unpacker, rounded};
use crate::signal::relation::{Comparison, Relation, Signal};
use crate::signal::weighted::WeightedSet;

/// Words of a bio that are looked at.
const WORDS_MAX: usize = 256;
/// Most bits of a word nobody counted.
const WORD_BITS_MAX: f32 = 14.0;
/// Bits of every shared word that are owed to chance: any two texts share some words.
const CHANCE_BITS: f32 = 3.0;
/// Share of the words' summed bits that counts: words of a text depend on each other. Measured on real descriptions
/// (`scripts/evaluation`), where pairs of strangers share phrases far oftener than independent words would.
const TOGETHER: f32 = 0.5;
/// The rarest words of a bio that lead to candidates, in pairs: 28 keys find 99 % at 20 % of words changed.
const PAIRED_WORDS: usize = 8;
/// Words more that a probe asks for, as far as it has words that nobody counted: a word with a slip is such a one, and would take the
/// place of one that is as it was.
const ASKED_WORDS: usize = 2;
/// Bits by which a text nobody counted is rarer than the count alone says: most such texts are one person's own, the
/// others quotes.
const UNSEEN_TEXT_BITS: f32 = 2.0;
/// SimHash distance within which long texts are the same (Manku, Jain and Das Sarma 2007 use 3 for 64 bits).
pub(crate) const SIMHASH_DISTANCE_MAX: u32 = 3;
/// Fewest words for which SimHash says anything.
const SIMHASH_WORDS_MIN: usize = 8;
/// A word with this many digits is a number to call or pay.
const REACH_DIGITS_MIN: usize = 7;
/// Shares of the smaller text's bits from which most, half or few of the words are shared.
const MOST: f32 = 0.75;
const HALF: f32 = 0.4;
const FEW: f32 = 0.15;

/// A bio's words with their rarities.
#[derive(Debug, Clone, PartialEq)]
pub struct Bio<'a> {
    words: WeightedSet<'a>,
    bits: f32,
    text: u64,
    text_bits: f32,
    simhash: Option<u64>,
}

impl<'a> Bio<'a> {
    /// The informative words of `bio`, or `None` where it has none. O(length).
    pub fn of(bio: &str, background: &Background) -> Option<Self> {
        let found: Vec<String> = bio_words(bio).into_iter().take(WORDS_MAX).collect();
        if found.is_empty() {
            return None;
        }
        let text = feature(Space::Bio, found.join(" ").as_bytes());
        let simhash =
            (found.len() >= SIMHASH_WORDS_MIN).then(|| of_words(found.iter().map(String::as_str)));
        let asked = |word: &String| {
            let key = word_key(word);
            background.ahead(key);
            key
        };
        let keys: Vec<u64> = found.iter().map(asked).collect();
        let keyed = found.iter().zip(keys);
        let rarity = |(word, key): (&String, u64)| (key, word_bits(word, key, background));
        let words = WeightedSet::of(keyed.map(rarity).collect());
        let bits = words.bits();
        let unseen = background.unseen_bits(Space::Bio) + UNSEEN_TEXT_BITS;
        let text_bits = background.feature_bits(Space::Bio, text);
        let text_bits = rounded(text_bits.unwrap_or(unseen));
        Some(Self {
            words,
            bits,
            text,
            text_bits,
            simhash,
        })
    }

    /// The SimHash of a text long enough to have one.
    pub fn simhash(&self) -> Option<u64> {
        self.simhash
    }

    /// The key of the whole text, which also counts its carriers.
    pub fn key(&self) -> u64 {
        self.text
    }

    /// Pushes the leads to accounts with the whole text, or a pair of its rarest words, in common.
    pub fn leads(&self, leads: &mut Vec<Lead>) {
        let all: f32 = self.words.iter().map(|(_, bits)| weighed(bits)).sum();
        let same = Comparison::new(Relation::Same, all.min(self.text_bits));
        leads.push(Lead::counted(Signal::Bio, same, self.text));
        self.paired(0..PAIRED_WORDS, leads);
    }

    /// Pushes the leads that only a probe asks for: to accounts that share rare words which words with a slip crowd out.
    pub(crate) fn asked_leads(&self, leads: &mut Vec<Lead>) {
        let uncounted = self.words.iter().filter(|(_, bits)| *bits >= WORD_BITS_MAX);
        let more = uncounted.take(ASKED_WORDS).count();
        if more > 0 {
            self.paired(PAIRED_WORDS..PAIRED_WORDS + more, leads);
        }
    }

    /// Pushes the leads to accounts with a pair of the rarest words in common, as [`pair_keys`] tells.
    fn paired(&self, rarest: Range<usize>, leads: &mut Vec<Lead>) {
        let words: Vec<(u64, f32)> = self.words.iter().collect();
        leads.extend(pair_keys(&words, rarest).into_iter().map(|pair| {
            let few = Comparison::new(
                Relation::FewWords,
                weighed(pair.first) + weighed(pair.second),
            );
            Lead::loose(Signal::Bio, few, pair.key)
        }));
    }

    /// What a near copy of the text would suggest, at most.
    pub(crate) fn near_copy(&self) -> Comparison {
        let chance_off = chance_off(&self.words, &self.words);
        Comparison::new(Relation::MostWords, chance_off.min(self.text_bits))
    }

    /// Writes the bio.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        self.words.pack(packer);
        packer.key(self.text);
        packer.bits(self.text_bits);
        packer.len(usize::from(self.simhash.is_some()));
        if let Some(simhash) = self.simhash {
            packer.key(simhash);
        }
    }

    /// Reads what [`Bio::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        let words = WeightedSet::unpack(unpacker)?;
        Some(Self {
            bits: words.bits(),
            words,
            text: unpacker.key()?,
            text_bits: unpacker.bits()?,
            simhash: match unpacker.len()? {
                0 => None,
                _ => Some(unpacker.key()?),
            },
        })
    }

    /// What an ordinary account's bio teaches the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.push((Space::Bio, self.text));
        features.extend(self.words.iter().map(|(word, _)| (Space::Word, word)));
    }
}

/// How the probe's bio relates to the entry's. O(words).
pub(crate) fn compare(probe: &Bio<'_>, entry: &Bio<'_>, crowd: &Crowd<'_>) -> Comparison {
    if probe.text == entry.text {
        let surprise = chance_off(&entry.words, &entry.words).min(entry.text_bits);
        return Comparison::new(Relation::Same, crowd.capped(entry.text, surprise));
    }
    let shared: f32 = entry.words.shared(&probe.words).map(|(_, bits)| bits).sum();
    let share = shared / probe.bits.min(entry.bits).max(1.0);
    let near_copy = match (probe.simhash, entry.simhash) {
        (Some(probe), Some(entry)) => hamming(&[probe], &[entry]) <= SIMHASH_DISTANCE_MAX,
        _ => false,
    };
    let relation = match share {
        _ if near_copy => Relation::MostWords,
        share if share >= MOST => Relation::MostWords,
        share if share >= HALF => Relation::HalfWords,
        share if share >= FEW => Relation::FewWords,
        _ => return Comparison::DIFFERENT,
    };
    let surprise = chance_off(&entry.words, &probe.words).min(entry.text_bits.min(probe.text_bits));
    Comparison::new(relation, crowd.capped(entry.text, surprise))
}

/// The words two bios share, rarest first, as written folded; for reports.
pub(crate) fn shared_words(probe: &str, entry: &str, background: &Background) -> Vec<String> {
    let probe_words: HashSet<String> = bio_words(probe).into_iter().take(WORDS_MAX).collect();
    let mut shared: Vec<(String, f32)> = bio_words(entry)
        .into_iter()
        .take(WORDS_MAX)
        .filter(|word| probe_words.contains(word))
        .map(|word| (word.clone(), word_bits(&word, word_key(&word), background)))
        .collect();
    shared.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    shared.dedup();
    shared.into_iter().map(|(word, _)| word).collect()
}

/// How many words stand in `pairs` pairs of one another: the n with n (n - 1) / 2 pairs; at least two.
pub(crate) fn words_of_pairs(pairs: u32) -> f32 {
    (0.5 + (0.25 + 2.0 * pairs as f32).sqrt()).max(2.0)
}

/// What one shared word tells.
fn weighed(bits: f32) -> f32 {
    TOGETHER * (bits - CHANCE_BITS).max(0.0)
}

fn chance_off(entry: &WeightedSet<'_>, probe: &WeightedSet<'_>) -> f32 {
    entry.shared(probe).map(|(_, bits)| weighed(bits)).sum()
}

/// Words and emoji in order; links, e-mails, phones and mentions are other signals' and left out.
fn bio_words(bio: &str) -> Vec<String> {
    let text: Vec<&str> = bio
        .split_whitespace()
        .filter(|word| !is_reach(word))
        .collect();
    let text = text.join(" ");
    let mut found = words(&text);
    found.extend(emoji(&text));
    found
}

/// True for what other signals compare: links, mentions, e-mails, numbers and wallets.
fn is_reach(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let dotted = word
        .split_once('.')
        .is_some_and(|(before, after)| !before.is_empty() && after.contains('/'));
    word.contains('@')
        || word.contains("://")
        || word.starts_with("www.")
        || dotted
        || digits >= REACH_DIGITS_MIN
}

fn word_key(word: &str) -> u64 {
    feature(Space::Word, word.as_bytes())
}

/// Rarity of a word whose key is `key`, in bits.
fn word_bits(word: &str, key: u64, background: &Background) -> f32 {
    let by_letters = || background.text_bits(&spelled(word)).min(WORD_BITS_MAX);
    background
        .feature_bits(Space::Word, key)
        .unwrap_or_else(by_letters)
        .min(WORD_BITS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_with_a_slip_do_not_crowd_out_those_as_they_were() {
        let background = Background::starter();
        let of = |text| Bio::of(text, &background).unwrap();
        let entry = of(
            "reports from the plateau about weather, harvest, mountains, bridges, markets and schools",
        );
        let probe = of(
            "reports frrom tthe plateau abbout weather, harvest, mountains, bridges, markets annd schools",
        );
        let keys = |leads: Vec<Lead>| -> BTreeSet<u64> {
            leads.into_iter().map(|lead| lead.key).collect()
        };
        let (mut kept, mut plain, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        entry.leads(&mut kept);
        probe.leads(&mut plain);
        probe.asked_leads(&mut asked);
        let (kept, plain, asked) = (keys(kept), keys(plain), keys(asked));
        assert!(asked.is_disjoint(&plain));
        let shared = |own: &BTreeSet<u64>| own.intersection(&kept).count();
        // More than as many again.
        assert!(
            shared(&asked) > shared(&plain),
            "{} {}",
            shared(&asked),
            shared(&plain)
        );
        // Nobody asks more for a text of words that all are counted.
        let mut more = Vec::new();
        of("we love the summer and the sea").asked_leads(&mut more);
        assert!(more.is_empty());
    }
}

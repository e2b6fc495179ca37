//! Display names: the same words in any order, spelling or script.
//!
//! A name is a bag of words. Words meet when they are equal, sound alike across scripts, or are one typing slip apart;
//! each word that meets brings its own rarity, so that a shared family name weighs little and an invented one much.

use std::borrow::Cow;

use bytemuck::{Pod, Zeroable};
use strsim::jaro_winkler;

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::index::osa_within;
use crate::normalize::lookalike::{coarse, spelled};
use crate::normalize::outline::outline;
use crate::normalize::sound::sound;
use crate::normalize::unicode::words;
use crate::signal::crowd::Crowd;
use crate::signal::handle::{self, across, is_foreign};
use crate::signal::lead::Lead;
use crate::signal::packed::{Packer, Unpacker, bits_of_bytes, bits_to_bytes, rounded};
use crate::signal::relation::{Comparison, LEADING_BITS_MIN, Relation, Signal};

/// Words of a name that are looked at.
const WORDS_MAX: usize = 12;
/// Most bits one word can bring when nobody counted it: unseen words are rare, not unique.
const WORD_BITS_MAX: f32 = 16.0;
/// Share of a word's bits that its consonants carry, as for handles.
const SOUND_SHARE: f32 = 0.75;
/// Bits that one typing slip within a word costs.
const SLIP_BITS: f32 = 5.0;
/// Shortest word in which a slip is believed, in characters.
const SLIP_CHARS_MIN: usize = 5;
/// Jaro-Winkler from which two long words are one with slips (Winkler 1990 uses 0.92 for names).
const SLIP_JARO_WINKLER: f64 = 0.93;
/// Share of what lacks that a common beginning brings at most: 0.1 for each of four letters (Winkler 1990).
const PREFIX_MAX: f64 = 0.4;
/// More than a likeness is ever rounded by.
const ROUNDING: f64 = 1e-9;
/// Bits lost for each word that one side has and the other has not.
const UNMET_BITS: f32 = 1.0;
/// Shortest word in small letters that is taken for a handle and not for a name, in characters: few names are as long.
const SOLID_CHARS_MIN: usize = 12;
/// Shortest consonants of a name that are believed to be a handle's, in characters.
const HEARD_CHARS_MIN: usize = 5;
/// Names of one culture go together: the words of a name are not independent.
const TOGETHER: f32 = 0.9;

/// A name's words with their rarities.
#[derive(Debug, Clone, PartialEq)]
pub struct Name<'a> {
    /// The folded words in order, one after the other.
    text: Cow<'a, str>,
    rows: Cow<'a, [WordRow]>,
    joined: Cow<'a, str>,
    all: u64,
    all_bits: f32,
    /// Key of the consonants of a name in another script than Latin, as handles have it.
    heard: Option<u64>,
    /// Whether it is written as handles are. Only probes are asked; not kept, and then taken for true: the most that a pair
    /// may be worth.
    is_solid: bool,
}

/// A word as it lies in a file: where it stands in the text, what it sounds like, and its rarities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
struct WordRow {
    len: [u8; 2],
    bits: [u8; 2],
    sound: [u8; 8],
    sound_bits: [u8; 2],
}

/// One word of a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NameWord<'a> {
    text: &'a str,
    bits: f32,
    sound: u64,
    sound_bits: f32,
}

impl<'a> NameWord<'a> {
    /// The folded word.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Rarity of the word among ordinary names, in bits.
    pub fn bits(&self) -> f32 {
        self.bits
    }

    fn key(&self) -> u64 {
        feature(Space::NameToken, self.text.as_bytes())
    }

    fn of(text: &'a str, background: &Background) -> Self {
        let counted =
            |space, text: &str| background.feature_bits(space, feature(space, text.as_bytes()));
        let latin = spelled(text);
        let by_letters = background.text_bits(&latin).min(WORD_BITS_MAX);
        let term = counted(Space::Term, &latin).unwrap_or(f32::INFINITY);
        let bits = counted(Space::NameToken, text)
            .unwrap_or(by_letters)
            .min(term)
            .min(WORD_BITS_MAX);
        let consonants = sound(text);
        let sound = feature(Space::NameSound, consonants.as_bytes());
        let sound_bits = counted(Space::NameSound, &consonants)
            .unwrap_or(SOUND_SHARE * bits)
            .min(bits);
        Self {
            text,
            bits,
            sound,
            sound_bits,
        }
    }

    fn row(&self) -> WordRow {
        WordRow {
            len: (self.text.len().min(usize::from(u16::MAX)) as u16).to_le_bytes(),
            bits: bits_to_bytes(self.bits),
            sound: self.sound.to_le_bytes(),
            sound_bits: bits_to_bytes(self.sound_bits),
        }
    }
}

impl<'a> Name<'a> {
    /// The name's words, or `None` where it has none (empty, or emoji only). O(length).
    pub fn of(name: &str, background: &Background) -> Option<Self> {
        let found: Vec<String> = words(name).into_iter().take(WORDS_MAX).collect();
        if found.is_empty() {
            return None;
        }
        let text = found.concat();
        let joined = coarse(&text);
        let consonants = is_foreign(&joined).then(|| outline(&text));
        let heard = consonants.filter(|consonants| consonants.len() >= HEARD_CHARS_MIN);
        let heard = heard.map(|consonants| handle::heard(&consonants));
        let mut sorted: Vec<&str> = found.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        let all = feature(Space::Name, sorted.join(" ").as_bytes());
        let words: Vec<NameWord<'_>> = found
            .iter()
            .map(|word| NameWord::of(word, background))
            .collect();
        let told_apart = TOGETHER * words.iter().map(|word| word.bits).sum::<f32>();
        let all_bits = background
            .feature_bits(Space::Name, all)
            .unwrap_or(f32::INFINITY)
            .min(told_apart)
            .min(background.unseen_bits(Space::Name));
        Some(Self {
            rows: words.iter().map(NameWord::row).collect(),
            text: text.into(),
            joined: joined.into(),
            all,
            all_bits: rounded(all_bits),
            heard,
            is_solid: is_solid(name.trim()),
        })
    }

    /// Whether the name is written as handles are, and names are not.
    pub(crate) fn is_solid(&self) -> bool {
        self.is_solid
    }

    /// The words in order.
    pub fn words(&self) -> impl Iterator<Item = NameWord<'_>> {
        let mut rest = &*self.text;
        self.rows.iter().map_while(move |row| {
            let (text, after) = rest.split_at_checked(u16::from_le_bytes(row.len).into())?;
            rest = after;
            Some(NameWord {
                text,
                bits: bits_of_bytes(row.bits),
                sound: u64::from_le_bytes(row.sound),
                sound_bits: bits_of_bytes(row.sound_bits),
            })
        })
    }

    /// The words written as one, in coarse letters: a handle made of the name.
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// Rarity of the whole name, in bits.
    pub fn bits(&self) -> f32 {
        self.all_bits
    }

    /// Key of the consonants of a name in another script than Latin, under which Latin handles are found.
    pub(crate) fn heard(&self) -> Option<u64> {
        self.heard
    }

    /// Pushes the lead that only a probe asks for: Latin handles that sound like its name.
    pub(crate) fn asked_leads(&self, leads: &mut Vec<Lead>) {
        let heard = self.heard.filter(|_| self.all_bits >= LEADING_BITS_MIN);
        let met = Comparison::new(Relation::Transliterated, self.all_bits);
        leads.extend(heard.map(|key| Lead::loose(Signal::Name, met, key)));
    }

    /// The key of all words together, which also counts its carriers.
    pub fn key(&self) -> u64 {
        self.all
    }

    /// Pushes the leads to accounts with all words, pairs of words or sounds, or a rare word in common.
    pub fn leads(&self, leads: &mut Vec<Lead>) {
        let mut lead = |relation, bits: f32, key: u64| {
            if bits >= LEADING_BITS_MIN {
                let met = Comparison::new(relation, bits);
                leads.push(Lead::loose(Signal::Name, met, key));
            }
        };
        let joined = feature(Space::Whole, self.joined.as_bytes());
        lead(Relation::Crossed, self.all_bits, joined);
        if let Some(key) = self.heard {
            lead(Relation::Transliterated, self.all_bits, across(key));
        }
        let words: Vec<(NameWord<'_>, u64)> = self.words().map(|word| (word, word.key())).collect();
        let alone = words.len() == 1;
        let relation = |many| if alone { many } else { Relation::SharedWords };
        for (index, (first, key)) in words.iter().enumerate() {
            lead(relation(Relation::Same), first.bits, *key);
            // With a slip in this word all others may still be the same.
            let others = words.iter().enumerate().filter(|(at, _)| *at != index);
            let others: f32 = others.map(|(_, (word, _))| word.bits).sum();
            for slip in slips(first) {
                let bits = TOGETHER * (first.bits + others) - SLIP_BITS;
                lead(Relation::NearWords, bits.min(self.all_bits), slip);
            }
            lead(relation(Relation::SameSound), first.sound_bits, first.sound);
            for (second, other) in words.iter().skip(index + 1) {
                let bits = first.bits + second.bits;
                lead(Relation::NearWords, TOGETHER * bits, pair(*key, *other));
                let bits = first.sound_bits + second.sound_bits;
                lead(
                    Relation::SameSound,
                    TOGETHER * bits,
                    pair(first.sound, second.sound),
                );
            }
        }
        if self.all_bits >= LEADING_BITS_MIN {
            let same = Comparison::new(Relation::Same, self.all_bits);
            leads.push(Lead::counted(Signal::Name, same, self.all));
        }
    }

    /// Writes the name.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        packer.text(&self.text);
        packer.rows(&self.rows);
        packer.text(&self.joined);
        packer.key(self.all);
        packer.bits(self.all_bits);
        packer.len(usize::from(self.heard.is_some()));
        if let Some(key) = self.heard {
            packer.key(key);
        }
    }

    /// Reads what [`Name::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            text: Cow::Borrowed(unpacker.text()?),
            rows: Cow::Borrowed(unpacker.rows()?),
            joined: Cow::Borrowed(unpacker.text()?),
            all: unpacker.key()?,
            all_bits: unpacker.bits()?,
            heard: match unpacker.len()? {
                0 => None,
                _ => Some(unpacker.key()?),
            },
            is_solid: true,
        })
    }

    /// What an ordinary account's name teaches the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.push((Space::Name, self.all));
        for word in self.words() {
            features.push((Space::NameToken, word.key()));
            features.push((Space::NameSound, word.sound));
        }
    }
}

/// True for a name written as handles are: without a space, and with a digit or low line within, with a capital right after
/// a small letter, or in small letters alone, joined by a sign or long. One capitalised word, or two joined by a hyphen,
/// are a name like any other.
fn is_solid(name: &str) -> bool {
    let within = |wanted: fn(char) -> bool| name.chars().skip(1).any(wanted);
    let pairs = || name.chars().zip(name.chars().skip(1));
    let is_small = !name.chars().any(char::is_uppercase) && name.chars().any(char::is_lowercase);
    let is_long = name.chars().count() >= SOLID_CHARS_MIN;
    let is_marked = within(|c| c == '_' || c.is_ascii_digit())
        || pairs().any(|(before, after)| before.is_lowercase() && after.is_uppercase())
        || is_small && (is_long || within(|c| c == '.' || c == '-'));
    is_marked && !name.contains(char::is_whitespace)
}

/// How the probe's name relates to the entry's. O(words squared).
pub(crate) fn compare(probe: &Name<'_>, entry: &Name<'_>, crowd: &Crowd<'_>) -> Comparison {
    if probe.all == entry.all {
        return Comparison::new(Relation::Same, crowd.capped(entry.all, entry.all_bits));
    }
    if probe.joined == entry.joined {
        return Comparison::new(Relation::NearWords, crowd.capped(entry.all, entry.all_bits));
    }
    let mut free = Words::of(probe);
    let mut unmet = Words::of(entry);
    let mut met = 0;
    let mut surprise = 0.0;
    let mut meanest = Relation::Same;
    for (relation, meet) in MEETINGS {
        unmet.retain(|word| {
            let others = free.all().iter().enumerate();
            let mut others = others.filter_map(|(at, other)| Some((at, meet(other, word)?)));
            let Some((at, bits)) = others.next() else {
                return true;
            };
            free.swap_remove(at);
            met += 1;
            surprise += bits;
            meanest = relation;
            false
        });
    }
    if met == 0 {
        return Comparison::DIFFERENT;
    }
    let missing = (free.len + unmet.len) as f32;
    let told = (TOGETHER * surprise - UNMET_BITS * missing).max(0.0);
    let relation = match (missing > 0.0, meanest) {
        (true, _) => Relation::SharedWords,
        (false, Relation::Same) => Relation::NearWords,
        (false, meanest) => meanest,
    };
    // Words that nearly meet are no rarer than the whole name.
    Comparison::new(relation, told.min(entry.all_bits))
}

/// The words of one name that are still to be met, at most [`WORDS_MAX`]. On the stack: there are two for every candidate.
struct Words<'a> {
    words: [NameWord<'a>; WORDS_MAX],
    len: usize,
}

impl<'a> Words<'a> {
    fn of(name: &'a Name<'_>) -> Self {
        let none = NameWord {
            text: "",
            bits: 0.0,
            sound: 0,
            sound_bits: 0.0,
        };
        let (mut words, mut len) = ([none; WORDS_MAX], 0);
        for (slot, word) in words.iter_mut().zip(name.words()) {
            *slot = word;
            len += 1;
        }
        Self { words, len }
    }

    fn all(&self) -> &[NameWord<'a>] {
        self.words.get(..self.len).unwrap_or(&[])
    }

    /// Keeps the words of which `is_kept` says so, in their order.
    fn retain(&mut self, mut is_kept: impl FnMut(&NameWord<'a>) -> bool) {
        let mut kept = 0;
        for at in 0..self.len {
            if self.words.get(at).is_some_and(&mut is_kept) {
                self.words.swap(kept, at);
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Takes a word out; the last one stands in its place.
    fn swap_remove(&mut self, at: usize) {
        self.len -= 1;
        self.words.swap(at, self.len);
    }
}

/// Keys of a word with one letter left out: two words a slip apart share one of them (symmetric deletes, Garbe 2012).
fn slips(word: &NameWord<'_>) -> impl Iterator<Item = u64> {
    let text = word.text;
    let long_enough = text.chars().count() >= SLIP_CHARS_MIN;
    let gaps = text.char_indices().filter(move |_| long_enough);
    gaps.map(|(at, left_out)| {
        let rest = [
            &text.as_bytes()[..at],
            &text.as_bytes()[at + left_out.len_utf8()..],
        ];
        feature(Space::NameToken, &rest.concat())
    })
}

type Meeting = fn(&NameWord<'_>, &NameWord<'_>) -> Option<f32>;

/// The ways two words meet, the surest first, each with the relation a name has whose words all meet like that.
const MEETINGS: [(Relation, Meeting); 3] = [
    (Relation::Same, |probe, entry| {
        (probe.text == entry.text).then_some(entry.bits)
    }),
    (Relation::SameSound, |probe, entry| {
        (probe.sound == entry.sound).then_some(entry.sound_bits)
    }),
    (Relation::NearWords, slip),
];

fn slip(probe: &NameWord<'_>, entry: &NameWord<'_>) -> Option<f32> {
    let (own, other) = (Letters::of(probe.text), Letters::of(entry.text));
    if own.len.min(other.len) < SLIP_CHARS_MIN {
        return None;
    }
    // What each has and the other has not takes an edit each. The words of strangers mostly end here.
    let own_only = (own.marks & !other.marks).count_ones() as usize;
    let other_only = (other.marks & !own.marks).count_ones() as usize;
    let may_slip = own_only.max(other_only) <= 1;
    let may_be_like = || {
        let met = (own.len - own_only).min(other.len - other_only);
        jaro_winkler_max(met, own.len, other.len) >= SLIP_JARO_WINKLER
    };
    let near = may_slip && osa_within(probe.text, entry.text, 1).is_some()
        || may_be_like() && jaro_winkler(probe.text, entry.text) >= SLIP_JARO_WINKLER;
    near.then_some((entry.bits - SLIP_BITS).max(0.0))
}

/// How many letters a word has, and which: a mark for each, which some share.
struct Letters {
    len: usize,
    marks: u64,
}

impl Letters {
    fn of(text: &str) -> Self {
        let mut letters = Self { len: 0, marks: 0 };
        for letter in text.chars() {
            letters.len += 1;
            letters.marks |= 1 << (u32::from(letter) % u64::BITS);
        }
        letters
    }
}

/// What the likeness of Jaro and Winkler of two words cannot exceed if at most `met` letters of each are in the other:
/// all in the best places, behind the longest beginning that counts.
fn jaro_winkler_max(met: usize, len: usize, other_len: usize) -> f64 {
    let met = met as f64;
    let jaro = (met / len as f64 + met / other_len as f64 + 1.0) / 3.0;
    jaro + PREFIX_MAX * (1.0 - jaro) + ROUNDING
}

fn pair(first: u64, second: u64) -> u64 {
    let (low, high) = (first.min(second), first.max(second));
    feature(
        Space::Pair,
        &[low.to_le_bytes(), high.to_le_bytes()].concat(),
    )
}

#[cfg(test)]
mod tests;

//! Handles: the old user name under a small change.
//!
//! Candidates meet on coarse letters (case, look-alikes and leet folded); the relation is then decided on the letters as
//! written, so that folding chains (l = I = 1 = i) do not make strangers equal.

mod compare;
mod hint;
mod reading;

use std::borrow::Cow;
use std::ops::Range;

use crate::background::{Background, Spelling};
use crate::hash::feature::{Space, feature};
use crate::normalize::lookalike::spelled;
use crate::normalize::outline::{near_outlines, outline, undoubled};
use crate::normalize::parts::{Parts, WORD_CHARS_MIN};
use crate::normalize::romanize::romanized;
use crate::signal::lead::Lead;
use crate::signal::number;
use crate::signal::packed::{Packer, Unpacker, rounded};
use crate::signal::relation::{Comparison, Relation, Signal};

use compare::PLACED_BITS;
pub(crate) use compare::compare;
pub(crate) use hint::{HandleHint, NumberHint, NumbersAsked};

/// Shortest core that may be looked for inside other handles, in characters.
const CONTAINED_CHARS_MIN: u16 = 5;
/// Shortest beginning that may stand for a longer handle, in characters.
const TRUNCATED_CHARS_MIN: u16 = 6;
/// Shortest consonant key that may stand for a handle; shorter ones are shared by too many words.
const SOUND_CHARS_MIN: usize = 4;
/// Bits that one edit within a handle costs: log2 of the ordinary handles one edit away over those at the spot itself.
/// Measured on real handles (`scripts/evaluation`), about one in a hundred neighbours of a spot is taken as often.
const EDIT_BITS: f32 = 7.0;
/// Bits of mixing alphabets at all: under one ordinary handle in 250 does.
const MIXED_BITS: f32 = 8.0;
/// Share of a handle's bits that its consonants carry (Shannon 1951 puts vowels at about a quarter of the information).
const SOUND_SHARE: f32 = 0.7;
/// Most bits that consonants alone bring: of 400,000 ordinary handles one in some thousands shares them with another.
const SOUND_BITS_MAX: f32 = 24.0;
/// Bits of sounding alike in another script: where any letters are allowed, many ordinary handles are in the other one.
const SCRIPT_BITS: f32 = 1.0;
/// Bits lost where two transliterators disagree about a consonant: log2 of the outlines one such slip away.
const SLIP_BITS: f32 = 5.0;
/// Letters for each vowel of a handle that may have lost three or more; a text has one vowel in two or three letters.
const LETTERS_A_VOWEL_MIN: usize = 4;
/// How many letters at the beginning and at the end of a handle may be initials.
const INITIALS: [(usize, usize); 5] = [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1)];

/// One normal form of a handle.
#[derive(Debug, Clone, PartialEq)]
struct Form<'a> {
    text: Cow<'a, str>,
    /// In characters.
    len: u16,
    /// Rarity among ordinary accounts.
    bits: f32,
}

impl<'a> Form<'a> {
    fn new(text: Cow<'a, str>, bits: f32) -> Self {
        Self {
            len: match text.is_ascii() {
                true => text.len() as u16,
                false => text.chars().count() as u16,
            },
            text,
            bits: rounded(bits),
        }
    }
}

/// A handle with its normal forms and their rarities.
#[derive(Debug, Clone, PartialEq)]
pub struct Handle<'a> {
    letters: Cow<'a, str>,
    number: Cow<'a, str>,
    /// The separators before the number and where they stand.
    separators: Cow<'a, str>,
    whole: Form<'a>,
    stem: Form<'a>,
    core: Form<'a>,
    /// Key of the consonants, and their rarity.
    sound: Option<(u64, f32)>,
    ring: Option<(u64, f32)>,
    /// Where the longest of several words stands in the stem.
    word: Option<Range<usize>>,
    /// Whether the words may be initials beside a longer one; only probes are asked.
    has_initials: bool,
    /// Which letters of the whole handle are whose word; only probes are asked.
    spelling: Option<Spelling>,
    /// Read back from where it was kept, so that what only probes are asked is not known.
    is_kept: bool,
    /// Keys of the consonants as other transliterators hear them, of a handle in other letters; made anew where it was kept.
    near: Vec<u64>,
}

impl<'a> Handle<'a> {
    /// The handle's normal forms, or `None` for an empty one. O(length).
    pub fn of(handle: &str, background: &Background) -> Option<Self> {
        let parts = Parts::of(handle);
        if parts.whole.is_empty() {
            return None;
        }
        let counted = |space: Space, text: &str| {
            let bits = background.feature_bits(space, feature(space, text.as_bytes()));
            bits.unwrap_or(f32::INFINITY)
        };
        let latin = spelled(&parts.whole);
        let is_latin = latin.len() == parts.whole.len();
        let terms = background.terms(latin.into());
        // The letter model knows Latin letters; what is in others is read as the names it learnt from were.
        let spelled_bits = |text: &str| match is_foreign(text) {
            true => terms
                .bits(&spelled(text))
                .min(background.text_bits(&romanized(text))),
            false => terms.bits(&spelled(text)),
        };
        let only_digits = parts.letters.chars().all(|c| c.is_ascii_digit());
        let told_bits = match only_digits {
            true => number::rarity(&parts.letters, background),
            false => spelled_bits(&parts.stem).min(counted(Space::Whole, &parts.stem)),
        };
        // So few are written in other letters that nothing says such a one is rarer than the counts can tell.
        let stem_bits = match is_foreign(&parts.stem) {
            true => told_bits.min(background.unseen_bits(Space::Whole)),
            false => told_bits,
        };
        let tail_bits = number::rarity(&parts.number, background);
        let whole_bits = (stem_bits + tail_bits).min(counted(Space::Whole, &parts.whole));
        let core_bits = match parts.core == parts.stem {
            true => stem_bits,
            false => spelled_bits(&parts.core)
                .min(counted(Space::Core, &parts.core))
                .min(stem_bits),
        };
        let ring = (!parts.ring.is_empty()).then(|| {
            // Numbers are not what a ring shares, so they make it no rarer.
            let bits = spelled_bits(&parts.unnumbered)
                .min(counted(Space::Whole, &parts.unnumbered))
                .min(counted(Space::Core, &parts.unnumbered));
            (ring_key(&parts.ring), rounded(bits))
        });
        let consonants = outline(named(&parts.letters, &parts.number));
        let sound_bits = (SOUND_SHARE * told_bits)
            .min(counted(Space::Sound, &consonants))
            .min(SOUND_BITS_MAX);
        let sound = (consonants.len() >= SOUND_CHARS_MIN)
            .then(|| (heard(&consonants), rounded(sound_bits)));
        let spelling = is_latin.then(|| terms.spelling()).flatten();
        Some(Self {
            is_kept: false,
            near: match sound.is_some() && is_foreign(&parts.stem) {
                true => heard_otherwise(&consonants),
                false => Vec::new(),
            },
            spelling,
            letters: parts.letters.into(),
            number: parts.number.into(),
            separators: parts.separators.into(),
            whole: Form::new(parts.whole.into(), whole_bits),
            stem: Form::new(parts.stem.into(), stem_bits),
            core: Form::new(parts.core.into(), core_bits),
            sound,
            ring,
            word: parts.longest,
            has_initials: parts.has_initials,
        })
    }

    /// The coarse letters without the numeric tail: what edit distance is measured on.
    pub fn stem(&self) -> &str {
        &self.stem.text
    }

    /// All coarse letters.
    pub fn whole(&self) -> &str {
        &self.whole.text
    }

    /// The core, where it is long enough to be looked for inside other handles.
    pub fn contained(&self) -> Option<&str> {
        (self.core.len >= CONTAINED_CHARS_MIN).then_some(&*self.core.text)
    }

    /// The beginning that a longer handle may have, where it is long enough.
    pub fn truncated(&self) -> Option<&str> {
        (self.stem.len >= TRUNCATED_CHARS_MIN).then_some(&*self.stem.text)
    }

    /// Rarity of the whole handle, in bits.
    pub fn bits(&self) -> f32 {
        self.whole.bits
    }

    /// Rarity of the handle without its numeric tail, in bits.
    pub fn stem_bits(&self) -> f32 {
        self.stem.bits
    }

    /// Rarity of the numeric tail, in bits.
    pub(crate) fn number_bits(&self) -> f32 {
        (self.whole.bits - self.stem.bits).max(0.0)
    }

    /// Letters and digits as written.
    pub fn letters(&self) -> &str {
        &self.letters
    }

    /// Pushes the leads to accounts with the handle, its stem, core or consonants in common. A whole handle may also be
    /// a name that an account crossed over from.
    pub fn leads(&self, leads: &mut Vec<Lead>) {
        let mut lead = |relation, bits, key| {
            let met = Comparison::new(relation, bits);
            leads.push(Lead::loose(Signal::Handle, met, key));
        };
        let whole = |form: &Form<'_>| feature(Space::Whole, form.text.as_bytes());
        let disguised = self.whole.bits + MIXED_BITS;
        lead(Relation::Disguised, disguised, whole(&self.whole));
        if self.stem.text != self.whole.text {
            lead(Relation::Renumbered, self.stem.bits, whole(&self.stem));
        }
        let core = feature(Space::Core, self.core.text.as_bytes());
        lead(Relation::Affixed, self.core.bits, core);
        if let Some((key, bits)) = self.ring {
            match number::stands_inside(self.named()) {
                true => lead(Relation::Renumbered, bits + PLACED_BITS, key),
                false => lead(Relation::Reordered, bits, key),
            }
        }
        if let Some(word) = self.longest_word() {
            let bits = if self.has_initials {
                self.stem.bits
            } else {
                0.0
            };
            lead(Relation::Abbreviated, bits, word_key(word));
        }
        match self.sound {
            Some((key, bits)) if self.is_foreign() => {
                lead(Relation::SameSound, bits, across(key));
                for near in self.near_keys().iter() {
                    lead(Relation::SameSound, bits, across(*near));
                }
            }
            Some((key, _)) if self.lacks_vowels() => {
                lead(Relation::Abbreviated, self.stem.bits, key);
            }
            Some((key, bits)) => lead(Relation::SameSound, bits, key),
            None => {}
        }
    }

    /// Pushes the leads that only a probe asks for: handles of the other scripts that sound like it, and those it may be short for.
    pub(crate) fn asked_leads(&self, leads: &mut Vec<Lead>) {
        let mut lead = |relation, bits, key| {
            let met = Comparison::new(relation, bits);
            leads.push(Lead::loose(Signal::Handle, met, key));
        };
        if let Some((key, bits)) = self.sound {
            let bits = bits / SOUND_SHARE + SCRIPT_BITS;
            if self.is_foreign() {
                lead(Relation::Transliterated, bits, key);
                for near in self.near_keys().iter() {
                    lead(Relation::Transliterated, bits - SLIP_BITS, *near);
                }
            } else {
                lead(Relation::Transliterated, bits, across(key));
            }
        }
        if !self.stem.text.is_ascii() {
            return;
        }
        if self.lacks_vowels() {
            for other in undoubled(self.named()) {
                lead(Relation::Abbreviated, self.stem.bits, heard(&other));
            }
        }
        for (before, after) in INITIALS {
            let word = self.between(before, after);
            if let Some(word) = word.filter(|word| word.len() >= WORD_CHARS_MIN) {
                lead(Relation::Abbreviated, self.stem.bits, word_key(word));
            }
        }
    }

    /// The stem without so many bytes at the beginning and at the end.
    fn between(&self, before: usize, after: usize) -> Option<&str> {
        let text = &self.stem.text;
        text.get(before..text.len().checked_sub(after)?)
    }

    /// The letters as written, without the numeric tail.
    fn named(&self) -> &str {
        named(&self.letters, &self.number)
    }

    /// Whether it is written in letters other than Latin ones and what looks like them.
    pub(crate) fn is_foreign(&self) -> bool {
        is_foreign(&self.stem.text)
    }

    /// Keys of the consonants as other transliterators hear them. O(1) for a probe, which each of its candidates asks.
    fn near_keys(&self) -> Cow<'_, [u64]> {
        match self.is_kept {
            true => Cow::Owned(heard_otherwise(&outline(self.named()))),
            false => Cow::Borrowed(&self.near),
        }
    }

    /// Key of the consonants in Latin letters, and their rarity in bits.
    pub(crate) fn sound(&self) -> Option<(u64, f32)> {
        self.sound
    }

    /// The longest of several words, in coarse letters.
    fn longest_word(&self) -> Option<&str> {
        self.stem.text.get(self.word.clone()?)
    }

    /// Whether it has so few vowels that some may have been left out.
    fn lacks_vowels(&self) -> bool {
        let text = self.named();
        let vowels = text.bytes().filter(|c| is_vowel(*c)).count();
        text.is_ascii() && vowels * LETTERS_A_VOWEL_MIN <= text.len()
    }

    /// Writes the handle; a form that is part of a longer one is not written twice.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        packer.text(&self.letters);
        packer.text(&self.number);
        packer.text(&self.separators);
        packer.text(&self.whole.text);
        pack_part(packer, &self.whole.text, &self.stem.text);
        pack_part(packer, &self.stem.text, &self.core.text);
        for form in [&self.whole, &self.stem, &self.core] {
            packer.bits(form.bits);
        }
        packer.len(usize::from(self.sound.is_some()));
        if let Some((key, bits)) = self.sound {
            packer.key(key);
            packer.bits(bits);
        }
        packer.len(usize::from(self.ring.is_some()));
        if let Some((key, bits)) = self.ring {
            packer.key(key);
            packer.bits(bits);
        }
        packer.len(self.word.as_ref().map_or(0, |word| word.end));
        if let Some(word) = &self.word {
            packer.len(word.start);
        }
    }

    /// Reads what [`Handle::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        let letters = unpacker.text()?;
        let number = unpacker.text()?;
        let separators = unpacker.text()?;
        let whole = unpacker.text()?;
        let stem = unpack_part(unpacker, whole)?;
        let core = unpack_part(unpacker, stem)?;
        let (whole_bits, stem_bits, core_bits) =
            (unpacker.bits()?, unpacker.bits()?, unpacker.bits()?);
        let sound = match unpacker.len()? {
            0 => None,
            _ => Some((unpacker.key()?, unpacker.bits()?)),
        };
        let ring = match unpacker.len()? {
            0 => None,
            _ => Some((unpacker.key()?, unpacker.bits()?)),
        };
        let word = match unpacker.len()? {
            0 => None,
            end => Some(unpacker.len()?..end),
        };
        Some(Self {
            is_kept: true,
            near: Vec::new(),
            spelling: None,
            word,
            has_initials: false,
            letters: Cow::Borrowed(letters),
            number: Cow::Borrowed(number),
            separators: Cow::Borrowed(separators),
            whole: Form::new(Cow::Borrowed(whole), whole_bits),
            stem: Form::new(Cow::Borrowed(stem), stem_bits),
            core: Form::new(Cow::Borrowed(core), core_bits),
            sound,
            ring,
        })
    }

    /// What an ordinary account's handle teaches the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        let mut teach = |space: Space, text: &str| {
            features.push((space, feature(space, text.as_bytes())));
        };
        teach(Space::Whole, &self.whole.text);
        if self.stem.text != self.whole.text {
            teach(Space::Whole, &self.stem.text);
        }
        teach(Space::Core, &self.core.text);
        if !self.number.is_empty() {
            teach(Space::Number, &self.number);
        }
        features.extend(self.sound.map(|(key, _)| (Space::Sound, key)));
    }
}

/// Letters as written without the numeric tail.
fn named<'t>(letters: &'t str, number: &str) -> &'t str {
    letters.strip_suffix(number).unwrap_or(letters)
}

/// Whether coarse letters are of other alphabets than the Latin one. O(length).
pub(crate) fn is_foreign(coarse: &str) -> bool {
    !coarse.is_ascii() && !coarse.bytes().any(|c| c.is_ascii_alphabetic())
}

/// Keys of an outline as other transliterators hear it.
fn heard_otherwise(consonants: &str) -> Vec<u64> {
    let near = near_outlines(consonants).into_iter();
    let near = near.filter(|near| near.len() >= SOUND_CHARS_MIN);
    near.map(|near| heard(&near)).collect()
}

/// Whether a letter may be left out where vowels are.
fn is_vowel(letter: u8) -> bool {
    matches!(
        letter.to_ascii_lowercase(),
        b'a' | b'e' | b'i' | b'o' | b'u'
    )
}

/// The key of consonants.
pub(crate) fn heard(consonants: &str) -> u64 {
    feature(Space::Sound, consonants.as_bytes())
}

/// The key under which consonants of another script are found, so that Latin handles do not meet one another there.
pub(crate) fn across(key: u64) -> u64 {
    feature(Space::Pair, &key.to_le_bytes())
}

/// The key of a word among others.
fn word_key(word: &str) -> u64 {
    feature(Space::Term, word.as_bytes())
}

/// The key of a ring of letters; no pair of features is as long as its mark makes it.
fn ring_key(ring: &str) -> u64 {
    feature(Space::Pair, format!("ring of letters {ring}").as_bytes())
}

/// Writes `part` as a place in `whole` where it stands there, else as it is.
fn pack_part(packer: &mut Packer, whole: &str, part: &str) {
    match whole.find(part) {
        Some(start) => {
            packer.len(start + 1);
            packer.len(part.len());
        }
        None => {
            packer.len(0);
            packer.text(part);
        }
    }
}

/// Reads what [`pack_part`] wrote.
fn unpack_part<'a>(unpacker: &mut Unpacker<'a>, whole: &'a str) -> Option<&'a str> {
    match unpacker.len()? {
        0 => unpacker.text(),
        start => whole.get(start - 1..)?.get(..unpacker.len()?),
    }
}

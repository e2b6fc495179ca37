//! Handles: the old user name under a small change.
//!
//! Candidates meet on coarse letters (case, look-alikes and leet folded); the relation is then decided on the letters as
//! written, so that folding chains (l = I = 1 = i) do not make strangers equal.

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::index::{distance_max, osa_within};
use crate::normalize::lookalike::spelled;
use crate::normalize::parts::{Disguise, Parts, disguise};
use crate::normalize::sound::sound;
use crate::signal::relation::{Comparison, Relation};

/// Shortest core that may be looked for inside other handles, in characters.
pub const CONTAINED_CHARS_MIN: usize = 5;
/// Shortest beginning that may stand for a longer handle, in characters.
pub const TRUNCATED_CHARS_MIN: usize = 6;
/// Shortest consonant key that may stand for a handle; shorter ones are shared by too many words.
const SOUND_CHARS_MIN: usize = 4;
/// Bits that one edit within a handle costs: log2 of the ordinary handles one edit away over those at the spot itself.
/// Measured on real handles (`scripts/evaluation`), about one in a hundred neighbours of a spot is taken as often.
const EDIT_BITS: f32 = 7.0;
/// Share of a handle's bits that its consonants carry (Shannon 1951 puts vowels at about a quarter of the information).
const SOUND_SHARE: f32 = 0.7;
/// Most bits that consonants alone bring: of 400,000 ordinary handles one in some thousands shares them with another.
const SOUND_BITS_MAX: f32 = 18.0;
/// Bits of each digit of a numeric tail nobody counted; log2(10) less the years, runs and repeats people prefer.
const DIGIT_BITS: f32 = 2.6;
/// Bits of each letter that stands around a contained core: a long strange surround is likelier another word.
const SURROUND_BITS: f32 = 0.4;

/// A handle with its normal forms and their rarities.
#[derive(Debug, Clone, PartialEq)]
pub struct Handle {
    parts: Parts,
    sound: String,
    whole_bits: f32,
    stem_bits: f32,
    core_bits: f32,
    sound_bits: f32,
}

impl Handle {
    /// The handle's normal forms, or `None` for an empty one. O(length).
    pub fn of(handle: &str, background: &Background) -> Option<Self> {
        let parts = Parts::of(handle);
        if parts.whole.is_empty() {
            return None;
        }
        let counted = |space: Space, text: &str| {
            background
                .feature_bits(space, feature(space, text.as_bytes()))
                .unwrap_or(f32::INFINITY)
        };
        let only_digits = parts.letters.chars().all(|c| c.is_ascii_digit());
        let stem_bits = match only_digits {
            true => number_bits(&parts.letters, background),
            false => background
                .text_bits(&spelled(&parts.stem))
                .min(counted(Space::Whole, &parts.stem)),
        };
        let tail_bits = number_bits(&parts.number, background);
        let whole_bits = (stem_bits + tail_bits).min(counted(Space::Whole, &parts.whole));
        let core_bits = match parts.core == parts.stem {
            true => stem_bits,
            false => background
                .text_bits(&spelled(&parts.core))
                .min(counted(Space::Core, &parts.core))
                .min(stem_bits),
        };
        let sound = sound(&parts.stem);
        let sound_bits = (SOUND_SHARE * stem_bits)
            .min(counted(Space::Sound, &sound))
            .min(SOUND_BITS_MAX);
        Some(Self {
            parts,
            sound,
            whole_bits,
            stem_bits,
            core_bits,
            sound_bits,
        })
    }

    /// Rarity of the handle without its numeric tail, in bits.
    pub fn stem_bits(&self) -> f32 {
        self.stem_bits
    }

    /// The coarse letters without the numeric tail: what edit distance is measured on.
    pub fn stem(&self) -> &str {
        &self.parts.stem
    }

    /// All coarse letters.
    pub fn whole(&self) -> &str {
        &self.parts.whole
    }

    /// The core, where it is long enough to be looked for inside other handles.
    pub fn contained(&self) -> Option<&str> {
        Some(self.parts.core.as_str()).filter(|core| core.chars().count() >= CONTAINED_CHARS_MIN)
    }

    /// The beginning that a longer handle may have, where it is long enough.
    pub fn truncated(&self) -> Option<&str> {
        Some(self.parts.stem.as_str()).filter(|stem| stem.chars().count() >= TRUNCATED_CHARS_MIN)
    }

    /// Letters and digits as written.
    pub fn letters(&self) -> &str {
        &self.parts.letters
    }

    /// Rarity of the whole handle, in bits.
    pub fn bits(&self) -> f32 {
        self.whole_bits
    }

    /// Pushes the exact keys under which the handle is found.
    pub fn keys(&self, keys: &mut Vec<u64>) {
        keys.push(feature(Space::Whole, self.parts.whole.as_bytes()));
        keys.push(feature(Space::Whole, self.parts.stem.as_bytes()));
        keys.push(feature(Space::Core, self.parts.core.as_bytes()));
        keys.extend(self.sound_key());
    }

    /// The key of the handle's consonants, where there are enough of them.
    pub fn sound_key(&self) -> Option<u64> {
        let long_enough = self.sound.chars().count() >= SOUND_CHARS_MIN;
        long_enough.then(|| feature(Space::Sound, self.sound.as_bytes()))
    }

    /// What an ordinary account's handle teaches the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.push((
            Space::Whole,
            feature(Space::Whole, self.parts.whole.as_bytes()),
        ));
        if self.parts.stem != self.parts.whole {
            features.push((
                Space::Whole,
                feature(Space::Whole, self.parts.stem.as_bytes()),
            ));
        }
        features.push((
            Space::Core,
            feature(Space::Core, self.parts.core.as_bytes()),
        ));
        features.extend(self.sound_key().map(|key| (Space::Sound, key)));
        if !self.parts.number.is_empty() {
            features.push((
                Space::Number,
                feature(Space::Number, self.parts.number.as_bytes()),
            ));
        }
    }
}

/// How the probe's handle relates to the entry's. O(length); the most surprising relation that holds.
pub fn compare(probe: &Handle, entry: &Handle) -> Comparison {
    let (p, e) = (&probe.parts, &entry.parts);
    if p.whole == e.whole {
        return match disguise(&p.letters, &e.letters) {
            Disguise::None => Comparison::new(Relation::Same, entry.whole_bits),
            Disguise::Lookalike => Comparison::new(Relation::Lookalike, entry.whole_bits),
            Disguise::Leet => Comparison::new(Relation::Leet, entry.whole_bits - 1.0),
            Disguise::Other => Comparison::new(Relation::Edited1, entry.whole_bits - EDIT_BITS),
        };
    }
    let mut found = Comparison::DIFFERENT;
    if p.stem == e.stem {
        found = found.or(Comparison::new(Relation::Renumbered, entry.stem_bits));
    } else if p.core == e.core {
        found = found.or(Comparison::new(Relation::Affixed, entry.core_bits));
    } else {
        found = found.or(edited(probe, entry));
    }
    found
        .or(contains(probe, entry))
        .or(truncated(probe, entry))
        .or(same_sound(probe, entry))
}

fn edited(probe: &Handle, entry: &Handle) -> Comparison {
    let (p, e) = (&probe.parts, &entry.parts);
    let len_min = p.stem.chars().count().min(e.stem.chars().count());
    let Some(distance) = osa_within(&p.stem, &e.stem, distance_max(len_min)) else {
        return Comparison::DIFFERENT;
    };
    // The same numeric tail on both sides is itself a coincidence.
    let same_number = if p.number == e.number {
        entry.whole_bits - entry.stem_bits
    } else {
        0.0
    };
    let surprise = entry.stem_bits + same_number.max(0.0) - EDIT_BITS * distance as f32;
    let relation = if distance <= 1 {
        Relation::Edited1
    } else {
        Relation::Edited2
    };
    Comparison::new(relation, surprise.max(0.0))
}

fn contains(probe: &Handle, entry: &Handle) -> Comparison {
    let Some(core) = entry
        .contained()
        .filter(|core| probe.parts.whole.contains(core))
    else {
        return Comparison::DIFFERENT;
    };
    let surround = probe.parts.whole.chars().count() - core.chars().count();
    let surprise =
        entry.core_bits - ((surround + 1) as f32).log2() - SURROUND_BITS * surround as f32;
    Comparison::new(Relation::Contains, surprise.max(0.0))
}

fn truncated(probe: &Handle, entry: &Handle) -> Comparison {
    let Some(beginning) = probe
        .truncated()
        .filter(|beginning| entry.parts.whole.starts_with(beginning))
    else {
        return Comparison::DIFFERENT;
    };
    let cut = entry.parts.whole.chars().count() - beginning.chars().count();
    Comparison::new(
        Relation::Truncated,
        (probe.stem_bits - ((cut + 1) as f32).log2()).max(0.0),
    )
}

fn same_sound(probe: &Handle, entry: &Handle) -> Comparison {
    if probe.sound != entry.sound || entry.sound_key().is_none() {
        return Comparison::DIFFERENT;
    }
    Comparison::new(Relation::SameSound, entry.sound_bits)
}

/// Rarity of a numeric tail: as counted, or by its length.
fn number_bits(number: &str, background: &Background) -> f32 {
    let counted = background.feature_bits(Space::Number, feature(Space::Number, number.as_bytes()));
    let by_len = DIGIT_BITS * number.len() as f32;
    counted.map_or(by_len, |bits| bits.min(by_len))
}

//! Handles: the old user name under a small change.
//!
//! Candidates meet on coarse letters (case, look-alikes and leet folded); the relation is then decided on the letters as
//! written, so that folding chains (l = I = 1 = i) do not make strangers equal.

use std::borrow::Cow;

use crate::background::{Background, Spelling};
use crate::hash::feature::{Space, feature};
use crate::index::{distance_max, osa_within};
use crate::normalize::lookalike::spelled;
use crate::normalize::parts::{Disguise, Parts, disguise};
use crate::normalize::sound::sound;
use crate::signal::lead::Lead;
use crate::signal::number;
use crate::signal::packed::{Packer, Unpacker};
use crate::signal::relation::{Comparison, Relation, Signal};

/// Shortest core that may be looked for inside other handles, in characters.
const CONTAINED_CHARS_MIN: u16 = 5;
/// Shortest beginning that may stand for a longer handle, in characters.
const TRUNCATED_CHARS_MIN: u16 = 6;
/// Shortest consonant key that may stand for a handle; shorter ones are shared by too many words.
const SOUND_CHARS_MIN: usize = 4;
/// Bits that one edit within a handle costs: log2 of the ordinary handles one edit away over those at the spot itself.
/// Measured on real handles (`scripts/evaluation`), about one in a hundred neighbours of a spot is taken as often.
const EDIT_BITS: f32 = 7.0;
/// Bits that a second change costs: few returns make two at once, and of strangers who are near, nearly all differ in more
/// than one thing. Measured on tuned tactics it would be more, but those make one change each by construction.
const MOVE_BITS: f32 = 8.0;
/// Bits of mixing alphabets at all: under one ordinary handle in 250 does.
const MIXED_BITS: f32 = 8.0;
/// Share of a handle's bits that its consonants carry (Shannon 1951 puts vowels at about a quarter of the information).
const SOUND_SHARE: f32 = 0.7;
/// Most bits that consonants alone bring: of 400,000 ordinary handles one in some thousands shares them with another.
const SOUND_BITS_MAX: f32 = 24.0;
/// Bits of sounding alike in another script: few ordinary handles are in the other one.
const SCRIPT_BITS: f32 = 3.0;
/// Bits lost because words may stand in several orders and numbers in several places.
const RING_BITS: f32 = 3.0;
/// Bits of each letter that stands around a contained core where nothing tells its words: a long strange surround is
/// likelier another word.
const SURROUND_BITS: f32 = 0.4;

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
            bits,
        }
    }
}

/// A handle with its normal forms and their rarities.
#[derive(Debug, Clone, PartialEq)]
pub struct Handle<'a> {
    letters: Cow<'a, str>,
    number: Cow<'a, str>,
    whole: Form<'a>,
    stem: Form<'a>,
    core: Form<'a>,
    sound: Option<(u64, f32)>,
    ring: Option<(u64, f32)>,
    /// Which letters of the whole handle are whose word; only probes are asked.
    spelling: Option<Spelling>,
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
        let terms = background.terms(latin);
        let spelled_bits = |text: &str| terms.bits(&spelled(text));
        let only_digits = parts.letters.chars().all(|c| c.is_ascii_digit());
        let stem_bits = match only_digits {
            true => number::rarity(&parts.letters, background),
            false => spelled_bits(&parts.stem).min(counted(Space::Whole, &parts.stem)),
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
            (ring_key(&parts.ring), bits)
        });
        let consonants = sound(&parts.stem);
        let sound_bits = (SOUND_SHARE * stem_bits)
            .min(counted(Space::Sound, &consonants))
            .min(SOUND_BITS_MAX);
        let sound = (consonants.chars().count() >= SOUND_CHARS_MIN)
            .then(|| (feature(Space::Sound, consonants.as_bytes()), sound_bits));
        let spelling = is_latin.then(|| terms.spelling()).flatten();
        Some(Self {
            spelling,
            letters: parts.letters.into(),
            number: parts.number.into(),
            whole: Form::new(parts.whole.into(), whole_bits),
            stem: Form::new(parts.stem.into(), stem_bits),
            core: Form::new(parts.core.into(), core_bits),
            sound,
            ring,
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
    fn number_bits(&self) -> f32 {
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
        if let Some((key, bits)) = self.sound {
            lead(Relation::SameSound, bits + SCRIPT_BITS, key);
        }
        if let Some((key, bits)) = self.ring {
            lead(Relation::Reordered, bits, key);
        }
    }

    /// What `edits` edits to an entry's stem of `stem_bits` would suggest, at most.
    pub(crate) fn edited(&self, edits: u8, stem_bits: f32) -> Comparison {
        let bits = stem_bits.min(self.stem.bits - EDIT_BITS * f32::from(edits));
        Comparison::new(Relation::edited(edits.into()), bits.max(0.0))
    }

    /// What finding the core of an entry whose stem has `stem_bits` inside the probe would suggest, at most.
    pub(crate) fn contained_once(stem_bits: f32) -> Comparison {
        Comparison::new(Relation::Contains, stem_bits)
    }

    /// Writes the handle; a form that is part of a longer one is not written twice.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        packer.text(&self.letters);
        packer.text(&self.number);
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
    }

    /// Reads what [`Handle::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        let letters = unpacker.text()?;
        let number = unpacker.text()?;
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
        Some(Self {
            spelling: None,
            letters: Cow::Borrowed(letters),
            number: Cow::Borrowed(number),
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

/// How the probe's handle relates to the entry's. O(length); the relation that tells most of the letters.
pub(crate) fn compare(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    if probe.whole.text == entry.whole.text {
        let bits = entry.whole.bits;
        return match disguise(&probe.letters, &entry.letters) {
            Disguise::None => Comparison::new(Relation::Same, bits),
            Disguise::Lookalike => Comparison::new(Relation::Lookalike, bits),
            Disguise::Leet => Comparison::new(Relation::Leet, bits),
            Disguise::Foreign => Comparison::new(Relation::Disguised, bits + MIXED_BITS),
            Disguise::Other => Comparison::new(Relation::Edited1, (bits - EDIT_BITS).max(0.0)),
        };
    }
    let met = if probe.stem.text == entry.stem.text {
        let told = number::followed(&probe.number, &entry.number, entry.number_bits());
        let surprise = entry.stem.bits + told;
        Comparison::new(Relation::Renumbered, surprise)
    } else if probe.core.text == entry.core.text {
        let (own, other) = (&*probe.stem.text, &*entry.stem.text);
        let is_other = place_of(other, own).or(place_of(own, other)).is_none();
        let bits = entry.core.bits.min(probe.core.bits);
        let surprise = bits + numbers(probe, entry) - also(is_other);
        Comparison::new(Relation::Affixed, surprise.max(0.0))
    } else if let Some(reordered) = reordered(probe, entry) {
        // All letters agree, so what else holds is part of it.
        return reordered;
    } else {
        edited(probe, entry)
    };
    met.or(contains(probe, entry))
        .or(truncated(probe, entry))
        .or(same_sound(probe, entry))
}

/// The key of a ring of letters; no pair of features is as long as its mark makes it.
fn ring_key(ring: &str) -> u64 {
    feature(Space::Pair, format!("ring of letters {ring}").as_bytes())
}

/// What the numbers of two handles tell, where their letters differ already: a stranger has any other. Negative where they
/// changed as well.
fn numbers(probe: &Handle<'_>, entry: &Handle<'_>) -> f32 {
    match (&*probe.number, &*entry.number) {
        ("", "") => 0.0,
        (own, other) if own == other => entry.number_bits(),
        (_, other) if number::stands_in(other, &probe.letters) => entry.number_bits(),
        (own, _) if number::stands_in(own, &entry.letters) => probe.number_bits(),
        _ => -MOVE_BITS,
    }
}

/// What a second change costs, where there is one.
fn also(is_changed: bool) -> f32 {
    if is_changed { MOVE_BITS } else { 0.0 }
}

fn reordered(probe: &Handle<'_>, entry: &Handle<'_>) -> Option<Comparison> {
    let ((key, own), (other, bits)) = probe.ring.zip(entry.ring)?;
    if key != other {
        return None;
    }
    // A number that is put in or left out is the one change.
    let told = match probe.number.is_empty() || entry.number.is_empty() {
        true => numbers(probe, entry).max(0.0),
        false => numbers(probe, entry),
    };
    let surprise = bits.min(own) - RING_BITS + told;
    Some(Comparison::new(Relation::Reordered, surprise.max(0.0)))
}

fn edited(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let len_min = probe.stem.len.min(entry.stem.len);
    let within = distance_max(usize::from(len_min));
    let Some(distance) = osa_within(&probe.stem.text, &entry.stem.text, within) else {
        return Comparison::DIFFERENT;
    };
    // An edit is one way to come to the probe's handle, so nobody is surer than the probe's own rarity tells; and an
    // entry of common letters has ordinary handles all around it.
    let off = EDIT_BITS * distance as f32;
    let surprise = entry.stem.bits.min(probe.stem.bits - off) + numbers(probe, entry);
    Comparison::new(Relation::edited(distance), surprise.max(0.0))
}

fn contains(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let Some(core) = entry.contained() else {
        return Comparison::DIFFERENT;
    };
    let Some(start) = place_of(core, &probe.whole.text) else {
        return Comparison::DIFFERENT;
    };
    // What stands around it is as likely as it is common: "tv" is a word people add, half a word is chance.
    let spelling = probe.spelling.as_ref();
    let inside = spelling.and_then(|known| known.inside(start, start + core.len()));
    let bits = inside.unwrap_or_else(|| {
        let surround = f32::from(probe.whole.len) - core.chars().count() as f32;
        entry.core.bits - (surround + 1.0).log2() - SURROUND_BITS * surround
    });
    // Words on both sides are two changes, and so are words taken away and others put in their place.
    let (own, old) = (&*probe.stem.text, &*entry.stem.text);
    let place = place_of(old, &probe.whole.text);
    let is_second = place.is_none_or(|at| at > 0 && at + old.len() < own.len());
    let surprise = entry.core.bits.min(bits) + numbers(probe, entry) - also(is_second);
    Comparison::new(Relation::Contains, surprise.max(0.0))
}

/// Where `part` first stands in `whole`. Both are short and meet seldom, so that the preparations of `str::find` would
/// cost more than the look.
fn place_of(part: &str, whole: &str) -> Option<usize> {
    let (part, whole) = (part.as_bytes(), whole.as_bytes());
    let first = part.first()?;
    let mut windows = whole.windows(part.len());
    windows.position(|window| window.first() == Some(first) && window == part)
}

fn truncated(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let whole = &entry.whole.text;
    if !probe
        .truncated()
        .is_some_and(|beginning| whole.starts_with(beginning))
    {
        return Comparison::DIFFERENT;
    }
    let cut = f32::from(entry.whole.len) - f32::from(probe.stem.len);
    // The old number goes with what is cut off; a number of its own is another change.
    let told = numbers(probe, entry);
    let told = if probe.number.is_empty() { 0.0 } else { told };
    // Less than half of a handle is another one's beginning as well.
    let is_short = cut > f32::from(probe.stem.len);
    let surprise = probe.stem.bits - (cut + 1.0).log2() + told - also(is_short);
    Comparison::new(Relation::Truncated, surprise.max(0.0))
}

fn same_sound(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    match (probe.sound, entry.sound) {
        (Some((key, own)), Some((other, bits))) if key == other => {
            let is_ascii = |handle: &Handle<'_>| handle.letters.is_ascii();
            let script_bits = match is_ascii(probe) == is_ascii(entry) {
                true => 0.0,
                false => SCRIPT_BITS,
            };
            let surprise = bits.min(own) + script_bits + numbers(probe, entry);
            Comparison::new(Relation::SameSound, surprise.max(0.0))
        }
        _ => Comparison::DIFFERENT,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(probe: &str, entry: &str) -> Comparison {
        let background = Background::starter();
        let of = |handle| Handle::of(handle, &background).unwrap();
        compare(&of(probe), &of(entry))
    }

    #[test]
    fn a_vowel_edited_is_an_edit() {
        for probe in ["zorvonidispatch", "zorvandispatch", "zorbanidispatch"] {
            let relation = compared(probe, "zorvanidispatch").relation;
            assert_eq!(relation, Relation::Edited1, "{probe}");
        }
    }

    #[test]
    fn an_edit_says_no_more_than_the_handle_it_leads_to_is_rare() {
        let from_rare = compared("johnsmith", "johnsmiqh").surprise;
        assert!(from_rare < compared("johnsmiqh", "johnsmith").surprise + EDIT_BITS);
        assert!(
            from_rare
                <= Handle::of("johnsmith", &Background::starter())
                    .unwrap()
                    .bits()
        );
    }

    #[test]
    fn a_core_among_words_of_its_own_is_no_chance() {
        let (word, half) = ("velmintratech", "gavelmintrax");
        let of = |probe| compared(probe, "velmintra");
        assert!(
            of(word).surprise > of(half).surprise,
            "{:?} {:?}",
            of(word),
            of(half)
        );
    }

    proptest::proptest! {
        #[test]
        fn a_part_is_found_where_the_library_finds_it(whole in "[abя]{0,9}", part in "[abя]{1,4}") {
            proptest::prop_assert_eq!(place_of(&part, &whole), whole.find(&part));
        }
    }
}

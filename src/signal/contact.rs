//! Contacts: the same phone, e-mail or wallet; and the probe that names the entry itself.

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::normalize::contact::{Contact, ContactKind};
use crate::normalize::lookalike::spelled;
use crate::normalize::parts::Parts;
use crate::normalize::unicode::words;
use crate::signal::handle::Handle;
use crate::signal::lead::Lead;
use crate::signal::packed::{Packer, Unpacker};
use crate::signal::relation::{Comparison, Crowd, Relation, Signal};
use crate::signal::weighted::WeightedSet;

/// Bits of a phone, e-mail or wallet nobody counted: they belong to one person.
const UNSEEN_BITS: f32 = 30.0;
/// Most bits of a mention or hashtag: others talk about the same things.
const MENTION_BITS_MAX: f32 = 12.0;
/// Most bits for naming the entry: reporters, victims and fans name it too.
const NAMED_BITS_MAX: f32 = 10.0;
/// Most bits of the handle that a probe says to follow: whoever quotes a handle copies it, however rare it is. About one
/// ordinary account in some hundreds names a banned one at all, which a list of hundreds of thousands shares.
const ANNOUNCED_BITS_MAX: f32 = 26.0;
/// Bits of saying so at all: one ordinary account in some dozens tells of an older one.
const ANNOUNCING_BITS: f32 = 6.0;
/// Words by which a new account says that it follows an old one, in the languages of design.md section 1.
const ANNOUNCING: [&str; 18] = [
    "backup",
    "suspended",
    "banned",
    "old",
    "previous",
    "former",
    "2nd",
    "alt",
    "deleted",
    "disabled",
    "restored",
    "پرانا",
    "سابقہ",
    "معطل",
    "القديم",
    "السابق",
    "احتياطي",
    "قبلی",
];

/// Shortest of these words that may have an ending of its own, and the longest ending, in letters: "formerly".
const ENDED_CHARS_MIN: usize = 5;
const ENDING_CHARS_MAX: usize = 3;

/// Words before a mention that may announce it: "backup account of @old", not "27 years old. I write about @old".
const ANNOUNCED_WITHIN: usize = 4;

/// An account's contacts and the handles it names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contacts<'a> {
    own: WeightedSet<'a>,
    named: Vec<u64>,
    announces: bool,
}

impl<'a> Contacts<'a> {
    /// Contacts found in the account's texts: its bio and name `text`, and its links, which lead to handles `named`.
    /// An account that names its `own` handle names nobody.
    pub fn of(
        (text, found): (&str, &[Contact]),
        named: &[String],
        own: Option<&Handle<'_>>,
        background: &Background,
    ) -> Self {
        let weighed = |contact: &Contact| {
            let key = feature(
                Space::Contact,
                format!("{:?}:{}", contact.kind, contact.key).as_bytes(),
            );
            let unseen = match contact.kind {
                ContactKind::Phone | ContactKind::Email | ContactKind::Wallet => UNSEEN_BITS,
                ContactKind::Mention | ContactKind::Hashtag => background
                    .text_bits(&spelled(&contact.key))
                    .min(MENTION_BITS_MAX),
            };
            (
                key,
                background
                    .feature_bits(Space::Contact, key)
                    .unwrap_or(unseen)
                    .min(unseen),
            )
        };
        let reach = WeightedSet::of(
            found
                .iter()
                .filter(|c| c.kind != ContactKind::Hashtag)
                .map(weighed)
                .collect(),
        );
        let mentions = found
            .iter()
            .filter(|contact| contact.kind == ContactKind::Mention)
            .map(|contact| &contact.key);
        let whole = |handle: &String| feature(Space::Whole, Parts::of(handle).whole.as_bytes());
        let mut named: Vec<u64> = mentions.chain(named).map(whole).collect();
        named.sort_unstable();
        named.dedup();
        if let Some(handle) = own {
            let own =
                [handle.whole(), handle.stem()].map(|text| feature(Space::Whole, text.as_bytes()));
            named.retain(|key| !own.contains(key));
        }
        let announces = !named.is_empty() && is_announced(text);
        Self {
            own: reach,
            named,
            announces,
        }
    }

    /// True when the account tells no contact and names nobody.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.named.is_empty()
    }

    /// The leads to accounts with a contact in common.
    pub fn leads(&self) -> impl Iterator<Item = Lead> + '_ {
        let same = |bits| Comparison::new(Relation::Same, bits);
        let leading = self.own.leading();
        leading.map(move |(key, bits)| Lead::counted(Signal::Contact, same(bits), key))
    }

    /// The leads to the entries whose handles a probe names.
    pub fn named_leads(&self) -> impl Iterator<Item = Lead> + '_ {
        let relation = match self.announces {
            true => Relation::Announces,
            false => Relation::NamesEntry,
        };
        let named = Comparison::new(relation, ANNOUNCED_BITS_MAX + ANNOUNCING_BITS);
        let named = move |key: &u64| Lead::loose(Signal::Contact, named, *key);
        self.named.iter().map(named)
    }

    /// Every contact.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.own.keys()
    }

    /// Writes what an entry is compared by: whom it names is asked of probes only.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        self.own.pack(packer);
    }

    /// Reads what [`Contacts::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            own: WeightedSet::unpack(unpacker)?,
            named: Vec::new(),
            announces: false,
        })
    }

    /// What an ordinary account's contacts teach the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.extend(self.own.iter().map(|(key, _)| (Space::Contact, key)));
    }
}

/// True where one of the [`ANNOUNCING`] words stands within [`ANNOUNCED_WITHIN`] words before a mention or link.
fn is_announced(text: &str) -> bool {
    let written: Vec<&str> = text.split_whitespace().collect();
    let is_reach = |word: &&str| word.contains('@') || word.contains('/');
    let reaches = written
        .iter()
        .enumerate()
        .filter(|(_, word)| is_reach(word));
    reaches.into_iter().any(|(at, _)| {
        let before = written
            .iter()
            .take(at)
            .skip(at.saturating_sub(ANNOUNCED_WITHIN));
        before
            .flat_map(|word| words(word))
            .any(|word| is_announcing(&word))
    })
}

fn is_announcing(word: &str) -> bool {
    let letters = |text: &str| text.chars().count();
    ANNOUNCING
        .iter()
        .any(|known| match word.strip_prefix(known) {
            Some("") => true,
            Some(ending) => {
                letters(known) >= ENDED_CHARS_MIN && letters(ending) <= ENDING_CHARS_MAX
            }
            None => false,
        })
}

/// How the probe's contacts relate to the entry's, and whether it names the entry's handle.
pub(crate) fn compare(
    probe: &Contacts<'_>,
    entry: &Contacts<'_>,
    entry_handle: Option<&Handle<'_>>,
    crowd: &Crowd<'_>,
) -> Comparison {
    let mut found = Comparison::MISSING;
    if !probe.own.is_empty() && !entry.own.is_empty() {
        found = match entry.own.strongest_shared(&probe.own, crowd) {
            0.0 => Comparison::DIFFERENT,
            surprise => Comparison::new(Relation::Same, surprise),
        };
    }
    let named = entry_handle.filter(|handle| {
        probe
            .named
            .binary_search(&feature(Space::Whole, handle.whole().as_bytes()))
            .is_ok()
    });
    match named {
        Some(handle) if probe.announces => found.or(Comparison::new(
            Relation::Announces,
            handle.bits().min(ANNOUNCED_BITS_MAX) + ANNOUNCING_BITS,
        )),
        Some(handle) => found.or(Comparison::new(
            Relation::NamesEntry,
            handle.bits().min(NAMED_BITS_MAX),
        )),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_announces_an_old_handle_says_so_before_it() {
        for text in [
            "Backup of @zorvani_desk",
            "formerly @zorvani_desk, back again",
            "my old account @zorvani_desk got banned",
        ] {
            assert!(is_announced(text), "{text}");
        }
        for text in [
            "27 years old. I write and paint. Thanks to @zorvani_desk",
            "formalities @zorvani_desk",
            "golden @zorvani_desk",
        ] {
            assert!(!is_announced(text), "{text}");
        }
    }
}

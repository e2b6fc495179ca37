//! Contacts: the same phone, e-mail or wallet; and the probe that names the entry itself.

use std::sync::LazyLock;

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::normalize::contact::{Contact, ContactKind};
use crate::normalize::lookalike::spelled;
use crate::normalize::parts::Parts;
use crate::normalize::unicode::{fold, words};
use crate::signal::crowd::Crowd;
use crate::signal::handle::Handle;
use crate::signal::lead::Lead;
use crate::signal::packed::{Packer, Unpacker};
use crate::signal::relation::{Comparison, Relation, Signal};
use crate::signal::weighted::{SECOND, WeightedSet};

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
/// Most bits of a handle that such a word stands behind ("@old suspended"): others tell of a ban in these words too, so it is
/// for a reviewer to look at.
const TOLD_BITS_MAX: f32 = 20.0;
/// Most bits of a mention where the texts agree as well: it came along with a template, a quote or an employer's rule.
const QUOTED_BITS_MAX: f32 = 2.0;
/// Words by which a new account says that it follows an old one, in the languages of design.md section 1.
const ANNOUNCING: [&str; 28] = [
    "backup",
    "suspended",
    "banned",
    "old",
    "previous",
    "prev",
    "former",
    "2nd",
    "alt",
    "deleted",
    "disabled",
    "restored",
    "terminated",
    "purana",
    "پرانا",
    "سابقہ",
    "متبادل",
    "معطل",
    "القديم",
    "السابق",
    "احتياطي",
    "بديل",
    "محظور",
    "محذوف",
    "قبلی",
    "مسدود",
    "زوړ",
    "پخوانی",
];

/// Shortest of these words that may have an ending of its own, and the longest ending, in letters: "formerly".
const ENDED_CHARS_MIN: usize = 5;
const ENDING_CHARS_MAX: usize = 3;

/// Words before a mention that may announce it: "backup account of @old", not "27 years old. I write about @old".
const ANNOUNCED_WITHIN: usize = 4;
/// Words behind a mention, in the same sentence, that may tell what became of it: "@old was suspended".
const TOLD_WITHIN: usize = 2;
/// Fewest letters of a handle that is known without an `@`.
const BARE_LETTERS_MIN: usize = 5;
/// Signs that end a sentence or a part of one.
const ENDS: [char; 12] = ['.', ',', ';', ':', '!', '?', '|', '•', '،', '؛', '؟', '۔'];

/// What a text says of a handle it names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Naming {
    /// Only that it is there.
    #[default]
    Mentions,
    /// That it was banned, or is another's older one.
    Tells,
    /// That the account follows it.
    Announces,
}

impl Naming {
    /// What naming a handle of so many bits like this suggests.
    fn of(self, bits: f32) -> Comparison {
        let (relation, surprise) = match self {
            Self::Mentions => (Relation::NamesEntry, bits.min(NAMED_BITS_MAX)),
            Self::Tells => (Relation::Announces, bits.min(TOLD_BITS_MAX)),
            Self::Announces => (
                Relation::Announces,
                bits.min(ANNOUNCED_BITS_MAX) + ANNOUNCING_BITS,
            ),
        };
        Comparison::new(relation, surprise)
    }
}

/// An account's contacts and the handles it names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contacts<'a> {
    own: WeightedSet<'a>,
    /// By key, each once.
    named: Vec<(u64, Naming)>,
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
        let mut handles = mentions.chain(named).peekable();
        // Most texts name nobody and are not read again.
        let said = match handles.peek().is_some() || text.contains(is_of_handles) {
            true => namings(text),
            false => Vec::new(),
        };
        let key = |whole: &str| feature(Space::Whole, whole.as_bytes());
        let whole = |handle: &String| {
            let whole = Parts::of(handle).whole;
            let said = said.iter().filter(|said| said.whole.contains(&whole));
            let naming = said.map(|said| said.naming).max().unwrap_or_default();
            (key(&whole), naming)
        };
        let mut named: Vec<(u64, Naming)> = handles.map(whole).collect();
        let bare = said.iter().filter(|said| said.is_bare);
        named.extend(bare.map(|said| (key(&said.whole), said.naming)));
        // Of equal keys the one that says most comes first and stays.
        named.sort_unstable_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
        named.dedup_by_key(|(key, _)| *key);
        if let Some(handle) = own {
            let own =
                [handle.whole(), handle.stem()].map(|text| feature(Space::Whole, text.as_bytes()));
            named.retain(|(key, _)| !own.contains(key));
        }
        Self { own: reach, named }
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
        let named = |(key, naming): &(u64, Naming)| {
            Lead::loose(Signal::Contact, naming.of(f32::INFINITY), *key)
        };
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
        })
    }

    /// What an ordinary account's contacts teach the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.extend(self.own.iter().map(|(key, _)| (Space::Contact, key)));
    }
}

/// A word of a text that may hold a handle.
struct Said {
    /// In coarse letters.
    whole: String,
    naming: Naming,
    /// Written without an `@`, so that only what stands before it tells that it is a handle.
    is_bare: bool,
}

/// The words of a text that may hold a handle, and what is said of each: [`ANNOUNCING`] words stand within
/// [`ANNOUNCED_WITHIN`] words before it or [`TOLD_WITHIN`] behind it. Of what only looks like a handle those that are announced.
fn namings(text: &str) -> Vec<Said> {
    let written: Vec<&str> = text.split_whitespace().collect();
    let is_said = |said: &[&str]| {
        let mut said = said.iter().flat_map(|word| words(word));
        said.any(|word| is_announcing(&word))
    };
    let naming = |at: usize| {
        let before = written.get(at.saturating_sub(ANNOUNCED_WITHIN)..at);
        if before.is_some_and(is_said) {
            return Naming::Announces;
        }
        let behind = written.get(at + 1..).unwrap_or_default();
        let last = written
            .iter()
            .skip(at)
            .position(|word| word.ends_with(ENDS));
        let len = TOLD_WITHIN
            .min(behind.len())
            .min(last.unwrap_or(TOLD_WITHIN));
        match behind.get(..len).is_some_and(is_said) {
            true => Naming::Tells,
            false => Naming::Mentions,
        }
    };
    let said = |(at, word): (usize, &&str)| {
        let is_reach = word.contains('@') || word.contains('/');
        let is_bare = !is_reach && is_bare_handle(word);
        let naming = (is_reach || is_bare).then(|| naming(at))?;
        (is_reach || naming == Naming::Announces).then(|| Said {
            whole: Parts::of(word).whole,
            naming,
            is_bare,
        })
    };
    written.iter().enumerate().filter_map(said).collect()
}

/// Signs that words of prose do not have, and handles often.
fn is_of_handles(c: char) -> bool {
    c == '_' || c.is_ascii_digit()
}

/// Whether a word is written as handles are and words are not: with an underscore, or with a number of two digits behind its letters.
fn is_bare_handle(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_whole = word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let number = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    is_whole && letters >= BARE_LETTERS_MIN && (word.contains('_') || number >= 2)
}

fn is_announcing(word: &str) -> bool {
    static FOLDED: LazyLock<[String; ANNOUNCING.len()]> = LazyLock::new(|| ANNOUNCING.map(fold));
    let letters = |text: &str| text.chars().count();
    let mut known = FOLDED.iter();
    known.any(|known| match word.strip_prefix(&**known) {
        Some("") => true,
        Some(ending) => letters(known) >= ENDED_CHARS_MIN && letters(ending) <= ENDING_CHARS_MAX,
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
        found = match entry
            .own
            .strongest_shared(&probe.own, |key, bits| crowd.capped_by_share(key, bits))
        {
            0.0 => Comparison::DIFFERENT,
            surprise => Comparison::new(Relation::Same, surprise),
        };
    }
    let named = entry_handle.and_then(|handle| {
        let key = feature(Space::Whole, handle.whole().as_bytes());
        let at = probe.named.binary_search_by_key(&key, |(key, _)| *key);
        Some((handle, probe.named.get(at.ok()?)?.1))
    });
    match named {
        Some((handle, naming)) => found.or(naming.of(handle.bits())),
        None => found,
    }
}

/// The contacts of a pair whose texts relate like `texts`: a mention that came along with the text tells little beside it.
pub(crate) fn beside(contacts: Comparison, texts: Relation) -> Comparison {
    // Rarer than two mentions are only numbers and addresses, which a template does not lend.
    let is_mention = contacts.surprise <= (1.0 + SECOND) * MENTION_BITS_MAX;
    match (contacts.relation, texts) {
        (Relation::Same, Relation::Same | Relation::MostWords | Relation::HalfWords)
            if is_mention =>
        {
            Comparison::new(Relation::Same, contacts.surprise.min(QUOTED_BITS_MAX))
        }
        _ => contacts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Naming) {
        let said = namings(text);
        let desk = said.iter().find(|said| said.whole.contains("zorvanidesk"));
        assert_eq!(desk.unwrap().naming, expected, "{text}");
    }

    #[test]
    fn who_announces_an_old_handle_says_so_before_it() {
        for text in [
            "Backup of @zorvani_desk",
            "formerly @zorvani_desk, back again",
            "my old account @zorvani_desk got banned",
            "prev @zorvani_desk",
            "زوړ اکاونټ @zorvani_desk",
            "حساب قبلی @zorvani_desk",
            "حساب بديل @zorvani_desk",
            "Backup ID of zorvani_desk",
            "old id: zorvani_desk (gone)",
            "my 2nd account, the old one was zorvanidesk786",
        ] {
            check(text, Naming::Announces);
        }
        for text in [
            "27 years old. I write and paint. Thanks to @zorvani_desk",
            "formalities @zorvani_desk",
            "golden @zorvani_desk",
            "I read @zorvani_desk. 27 years old",
            "Reporter, ex @zorvani_desk | old school",
        ] {
            check(text, Naming::Mentions);
        }
    }

    #[test]
    fn a_word_is_a_handle_only_where_it_is_announced_and_written_as_one() {
        for text in [
            "27 years old, Lahore",
            "old school since 1999",
            "ex covid_19 volunteer",
            "I like zorvani_desk",
            "old b2b sales, 24_7",
        ] {
            assert!(namings(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_stands_behind_a_handle_tells_less_of_whose_it_was() {
        for text in [
            "@zorvani_desk was suspended",
            "back again! @zorvani_desk banned",
        ] {
            check(text, Naming::Tells);
        }
        assert!(Naming::Tells.of(40.0).surprise < Naming::Announces.of(40.0).surprise - 8.0);
    }

    #[test]
    fn an_old_handle_of_ones_own_announces_no_other() {
        let text = "my old account @anna_weller is gone. I write about the men of Zorvani, among them @zorvani_desk";
        check(text, Naming::Mentions);
    }

    #[test]
    fn a_mention_in_the_same_text_is_told_by_the_text() {
        let (mention, phone) = [12.0, 30.0]
            .map(|bits| Comparison::new(Relation::Same, bits))
            .into();
        for texts in [Relation::Same, Relation::MostWords, Relation::HalfWords] {
            assert!(beside(mention, texts).surprise <= QUOTED_BITS_MAX);
            assert_eq!(beside(phone, texts), phone);
        }
        for texts in [Relation::Missing, Relation::Different, Relation::FewWords] {
            assert_eq!(beside(mention, texts), mention);
        }
    }
}

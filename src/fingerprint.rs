//! One value per signal: all that screening ever compares.
//!
//! A fingerprint is a pure function of the account, the background and the secret that keys tokens, so it can be thrown
//! away and made again; rarities are looked up here once and carried along.

use std::collections::HashSet;

use crate::account::{Account, Token, TokenValue};
use crate::background::{Background, Observation};
use crate::hash::Secret;
use crate::hash::feature::{Space, feature};
use crate::normalize::contact::contacts_in;
use crate::normalize::links::links_in;
use crate::normalize::lookalike::spelled;
use crate::normalize::romanize::romanized;
use crate::normalize::unicode::{fold, words};
use crate::normalize::url::{LinkKey, link_key};
use crate::signal::avatar::Picture;
use crate::signal::bio::Bio;
use crate::signal::contact::Contacts;
use crate::signal::handle::Handle;
use crate::signal::lead::Lead;
use crate::signal::link::Links;
use crate::signal::name::Name;
use crate::signal::packed::{Packer, Unpacker, rounded};
use crate::signal::token::{TokenKey, Tokens};

/// Raised whenever the same account would get another fingerprint; stored with decisions.
pub(crate) const NORMALIZER_VERSION: u32 = 9;
/// Words of a bio that teach what handles are made of: about as many as a handle has, so that a word weighs there as it does
/// in one.
const SPOKEN_WORDS: usize = 2;
/// Shortest of them, in bytes.
const SPOKEN_LEN_MIN: usize = 3;
/// Words of a bio among which they are drawn.
const SPOKEN_AMONG_MAX: usize = 256;
/// Letters of a name's word that must stand in the handle for the handle to tell the name.
const TOLD_CHARS_MIN: usize = 3;

/// The signal values of one account; what the account does not tell is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fingerprint<'a> {
    /// The handle's normal forms.
    pub handle: Option<Handle<'a>>,
    /// The name's words.
    pub name: Option<Name<'a>>,
    /// The bio's words.
    pub bio: Option<Bio<'a>>,
    /// The picture's hash, unless it is too flat.
    pub picture: Option<Picture>,
    /// Links of the profile's fields and of its texts.
    pub links: Links<'a>,
    /// Contacts found in the texts.
    pub contacts: Contacts<'a>,
    /// The platform's opaque identifiers.
    pub tokens: Tokens<'a>,
    /// Share of the name's rarity that the handle already tells, 0 to 1.
    pub name_told: f32,
}

impl<'a> Fingerprint<'a> {
    /// The fingerprint of `account`. Pure; some tens of microseconds.
    pub fn of(account: &Account, background: &Background, secret: &Secret) -> Self {
        let links = links_of(account);
        let texts = format!("{}\n{}", account.display_name, account.bio);
        let named: Vec<String> = links.iter().filter_map(handle_linked).collect();
        let reachable: String = account
            .links
            .iter()
            .filter(|link| link.starts_with("tel:") || link.starts_with("mailto:"))
            .cloned()
            .collect::<Vec<_>>()
            .join("\n");
        let contacts = contacts_in(&format!("{texts}\n{reachable}"));
        let handle = Handle::of(&account.handle, background);
        let name = Name::of(&account.display_name, background);
        Self {
            name_told: handle
                .as_ref()
                .zip(name.as_ref())
                .map_or(0.0, |(handle, name)| rounded(told(handle, name))),
            bio: Bio::of(&account.bio, background),
            picture: account
                .avatar
                .as_ref()
                .and_then(|avatar| Picture::of(avatar, background)),
            links: Links::of(&links, background),
            contacts: Contacts::of((&texts, &contacts), &named, handle.as_ref(), background),
            tokens: Tokens::of(&keyed_tokens(account, secret), background),
            handle,
            name,
        }
    }

    /// Every lead to accounts that may agree with this one, or under which this one is found.
    pub fn leads(&self) -> Vec<Lead> {
        let mut leads = Vec::with_capacity(64);
        if let Some(handle) = &self.handle {
            handle.leads(&mut leads);
        }
        if let Some(name) = &self.name {
            name.leads(&mut leads);
        }
        if let Some(bio) = &self.bio {
            bio.leads(&mut leads);
        }
        leads.extend(self.links.leads());
        leads.extend(self.contacts.leads());
        leads.extend(self.tokens.leads());
        leads
    }

    /// Leads that a probe asks for and no account is found under.
    pub(crate) fn asked_leads(&self) -> Vec<Lead> {
        let mut leads: Vec<Lead> = self.contacts.named_leads().collect();
        if let Some(handle) = &self.handle {
            handle.asked_leads(&mut leads);
        }
        if let Some(name) = &self.name {
            name.asked_leads(&mut leads);
        }
        if let Some(bio) = &self.bio {
            bio.asked_leads(&mut leads);
        }
        leads
    }

    /// The whole values a probe is compared by, as the crowd is asked for them.
    pub(crate) fn values(&self) -> Vec<u64> {
        let name = self.name.as_ref().map(Name::key);
        let bio = self.bio.as_ref().map(Bio::key);
        let picture = self.picture.as_ref().map(Picture::key);
        let mut values: Vec<u64> = [name, bio, picture].into_iter().flatten().collect();
        values.extend(self.links.keys());
        values.extend(self.contacts.keys());
        values.extend(self.tokens.keys());
        values
    }

    /// Writes what an entry is compared by.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        let told = [
            self.handle.is_some(),
            self.name.is_some(),
            self.bio.is_some(),
            self.picture.is_some(),
        ];
        packer.len(
            (0..)
                .zip(told)
                .map(|(bit, told)| usize::from(told) << bit)
                .sum(),
        );
        packer.bits(self.name_told);
        if let Some(handle) = &self.handle {
            handle.pack(packer);
        }
        if let Some(name) = &self.name {
            name.pack(packer);
        }
        if let Some(bio) = &self.bio {
            bio.pack(packer);
        }
        if let Some(picture) = &self.picture {
            picture.pack(packer);
        }
        self.links.pack(packer);
        self.contacts.pack(packer);
        self.tokens.pack(packer);
    }

    /// Reads what [`Fingerprint::pack`] wrote, borrowing from it; `None` for bytes that are none. Copies no text.
    pub(crate) fn unpack(packed: &'a [u8]) -> Option<Self> {
        let mut unpacker = Unpacker::of(packed);
        let from = &mut unpacker;
        let told = from.len()?;
        let name_told = from.bits()?;
        Some(Self {
            name_told,
            handle: told_at(told, 0, || Handle::unpack(from))?,
            name: told_at(told, 1, || Name::unpack(from))?,
            bio: told_at(told, 2, || Bio::unpack(from))?,
            picture: told_at(told, 3, || Picture::unpack(from))?,
            links: Links::unpack(from)?,
            contacts: Contacts::unpack(from)?,
            tokens: Tokens::unpack(from)?,
        })
    }

    /// What this account teaches the background, were it an ordinary one.
    pub fn observation(&self, account: &Account) -> Observation {
        let mut observation = Observation::default();
        let features = &mut observation.features;
        let mut terms: HashSet<String> = HashSet::new();
        if let Some(handle) = &self.handle {
            handle.observe(features);
            terms.extend(
                words(&split_camel(&account.handle))
                    .iter()
                    .map(|word| spelled(&bare(word))),
            );
            observation.texts.push(spelled(handle.stem()));
        }
        if let Some(name) = &self.name {
            name.observe(features);
            terms.extend(name.words().map(|word| bare(&spelled(word.text()))));
        }
        terms.extend(spoken(account));
        features.extend(
            terms
                .iter()
                .map(|term| (Space::Term, feature(Space::Term, term.as_bytes()))),
        );
        if let Some(bio) = &self.bio {
            bio.observe(features);
        }
        if let Some(picture) = &self.picture {
            picture.observe(features);
        }
        self.links.observe(features);
        self.contacts.observe(features);
        self.tokens.observe(features);
        observation
    }
}

/// Reads a value if bit `bit` of `told` says that it was written; the outer `None` is damage.
fn told_at<T>(told: usize, bit: u32, read: impl FnOnce() -> Option<T>) -> Option<Option<T>> {
    match told >> bit & 1 {
        0 => Some(None),
        _ => read().map(Some),
    }
}

/// The account's tokens in the only form that is kept.
pub(crate) fn keyed_tokens(account: &Account, secret: &Secret) -> Vec<TokenKey> {
    let key = |token: &Token| TokenKey {
        name: token.name.clone(),
        digest: match &token.value {
            TokenValue::Opaque(value) => secret.keyed(&token.name, value).0,
            TokenValue::Keyed(digest) => *digest,
        },
    };
    account.tokens.iter().map(key).collect()
}

/// Links of the profile's own fields and of its name and bio.
pub(crate) fn links_of(account: &Account) -> Vec<LinkKey> {
    let in_texts = [&account.bio, &account.display_name]
        .into_iter()
        .flat_map(|text| links_in(text));
    account
        .links
        .iter()
        .cloned()
        .chain(in_texts)
        .filter_map(|link| link_key(&link))
        .collect()
}

/// The handle a link of the form `host/handle` leads to.
fn handle_linked(link: &LinkKey) -> Option<String> {
    let (_, path) = link.key.split_once('/')?;
    let handle = path
        .strip_prefix("profile/")
        .unwrap_or(path)
        .trim_start_matches('@');
    (!handle.is_empty() && !handle.contains(['/', '?', '+', '='])).then(|| handle.to_owned())
}

/// Share of the name's bits whose letters stand in the handle.
fn told(handle: &Handle<'_>, name: &Name<'_>) -> f32 {
    if name.joined() == handle.whole() || name.joined() == handle.stem() {
        return 1.0;
    }
    let letters = romanized(&fold(handle.letters())).replace(' ', "");
    let all: f32 = name.words().map(|word| word.bits()).sum();
    let told: f32 = name
        .words()
        .filter(|word| {
            let latin = romanized(word.text());
            latin.chars().count() >= TOLD_CHARS_MIN && letters.contains(&latin)
        })
        .map(|word| word.bits())
        .sum();
    told / all.max(1.0)
}

fn split_camel(handle: &str) -> String {
    let mut text = String::with_capacity(handle.len() + 4);
    let mut before = ' ';
    for c in handle.chars() {
        if (before.is_lowercase() && c.is_uppercase()) || !c.is_alphanumeric() {
            text.push(' ');
        }
        text.push(c);
        before = c;
    }
    text
}

/// Some words of the bio, by chance but always the same: people make handles of the words they use, and most of those no
/// handle of the background shows set off from others.
fn spoken(account: &Account) -> Vec<String> {
    let chance = |word: &str| {
        let drawn = format!("{} {word}", account.id.as_str());
        feature(Space::Pair, drawn.as_bytes())
    };
    let found = words(&account.bio).into_iter().take(SPOKEN_AMONG_MAX);
    let found = found.map(|word| bare(&spelled(&word)));
    let mut drawn: Vec<(u64, String)> = found
        .filter(|word| word.len() >= SPOKEN_LEN_MIN)
        .map(|word| (chance(&word), word))
        .collect();
    drawn.sort_unstable();
    drawn.dedup();
    drawn
        .into_iter()
        .take(SPOKEN_WORDS)
        .map(|(_, word)| word)
        .collect()
}

fn bare(word: &str) -> String {
    word.trim_matches(|c: char| c.is_ascii_digit())
        .replace(' ', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountDraft;
    use proptest::prelude::*;

    fn packed(fingerprint: &Fingerprint<'_>) -> Vec<u8> {
        let mut packer = Packer::default();
        fingerprint.pack(&mut packer);
        packer.bytes().to_vec()
    }

    fn keys(fingerprint: &Fingerprint<'_>) -> Vec<(u64, u32)> {
        let leads = fingerprint.leads();
        let keys = leads.iter().map(|lead| (lead.key, lead.signal as u32));
        keys.collect()
    }

    #[test]
    fn a_bio_teaches_a_few_of_its_words() {
        let taught = |bio: &str| {
            let draft = AccountDraft {
                id: "x:1".into(),
                bio: bio.into(),
                ..AccountDraft::default()
            };
            let account = draft.check().unwrap();
            let made = Fingerprint::of(&account, &Background::starter(), &Secret::new([7; 32]));
            let features = made.observation(&account).features;
            let terms = features.into_iter().filter(|(s, _)| *s == Space::Term);
            terms.map(|(_, term)| term).collect::<Vec<u64>>()
        };
        assert_eq!(
            taught("of a grasshopper"),
            [feature(Space::Term, b"grasshopper")]
        );
        let long = taught("the grasshopper leaps over unbreakable punchcards");
        assert_eq!(long.len(), SPOKEN_WORDS);
        // However often it is said.
        assert_eq!(taught("unbreakable unbreakable unbreakable").len(), 1);
    }

    proptest! {
        #[test]
        fn an_account_read_back_is_found_under_the_same_keys(
            handle in "[a-zA-Z0-9_.]{1,30}|\\PC{1,20}",
            name in "\\PC{0,40}|[A-Z][a-z]{1,9}( [A-Z][a-z]{1,9}){0,3}",
            bio in "\\PC{0,80}|([a-z]{2,9} ){0,20}",
        ) {
            let draft = AccountDraft { id: "x:1".into(), handle, display_name: name, bio, ..AccountDraft::default() };
            if let Ok(account) = draft.check() {
                let made = Fingerprint::of(&account, &Background::starter(), &Secret::new([7; 32]));
                let bytes = packed(&made);
                let read = Fingerprint::unpack(&bytes).unwrap();
                prop_assert_eq!(packed(&read), bytes.clone());
                prop_assert_eq!(keys(&read), keys(&made));
            }
        }
    }
}

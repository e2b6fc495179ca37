//! Tokens: the platform says that the device, e-mail, phone or network prefix is the same, and not which it is.

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::signal::crowd::Crowd;
use crate::signal::lead::Lead;
use crate::signal::packed::{Packer, Unpacker};
use crate::signal::relation::{Comparison, Relation, Signal};
use crate::signal::weighted::WeightedSet;

/// Bits of an identifier nobody counted, by what its name says it is. Whole offices and carriers share a network prefix;
/// families and shops share a device; an e-mail or phone is one person's.
const UNSEEN_BITS: [(&str, f32); 8] = [
    ("ip", 4.0),
    ("network", 4.0),
    ("prefix", 4.0),
    ("email", 30.0),
    ("mail", 30.0),
    ("phone", 30.0),
    ("device", 26.0),
    ("fingerprint", 26.0),
];
/// Bits of an identifier whose name says nothing.
const UNKNOWN_BITS: f32 = 12.0;

/// A token as it is compared: its name and keyed digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// What kind of identifier the platform says it is.
    pub name: String,
    /// HMAC of name and value.
    pub digest: [u8; 16],
}

/// An account's tokens with their rarities.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tokens<'a>(WeightedSet<'a>);

impl<'a> Tokens<'a> {
    /// The tokens' keys and rarities.
    pub fn of(tokens: &[TokenKey], background: &Background) -> Self {
        let weighed = |token: &TokenKey| {
            let key = feature(Space::Token, &token.digest);
            let unseen = unseen_bits(&token.name);
            (
                key,
                background
                    .feature_bits(Space::Token, key)
                    .unwrap_or(unseen)
                    .min(unseen),
            )
        };
        Self(WeightedSet::of(tokens.iter().map(weighed).collect()))
    }

    /// True when the platform passed none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The leads to accounts with a token in common.
    pub fn leads(&self) -> impl Iterator<Item = Lead> + '_ {
        let same = |bits| Comparison::new(Relation::Same, bits);
        let leading = self.0.leading();
        leading.map(move |(key, bits)| Lead::counted(Signal::Token, same(bits), key))
    }

    /// Every token.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.keys()
    }

    /// Writes the tokens.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        self.0.pack(packer);
    }

    /// Reads what [`Tokens::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self(WeightedSet::unpack(unpacker)?))
    }

    /// What an ordinary account's tokens teach the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.extend(self.0.iter().map(|(key, _)| (Space::Token, key)));
    }
}

/// How the probe's tokens relate to the entry's.
pub(crate) fn compare(probe: &Tokens<'_>, entry: &Tokens<'_>, crowd: &Crowd<'_>) -> Comparison {
    if probe.is_empty() || entry.is_empty() {
        return Comparison::MISSING;
    }
    match entry
        .0
        .strongest_shared(&probe.0, |key, bits| crowd.capped_by_share(key, bits))
    {
        0.0 => Comparison::DIFFERENT,
        surprise => Comparison::new(Relation::Same, surprise),
    }
}

fn unseen_bits(name: &str) -> f32 {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let known = UNSEEN_BITS.iter().find(|(word, _)| words.contains(word));
    known.map_or(UNKNOWN_BITS, |(_, bits)| *bits)
}

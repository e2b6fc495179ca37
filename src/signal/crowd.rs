//! Who else has a value: what many carry tells little of any of them.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::hash::spread::Spread;

/// The entries of the watchlist that carry a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carriers {
    /// All of them.
    pub all: u32,
    /// Networks they are of, [`Crowd::CARRIERS_MIN`] at most, counted where the carriers are not too many.
    pub networks: u32,
}

/// How many entries of the watchlist carry a value, and how many ordinary accounts: what many carry tells little of any
/// of them.
pub struct Crowd<'a> {
    entries: u32,
    carriers: &'a dyn Fn(u64, u32) -> Carriers,
    /// -log2 of the share of screened accounts with a value, where it was seen more than once.
    ordinary: &'a dyn Fn(u64) -> Option<f32>,
    known: RefCell<HashMap<u64, Carriers, Spread>>,
}

impl<'a> Crowd<'a> {
    /// From this many carriers on, a picture, a text or a name is no rarer than its share of the watchlist: default
    /// pictures, flags, proverbs and common names come by the hundred, one operator's own by the dozen.
    pub const CARRIERS_MIN: u32 = 16;
    /// What is handed around on purpose (links, contacts, tokens) is common only from one entry in a thousand on.
    pub const SHARE_MIN: u32 = 1_000;

    /// From so many networks on a link is not handed around by one operator or an ally: it is everybody's.
    pub const LINKING_MIN: u32 = 3;
    /// Carriers of a link up to which their networks are counted: to here a share of the list caps it late.
    pub const LINKED_MAX: u32 = 1_000;

    /// The crowds of a watchlist of `entries`, on which `carriers` counts the carriers of a key, and their networks where
    /// they are fewer than so many; and of the screened accounts, of which `ordinary` knows how rare a key is among them.
    pub fn new(
        entries: u32,
        carriers: &'a dyn Fn(u64, u32) -> Carriers,
        ordinary: &'a dyn Fn(u64) -> Option<f32>,
    ) -> Self {
        Self {
            entries,
            carriers,
            ordinary,
            known: RefCell::default(),
        }
    }

    /// Notes the carriers of `key`, so that they are not counted again.
    pub fn note(&self, key: u64, carriers: Carriers) {
        self.known.borrow_mut().insert(key, carriers);
    }

    /// The carriers of every key that was asked for or noted, by key.
    pub fn counted(&self) -> Vec<(u64, Carriers)> {
        let known = self.known.borrow();
        let mut counted: Vec<(u64, Carriers)> = known.iter().map(|(key, c)| (*key, *c)).collect();
        counted.sort_unstable_by_key(|(key, _)| *key);
        counted
    }

    /// A list shorter than this is no sample of what is common: two networks may share a picture by chance.
    const SAMPLE_MIN: u32 = 100_000;
    /// How many times less likely that is of every further network, as a power of two.
    const FURTHER_BITS: u32 = 3;

    /// `bits` of a picture, text or name, or less where at least [`Crowd::CARRIERS_MIN`] entries carry `key`, or those of
    /// several networks: what unrelated operators have in common, others have too, as often as the list says.
    pub fn capped(&self, key: u64, bits: f32) -> f32 {
        let bits = self.capped_from(Self::CARRIERS_MIN, key, bits);
        match self.carriers(key, Self::CARRIERS_MIN).networks {
            0 | 1 => bits,
            networks => bits.min(self.shared_bits(networks)),
        }
    }

    /// `bits` of a link, or less where entries of [`Crowd::LINKING_MIN`] networks carry `key`: a charity, a paper, a song.
    pub fn capped_link(&self, key: u64, bits: f32) -> f32 {
        let networks = self.carriers(key, Self::LINKED_MAX).networks;
        let bits = self.capped_by_share(key, bits);
        match networks >= Self::LINKING_MIN {
            true => bits.min(self.shared_bits(networks)),
            false => bits,
        }
    }

    /// Rarity of what so many unrelated operators have.
    fn shared_bits(&self, networks: u32) -> f32 {
        let further = Self::FURTHER_BITS * networks.saturating_sub(2);
        let sample_min = Self::SAMPLE_MIN.checked_shr(further).unwrap_or_default();
        let sample = self.entries.max(sample_min).max(networks);
        (sample as f32 / networks as f32).log2()
    }

    /// `bits` of a link, contact or token, or less where at least one entry in [`Crowd::SHARE_MIN`] carries `key`.
    pub fn capped_by_share(&self, key: u64, bits: f32) -> f32 {
        let carriers_min = (self.entries / Self::SHARE_MIN).max(4 * Self::CARRIERS_MIN);
        self.capped_from(carriers_min, key, bits)
    }

    fn capped_from(&self, carriers_min: u32, key: u64, bits: f32) -> f32 {
        let bits = (self.ordinary)(key).map_or(bits, |ordinary| bits.min(ordinary));
        let carriers = self.carriers(key, Self::CARRIERS_MIN).all;
        if carriers < carriers_min {
            return bits;
        }
        bits.min((self.entries.max(carriers) as f32 / carriers as f32).log2())
    }

    fn carriers(&self, key: u64, networked_max: u32) -> Carriers {
        let known = self.known.borrow().get(&key).copied();
        if let Some(carriers) = known {
            return carriers;
        }
        let carriers = (self.carriers)(key, networked_max);
        self.note(key, carriers);
        carriers
    }
}

//! Profile pictures: the same picture after re-compression, resizing, small crops, mirroring or turning.

use std::sync::OnceLock;

use crate::account::Avatar;
use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::hash::{Pdq, dihedral};
use crate::signal::crowd::Crowd;
use crate::signal::packed::{Packer, Unpacker, rounded};
use crate::signal::relation::{Comparison, LEADING_BITS_MIN, Relation};

/// Below this PDQ quality a picture is too flat to be evidence (threatexchange discards the same).
pub(crate) const QUALITY_MIN: u8 = 50;
/// Most bits that differ in pictures taken for the same (threatexchange's match distance).
pub(crate) const DISTANCE_MAX: u32 = 31;
/// Most bits that differ in pictures taken for the same after turning or mirroring: turning costs 6 bits on average
/// (`src/hash/pdq.rs`), and below 16 an index of 16 chunks finds them by equal chunks, eight times cheaper than to 31.
const TURNED_DISTANCE_MAX: u32 = 15;
/// Most bits of a picture nobody counted, however many accounts were: one in some millions uses any given one.
const UNSEEN_BITS: f32 = 22.0;
/// Bits lost for a looser distance or for looking at eight turned versions.
const LOOSE_BITS: f32 = 2.0;
/// Pieces of a hash that are counted; copies within a few bits share some of them.
const PIECES: usize = 8;
/// A picture is as common as its piece of this rank, so that one piece shared by chance does not make it common.
const PIECE_RANK: usize = 2;

/// A picture's hash, its turned versions, and its rarity.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pdq: Pdq,
    bits: f32,
    /// The turned versions, once asked for: only probes are.
    turned: OnceLock<Box<[Pdq; 8]>>,
}

impl Picture {
    /// The picture's hash, or `None` where it is too flat to be evidence.
    pub fn of(avatar: &Avatar, background: &Background) -> Option<Self> {
        if avatar.quality < QUALITY_MIN {
            return None;
        }
        let pdq = Pdq::from_bytes(&avatar.pdq);
        let pieces: Vec<u64> = pieces(&pdq).collect();
        pieces.iter().for_each(|piece| background.ahead(*piece));
        let counted = |piece: &u64| background.feature_bits(Space::Picture, *piece);
        let mut counted: Vec<f32> = pieces.iter().filter_map(counted).collect();
        counted.sort_by(f32::total_cmp);
        let unseen = background.unseen_bits(Space::Picture).min(UNSEEN_BITS);
        let bits = counted.get(PIECE_RANK - 1).copied().unwrap_or(unseen);
        let bits = rounded(bits.min(unseen));
        Some(Self {
            pdq,
            bits,
            turned: OnceLock::new(),
        })
    }

    /// The hash.
    pub fn pdq(&self) -> &Pdq {
        &self.pdq
    }

    /// The eight turned and mirrored versions of the hash, itself first.
    pub fn turned(&self) -> &[Pdq; 8] {
        self.turned.get_or_init(|| Box::new(dihedral(&self.pdq)))
    }

    /// True where the picture is rare enough to lead to candidates.
    pub fn leads(&self) -> bool {
        self.bits >= LEADING_BITS_MIN
    }

    /// The turned versions of a picture that is not too flat, before anything else is known of it.
    pub(crate) fn turned_of(avatar: &Avatar) -> Option<[Pdq; 8]> {
        let is_told = avatar.quality >= QUALITY_MIN;
        is_told.then(|| dihedral(&Pdq::from_bytes(&avatar.pdq)))
    }

    /// The key that counts the picture's carriers on the watchlist.
    pub fn key(&self) -> u64 {
        feature(Space::Picture, &self.pdq.to_bytes())
    }

    /// Writes the picture.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        self.pdq.0.iter().for_each(|word| packer.key(*word));
        packer.bits(self.bits);
    }

    /// Reads what [`Picture::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'_>) -> Option<Self> {
        let mut words = [0; 4];
        for word in &mut words {
            *word = unpacker.key()?;
        }
        Some(Self {
            pdq: Pdq(words),
            bits: unpacker.bits()?,
            turned: OnceLock::new(),
        })
    }

    /// Rarity, in bits.
    pub(crate) fn bits(&self) -> f32 {
        self.bits
    }

    /// What an ordinary account's picture teaches the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.extend(pieces(&self.pdq).map(|piece| (Space::Picture, piece)));
    }
}

/// Most bits that differ from the probe's hash turned by `turn` (the order of [`dihedral`]): as it is and mirrored left to
/// right, which is what people do to a picture, they may differ as much as any two copies.
pub(crate) const fn distance_max(turn: usize) -> u32 {
    match turn {
        0 | 1 => DISTANCE_MAX,
        _ => TURNED_DISTANCE_MAX,
    }
}

/// How the probe's picture relates to the entry's. Eight distances.
pub(crate) fn compare(probe: &Picture, entry: &Picture, crowd: &Crowd<'_>) -> Comparison {
    let bits = crowd.capped(probe.key(), entry.bits.min(probe.bits));
    let straight = probe.pdq.distance(&entry.pdq);
    let turned = || {
        let turns = (0..).zip(probe.turned());
        let distances = turns.map(|(turn, pdq)| (turn, pdq.distance(&entry.pdq)));
        distances
            .filter(|(turn, distance)| *distance <= distance_max(*turn))
            .map(|(_, distance)| distance)
            .min()
    };
    let (relation, surprise, distance) = match straight {
        0..=10 => (Relation::Near10, bits, straight),
        11..=20 => (Relation::Near20, bits, straight),
        21..=DISTANCE_MAX => (Relation::Near31, bits - LOOSE_BITS, straight),
        _ => match turned() {
            Some(distance) => (Relation::Turned, bits - LOOSE_BITS, distance),
            None => (Relation::Different, 0.0, straight),
        },
    };
    Comparison {
        relation,
        surprise: surprise.max(0.0),
        distance: distance as u16,
    }
}

fn pieces(pdq: &Pdq) -> impl Iterator<Item = u64> {
    let bytes = pdq.to_bytes();
    let piece_len = bytes.len() / PIECES;
    (0..PIECES).map(move |at| {
        let piece = bytes.iter().skip(at * piece_len).take(piece_len).copied();
        let placed: Vec<u8> = std::iter::once(at as u8).chain(piece).collect();
        feature(Space::Picture, &placed)
    })
}

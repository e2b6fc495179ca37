//! What does it tell to have met an entry in several ways?
//!
//! A meeting is one number: the entry above, the way below.

use crate::engine::candidates::{CROWDED_MAX, UNSOUGHT_BITS};
use crate::index::{HOT, Ordinal};
use crate::signal::bio;
use crate::signal::relation::Signal;

/// Low bits of a meeting that hold the number of its way.
pub(super) const WAY_BITS: u32 = 32;

/// Meetings of one part: ordinal above, way below.
pub(super) type Meetings = Vec<u64>;

/// A way in which candidates are met: the signal it tells of, and the bits it suggests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    pub(super) signal: Signal,
    bits: f32,
    pub(super) role: Role,
}

/// What it means for an entry to be met in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is a candidate.
    Proposes,
    /// It is one if another signal has met it as well.
    Adds,
    /// Nothing: too many are met like that.
    LeftOut,
}

impl Way {
    /// A way that proposes.
    pub(super) fn new(signal: Signal, bits: f32) -> Self {
        let role = Role::Proposes;
        Self { signal, bits, role }
    }

    /// Carriers up to which a value is of use. There is room for what tells little, but pairs of words add up.
    pub(super) fn carriers_max(&self) -> usize {
        match self.bits > UNSOUGHT_BITS || self.signal == Signal::Bio {
            true => CROWDED_MAX,
            false => HOT,
        }
    }

    /// What it means to be met by a value of so many carriers, of which no more than `left` may be crowded.
    pub(super) fn role_of(&self, carriers: usize, left: &mut usize) -> Role {
        if carriers <= HOT {
            return Role::Proposes;
        }
        if carriers > self.carriers_max() || carriers > *left {
            return Role::LeftOut;
        }
        *left -= carriers;
        Role::Adds
    }
}

pub(super) fn meeting(ordinal: Ordinal, way: u64) -> u64 {
    u64::from(ordinal) << WAY_BITS | way
}

/// The entry of a meeting.
pub(super) fn entry_of(meeting: u64) -> Ordinal {
    (meeting >> WAY_BITS) as Ordinal
}

/// Number of the way of a meeting.
pub(super) fn way_of(meeting: u64) -> usize {
    (meeting & ((1 << WAY_BITS) - 1)) as usize
}

/// What the ways in which an entry was met suggest together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Suggested {
    pub(super) bits: f32,
    /// Whether one of them proposes it.
    pub(super) is_proposed: bool,
}

impl Suggested {
    /// The best way of each signal, summed; pairs of words add up to the words of a bio they stand for, to `bio_max` bits. `None`
    /// where nothing but crowded values of one signal was met.
    pub(super) fn by<'w>(ways: impl Iterator<Item = &'w Way>, bio_max: f32) -> Option<Self> {
        let mut best = [0.0f32; Signal::ALL.len()];
        let (mut bio_pairs, mut signals, mut is_proposed) = (0u32, 0u32, false);
        for way in ways {
            is_proposed |= way.role == Role::Proposes;
            signals |= 1 << way.signal as u32;
            if let Some(slot) = best.get_mut(way.signal as usize) {
                *slot = slot.max(way.bits);
            }
            bio_pairs += u32::from(way.signal == Signal::Bio);
        }
        if !is_proposed && signals.count_ones() < 2 {
            return None;
        }
        if let Some(bits) = best.get_mut(Signal::Bio as usize) {
            *bits = (*bits * bio::words_of_pairs(bio_pairs) / 2.0).min(bio_max.max(*bits));
        }
        Some(Self {
            bits: best.iter().sum(),
            is_proposed,
        })
    }
}

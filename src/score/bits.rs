//! Evidence weighed: the bits of each signal and their sum.

use crate::evidence::Evidence;
use crate::score::model::Model;
use crate::signal::relation::{Comparison, Relation, Signal};

/// Bits of an account opened in the first hour after the ban; halved for each tenfold of time.
const SOON_BITS: f32 = 3.0;
const SOON_MINUTES: f32 = 60.0;
/// From here on the time since the ban tells nothing: one month.
const LATE_MINUTES: f32 = 43_200.0;

/// What is known of a pair beyond its two fingerprints.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances {
    /// Live entries on the watchlist.
    pub entries: u32,
    /// Share of a name that its own handle already tells, 0 to 1; the larger of probe and entry.
    pub name_told: f32,
    /// Best bits by which another entry of the same network agrees on a signal this one does not, less log2 of the
    /// network's entries: the larger the network, the likelier one of them agrees by chance.
    pub network_bits: f32,
    /// Minutes from the entry's ban to the probe's opening, where both are known and in that order.
    pub minutes_since_ban: Option<f32>,
}

/// Prior and bits by signal; their sum is the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    prior: f32,
    bits: [f32; Signal::ALL.len()],
}

impl Score {
    /// Weighs `evidence` by `model`. A few dozen additions.
    pub fn of(evidence: &Evidence, circumstances: &Circumstances, model: &Model) -> Self {
        let mut bits = [0.0; Signal::ALL.len()];
        for ((_, comparison), (slot, signal)) in
            evidence.iter().zip(bits.iter_mut().zip(Signal::ALL))
        {
            *slot = model.bits(signal, comparison);
        }
        // A name that is the old handle tells what the handle tells.
        let is_crossed = matches!(
            evidence.comparison(Signal::Name).relation,
            Relation::Crossed | Relation::Transliterated
        );
        let told = if is_crossed {
            1.0
        } else {
            circumstances.name_told
        };
        lessen(
            &mut bits,
            Signal::Handle,
            Signal::Name,
            model.family.handle_name * (1.0 - told),
        );
        lessen(&mut bits, Signal::Link, Signal::Contact, model.family.reach);
        lessen(&mut bits, Signal::Bio, Signal::Contact, model.family.reach);
        let agreeing: f32 = bits.iter().filter(|bits| **bits > 0.0).sum();
        let network = Comparison::new(
            Relation::Network,
            model.family.network * circumstances.network_bits,
        );
        let soon = Comparison::new(
            Relation::SoonAfter,
            soon_bits(circumstances.minutes_since_ban),
        );
        if agreeing > 0.0 {
            for (signal, comparison) in [(Signal::Network, network), (Signal::Time, soon)] {
                if let Some(slot) = bits.get_mut(signal as usize) {
                    *slot = model.bits(signal, comparison).min(agreeing);
                }
            }
        }
        Self {
            prior: model.prior(circumstances.entries),
            bits,
        }
    }

    /// Prior plus the bits of every signal.
    pub fn total(&self) -> f32 {
        self.prior + self.bits.iter().sum::<f32>()
    }

    /// log2 odds before the evidence.
    pub fn prior(&self) -> f32 {
        self.prior
    }

    /// The bits one signal brings.
    pub fn bits(&self, signal: Signal) -> f32 {
        self.bits.get(signal as usize).copied().unwrap_or(0.0)
    }
}

/// Where two signals of one family both agree, the lesser counts only for what it adds.
fn lessen(bits: &mut [f32; Signal::ALL.len()], first: Signal, second: Signal, share: f32) {
    let at = |signal: Signal| signal as usize;
    let (a, b) = (
        bits.get(at(first)).copied().unwrap_or(0.0),
        bits.get(at(second)).copied().unwrap_or(0.0),
    );
    let lesser = if a < b { first } else { second };
    if let Some(slot) = bits.get_mut(at(lesser)).filter(|_| a > 0.0 && b > 0.0) {
        *slot *= share;
    }
}

fn soon_bits(minutes: Option<f32>) -> f32 {
    match minutes {
        Some(minutes) if minutes < LATE_MINUTES => {
            let tenfolds = (minutes.max(SOON_MINUTES) / SOON_MINUTES).log10();
            SOON_BITS * (-tenfolds).exp2()
        }
        _ => 0.0,
    }
}

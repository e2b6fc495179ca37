//! The model: a prior, a row for each relation of each signal, what signals of one family share, and what a flag costs.

use std::sync::LazyLock;

use crate::score::dial::Dial;
use crate::score::model_file;
use crate::signal::relation::{Comparison, Relation, Signal};

/// A watchlist shorter than this is judged as if it had this many entries: the prior of a short list is not known better.
const ENTRIES_MIN: u32 = 10_000;

/// Share of the bits beyond a ceiling that still count, and how many of them are looked at: one bit at most.
const BEYOND_SHARE: f32 = 0.1;
const BEYOND_MAX: f32 = 10.0;

/// The weights that ship: `data/model.json`, whose provenance is in it.
static SHIPPED: LazyLock<Model> = LazyLock::new(|| {
    let shipped = include_str!("../../data/model.json");
    model_file::read(shipped).unwrap_or_else(|_| Model::empty())
});

/// One relation of one signal: bits = base + slope x surprise, at most `bits_max` (and hardly more beyond it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// The signal.
    pub(crate) signal: Signal,
    /// How the two values relate.
    pub(crate) relation: Relation,
    /// Bits of the relation before its surprise: log2 of m, and what the surprise says too little or too much.
    /// For `Different`, log2(m / u) itself.
    pub(crate) base: f32,
    /// What a bit of surprise is worth: below 1 where values depend on each other, so that the surprise overstates.
    pub(crate) slope: f32,
    /// Most bits the relation can bring: strangers do choose one rare value now and then.
    pub(crate) bits_max: f32,
}

/// Signals that tell the same fact are not counted twice: shares of the lesser that still count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Family {
    /// Of handle and name, where neither tells the other.
    pub(crate) handle_name: f32,
    /// Of link and contact, or bio and contact: a link and a mention are often one channel, and a copied text brings
    /// the numbers in it along.
    pub(crate) reach: f32,
    /// Of the best agreement of other entries of the network, which is lent to an entry.
    pub(crate) network: f32,
}

/// From a score in bits to the log2 odds that it is worth: a line (Platt 1999).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Odds {
    /// Odds of a score of 0.
    pub(crate) base: f32,
    /// Odds a bit of score is worth.
    pub(crate) slope: f32,
}

/// Weights of evidence. The default is the table that ships.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    rows: Vec<Option<Row>>,
    pub(crate) family: Family,
    pub(crate) odds: Odds,
    pub(crate) mirrors_per_signup: f32,
    pub(crate) dial: Dial,
}

impl Default for Model {
    fn default() -> Self {
        SHIPPED.clone()
    }
}

impl Model {
    /// A model under which nothing weighs anything.
    pub(crate) fn empty() -> Self {
        Self {
            rows: vec![None; Signal::ALL.len() * Relation::COUNT],
            family: Family {
                handle_name: 1.0,
                reach: 1.0,
                network: 0.0,
            },
            odds: Odds {
                base: 0.0,
                slope: 1.0,
            },
            mirrors_per_signup: 0.002,
            dial: Dial::default(),
        }
    }

    /// Reads a model that `mirrorwatch calibrate` wrote.
    ///
    /// # Errors
    /// Not the JSON of a model, with the place.
    pub fn from_json(text: &str) -> crate::error::Result<Self> {
        model_file::read(text)
    }

    /// Every row, by signal and relation.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }

    /// Puts a row in the place of the one of its signal and relation.
    pub(crate) fn set(&mut self, row: Row) {
        if let Some(slot) = self.rows.get_mut(at(row.signal, row.relation)) {
            *slot = Some(row);
        }
    }

    /// The row of a relation, where it has one.
    pub(crate) fn row(&self, signal: Signal, relation: Relation) -> Option<Row> {
        self.rows.get(at(signal, relation)).copied().flatten()
    }

    /// log2 odds that a signup is a mirror of one given entry of `entries`, before any evidence.
    pub fn prior(&self, entries: u32) -> f32 {
        (self.mirrors_per_signup / entries.max(ENTRIES_MIN) as f32).log2()
    }

    /// Expected mirrors per signup. It moves scores and thresholds alike, so the dial's false flags do not depend on it;
    /// probabilities do.
    pub fn mirrors_per_signup(&self) -> f32 {
        self.mirrors_per_signup
    }

    /// The threshold in bits that costs `cost` false flags in 10,000 ordinary signups on a watchlist of `entries`.
    pub(crate) fn threshold(&self, cost: f32, entries: u32) -> f32 {
        let share = cost / 10_000.0;
        let rate = (share / entries.max(ENTRIES_MIN) as f32).log2();
        match self.dial.bits(rate) {
            Some(bits) => bits + self.prior(entries),
            // Wald's bound: P(score >= s) <= mirrors_per_signup x 2^-s for likelihood ratios.
            None => (self.mirrors_per_signup / share).log2(),
        }
    }

    /// Probability that a pair of this score is one actor.
    pub fn probability(&self, score: f32) -> f64 {
        let odds = f64::from(self.odds.base + self.odds.slope * score).exp2();
        if odds.is_infinite() {
            1.0
        } else {
            odds / (1.0 + odds)
        }
    }

    /// log2(m / u) of one comparison. An agreement too common to say anything weighs no less than a difference.
    pub fn bits(&self, signal: Signal, comparison: Comparison) -> f32 {
        let different = self.row(signal, Relation::Different);
        let different = different.map_or(0.0, |row| row.base);
        match comparison.relation {
            Relation::Missing => 0.0,
            Relation::Different => different,
            relation => self.row(signal, relation).map_or(0.0, |row| {
                let bits = row.base + row.slope * comparison.surprise;
                let sure = comparison.surprise + over(signal);
                let bits = bits.min(sure);
                (bits.min(row.bits_max) + beyond(signal, bits - row.bits_max)).max(different)
            }),
        }
    }

    /// The most that a relation of a signal can bring, in bits.
    pub(crate) fn most(&self, signal: Signal, relation: Relation) -> f32 {
        self.bits(signal, Comparison::new(relation, f32::INFINITY))
    }

    /// Identifies the weights: equal models have equal digests.
    pub fn digest(&self) -> u32 {
        crc32fast::hash(model_file::written(self, None).as_bytes())
    }
}

/// Bits by which an agreement may be worth more than its surprise. Mirrors agree at most always (m <= 1), so none, but for
/// handles, whose rarity under a move is an estimate that may fall short.
fn over(signal: Signal) -> f32 {
    match signal {
        Signal::Handle => 3.0,
        Signal::Network | Signal::Time => f32::INFINITY,
        _ => 0.0,
    }
}

/// What `more` bits beyond a ceiling count for: enough to put the likelier of two entries first, and rarer values before
/// commoner ones at a threshold, too little to trust a value more than the ceiling says.
fn beyond(signal: Signal, more: f32) -> f32 {
    match signal {
        // What is lent is bounded by design.
        Signal::Network | Signal::Time => 0.0,
        _ => BEYOND_SHARE * more.clamp(0.0, BEYOND_MAX),
    }
}

fn at(signal: Signal, relation: Relation) -> usize {
    signal as usize * Relation::COUNT + relation as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_shipped_model_is_read_and_written_alike() {
        let model = Model::default();
        assert!(model.rows().count() > 30);
        let written = model_file::written(&model, None);
        assert_eq!(Model::from_json(&written).unwrap(), model);
        assert!(Model::from_json("{}").is_err());
    }

    #[test]
    fn a_ceiling_leaves_the_rarer_of_two_first() {
        let model = Model::default();
        let bits = |surprise| {
            model.bits(
                Signal::Handle,
                Comparison::new(Relation::Renumbered, surprise),
            )
        };
        assert!(bits(60.0) > bits(50.0) && bits(60.0) < bits(50.0) + 1.0);
        assert!(bits(f32::INFINITY) <= bits(60.0) + 1.0);
    }

    #[test]
    fn the_same_match_is_worth_less_on_a_longer_list() {
        let model = Model::default();
        assert!(model.prior(1_000_000) < model.prior(100_000));
        assert_eq!(model.prior(1), model.prior(ENTRIES_MIN));
    }

    proptest! {
        #[test]
        fn a_rarer_agreement_never_weighs_less(surprise in 0f32..60.0, more in 0f32..60.0) {
            let model = Model::default();
            for row in model.rows() {
                let bits = |surprise| model.bits(row.signal, Comparison::new(row.relation, surprise));
                prop_assert!(bits(surprise + more) >= bits(surprise));
            }
        }
    }
}

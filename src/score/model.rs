//! The model: a prior and a row for each relation of each signal, laid out as a table.

use crate::signal::relation::{Comparison, Relation, Signal};

/// Expected mirrors per signup on a platform under attack: the prior before any evidence, spread over all entries.
/// It moves scores and thresholds alike, so the dial's false flags do not depend on it; probabilities do.
const MIRRORS_PER_SIGNUP: f32 = 0.002;
/// A watchlist shorter than this is judged as if it had this many entries: the prior of a short list is not known better.
const ENTRIES_MIN: u32 = 10_000;

/// One relation of one signal: bits = base + slope x surprise, at most `bits_max`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// The signal.
    signal: Signal,
    /// How the two values relate.
    relation: Relation,
    /// Bits of the relation before its surprise: log2 of m, and what the surprise says too little or too much.
    /// For `Different`, log2(m / u) itself.
    base: f32,
    /// What a bit of surprise is worth: below 1 where values depend on each other, so that the surprise overstates.
    slope: f32,
    /// Most bits the relation can bring: strangers do choose one rare value now and then.
    bits_max: f32,
}

const fn row(signal: Signal, relation: Relation, base: f32, slope: f32, bits_max: f32) -> Row {
    Row {
        signal,
        relation,
        base,
        slope,
        bits_max,
    }
}

/// The rows that ship, read off `cargo bench --bench evidence` on the tuned half of a population of 100,000 entries and
/// 100,000 ordinary probes: the log-likelihood ratio of each relation against its surprise, as a line and a
/// ceiling, drawn by eye; ceilings are then set so that more agreement is never worth less than less of it.
/// Where no tuned tactic shows a relation its m is taken as 2^-5 (documented evaders keep a resembling handle in 9-19 %
/// of returns, shared out over the moves; design.md section 1) and only u is measured.
#[rustfmt::skip]
const ROWS: [Row; 38] = [
    row(Signal::Handle, Relation::Same, 4.0, 1.0, 23.5),
    row(Signal::Handle, Relation::Lookalike, 4.0, 1.0, 25.0),
    row(Signal::Handle, Relation::Leet, 4.0, 1.0, 24.5),
    row(Signal::Handle, Relation::Renumbered, 8.0, 0.5, 23.0),
    row(Signal::Handle, Relation::Affixed, 4.5, 0.56, 22.5),
    row(Signal::Handle, Relation::Edited1, 5.5, 0.53, 22.5),
    row(Signal::Handle, Relation::Edited2, 5.5, 0.48, 22.0),
    row(Signal::Handle, Relation::Contains, 5.0, 0.52, 22.0),
    row(Signal::Handle, Relation::Truncated, 6.0, 0.5, 21.5),
    row(Signal::Handle, Relation::SameSound, 5.0, 0.5, 13.0),
    row(Signal::Handle, Relation::Different, -0.4, 0.0, 0.0),
    row(Signal::Name, Relation::Same, -0.5, 1.0, 21.0),
    row(Signal::Name, Relation::SameSound, 6.0, 0.5, 17.0),
    row(Signal::Name, Relation::NearWords, 8.0, 0.5, 19.0),
    row(Signal::Name, Relation::SharedWords, 0.0, 0.9, 13.0),
    row(Signal::Name, Relation::Crossed, 3.0, 0.85, 22.5),
    row(Signal::Name, Relation::Different, -0.6, 0.0, 0.0),
    row(Signal::Bio, Relation::Same, 2.5, 0.65, 18.0),
    row(Signal::Bio, Relation::MostWords, 1.5, 0.65, 16.5),
    row(Signal::Bio, Relation::HalfWords, 4.0, 0.45, 15.0),
    row(Signal::Bio, Relation::FewWords, 0.0, 0.6, 13.0),
    row(Signal::Bio, Relation::Different, -0.5, 0.0, 0.0),
    row(Signal::Avatar, Relation::Near10, -5.5, 1.0, 17.0),
    row(Signal::Avatar, Relation::Near20, -3.0, 1.0, 19.0),
    row(Signal::Avatar, Relation::Near31, -4.0, 1.0, 18.0),
    row(Signal::Avatar, Relation::Turned, -4.0, 1.0, 17.0),
    row(Signal::Avatar, Relation::Different, -0.5, 0.0, 0.0),
    row(Signal::Link, Relation::Same, -3.0, 1.0, 27.0),
    row(Signal::Link, Relation::SameSite, -3.0, 0.7, 7.0),
    row(Signal::Link, Relation::Different, -0.4, 0.0, 0.0),
    row(Signal::Contact, Relation::Same, -4.0, 1.0, 26.0),
    row(Signal::Contact, Relation::NamesEntry, -2.0, 1.0, 8.0),
    row(Signal::Contact, Relation::Announces, 2.0, 1.0, 20.0),
    row(Signal::Contact, Relation::Different, -0.2, 0.0, 0.0),
    row(Signal::Token, Relation::Same, 0.0, 1.0, 24.0),
    row(Signal::Token, Relation::Different, -0.3, 0.0, 0.0),
    row(Signal::Network, Relation::Network, 0.0, 1.0, 8.0),
    row(Signal::Time, Relation::SoonAfter, 0.0, 1.0, 4.0),
];

/// Weights of evidence. The default is the shipped table.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    rows: Vec<Option<Row>>,
    mirrors_per_signup: f32,
}

impl Default for Model {
    fn default() -> Self {
        let mut rows = vec![None; Signal::ALL.len() * Relation::COUNT];
        for row in ROWS {
            if let Some(slot) = rows.get_mut(at(row.signal, row.relation)) {
                *slot = Some(row);
            }
        }
        Self {
            rows,
            mirrors_per_signup: MIRRORS_PER_SIGNUP,
        }
    }
}

impl Model {
    /// log2 odds that a signup is a mirror of one given entry of `entries`, before any evidence.
    pub fn prior(&self, entries: u32) -> f32 {
        (self.mirrors_per_signup / entries.max(ENTRIES_MIN) as f32).log2()
    }

    /// Expected mirrors per signup.
    pub fn mirrors_per_signup(&self) -> f32 {
        self.mirrors_per_signup
    }

    /// log2(m / u) of one comparison. An agreement too common to say anything weighs no less than a difference.
    pub fn bits(&self, signal: Signal, comparison: Comparison) -> f32 {
        let row = |relation| self.rows.get(at(signal, relation)).copied().flatten();
        let different = row(Relation::Different).map_or(0.0, |row| row.base);
        match comparison.relation {
            Relation::Missing => 0.0,
            Relation::Different => different,
            relation => row(relation).map_or(0.0, |row| {
                let bits = row.base + row.slope * comparison.surprise;
                bits.min(row.bits_max).max(different)
            }),
        }
    }

    /// The most that a relation of a signal can bring, in bits.
    pub(crate) fn most(&self, signal: Signal, relation: Relation) -> f32 {
        self.bits(signal, Comparison::new(relation, f32::INFINITY))
    }

    /// Identifies the weights: equal models have equal digests.
    pub fn digest(&self) -> u32 {
        let mut bytes = self.mirrors_per_signup.to_le_bytes().to_vec();
        for row in self.rows.iter().flatten() {
            bytes.extend([row.signal as u8, row.relation as u8]);
            for number in [row.base, row.slope, row.bits_max] {
                bytes.extend(number.to_le_bytes());
            }
        }
        crc32fast::hash(&bytes)
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
    fn the_same_match_is_worth_less_on_a_longer_list() {
        let model = Model::default();
        assert!(model.prior(1_000_000) < model.prior(100_000));
        assert_eq!(model.prior(1), model.prior(ENTRIES_MIN));
    }

    proptest! {
        #[test]
        fn a_rarer_agreement_never_weighs_less(surprise in 0f32..60.0, more in 0f32..60.0) {
            let model = Model::default();
            for row in ROWS {
                let bits = |surprise| model.bits(row.signal, Comparison::new(row.relation, surprise));
                prop_assert!(bits(surprise + more) >= bits(surprise));
            }
        }
    }
}

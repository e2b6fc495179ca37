//! What labelled probes show: how often each relation holds at each surprise, and the pairs that decide.
//!
//! Counts are weighted: a pair counts with its probability as a mirror's and with the rest as a stranger's, so that the
//! same counts serve labelled probes (probability 0 or 1) and unlabelled ones (the expectation step of EM).

use std::collections::BTreeMap;

use crate::account::Account;
use crate::engine::{Engine, Hit};
use crate::evidence::Evidence;
use crate::score::{Circumstances, Model, Score};
use crate::signal::relation::{Comparison, Level, Relation, Signal};

/// Width of a bin of surprise, in bits.
pub(crate) const BIN_BITS: f32 = 0.5;
/// Best pairs of a probe that are kept whole: what decides its verdict, and what family shares are fitted on.
const KEPT: usize = 3;

/// Pairs of one relation by bin of surprise: those of one actor, those of strangers.
pub(crate) type Bins = BTreeMap<u16, (f64, f64)>;

/// Weighted counts of pairs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counted {
    /// By signal and relation; `Different` in the one bin 0.
    pub(crate) relations: BTreeMap<(Signal, Relation), Bins>,
    /// Pairs of one actor in which both sides tell the signal.
    pub(crate) told: BTreeMap<Signal, f64>,
    /// Pairs of one actor.
    pub(crate) mirrors: f64,
    /// Ordinary probes.
    pub(crate) ordinary: f64,
}

/// A pair kept whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    /// The comparisons.
    pub(crate) evidence: Evidence,
    /// What else weighs in.
    pub(crate) circumstances: Circumstances,
    /// True for a mirror and its entry.
    pub(crate) is_right: bool,
}

impl Pair {
    /// The pair weighed by `model`.
    pub(crate) fn score(&self, model: &Model) -> f32 {
        Score::of(&self.evidence, &self.circumstances, model).total()
    }
}

/// One probe: its best pairs, and the counts of all the others, which are strangers' whatever the weights are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// The best pairs, best first, and a mirror's right one.
    pub(crate) pairs: Vec<Pair>,
    /// True for a probe labelled as a mirror.
    pub(crate) is_mirror: bool,
    /// The other pairs.
    rest: Vec<(Signal, Relation, u16)>,
}

/// Screens `probe` and keeps what it shows. The engine should tell all candidates and all hits.
pub(crate) fn shown(engine: &Engine, probe: &Account, mirror_of: Option<&str>) -> Shown {
    let is_right = |hit: &Hit| mirror_of == Some(hit.entry.id.as_str());
    let mut shown = Shown {
        is_mirror: mirror_of.is_some(),
        ..Shown::default()
    };
    // What people have cancelled is a stranger's pair like any other.
    let screened = engine.screen(probe);
    let cancelled = screened.cancelled.iter().map(|(hit, _)| hit);
    let mut hits: Vec<&Hit> = screened.hits.iter().chain(cancelled).collect();
    hits.sort_by(|a, b| b.score.total().total_cmp(&a.score.total()));
    for (place, hit) in hits.into_iter().enumerate() {
        if place < KEPT || is_right(hit) {
            shown.pairs.push(Pair {
                evidence: hit.evidence,
                circumstances: hit.circumstances,
                is_right: is_right(hit),
            });
        } else if mirror_of.is_none() {
            let agreeing = (hit.evidence.iter())
                .filter(|(_, comparison)| comparison.relation.level() > Level::Different);
            shown.rest.extend(
                agreeing.map(|(signal, comparison)| (signal, comparison.relation, bin(comparison))),
            );
        }
    }
    shown
}

impl Counted {
    /// Counts the pairs that are strangers' whatever the weights are.
    pub(crate) fn count_rest(&mut self, shown: &mut Shown) {
        for (signal, relation, bin) in std::mem::take(&mut shown.rest) {
            self.at(signal, relation, bin).1 += 1.0;
        }
    }

    /// Counts the kept pairs of one probe, of which `weights` says how likely each is one actor.
    pub(crate) fn count(&mut self, shown: &Shown, weights: impl Fn(usize, &Pair) -> f64) {
        let mut any = 0.0;
        for (place, pair) in shown.pairs.iter().enumerate() {
            let weight = weights(place, pair);
            any += weight;
            for (signal, comparison) in pair.evidence.iter() {
                if comparison.relation == Relation::Missing {
                    continue;
                }
                *self.told.entry(signal).or_default() += weight;
                let slot = self.at(signal, comparison.relation, bin(comparison));
                slot.0 += weight;
                // Another entry of the mirror's network is no stranger: it tells nothing of either.
                slot.1 += if shown.is_mirror { 0.0 } else { 1.0 - weight };
            }
        }
        let is_found = any.max(f64::from(u8::from(shown.is_mirror))).min(1.0);
        self.mirrors += is_found;
        self.ordinary += 1.0 - is_found;
    }

    fn at(&mut self, signal: Signal, relation: Relation, bin: u16) -> &mut (f64, f64) {
        let bins = self.relations.entry((signal, relation)).or_default();
        bins.entry(bin).or_default()
    }
}

fn bin(comparison: Comparison) -> u16 {
    (comparison.surprise / BIN_BITS) as u16
}

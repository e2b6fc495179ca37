//! The pipeline: probe -> candidates -> evidence -> score -> verdict.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::blocking::Query;
use crate::engine::candidates::Candidates;
use crate::engine::generation::Generation;
use crate::evidence::Evidence;
use crate::fingerprint::Fingerprint;
use crate::score::{Circumstances, Model, Score};
use crate::signal::relation::Signal;
use crate::verdict::{Policy, Verdict};
use crate::watchlist::Entry;

/// How evidence is judged and how much is told.
#[derive(Debug, Clone)]
pub struct Judge {
    /// Weights of evidence.
    pub model: Model,
    /// Thresholds.
    pub policy: Policy,
    /// Most hits told.
    pub hits_max: usize,
    /// Whether hits below the review threshold are told too.
    pub all_candidates: bool,
}

/// An entry that agrees with the probe, and by how much.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The entry.
    pub entry: Arc<Entry>,
    /// The comparisons.
    pub evidence: Evidence,
    /// Their weight.
    pub score: Score,
    /// What else weighed in.
    pub circumstances: Circumstances,
}

/// The outcome of screening one probe.
#[derive(Debug, Clone)]
pub struct Screened {
    /// The answer.
    pub verdict: Verdict,
    /// Score of the best entry, in bits; the prior where none agrees.
    pub score: f32,
    /// The best entries, best first.
    pub hits: Vec<Hit>,
    /// Look-ups that a cap cut short.
    pub cuts: u32,
    /// Number of the last change of the watchlist that was seen.
    pub lsn: u64,
}

/// Screens `probe`, opened at `opened_at`, against one generation. Pure: no clock, ties broken by entry id.
pub fn screen(
    generation: &Generation,
    probe: &Fingerprint,
    opened_at: Option<Timestamp>,
    judge: &Judge,
) -> Screened {
    let entries = generation.entries();
    let candidates = Candidates::of(generation, &Query::of(probe));
    let probed = Probed {
        name_told: probe.name_told,
        opened_at,
        entries,
    };
    let weigh = |entry, evidence| probed.weighed(entry, evidence, &judge.model);
    let mut hits = Vec::new();
    for (part, ordinals) in generation.parts().iter().zip(candidates.by_part) {
        for entry in ordinals
            .into_iter()
            .filter_map(|ordinal| part.live_entry(ordinal))
        {
            let evidence = Evidence::of(probe, &entry.fingerprint, &candidates.crowd);
            if evidence.agrees() {
                hits.push(weigh(entry, evidence));
            }
        }
    }
    pool_networks(&mut hits, generation, &judge.model);
    hits.sort_by(|a, b| {
        b.score
            .total()
            .total_cmp(&a.score.total())
            .then_with(|| a.entry.id.cmp(&b.entry.id))
    });
    let score = hits
        .first()
        .map_or_else(|| judge.model.prior(entries), |hit| hit.score.total());
    if !judge.all_candidates {
        hits.retain(|hit| hit.score.total() >= judge.policy.threshold_review());
    }
    hits.truncate(judge.hits_max);
    Screened {
        verdict: judge.policy.decide(score),
        score,
        hits,
        cuts: candidates.cuts,
        lsn: generation.lsn(),
    }
}

/// Compares `probe` with one entry, whatever blocking would say.
pub(crate) fn compare(
    generation: &Generation,
    probe: &Fingerprint,
    opened_at: Option<Timestamp>,
    entry: &Arc<Entry>,
    model: &Model,
) -> Hit {
    let entries = generation.entries();
    let crowd = Candidates::of(generation, &Query::of(probe)).crowd;
    let probed = Probed {
        name_told: probe.name_told,
        opened_at,
        entries,
    };
    probed.weighed(
        entry,
        Evidence::of(probe, &entry.fingerprint, &crowd),
        model,
    )
}

/// What weighs in on every pair of one probe.
struct Probed {
    name_told: f32,
    opened_at: Option<Timestamp>,
    entries: u32,
}

impl Probed {
    fn weighed(&self, entry: &Arc<Entry>, evidence: Evidence, model: &Model) -> Hit {
        let minutes = entry
            .banned_at
            .zip(self.opened_at)
            .map(|(banned, opened)| (opened.as_second() - banned.as_second()) as f32 / 60.0);
        let circumstances = Circumstances {
            entries: self.entries,
            name_told: entry.fingerprint.name_told.max(self.name_told),
            network_bits: 0.0,
            minutes_since_ban: minutes.filter(|minutes| *minutes >= 0.0),
        };
        Hit {
            entry: Arc::clone(entry),
            evidence,
            score: Score::of(&evidence, &circumstances, model),
            circumstances,
        }
    }
}

/// Lends each hit what other entries of its network agree on and it does not.
fn pool_networks(hits: &mut [Hit], generation: &Generation, model: &Model) {
    let mut best: HashMap<Arc<str>, [f32; Signal::ALL.len()]> = HashMap::new();
    for hit in hits.iter() {
        let Some(network) = &hit.entry.network else {
            continue;
        };
        let pooled = best.entry(Arc::clone(network)).or_default();
        for (slot, signal) in pooled.iter_mut().zip(Signal::ALL) {
            *slot = slot.max(hit.score.bits(signal));
        }
    }
    let chance: HashMap<Arc<str>, f32> = best
        .keys()
        .map(|network| {
            (
                Arc::clone(network),
                generation.network_entries(network) as f32,
            )
        })
        .collect();
    for hit in hits {
        let Some(network) = hit.entry.network.as_ref() else {
            continue;
        };
        let Some(pooled) = best.get(network) else {
            continue;
        };
        let lacking = Signal::ALL.into_iter().zip(pooled);
        let lacking = lacking.filter(|(signal, _)| hit.score.bits(*signal) <= 0.0);
        let most = lacking.map(|(_, bits)| *bits).fold(0.0, f32::max);
        let lent = most
            - chance
                .get(network)
                .map_or(0.0, |entries| entries.max(1.0).log2());
        if lent > 0.0 {
            hit.circumstances.network_bits = lent;
            hit.score = Score::of(&hit.evidence, &hit.circumstances, model);
        }
    }
}

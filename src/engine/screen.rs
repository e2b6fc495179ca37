//! The pipeline: probe -> candidates -> evidence -> score -> verdict.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::account::{Account, AccountId};
use crate::background::Learnt;
use crate::blocking::Query;
use crate::engine::candidates::{Candidate, Candidates, UNSOUGHT_BITS};
use crate::engine::columns::Columns;
use crate::engine::exemptions::{Cancelled, Exemption};
use crate::engine::generation::{EntryRef, Generation, Part};
use crate::engine::pooling::pool_networks;
use crate::evidence::Evidence;
use crate::fingerprint::Fingerprint;
use crate::index::Ordinal;
use crate::score::{Circumstances, Model, Score};
use crate::signal::crowd::{Carriers, Crowd};
use crate::signal::relation::{LEADING_BITS_MIN, Relation, Signal};
use crate::verdict::{Policy, Thresholds, Verdict};
use crate::watchlist::Listed;

/// Candidates whose fingerprints are asked for together while as many others are compared: a few hundred lines. Where each
/// stands is found by the processor in tables that lie in memory too, and what is asked for in a row is found at once.
const TOGETHER: usize = 16;

/// The account that is screened.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// Its id: what people judged of it is found by it.
    pub id: &'a AccountId,
    /// What entries are compared with.
    pub fingerprint: &'a Fingerprint<'a>,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
}

impl<'a> Probe<'a> {
    /// The probe of an account and its fingerprint.
    pub fn of(account: &'a Account, fingerprint: &'a Fingerprint<'a>) -> Self {
        Self {
            id: account.id(),
            fingerprint,
            opened_at: account.created_at,
        }
    }
}

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
    /// What screened accounts have taught and an operator has adopted.
    pub(crate) learnt: Arc<Learnt>,
}

impl Judge {
    /// The thresholds on a watchlist of `entries`.
    pub fn thresholds(&self, entries: u32) -> Thresholds {
        self.policy.thresholds(&self.model, entries)
    }
}

/// An entry that agrees with the probe, and by how much.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The entry.
    pub entry: Listed,
    /// The comparisons.
    pub evidence: Evidence,
    /// Their weight.
    pub score: Score,
    /// What else weighed in.
    pub circumstances: Circumstances,
}

impl fmt::Display for Hit {
    /// The entry, the score, and each relation that says something with its surprise; no text of a profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agreeing = self.evidence.iter().filter(|(_, c)| c.surprise > 0.0);
        let signals: Vec<String> = agreeing
            .map(|(signal, c)| format!("{signal:?} {:?} {:.1}", c.relation, c.surprise))
            .collect();
        let (entry, score) = (&self.entry.id, self.score.total());
        write!(f, "{entry} {score:.2} [{}]", signals.join(", "))
    }
}

/// The outcome of screening one probe.
#[derive(Debug, Clone)]
pub struct Screened {
    /// The answer.
    pub verdict: Verdict,
    /// Score of the best entry that counts, in bits; the prior where none agrees.
    pub score: f32,
    /// The best entries that count, best first.
    pub hits: Vec<Hit>,
    /// Entries that would be among the best had no person said otherwise, best first, each with what cancels it.
    pub cancelled: Vec<(Hit, Cancelled)>,
    /// Look-ups that a cap cut short.
    pub cuts: u32,
    /// Entries that were read and compared.
    pub compared: u32,
    /// Number of the last change of the watchlist that was seen.
    pub lsn: u64,
    /// Live entries that were screened against.
    pub entries: u32,
    /// How many entries carry each value that was asked for, by key; told of flagged probes only.
    pub(crate) counted: Vec<(u64, Carriers)>,
}

/// Screens `probe` against one generation. Pure: no clock, ties broken by entry id.
pub fn screen(generation: &Generation, probe: &Probe<'_>, judge: &Judge) -> Screened {
    let prior = judge.model.prior(generation.entries());
    let found_min = match judge.all_candidates {
        true => f32::NEG_INFINITY,
        false => judge.thresholds(generation.entries()).review - prior - UNSOUGHT_BITS,
    };
    let lent_max = judge.model.most(Signal::Network, Relation::Network);
    let query = Query::of(probe.fingerprint);
    let candidates = Candidates::of(
        generation,
        &query,
        &judge.model,
        found_min - lent_max,
        found_min,
    );
    judged(generation, probe, judge, &candidates, found_min)
}

/// Screens `probe` by comparing it with every live entry: what [`screen`] must find. O(entries).
pub fn screen_every(generation: &Generation, probe: &Probe<'_>, judge: &Judge) -> Screened {
    let query = Query::of(probe.fingerprint);
    let mut candidates = Candidates::of(
        generation,
        &query,
        &judge.model,
        f32::INFINITY,
        f32::INFINITY,
    );
    candidates.found = Candidate::every(generation);
    let found_min = f32::NEG_INFINITY;
    judged(generation, probe, judge, &candidates, found_min)
}

/// Compares the candidates found by at least `found_min` bits, and those of the networks that agree.
fn judged(
    generation: &Generation,
    probe: &Probe<'_>,
    judge: &Judge,
    candidates: &Candidates,
    found_min: f32,
) -> Screened {
    let carriers = |key, networked_max| generation.carriers(key, networked_max);
    let ordinary = |key| judge.learnt.bits(key);
    let pairing = Pairing {
        generation,
        probe: probe.fingerprint,
        opened_at: probe.opened_at,
        crowd: crowd(generation, &carriers, &ordinary, candidates),
        model: &judge.model,
    };
    let (alone, lent): (Vec<Candidate>, Vec<Candidate>) =
        (candidates.found.iter()).partition(|candidate| candidate.found >= found_min);
    pairing.asked(&lent, Columns::network_ahead);
    let mut hits = pairing.compared(&alone);
    // What a network lends may still lift an entry that was found by too little to matter alone.
    let lent = pairing.of_networks(&hits, lent);
    pairing.asked(&lent, Columns::place_ahead);
    hits.extend(pairing.compared(&lent));
    let exemption = generation.exemptions().of(probe.id);
    let cancelled = exemption.map_or_else(Vec::new, |exemption| {
        cancelled(&mut hits, exemption, generation, judge)
    });
    let score = ranked(&mut hits, generation, judge);
    let entries = generation.entries();
    let verdict = judge.thresholds(entries).decide(score);
    let counted = match verdict {
        Verdict::Clear => Vec::new(),
        _ => pairing.crowd.counted(),
    };
    Screened {
        verdict,
        score,
        hits: hits.iter().filter_map(Weighed::hit).collect(),
        cancelled,
        cuts: candidates.cuts,
        compared: (alone.len() + lent.len()) as u32,
        lsn: generation.lsn(),
        entries,
        counted,
    }
}

/// Takes out of `hits` what people have cancelled; returns what of it would be told had they not. It lends nothing to
/// others: somebody said that it tells nothing of this probe.
fn cancelled(
    hits: &mut Vec<Weighed<'_>>,
    exemption: &Exemption,
    generation: &Generation,
    judge: &Judge,
) -> Vec<(Hit, Cancelled)> {
    let cancels = |hit: &Weighed<'_>| hit.id().and_then(|id| exemption.cancels(id));
    if hits.iter().all(|hit| cancels(hit).is_none()) {
        return Vec::new();
    }
    let mut told = hits.clone();
    ranked(&mut told, generation, judge);
    hits.retain(|hit| cancels(hit).is_none());
    let told = told.iter();
    told.filter_map(|hit| Some((hit.hit()?, cancels(hit)?)))
        .collect()
}

/// Pools what networks agree on, and leaves the hits to be told, best first. Returns the best score of all, or the prior.
fn ranked(hits: &mut Vec<Weighed<'_>>, generation: &Generation, judge: &Judge) -> f32 {
    let review = judge.thresholds(generation.entries()).review;
    let best = hits.iter().map(|hit| hit.score.total());
    let reach = match judge.all_candidates {
        true => f32::NEG_INFINITY,
        false => {
            let lent_max = judge.model.most(Signal::Network, Relation::Network);
            best.fold(f32::NEG_INFINITY, f32::max).min(review) - lent_max
        }
    };
    pool_networks(hits, generation, &judge.model, reach);
    let best = hits.iter().map(|hit| hit.score.total());
    let best = best.max_by(f32::total_cmp);
    let score = best.unwrap_or_else(|| judge.model.prior(generation.entries()));
    // Most probes are clear: only what is told is put in order, since that reads ids from all over the memory.
    if !judge.all_candidates {
        hits.retain(|hit| hit.score.total() >= review);
    }
    hits.sort_by(|a, b| {
        let by_score = b.score.total().total_cmp(&a.score.total());
        by_score.then_with(|| a.id().cmp(&b.id()))
    });
    hits.truncate(judge.hits_max);
    score
}

/// Compares `probe` with one entry, whatever blocking would say.
pub(crate) fn compare(
    generation: &Generation,
    probe: &Probe<'_>,
    entry: &EntryRef<'_>,
    judge: &Judge,
) -> Option<Hit> {
    let model = &judge.model;
    let query = Query::of(probe.fingerprint);
    let candidates = Candidates::of(generation, &query, model, f32::INFINITY, f32::INFINITY);
    let carriers = |key, networked_max| generation.carriers(key, networked_max);
    let ordinary = |key| judge.learnt.bits(key);
    let pairing = Pairing {
        generation,
        probe: probe.fingerprint,
        opened_at: probe.opened_at,
        crowd: crowd(generation, &carriers, &ordinary, &candidates),
        model,
    };
    let listed = entry.listed()?;
    let evidence = Evidence::of(pairing.probe, &entry.fingerprint, &pairing.crowd);
    let told = entry.fingerprint.name_told;
    let circumstances = pairing.circumstances(told, listed.banned_at);
    Some(Hit {
        entry: listed,
        evidence,
        score: Score::of(&evidence, &circumstances, model),
        circumstances,
    })
}

/// How many entries carry each of the probe's values.
fn crowd<'a>(
    generation: &Generation,
    carriers: &'a dyn Fn(u64, u32) -> Carriers,
    ordinary: &'a dyn Fn(u64) -> Option<f32>,
    candidates: &Candidates,
) -> Crowd<'a> {
    let crowd = Crowd::new(generation.entries(), carriers, ordinary);
    if let Some((key, carriers)) = candidates.picture {
        crowd.note(key, carriers);
    }
    crowd
}

/// Minutes from the ban to the opening, where both are known and in that order.
pub(crate) fn minutes_between(
    banned_at: Option<Timestamp>,
    opened_at: Option<Timestamp>,
) -> Option<f32> {
    let (banned, opened) = banned_at.zip(opened_at)?;
    let minutes = (opened.as_second() - banned.as_second()) as f32 / 60.0;
    (minutes >= 0.0).then_some(minutes)
}

/// What weighs in on every pair of one probe.
struct Pairing<'a> {
    generation: &'a Generation,
    probe: &'a Fingerprint<'a>,
    opened_at: Option<Timestamp>,
    crowd: Crowd<'a>,
    model: &'a Model,
}

/// A candidate compared: a hit before it is told.
#[derive(Clone)]
pub(crate) struct Weighed<'a> {
    part: u32,
    columns: &'a Columns,
    ordinal: Ordinal,
    evidence: Evidence,
    circumstances: Circumstances,
    score: Score,
}

impl<'a> Pairing<'a> {
    /// Those of `candidates` that agree on anything. What the next are compared by comes from memory while some are compared.
    fn compared(&self, candidates: &[Candidate]) -> Vec<Weighed<'a>> {
        let mut hits = Vec::with_capacity(candidates.len().min(TOGETHER));
        let mut next = candidates.chunks(TOGETHER);
        self.prints_asked(next.next());
        for some in candidates.chunks(TOGETHER) {
            self.prints_asked(next.next());
            hits.extend(some.iter().filter_map(|candidate| self.weighed(candidate)));
        }
        hits
    }

    /// Asks for the fingerprints of these, and for what else is looked at of those that are compared: first for the beginning
    /// of each.
    fn prints_asked(&self, candidates: Option<&[Candidate]>) {
        let candidates = candidates.unwrap_or_default();
        self.asked(candidates, Columns::print_begin_ahead);
        self.asked(candidates, Columns::print_ahead);
    }

    /// Asks for something of each candidate.
    fn asked<'c>(
        &self,
        candidates: impl IntoIterator<Item = &'c Candidate>,
        ahead: impl Fn(&Columns, Ordinal),
    ) {
        for candidate in candidates {
            if let Some(part) = self.generation.parts().get(candidate.part as usize) {
                ahead(part.columns(), candidate.ordinal);
            }
        }
    }

    /// Those of `candidates` that are of a network of one of the `hits`. Candidates come part by part, and their
    /// networks were asked for.
    fn of_networks(&self, hits: &[Weighed<'_>], candidates: Vec<Candidate>) -> Vec<Candidate> {
        if candidates.is_empty() {
            return candidates;
        }
        let mut known: Vec<(u32, u32)> = hits.iter().filter_map(Weighed::network_number).collect();
        known.sort_unstable();
        known.dedup();
        if known.is_empty() {
            return Vec::new();
        }
        let parts = self.generation.parts();
        let mut lent = Vec::new();
        for of_part in candidates.chunk_by(|a, b| a.part == b.part) {
            let at = of_part.first().map_or(0, |candidate| candidate.part);
            let Some(columns) = parts.get(at as usize).map(Part::columns) else {
                continue;
            };
            // Equal numbers of one part are equal names; names are asked only of what other parts have.
            let others = known.iter().filter(|(part, _)| *part != at);
            let named = others.filter_map(|(part, network)| {
                parts.get(*part as usize)?.columns().network_name(*network)
            });
            let named: Vec<&str> = named.collect();
            lent.extend(of_part.iter().filter(|candidate| {
                let network = columns.network(candidate.ordinal);
                network.is_some_and(|network| {
                    let name = || columns.network_name(network);
                    known.binary_search(&(at, network)).is_ok()
                        || (!named.is_empty() && name().is_some_and(|name| named.contains(&name)))
                })
            }));
        }
        lent
    }

    /// The candidate compared; `None` where nothing agrees.
    fn weighed(&self, candidate: &Candidate) -> Option<Weighed<'a>> {
        let part = self.generation.parts().get(candidate.part as usize)?;
        let (columns, ordinal) = (part.columns(), candidate.ordinal);
        let entry = columns.fingerprint(ordinal)?;
        let evidence = Evidence::of(self.probe, &entry, &self.crowd);
        if !evidence.agrees() {
            return None;
        }
        let circumstances = self.circumstances(entry.name_told, columns.banned_at(ordinal));
        Some(Weighed {
            part: candidate.part,
            columns,
            ordinal,
            evidence,
            circumstances,
            score: Score::of(&evidence, &circumstances, self.model),
        })
    }

    fn circumstances(&self, name_told: f32, banned_at: Option<Timestamp>) -> Circumstances {
        Circumstances {
            entries: self.generation.entries(),
            name_told: name_told.max(self.probe.name_told),
            network_bits: 0.0,
            minutes_since_ban: minutes_between(banned_at, self.opened_at),
        }
    }
}

impl<'a> Weighed<'a> {
    fn id(&self) -> Option<&'a str> {
        self.columns.id(self.ordinal)
    }

    /// What it is worth.
    pub(crate) fn score(&self) -> &Score {
        &self.score
    }

    /// What it lends to others of its network by a signal, at most: only what is rare, and looked for as one value.
    pub(crate) fn lends(&self, signal: Signal) -> f32 {
        let comparison = self.evidence.comparison(signal);
        match comparison.surprise >= LEADING_BITS_MIN && comparison.relation.is_of_one_value() {
            true => self.score.bits(signal),
            false => 0.0,
        }
    }

    /// Adds what its network lends.
    pub(crate) fn lend(&mut self, bits: f32, model: &Model) {
        self.circumstances.network_bits = bits;
        self.score = Score::of(&self.evidence, &self.circumstances, model);
    }

    /// Part and number of the entry's network.
    pub(crate) fn network_number(&self) -> Option<(u32, u32)> {
        Some((self.part, self.columns.network(self.ordinal)?))
    }

    /// Name of the entry's network.
    pub(crate) fn network(&self) -> Option<&'a str> {
        self.columns
            .network_name(self.columns.network(self.ordinal)?)
    }

    fn hit(&self) -> Option<Hit> {
        Some(Hit {
            entry: self.columns.listed(self.ordinal)?,
            evidence: self.evidence,
            score: self.score,
            circumstances: self.circumstances,
        })
    }
}

//! Evidence in words: what an analyst reads.
//!
//! Made only for what is shown. The texts that met are fetched from the store for each hit; every row of evidence names
//! both values, its bits and the reason.

use crate::account::{Account, AccountId};
use crate::background::Background;
use crate::engine::exemptions::Cancelled;
use crate::engine::screen::{Hit, Judge, Screened};
use crate::engine::words::{Pair, seldom};
use crate::error::Result;
use crate::signal::relation::{Comparison, Level, Relation, Signal};
use crate::store::Store;

/// One row of evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceRow {
    /// The signal compared.
    pub signal: Signal,
    /// How far the values agree.
    pub level: Level,
    /// What it adds to the score.
    pub bits: f32,
    /// The probe's value, where there is one to show.
    pub probe: Option<String>,
    /// The entry's value, where there is one to show.
    pub entry: Option<String>,
    /// Bits that differ, for pictures.
    pub distance: Option<u16>,
    /// The reason, in words.
    pub why: String,
}

/// One entry that agrees with the probe.
#[derive(Debug, Clone, PartialEq)]
pub struct HitReport {
    /// The entry's id.
    pub entry: String,
    /// Its handle.
    pub handle: String,
    /// Its display name.
    pub display_name: String,
    /// Its platform.
    pub platform: String,
    /// Its network, may be empty.
    pub network: String,
    /// Why it was banned, may be empty.
    pub reason: String,
    /// Prior plus the bits of all evidence.
    pub score_bits: f32,
    /// The prior, in bits.
    pub prior_bits: f32,
    /// Probability that both are one actor.
    pub probability: f64,
    /// The rows.
    pub evidence: Vec<EvidenceRow>,
    /// What a person said that keeps the hit from counting, in words.
    pub cancelled: Option<String>,
    /// What else was judged of the pair, in words; only in an explanation.
    pub judged: Option<String>,
}

/// The answer to one probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The probe's id.
    pub id: String,
    /// The verdict's word.
    pub verdict: &'static str,
    /// Score of the best entry that counts, in bits.
    pub score_bits: f32,
    /// Probability that this entry is its actor's.
    pub probability: f64,
    /// Number of the last change seen.
    pub lsn: u64,
    /// Digest of model, background and normaliser.
    pub model: String,
    /// Look-ups that a cap cut short.
    pub cuts: u32,
    /// Number of the decision it was kept as, where it was.
    pub decision: Option<u64>,
    /// Best entries first; after them those that are cancelled.
    pub hits: Vec<HitReport>,
}

/// Turns outcomes into reports.
pub(crate) struct Reporter<'a> {
    store: &'a Store,
    background: &'a Background,
    judge: &'a Judge,
    model: String,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(
        store: &'a Store,
        background: &'a Background,
        judge: &'a Judge,
        model: String,
    ) -> Self {
        Self {
            store,
            background,
            judge,
            model,
        }
    }

    /// The report of one screen. One disk read for each hit.
    pub(crate) fn report(&self, probe: &Account, screened: &Screened) -> Result<Report> {
        let hits = self.hits(probe, screened)?;
        Ok(self.headed(
            probe,
            screened,
            hits.into_iter().map(|(_, hit)| hit).collect(),
        ))
    }

    /// The hits of one screen, each with its entry as stored; the cancelled ones last.
    pub(crate) fn hits(
        &self,
        probe: &Account,
        screened: &Screened,
    ) -> Result<Vec<(Account, HitReport)>> {
        let mut hits = Vec::with_capacity(screened.hits.len());
        for hit in &screened.hits {
            hits.extend(self.hit(probe, hit, false)?);
        }
        for (hit, cancelled) in &screened.cancelled {
            if let Some((entry, mut told)) = self.hit(probe, hit, false)? {
                let (said, _) = self.said(probe.id(), &hit.entry.id, Some(*cancelled))?;
                told.cancelled = said;
                hits.push((entry, told));
            }
        }
        Ok(hits)
    }

    /// The report of one screen around its hits.
    pub(crate) fn headed(
        &self,
        probe: &Account,
        screened: &Screened,
        hits: Vec<HitReport>,
    ) -> Report {
        Report {
            id: probe.id().to_string(),
            verdict: screened.verdict.as_str(),
            score_bits: screened.score,
            probability: self.judge.model.probability(screened.score),
            lsn: screened.lsn,
            model: self.model.clone(),
            cuts: screened.cuts,
            decision: None,
            hits,
        }
    }

    /// One hit with every signal and whatever was judged of the pair.
    pub(crate) fn explained(
        &self,
        probe: &Account,
        hit: &Hit,
        cancelled: Option<Cancelled>,
    ) -> Result<Option<HitReport>> {
        let Some((_, mut told)) = self.hit(probe, hit, true)? else {
            return Ok(None);
        };
        (told.cancelled, told.judged) = self.said(probe.id(), &hit.entry.id, cancelled)?;
        Ok(Some(told))
    }

    /// What was said that cancels the pair, and what else was judged of it.
    fn said(
        &self,
        probe: &AccountId,
        entry: &AccountId,
        cancelled: Option<Cancelled>,
    ) -> Result<(Option<String>, Option<String>)> {
        let judgment = self.store.judgment(probe, entry)?;
        let judged = judgment.map(|judgment| judgment.in_words());
        // Who and why may have changed since the screen; what it saw in force is told in any case.
        Ok(match cancelled {
            None => (None, judged),
            Some(Cancelled::Judged) => (
                Some(judged.unwrap_or_else(|| "judged not a mirror".into())),
                None,
            ),
            Some(Cancelled::Protected) => {
                let protection = self.store.protection(probe)?;
                let words = protection.map(|protection| protection.in_words());
                (Some(words.unwrap_or_else(|| "protected".into())), judged)
            }
        })
    }

    /// One hit in words, and its entry as stored; `None` where it was withdrawn since the screen.
    fn hit(&self, probe: &Account, hit: &Hit, all: bool) -> Result<Option<(Account, HitReport)>> {
        let entry = self.store.entry(&hit.entry.id)?;
        Ok(entry.map(|entry| {
            let told = self.told(probe, &entry, hit, all);
            (entry, told)
        }))
    }

    /// One hit in words; with `all`, signals that one side does not tell are listed too.
    pub(crate) fn told(&self, probe: &Account, entry: &Account, hit: &Hit, all: bool) -> HitReport {
        let pair = Pair {
            probe,
            entry,
            background: self.background,
        };
        let mut evidence: Vec<EvidenceRow> = hit
            .evidence
            .iter()
            .filter(|(_, comparison)| all || comparison.relation != Relation::Missing)
            .map(|(signal, comparison)| {
                let (probe, entry) = pair.values(signal, comparison.relation);
                let bits = hit.score.bits(signal);
                EvidenceRow {
                    signal,
                    level: level_of(signal, &comparison),
                    bits,
                    probe,
                    entry,
                    distance: (signal == Signal::Avatar
                        && comparison.relation != Relation::Missing)
                        .then_some(comparison.distance),
                    why: pair.why(signal, &comparison)
                        + &seldom(&comparison, bits, &self.judge.model, signal),
                }
            })
            .collect();
        evidence.extend(circumstances(hit));
        let ban = entry.ban.clone().unwrap_or_default();
        HitReport {
            entry: hit.entry.id.to_string(),
            handle: entry.handle.clone(),
            display_name: entry.display_name.clone(),
            platform: entry.platform.clone(),
            network: ban.network,
            reason: ban.reason,
            score_bits: hit.score.total(),
            prior_bits: hit.score.prior(),
            probability: self.judge.model.probability(hit.score.total()),
            evidence,
            cancelled: None,
            judged: None,
        }
    }
}

/// The level told: the very same picture is exact, a near one close.
fn level_of(signal: Signal, comparison: &Comparison) -> Level {
    match (signal, comparison.relation, comparison.distance) {
        (Signal::Avatar, Relation::Near10, 0) => Level::Exact,
        _ => comparison.relation.level(),
    }
}

/// Rows of the network and the time, where they weigh.
fn circumstances(hit: &Hit) -> Vec<EvidenceRow> {
    let network = hit.entry.network.as_deref().unwrap_or_default();
    let minutes = hit.circumstances.minutes_since_ban.unwrap_or_default();
    let reasons = [
        (
            Signal::Network,
            format!("other entries of network {network} agree on what this one does not"),
        ),
        (
            Signal::Time,
            format!("opened {} after the ban", span(minutes)),
        ),
    ];
    let row = |(signal, why)| EvidenceRow {
        signal,
        level: Level::Close,
        bits: hit.score.bits(signal),
        probe: None,
        entry: None,
        distance: None,
        why,
    };
    reasons
        .into_iter()
        .map(row)
        .filter(|row| row.bits > 0.0)
        .collect()
}

/// Minutes in words.
fn span(minutes: f32) -> String {
    match minutes {
        minutes if minutes < 120.0 => format!("{minutes:.0} minutes"),
        minutes if minutes < 2_880.0 => format!("{:.0} hours", minutes / 60.0),
        minutes => format!("{:.0} days", minutes / 1_440.0),
    }
}

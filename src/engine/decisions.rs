//! Flags that are kept: what was decided, on what grounds, and the same report made again from them.
//!
//! A decision holds its entries as they were, what their networks lent, and how many entries carried each value. So
//! [`Engine::replay`] scores it anew, whatever has been enrolled, withdrawn or judged since.

use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::account::{Account, AccountId};
use crate::engine::columns::{Columns, Row, gathered};
use crate::engine::front::Engine;
use crate::engine::packed::Packed;
use crate::engine::report::{HitReport, Report};
use crate::engine::screen::{Hit, Screened, minutes_between};
use crate::error::{Error, Result};
use crate::evidence::Evidence;
use crate::fingerprint::Fingerprint;
use crate::hash::feature::{Space, feature};
use crate::score::{Circumstances, Score};
use crate::signal::crowd::{Carriers, Crowd};
use crate::store::{DecidedHit, Decision, Side};
use crate::verdict::Verdict;
use crate::watchlist::Entry;

/// Decisions that are forgotten in one write.
const FORGOTTEN_LEN: usize = 1_000;
/// Bits by which a hit may weigh another sum and still be the same: what is rare drifts as the watchlist grows.
const SAME_BITS: f32 = 0.1;

/// What is judged of an account, and what is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// It tells this of itself: judged exactly as told, and kept.
    Told,
    /// It tells this beside what it told before: judged as a whole, and kept.
    Event,
}

/// What screening an account for good came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The report; flagged ones carry the number of their decision.
    pub report: Report,
    /// The decision of a flagged one.
    pub decision: Option<Decision>,
    /// Whether it is flagged on evidence that no earlier decision of the account had.
    pub is_new: bool,
    /// Entries that were read and compared.
    pub compared: u32,
}

impl Engine {
    /// Keeps what an account tells, judges it as [`Engine::report`] does, and keeps the decision if it is flagged, with
    /// the bytes that `told` makes of its report. Screened again with the same outcome it is the same decision.
    ///
    /// What is told is kept before the watchlist is looked at: a ban that comes meanwhile is either seen here or finds
    /// the account among the recent ones.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn decide(
        &self,
        account: &Account,
        occasion: Occasion,
        told: impl Fn(&Report) -> Vec<u8>,
    ) -> Result<Decided> {
        let _held = self.stripes.hold(account.id());
        let told_now = self.without_opaque_tokens(account);
        let sighting = self.sighted(&told_now, Timestamp::now())?;
        let is_all = sighting.whole == told_now;
        let probe = match occasion {
            Occasion::Told => told_now,
            Occasion::Event => sighting.whole.clone(),
        };
        let fingerprint = self.fingerprint_ahead(&probe);
        if let Some(recent) = &self.recent {
            let noted = match is_all || occasion == Occasion::Event {
                true => fingerprint.clone(),
                false => self.fingerprint(&sighting.whole),
            };
            recent.note(probe.id(), noted, sighting.whole.created_at);
        }
        let decided = self.decided(&probe, &fingerprint, told)?;
        if sighting.is_first && decided.decision.is_none() {
            self.learn(&probe, &fingerprint, Verdict::Clear);
        }
        Ok(decided)
    }

    /// Judges an account again that was seen before, as it was last seen, and keeps the decision if it is flagged; `None`
    /// where nothing is known of it any more.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn decide_again(
        &self,
        id: &AccountId,
        told: impl Fn(&Report) -> Vec<u8>,
    ) -> Result<Option<Decided>> {
        let _held = self.stripes.hold(id);
        let Some(seen) = self.store().seen(id)? else {
            return Ok(None);
        };
        let fingerprint = self.fingerprint(&seen.account);
        self.decided(&seen.account, &fingerprint, told).map(Some)
    }

    /// Judges an account whose tokens are keyed, and keeps the decision if it is flagged.
    fn decided(
        &self,
        probe: &Account,
        fingerprint: &Fingerprint<'_>,
        told: impl Fn(&Report) -> Vec<u8>,
    ) -> Result<Decided> {
        for is_last in [false, false, true] {
            let screened = self.judged(probe, fingerprint);
            if let Some(decided) = self.kept(probe, &screened, &told, is_last)? {
                return Ok(decided);
            }
        }
        // Not reached: the last try keeps what came out, whatever it is.
        Err(Error::Contended {
            id: probe.id().to_string(),
        })
    }

    /// The report of an account that was screened, kept as a decision if it is flagged. `None` where an entry was changed
    /// between the screen and the report, so that the same bytes would not come out again; unless it is the last try.
    fn kept(
        &self,
        probe: &Account,
        screened: &Screened,
        told: &impl Fn(&Report) -> Vec<u8>,
        is_last: bool,
    ) -> Result<Option<Decided>> {
        let reporter = self.reporter();
        let (entries, hits) = reporter.hits(probe, screened)?.into_iter().unzip();
        let mut report = reporter.headed(probe, screened, hits);
        let decided = |report, decision, is_new| Decided {
            report,
            decision,
            is_new,
            compared: screened.compared,
        };
        if screened.verdict == Verdict::Clear {
            return Ok(Some(decided(report, None, false)));
        }
        // What cannot be read any more is no reason to let an account pass unflagged.
        let earlier = self.decisions_of(probe.id(), 1).ok();
        let earlier = earlier.and_then(|mut decisions| decisions.pop());
        if let Some(earlier) = &earlier
            && self.is_same(earlier, &report, screened.entries)
        {
            report.decision = Some(earlier.number);
            return Ok(Some(decided(report, Some(earlier.clone()), false)));
        }
        let mut decision = self.decision_of(probe.clone(), screened, entries, &report);
        let agreed = agreed(screened);
        let before = earlier.map_or_else(Vec::new, |earlier| earlier.agreed);
        decision.is_new = agreed.iter().any(|of| before.binary_search(of).is_err());
        decision.agreed = [before, agreed].concat();
        decision.agreed.sort_unstable();
        decision.agreed.dedup();
        report.decision = Some(decision.number);
        decision.report = told(&report);
        if !is_last && told(&self.replay(&decision)) != decision.report {
            return Ok(None);
        }
        self.store().decide(&decision)?;
        let is_new = decision.is_new;
        Ok(Some(decided(report, Some(decision), is_new)))
    }

    /// Whether a report tells the same verdict and hits as a decision, under the same model and for the same bits of
    /// evidence; the prior moves with the length of the watchlist and says nothing of the account.
    fn is_same(&self, earlier: &Decision, report: &Report, entries: u32) -> bool {
        let model = &self.judge().model;
        let (prior_before, prior_now) = (model.prior(earlier.entries), model.prior(entries));
        let is_same_hit = |(before, now): (&DecidedHit, &HitReport)| {
            let moved = (before.score - prior_before) - (now.score_bits - prior_now);
            before.entry.id().as_str() == now.entry
                && before.cancelled == now.cancelled.as_deref().unwrap_or_default()
                && moved.abs() < SAME_BITS
        };
        earlier.model == report.model
            && earlier.verdict == report.verdict
            && earlier.hits.len() == report.hits.len()
            && earlier.hits.iter().zip(&report.hits).all(is_same_hit)
    }

    fn decision_of(
        &self,
        probe: Account,
        screened: &Screened,
        entries: Vec<Account>,
        report: &Report,
    ) -> Decision {
        let cancelled = screened.cancelled.iter().map(|(hit, _)| hit);
        let hits: Vec<&Hit> = screened.hits.iter().chain(cancelled).collect();
        let decided = |(entry, told): (Account, &HitReport)| {
            let hit = hits.iter().find(|hit| hit.entry.id == *entry.id());
            DecidedHit {
                network_bits: hit.map_or(0.0, |hit| hit.circumstances.network_bits),
                score: told.score_bits,
                cancelled: told.cancelled.clone().unwrap_or_default(),
                entry,
            }
        };
        Decision {
            number: self.next_decision(),
            lsn: screened.lsn,
            entries: screened.entries,
            model: report.model.clone(),
            verdict: report.verdict.to_owned(),
            score: report.score_bits,
            cuts: report.cuts,
            is_new: false,
            hits: entries.into_iter().zip(&report.hits).map(decided).collect(),
            probe,
            counted: screened.counted.clone(),
            agreed: Vec::new(),
            report: Vec::new(),
        }
    }

    /// Makes the report of a decision again, from what it holds and the model in use now. The same bytes come out as
    /// long as [`Engine::model`] is the one it was made with.
    pub fn replay(&self, decision: &Decision) -> Report {
        let mut packed = Packed::default();
        for hit in &decision.hits {
            packed.push(&self.entry_of(&hit.entry));
        }
        let rows: Vec<Row<'_>> = packed.sorted().collect();
        let columns = gathered(rows.into_iter());
        let probe = self.fingerprint(&decision.probe);
        let replayed = Replayed {
            engine: self,
            decision,
            columns: &columns,
            probe: &probe,
        };
        let hits: Vec<HitReport> = decision
            .hits
            .iter()
            .filter_map(|hit| replayed.hit(hit))
            .collect();
        // The best entry that counted may have been withdrawn between screen and report, and the dial may have been
        // turned since: verdict and score are those of the moment.
        let verdict = Verdict::of_word(&decision.verdict).unwrap_or(Verdict::Review);
        Report {
            id: decision.probe.id().to_string(),
            verdict: verdict.as_str(),
            score_bits: decision.score,
            probability: self.judge().model.probability(decision.score),
            lsn: decision.lsn,
            model: self.model(),
            cuts: decision.cuts,
            decision: Some(decision.number),
            hits,
        }
    }

    /// The decision of this number. One disk read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn decision(&self, number: u64) -> Result<Option<Decision>> {
        self.store().decision(number)
    }

    /// Decisions from number `from` on, in the order they were raised.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn decisions(&self, from: u64) -> Result<impl Iterator<Item = Result<Decision>> + '_> {
        self.store().decisions(from)
    }

    /// The decisions of an account, the latest first, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn decisions_of(&self, probe: &AccountId, limit: usize) -> Result<Vec<Decision>> {
        self.read_decisions(Side::Probe, probe, limit)
    }

    /// The decisions in which an entry was told, the latest first, at most `limit`: its past returns.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn returns_of(&self, entry: &AccountId, limit: usize) -> Result<Vec<Decision>> {
        self.read_decisions(Side::Entry, entry, limit)
    }

    /// Forgets decisions raised before `limit`; returns how many.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn forget_decisions_before(&self, limit: Timestamp) -> Result<usize> {
        // One that is damaged must not keep the others; `verify` tells of it.
        let read = self.decisions(0)?.filter_map(Result::ok);
        let mut old = read.take_while(|decision| decision.at() < limit);
        let mut forgotten = 0;
        loop {
            let some: Vec<Decision> = old.by_ref().take(FORGOTTEN_LEN).collect();
            if some.is_empty() {
                return Ok(forgotten);
            }
            self.store().forget_decisions(&some)?;
            forgotten += some.len();
        }
    }

    fn read_decisions(&self, side: Side, id: &AccountId, limit: usize) -> Result<Vec<Decision>> {
        let numbers = self.store().decisions_of(side, id, limit)?;
        let read = numbers
            .into_iter()
            .filter_map(|number| self.decision(number).transpose());
        read.collect()
    }

    /// The clock in microseconds, moved on where two decisions would share a number.
    fn next_decision(&self) -> u64 {
        let now = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(0);
        let next = |last: u64| Some(now.max(last + 1));
        let order = Ordering::Relaxed;
        let last = self.decided.fetch_update(order, order, next);
        now.max(last.unwrap_or_else(|last| last) + 1)
    }
}

/// A decision being made again.
struct Replayed<'a> {
    engine: &'a Engine,
    decision: &'a Decision,
    columns: &'a Columns,
    probe: &'a Fingerprint<'a>,
}

impl Replayed<'_> {
    fn hit(&self, decided: &DecidedHit) -> Option<HitReport> {
        let (engine, decision) = (self.engine, self.decision);
        let ordinal = self.columns.find(decided.entry.id().as_str())?;
        let entry = self.columns.fingerprint(ordinal)?;
        let unknown = |_: u64, _: u32| Carriers::default();
        let ordinary = |key| engine.judge().learnt.bits(key);
        let crowd = Crowd::new(decision.entries, &unknown, &ordinary);
        for (key, carriers) in &decision.counted {
            crowd.note(*key, *carriers);
        }
        let evidence = Evidence::of(self.probe, &entry, &crowd);
        let banned_at = self.columns.banned_at(ordinal);
        let circumstances = Circumstances {
            entries: decision.entries,
            name_told: entry.name_told.max(self.probe.name_told),
            network_bits: decided.network_bits,
            minutes_since_ban: minutes_between(banned_at, decision.probe.created_at),
        };
        let hit = Hit {
            entry: self.columns.listed(ordinal)?,
            evidence,
            score: Score::of(&evidence, &circumstances, &engine.judge().model),
            circumstances,
        };
        let mut told = engine
            .reporter()
            .told(&decision.probe, &decided.entry, &hit, false);
        told.cancelled = (!decided.cancelled.is_empty()).then(|| decided.cancelled.clone());
        Some(told)
    }
}

/// Digests of entry, signal and relation of everything that speaks for a hit that counts, ascending.
fn agreed(screened: &Screened) -> Vec<u64> {
    let mut agreed: Vec<u64> = Vec::new();
    for hit in &screened.hits {
        let speaks = |(signal, _): &(_, _)| hit.score.bits(*signal) > 0.0;
        let digest = |(signal, comparison): (
            crate::signal::relation::Signal,
            crate::signal::relation::Comparison,
        )| {
            let said = format!("{}\0{signal:?}\0{:?}", hit.entry.id, comparison.relation);
            feature(Space::Pair, said.as_bytes())
        };
        agreed.extend(hit.evidence.iter().filter(speaks).map(digest));
    }
    agreed.sort_unstable();
    agreed.dedup();
    agreed
}

impl Entry {
    /// A signup as it is kept at hand: an entry that was never banned, with the time it was opened in place of a ban's.
    pub(in crate::engine) fn of_signup(
        id: &AccountId,
        fingerprint: Fingerprint<'static>,
        opened_at: Option<Timestamp>,
        until: Timestamp,
    ) -> Self {
        Self {
            id: id.clone(),
            fingerprint,
            network: None,
            banned_at: opened_at,
            expires_at: Some(until),
        }
    }
}

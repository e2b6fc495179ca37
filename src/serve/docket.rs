//! Flags that nobody has judged, at hand: the review queue, by score or by age.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::AccountId;
use crate::engine::Engine;
use crate::error::Result;
use crate::judgment::{Answer, Judgment};
use crate::store::Decision;

/// The note of an answer that was taken back: the pair is as if nobody had judged it.
pub(crate) const TAKEN_BACK: &str = "taken back";

/// The queue. Of one account its latest flag stands in it.
#[derive(Debug, Default)]
pub(crate) struct Docket(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Scores by number.
    flags: BTreeMap<u64, f32>,
    /// The number of each account's flag.
    accounts: HashMap<AccountId, u64>,
}

impl Waiting {
    fn remove(&mut self, probe: &AccountId) {
        if let Some(number) = self.accounts.remove(probe) {
            self.flags.remove(&number);
        }
    }

    fn add(&mut self, probe: &AccountId, number: u64, score: f32) {
        if self.accounts.get(probe).is_some_and(|held| *held > number) {
            return;
        }
        self.remove(probe);
        self.accounts.insert(probe.clone(), number);
        self.flags.insert(number, score);
    }
}

impl Docket {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills the queue from what is kept. Reads every decision.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn recall(&self, engine: &Engine) -> Result<()> {
        for decision in engine.decisions(0)? {
            self.note(engine, &decision?)?;
        }
        Ok(())
    }

    /// Puts a flag into the queue unless its best hit was judged already.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn note(&self, engine: &Engine, decision: &Decision) -> Result<()> {
        let probe = decision.probe.id();
        let best = decision.hits.first().map(|hit| hit.entry.id());
        let judged = best
            .map(|entry| engine.judgment(probe, entry))
            .transpose()?;
        match judged.flatten().is_some_and(|judgment| is_final(&judgment)) {
            true => self.waiting().remove(probe),
            false => self.waiting().add(probe, decision.number, decision.score),
        }
        Ok(())
    }

    /// Flags in the queue.
    pub(crate) fn len(&self) -> usize {
        self.waiting().flags.len()
    }

    /// Numbers of a page of flags, the oldest first.
    pub(crate) fn by_age(&self, skip: usize, len: usize) -> Vec<u64> {
        let waiting = self.waiting();
        waiting.flags.keys().skip(skip).take(len).copied().collect()
    }

    /// Numbers of a page of flags, the highest score first; of equal ones the older.
    pub(crate) fn by_score(&self, skip: usize, len: usize) -> Vec<u64> {
        let waiting = self.waiting();
        let mut flags: Vec<(u64, f32)> = waiting.flags.iter().map(|(n, s)| (*n, *s)).collect();
        drop(waiting);
        flags.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let page = flags.into_iter().skip(skip).take(len);
        page.map(|(number, _)| number).collect()
    }
}

/// Whether a pair needs no more looking at.
fn is_final(judgment: &Judgment) -> bool {
    judgment.answer != Answer::Unsure || judgment.remark.note() != TAKEN_BACK
}

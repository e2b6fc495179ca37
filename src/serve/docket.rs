//! Flags that nobody has judged, at hand: the review queue, by score or by age.
//!
//! Of one account its latest flag stands in it, and what is said of an older one is held against that. A flag leaves when its
//! best entry that is still on the watchlist was judged, when none of them is, when the account itself is, and when its
//! decision was forgotten or erased. Each change is made under the lock from what the database says then, so that of two who
//! come at once the later one has seen what both wrote.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::AccountId;
use crate::engine::Engine;
use crate::error::Result;
use crate::judgment::Answer;
use crate::store::Decision;

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Docket {
    waiting: Mutex<Waiting>,
    is_stopping: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By number of their decision.
    flags: BTreeMap<u64, Flag>,
    /// The number of each account's flag.
    accounts: HashMap<AccountId, u64>,
}

/// What is held of a decision.
#[derive(Debug, Clone)]
struct Flag {
    probe: AccountId,
    /// The entries told that nothing cancelled, best first.
    entries: Vec<AccountId>,
    score: f32,
    /// Whether it brought evidence that no earlier decision of the account had.
    is_new: bool,
    /// Seconds since 1970 when it was raised.
    second: i64,
}

impl Flag {
    fn of(decision: &Decision) -> Self {
        let told = decision.hits.iter().filter(|hit| hit.cancelled.is_empty());
        Self {
            probe: decision.probe.id().clone(),
            entries: told.map(|hit| hit.entry.id().clone()).collect(),
            score: decision.score,
            is_new: decision.is_new,
            second: decision.at().as_second(),
        }
    }

    /// The best of its entries that is still on the watchlist; none where the account is on it itself. Reads memory alone.
    fn best(&self, engine: &Engine) -> Option<&AccountId> {
        let generation = engine.generation();
        let mut listed = self.entries.iter().filter(|id| generation.contains(id));
        listed.next().filter(|_| !generation.contains(&self.probe))
    }

    /// Whether somebody should look at it. One disk read.
    fn is_open(&self, engine: &Engine) -> Result<bool> {
        let Some(entry) = self.best(engine) else {
            return Ok(false);
        };
        let Some(judgment) = engine.judgment(&self.probe, entry)? else {
            return Ok(true);
        };
        // Who was unsure then has not seen what came since.
        let is_older = judgment.remark.at().as_second() < self.second;
        let is_unsure = judgment.answer == Answer::Unsure;
        Ok(judgment.is_taken_back() || (is_unsure && is_older && self.is_new))
    }
}

impl Waiting {
    fn remove(&mut self, probe: &AccountId) {
        if let Some(number) = self.accounts.remove(probe) {
            self.flags.remove(&number);
        }
    }

    fn add(&mut self, number: u64, flag: Flag) {
        self.remove(&flag.probe);
        self.accounts.insert(flag.probe.clone(), number);
        self.flags.insert(number, flag);
    }

    /// Keeps the flags that `stays` says.
    fn retain(&mut self, stays: impl Fn(u64, &Flag) -> bool) {
        let accounts = &mut self.accounts;
        self.flags.retain(|number, flag| {
            let stays = stays(*number, flag);
            if !stays {
                accounts.remove(&flag.probe);
            }
            stays
        });
    }
}

impl Docket {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Ends [`Docket::recall`] early: the service stops.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Fills the queue from what is kept. Reads every decision, and the latest of each account twice; one that is damaged is
    /// passed over.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn recall(&self, engine: &Engine) -> Result<()> {
        let mut probes: HashSet<AccountId> = HashSet::new();
        for decision in engine.decisions(0)? {
            match decision {
                _ if self.is_stopping() => return Ok(()),
                Ok(decision) => drop(probes.insert(decision.probe.id().clone())),
                Err(error) => {
                    tracing::error!(%error, "a decision cannot be read; `verify` tells more")
                }
            }
        }
        for probe in probes {
            if self.is_stopping() {
                return Ok(());
            }
            if let Err(error) = self.refresh(engine, &probe) {
                tracing::error!(%error, "a flag cannot be read: it is not in the queue");
            }
        }
        Ok(())
    }

    /// Refreshes the flags of these accounts. Where the database fails the earlier flags stay, which the log tells: what brought
    /// it about stands.
    pub(crate) fn refresh_each(&self, engine: &Engine, probes: &[AccountId]) {
        for probe in probes {
            if let Err(error) = self.refresh(engine, probe) {
                tracing::error!(%error, "a flag cannot be read: the queue may be behind");
            }
        }
    }

    /// Holds the latest flag of an account against what is known now. Two disk reads.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn refresh(&self, engine: &Engine, probe: &AccountId) -> Result<()> {
        let mut waiting = self.waiting();
        // All is read before the earlier flag goes: where the database fails it stays, and is looked at again later.
        let mut latest = engine.decisions_of(probe, 1)?;
        let latest = latest
            .pop()
            .map(|decision| (decision.number, Flag::of(&decision)));
        let is_open = match &latest {
            Some((_, flag)) => flag.is_open(engine)?,
            None => false,
        };
        waiting.remove(probe);
        if let Some((number, flag)) = latest.filter(|_| is_open) {
            waiting.add(number, flag);
        }
        Ok(())
    }

    /// Refreshes every flag: some disk reads each.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn refresh_all(&self, engine: &Engine) -> Result<()> {
        let probes: Vec<AccountId> = self.waiting().accounts.keys().cloned().collect();
        probes
            .iter()
            .try_for_each(|probe| match self.is_stopping() {
                true => Ok(()),
                false => self.refresh(engine, probe),
            })
    }

    /// Lets flags go whose entries were withdrawn, or whose account is on the watchlist itself. Reads memory alone.
    pub(crate) fn tidy(&self, engine: &Engine) {
        self.waiting().retain(|_, flag| flag.best(engine).is_some());
    }

    /// Lets the flags of these decisions go, which are kept no more.
    pub(crate) fn forget(&self, numbers: &[u64]) {
        self.waiting()
            .retain(|number, _| !numbers.contains(&number));
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
        let flags = waiting.flags.iter();
        let mut flags: Vec<(u64, f32)> =
            flags.map(|(number, flag)| (*number, flag.score)).collect();
        drop(waiting);
        flags.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let page = flags.into_iter().skip(skip).take(len);
        page.map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests;

//! Entries counted for the console, which reads them all.
//!
//! One counts at a time, and holds no lock that others wait for: whoever comes meanwhile is told what was counted last, so that
//! a long count keeps one worker and not all of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::serve::console::Tally;

/// Entries are counted at most so often.
const EVERY: Duration = Duration::from_secs(60);

/// Counts of entries.
#[derive(Debug, Default)]
pub(crate) struct Tallied {
    last: Mutex<Last>,
    /// Held by who counts.
    counting: Mutex<()>,
}

/// What was counted last.
#[derive(Debug, Default)]
struct Last {
    tallies: Option<Arc<[Tally]>>,
    /// When; `None` where something changed since.
    at: Option<Instant>,
    /// Changes that were told.
    changes: u64,
}

impl Last {
    fn is_fresh(&self) -> bool {
        self.at.is_some_and(|at| at.elapsed() < EVERY)
    }
}

impl Tallied {
    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts, made by `count` where the last are older than a minute; none while somebody else makes the first.
    ///
    /// # Errors
    /// What `count` says.
    pub(crate) fn told(
        &self,
        count: impl FnOnce() -> Result<Vec<Tally>>,
    ) -> Result<Option<Arc<[Tally]>>> {
        let _turn = match self.counting.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(broken)) => broken.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(self.last().tallies.clone()),
        };
        let last = self.last();
        if last.is_fresh() {
            return Ok(last.tallies.clone());
        }
        let changes = last.changes;
        drop(last);
        let tallies: Arc<[Tally]> = count()?.into();
        let mut last = self.last();
        // What changed while it was counted may be in it or not.
        last.at = (last.changes == changes).then(Instant::now);
        last.tallies = Some(Arc::clone(&tallies));
        Ok(Some(tallies))
    }

    /// Takes in that standings changed: the next to ask counts anew.
    pub(crate) fn changed(&self) {
        let mut last = self.last();
        last.changes += 1;
        last.at = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Tallied;
    use crate::error::{Error, Result};
    use crate::serve::console::{Standing, Tally};

    fn tallies(entries: usize) -> Vec<Tally> {
        vec![Tally {
            network: String::new(),
            platform: "x".into(),
            kind: "account",
            standing: Standing::Unreported,
            entries,
        }]
    }

    fn entries(told: Result<Option<Arc<[Tally]>>>) -> Option<usize> {
        told.unwrap().map(|tallies| tallies[0].entries)
    }

    #[test]
    fn while_one_counts_others_are_told_the_last_counts() {
        let tallied = Tallied::default();
        let nobody_counts = || -> Result<Vec<Tally>> { panic!("counted twice") };
        let first = tallied.told(|| {
            assert_eq!(entries(tallied.told(nobody_counts)), None);
            Ok(tallies(1))
        });
        assert_eq!(entries(first), Some(1));
        assert_eq!(entries(tallied.told(nobody_counts)), Some(1));
        tallied.changed();
        let second = tallied.told(|| {
            assert_eq!(entries(tallied.told(nobody_counts)), Some(1));
            tallied.changed();
            Ok(tallies(2))
        });
        assert_eq!(entries(second), Some(2));
        let third = tallied.told(|| Ok(tallies(3)));
        assert_eq!(entries(third), Some(3), "something changed meanwhile");
    }

    #[test]
    fn a_count_that_failed_is_made_again() {
        let tallied = Tallied::default();
        tallied.told(|| Err(Error::WriterStopped)).unwrap_err();
        assert_eq!(entries(tallied.told(|| Ok(tallies(1)))), Some(1));
    }
}

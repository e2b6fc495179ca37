//! One thing at a time for one account, many accounts at once.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::AccountId;

/// Accounts that may be held at once; two of them may share a lock, which costs waiting, nothing else.
const STRIPES: usize = 256;

/// Locks shared out among all accounts.
#[derive(Debug)]
pub(crate) struct Stripes([Mutex<()>; STRIPES]);

impl Default for Stripes {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Stripes {
    /// Holds an account until the guard is dropped. Whoever holds one must not ask for another.
    pub(crate) fn hold(&self, id: &AccountId) -> Option<MutexGuard<'_, ()>> {
        self.lock(stripe(id))
    }

    /// Holds accounts until the guards are dropped. Whoever holds any must not ask for others.
    pub(crate) fn hold_all<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a AccountId>,
    ) -> Vec<MutexGuard<'_, ()>> {
        // All take them in one order, so that no two wait for each other.
        let stripes: BTreeSet<usize> = ids.into_iter().map(stripe).collect();
        let locks = stripes.into_iter().filter_map(|place| self.lock(place));
        locks.collect()
    }

    fn lock(&self, place: usize) -> Option<MutexGuard<'_, ()>> {
        let lock = self.0.get(place);
        lock.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn stripe(id: &AccountId) -> usize {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
    hash as usize % STRIPES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_many_in_any_order_waits_for_nobody_for_ever() {
        let stripes = Stripes::default();
        let ids = (0..1_000).map(|n| AccountId::new(&format!("x:{n}")).unwrap());
        let ids: Vec<AccountId> = ids.collect();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..200).for_each(|_| drop(stripes.hold_all(&ids))));
            scope.spawn(|| (0..200).for_each(|_| drop(stripes.hold_all(ids.iter().rev()))));
            scope.spawn(|| ids.iter().for_each(|id| drop(stripes.hold(id))));
        });
        let held = stripes.hold_all(&ids[..1]);
        assert_eq!(held.len(), 1);
        assert!(stripes.0[stripe(&ids[0])].try_lock().is_err());
    }
}

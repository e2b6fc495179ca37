//! One thing at a time for one account, many accounts at once.

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
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let lock = self.0.get(hash as usize % STRIPES);
        lock.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

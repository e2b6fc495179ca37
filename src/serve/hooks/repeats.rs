//! Which deliveries were answered already, and how?
//!
//! Senders repeat what they did not hear an answer to, and then want the same answer. One cell for each key: whoever comes
//! first fills it, who comes meanwhile waits, who comes later reads it. Bounded: two tables of which the older one is thrown
//! away whole when the younger is full, so the last `REPEATS_MAX` keys used are known, and never more than twice as many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::serve::hooks::adapter::Decision;

/// Keys that are known at least. A busy signup service sends some hundred events a minute and repeats for an hour.
const REPEATS_MAX: usize = 65_536;

/// What came of one event, once it is known.
pub(crate) type Cell = Arc<OnceCell<Decision>>;

/// The deliveries of late.
#[derive(Debug)]
pub(crate) struct Repeats {
    tables: Mutex<Tables>,
    len_max: usize,
}

#[derive(Debug, Default)]
struct Tables {
    younger: HashMap<[u8; 32], Cell>,
    older: HashMap<[u8; 32], Cell>,
}

impl Default for Repeats {
    fn default() -> Self {
        Self::new(REPEATS_MAX)
    }
}

impl Repeats {
    /// Knows at least the last `len_max` keys.
    pub(crate) fn new(len_max: usize) -> Self {
        Self {
            tables: Mutex::default(),
            len_max,
        }
    }

    /// The cell of an event of a source.
    pub(crate) fn cell(&self, source: &str, key: &str) -> Cell {
        // Digests, since a sender may make its ids as long as it likes. A source's name holds no line break, so no two pairs
        // make one text.
        let key: [u8; 32] = Sha256::digest(format!("{source}\n{key}")).into();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = tables.younger.get(&key) {
            return Arc::clone(cell);
        }
        let cell = tables.older.remove(&key).unwrap_or_default();
        if tables.younger.len() >= self.len_max {
            tables.older = std::mem::take(&mut tables.younger);
        }
        tables.younger.insert(key, Arc::clone(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::Repeats;
    use crate::serve::hooks::adapter::Decision;

    #[test]
    fn what_was_used_lately_is_known_and_the_rest_forgotten() {
        let repeats = Repeats::new(3);
        let is_known = |key: &str| repeats.cell("s", key).initialized();
        for key in ["a", "b", "c", "d"] {
            repeats.cell("s", key).set(Decision::allow()).unwrap();
            assert!(is_known("a"), "used again and again");
        }
        assert!(is_known("d") && is_known("c"));
        for key in ["e", "f", "g", "h", "i"] {
            repeats.cell("s", key).set(Decision::allow()).unwrap();
        }
        assert!(!is_known("b"));
        assert!(!repeats.cell("other", "i").initialized());
        let tables = repeats.tables.lock().unwrap();
        assert!(tables.younger.len() + tables.older.len() <= 6);
    }
}

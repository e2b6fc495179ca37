//! Messages that were raised and neither taken, given up nor written down yet, of which a crash would lose every trace but the
//! decision.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// What is on its way: by id, since when and to how many endpoints.
#[derive(Debug, Default)]
pub(super) struct Unsettled(Mutex<HashMap<String, (Timestamp, usize)>>);

impl Unsettled {
    fn messages(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message is put on its way to so many endpoints.
    pub(super) fn add(&self, id: &str, since: Timestamp, endpoints: usize) {
        if endpoints > 0 {
            let mut messages = self.messages();
            let (_, left) = messages.entry(id.to_owned()).or_insert((since, 0));
            *left += endpoints;
        }
    }

    /// One endpoint has it, or it was given up.
    pub(super) fn settle(&self, id: &str) {
        let mut messages = self.messages();
        if let Some((_, left)) = messages.get_mut(id) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                messages.remove(id);
            }
        }
    }

    /// All that were raised before `limit` are in the file by now.
    pub(super) fn written(&self, limit: Timestamp) {
        self.messages().retain(|_, (since, _)| *since >= limit);
    }

    /// Since when the oldest is on its way.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.messages().values().map(|(since, _)| *since).min()
    }
}

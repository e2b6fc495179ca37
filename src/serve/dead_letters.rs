//! Messages to the outside, and where those lie that nobody took.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// Dead letters kept in memory.
const DEAD_MAX: usize = 1_000;

/// A message, the same for every endpoint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Its id: the same for every attempt, for the receiver to know repeats by.
    pub(crate) id: String,
    /// The body as it is sent.
    pub(crate) body: String,
}

impl Message {
    /// A message of one of our types, `org.mirrorwatch.flag.raised.v1` and the like, about `data`.
    pub(crate) fn of(id: impl Into<String>, kind: &str, at: jiff::Timestamp, data: &Value) -> Self {
        let body = json!({"type": kind, "timestamp": at.to_string(), "data": data});
        Self {
            id: id.into(),
            body: body.to_string(),
        }
    }
}

/// A message nobody took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeadLetter {
    /// For whom it was.
    pub(crate) endpoint: String,
    /// What was to be told.
    pub(crate) message: Message,
    /// Attempts made.
    pub(crate) attempts: usize,
    /// Why it was given up.
    pub(crate) reason: String,
    /// When it was given up.
    pub(crate) at: jiff::Timestamp,
}

/// Where messages go that nobody took. Called on an async thread: whoever writes to a disk hands it on.
pub(crate) trait DeadLetters: Send + Sync + 'static {
    /// Keeps one.
    fn bury(&self, letter: DeadLetter);
    /// The latest ones, the last first.
    fn latest(&self, limit: usize) -> Vec<DeadLetter>;
}

/// Dead letters in memory: the last thousand.
#[derive(Debug, Default)]
pub(crate) struct DeadInMemory(Mutex<VecDeque<DeadLetter>>);

impl DeadLetters for DeadInMemory {
    fn bury(&self, letter: DeadLetter) {
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() >= DEAD_MAX {
            letters.pop_front();
        }
        letters.push_back(letter);
    }

    fn latest(&self, limit: usize) -> Vec<DeadLetter> {
        let letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.iter().rev().take(limit).cloned().collect()
    }
}

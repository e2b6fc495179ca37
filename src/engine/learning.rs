//! What the stream of screened accounts teaches, and when that comes into force.
//!
//! Every clear account is counted as it is screened. The counts are kept with the database when a job ends; they weigh in
//! only after an operator has adopted them, so that reports do not drift while nobody looks.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::account::{Account, Token, TokenValue};
use crate::background::Stream;
use crate::engine::front::Engine;
use crate::error::Result;
use crate::hash::feature::{Space, feature};

/// Words in the name of a token that says where an account was opened from, the widest place first.
const PLACES: [&str; 5] = ["ip", "network", "prefix", "device", "fingerprint"];
/// Seconds in which one source teaches a value once.
const EPOCH_SECONDS: i64 = 86_400;

/// The counts in the making; shared by all clones of an engine.
#[derive(Debug)]
pub(crate) struct Learning(Mutex<Stream>);

impl Learning {
    /// Goes on from stored counts; from nothing where they are damaged, which `verify` tells.
    pub(crate) fn of(stored: &[u8]) -> Self {
        Self(Mutex::new(Stream::from_bytes(stored).unwrap_or_default()))
    }

    /// Counts the values of `probe`, which was found clear and had not been seen before.
    pub(crate) fn observe(&self, probe: &Account, values: &[u64]) {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.observe(source_of(probe), values);
    }

    fn bytes(&self) -> Result<(Vec<u8>, u32)> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((stream.to_bytes()?, stream.accounts()))
    }
}

impl Engine {
    /// Keeps what screened accounts have taught so far, without letting it weigh in yet.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn keep_learnt(&self) -> Result<()> {
        match &self.learning {
            Some(learning) => self.store().set_stream(&learning.bytes()?.0),
            None => Ok(()),
        }
    }

    /// Lets what screened accounts have taught weigh in from the next opening on; returns how many taught.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn adopt_learnt(&self) -> Result<u32> {
        let Some(learning) = &self.learning else {
            return Ok(0);
        };
        let (bytes, accounts) = learning.bytes()?;
        self.store().set_learnt(&bytes)?;
        Ok(accounts)
    }
}

/// Where an account was opened from and when, as far as its platform says: nobody teaches a value twice from there.
fn source_of(account: &Account) -> u64 {
    let place = PLACES.iter().find_map(|place| {
        let names = |token: &&Token| {
            let name = token.name.to_ascii_lowercase();
            name.split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| word == *place)
        };
        account.tokens.iter().find(names)
    });
    let opened = account.created_at.unwrap_or_else(Timestamp::now);
    let day = (opened.as_second() / EPOCH_SECONDS).to_le_bytes();
    let place = match place.map(|token| &token.value) {
        Some(TokenValue::Opaque(value)) => value.as_bytes(),
        Some(TokenValue::Keyed(digest)) => digest,
        None => account.platform.as_bytes(),
    };
    feature(Space::Pair, &[&day, place].concat())
}

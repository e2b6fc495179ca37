//! Walks every byte of the database and says what is damaged.

use std::collections::HashMap;

use crate::background::Background;
use crate::error::Result;
use crate::store::codec::{ChangeRecord, EntryRecord, SeenAccount};
use crate::store::database::Store;
use crate::store::key::{self, family, meta};

/// What a walk over the whole database found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Entries read.
    pub entries: u64,
    /// Changes read.
    pub changes: u64,
    /// Seen accounts read.
    pub seen: u64,
    /// What is damaged, one sentence each; empty when all is well.
    pub damage: Vec<String>,
    /// Segment files that are damaged or missing, one sentence each: they can be made again from the rest.
    pub segments: Vec<String>,
}

impl Store {
    /// Reads and decodes everything, checksums included, and holds the entries against the log.
    pub(crate) fn verify(&self) -> Result<Verification> {
        let mut found = Verification::default();
        self.verify_meta(&mut found)?;
        let last = self.verify_log(&mut found)?;
        self.verify_entries(&last, &mut found)?;
        for row in self.rows(family::SEEN)? {
            let Ok((key, stored)) = row.map_err(|e| found.damage.push(format!("seen: {e}"))) else {
                break;
            };
            found.seen += 1;
            if let Err(reason) = SeenAccount::decode(&stored) {
                found.damage.push(format!(
                    "seen account {}: {reason}",
                    String::from_utf8_lossy(&key)
                ));
            }
        }
        found.segments = self.damaged_segments()?;
        Ok(found)
    }

    /// Reads the database's own facts; the secret and the format were read when it was opened.
    fn verify_meta(&self, found: &mut Verification) -> Result<()> {
        for row in self.rows(family::META)? {
            let Ok((key, stored)) = row.map_err(|e| found.damage.push(format!("meta: {e}"))) else {
                break;
            };
            let counts = [meta::BACKGROUND, meta::STREAM, meta::LEARNT];
            let is_background = counts.contains(&&*key);
            if let (true, Err(error)) = (is_background, Background::from_bytes(&stored)) {
                found.damage.push(format!("meta: {error}"));
            }
        }
        Ok(())
    }

    /// Checks that changes are numbered without a gap; returns the last change of each id.
    fn verify_log(&self, found: &mut Verification) -> Result<HashMap<String, (u64, bool)>> {
        let mut last = HashMap::new();
        let mut expected = 1;
        for row in self.rows(family::LOG)? {
            let Ok((key, stored)) = row.map_err(|e| found.damage.push(format!("log: {e}"))) else {
                break;
            };
            found.changes += 1;
            let lsn = key::lsn_of(&key).unwrap_or(0);
            if lsn != expected {
                found
                    .damage
                    .push(format!("log: change {expected} is missing, {lsn} follows"));
            }
            expected = lsn + 1;
            match ChangeRecord::decode(&stored) {
                Ok(change) => drop(last.insert(change.id, (lsn, change.is_withdrawal))),
                Err(reason) => found.damage.push(format!("log: change {lsn}: {reason}")),
            }
        }
        Ok(last)
    }

    fn verify_entries(
        &self,
        last: &HashMap<String, (u64, bool)>,
        found: &mut Verification,
    ) -> Result<()> {
        for row in self.rows(family::ENTRIES)? {
            let Ok((key, stored)) = row.map_err(|e| found.damage.push(format!("entries: {e}")))
            else {
                break;
            };
            found.entries += 1;
            let id = String::from_utf8_lossy(&key).into_owned();
            match EntryRecord::decode(&stored) {
                Err(reason) => found.damage.push(format!("entry {id}: {reason}")),
                Ok(record) if record.account.id().as_str() != id => {
                    found
                        .damage
                        .push(format!("entry {id}: the record is of another id"));
                }
                Ok(record) if last.get(&id) != Some(&(record.lsn, false)) => {
                    found.damage.push(format!(
                        "entry {id}: the log tells otherwise of change {}",
                        record.lsn
                    ));
                }
                Ok(_) => {}
            }
        }
        let enrolled = last
            .values()
            .filter(|(_, is_withdrawal)| !is_withdrawal)
            .count() as u64;
        if enrolled != found.entries {
            found.damage.push(format!(
                "{enrolled} entries by the log, {} stored",
                found.entries
            ));
        }
        Ok(())
    }
}

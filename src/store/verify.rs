//! Walks every byte of the database and says what is damaged.

use std::collections::HashMap;

use crate::background::Background;
use crate::error::Result;
use crate::store::codec::{ChangeRecord, EntryRecord, RemarkRecord, SeenAccount};
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
    /// Judgments and protected accounts read.
    pub rulings: u64,
    /// Decisions read.
    pub decisions: u64,
    /// What is damaged, one sentence each; empty when all is well.
    pub damage: Vec<String>,
    /// Segment files that are damaged or missing, one sentence each: they can be made again from the rest.
    pub segments: Vec<String>,
}

/// The last change of every key, and whether it took the record away.
#[derive(Debug, Default)]
struct Last {
    entries: HashMap<String, (u64, bool)>,
    /// By the key of the pair.
    judgments: HashMap<Vec<u8>, (u64, bool)>,
    protected: HashMap<Vec<u8>, (u64, bool)>,
}

impl Store {
    /// Reads and decodes everything, checksums included, and holds the entries against the log.
    pub(crate) fn verify(&self) -> Result<Verification> {
        let mut found = Verification::default();
        self.verify_meta(&mut found)?;
        let last = self.verify_log(&mut found)?;
        self.verify_entries(&last.entries, &mut found)?;
        self.verify_rulings(family::JUDGMENTS, &last.judgments, &mut found)?;
        self.verify_rulings(family::PROTECTED, &last.protected, &mut found)?;
        self.verify_judged(&last.judgments, &mut found)?;
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
        found.decisions = self.check_decisions(&mut found.damage)?;
        self.check_standings(&mut found.damage)?;
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
        for mark in [self.looked_back(), self.flags_told()] {
            if let Err(error) = mark {
                found.damage.push(error.to_string());
            }
        }
        Ok(())
    }

    /// Checks that changes are numbered without a gap; returns the last change of each key.
    fn verify_log(&self, found: &mut Verification) -> Result<Last> {
        let mut last = Last::default();
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
                Ok(ChangeRecord::Listed { id, is_withdrawal }) => {
                    last.entries.insert(id, (lsn, is_withdrawal));
                }
                Ok(ChangeRecord::Judged {
                    probe,
                    entry,
                    is_end,
                }) => {
                    let key = [probe.as_bytes(), entry.as_bytes()].join(&0);
                    last.judgments.insert(key, (lsn, is_end));
                }
                Ok(ChangeRecord::Protected { id, is_end }) => {
                    last.protected.insert(id.into_bytes(), (lsn, is_end));
                }
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

    /// Holds the judgments, or the protected accounts, against the log.
    fn verify_rulings(
        &self,
        name: &str,
        last: &HashMap<Vec<u8>, (u64, bool)>,
        found: &mut Verification,
    ) -> Result<()> {
        let before = found.rulings;
        for row in self.rows_if_there(name)? {
            let Ok((key, stored)) = row.map_err(|e| found.damage.push(format!("{name}: {e}")))
            else {
                break;
            };
            found.rulings += 1;
            let is_judgment = name == family::JUDGMENTS;
            let is_key = match is_judgment {
                true => key::pair_of(&key).is_some(),
                false => key::account_of(&key).is_some(),
            };
            let reason = match RemarkRecord::decode(&stored) {
                Err(reason) => reason,
                Ok(_) if !is_key => "the key is none".into(),
                Ok(record) if record.answer.is_some() != is_judgment => "no answer fits it".into(),
                Ok(record) if last.get(&*key) != Some(&(record.lsn, false)) => {
                    format!("the log tells otherwise of change {}", record.lsn)
                }
                Ok(_) => continue,
            };
            let key = String::from_utf8_lossy(&key).replace('\0', " ");
            found.damage.push(format!("{name}: {key}: {reason}"));
        }
        let stored = found.rulings - before;
        let told = last.values().filter(|(_, is_end)| !is_end).count() as u64;
        if told != stored {
            let reason = format!("{name}: {told} by the log, {stored} stored");
            found.damage.push(reason);
        }
        Ok(())
    }

    /// Every judgment is found by its entry too, and nothing else.
    fn verify_judged(
        &self,
        last: &HashMap<Vec<u8>, (u64, bool)>,
        found: &mut Verification,
    ) -> Result<()> {
        let is_kept = |pair: &Vec<u8>| last.get(pair).is_some_and(|(_, is_end)| !is_end);
        let (mut judged, mut stray) = (0, 0);
        for row in self.rows_if_there(family::JUDGED)? {
            let Ok((key, _)) = row.map_err(|e| found.damage.push(format!("judged: {e}"))) else {
                break;
            };
            let turned = key::pair_of(&key).map(|(entry, probe)| key::pair(&probe, &entry));
            match turned.as_ref().is_some_and(is_kept) {
                true => judged += 1,
                false => stray += 1,
            }
        }
        if stray > 0 {
            let reason = format!("judged: {stray} rows are of no judgment");
            found.damage.push(reason);
        }
        let total = last.values().filter(|(_, is_end)| !is_end).count();
        if judged != total {
            let reason = format!("judged: {judged} of {total} judgments are found by their entry");
            found.damage.push(reason);
        }
        Ok(())
    }
}

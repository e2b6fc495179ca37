//! What people said, on disk: judgments by probe and by entry, protected accounts by id.

use rocksdb::{Direction, IteratorMode, WriteBatch};

use crate::account::AccountId;
use crate::error::Result;
use crate::judgment::{Answer, Judgment, Protection, Ruling};
use crate::store::codec::{ChangeRecord, RemarkRecord};
use crate::store::database::{Row, Store, damaged, database};
use crate::store::key::{self, family};

impl Store {
    /// Adds what change `lsn` writes to the batch; returns its line of the log.
    pub(in crate::store) fn rule(
        &self,
        ruling: &Ruling,
        lsn: u64,
        batch: &mut WriteBatch,
    ) -> Result<ChangeRecord> {
        let protected = self.family(family::PROTECTED)?;
        Ok(match ruling {
            Ruling::Judge(judgment) => {
                let (probe, entry) = (judgment.probe(), judgment.entry());
                let record = RemarkRecord {
                    lsn,
                    answer: Some(judgment.answer),
                    remark: judgment.remark.clone(),
                };
                let (by_probe, by_entry) = (key::pair(probe, entry), key::pair(entry, probe));
                batch.put_cf(self.family(family::JUDGMENTS)?, by_probe, record.encode());
                batch.put_cf(self.family(family::JUDGED)?, by_entry, b"");
                ChangeRecord::Judged {
                    probe: probe.to_string(),
                    entry: entry.to_string(),
                    is_end: false,
                }
            }
            Ruling::Erase(probe, entry) => {
                batch.delete_cf(self.family(family::JUDGMENTS)?, key::pair(probe, entry));
                batch.delete_cf(self.family(family::JUDGED)?, key::pair(entry, probe));
                ChangeRecord::Judged {
                    probe: probe.to_string(),
                    entry: entry.to_string(),
                    is_end: true,
                }
            }
            Ruling::Protect(protection) => {
                let record = RemarkRecord {
                    lsn,
                    answer: None,
                    remark: protection.remark.clone(),
                };
                let id = &protection.account;
                batch.put_cf(protected, key::account(id), record.encode());
                ChangeRecord::Protected {
                    id: id.to_string(),
                    is_end: false,
                }
            }
            Ruling::Unprotect(id) => {
                batch.delete_cf(protected, key::account(id));
                ChangeRecord::Protected {
                    id: id.to_string(),
                    is_end: true,
                }
            }
        })
    }

    /// What was last said of a pair. One disk read.
    pub(crate) fn judgment(
        &self,
        probe: &AccountId,
        entry: &AccountId,
    ) -> Result<Option<Judgment>> {
        let key = key::pair(probe, entry);
        let stored = self.value(family::JUDGMENTS, &key)?;
        stored.map(|stored| judgment_of(&key, &stored)).transpose()
    }

    /// The protection of an account. One disk read.
    pub(crate) fn protection(&self, id: &AccountId) -> Result<Option<Protection>> {
        let key = key::account(id);
        let stored = self.value(family::PROTECTED, key)?;
        stored.map(|stored| protection_of(key, &stored)).transpose()
    }

    /// Every judgment, by probe and entry.
    pub(crate) fn judgments(&self) -> Result<impl Iterator<Item = Result<Judgment>> + '_> {
        let rows = self.rows_if_there(family::JUDGMENTS)?;
        Ok(rows.map(|row| row.and_then(|(key, stored)| judgment_of(&key, &stored))))
    }

    /// Every protected account, by id.
    pub(crate) fn protections(&self) -> Result<impl Iterator<Item = Result<Protection>> + '_> {
        let rows = self.rows_if_there(family::PROTECTED)?;
        Ok(rows.map(|row| row.and_then(|(key, stored)| protection_of(&key, &stored))))
    }

    /// Every judgment of a probe, by entry.
    pub(crate) fn judgments_of_probe(&self, probe: &AccountId) -> Result<Vec<Judgment>> {
        let Some(judgments) = self.db().cf_handle(family::JUDGMENTS) else {
            return Ok(Vec::new());
        };
        let begin = key::pairs_of(probe);
        let from = IteratorMode::From(&begin, Direction::Forward);
        let rows = self.db().iterator_cf(judgments, from);
        let of_probe = rows.take_while(|row| {
            row.as_ref()
                .map_or(true, |(key, _)| key.starts_with(&begin))
        });
        let judgment = |row: std::result::Result<Row, rocksdb::Error>| {
            let (key, stored) = row.map_err(database)?;
            judgment_of(&key, &stored)
        };
        of_probe.map(judgment).collect()
    }

    /// Every judgment of an entry, by probe. One disk read for each.
    pub(crate) fn judgments_of_entry(&self, entry: &AccountId) -> Result<Vec<Judgment>> {
        let Some(judged) = self.db().cf_handle(family::JUDGED) else {
            return Ok(Vec::new());
        };
        let begin = key::pairs_of(entry);
        let from = IteratorMode::From(&begin, Direction::Forward);
        let mut judgments = Vec::new();
        for row in self.db().iterator_cf(judged, from) {
            let (key, _) = row.map_err(database)?;
            if !key.starts_with(&begin) {
                break;
            }
            let (_, probe) = key::pair_of(&key).ok_or_else(|| damaged(&key, "no pair of ids"))?;
            judgments.extend(self.judgment(&probe, entry)?);
        }
        Ok(judgments)
    }

    /// Rows of a family that databases of earlier programs have not got.
    pub(in crate::store) fn rows_if_there(
        &self,
        name: &str,
    ) -> Result<impl Iterator<Item = Result<Row>> + '_> {
        let rows = match self.db().cf_handle(name) {
            Some(_) => Some(self.rows(name)?),
            None => None,
        };
        Ok(rows.into_iter().flatten())
    }

    /// The value of a key in a family that databases of earlier programs have not got.
    pub(in crate::store) fn value(&self, name: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.db().cf_handle(name) {
            Some(family) => self.db().get_cf(family, key).map_err(database),
            None => Ok(None),
        }
    }
}

fn judgment_of(key: &[u8], stored: &[u8]) -> Result<Judgment> {
    let record = RemarkRecord::decode(stored).map_err(|reason| damaged(key, &reason))?;
    let pair = key::pair_of(key).zip(record.answer);
    let judgment = pair.and_then(|((probe, entry), answer): (_, Answer)| {
        Judgment::new(probe, entry, answer, record.remark).ok()
    });
    judgment.ok_or_else(|| damaged(key, "no judgment of two accounts"))
}

fn protection_of(key: &[u8], stored: &[u8]) -> Result<Protection> {
    let record = RemarkRecord::decode(stored).map_err(|reason| damaged(key, &reason))?;
    let account = key::account_of(key).ok_or_else(|| damaged(key, "no id of an account"))?;
    Ok(Protection {
        account,
        remark: record.remark,
    })
}

//! How far platforms have come with entries whose removal was asked for, by id.

use jiff::Timestamp;

use crate::account::AccountId;
use crate::error::Result;
use crate::store::database::{Store, damaged, database};
use crate::store::key::{self, family};

/// A word of the caller's, and since when it holds.
pub(crate) type Standing = (u8, Timestamp);

impl Store {
    /// Notes how far a platform has come with entries. Not synced.
    pub(crate) fn set_standings(
        &self,
        ids: &[AccountId],
        code: u8,
        since: Timestamp,
    ) -> Result<()> {
        let family = self.family(family::STANDINGS)?;
        let mut value = since.as_second().to_le_bytes().to_vec();
        value.push(code);
        let mut batch = rocksdb::WriteBatch::default();
        for id in ids {
            batch.put_cf(family, key::account(id), &value);
        }
        self.db().write(batch).map_err(database)
    }

    /// Forgets how far a platform has come with one entry.
    pub(crate) fn forget_standing(&self, id: &AccountId) -> Result<()> {
        let family = self.family(family::STANDINGS)?;
        let forgotten = self.db().delete_cf(family, key::account(id));
        forgotten.map_err(database)
    }

    /// Reads every row; what is wrong goes into `damage`.
    pub(in crate::store) fn check_standings(&self, damage: &mut Vec<String>) -> Result<()> {
        for row in self.rows_if_there(family::STANDINGS)? {
            if let Err(error) = row.and_then(|(key, stored)| standing_of(&key, &stored)) {
                damage.push(format!("standings: {error}"));
            }
        }
        Ok(())
    }

    /// How far its platform has come with an entry; `None` where nobody noted it. One disk read.
    pub(crate) fn standing(&self, id: &AccountId) -> Result<Option<Standing>> {
        let key = key::account(id);
        let stored = self.value(family::STANDINGS, key)?;
        stored.map(|stored| standing_of(key, &stored)).transpose()
    }
}

pub(in crate::store) fn standing_of(key: &[u8], stored: &[u8]) -> Result<Standing> {
    let parts = stored.split_first_chunk::<8>().and_then(|(seconds, code)| {
        let since = Timestamp::from_second(i64::from_le_bytes(*seconds)).ok()?;
        Some((*code.first()?, since))
    });
    parts.ok_or_else(|| damaged(key, "no standing of nine bytes"))
}

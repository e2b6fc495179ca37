//! Facts of the database itself, each under its own key: backgrounds, what was learnt, and how far the service has come.
//!
//! A fact is written through to the disk before the call returns.

use rocksdb::WriteOptions;

use crate::error::Result;
use crate::store::database::{Store, damaged, database};
use crate::store::key::{family, meta};

impl Store {
    /// The stored background, where one was built.
    pub(crate) fn background(&self) -> Result<Option<Vec<u8>>> {
        let stored = self.fact(meta::BACKGROUND)?;
        Ok((!stored.is_empty()).then_some(stored))
    }

    /// Keeps a background.
    pub(crate) fn set_background(&self, stored: &[u8]) -> Result<()> {
        self.set_fact(meta::BACKGROUND, stored)
    }

    /// What screened accounts have taught so far; empty where none did.
    pub(crate) fn stream(&self) -> Result<Vec<u8>> {
        self.fact(meta::STREAM)
    }

    /// Keeps what screened accounts have taught so far.
    pub(crate) fn set_stream(&self, stored: &[u8]) -> Result<()> {
        self.set_fact(meta::STREAM, stored)
    }

    /// What of it was adopted; empty where nothing was.
    pub(crate) fn learnt(&self) -> Result<Vec<u8>> {
        self.fact(meta::LEARNT)
    }

    /// Adopts what was learnt.
    pub(crate) fn set_learnt(&self, stored: &[u8]) -> Result<()> {
        self.set_fact(meta::LEARNT, stored)
    }

    /// The change up to which recent signups were looked for, where they ever were.
    pub(crate) fn looked_back(&self) -> Result<Option<u64>> {
        self.mark(meta::LOOKED_BACK)
    }

    /// Keeps up to which change recent signups were looked for.
    pub(crate) fn set_looked_back(&self, lsn: u64) -> Result<()> {
        self.set_mark(meta::LOOKED_BACK, lsn)
    }

    /// Microseconds since 1970 of the moment up to which flags were told, where they ever were.
    pub(crate) fn flags_told(&self) -> Result<Option<u64>> {
        self.mark(meta::TOLD)
    }

    /// Keeps up to which moment flags were told.
    pub(crate) fn set_flags_told(&self, micros: u64) -> Result<()> {
        self.set_mark(meta::TOLD, micros)
    }

    fn mark(&self, name: &[u8]) -> Result<Option<u64>> {
        let stored = self.fact(name)?;
        if stored.is_empty() {
            return Ok(None);
        }
        let mark = stored.as_slice().try_into().map(u64::from_be_bytes);
        let mark = mark.map_err(|_| damaged(name, "not a number of 8 bytes"))?;
        Ok(Some(mark))
    }

    fn set_mark(&self, name: &[u8], mark: u64) -> Result<()> {
        self.set_fact(name, &mark.to_be_bytes())
    }

    fn fact(&self, key: &[u8]) -> Result<Vec<u8>> {
        let stored = self.db.get_cf(self.family(family::META)?, key);
        Ok(stored.map_err(database)?.unwrap_or_default())
    }

    fn set_fact(&self, key: &[u8], stored: &[u8]) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let family = self.family(family::META)?;
        let written = self.db.put_cf_opt(family, key, stored, &options);
        written.map_err(database)
    }
}

//! How far the service has come with what follows from a ban or a flag, kept so that neither a stop nor a crash loses any.

use crate::account::AccountId;
use crate::engine::Engine;
use crate::error::Result;

impl Engine {
    /// The change up to which recent signups like new entries were looked for, where that was ever noted. One disk read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn looked_back(&self) -> Result<Option<u64>> {
        self.store().looked_back()
    }

    /// Notes that recent signups like all entries up to change `lsn` were looked for. One synced write.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn set_looked_back(&self, lsn: u64) -> Result<()> {
        self.store().set_looked_back(lsn)
    }

    /// The moment up to which every flag was told to whoever wants to hear of it, or given up, where that was ever noted:
    /// microseconds since 1970, as decisions are numbered. One disk read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn flags_told(&self) -> Result<Option<u64>> {
        self.store().flags_told()
    }

    /// Notes up to which moment flags were told. One synced write.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn set_flags_told(&self, micros: u64) -> Result<()> {
        self.store().set_flags_told(micros)
    }

    /// Entries enrolled or changed after change `lsn` that are still there, the latest first, and whether there are more
    /// than `len_max`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn enrolled_since(&self, lsn: u64, len_max: usize) -> Result<(Vec<AccountId>, bool)> {
        self.store().latest_enrolled(lsn, len_max)
    }
}

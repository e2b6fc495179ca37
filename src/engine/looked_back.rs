//! How far looking back for recent signups has come, kept so that a stop or a crash loses none of it.

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

    /// Entries enrolled or changed after change `lsn` that are still there, the latest first, and whether there are more
    /// than `len_max`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn enrolled_since(&self, lsn: u64, len_max: usize) -> Result<(Vec<AccountId>, bool)> {
        self.store().latest_enrolled(lsn, len_max)
    }
}

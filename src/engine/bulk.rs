//! Many entries at once: written batch by batch, indexed once at the end.
//!
//! Each batch is on the disk when its call returns; all of them become matchable together when [`Bulk::finish`]
//! returns. Indexing once instead of merging small segments again and again makes a load several times faster. After a
//! crash everything that was written is there: the next open indexes it from the log.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::account::Account;
use crate::engine::columns::{Packed, Row, gathered};
use crate::engine::committer::{Receipt, Request};
use crate::engine::front::{Engine, Enrolled};
use crate::engine::generation::Part;
use crate::engine::keeping::{KEPT_MIN, Notice, keep, stamp};
use crate::engine::segment::Segment;
use crate::error::Result;
use crate::watchlist::Entry;

/// A bulk load in progress. Ids that it brings are not to be changed by other calls until it is finished.
pub struct Bulk<'e> {
    engine: &'e Engine,
    packed: Packed,
    receipt: Receipt,
    since: u64,
    /// Whether the writer knows of this load.
    is_told: bool,
}

impl<'e> Bulk<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            packed: Packed::default(),
            receipt: Receipt::default(),
            since: engine.generation().lsn(),
            is_told: false,
        }
    }

    /// Writes accounts; they are on the disk when it returns. Those turned down are listed in the answer.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn enroll(&mut self, accounts: Vec<Account>) -> Result<Enrolled> {
        let (ready, rejected) = self.engine.admitted(accounts)?;
        let pairs = ready.into_par_iter().map(|account| {
            let account = self.engine.without_opaque_tokens(&account);
            let entry = self.engine.entry_of(&account);
            (account, entry)
        });
        let (ready, entries): (Vec<Account>, Vec<Entry>) = pairs.unzip();
        let begun = (!self.is_told).then_some(self.since);
        let receipt = self.engine.commit(Request::Load(ready, begun))?;
        self.is_told = true;
        entries.iter().for_each(|entry| self.packed.push(entry));
        self.receipt.added += receipt.added;
        self.receipt.updated += receipt.updated;
        Ok(Enrolled { receipt, rejected })
    }

    /// Indexes everything that was written and makes it matchable. Of equal ids the one written last counts.
    ///
    /// # Errors
    /// The segment or the manifest cannot be written.
    pub fn finish(mut self, notice: Notice<'_>) -> Result<Receipt> {
        let before = self.engine.generation();
        if self.packed.len() == 0 {
            self.receipt.lsn = before.lsn();
            return Ok(self.receipt);
        }
        // New ids were counted as added each time they came, as none of them is in the view yet.
        let is_new = |id: &&str| before.parts().iter().all(|part| part.find(id).is_none());
        let repeated = self.packed.repeated().filter(is_new).count();
        let rows: Vec<Row<'_>> = self.packed.sorted().collect();
        let is_kept = rows.len() >= KEPT_MIN;
        let segment = if is_kept {
            let columns = gathered(rows.into_iter());
            // The packed entries are no longer needed while the indexes are built.
            self.packed = Packed::default();
            keep(
                self.engine.store(),
                stamp(self.engine.background()),
                columns,
                notice,
            )?
        } else {
            Segment::build(rows.into_iter())
        };
        let adopted = Request::Adopt(Part::of(segment, self.since));
        self.receipt.lsn = self.engine.commit(adopted)?.lsn;
        self.receipt.added -= repeated.min(self.receipt.added);
        self.receipt.updated += repeated;
        Ok(self.receipt)
    }
}

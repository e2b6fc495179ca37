//! Many entries at once: written batch by batch, indexed once at the end.
//!
//! Each batch is on the disk when its call returns; all of them become matchable together when [`Bulk::finish`]
//! returns. Indexing once instead of merging small segments again and again makes a load several times faster. After a
//! crash everything that was written is there: the next open indexes it from the log.

use std::sync::mpsc::Receiver;

use rayon::prelude::{ParallelIterator, ParallelSlice};

use crate::account::Account;
use crate::engine::columns::gathered;
use crate::engine::front::{Engine, Rejected};
use crate::engine::generation::Part;
use crate::engine::keeping::{Notice, keep, stamp};
use crate::engine::packed::Packed;
use crate::engine::request::{Receipt, Request};
use crate::engine::segment::{KEPT_MIN, Segment};
use crate::error::{Error, Result};
use crate::store::Change;

/// Accounts that one core fingerprints at a time.
const SHARE_LEN: usize = 1_024;

/// A bulk load in progress. Ids that it brings are not to be changed by other calls until it is finished.
pub struct Bulk<'e> {
    engine: &'e Engine,
    packed: Packed,
    receipt: Receipt,
    since: u64,
    /// The batch that is being written while the next one is fingerprinted.
    writing: Option<Receiver<Result<Receipt>>>,
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
            writing: None,
            is_told: false,
        }
    }

    /// Takes accounts; those turned down are in the answer by their place. They are on the disk when the next call
    /// returns, together with `mark`, by which the caller knows after a crash how far it has come.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn enroll(&mut self, accounts: Vec<Account>, mark: Vec<u8>) -> Result<Rejected> {
        let (ready, rejected) = self.engine.admitted(accounts)?;
        let engine = self.engine;
        let shares: Vec<(Packed, Vec<Change>)> = ready
            .par_chunks(SHARE_LEN)
            .map(|accounts| share(engine, accounts))
            .collect();
        self.written()?;
        let mut changes = Vec::with_capacity(ready.len());
        for (packed, share) in shares {
            self.packed.append(packed);
            changes.extend(share);
        }
        let begun = (!self.is_told).then_some(self.since);
        self.writing = Some(self.engine.send(Request::Load(changes, mark, begun))?);
        self.is_told = true;
        Ok(rejected)
    }

    /// Indexes everything that was taken and makes it matchable. Of equal ids the one taken last counts.
    ///
    /// # Errors
    /// The segment or the manifest cannot be written.
    pub fn finish(mut self, notice: Notice<'_>) -> Result<Receipt> {
        self.written()?;
        let before = self.engine.generation();
        if self.packed.len() == 0 {
            if self.engine.load_mark()?.is_some() {
                let forgotten = Request::Load(Vec::new(), Vec::new(), None);
                self.engine.commit(forgotten)?;
            }
            self.receipt.lsn = before.lsn();
            return Ok(self.receipt);
        }
        // New ids were counted as added each time they came, as none of them is in the view yet.
        let is_new = |id: &&str| before.parts().iter().all(|part| part.find(id).is_none());
        let repeated = self.packed.repeated().filter(is_new).count();
        let rows = self.packed.sorted();
        let segment = if rows.clone().count() >= KEPT_MIN {
            let columns = gathered(rows);
            // The packed entries are no longer needed while the indexes are built.
            self.packed = Packed::default();
            self.engine.store().flush()?;
            let stamp = stamp(self.engine.background());
            keep(self.engine.store(), stamp, columns, notice)?
        } else {
            Segment::build(rows)
        };
        let adopted = Request::Adopt(Part::of(segment, self.since));
        self.receipt.lsn = self.engine.commit(adopted)?.lsn;
        self.receipt.added -= repeated.min(self.receipt.added);
        self.receipt.updated += repeated;
        Ok(self.receipt)
    }

    /// Waits until the batch before is on the disk.
    fn written(&mut self) -> Result<()> {
        if let Some(writing) = self.writing.take() {
            let receipt = writing.recv().map_err(|_| Error::WriterStopped)??;
            self.receipt.added += receipt.added;
            self.receipt.updated += receipt.updated;
        }
        Ok(())
    }
}

/// Some accounts packed and encoded.
fn share(engine: &Engine, accounts: &[Account]) -> (Packed, Vec<Change>) {
    let (mut packed, mut changes) = (Packed::default(), Vec::with_capacity(accounts.len()));
    for account in accounts {
        let account = engine.without_opaque_tokens(account);
        packed.push(&engine.entry_of(&account));
        changes.push(Change::encoded(&account));
    }
    (packed, changes)
}

//! What the console asks of the service. The values that pass are in `values`.
//!
//! All calls are synchronous and may read the disk; the console makes them off the async threads. `analysts` answers
//! them with the engine.

use std::sync::Arc;

use crate::account::AccountId;
use crate::engine::LookupRow;
use crate::error::Result;
use crate::judgment::Answer;
use crate::serve::console::values::{
    Analyst, Dashboard, Decision, EntryFile, Family, Order, Queue, Removal, Replay, Standing, Tally,
};
use crate::serve::gate::Gate;

/// The service as the console sees it.
pub(crate) trait Desk: Send + Sync + 'static {
    /// The gate that work with the engine goes through, the console's as everybody's.
    fn side_gate(&self) -> &Gate;

    /// Whether who comes from this address may try a key now; counts the trial.
    fn may_try(&self, peer: &str) -> bool;

    /// Whose key this is, if it is a live key that may use the console (analyst or admin). Compares in constant time.
    fn login(&self, key: &str) -> Result<Option<Analyst>>;

    /// Who everybody is while the service has no keys and listens on this machine alone.
    fn unlocked(&self) -> Result<Option<Analyst>>;

    /// The holder of a key that logged in earlier, `None` once it was revoked. Asked at every request.
    fn analyst(&self, key_id: &str) -> Result<Option<Analyst>>;

    /// Entries whose handle is like `handle`, nearest first.
    fn lookup(&self, handle: &str, limit: usize) -> Result<Vec<LookupRow>>;

    /// One entry and what is known of its returns; also an account that is known as the return of one.
    fn entry(&self, id: &AccountId) -> Result<Option<EntryFile>>;

    /// Everything joined to `id` by judgments, in both directions.
    fn lineage(&self, id: &AccountId) -> Result<Family>;

    /// A flag as it was raised.
    fn decision(&self, id: &str) -> Result<Option<Decision>>;

    /// The flag made once more from what was stored with it.
    fn replay(&self, id: &str) -> Result<Option<Replay>>;

    /// Flags nobody has judged; `page` from 0.
    fn queue(&self, order: Order, page: usize) -> Result<Queue>;

    /// Takes an answer about the decision's probe and one of its entries. `Mirror` joins the lineage.
    fn judge(
        &self,
        decision: &str,
        entry: &AccountId,
        answer: Answer,
        note: &str,
        who: &str,
    ) -> Result<()>;

    /// Takes the answer about a pair back, with all it brought; the flag is in the queue again.
    fn undo(&self, decision: &str, entry: &AccountId, who: &str) -> Result<()>;

    /// Live entries counted by network, platform, kind and standing, as they were a minute ago at most, or when they were
    /// counted last while somebody counts them; none while they are counted for the first time.
    fn networks(&self) -> Result<Option<Arc<[Tally]>>>;

    /// Live entries of a platform that are of these standings, the longest banned first: how many there are, and at most `limit`
    /// of them, of which twice as many are held in memory. Reads all entries, so one does at a time: none while somebody else does.
    fn removals(
        &self,
        platform: &str,
        standings: &[Standing],
        limit: usize,
    ) -> Result<Option<(usize, Vec<Removal>)>>;

    /// Notes how far the platform has come with these entries.
    fn mark(&self, ids: &[AccountId], standing: Standing, who: &str) -> Result<()>;

    /// Figures of the service.
    fn dashboard(&self) -> Result<Dashboard>;
}

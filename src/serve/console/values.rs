//! What passes between the console and the service: plain values, made for pages.

use jiff::Timestamp;

use crate::account::{Account, AccountId};
use crate::engine::Stats;
use crate::judgment::Judgment;
use crate::verdict::Thresholds;

/// Who holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Analyst {
    /// The key's public id, never the key.
    pub key_id: String,
    /// The name that judgments carry.
    pub who: String,
}

/// An entry with its past.
#[derive(Debug, Clone)]
pub(crate) struct EntryFile {
    /// The entry as stored.
    pub account: Account,
    /// True while it is on the watchlist.
    pub is_listed: bool,
    /// How far its platform has come with it.
    pub standing: Standing,
    /// Flags that named it, the latest first.
    pub decisions: Vec<Decision>,
    /// What people said of it, the latest first.
    pub judgments: Vec<Judgment>,
}

/// Accounts joined by judgments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Family {
    /// Who returned as whom.
    pub edges: Vec<Edge>,
    /// The accounts named by the edges, as far as they are still known.
    pub accounts: Vec<Account>,
}

/// One return: `child` was judged a mirror of `parent`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edge {
    /// The entry.
    pub parent: AccountId,
    /// Its return.
    pub child: AccountId,
    /// The decision judged, where it is still kept.
    pub decision: Option<String>,
    /// Who judged.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Returns from the first entry of the chain to the child.
    pub hops: u32,
    /// The pair's score then, in bits.
    pub score: f32,
}

/// A flag as it was raised.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    /// Names it in addresses.
    pub id: String,
    /// When it was raised.
    pub at: Timestamp,
    /// The account as it was screened.
    pub probe: Account,
    /// The entries of its hits as they were then, in any order.
    pub entries: Vec<Account>,
    /// The report as it was told: the contract's JSON.
    pub report: Vec<u8>,
    /// The thresholds then, where they are known.
    pub thresholds: Option<Thresholds>,
    /// What people say of the probe and its hits now.
    pub judgments: Vec<Judgment>,
}

/// A flag made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    /// The report as it was told.
    pub told: Vec<u8>,
    /// The report made again from the stored probe, entries, counts and model.
    pub again: Vec<u8>,
}

/// What stands first in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Order {
    /// The highest score; of equal ones the older.
    #[default]
    Score,
    /// The oldest flag.
    Age,
}

/// One page of the queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    /// The flags of the page.
    pub decisions: Vec<Decision>,
    /// Flags in the whole queue.
    pub total: usize,
    /// Flags a page.
    pub page_len: usize,
}

/// How far a platform has come with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    /// Nobody has asked for its removal.
    Unreported,
    /// Asked for, and still up.
    Reported,
    /// Gone.
    Removed,
}

impl Standing {
    /// Every standing, in the order they follow.
    pub(crate) const ALL: [Self; 3] = [Self::Unreported, Self::Reported, Self::Removed];

    /// The word of forms and of the export.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unreported => "unreported",
            Self::Reported => "reported",
            Self::Removed => "removed",
        }
    }
}

/// Live entries of one network, platform, kind and standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Empty for entries without one.
    pub network: String,
    /// May be empty.
    pub platform: String,
    /// The contract's word.
    pub kind: &'static str,
    /// How far the platform has come.
    pub standing: Standing,
    /// How many.
    pub entries: usize,
}

/// An entry whose removal is asked for, or could be.
#[derive(Debug, Clone)]
pub(crate) struct Removal {
    /// The entry.
    pub account: Account,
    /// How far the platform has come.
    pub standing: Standing,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Figures of the service.
#[derive(Debug, Clone)]
pub(crate) struct Dashboard {
    /// Sizes.
    pub stats: Stats,
    /// What was screened, by hour, the oldest first, without gaps.
    pub hours: Vec<Hour>,
    /// What was judged, by day, the oldest first, without gaps.
    pub days: Vec<Day>,
    /// How long screens took: buckets by upper bound, ascending.
    pub latency: Vec<Bucket>,
    /// Flags nobody has judged.
    pub waiting: usize,
}

/// Screens of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hour {
    /// Its beginning.
    pub at: Timestamp,
    /// Accounts screened.
    pub screened: u64,
    /// Of these, for review.
    pub review: u64,
    /// Of these, matches.
    pub matched: u64,
}

/// Judgments of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    /// Its beginning.
    pub at: Timestamp,
    /// Judged a mirror.
    pub mirrors: u64,
    /// Judged not a mirror: false flags.
    pub not_mirrors: u64,
    /// Left open.
    pub unsure: u64,
}

/// Screens of one range of duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Longest of the range, in microseconds.
    pub up_to_us: u64,
    /// How many.
    pub count: u64,
}

//! What callers ask of the writer, and what it answers.

use jiff::Timestamp;

use crate::account::{Account, AccountId};
use crate::engine::generation::Part;
use crate::judgment::Ruling;
use crate::store::Change;
use crate::watchlist::Entry;

/// What a change did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Number of the last change in effect.
    pub lsn: u64,
    /// Entries that were new.
    pub added: usize,
    /// Entries that replaced an earlier one of the same id.
    pub updated: usize,
    /// Entries removed.
    pub withdrawn: usize,
    /// Of them those that nobody named: they were judged to be returns of those that were, or their bans ended.
    pub descendants: Vec<AccountId>,
    /// Judgments and protections written, and protections ended.
    pub ruled: usize,
    /// Ids that were not on the watchlist, or not protected.
    pub unknown: Vec<AccountId>,
}

/// What a caller asks for.
pub(crate) enum Request {
    /// Add or replace entries; accounts carry keyed tokens only.
    Enroll(Vec<(Account, Entry)>),
    /// Remove entries, each if its reason still holds.
    Withdraw(Vec<Departure>),
    /// What people say of pairs and accounts.
    Rule(Vec<Ruling>),
    /// What people say, and the entries that come and go with it; all of it or, where an entry is not as it was, nothing:
    /// then the answer names it as unknown.
    Settle(Settlement),
    /// Write changes of a bulk load and how far it has come; they become visible when [`Request::Adopt`] brings their
    /// segment. The first of a load says after which change it began.
    Load(Vec<Change>, Vec<u8>, Option<u64>),
    /// Take in the segment of a bulk load.
    Adopt(Part),
    /// Put a merged part in the place of those it was merged from.
    Replace(Vec<Part>, Part),
}

/// What people say, and the entries that come and go with it.
#[derive(Default)]
pub(crate) struct Settlement {
    /// What they say.
    pub(crate) rulings: Vec<Ruling>,
    /// Entries that come or change.
    pub(crate) joining: Vec<Joining>,
    /// Entries that go.
    pub(crate) leaving: Vec<Departure>,
}

/// An entry that goes, if there is still reason to when it is its turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Departure {
    /// The entry.
    pub(crate) id: AccountId,
    /// Why.
    pub(crate) reason: Reason,
}

/// Why an entry goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reason {
    /// Somebody named it.
    Named,
    /// It is a return of this entry, and was judged to be none.
    ReturnOf(AccountId),
    /// It is a return of an entry that is gone.
    Orphaned,
    /// Its ban ended by this time.
    EndedBy(Timestamp),
}

/// An entry that is written only if it is still as it was when that was worked out.
pub(crate) struct Joining {
    /// The entry as it was stored; `None` of one that is new.
    pub(crate) was: Option<Account>,
    /// The entry to be.
    pub(crate) now: (Account, Entry),
}

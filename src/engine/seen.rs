//! What is known of accounts that are not on the watchlist: platforms blank a profile when they suspend it, so what was
//! screened before is kept a while, and a ban that brings only an id finds it.

use std::collections::HashMap;

use jiff::Timestamp;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::account::{Account, AccountId};
use crate::engine::front::Engine;
use crate::error::{Rejection, Result};
use crate::store::SeenAccount;

/// What was seen of an account is kept this long after it was last screened.
const SEEN_DAYS: i64 = 30;

/// What was erased of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Whether it was on the watchlist.
    pub entry: bool,
    /// Whether anything had been seen of it.
    pub seen: bool,
    /// Decisions about it, or that told it.
    pub decisions: usize,
}

impl Engine {
    /// Erases what is kept of one account: its entry, what was seen of it, and the decisions that tell of it. What
    /// people judged stays, which holds ids and their own notes, no profile.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn erase(&self, id: &AccountId) -> Result<Erased> {
        let entry = self.generation().contains(id);
        if entry {
            self.withdraw(vec![id.clone()])?;
        }
        if let Some(recent) = &self.recent {
            recent.forget(id);
        }
        let seen = self.store().has_seen(id)?;
        self.store().forget(id)?;
        let mut decisions = self.decisions_of(id, usize::MAX)?;
        decisions.extend(self.returns_of(id, usize::MAX)?);
        decisions.sort_by_key(|decision| decision.number);
        decisions.dedup_by_key(|decision| decision.number);
        self.store().forget_decisions(&decisions)?;
        let decisions = decisions.len();
        Ok(Erased {
            entry,
            seen,
            decisions,
        })
    }

    /// Keeps what was seen of accounts, added to what was seen before, so that a later ban by id alone finds it.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn remember(&self, accounts: &[Account], seen_at: Timestamp) -> Result<()> {
        let mut by_id: HashMap<&AccountId, Vec<&Account>> = HashMap::new();
        for account in accounts.iter().filter(|account| !account.is_bare()) {
            by_id.entry(account.id()).or_default().push(account);
        }
        let seen: Vec<SeenAccount> = by_id
            .into_par_iter()
            .filter_map(|(id, accounts)| self.accumulated(id, &accounts, seen_at).transpose())
            .collect::<Result<_>>()?;
        self.store().remember(&seen)
    }

    /// What was seen of one account before, and now in `accounts`, the later over the earlier.
    fn accumulated(
        &self,
        id: &AccountId,
        accounts: &[&Account],
        seen_at: Timestamp,
    ) -> Result<Option<SeenAccount>> {
        let earlier = self.store().seen(id)?.map(|seen| seen.account);
        let told = accounts
            .iter()
            .map(|account| self.without_opaque_tokens(account));
        let known = told.fold(earlier, |known, account| {
            Some(match known {
                Some(earlier) => account.filled_from(&earlier),
                None => account,
            })
        });
        Ok(known.map(|account| SeenAccount { seen_at, account }))
    }

    /// What is known of an id: the entry, or what was seen when it was screened.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn known(&self, id: &AccountId) -> Result<Option<Account>> {
        match self.store().entry(id)? {
            Some(account) => Ok(Some(account)),
            None => Ok(self.store().seen(id)?.map(|seen| seen.account)),
        }
    }

    /// The account to enrol, or why it cannot be.
    pub(in crate::engine) fn filled(&self, account: Account) -> Result<Result<Account, Rejection>> {
        if !account.is_bare() {
            return Ok(Ok(account));
        }
        let known = self.known(account.id())?;
        let unseen = || {
            Rejection::new(
                "never_seen",
                "id",
                "brings only an id, and the account was never screened here",
            )
        };
        Ok(known
            .map(|known| account.filled_from(&known))
            .filter(|account| !account.is_bare())
            .ok_or_else(unseen))
    }

    /// Withdraws entries whose ban has ended by `now`. O(entries).
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn retire(&self, now: Timestamp) -> Result<()> {
        let ended = self.generation().ended(now);
        if !ended.is_empty() {
            self.withdraw(ended)?;
        }
        Ok(())
    }

    /// Forgets accounts not seen for 30 days. Reads all that were.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn forget_seen(&self, now: Timestamp) -> Result<()> {
        let oldest = Timestamp::from_second(now.as_second() - SEEN_DAYS * 86_400)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        self.store().forget_before(oldest)?;
        Ok(())
    }
}

//! What is known of accounts that are not on the watchlist: platforms blank a profile when they suspend it, so what was
//! screened before is kept a while, and a ban that brings only an id finds it.

use jiff::Timestamp;

use crate::account::{Account, AccountId, Avatar};
use crate::engine::front::Engine;
use crate::engine::glimpse::Glimpse;
use crate::engine::lineage::TRIES;
use crate::engine::request::{Request, Settlement};
use crate::error::{Rejection, Result};
use crate::judgment::{Judgment, Ruling};
use crate::store::SeenAccount;

/// What was seen of an account is kept this long after it was last screened.
const SEEN_DAYS: i64 = 30;

/// What was erased of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Whether it was on the watchlist.
    pub entry: bool,
    /// Returns of it that left the watchlist with it.
    pub descendants: Vec<AccountId>,
    /// Whether anything had been seen of it.
    pub seen: bool,
    /// Decisions about it, or that told it.
    pub decisions: usize,
    /// The accounts that these decisions were about.
    pub probes: Vec<AccountId>,
    /// Judgments of it, on either side, with their notes.
    pub judgments: usize,
    /// Whether it was protected, until now.
    pub protection: bool,
}

/// What is known of an account after it told something.
pub(in crate::engine) struct Sighting {
    /// What it tells now, over what it told before.
    pub(in crate::engine) whole: Account,
    /// Whether nothing was known of it that could be compared.
    pub(in crate::engine) is_first: bool,
}

impl Engine {
    /// Erases what is kept of one account: its entry, what was seen of it, how far its platform came with it, the decisions
    /// that tell of it, and what people said of it with their notes, which may name whom it belongs to. What followed from
    /// that goes too: returns of it leave the watchlist, and what was exempt may be flagged again.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn erase(&self, id: &AccountId) -> Result<Erased> {
        let mut erased = self.erase_but_judgments(id)?;
        // Whoever judges at this moment is taken back in the next round; what it made an entry goes again.
        for _ in 0..TRIES {
            let rulings = self.erasures(id)?;
            if rulings.is_empty() {
                break;
            }
            let is_judgment = |ruling: &&Ruling| matches!(ruling, Ruling::Erase(..));
            let judgments = rulings.iter().filter(is_judgment).count();
            erased.judgments += judgments;
            erased.protection |= judgments < rulings.len();
            self.commit(Request::Rule(rulings))?;
            if self.generation().contains(id) {
                let left = self.withdraw(vec![id.clone()])?;
                erased.descendants.extend(left.descendants);
            }
        }
        Ok(erased)
    }

    /// What takes back all that people said of an account.
    fn erasures(&self, id: &AccountId) -> Result<Vec<Ruling>> {
        let of_probe = self.store().judgments_of_probe(id)?.into_iter();
        let of_entry = self.store().judgments_of_entry(id)?.into_iter();
        let judgments = of_probe.chain(of_entry);
        let erasure = |of: Judgment| Ruling::Erase(of.probe().clone(), of.entry().clone());
        let protection = self.store().protection(id)?;
        let protection = protection.map(|of| Ruling::Unprotect(of.account));
        Ok(judgments.map(erasure).chain(protection).collect())
    }

    /// Erases as [`Engine::erase`] does, but keeps what people said of the account.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn erase_but_judgments(&self, id: &AccountId) -> Result<Erased> {
        let left = self.withdraw(vec![id.clone()])?;
        // Whoever screens it at this moment has ended before, or finds nothing any more.
        let _held = self.stripes.hold(id);
        if let Some(recent) = &self.recent {
            recent.forget(id);
        }
        let seen = self.store().has_seen(id)?;
        self.store().forget(id)?;
        self.store().forget_standing(id)?;
        let mut decisions = self.decisions_of(id, usize::MAX)?;
        decisions.extend(self.returns_of(id, usize::MAX)?);
        decisions.sort_by_key(|decision| decision.number);
        decisions.dedup_by_key(|decision| decision.number);
        self.store().forget_decisions(&decisions)?;
        let mut probes: Vec<AccountId> = (decisions.iter())
            .map(|decision| decision.probe.id().clone())
            .collect();
        probes.sort_unstable();
        probes.dedup();
        Ok(Erased {
            entry: left.withdrawn > 0,
            descendants: left.descendants,
            seen,
            decisions: decisions.len(),
            probes,
            judgments: 0,
            protection: false,
        })
    }

    /// Keeps what was seen of accounts, added to what was seen before, so that a later ban by id alone finds it.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn remember(&self, accounts: &[Account], seen_at: Timestamp) -> Result<()> {
        let told = accounts.iter().filter(|account| !account.is_bare());
        let told =
            told.map(|account| Glimpse::teaching_nothing(self.without_opaque_tokens(account)));
        self.keep(told.collect(), seen_at)
    }

    /// Keeps what an account whose tokens are keyed tells, added to what it told before. One disk read and one write.
    pub(in crate::engine) fn sighted(
        &self,
        account: &Account,
        seen_at: Timestamp,
    ) -> Result<Sighting> {
        let earlier = self.store().seen(account.id())?;
        let is_first = earlier.as_ref().is_none_or(|seen| seen.account.is_bare());
        let whole = match earlier {
            Some(seen) => account.filled_from(&seen.account),
            None => account.clone(),
        };
        let seen = SeenAccount {
            seen_at,
            account: whole,
        };
        let told = &seen.account;
        if !told.is_bare() || !told.location.is_empty() || told.created_at.is_some() {
            self.store().remember(std::slice::from_ref(&seen))?;
        }
        let whole = seen.account;
        Ok(Sighting { whole, is_first })
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

    /// Adds a picture to an entry that has none; whether it did. One disk read and one write.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn add_picture(&self, id: &AccountId, avatar: Avatar) -> Result<bool> {
        for _ in 0..TRIES {
            let Some(was) = self.entry(id)?.filter(|entry| entry.avatar.is_none()) else {
                return Ok(false);
            };
            let mut draft = was.clone().into_draft();
            draft.avatar = Some(avatar);
            let now = draft.check()?;
            let joining = vec![self.joining(Some(was), now)];
            let settlement = Settlement {
                joining,
                ..Settlement::default()
            };
            if self.commit(Request::Settle(settlement))?.unknown.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An account with what it lacks taken from what is known of it, as an entry banned in its own right.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn completed(&self, account: &Account) -> Result<Account> {
        let account = self.without_opaque_tokens(account);
        Ok(match self.known(account.id())? {
            Some(known) => in_its_own_right(account.filled_from(&known), &account),
            None => account,
        })
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
            .map(|known| in_its_own_right(account.filled_from(&known), &account))
            .filter(|account| !account.is_bare())
            .ok_or_else(unseen))
    }

    /// Forgets accounts not seen for 30 days. Reads all that were.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn forget_seen(&self, now: Timestamp) -> Result<()> {
        let oldest = Timestamp::from_second(now.as_second() - SEEN_DAYS * 86_400)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        for id in self.store().seen_before(oldest)? {
            // Who signs up again meanwhile is not forgotten.
            let _held = self.stripes.hold(&id);
            let seen = self.store().seen(&id);
            if seen.is_ok_and(|seen| seen.is_some_and(|seen| seen.seen_at < oldest)) {
                self.store().forget(&id)?;
            }
        }
        Ok(())
    }
}

/// An account that was filled, as an entry banned in its own right: that it was an entry before as the return of another
/// does not make this ban depend on the other, unless it says so itself.
fn in_its_own_right(filled: Account, told: &Account) -> Account {
    let says_so = |account: &Account| account.ban.as_ref().is_some_and(|b| b.descent.is_some());
    if says_so(told) || !says_so(&filled) {
        return filled;
    }
    let mut draft = filled.clone().into_draft();
    if let Some(ban) = &mut draft.ban {
        ban.descent = None;
    }
    // It was checked before, and there is less of it now.
    draft.check().unwrap_or(filled)
}

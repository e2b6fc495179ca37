//! Requests that are written together, in the making: each is held against what those before it in the group made of the watchlist.

use std::collections::{HashMap, HashSet};

use crate::account::{Account, AccountId};
use crate::engine::exemptions::Exemptions;
use crate::engine::generation::Generation;
use crate::engine::request::{Departure, Joining, Reason, Receipt, Settlement};
use crate::error::Result;
use crate::judgment::Ruling;
use crate::store::{Change, Store};
use crate::watchlist::Entry;

/// Requests of one group in the making: the changes in order, and what becomes of each id.
pub(in crate::engine) struct Group<'a> {
    before: &'a Generation,
    /// What is written, in order.
    pub(in crate::engine) changes: Vec<Change>,
    /// What becomes of each id; `None` of one that goes.
    pub(in crate::engine) live: HashMap<AccountId, Option<Entry>>,
    /// What people have cancelled by now.
    pub(in crate::engine) exemptions: Exemptions,
    /// Whether a person said anything.
    pub(in crate::engine) is_ruled: bool,
}

impl<'a> Group<'a> {
    /// An empty group over the view before it.
    pub(in crate::engine) fn new(before: &'a Generation) -> Self {
        Self {
            before,
            changes: Vec::new(),
            live: HashMap::new(),
            exemptions: before.exemptions().clone(),
            is_ruled: false,
        }
    }

    fn is_live(&self, id: &AccountId) -> bool {
        self.live
            .get(id)
            .map_or_else(|| self.before.contains(id), Option::is_some)
    }

    /// Adds or replaces entries.
    pub(in crate::engine) fn enroll(&mut self, accounts: Vec<(Account, Entry)>) -> Receipt {
        let mut receipt = Receipt::default();
        for (account, entry) in accounts {
            let count = match self.is_live(&entry.id) {
                true => &mut receipt.updated,
                false => &mut receipt.added,
            };
            *count += 1;
            self.live.insert(entry.id.clone(), Some(entry));
            self.changes.push(Change::encoded(&account));
        }
        receipt
    }

    /// Lets entries go, each if its reason still holds. A disk read for each that nobody named.
    pub(in crate::engine) fn withdraw(
        &mut self,
        leaving: Vec<Departure>,
        store: &Store,
    ) -> Result<Receipt> {
        let mut receipt = Receipt::default();
        let mut asked = HashSet::new();
        for Departure { id, reason } in leaving {
            if !asked.insert(id.clone()) {
                continue;
            }
            let is_named = reason == Reason::Named;
            if self.is_live(&id) && self.holds(&id, &reason, store)? {
                receipt.withdrawn += 1;
                self.live.insert(id.clone(), None);
                if !is_named {
                    receipt.descendants.push(id.clone());
                }
                self.changes.push(Change::Withdraw(id));
            } else if is_named {
                receipt.unknown.push(id);
            }
        }
        Ok(receipt)
    }

    /// Whether there is still reason for a live entry to go.
    fn holds(&self, id: &AccountId, reason: &Reason, store: &Store) -> Result<bool> {
        if *reason == Reason::Named {
            return Ok(true);
        }
        // What this group changed is not in the store yet: whoever asks looks again.
        if self.live.contains_key(id) {
            return Ok(false);
        }
        let ban = store.entry(id)?.and_then(|entry| entry.into_draft().ban);
        let parent = ban.as_ref().and_then(|ban| ban.descent.as_ref());
        let parent = parent.map(|descent| &descent.parent);
        Ok(match reason {
            Reason::Named => true,
            Reason::ReturnOf(entry) => parent == Some(entry),
            Reason::Orphaned => parent.is_some_and(|parent| !self.is_live(parent)),
            Reason::EndedBy(now) => {
                let end = ban.as_ref().and_then(|ban| ban.expires_at);
                end.is_some_and(|end| end <= *now)
            }
        })
    }

    /// Takes in what people say.
    pub(in crate::engine) fn rule(&mut self, rulings: Vec<Ruling>) -> Receipt {
        let mut receipt = Receipt::default();
        for ruling in rulings {
            match ruling {
                Ruling::Unprotect(id) if !self.exemptions.is_protected(&id) => {
                    receipt.unknown.push(id);
                }
                ruling => {
                    self.exemptions.rule(&ruling);
                    self.changes.push(Change::Rule(ruling));
                    receipt.ruled += 1;
                    self.is_ruled = true;
                }
            }
        }
        receipt
    }

    /// Whether the entry is as it was, and the entry that it is a return of is there.
    fn is_as_it_was(&self, joining: &Joining, store: &Store) -> Result<bool> {
        let (account, entry) = &joining.now;
        let ban = account.ban.as_ref();
        let parent = ban
            .and_then(|ban| ban.descent.as_ref())
            .map(|of| &of.parent);
        let is_attached = parent.is_none_or(|parent| self.is_live(parent));
        Ok(is_attached
            && match &joining.was {
                None => !self.is_live(&entry.id),
                // What this group changed is not in the store yet, and is not as it was.
                Some(_) if self.live.contains_key(&entry.id) => false,
                Some(was) => store.entry(&entry.id)?.as_ref() == Some(was),
            })
    }

    /// Takes in what people say with the entries that come and go by it, or names what is not as it was.
    pub(in crate::engine) fn settle(
        &mut self,
        settlement: Settlement,
        store: &Store,
    ) -> Result<Receipt> {
        for joining in &settlement.joining {
            if !self.is_as_it_was(joining, store)? {
                return Ok(Receipt {
                    unknown: vec![joining.now.1.id.clone()],
                    ..Receipt::default()
                });
            }
        }
        let ruled = self.rule(settlement.rulings);
        let joining = settlement.joining.into_iter().map(|joining| joining.now);
        let enrolled = self.enroll(joining.collect());
        let withdrawn = self.withdraw(settlement.leaving, store)?;
        Ok(Receipt {
            added: enrolled.added,
            updated: enrolled.updated,
            withdrawn: withdrawn.withdrawn,
            descendants: withdrawn.descendants,
            ..ruled
        })
    }

    /// Takes in changes of a bulk load, which its segment makes visible later.
    pub(in crate::engine) fn load(&mut self, changes: Vec<Change>) -> Receipt {
        let is_live = |change: &&Change| change.id().is_some_and(|id| self.is_live(id));
        let updated = changes.iter().filter(is_live).count();
        let added = changes.len() - updated;
        self.changes.extend(changes);
        Receipt {
            added,
            updated,
            ..Receipt::default()
        }
    }
}

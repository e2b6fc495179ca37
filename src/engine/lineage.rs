//! Lineages: what a person judged to be a return becomes an entry of its own, so that the next return may be found by
//! any of them, and goes again when the judgment is taken back or the entry it came from is withdrawn.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::account::{Account, AccountId, Ban, Descent, HOPS_MAX};
use crate::engine::front::Engine;
use crate::engine::request::{Departure, Joining, Reason, Receipt, Request, Settlement};
use crate::error::{Error, Rejection, Result};
use crate::judgment::{Answer, Judgment, Ruling};

/// Times a change is worked out anew because something it rests on was changed before it was written.
pub(in crate::engine) const TRIES: usize = 8;
/// Steps of a lineage that are told; the documentation of [`Engine::lineage`] has the number.
const TOLD_MAX: usize = 500;

/// What a judgment brought about.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// Counts and the number of the last change.
    pub receipt: Receipt,
    /// The account that is an entry now.
    pub joined: Option<AccountId>,
    /// Entries that went with an earlier judgment.
    pub left: Vec<AccountId>,
    /// Why a mirror was not enrolled, in words.
    pub kept_out: Option<&'static str>,
}

/// What goes with entries that are withdrawn.
struct Leaving {
    gone: Vec<AccountId>,
    moved: Vec<Joining>,
}

/// One step of a lineage.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The entry that came back.
    pub parent: AccountId,
    /// The return, an entry now.
    pub child: Account,
    /// What was judged.
    pub judgment: Option<Judgment>,
}

impl Engine {
    /// Writes what a person judged of a pair, with what follows: a mirror that is known joins the lineage of the entry, in
    /// the same commit; any other answer takes back what an earlier one brought, down the whole lineage.
    ///
    /// # Errors
    /// The entry is not on the watchlist, or the database cannot be read or written.
    pub fn settle(&self, judgment: Judgment, probe: Option<&Account>) -> Result<Settled> {
        for _ in 0..TRIES {
            let (settlement, mut settled) = self.settlement(&judgment, probe)?;
            self.check_exemptions(&settlement.rulings)?;
            settled.receipt = self.commit(Request::Settle(settlement))?;
            if settled.receipt.unknown.is_empty() {
                let mut left = std::mem::take(&mut settled.receipt.descendants);
                left.extend(self.leave_orphans(&left)?);
                settled.left = left;
                return Ok(settled);
            }
        }
        Err(Error::Contended {
            id: judgment.probe().to_string(),
        })
    }

    /// Removes entries, and those that were judged to be returns of them; honoured by every later screen. A return that
    /// was judged to be one of another entry too is of that one's lineage from then on. Ids that are not on the watchlist
    /// are listed in the answer.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn withdraw(&self, ids: Vec<AccountId>) -> Result<Receipt> {
        self.leave(ids, &Reason::Named)
    }

    /// Withdraws entries whose ban has ended by `now`, and returns of them; tells which. O(entries).
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn retire(&self, now: Timestamp) -> Result<Vec<AccountId>> {
        let ended = self.generation().ended(now);
        match ended.is_empty() {
            true => Ok(ended),
            false => Ok(self.leave(ended, &Reason::EndedBy(now))?.descendants),
        }
    }

    /// Removes `ids` for a reason, with what descends from them.
    fn leave(&self, ids: Vec<AccountId>, reason: &Reason) -> Result<Receipt> {
        let leaving = self.moved_first(&ids, reason)?;
        let asked: HashSet<&AccountId> = ids.iter().collect();
        let departure = |id: AccountId| Departure {
            reason: match asked.contains(&id) {
                true => reason.clone(),
                false => Reason::Orphaned,
            },
            id,
        };
        let departures = leaving.iter().cloned().map(departure).collect();
        let mut receipt = self.commit(Request::Withdraw(departures))?;
        let orphans = self.leave_orphans(&leaving)?;
        receipt.withdrawn += orphans.len();
        receipt.descendants.extend(orphans);
        Ok(receipt)
    }

    /// Withdraws what joined the lineage of entries while these were being withdrawn.
    fn leave_orphans(&self, gone: &[AccountId]) -> Result<Vec<AccountId>> {
        let mut orphans = Vec::new();
        for parent in gone {
            if self.entry(parent)?.is_none() {
                let returns = self.returns(parent)?.into_iter();
                orphans.extend(returns.map(|(child, _)| child.id().clone()));
            }
        }
        match orphans.is_empty() {
            true => Ok(orphans),
            false => Ok(self.leave(orphans, &Reason::Orphaned)?.descendants),
        }
    }

    /// Moves what descends from `ids` and may stay; returns what goes, `ids` first.
    fn moved_first(&self, ids: &[AccountId], reason: &Reason) -> Result<Vec<AccountId>> {
        let named: HashSet<AccountId> = match reason {
            Reason::Named => ids.iter().cloned().collect(),
            _ => HashSet::new(),
        };
        let mut ids = ids.to_vec();
        for _ in 0..TRIES {
            let Leaving { gone, moved } = self.leaving(ids.clone(), &named)?;
            if moved.is_empty() {
                return Ok(gone);
            }
            let moving: Vec<AccountId> = moved
                .iter()
                .map(|joining| joining.now.1.id.clone())
                .collect();
            let settlement = Settlement {
                joining: moved,
                ..Settlement::default()
            };
            // What was changed meanwhile is looked at again.
            if self.commit(Request::Settle(settlement))?.unknown.is_empty() {
                ids.retain(|id| !moving.contains(id));
            }
        }
        Ok(self.leaving(ids, &named)?.gone)
    }

    /// What a judgment changes, as things are now.
    fn settlement(
        &self,
        judgment: &Judgment,
        probe: Option<&Account>,
    ) -> Result<(Settlement, Settled)> {
        let unknown = || Error::UnknownEntry {
            id: judgment.entry().to_string(),
        };
        let parent = self.entry(judgment.entry())?.ok_or_else(unknown)?;
        let mut settled = Settled::default();
        let mut settlement = Settlement {
            rulings: vec![Ruling::Judge(judgment.clone())],
            ..Settlement::default()
        };
        match judgment.answer {
            Answer::Mirror => match self.child(judgment, probe, &parent)? {
                Ok(child) => {
                    settled.joined = Some(child.id().clone());
                    settlement.joining = vec![self.joining(None, child)];
                }
                Err(reason) => settled.kept_out = Some(reason),
            },
            Answer::NotMirror | Answer::Unsure => {
                if self.is_return_of(judgment.probe(), judgment.entry())? {
                    let besides = Some(judgment.entry());
                    if let Some(moved) = self.moved(judgment.probe(), besides, &HashSet::new())? {
                        settlement.joining = vec![moved];
                    } else {
                        let root = HashSet::from([judgment.probe().clone()]);
                        let leaving = self.leaving(vec![judgment.probe().clone()], &root)?;
                        settlement.joining = leaving.moved;
                        let departure = |id: AccountId| Departure {
                            reason: match root.contains(&id) {
                                true => Reason::ReturnOf(judgment.entry().clone()),
                                false => Reason::Orphaned,
                            },
                            id,
                        };
                        settlement.leaving = leaving.gone.into_iter().map(departure).collect();
                    }
                }
            }
        }
        Ok((settlement, settled))
    }

    /// The lineage that `id` is of, from the entry banned in its own right on, at most 500 steps; parents come
    /// before their returns. One disk read a step.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn lineage(&self, id: &AccountId) -> Result<(AccountId, Vec<Step>)> {
        let mut root = id.clone();
        for _ in 0..=HOPS_MAX {
            let ban = self.entry(&root)?.and_then(|account| account.ban.clone());
            match ban.and_then(|ban| ban.descent) {
                Some(descent) if self.entry(&descent.parent)?.is_some() => root = descent.parent,
                _ => break,
            }
        }
        let (mut steps, mut parents): (Vec<Step>, Vec<AccountId>) =
            (Vec::new(), vec![root.clone()]);
        while let Some(parent) = parents.pop() {
            for (child, judgment) in self.returns(&parent)? {
                let is_told = steps.iter().any(|step| step.child.id() == child.id());
                if steps.len() < TOLD_MAX && !is_told {
                    parents.push(child.id().clone());
                    let (parent, judgment) = (parent.clone(), Some(judgment));
                    steps.push(Step {
                        parent,
                        child,
                        judgment,
                    });
                }
            }
        }
        Ok((root, steps))
    }

    /// `ids`, and the entries that are returns of them, and of these, and so on; those that are returns of an entry that
    /// stays move to it, with what descends from them, but for `named`.
    fn leaving(&self, ids: Vec<AccountId>, named: &HashSet<AccountId>) -> Result<Leaving> {
        let (mut moved, mut moving) = (Vec::new(), HashSet::new());
        loop {
            let gone = self.with_descendants(&ids, &moving)?;
            // What moves to one that moves itself is looked at when that has moved.
            let going: HashSet<AccountId> = gone.iter().chain(&moving).cloned().collect();
            let mut next = None;
            for id in gone.iter().filter(|id| !named.contains(*id)) {
                next = self.moved(id, None, &going)?;
                if next.is_some() {
                    break;
                }
            }
            let Some(joining) = next else {
                return Ok(Leaving { gone, moved });
            };
            moving.insert(joining.now.1.id.clone());
            moved.push(joining);
        }
    }

    /// `ids` and all that descends from them, but for `staying` and what descends from these alone.
    fn with_descendants(
        &self,
        ids: &[AccountId],
        staying: &HashSet<AccountId>,
    ) -> Result<Vec<AccountId>> {
        let mut known: HashSet<AccountId> = ids.iter().chain(staying).cloned().collect();
        let all = ids.iter().filter(|id| !staying.contains(*id));
        let mut all: Vec<AccountId> = all.cloned().collect();
        let mut next = 0;
        while let Some(parent) = all.get(next).cloned() {
            next += 1;
            for (child, _) in self.returns(&parent)? {
                if known.insert(child.id().clone()) {
                    all.push(child.id().clone());
                }
            }
        }
        Ok(all)
    }

    /// The move of a return to another entry that it was judged to be a return of too, if there is one that is neither
    /// `besides` nor `going` nor descends from it.
    fn moved(
        &self,
        child: &AccountId,
        besides: Option<&AccountId>,
        going: &HashSet<AccountId>,
    ) -> Result<Option<Joining>> {
        let ban = |entry: &Account| entry.ban.clone().unwrap_or_default();
        let was = self.entry(child)?;
        let Some(was) = was.filter(|was| ban(was).descent.is_some()) else {
            return Ok(None);
        };
        let below = self.with_descendants(std::slice::from_ref(child), &HashSet::new())?;
        for judgment in self.store().judgments_of_probe(child)? {
            let entry = judgment.entry();
            let is_free = Some(entry) != besides && !going.contains(entry);
            if !is_free || below.contains(entry) || judgment.answer != Answer::Mirror {
                continue;
            }
            if let Some(parent) = self.entry(entry)?
                && let Some(descent) = descent_from(&parent)
            {
                let moved = Ban {
                    network: network_of(&parent),
                    expires_at: ban(&parent).expires_at,
                    descent: Some(descent),
                    ..ban(&was)
                };
                let now = banned(was.clone(), moved)?;
                return Ok(Some(self.joining(Some(was), now)));
            }
        }
        Ok(None)
    }

    /// The change of an entry from what it was.
    pub(in crate::engine) fn joining(&self, was: Option<Account>, child: Account) -> Joining {
        let child = self.without_opaque_tokens(&child);
        let entry = self.entry_of(&child);
        Joining {
            was,
            now: (child, entry),
        }
    }

    /// Entries that came by a judgment of `parent`, with it.
    fn returns(&self, parent: &AccountId) -> Result<Vec<(Account, Judgment)>> {
        let mut returns = Vec::new();
        for judgment in self.store().judgments_of_entry(parent)? {
            if let Some(child) = self.entry(judgment.probe())?
                && is_from(&child, parent)
            {
                returns.push((child, judgment));
            }
        }
        Ok(returns)
    }

    /// Whether an entry came by a judgment of `parent`.
    pub(in crate::engine) fn is_return_of(
        &self,
        child: &AccountId,
        parent: &AccountId,
    ) -> Result<bool> {
        let child = self.entry(child)?;
        Ok(child.is_some_and(|child| is_from(&child, parent)))
    }

    /// The probe as an entry of the lineage of `parent`, or why it is none.
    fn child(
        &self,
        judgment: &Judgment,
        probe: Option<&Account>,
        parent: &Account,
    ) -> Result<Result<Account, &'static str>> {
        if self.generation().contains(judgment.probe()) {
            return Ok(Err("it is on the watchlist already"));
        }
        let seen = match probe {
            Some(probe) => Some(probe.clone()),
            None => self
                .store()
                .seen(judgment.probe())?
                .map(|seen| seen.account),
        };
        let Some(probe) = seen.filter(|account| !account.is_bare()) else {
            return Ok(Err("nothing was seen of it"));
        };
        let Some(descent) = descent_from(parent) else {
            return Ok(Err("its lineage is too long: enroll it in its own right"));
        };
        let ban = parent.ban.clone().unwrap_or_default();
        let joined = Ban {
            network: network_of(parent),
            source: format!("judged by {}", judgment.remark.who()),
            banned_at: Some(judgment.remark.at()),
            descent: Some(descent),
            ..ban
        };
        Ok(Ok(banned(probe, joined)?))
    }
}

/// The network of an entry's returns: of one without a network they make one, so that what they tell can be pooled.
fn network_of(parent: &Account) -> String {
    let network = parent.ban.as_ref().map(|ban| ban.network.as_str());
    match network {
        None | Some("") => format!("lineage of {}", parent.id()),
        Some(network) => network.to_owned(),
    }
}

/// Where a return of `parent` stands, or `None` where the lineage would be too long.
fn descent_from(parent: &Account) -> Option<Descent> {
    let ban = parent.ban.as_ref();
    let before = ban
        .and_then(|ban| ban.descent.as_ref())
        .map_or(0, |of| of.hops);
    let hops = before.saturating_add(1);
    (hops <= HOPS_MAX).then(|| Descent {
        parent: parent.id().clone(),
        hops,
    })
}

fn is_from(child: &Account, parent: &AccountId) -> bool {
    let descent = child.ban.as_ref().and_then(|ban| ban.descent.as_ref());
    descent.is_some_and(|descent| descent.parent == *parent)
}

fn banned(account: Account, ban: Ban) -> Result<Account, Rejection> {
    let mut draft = account.into_draft();
    draft.ban = Some(ban);
    draft.check()
}

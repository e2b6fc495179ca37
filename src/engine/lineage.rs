//! Lineages: what a person judged to be a return becomes an entry of its own, so that the next return may be found by
//! any of them, and goes again when the judgment is taken back or the entry it came from is withdrawn.

use crate::account::{Account, AccountId, Ban, Descent};
use crate::engine::committer::{Receipt, Request};
use crate::engine::front::Engine;
use crate::error::{Error, Rejection, Result};
use crate::judgment::{Answer, Judgment, Ruling};

/// Steps from an entry banned in its own right beyond which a return is not enrolled by judgment alone: an error made
/// once would otherwise be handed on without end.
pub(crate) const HOPS_MAX: u8 = 12;
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
        let unknown = || Error::UnknownEntry {
            id: judgment.entry().to_string(),
        };
        let parent = self.entry(judgment.entry())?.ok_or_else(unknown)?;
        let mut settled = Settled::default();
        let (mut enrolled, mut withdrawn) = (Vec::new(), Vec::new());
        match judgment.answer {
            Answer::Mirror => match self.joining(&judgment, probe, &parent)? {
                Ok(joining) => {
                    settled.joined = Some(judgment.probe().clone());
                    enrolled = joining;
                }
                Err(reason) => settled.kept_out = Some(reason),
            },
            Answer::NotMirror | Answer::Unsure => {
                if self.is_return_of(judgment.probe(), judgment.entry())? {
                    withdrawn = self.with_descendants(vec![judgment.probe().clone()])?;
                }
            }
        }
        settled.left.clone_from(&withdrawn);
        let entries = enrolled.into_iter().map(|account| {
            let account = self.without_opaque_tokens(&account);
            let entry = self.entry_of(&account);
            (account, entry)
        });
        let rulings = vec![Ruling::Judge(judgment)];
        self.check_exemptions(&rulings)?;
        settled.receipt = self.commit(Request::Settle(rulings, entries.collect(), withdrawn))?;
        Ok(settled)
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

    /// `ids`, and the entries that were judged to be returns of them, and of these, and so on.
    pub(in crate::engine) fn with_descendants(
        &self,
        ids: Vec<AccountId>,
    ) -> Result<Vec<AccountId>> {
        let mut all = ids;
        let mut next = 0;
        while let Some(parent) = all.get(next).cloned() {
            next += 1;
            for (child, _) in self.returns(&parent)? {
                if !all.contains(child.id()) {
                    all.push(child.id().clone());
                }
            }
        }
        Ok(all)
    }

    /// Entries that came by a judgment of `parent`, with it.
    fn returns(&self, parent: &AccountId) -> Result<Vec<(Account, Judgment)>> {
        let mut returns = Vec::new();
        for judgment in self.store().judgments_of_entry(parent)? {
            let is_mirror = judgment.answer == Answer::Mirror;
            if let (true, Some(child)) = (is_mirror, self.entry(judgment.probe())?)
                && is_from(&child, parent)
            {
                returns.push((child, judgment));
            }
        }
        Ok(returns)
    }

    fn is_return_of(&self, child: &AccountId, parent: &AccountId) -> Result<bool> {
        let child = self.entry(child)?;
        Ok(child.is_some_and(|child| is_from(&child, parent)))
    }

    /// The entries to write so that the probe joins the lineage of `parent`, or why it does not.
    fn joining(
        &self,
        judgment: &Judgment,
        probe: Option<&Account>,
        parent: &Account,
    ) -> Result<Result<Vec<Account>, &'static str>> {
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
        let ban = parent.ban.clone().unwrap_or_default();
        let hops = ban.descent.as_ref().map_or(0, |of| of.hops) + 1;
        if hops > HOPS_MAX {
            return Ok(Err("its lineage is too long: enroll it in its own right"));
        }
        // The returns of an entry without a network make one, so that what they tell can be pooled.
        let network = match ban.network.as_str() {
            "" => format!("lineage of {}", parent.id()),
            network => network.to_owned(),
        };
        let joined = Ban {
            network: network.clone(),
            source: format!("judged by {}", judgment.remark.who()),
            banned_at: Some(judgment.remark.at()),
            descent: Some(Descent {
                parent: parent.id().clone(),
                hops,
            }),
            ..ban.clone()
        };
        let mut joining = vec![banned(probe, joined)?];
        if ban.network.is_empty() {
            joining.push(banned(parent.clone(), Ban { network, ..ban })?);
        }
        Ok(Ok(joining))
    }
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

//! What people say of pairs and accounts: written like any change, and in force when the call returns.

use std::cmp::Reverse;

use crate::account::AccountId;
use crate::engine::exemptions::EXEMPTIONS_MAX;
use crate::engine::front::{Engine, Rejected};
use crate::engine::request::{Receipt, Request};
use crate::error::{Rejection, Result};
use crate::judgment::{Answer, Judgment, Protection, Ruling};

/// What judging did.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Counts and the number of the last change.
    pub receipt: Receipt,
    /// Judgments turned down: their place in what was passed, and why.
    pub rejected: Rejected,
}

impl Engine {
    /// Writes what people judged of pairs. From then on a pair judged not to be a mirror is flagged no more, and what an
    /// earlier judgment of it brought is taken back; the other answers are kept and shown. A later judgment of the same pair replaces the earlier one; one of an entry that is
    /// withdrawn stays, and is in force again once the entry is enrolled again.
    ///
    /// # Errors
    /// The database cannot write. Judgments of entries that are not on the watchlist are listed in the answer; the
    /// others are written.
    pub fn judge_pairs(&self, judgments: Vec<Judgment>) -> Result<Judged> {
        let generation = self.generation();
        let (mut rulings, mut rejected) = (Vec::with_capacity(judgments.len()), Vec::new());
        let mut ruled = 0;
        for (place, judgment) in judgments.into_iter().enumerate() {
            let is_other = judgment.answer != Answer::Mirror;
            if is_other && self.is_return_of(judgment.probe(), judgment.entry())? {
                // In the order of the list: the last word on a pair counts.
                ruled += self.rule(std::mem::take(&mut rulings))?.ruled;
                ruled += self.settle(judgment, None)?.receipt.ruled;
            } else if generation.contains(judgment.entry()) {
                rulings.push(Ruling::Judge(judgment));
            } else {
                let reason = format!("no entry `{}` on the watchlist", judgment.entry());
                rejected.push((place, Rejection::new("unknown_entry", "entry", reason)));
            }
        }
        let mut receipt = self.rule(rulings)?;
        receipt.ruled += ruled;
        Ok(Judged { receipt, rejected })
    }

    /// Protects accounts: whatever entry they are like, they are not flagged.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn protect(&self, protections: Vec<Protection>) -> Result<Receipt> {
        self.rule(protections.into_iter().map(Ruling::Protect).collect())
    }

    /// Ends the protection of accounts. Ids that are not protected are listed in the answer.
    ///
    /// # Errors
    /// The database cannot write.
    pub fn unprotect(&self, ids: Vec<AccountId>) -> Result<Receipt> {
        self.rule(ids.into_iter().map(Ruling::Unprotect).collect())
    }

    /// What people judged of an entry, the latest first, at most `limit`. One disk read for each judgment of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn judgments_of_entry(&self, entry: &AccountId, limit: usize) -> Result<Vec<Judgment>> {
        let mut judgments = self.store().judgments_of_entry(entry)?;
        judgments.sort_by_key(|judgment| Reverse(judgment.remark.at()));
        judgments.truncate(limit);
        Ok(judgments)
    }

    /// What was last judged of a pair. One disk read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn judgment(&self, probe: &AccountId, entry: &AccountId) -> Result<Option<Judgment>> {
        self.store().judgment(probe, entry)
    }

    /// Every judgment, by probe and entry.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn judgments(&self) -> Result<impl Iterator<Item = Result<Judgment>> + '_> {
        self.store().judgments()
    }

    /// Every protected account, by id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn protections(&self) -> Result<impl Iterator<Item = Result<Protection>> + '_> {
        self.store().protections()
    }

    fn rule(&self, rulings: Vec<Ruling>) -> Result<Receipt> {
        self.check_exemptions(&rulings)?;
        self.commit(Request::Rule(rulings))
    }

    /// Turns rulings down that would exempt more than can be held.
    pub(in crate::engine) fn check_exemptions(&self, rulings: &[Ruling]) -> Result<()> {
        let held = self.generation().exemptions().len();
        let exempts = |ruling: &&Ruling| match ruling {
            Ruling::Judge(judgment) => judgment.answer == Answer::NotMirror,
            Ruling::Protect(_) => true,
            Ruling::Unprotect(_) | Ruling::Erase(..) => false,
        };
        let added = rulings.iter().filter(exempts).count();
        // Counted as if each were new, before the queue: calls at the same time may pass the bound by what they bring.
        if added > 0 && held + added > EXEMPTIONS_MAX {
            let reason =
                format!("{held} pairs and accounts are exempt, the limit is {EXEMPTIONS_MAX}");
            return Err(Rejection::new("too_many", "judgment", reason).into());
        }
        Ok(())
    }
}

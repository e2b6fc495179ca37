//! What the hooks ask of the service, done with the engine.
//!
//! Platforms tell of an account piece by piece: the handle at the signup, name and picture later. So each event is united with
//! what was seen before under the same id, and the whole is screened.

use jiff::Timestamp;

use crate::account::{Account, AccountDraft, AccountId, Avatar, Ban};
use crate::engine::{Engine, Occasion};
use crate::serve::api::screen::screened;
use crate::serve::api::watchlist::enrolled;
use crate::serve::app::{App, Shared};
use crate::serve::hooks::{Desk, Screening};
use crate::serve::problem::Problem;
use crate::verdict::Verdict;

impl Desk for Shared {
    async fn screen_and_remember(
        &self,
        _source: &str,
        account: Account,
    ) -> Result<Screening, Problem> {
        self.run(move |app, engine| united_and_screened(app, engine, &account))
            .await
    }

    async fn enroll(&self, source: &str, account: Account) -> Result<(), Problem> {
        let (who, source) = (who(source), source.to_owned());
        let work = move |app: &App, engine: &Engine| {
            let _turn = app.turns.hold(account.id());
            let mut account = engine.completed(&account)?;
            // Who was banned by somebody else stays so when this source thinks otherwise again.
            let listed = engine.entry(account.id())?.and_then(|e| e.into_draft().ban);
            if let Some(ban) = listed.filter(|ban| ban.source != source && ban.descent.is_none()) {
                let mut draft = account.into_draft();
                draft.ban = Some(ban);
                account = draft.check()?;
            }
            enrolled(app, engine, vec![(1, account)], Vec::new(), &who).map(|_| ())
        };
        self.run_aside(work).await
    }

    async fn withdraw(&self, source: &str, id: AccountId) -> Result<(), Problem> {
        let who = who(source);
        let work = move |app: &App, engine: &Engine| {
            let _turn = app.turns.hold(&id);
            withdrawn(app, engine, &who, id)
        };
        self.run_aside(work).await
    }

    async fn lift(
        &self,
        source: &str,
        id: AccountId,
        shown_at: Option<Timestamp>,
    ) -> Result<(), Problem> {
        let (who, source) = (who(source), source.to_owned());
        let work = move |app: &App, engine: &Engine| {
            let _turn = app.turns.hold(&id);
            let entry = engine.entry(&id)?;
            let ban = entry.and_then(|entry| entry.into_draft().ban);
            let is_ended = |ban: &Ban| {
                let is_later =
                    |shown_at| ban.banned_at.is_some_and(|banned_at| banned_at < shown_at);
                ban.source == source && shown_at.is_none_or(is_later)
            };
            match ban.as_ref().is_some_and(is_ended) {
                true => withdrawn(app, engine, &who, id),
                false => Ok(()),
            }
        };
        self.run_aside(work).await
    }

    async fn remember_picture(
        &self,
        source: &str,
        id: AccountId,
        avatar: Avatar,
    ) -> Result<(), Problem> {
        let who = who(source);
        let work = move |app: &App, engine: &Engine| {
            let turn = app.turns.hold(&id);
            if engine.generation().contains(&id) {
                if engine.add_picture(&id, avatar)? {
                    let lsn = engine.generation().lsn();
                    app.audit.note(&who, "enroll", &[id.to_string()], lsn);
                    // Signups with the same picture may have come before it was known.
                    app.look_back.add([id]);
                }
                return Ok(());
            }
            drop(turn);
            let draft = AccountDraft {
                id: id.to_string(),
                avatar: Some(avatar),
                ..AccountDraft::default()
            };
            united_and_screened(app, engine, &draft.check()?).map(|_| ())
        };
        self.run_aside(work).await
    }
}

/// Who a change is by, in the audit.
fn who(source: &str) -> String {
    format!("hook {source}")
}

/// Takes an entry off the watchlist with what came by it, if it is on it, and writes down who did.
fn withdrawn(app: &App, engine: &Engine, who: &str, id: AccountId) -> Result<(), Problem> {
    let receipt = engine.withdraw(vec![id.clone()])?;
    if receipt.withdrawn > 0 {
        let gone: Vec<&AccountId> = std::iter::once(&id).chain(&receipt.descendants).collect();
        app.audit.note(who, "withdraw", &gone, receipt.lsn);
    }
    Ok(())
}

fn united_and_screened(
    app: &App,
    engine: &Engine,
    account: &Account,
) -> Result<Screening, Problem> {
    let report = screened(app, engine, account, Occasion::Event)?;
    let verdicts = [Verdict::Match, Verdict::Review];
    let verdict = verdicts
        .into_iter()
        .find(|verdict| verdict.as_str() == report.verdict());
    Ok(Screening {
        verdict: verdict.unwrap_or(Verdict::Clear),
        score_bits: report.score_bits() as f32,
        entries: report.entries().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests;

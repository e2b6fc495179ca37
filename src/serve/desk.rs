//! What the hooks ask of the service, done with the engine.
//!
//! Platforms tell of an account piece by piece: the handle at the signup, name and picture later. So each event is united with
//! what was seen before under the same id, and the whole is screened.

use jiff::Timestamp;

use crate::account::{Account, AccountDraft, AccountId, Avatar, Ban};
use crate::engine::{Engine, Occasion};
use crate::serve::api::screen::screened;
use crate::serve::api::watchlist::{listed, withdrawn};
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
            let turn = app.turns.hold(account.id());
            let mut draft = engine.completed(&account)?.into_draft();
            let mut told = account.ban.clone().unwrap_or_default();
            if told.source.is_empty() {
                told.source = source;
            }
            let earlier = engine.entry(account.id())?.and_then(|e| e.into_draft().ban);
            draft.ban = Some(match earlier {
                Some(earlier) => united(told, earlier, Timestamp::now()),
                None => told,
            });
            let account = draft.check()?;
            let listed = listed(app, engine, vec![(1, account)], Vec::new(), &who)?;
            // The look back takes its time, and may screen whoever waits for this turn.
            drop(turn);
            listed.with_mirrors(app, engine).map(drop)
        };
        self.run_aside(work).await
    }

    async fn withdraw(&self, source: &str, id: AccountId) -> Result<(), Problem> {
        let who = who(source);
        let work = move |app: &App, engine: &Engine| {
            let _turn = app.turns.hold(&id);
            withdrawn(app, engine, &who, &id).map(drop)
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
                true => withdrawn(app, engine, &who, &id).map(drop),
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
            let _turn = app.turns.hold(&id);
            if is_pictured(app, engine, &who, &id, avatar)? {
                return Ok(());
            }
            let draft = AccountDraft {
                id: id.to_string(),
                avatar: Some(avatar),
                ..AccountDraft::default()
            };
            united_and_screened(app, engine, &draft.check()?)?;
            // A judgment takes no turn: an entry it made meanwhile may have been made from what was known before.
            is_pictured(app, engine, &who, &id, avatar).map(drop)
        };
        self.run_aside(work).await
    }
}

/// Who a change is by, in the audit.
fn who(source: &str) -> String {
    format!("hook {source}")
}

/// The ban of an account that is listed already. Who was banned by somebody else stays so when this source thinks otherwise
/// again, and stays banned as long as either wants it; a ban that has ended, or came by a judgment, says no more.
fn united(told: Ban, listed: Ban, now: Timestamp) -> Ban {
    let is_over = listed.expires_at.is_some_and(|ends| ends <= now);
    if is_over || listed.descent.is_some() {
        return told;
    }
    // A ban told again begins no earlier: what was shown before the later one does not end it.
    let banned_at = told.banned_at.max(listed.banned_at);
    if told.source == listed.source {
        return Ban { banned_at, ..told };
    }
    let last = |told: String, listed: String| if told.is_empty() { listed } else { told };
    Ban {
        reason: last(told.reason, listed.reason),
        network: last(told.network, listed.network),
        source: listed.source,
        banned_at,
        expires_at: told
            .expires_at
            .zip(listed.expires_at)
            .map(|(told, listed)| told.max(listed)),
        descent: None,
    }
}

/// Whether it is on the watchlist; there it gets the picture, unless it has one.
fn is_pictured(
    app: &App,
    engine: &Engine,
    who: &str,
    id: &AccountId,
    avatar: Avatar,
) -> Result<bool, Problem> {
    if !engine.generation().contains(id) {
        return Ok(false);
    }
    let hold = app.look_back.hold(engine);
    if engine.add_picture(id, avatar)? {
        let lsn = engine.generation().lsn();
        app.audit.note(who, "enroll", std::slice::from_ref(id), lsn);
        // Signups with the same picture may have come before it was known.
        hold.add([id.clone()]);
    }
    Ok(true)
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

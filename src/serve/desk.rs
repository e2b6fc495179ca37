//! What the hooks ask of the service, done with the engine.
//!
//! Platforms tell of an account piece by piece: the handle at the signup, name and picture later. So each event is united with
//! what was seen before under the same id, and the whole is screened.

use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

use crate::account::{Account, AccountDraft, AccountId, Avatar};
use crate::engine::Engine;
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
        let who = who(source);
        let work = move |app: &App, engine: &Engine| {
            let _turn = turn(account.id());
            let keyed = engine.without_opaque_tokens(&account);
            let known = engine.known(account.id())?;
            let account = known.map_or(keyed.clone(), |known| keyed.filled_from(&known));
            enrolled(app, engine, vec![(1, account)], Vec::new(), &who).map(|_| ())
        };
        self.run(work).await
    }

    async fn withdraw(&self, source: &str, id: AccountId) -> Result<(), Problem> {
        let who = who(source);
        let work = move |app: &App, engine: &Engine| {
            let receipt = engine.withdraw(vec![id.clone()])?;
            if receipt.withdrawn > 0 {
                app.audit
                    .note(&who, "withdraw", &[id.to_string()], receipt.lsn);
            }
            Ok(())
        };
        self.run(work).await
    }

    async fn lift(&self, source: &str, id: AccountId) -> Result<(), Problem> {
        let (who, source) = (who(source), source.to_owned());
        let work = move |app: &App, engine: &Engine| {
            let _turn = turn(&id);
            let entry = engine.entry(&id)?;
            let ban = entry.and_then(|entry| entry.into_draft().ban);
            if ban.is_some_and(|ban| ban.source == source) {
                let receipt = engine.withdraw(vec![id.clone()])?;
                app.audit
                    .note(&who, "withdraw", &[id.to_string()], receipt.lsn);
            }
            Ok(())
        };
        self.run(work).await
    }

    async fn remember_picture(
        &self,
        source: &str,
        id: AccountId,
        avatar: Avatar,
    ) -> Result<(), Problem> {
        let who = who(source);
        let work = move |app: &App, engine: &Engine| {
            let draft = AccountDraft {
                id: id.to_string(),
                avatar: Some(avatar),
                ..AccountDraft::default()
            };
            let pictured = draft.check()?;
            let turn = turn(&id);
            let Some(entry) = engine.entry(&id)? else {
                drop(turn);
                return united_and_screened(app, engine, &pictured).map(|_| ());
            };
            // What an entry was enrolled with is what the ban was about; a picture of now is no better.
            if entry.avatar.is_some() {
                return Ok(());
            }
            let entry = pictured.filled_from(&entry);
            enrolled(app, engine, vec![(1, entry)], Vec::new(), &who).map(|_| ())
        };
        self.run(work).await
    }
}

/// Who a change is by, in the audit.
fn who(source: &str) -> String {
    format!("hook {source}")
}

/// Events of one account take turns: of two that come at once the later one is to see what the earlier one told. Accounts
/// share [`TURNS`], which at worst makes one wait for another.
fn turn(id: &AccountId) -> Option<MutexGuard<'static, ()>> {
    let place = xxh3_64(id.as_str().as_bytes()) % TURNS.len() as u64;
    let turn = TURNS.get(usize::try_from(place).ok()?)?;
    Some(turn.lock().unwrap_or_else(PoisonError::into_inner))
}

static TURNS: [Mutex<()>; 256] = [const { Mutex::new(()) }; 256];

fn united_and_screened(
    app: &App,
    engine: &Engine,
    account: &Account,
) -> Result<Screening, Problem> {
    let _turn = turn(account.id());
    let keyed = engine.without_opaque_tokens(account);
    let seen = engine.store().seen(account.id())?;
    let account = seen.map_or(keyed.clone(), |seen| keyed.filled_from(&seen.account));
    let (_, report) = screened(app, engine, &account)?;
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

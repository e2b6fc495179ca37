//! Looking back: which recent signups are returns of entries just enrolled.
//!
//! A ban is answered at once with what is found within a moment; where a thousand accounts are banned together, the rest
//! is looked at beside the requests, and what is found is told as flags. How far this has come is noted in the database
//! once a minute and at the end, and the next start goes on from there: neither a stop nor a crash loses a look back.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::Notify;

use crate::account::AccountId;
use crate::engine::Engine;
use crate::error::Result;
use crate::serve::api::screen::screened_again;
use crate::serve::app::{App, Shared};
use crate::serve::meters;
use crate::serve::problem::Problem;
use crate::wire::ReportRecord;

/// A ban waits for the look back no longer than this.
const ANSWERED_WITHIN: Duration = Duration::from_secs(1);
/// Then this long at a time is spent on it, so that requests get their turn.
const AT_A_TIME: Duration = Duration::from_millis(100);
/// After a look back that failed.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Entries looked at again at a start, at most; should a crash or a load leave more, the latest.
const CAUGHT_UP_MAX: usize = 50_000;

/// Entries whose look back has not been made.
#[derive(Debug, Default)]
pub(crate) struct LookBack {
    state: Mutex<State>,
    came: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Entries that wait, and a change before theirs.
    waiting: VecDeque<(AccountId, u64)>,
    /// Changes after which somebody is about to change entries, and how many do so.
    held: BTreeMap<u64, usize>,
    /// Whether what an earlier run left, and what came before recent signups were at hand, is among what waits.
    is_caught_up: bool,
    /// What was noted last.
    noted: Option<u64>,
}

/// Somebody changes entries and will have them looked at: until then, no later change is noted as looked at.
#[derive(Debug)]
pub(crate) struct Hold<'app> {
    look_back: &'app LookBack,
    lsn: u64,
}

/// What a look back found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Reports of signups that are flagged with one of the entries.
    pub(crate) mirrors: Vec<ReportRecord>,
    /// Entries that are still to be looked at, beside the requests.
    pub(crate) pending: usize,
}

impl LookBack {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries that wait.
    pub(crate) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// To be taken before entries are changed.
    pub(crate) fn hold(&self, engine: &Engine) -> Hold<'_> {
        let mut state = self.state();
        let lsn = engine.generation().lsn();
        *state.held.entry(lsn).or_default() += 1;
        Hold {
            look_back: self,
            lsn,
        }
    }

    /// Puts down what an earlier run left and what came since `lsn`, now that all recent signups are at hand.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn catch_up(&self, engine: &Engine, lsn: u64) -> Result<()> {
        let (entries, are_more) = engine.enrolled_since(lsn, CAUGHT_UP_MAX)?;
        if are_more {
            tracing::warn!(
                looked_at = CAUGHT_UP_MAX,
                "too many entries are new: of earlier ones recent returns are not looked for"
            );
        }
        let mut state = self.state();
        state
            .waiting
            .extend(entries.into_iter().map(|id| (id, lsn)));
        state.is_caught_up = true;
        drop(state);
        self.came.notify_one();
        Ok(())
    }

    /// Notes how far all this has come, for the next run.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) fn note(&self, engine: &Engine) -> Result<()> {
        let mut state = self.state();
        if !state.is_caught_up {
            return Ok(());
        }
        let waiting = state.waiting.iter().map(|(_, lsn)| *lsn);
        let unfinished = waiting.chain(state.held.keys().copied()).min();
        let lsn = unfinished.unwrap_or_else(|| engine.generation().lsn());
        if state.noted != Some(lsn) {
            engine.set_looked_back(lsn)?;
            state.noted = Some(lsn);
        }
        Ok(())
    }
}

impl Hold<'_> {
    /// Puts entries at the end of what is to be looked at.
    pub(crate) fn add(&self, entries: impl IntoIterator<Item = AccountId>) {
        let entries = entries.into_iter().map(|id| (id, self.lsn));
        self.look_back.state().waiting.extend(entries);
        self.look_back.came.notify_one();
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut state = self.look_back.state();
        if let Some(times) = state.held.get_mut(&self.lsn) {
            *times -= 1;
            if *times == 0 {
                state.held.remove(&self.lsn);
            }
        }
    }
}

/// Looks for recent signups like `entries`, as far as the time for an answer allows; the rest is put down.
///
/// # Errors
/// The database cannot be read or written.
pub(crate) fn looked_back(
    app: &App,
    engine: &Engine,
    hold: &Hold<'_>,
    entries: &[AccountId],
) -> Result<Found, Problem> {
    let (mirrors, seen_to) = look(app, engine, entries, ANSWERED_WITHIN)?;
    let left = entries.get(seen_to..).unwrap_or_default();
    if !left.is_empty() {
        hold.add(left.iter().cloned());
    }
    Ok(Found {
        mirrors,
        pending: left.len(),
    })
}

/// Looks back for what was put down, again and again, until the process ends.
pub(crate) async fn keep_looking(app: Shared) {
    loop {
        let entries: Vec<AccountId> = {
            let state = app.look_back.state();
            let waiting = state.waiting.iter().take(1_000);
            waiting.map(|(id, _)| id.clone()).collect()
        };
        if entries.is_empty() {
            app.look_back.came.notified().await;
            continue;
        }
        let looked = app.run_aside(move |app, engine| {
            let (_, seen_to) = look(app, engine, &entries, AT_A_TIME)?;
            let mut state = app.look_back.state();
            let seen_to = seen_to.min(state.waiting.len());
            drop(state.waiting.drain(..seen_to));
            Ok(())
        });
        let Err(problem) = looked.await else {
            continue;
        };
        tracing::warn!(status = %problem.status(), "a look back failed");
        // A service that is too busy may try again; what is damaged must not hold up the rest.
        if problem.status() != StatusCode::SERVICE_UNAVAILABLE {
            app.look_back.state().waiting.pop_front();
        }
        tokio::time::sleep(TRIED_AGAIN_AFTER).await;
    }
}

/// The mirrors of entries, and how many of these were looked at within the time, at least one.
fn look(
    app: &App,
    engine: &Engine,
    entries: &[AccountId],
    within: Duration,
) -> Result<(Vec<ReportRecord>, usize), Problem> {
    let (begun, mut seen_to) = (Instant::now(), 0);
    // A signup may be like several entries, and is screened once.
    let (mut reports, mut screened_ids) = (Vec::new(), HashSet::new());
    for id in entries {
        if let Some(entry) = engine.entry(id)? {
            for signup in engine.recent_like(&entry)? {
                if screened_ids.insert(signup.id().clone()) {
                    reports.extend(screened_again(app, engine, signup.id())?);
                }
            }
        }
        seen_to += 1;
        if begun.elapsed() >= within {
            break;
        }
    }
    let looked_at = entries.iter().take(seen_to).map(AccountId::as_str);
    let looked_at: HashSet<&str> = looked_at.collect();
    reports.retain(|report: &ReportRecord| report.entries().any(|entry| looked_at.contains(entry)));
    meters::stage("retro", begun.elapsed());
    meters::retro_matched(reports.len());
    Ok((reports, seen_to))
}

#[cfg(test)]
mod tests;

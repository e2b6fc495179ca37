//! Looking back: which recent signups are returns of entries just enrolled.
//!
//! A ban is answered at once with what is found within a moment; where a thousand accounts are banned together, the rest
//! is looked at beside the requests, and what is found is told as flags.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio::sync::Notify;

use crate::account::AccountId;
use crate::engine::Engine;
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

/// Entries whose look back has not been made.
#[derive(Debug, Default)]
pub(crate) struct LookBack {
    entries: Mutex<VecDeque<AccountId>>,
    came: Notify,
    /// Entries that came before all recent signups were at hand; `None` once they are.
    early: Mutex<Option<Vec<AccountId>>>,
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
    fn entries(&self) -> MutexGuard<'_, VecDeque<AccountId>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries that wait.
    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    fn early(&self) -> MutexGuard<'_, Option<Vec<AccountId>>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Recent signups are being brought back to hand: what is looked for meanwhile is looked for again.
    pub(crate) fn recall_begins(&self) {
        *self.early() = Some(Vec::new());
    }

    /// All recent signups are at hand.
    pub(crate) fn recall_ends(&self) {
        let early = self.early().take();
        self.add(early.into_iter().flatten());
    }

    /// Puts entries at the end of what is to be looked at.
    pub(crate) fn add(&self, entries: impl IntoIterator<Item = AccountId>) {
        self.entries().extend(entries);
        self.came.notify_one();
    }
}

/// Looks for recent signups like `entries`, as far as the time for an answer allows; the rest is put down.
///
/// # Errors
/// The database cannot be read or written.
pub(crate) fn looked_back(
    app: &App,
    engine: &Engine,
    entries: &[AccountId],
) -> Result<Found, Problem> {
    if let Some(early) = &mut *app.look_back.early() {
        early.extend(entries.iter().cloned());
    }
    let (mirrors, seen_to) = look(app, engine, entries, ANSWERED_WITHIN)?;
    let left = entries.get(seen_to..).unwrap_or_default();
    if !left.is_empty() {
        app.look_back.add(left.iter().cloned());
    }
    Ok(Found {
        mirrors,
        pending: left.len(),
    })
}

/// Looks back for what was put down, again and again, until the process ends.
pub(crate) async fn keep_looking(app: Shared) {
    loop {
        let entries: Vec<AccountId> = app
            .look_back
            .entries()
            .iter()
            .take(1_000)
            .cloned()
            .collect();
        if entries.is_empty() {
            app.look_back.came.notified().await;
            continue;
        }
        let looked = app.run_aside(move |app, engine| {
            let (_, seen_to) = look(app, engine, &entries, AT_A_TIME)?;
            let mut waiting = app.look_back.entries();
            let seen_to = seen_to.min(waiting.len());
            drop(waiting.drain(..seen_to));
            Ok(())
        });
        let Err(problem) = looked.await else {
            continue;
        };
        tracing::warn!(status = %problem.status(), "a look back failed");
        // A service that is too busy may try again; what is damaged must not hold up the rest.
        if problem.status() != StatusCode::SERVICE_UNAVAILABLE {
            app.look_back.entries().pop_front();
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

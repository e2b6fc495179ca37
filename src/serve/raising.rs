//! Flags on their way out: told when they are raised, and told again after a crash that lost them.
//!
//! A decision is on the disk before its flag is told. Once a minute and at the end all that is on its way or was given up is
//! written to a file, and then it is noted up to which moment every flag was taken or is in that file; what a run that broke
//! off raised later, the next one tells again, under the same id, with the bursts that it was part of.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::engine::Engine;
use crate::error::Result;
use crate::serve::app::App;
use crate::serve::bursts::{Near, REMEMBERED};
use crate::serve::dead_letters::{DeadLetter, Message, keep_unless, left};
use crate::serve::meters;
use crate::serve::outgoing::Outgoing;
use crate::store::raised_at;
use crate::wire::{ReportRecord, decision_id};

/// What a flag is called when it is told.
const FLAG_RAISED: &str = "org.mirrorwatch.flag.raised.v1";
/// What many flags near one entry or network are called.
const BURST: &str = "org.mirrorwatch.burst.v1";

/// Longest time between a decision and its way out: what is younger may have been decided and not told yet.
pub(crate) const TOLD_WITHIN: Duration = Duration::from_secs(60);

impl App {
    /// Tells whoever wants to hear of flags that one was raised, and of the burst that it may be part of.
    pub(crate) fn raise(&self, decision: u64, report: &ReportRecord) {
        let data = serde_json::to_value(report).unwrap_or_default();
        let bursts = self.bursts_of(decision, &data);
        bursts.iter().for_each(told_here);
        if let Some(outgoing) = self.outgoing.get() {
            outgoing.send(&flag(decision, &data));
            bursts
                .iter()
                .for_each(|burst| outgoing.send(&burst.message()));
        }
    }

    /// Counts a flag near its best entry and that one's network; returns the bursts it makes.
    fn bursts_of(&self, decision: u64, report: &Value) -> Vec<Told> {
        let hits = report.get("hits").and_then(Value::as_array);
        let mut hits = hits.into_iter().flatten();
        let best = hits.find(|hit| hit.get("cancelled").is_none_or(Value::is_null));
        let named = |name| Some(best?.get(name)?.as_str()?.to_owned());
        let near = [(Near::Entry, "entry"), (Near::Network, "network")];
        let named = near
            .into_iter()
            .filter_map(|(near, name)| Some((near, named(name)?)));
        let mut told = Vec::new();
        for (near, name) in named.filter(|(_, name)| !name.is_empty()) {
            if let Some(burst) = self.bursts.note(near, &name, decision) {
                told.push(Told {
                    near,
                    name,
                    first: burst.first,
                    flags: burst.flags,
                    last: decision,
                });
            }
        }
        told
    }

    /// Tells flags and bursts that an earlier run decided and did not live to tell, and counts what may be part of bursts to
    /// come. Reads the decisions of the last two hours, and those that were not told.
    ///
    /// # Errors
    /// The database or the file of undelivered flags cannot be read, or the database cannot be written.
    pub(crate) fn tell_again(&self, engine: &Engine) -> Result<()> {
        let now = Timestamp::now();
        let told = match engine.flags_told()? {
            Some(told) => told,
            None => {
                engine.set_flags_told(micros(now))?;
                u64::MAX
            }
        };
        // What an earlier run left is on its way already, and what it gave up stays so.
        let known = left(&self.folder, now)?;
        let known: HashSet<(String, String)> = known.iter().map(DeadLetter::key).collect();
        let send = |message: &Message, at| {
            if let Some(outgoing) = self.outgoing.get() {
                let is_new = |name: &str| !known.contains(&(name.to_owned(), message.id.clone()));
                outgoing.send_since(message, at, is_new);
            }
        };
        let from = told.min(micros(now)).saturating_sub(REMEMBERED);
        for decision in engine.decisions(from)? {
            let decision = match decision {
                Ok(decision) if decision.is_new => decision,
                Ok(_) => continue,
                Err(error) => {
                    tracing::error!(%error, "a decision cannot be read; `verify` tells more");
                    continue;
                }
            };
            let data = serde_json::from_slice(&decision.report).unwrap_or_default();
            let bursts = self.bursts_of(decision.number, &data);
            if decision.number > told {
                send(&flag(decision.number, &data), decision.at());
                bursts.iter().for_each(told_here);
                bursts
                    .iter()
                    .for_each(|burst| send(&burst.message(), decision.at()));
            }
        }
        Ok(())
    }

    /// Writes down all that is on its way or was given up; false where it could not be, since the service stops or an account
    /// was erased meanwhile. Blocks: not for async threads.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn keep_undelivered(&self, runtime: &Handle) -> Result<bool> {
        let Some(outgoing) = self.outgoing.get() else {
            return Ok(true);
        };
        let (begun, erasures) = (Timestamp::now(), outgoing.erasures());
        let Some(letters) = runtime.block_on(outgoing.letters()) else {
            return Ok(false);
        };
        let is_stale = || outgoing.is_closing() || outgoing.erasures() != erasures;
        let is_kept = keep_unless(&self.folder, &letters, is_stale)?;
        if is_kept {
            // What is younger may have been raised and not been on its way.
            outgoing.written(begun.checked_sub(TOLD_WITHIN).unwrap_or(begun));
        }
        Ok(is_kept)
    }

    /// Notes that every flag raised `within` ago and earlier was told or given up, but those still on their way.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) fn note_told(&self, engine: &Engine, within: Duration) -> Result<()> {
        let now = micros(Timestamp::now());
        let settled = now.saturating_sub(u64::try_from(within.as_micros()).unwrap_or(u64::MAX));
        let oldest = self.outgoing.get().and_then(Outgoing::oldest);
        // A decision is numbered shortly before it is on its way.
        let before = |oldest| micros(oldest).saturating_sub(TOLD_WITHIN.as_micros() as u64);
        engine.set_flags_told(settled.min(oldest.map_or(u64::MAX, before)))
    }
}

/// A burst as it is told.
struct Told {
    near: Near,
    name: String,
    /// The oldest and the latest of its decisions.
    first: u64,
    last: u64,
    flags: usize,
}

impl Told {
    fn message(&self) -> Message {
        let Self { near, flags, .. } = self;
        let (near, first) = (near.as_str(), decision_id(self.first));
        let data = json!({near: self.name, "flags": flags, "last": decision_id(self.last)});
        let id = format!("burst_{near}_{first}_{flags}");
        Message::of(id, BURST, raised_at(self.last), &data)
    }
}

/// Tells a burst in the log and among the metrics.
fn told_here(burst: &Told) {
    let Told { name, flags, .. } = burst;
    let near = burst.near.as_str();
    tracing::warn!(near, name, flags, "a burst: many signups near one of these");
    meters::burst(near);
}

fn flag(decision: u64, report: &Value) -> Message {
    let id = format!("flag_{}", decision_id(decision));
    Message::of(id, FLAG_RAISED, raised_at(decision), report)
}

fn micros(at: Timestamp) -> u64 {
    u64::try_from(at.as_microsecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;

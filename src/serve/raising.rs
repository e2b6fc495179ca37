//! Flags on their way out: told when they are raised, and told again after a crash that lost them.
//!
//! A decision is on the disk before its flag is told. Once a minute and at the end it is noted up to which moment every flag
//! was taken or given up; what a run that broke off raised later, the next one tells again, under the same id.

use std::time::Duration;

use jiff::Timestamp;

use crate::engine::Engine;
use crate::error::Result;
use crate::serve::app::App;
use crate::serve::bursts::Near;
use crate::serve::dead_letters::Message;
use crate::serve::meters;
use crate::serve::outgoing::Outgoing;
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
        let now = Timestamp::now();
        let id = decision_id(decision);
        let data = serde_json::to_value(report).unwrap_or_default();
        self.send(&flag(decision, now, &data));
        let (entry, network) = report.best().unwrap_or_default();
        for (near, name) in [(Near::Entry, entry), (Near::Network, network)] {
            let burst = (!name.is_empty()).then(|| self.bursts.note(near, name, now));
            if let Some(flags) = burst.flatten() {
                let near = near.as_str();
                tracing::warn!(near, name, flags, "a burst: many signups near one of these");
                meters::burst(near);
                let data = serde_json::json!({near: name, "flags": flags, "last": id});
                self.send(&Message::of(
                    format!("burst_{near}_{id}"),
                    BURST,
                    now,
                    &data,
                ));
            }
        }
    }

    fn send(&self, message: &Message) {
        if let Some(outgoing) = self.outgoing.get() {
            outgoing.send(message);
        }
    }

    /// Tells flags that an earlier run decided and did not live to tell. Bursts are not told again.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub(crate) fn tell_again(&self, engine: &Engine) -> Result<()> {
        let Some(told) = engine.flags_told()? else {
            return engine.set_flags_told(micros(Timestamp::now()));
        };
        if !self.outgoing.get().is_some_and(Outgoing::has_endpoints) {
            return Ok(());
        }
        for decision in engine.decisions(told.saturating_add(1))? {
            match decision {
                Ok(decision) if decision.is_new => {
                    let data = serde_json::from_slice(&decision.report).unwrap_or_default();
                    self.send(&flag(decision.number, decision.at(), &data));
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "a decision cannot be read; `verify` tells more")
                }
            }
        }
        Ok(())
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

fn flag(decision: u64, at: Timestamp, report: &serde_json::Value) -> Message {
    Message::of(
        format!("flag_{}", decision_id(decision)),
        FLAG_RAISED,
        at,
        report,
    )
}

fn micros(at: Timestamp) -> u64 {
    u64::try_from(at.as_microsecond()).unwrap_or(0)
}

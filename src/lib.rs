//! mirrorwatch finds **mirror accounts**: accounts that a banned actor opens again, often minutes after the ban, under a
//! slightly changed handle, with the same picture, links or words.
//!
//! An [`Account`] becomes a [`Fingerprint`]; blocking turns the fingerprint into a short list of candidates from the
//! watchlist; comparing probe and candidate signal by signal gives [`Evidence`]; the [`Model`] weighs the evidence into
//! a [`Score`]; the [`Policy`] turns the score into a [`Verdict`].
//!
//! # It is not
//! - a ban hammer: it flags, people decide;
//! - a classifier of content: it knows no good or bad words, only which accounts tell the same;
//! - a face recogniser: pictures are compared as pictures.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::print_stdout,
        reason = "a test may fail loudly and tell figures"
    )
)]

mod account;
mod background;
mod blocking;
pub mod cli;
mod engine;
mod error;
mod evaluate;
mod evidence;
mod fingerprint;
mod format;
mod hash;
mod index;
mod judgment;
mod normalize;
mod score;
mod serve;
mod signal;
mod store;
mod verdict;
mod watchlist;
mod wire;

/// Tests share the seeded population of the benches, which knows the crate by its name.
#[cfg(test)]
extern crate self as mirrorwatch;

#[cfg(test)]
mod tests;

/// Parts that benches measure one by one; no promise is made of them.
#[doc(hidden)]
pub mod internals {
    pub use crate::engine::screen_every;
    pub use crate::index::{
        Containment, Deletes, Dictionary, HammingIndex, Ordinal, Postings, distance_max, osa_within,
    };
}

pub use crate::account::{
    Account, AccountDraft, AccountId, Avatar, Ban, Descent, Kind, Token, TokenValue,
};
pub use crate::background::{Background, BackgroundBuilder, Observation};
pub use crate::engine::{
    Bulk, Cancelled, Decided, Engine, Enrolled, EntryRef, Erased, EvidenceRow, Generation, Hit,
    HitReport, Judge, Judged, Occasion, Options, Probe, Receipt, Recency, Report, Screened,
    Settled, Stats, Step, screen,
};
pub use crate::error::{Error, Rejection, Result};
pub use crate::evidence::Evidence;
pub use crate::fingerprint::Fingerprint;
pub use crate::format::{Format, Input, Labelled, Parser};
pub use crate::hash::{Pdq, Secret};
pub use crate::judgment::{Answer, Judgment, Protection, Remark};
pub use crate::score::{Circumstances, Model, Score};
pub use crate::signal::relation::{Comparison, Level, Relation, Signal};
pub use crate::store::{Access, DecidedHit, Decision};
pub use crate::verdict::{Policy, Thresholds, Verdict};
pub use crate::watchlist::{Entry, Listed};
pub use crate::wire::{AccountRecord, ReportRecord};

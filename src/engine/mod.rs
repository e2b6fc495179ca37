//! Where the rooms meet: a watchlist that can be changed and asked at the same time.
//!
//! [`Engine`] is a clonable front. Changes go through one writer, which commits them in groups and publishes a new
//! [`Generation`]; a screen holds one generation from start to end and never waits for the writer. The pipeline itself
//! is one function, in `screen`. The engine flags; it bans no one.

mod beside;
mod bulk;
pub(crate) mod candidates;
mod carriers;
mod columns;
mod committer;
mod converse;
mod crowded;
mod decisions;
mod exemptions;
mod front;
mod generation;
mod glimpse;
mod group;
mod judging;
mod keeping;
mod learning;
mod lineage;
mod lookup;
mod marks;
mod merger;
mod near_handles;
pub(crate) mod near_values;
mod ordinals;
mod packed;
mod pooling;
mod recent;
mod report;
mod request;
mod retro;
mod screen;
mod seen;
mod segment;
mod stripes;
mod ways;
mod words;

pub use crate::engine::bulk::Bulk;
pub use crate::engine::decisions::{Decided, Occasion};
pub use crate::engine::exemptions::Cancelled;
pub use crate::engine::front::{Engine, Enrolled, Options, Stats};
pub use crate::engine::generation::{EntryRef, Generation};
pub(crate) use crate::engine::glimpse::Glimpse;
pub use crate::engine::judging::Judged;
pub use crate::engine::lineage::{Settled, Step};
pub(crate) use crate::engine::lookup::LookupRow;
pub use crate::engine::recent::Recency;
pub use crate::engine::report::{EvidenceRow, HitReport, Report};
pub use crate::engine::request::Receipt;
#[cfg(test)]
pub(crate) use crate::engine::request::{Departure, Reason, Request};
pub use crate::engine::screen::{Hit, Judge, Probe, Screened, screen, screen_every};
pub use crate::engine::seen::Erased;
pub(crate) use crate::engine::stripes::Stripes;

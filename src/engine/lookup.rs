//! The analyst's question: which entries have this handle, or one like it?

use crate::account::{Account, AccountId};
use crate::blocking::Query;
use crate::engine::front::Engine;
use crate::engine::words::Pair;
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::judgment::Judgment;
use crate::signal::handle::{self, Handle};
use crate::signal::relation::{Comparison, Relation, Signal};
use crate::store::Side;

/// Edit distance of the widest look-up, for handles long enough.
const WIDE_DISTANCE: usize = 3;
/// Shortest handle that the widest look-up is for, in characters.
const WIDE_CHARS_MIN: usize = 8;
/// Entries looked at in each direction.
const LOOKED_AT_MAX: usize = 1_000;
/// Judgments told of one entry.
const JUDGMENTS_SHOWN: usize = 20;

/// Decisions told of one entry.
const DECISIONS_SHOWN: usize = 20;

/// How an entry's handle relates to the one asked for, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LookupKind {
    /// The same handle.
    Same,
    /// Looks or reads the same: homoglyphs, leet, invisible marks.
    Confusable,
    /// The same core: another number or affix.
    SameCore,
    /// A few letters changed, or another spelling.
    Near,
    /// One contains the other.
    Containing,
}

impl LookupKind {
    /// The word of the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Confusable => "confusable",
            Self::SameCore => "same core",
            Self::Near => "near",
            Self::Containing => "containing",
        }
    }

    fn of(relation: Relation) -> Option<Self> {
        match relation {
            Relation::Same => Some(Self::Same),
            Relation::Lookalike | Relation::Leet | Relation::Disguised => Some(Self::Confusable),
            Relation::Renumbered | Relation::Affixed | Relation::Reordered => Some(Self::SameCore),
            Relation::Edited1 | Relation::Edited2 | Relation::SameSound => Some(Self::Near),
            Relation::Abbreviated | Relation::Transliterated => Some(Self::Near),
            Relation::Contains | Relation::Truncated => Some(Self::Containing),
            _ => None,
        }
    }
}

/// One entry found by its handle.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupRow {
    /// How it relates.
    pub kind: LookupKind,
    /// In words.
    pub why: String,
    /// The entry as stored.
    pub account: Account,
    /// What people judged of it, the latest first; at most [`JUDGMENTS_SHOWN`].
    pub judgments: Vec<Judgment>,
    /// Numbers of the decisions in which it was told, the latest first; at most [`DECISIONS_SHOWN`].
    pub decisions: Vec<u64>,
}

impl Engine {
    /// Entries whose handle is the same as, confusable with, near to or around `handle`; at most `limit`, nearest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn lookup(&self, asked: &Account, limit: usize) -> Result<Vec<LookupRow>> {
        let Some(handle) = Handle::of(&asked.handle, self.background()) else {
            return Ok(Vec::new());
        };
        let probe = Fingerprint {
            handle: Some(handle.clone()),
            ..Fingerprint::default()
        };
        let generation = self.generation();
        let query = Query::of(&probe);
        let wide = if handle.whole().chars().count() >= WIDE_CHARS_MIN {
            WIDE_DISTANCE
        } else {
            1
        };
        let mut found = Vec::new();
        for part in generation.parts() {
            let blocker = part.blocker();
            let mut ordinals = blocker.near_handles(handle.whole(), wide, LOOKED_AT_MAX);
            blocker.near_stems(handle.stem(), LOOKED_AT_MAX, &mut ordinals);
            blocker.proposed(&blocker.begin(&query), |_, proposed| {
                ordinals.extend(proposed.take(LOOKED_AT_MAX + 1));
            });
            ordinals.sort_unstable();
            ordinals.dedup();
            for ordinal in ordinals
                .into_iter()
                .filter(|ordinal| part.is_live(*ordinal))
            {
                let entry = part.columns().fingerprint(ordinal);
                let entry = entry.as_ref().and_then(|entry| entry.handle.as_ref());
                let related = entry.and_then(|entry| relation(&handle, entry, wide));
                let id = part.columns().id(ordinal);
                found.extend(
                    related
                        .zip(id)
                        .map(|((kind, comparison), id)| (kind, comparison, id)),
                );
            }
        }
        found.sort_by(|a, b| {
            a.0.cmp(&b.0)
                .then_with(|| b.1.surprise.total_cmp(&a.1.surprise))
                .then_with(|| a.2.cmp(b.2))
        });
        let mut rows = Vec::new();
        for (kind, comparison, id) in found.into_iter().take(limit) {
            rows.extend(self.row(asked, id, kind, &comparison)?);
        }
        Ok(rows)
    }

    /// The row of one entry found, unless it was withdrawn since.
    fn row(
        &self,
        asked: &Account,
        id: &str,
        kind: LookupKind,
        comparison: &Comparison,
    ) -> Result<Option<LookupRow>> {
        let Ok(id) = AccountId::new(id) else {
            return Ok(None);
        };
        let Some(account) = self.entry(&id)? else {
            return Ok(None);
        };
        let pair = Pair {
            probe: asked,
            entry: &account,
            background: self.background(),
        };
        Ok(Some(LookupRow {
            kind,
            why: pair.why(Signal::Handle, comparison),
            judgments: self.judgments_of_entry(&id, JUDGMENTS_SHOWN)?,
            decisions: self
                .store()
                .decisions_of(Side::Entry, &id, DECISIONS_SHOWN)?,
            account,
        }))
    }
}

/// The relation of two handles as the analyst sees it: looked at from both sides, and wider than screening.
fn relation(
    asked: &Handle<'_>,
    entry: &Handle<'_>,
    wide: usize,
) -> Option<(LookupKind, Comparison)> {
    let forth = handle::compare(asked, entry);
    let back = handle::compare(entry, asked);
    if let Some(kind) = LookupKind::of(forth.relation) {
        return Some((kind, forth));
    }
    if let Some(kind) = LookupKind::of(back.relation) {
        return Some((kind, back));
    }
    let contains = entry.whole().contains(asked.whole()) || asked.whole().contains(entry.whole());
    let near = crate::index::osa_within(asked.whole(), entry.whole(), wide).is_some();
    match (near, contains) {
        (true, _) => Some((LookupKind::Near, Comparison::new(Relation::Edited2, 0.0))),
        (_, true) => Some((
            LookupKind::Containing,
            Comparison::new(Relation::Truncated, 0.0),
        )),
        _ => None,
    }
}

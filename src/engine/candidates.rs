//! Asks every segment for candidates, and cuts what too many entries carry.
//!
//! The cuts depend on the live entries alone, not on how they are spread over segments: the same watchlist gives the same
//! candidates after a merge or a restart.

use std::collections::HashSet;

use crate::blocking::Query;
use crate::engine::generation::{Generation, Part};
use crate::index::{HOT, Ordinal};
use crate::signal::relation::Crowd;

/// Candidates of all segments, and how many entries carry the probe's values.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// Live ordinals by part, ascending and distinct.
    pub(crate) by_part: Vec<Vec<Ordinal>>,
    /// Carriers of the probe's values.
    pub(crate) crowd: Crowd,
    /// Values so common on the watchlist that not all their carriers became candidates.
    pub(crate) cuts: u32,
}

impl Candidates {
    /// Entries of `generation` that may agree with the probe on anything.
    pub(crate) fn of(generation: &Generation, query: &Query<'_>) -> Self {
        let parts = generation.parts();
        let mut found = Self {
            by_part: vec![Vec::new(); parts.len()],
            crowd: Crowd::new(generation.entries()),
            cuts: 0,
        };
        for key in query.keys() {
            let lists: Vec<Vec<&[Ordinal]>> = parts
                .iter()
                .map(|part| vec![part.segment().blocker().carriers(*key)])
                .collect();
            let carriers = found.add(parts, &lists);
            found.crowd.add(*key, carriers);
        }
        for (turn, pdq) in query.pictures().iter().enumerate() {
            let lists: Vec<Vec<&[Ordinal]>> = parts
                .iter()
                .map(|part| part.segment().blocker().same_pictures(pdq))
                .collect();
            let carriers = found.add(parts, &lists);
            if let (0, Some(key)) = (turn, query.picture_key()) {
                found.crowd.add(key, carriers);
            }
        }
        found.continue_handles(parts, query);
        for (part, ordinals) in parts.iter().zip(&mut found.by_part) {
            ordinals.extend(part.segment().blocker().near(query));
            ordinals.sort_unstable();
            ordinals.dedup();
            ordinals.retain(|ordinal| part.live_entry(*ordinal).is_some());
        }
        found.count_texts(parts, query);
        found
    }

    /// Takes entries whose handle goes on where the probe's ends, unless more than [`HOT`] do: a beginning so common
    /// says nothing, and which of them come first would depend on the segments.
    fn continue_handles(&mut self, parts: &[Part], query: &Query<'_>) {
        let found: Vec<Vec<Ordinal>> = parts
            .iter()
            .map(|part| {
                let limit = HOT + 1 + part.withdrawn_len();
                let mut ordinals = part.segment().blocker().continued(query, limit);
                ordinals.retain(|ordinal| part.live_entry(*ordinal).is_some());
                ordinals
            })
            .collect();
        if found.iter().map(Vec::len).sum::<usize>() > HOT {
            self.cuts += 1;
            return;
        }
        for (ordinals, continued) in self.by_part.iter_mut().zip(found) {
            ordinals.extend(continued);
        }
    }

    /// Counts the carriers of the candidates' own bios: a text that many carry is no rarer for a word more or less.
    fn count_texts(&mut self, parts: &[Part], query: &Query<'_>) {
        if !query.has_bio() {
            return;
        }
        let mut texts = HashSet::new();
        for (part, ordinals) in parts.iter().zip(&self.by_part) {
            let entries = ordinals
                .iter()
                .filter_map(|ordinal| part.live_entry(*ordinal));
            texts.extend(entries.filter_map(|entry| Some(entry.fingerprint.bio.as_ref()?.key())));
        }
        for text in texts
            .into_iter()
            .filter(|text| query.keys().binary_search(text).is_err())
        {
            let carriers = parts
                .iter()
                .map(|part| part.live_len(part.segment().blocker().carriers(text)));
            self.crowd.add(text, carriers.sum::<usize>() as u32);
        }
    }

    /// Takes the live entries of `lists`, by part; of more than [`HOT`] those of the smallest ids. Returns how many live.
    fn add(&mut self, parts: &[Part], lists: &[Vec<&[Ordinal]>]) -> u32 {
        let carriers: usize = parts
            .iter()
            .zip(lists)
            .map(|(part, lists)| lists.iter().map(|list| part.live_len(list)).sum::<usize>())
            .sum();
        if carriers <= HOT {
            for (ordinals, lists) in self.by_part.iter_mut().zip(lists) {
                ordinals.extend(lists.iter().flat_map(|list| *list));
            }
            return carriers as u32;
        }
        self.cuts += 1;
        let mut first = Vec::new();
        for (at, (part, lists)) in parts.iter().zip(lists).enumerate() {
            // Ordinals ascend by id within a segment, so the first of each list are its smallest.
            for list in lists {
                let live = list
                    .iter()
                    .filter_map(|ordinal| Some((&part.live_entry(*ordinal)?.id, at, *ordinal)));
                first.extend(live.take(HOT));
            }
        }
        first.sort_unstable();
        for (_, at, ordinal) in first.into_iter().take(HOT) {
            if let Some(ordinals) = self.by_part.get_mut(at) {
                ordinals.push(ordinal);
            }
        }
        carriers as u32
    }
}

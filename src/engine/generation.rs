//! The immutable view a reader holds: segments, and which of their entries are withdrawn.
//!
//! Every change makes a new generation that shares all unchanged segments. New entries come as small segments; when
//! [`FANOUT`] segments of about one size stand together they are built into one (the logarithmic method of Bentley and
//! Saxe 1980), so an entry is indexed O(log entries) times and a screen asks O(log entries) segments.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::account::AccountId;
use crate::engine::segment::Segment;
use crate::index::Ordinal;
use crate::watchlist::Entry;

/// Segments of one size class that are merged into one. Eight keeps small changes cheap and segments few.
const FANOUT: usize = 8;

/// A set of ordinals of one segment.
#[derive(Debug, Clone, Default)]
struct OrdinalSet(Vec<u64>);

impl OrdinalSet {
    fn contains(&self, ordinal: Ordinal) -> bool {
        self.0
            .get(ordinal as usize / 64)
            .is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }

    fn insert(&mut self, ordinal: Ordinal) {
        let word = ordinal as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (ordinal % 64);
        }
    }
}

/// A segment and its withdrawn entries.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    segment: Arc<Segment>,
    /// Live entries by network.
    networks: Arc<HashMap<Arc<str>, u32>>,
    withdrawn: Arc<OrdinalSet>,
    live: u32,
}

impl Part {
    fn of(entries: Vec<Arc<Entry>>) -> Self {
        let live = entries.len() as u32;
        let mut networks = HashMap::new();
        for network in entries.iter().filter_map(|entry| entry.network.as_ref()) {
            *networks.entry(Arc::clone(network)).or_default() += 1;
        }
        Self {
            segment: Arc::new(Segment::build(entries)),
            networks: Arc::new(networks),
            withdrawn: Arc::default(),
            live,
        }
    }

    fn withdraw(&mut self, ordinal: Ordinal) {
        let network = self
            .segment
            .entry(ordinal)
            .and_then(|entry| entry.network.as_ref());
        if let Some(count) =
            network.and_then(|name| Arc::make_mut(&mut self.networks).get_mut(name))
        {
            *count -= 1;
        }
        Arc::make_mut(&mut self.withdrawn).insert(ordinal);
        self.live -= 1;
    }

    /// The segment.
    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The entry at `ordinal` unless it is withdrawn.
    pub(crate) fn live_entry(&self, ordinal: Ordinal) -> Option<&Arc<Entry>> {
        self.segment
            .entry(ordinal)
            .filter(|_| !self.withdrawn.contains(ordinal))
    }

    /// Entries of the segment that are withdrawn.
    pub(crate) fn withdrawn_len(&self) -> usize {
        self.segment.entries().len() - self.live as usize
    }

    /// How many of `ordinals` are live. O(1) while nothing is withdrawn.
    pub(crate) fn live_len(&self, ordinals: &[Ordinal]) -> usize {
        if self.live as usize == self.segment.entries().len() {
            return ordinals.len();
        }
        ordinals
            .iter()
            .filter(|ordinal| !self.withdrawn.contains(**ordinal))
            .count()
    }

    fn live_entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        let entries = (0..).zip(self.segment.entries());
        entries
            .filter(|(ordinal, _)| !self.withdrawn.contains(*ordinal))
            .map(|(_, entry)| entry)
    }

    fn find(&self, id: &AccountId) -> Option<Ordinal> {
        self.segment
            .find(id)
            .filter(|ordinal| !self.withdrawn.contains(*ordinal))
    }

    fn size_class(&self) -> u32 {
        self.live.max(1).ilog2() / FANOUT.ilog2()
    }
}

/// The watchlist at one moment. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Generation {
    lsn: u64,
    parts: Vec<Part>,
}

impl Generation {
    /// The generation of all `entries` (ids distinct) after change `lsn`; builds segments on all cores.
    pub(crate) fn build(mut entries: Vec<Arc<Entry>>, lsn: u64) -> Self {
        let threads = rayon::current_num_threads().max(1);
        let share = entries.len().div_ceil(threads).max(1);
        let mut shares = Vec::new();
        while !entries.is_empty() {
            shares.push(entries.split_off(entries.len().saturating_sub(share)));
        }
        let parts = rayon::iter::ParallelIterator::collect(rayon::iter::ParallelIterator::map(
            rayon::iter::IntoParallelIterator::into_par_iter(shares),
            Part::of,
        ));
        Self { lsn, parts }
    }

    /// Number of the last change in this view.
    pub fn lsn(&self) -> u64 {
        self.lsn
    }

    /// Live entries.
    pub fn entries(&self) -> u32 {
        self.parts.iter().map(|part| part.live).sum()
    }

    /// Live entries of a network.
    pub(crate) fn network_entries(&self, network: &str) -> u32 {
        self.parts
            .iter()
            .filter_map(|part| part.networks.get(network))
            .sum()
    }

    /// Segments.
    pub fn segments(&self) -> usize {
        self.parts.len()
    }

    /// Bytes of each index over all segments, by name.
    pub(crate) fn index_bytes(&self) -> Vec<(&'static str, usize)> {
        let mut sums: Vec<(&'static str, usize)> = Vec::new();
        for (name, bytes) in self
            .parts
            .iter()
            .flat_map(|part| part.segment.blocker().bytes())
        {
            match sums.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += bytes,
                None => sums.push((name, bytes)),
            }
        }
        sums
    }

    /// The live entry of `id`.
    pub fn find(&self, id: &AccountId) -> Option<&Arc<Entry>> {
        self.parts
            .iter()
            .find_map(|part| part.find(id).and_then(|ordinal| part.live_entry(ordinal)))
    }

    /// Every live entry.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.parts.iter().flat_map(Part::live_entries)
    }

    /// This view without the entries whose ban has ended by `now`.
    pub(crate) fn without_ended(&self, now: Timestamp) -> Self {
        let ended = self
            .iter()
            .filter(|entry| entry.expires_at.is_some_and(|end| end <= now));
        let ended: Vec<AccountId> = ended.map(|entry| entry.id.clone()).collect();
        if ended.is_empty() {
            self.clone()
        } else {
            self.changed(Vec::new(), &ended, self.lsn)
        }
    }

    /// The parts, to be asked one after the other.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The view after `enrolled` (ids distinct) and `withdrawn` have been applied, up to change `lsn`.
    pub(crate) fn changed(
        &self,
        enrolled: Vec<Arc<Entry>>,
        withdrawn: &[AccountId],
        lsn: u64,
    ) -> Self {
        let mut parts = self.parts.clone();
        for id in enrolled.iter().map(|entry| &entry.id).chain(withdrawn) {
            for part in &mut parts {
                if let Some(ordinal) = part.find(id) {
                    part.withdraw(ordinal);
                }
            }
        }
        if !enrolled.is_empty() {
            parts.push(Part::of(enrolled));
        }
        let mut changed = Self { lsn, parts };
        changed.merge();
        changed
    }

    /// Drops empty parts and merges the newest ones while [`FANOUT`] of them are of one size class.
    fn merge(&mut self) {
        self.parts.retain(|part| part.live > 0);
        loop {
            let Some(class) = self.parts.last().map(Part::size_class) else {
                return;
            };
            let run = self
                .parts
                .iter()
                .rev()
                .take_while(|part| part.size_class() <= class)
                .count();
            if run < FANOUT {
                return;
            }
            let merged = self.parts.split_off(self.parts.len() - run);
            let entries = merged
                .iter()
                .flat_map(Part::live_entries)
                .cloned()
                .collect();
            self.parts.push(Part::of(entries));
        }
    }
}

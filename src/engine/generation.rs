//! The immutable view a reader holds: segments, and which of their entries are withdrawn.
//!
//! Every change makes a new generation that shares all unchanged segments. New entries come as small segments in memory,
//! which are built into larger ones (`generation/due.rs`).

pub(in crate::engine) mod due;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::account::AccountId;
use crate::blocking::Blocker;
use crate::engine::carriers::carriers_of;
use crate::engine::columns::{Columns, Row};
use crate::engine::exemptions::Exemptions;
use crate::engine::ordinals::OrdinalSet;
use crate::engine::packed::Packed;
use crate::engine::segment::Segment;
use crate::fingerprint::Fingerprint;
use crate::index::Ordinal;
use crate::signal::crowd::Carriers;
use crate::watchlist::Listed;

/// A segment and its withdrawn entries.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    segment: Arc<Segment>,
    withdrawn: Arc<OrdinalSet>,
    /// Withdrawn entries by the number of their network.
    withdrawn_networks: Arc<HashMap<u32, u32>>,
    /// Entries, withdrawn ones included.
    len: u32,
    live: u32,
    /// Every entry of the part came by a change after this one.
    since: u64,
}

impl Part {
    /// A part of which nothing is withdrawn, whose entries came by changes after `since`.
    pub(crate) fn of(segment: Segment, since: u64) -> Self {
        let len = segment.columns().len() as u32;
        Self {
            len,
            live: len,
            segment: Arc::new(segment),
            withdrawn: Arc::default(),
            withdrawn_networks: Arc::default(),
            since,
        }
    }

    /// This part with `words` as the set of withdrawn ordinals.
    pub(crate) fn with_withdrawn(mut self, words: Vec<u64>) -> Self {
        for ordinal in OrdinalSet::in_words(&words, self.len) {
            self.withdraw_at(ordinal);
        }
        self
    }

    /// The set of withdrawn ordinals as words of bits.
    pub(crate) fn withdrawn_words(&self) -> &[u64] {
        self.withdrawn.words()
    }

    /// Withdraws the entry of `id` if it is live here.
    pub(crate) fn withdraw(&mut self, id: &str) {
        if let Some(ordinal) = self.find(id) {
            self.withdraw_at(ordinal);
        }
    }

    fn withdraw_at(&mut self, ordinal: Ordinal) {
        Arc::make_mut(&mut self.withdrawn).insert(ordinal);
        self.live -= 1;
        if let Some(network) = self.columns().network(ordinal) {
            let networks = Arc::make_mut(&mut self.withdrawn_networks);
            *networks.entry(network).or_default() += 1;
        }
    }

    /// Live entries of the network of this name.
    fn network_entries(&self, name: &str) -> u32 {
        let Some(network) = self.columns().network_number(name) else {
            return 0;
        };
        let withdrawn = self.withdrawn_networks.get(&network).copied();
        let all = self.columns().network_entries(network);
        all.saturating_sub(withdrawn.unwrap_or(0))
    }

    /// The segment.
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// What is kept of each entry, dead ones included.
    pub(crate) fn columns(&self) -> &Columns {
        self.segment.columns()
    }

    /// The indexes.
    pub(crate) fn blocker(&self) -> &Blocker {
        self.segment.blocker()
    }

    /// Every entry came by a change after this one.
    pub(crate) fn since(&self) -> u64 {
        self.since
    }

    /// Live entries.
    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    /// Whether the entry at `ordinal` is there and not withdrawn.
    pub(crate) fn is_live(&self, ordinal: Ordinal) -> bool {
        ordinal < self.len && (self.live == self.len || !self.withdrawn.contains(ordinal))
    }

    /// Entries of the segment that are withdrawn.
    pub(crate) fn withdrawn_len(&self) -> usize {
        (self.len - self.live) as usize
    }

    /// How many of `ordinals` are live. O(1) while nothing is withdrawn.
    pub(crate) fn live_len(&self, ordinals: &[Ordinal]) -> usize {
        if self.withdrawn_len() == 0 {
            return ordinals.len();
        }
        let live = ordinals.iter().filter(|ordinal| self.is_live(**ordinal));
        live.count()
    }

    /// Where the live entry of `id` stands.
    pub(crate) fn find(&self, id: &str) -> Option<Ordinal> {
        let ordinal = self.columns().find(id)?;
        self.is_live(ordinal).then_some(ordinal)
    }

    /// Live ordinals, ascending.
    pub(crate) fn ordinals(&self) -> impl Iterator<Item = Ordinal> + Clone + '_ {
        (0..self.columns().len() as Ordinal).filter(|ordinal| self.is_live(*ordinal))
    }
}

/// An entry of a generation, read in place.
#[derive(Debug, Clone)]
pub struct EntryRef<'a> {
    /// Its id.
    pub id: AccountId,
    /// What probes are compared with.
    pub fingerprint: Fingerprint<'a>,
    part: &'a Part,
    ordinal: Ordinal,
}

impl EntryRef<'_> {
    /// What of the entry is told with a hit.
    pub(crate) fn listed(&self) -> Option<Listed> {
        self.part.columns().listed(self.ordinal)
    }
}

/// The watchlist at one moment. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Generation {
    lsn: u64,
    parts: Vec<Part>,
    exemptions: Exemptions,
}

impl Generation {
    /// The generation of `parts`, whose live ids are distinct, after change `lsn`.
    pub(crate) fn of(parts: Vec<Part>, exemptions: Exemptions, lsn: u64) -> Self {
        Self {
            lsn,
            parts,
            exemptions,
        }
    }

    /// Which flags people have cancelled.
    pub(crate) fn exemptions(&self) -> &Exemptions {
        &self.exemptions
    }

    /// This view with `exemptions` in force, up to change `lsn`.
    pub(crate) fn ruled(self, exemptions: Exemptions, lsn: u64) -> Self {
        Self::of(self.parts, exemptions, lsn)
    }

    /// Number of the last change in this view.
    pub fn lsn(&self) -> u64 {
        self.lsn
    }

    /// Live entries.
    pub fn entries(&self) -> u32 {
        self.parts.iter().map(|part| part.live).sum()
    }

    /// Live entries by network, in the order of their names; those of none under the empty name. O(networks).
    pub(crate) fn networks(&self) -> std::collections::BTreeMap<String, u32> {
        let mut named = std::collections::BTreeMap::new();
        let mut count = |name: &str, entries: u32| {
            if entries > 0 {
                *named.entry(name.to_owned()).or_default() += entries;
            }
        };
        for part in &self.parts {
            let mut of_none = part.live;
            for name in part.columns().network_names() {
                let entries = part.network_entries(name);
                of_none = of_none.saturating_sub(entries);
                count(name, entries);
            }
            count("", of_none);
        }
        named
    }

    /// Live entries of a network.
    pub(crate) fn network_entries(&self, network: &str) -> u32 {
        let of = |part: &Part| part.network_entries(network);
        self.parts.iter().map(of).sum()
    }

    /// Live entries of segments that are held in memory and not in a file.
    pub fn in_memory(&self) -> u32 {
        let in_memory = self
            .parts
            .iter()
            .filter(|part| part.segment.file().is_none());
        in_memory.map(|part| part.live).sum()
    }

    /// Segments.
    pub fn segments(&self) -> usize {
        self.parts.len()
    }

    /// Bytes of each structure over all segments, by name.
    pub(crate) fn bytes(&self) -> Vec<(&'static str, usize)> {
        summed(self.parts.iter().flat_map(|part| part.segment.bytes()))
    }

    /// Values that more than [`crate::index::HOT`] entries of one segment carry, by index. Reads the indexes of segments that
    /// were not asked before.
    pub(crate) fn hot(&self) -> Vec<(&'static str, usize)> {
        summed(self.parts.iter().flat_map(|part| part.segment.hot()))
    }

    /// True when the entry of `id` is live.
    pub(crate) fn contains(&self, id: &AccountId) -> bool {
        let id = id.as_str();
        self.parts.iter().any(|part| part.find(id).is_some())
    }

    /// The live entry of `id`.
    pub fn find(&self, id: &AccountId) -> Option<EntryRef<'_>> {
        self.parts
            .iter()
            .find_map(|part| entry_at(part, part.find(id.as_str())?))
    }

    /// Every live entry.
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.parts.iter().flat_map(|part| {
            part.ordinals()
                .filter_map(|ordinal| entry_at(part, ordinal))
        })
    }

    /// Ids of the entries whose ban has ended by `now`.
    pub(crate) fn ended(&self, now: Timestamp) -> Vec<AccountId> {
        let ended = |part: &'_ Part, ordinal| {
            let end = part.columns().expires_at(ordinal)?;
            (end <= now).then(|| AccountId::new(part.columns().id(ordinal)?).ok())?
        };
        self.parts
            .iter()
            .flat_map(|part| {
                part.ordinals()
                    .filter_map(move |ordinal| ended(part, ordinal))
            })
            .collect()
    }

    /// This view without the entries whose ban has ended by `now`.
    pub(crate) fn without_ended(&self, now: Timestamp) -> Self {
        let ended = self.ended(now);
        match ended.is_empty() {
            true => self.clone(),
            false => self.changed(&mut Packed::default(), &ended, self.lsn),
        }
    }

    /// The parts, to be asked one after the other.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// How many live entries carry a counted key, and of how many networks they are if they are fewer than `networked_max`.
    pub(crate) fn carriers(&self, key: u64, networked_max: u32) -> Carriers {
        let lists = self.parts.iter().map(|part| part.blocker().carriers(key));
        carriers_of(&self.parts, lists.enumerate(), networked_max)
    }

    /// The view after `enrolled` and `withdrawn` have been applied, up to change `lsn`.
    pub(crate) fn changed(&self, enrolled: &mut Packed, withdrawn: &[AccountId], lsn: u64) -> Self {
        let mut parts = self.parts.clone();
        let mut withdraw = |id: &str| parts.iter_mut().for_each(|part| part.withdraw(id));
        withdrawn.iter().for_each(|id| withdraw(id.as_str()));
        if enrolled.len() > 0 {
            let rows = enrolled.sorted();
            rows.clone().for_each(|row| withdraw(row.id));
            parts.push(Part::of(Segment::build(rows), self.lsn));
        }
        let mut changed = Self::of(parts, self.exemptions.clone(), lsn);
        changed.merge_small();
        changed
    }

    /// This view with the entries of `part` added or replaced, up to change `lsn`.
    pub(crate) fn adopted(&self, part: Part, lsn: u64) -> Self {
        let mut parts = self.parts.clone();
        if parts.iter().any(|other| other.live > 0) {
            let ids = part
                .ordinals()
                .filter_map(|ordinal| part.columns().id(ordinal));
            ids.for_each(|id| parts.iter_mut().for_each(|other| other.withdraw(id)));
        }
        parts.retain(|other| other.live > 0);
        parts.push(part);
        Self::of(parts, self.exemptions.clone(), lsn)
    }

    /// This view with the parts of `merged` replaced by the one built from them; what was withdrawn meanwhile stays so.
    pub(crate) fn replaced(&self, merged: &[Part], mut by: Part) -> Self {
        let is_merged = |part: &Part| {
            merged
                .iter()
                .any(|of| Arc::ptr_eq(&of.segment, &part.segment))
        };
        for then in merged {
            let is_same = |part: &&Part| Arc::ptr_eq(&part.segment, &then.segment);
            let now = self.parts.iter().find(is_same);
            // A part that is there no more was withdrawn to the last entry, or merged into another one meanwhile.
            let is_there = |ordinal: &Ordinal| now.is_some_and(|now| now.is_live(*ordinal));
            let gone = then.ordinals().filter(|ordinal| !is_there(ordinal));
            gone.filter_map(|ordinal| then.columns().id(ordinal))
                .for_each(|id| by.withdraw(id));
        }
        // The newest stay last: what is merged takes the place of the first of its parts.
        let at = self
            .parts
            .iter()
            .position(is_merged)
            .unwrap_or(self.parts.len());
        let mut parts: Vec<Part> = Vec::with_capacity(self.parts.len());
        let mut by = Some(by).filter(|by| by.live > 0);
        for (place, part) in self.parts.iter().enumerate() {
            if place == at {
                parts.extend(by.take());
            }
            if !is_merged(part) {
                parts.push(part.clone());
            }
        }
        parts.extend(by);
        Self::of(parts, self.exemptions.clone(), self.lsn)
    }
}

/// Sums by name, in the order of their first appearance.
fn summed(named: impl Iterator<Item = (&'static str, usize)>) -> Vec<(&'static str, usize)> {
    let mut sums: Vec<(&'static str, usize)> = Vec::new();
    for (name, number) in named {
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += number,
            None => sums.push((name, number)),
        }
    }
    sums
}

fn entry_at(part: &Part, ordinal: Ordinal) -> Option<EntryRef<'_>> {
    Some(EntryRef {
        id: AccountId::new(part.columns().id(ordinal)?).ok()?,
        fingerprint: part.columns().fingerprint(ordinal)?,
        part,
        ordinal,
    })
}

/// The live entries of `parts` as pairs of part and ordinal, by id.
pub(crate) fn merge_order(parts: &[Part]) -> Vec<(u32, Ordinal)> {
    let live = |(at, part): (u32, &Part)| {
        let ordinals: Vec<(u32, Ordinal)> = part.ordinals().map(|ordinal| (at, ordinal)).collect();
        ordinals
    };
    let mut order: Vec<(u32, Ordinal)> = (0..).zip(parts).flat_map(live).collect();
    if parts.len() > 1 {
        let id = |(at, ordinal): &(u32, Ordinal)| {
            parts
                .get(*at as usize)
                .and_then(|part| part.columns().id_bytes(*ordinal))
        };
        // A stable sort finds the ascending runs and merges them.
        order.sort_by(|a, b| id(a).cmp(&id(b)));
    }
    order
}

/// The rows of `parts` in the order of [`merge_order`].
pub(crate) fn rows<'a>(
    order: &'a [(u32, Ordinal)],
    parts: &'a [Part],
) -> impl Iterator<Item = Row<'a>> + Clone {
    order
        .iter()
        .filter_map(|(at, ordinal)| Row::at(parts.get(*at as usize)?.columns(), *ordinal))
}

//! Cheap, generous pre-selection: which entries might agree with this probe on anything?
//!
//! A [`Blocker`] holds the indexes over one segment's fingerprints. Every way two accounts can agree has an index that
//! finds it; what an index returns too much, comparing drops again. Caps are named constants of `index`, and what they
//! cut is counted, so that a report can say so.

use crate::fingerprint::Fingerprint;
use crate::hash::Pdq;
use crate::index::{Containment, Deletes, Dictionary, HOT, HammingIndex, Ordinal, Postings};
use crate::signal::avatar;
use crate::signal::bio::SIMHASH_DISTANCE_MAX;
use crate::signal::relation::Crowd;

/// What a probe is looked up by; made once and used on every segment.
#[derive(Debug)]
pub struct Query<'a> {
    probe: &'a Fingerprint,
    keys: Vec<u64>,
    turned: Vec<Pdq>,
}

impl<'a> Query<'a> {
    /// Collects the probe's keys and turned picture hashes.
    pub fn of(probe: &'a Fingerprint) -> Self {
        let mut keys = Vec::new();
        probe.keys(&mut keys);
        keys.extend_from_slice(probe.contacts.named_keys());
        keys.sort_unstable();
        keys.dedup();
        let turned = probe.picture.as_ref().map_or_else(Vec::new, |picture| picture.turned().to_vec());
        Self { probe, keys, turned }
    }
}

/// Entries of one segment that may agree with a probe.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Ordinals, ascending and distinct.
    pub ordinals: Vec<Ordinal>,
    /// Look-ups that a cap cut short.
    pub cuts: u32,
}

/// The indexes over one segment. Immutable.
#[derive(Debug)]
pub struct Blocker {
    postings: Postings,
    stems: Deletes,
    cores: Containment,
    wholes: Dictionary,
    pictures: HammingIndex<4>,
    simhashes: HammingIndex<1>,
}

impl Blocker {
    /// Indexes fingerprints by their position. O(total length); about 1 KB an entry while building.
    pub fn build<'a>(fingerprints: impl Iterator<Item = &'a Fingerprint>) -> Self {
        let (mut postings, mut stems, mut cores, mut wholes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut pictures, mut simhashes) = (Vec::new(), Vec::new());
        let mut keys = Vec::new();
        for (ordinal, fingerprint) in (0..).zip(fingerprints) {
            fingerprint.keys(&mut keys);
            postings.extend(keys.drain(..).map(|key| (key, ordinal)));
            if let Some(handle) = &fingerprint.handle {
                stems.push((handle.stem(), ordinal));
                cores.extend(handle.contained().map(|core| (core, ordinal)));
                wholes.push((handle.whole().to_owned(), ordinal));
            }
            pictures.extend(fingerprint.picture.as_ref().map(|picture| (picture.pdq().0, ordinal)));
            simhashes.extend(fingerprint.bio.as_ref().and_then(|bio| bio.simhash()).map(|hash| ([hash], ordinal)));
        }
        Self {
            postings: Postings::build(postings),
            stems: Deletes::build(&stems),
            cores: Containment::build(&cores),
            wholes: Dictionary::build(wholes),
            pictures: HammingIndex::build(pictures),
            simhashes: HammingIndex::build(simhashes),
        }
    }

    /// Entries that may agree with the probe; adds the carriers of the probe's values to `crowd`.
    pub fn candidates(&self, query: &Query<'_>, crowd: &mut Crowd) -> Candidates {
        let mut found = Candidates::default();
        let ordinals = &mut found.ordinals;
        for key in &query.keys {
            let carriers = self.postings.get(*key);
            if !carriers.is_empty() {
                crowd.add(*key, carriers.len() as u32);
            }
            found.cuts += u32::from(carriers.len() > HOT);
            ordinals.extend(carriers.iter().take(HOT));
        }
        if let Some(handle) = &query.probe.handle {
            self.stems.candidates(handle.stem(), ordinals);
            self.cores.contained_in(handle.whole(), ordinals);
            if let Some(beginning) = handle.truncated() {
                self.wholes.prefix(beginning, HOT, ordinals);
            }
        }
        if let Some(simhash) = query.probe.bio.as_ref().and_then(|bio| bio.simhash()) {
            let mut near = Vec::new();
            self.simhashes.within(&[simhash], SIMHASH_DISTANCE_MAX, &mut near);
            ordinals.extend(near.iter().map(|(ordinal, _)| *ordinal));
        }
        self.same_pictures(query, crowd, ordinals);
        ordinals.sort_unstable();
        ordinals.dedup();
        found
    }

    /// Entries whose handle starts with, contains or is within `distance` of `whole` (coarse letters); for the analyst.
    pub fn near_handles(&self, whole: &str, distance: usize, limit: usize) -> Vec<Ordinal> {
        let mut ordinals = Vec::new();
        self.wholes.fuzzy(whole, distance, limit, &mut ordinals);
        self.wholes.containing(whole, limit, &mut ordinals);
        self.cores.contained_in(whole, &mut ordinals);
        ordinals.sort_unstable();
        ordinals.dedup();
        ordinals
    }

    fn same_pictures(&self, query: &Query<'_>, crowd: &mut Crowd, ordinals: &mut Vec<Ordinal>) {
        let mut near = Vec::new();
        for (turn, pdq) in query.turned.iter().enumerate() {
            self.pictures.within(&pdq.0, avatar::DISTANCE_MAX, &mut near);
            if let (0, Some(picture)) = (turn, &query.probe.picture) {
                crowd.add(picture.key(), near.len() as u32);
            }
            ordinals.extend(near.drain(..).map(|(ordinal, _)| ordinal));
        }
    }
}

//! Cheap, generous pre-selection: which entries might agree with this probe on anything?
//!
//! A [`Blocker`] holds the indexes over one segment's fingerprints. Every way two accounts can agree has an index that
//! finds it; what an index returns too much, comparing drops again. It decides no caps: who carries a hot value is
//! answered by reference, at no cost, and the engine, which sees all segments, cuts.

use crate::fingerprint::Fingerprint;
use crate::hash::Pdq;
use crate::index::{Containment, Deletes, Dictionary, HammingIndex, Ordinal, Postings};
use crate::signal::avatar;
use crate::signal::bio::SIMHASH_DISTANCE_MAX;

/// What a probe is looked up by; made once and used on every segment.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    probe: &'a Fingerprint,
    keys: Vec<u64>,
    turned: Vec<Pdq>,
}

impl<'a> Query<'a> {
    /// Collects the probe's keys and turned picture hashes.
    pub(crate) fn of(probe: &'a Fingerprint) -> Self {
        let mut keys = Vec::new();
        probe.keys(&mut keys);
        keys.extend_from_slice(probe.contacts.named_keys());
        keys.sort_unstable();
        keys.dedup();
        let leading = probe.picture.as_ref().filter(|picture| picture.leads());
        let turned = leading.map_or_else(Vec::new, |picture| picture.turned().to_vec());
        Self {
            probe,
            keys,
            turned,
        }
    }

    /// True when the probe has a bio to compare.
    pub(crate) fn has_bio(&self) -> bool {
        self.probe.bio.is_some()
    }

    /// Exact keys, ascending and distinct.
    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// The probe's picture as it is, then turned and mirrored; empty without a picture.
    pub(crate) fn pictures(&self) -> &[Pdq] {
        &self.turned
    }

    /// The key that counts the carriers of the probe's picture.
    pub(crate) fn picture_key(&self) -> Option<u64> {
        self.probe.picture.as_ref().map(|picture| picture.key())
    }
}

/// The indexes over one segment. Immutable.
#[derive(Debug)]
pub(crate) struct Blocker {
    postings: Postings,
    stems: Deletes,
    cores: Containment,
    wholes: Dictionary,
    pictures: HammingIndex<4>,
    simhashes: HammingIndex<1>,
}

impl Blocker {
    /// Indexes fingerprints by their position. O(total length); about 1 KB an entry while building.
    pub(crate) fn build<'a>(fingerprints: impl Iterator<Item = &'a Fingerprint>) -> Self {
        let (mut postings, mut stems, mut cores, mut wholes) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
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
            pictures.extend(
                fingerprint
                    .picture
                    .as_ref()
                    .filter(|picture| picture.leads())
                    .map(|picture| (picture.pdq().0, ordinal)),
            );
            simhashes.extend(
                fingerprint
                    .bio
                    .as_ref()
                    .and_then(|bio| bio.simhash())
                    .map(|hash| ([hash], ordinal)),
            );
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

    /// Bytes of each index, by name.
    pub(crate) fn bytes(&self) -> [(&'static str, usize); 6] {
        [
            ("postings", self.postings.bytes()),
            ("stems", self.stems.bytes()),
            ("cores", self.cores.bytes()),
            ("handles", self.wholes.bytes()),
            ("pictures", self.pictures.bytes()),
            ("simhashes", self.simhashes.bytes()),
        ]
    }

    /// Entries that carry an exact key, ascending. O(1).
    pub(crate) fn carriers(&self, key: u64) -> &[Ordinal] {
        self.postings.get(key)
    }

    /// Entries with a picture near this one, in groups of equal pictures.
    pub(crate) fn same_pictures(&self, pdq: &Pdq) -> Vec<&[Ordinal]> {
        let mut groups = Vec::new();
        self.pictures
            .within(&pdq.0, avatar::DISTANCE_MAX, &mut groups);
        groups.into_iter().map(|(group, _)| group).collect()
    }

    /// Entries whose handle goes on where the probe's ends, at most `limit`.
    pub(crate) fn continued(&self, query: &Query<'_>, limit: usize) -> Vec<Ordinal> {
        let mut ordinals = Vec::new();
        if let Some(beginning) = query
            .probe
            .handle
            .as_ref()
            .and_then(|handle| handle.truncated())
        {
            self.wholes.prefix(beginning, limit, &mut ordinals);
        }
        ordinals
    }

    /// Entries with a near or contained handle, or a near copy of the bio.
    pub(crate) fn near(&self, query: &Query<'_>) -> Vec<Ordinal> {
        let mut ordinals = Vec::new();
        if let Some(handle) = &query.probe.handle {
            self.stems
                .candidates(handle.stem(), usize::MAX, &mut ordinals);
            self.cores
                .contained_in(handle.whole(), usize::MAX, &mut ordinals);
        }
        if let Some(simhash) = query.probe.bio.as_ref().and_then(|bio| bio.simhash()) {
            let mut groups = Vec::new();
            self.simhashes
                .within(&[simhash], SIMHASH_DISTANCE_MAX, &mut groups);
            ordinals.extend(groups.iter().flat_map(|(group, _)| *group));
        }
        ordinals
    }

    /// Entries whose handle is within `distance` of `whole` (coarse letters), contains it or is contained; for the analyst.
    pub(crate) fn near_handles(&self, whole: &str, distance: usize, limit: usize) -> Vec<Ordinal> {
        let mut ordinals = Vec::new();
        self.wholes.fuzzy(whole, distance, limit, &mut ordinals);
        self.wholes.containing(whole, limit, &mut ordinals);
        self.cores.contained_in(whole, usize::MAX, &mut ordinals);
        ordinals
    }
}

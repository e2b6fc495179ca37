//! Cheap, generous pre-selection: which entries might agree with this probe on anything?
//!
//! A [`Blocker`] holds the indexes over one segment's fingerprints. Every way two accounts can agree has an index that
//! finds it; what an index returns too much, comparing drops again. Carriers of a hot value are answered by reference,
//! at no cost; which of them become candidates the engine decides, which sees all segments.

mod query;

use std::ops::Range;

use rayon::prelude::{IntoParallelIterator, ParallelIterator, ParallelSliceMut};

use crate::fingerprint::Fingerprint;
use crate::index::{
    Containment, Deletes, Dictionary, HammingIndex, Loose, Ordinal, Postings, Run, Sections,
    Sought, Stored,
};

pub(crate) use query::{Begun, Query};

/// Entries whose keys one core makes at a time while building.
const STRETCH_LEN: usize = 4_096;
/// Entries whose keys are in memory twice while they are put together.
const WINDOW_LEN: usize = 1 << 19;
/// Up to so many fingerprints are read once and held while they are indexed, some two kilobytes each.
const HELD_LEN_MAX: usize = 1 << 14;

/// The indexes over one segment. Immutable.
#[derive(Debug)]
pub(crate) struct Blocker {
    counted: Postings,
    loose: Loose,
    stems: Deletes,
    cores: Containment,
    wholes: Dictionary,
    pictures: HammingIndex<4>,
    simhashes: HammingIndex<1>,
}

/// The fingerprints of a segment by ordinal, read again for each index that is built.
pub(crate) trait Prints: Sync {
    /// How many there are.
    fn len(&self) -> usize;
    /// The fingerprint at `ordinal`.
    fn get(&self, ordinal: Ordinal) -> Option<Fingerprint<'_>>;
    /// Calls `then` with the fingerprint at `ordinal`, if there is one.
    fn visit(&self, ordinal: Ordinal, then: &mut dyn FnMut(&Fingerprint<'_>)) {
        if let Some(fingerprint) = self.get(ordinal) {
            then(&fingerprint);
        }
    }
}

/// Fingerprints read once.
struct Held<'a>(Vec<Option<Fingerprint<'a>>>);

impl Prints for Held<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, ordinal: Ordinal) -> Option<Fingerprint<'_>> {
        self.0.get(ordinal as usize)?.clone()
    }

    fn visit(&self, ordinal: Ordinal, then: &mut dyn FnMut(&Fingerprint<'_>)) {
        if let Some(Some(fingerprint)) = self.0.get(ordinal as usize) {
            then(fingerprint);
        }
    }
}

impl Blocker {
    /// Indexes fingerprints by their ordinal. O(total length).
    pub(crate) fn build(prints: &dyn Prints) -> Self {
        if prints.len() > HELD_LEN_MAX {
            return Self::of((counted(prints), loose(prints)), prints);
        }
        let held = (0..prints.len() as Ordinal).map(|ordinal| prints.get(ordinal));
        let held = Held(held.collect());
        Self::of(keys(&held), &held)
    }

    fn of((counted, loose): (Postings, Loose), prints: &dyn Prints) -> Self {
        Self {
            counted,
            loose,
            stems: stems(prints),
            cores: cores(prints),
            wholes: wholes(prints),
            pictures: pictures(prints),
            simhashes: simhashes(prints),
        }
    }

    /// Builds one index after the other and writes each before the next is begun, so that only one is in memory.
    pub(crate) fn write(prints: &dyn Prints, sections: &mut dyn Sections, step: &dyn Fn(&str)) {
        step("keys");
        counted(prints).store("counted", sections);
        loose(prints).store("loose", sections);
        step("handles");
        stems(prints).store("stems", sections);
        cores(prints).store("cores", sections);
        wholes(prints).store("wholes", sections);
        step("pictures and texts");
        pictures(prints).store("pictures", sections);
        simhashes(prints).store("simhashes", sections);
    }

    /// Reads what [`Blocker::write`] wrote; `None` where an index is missing or malformed.
    pub(crate) fn load(stored: &Stored) -> Option<Self> {
        Some(Self {
            counted: Postings::load("counted", stored)?,
            loose: Loose::load("loose", stored)?,
            stems: Deletes::load("stems", stored)?,
            cores: Containment::load("cores", stored)?,
            wholes: Dictionary::load("wholes", stored)?,
            pictures: HammingIndex::load("pictures", stored)?,
            simhashes: HammingIndex::load("simhashes", stored)?,
        })
    }

    /// Bytes of each index, by name.
    pub(crate) fn bytes(&self) -> [(&'static str, usize); 7] {
        [
            ("counted keys", self.counted.bytes()),
            ("loose keys", self.loose.bytes()),
            ("stems", self.stems.bytes()),
            ("cores", self.cores.bytes()),
            ("handles", self.wholes.bytes()),
            ("pictures", self.pictures.bytes()),
            ("simhashes", self.simhashes.bytes()),
        ]
    }

    /// Keys, forms and pictures that more than `limit` entries carry, by index: what caps cut. Reads all postings.
    pub(crate) fn hot(&self, limit: usize) -> [(&'static str, usize); 5] {
        [
            ("counted keys", self.counted.hot(limit)),
            ("loose keys", self.loose.hot(limit)),
            ("stems", self.stems.hot(limit)),
            ("pictures", self.pictures.hot(limit)),
            ("simhashes", self.simhashes.hot(limit)),
        ]
    }

    /// Entries that carry a counted key, ascending. O(1).
    pub(crate) fn carriers(&self, key: u64) -> &[Ordinal] {
        self.counted.get(key)
    }

    /// Visits the entries of each of the query's loose leads; now and then a wrong one.
    pub(crate) fn proposed(&self, begun: &Begun, visit: impl FnMut(usize, &mut Run<'_>)) {
        self.loose.each(&begun.loose, visit);
    }

    /// Entries with the probe's picture turned by `turn`, in groups of equal pictures; of more than `limit` groups some.
    pub(crate) fn same_pictures(&self, begun: &Begun, turn: usize, limit: usize) -> Near<'_> {
        near(&self.pictures, begun.pictures.get(turn), limit)
    }

    /// Entries whose handle goes on where the probe's ends, at most `limit`.
    pub(crate) fn continued(&self, query: &Query<'_>, limit: usize) -> Vec<Ordinal> {
        let mut ordinals = Vec::new();
        let handle = query.probe().handle.as_ref();
        if let Some(beginning) = handle.and_then(|handle| handle.truncated()) {
            self.wholes.prefix(beginning, limit, &mut ordinals);
        }
        ordinals
    }

    /// Pushes entries whose stem is near the probe's; returns how many look-ups were cut at `limit`.
    pub(crate) fn near_stems(&self, stem: &str, limit: usize, out: &mut Vec<Ordinal>) -> usize {
        self.stems.candidates(stem, limit, out)
    }

    /// Visits entries whose stem is near the probe's, each with the place of the form they have in common.
    pub(crate) fn with_stem_forms(&self, begun: &Begun, visit: impl FnMut(usize, &mut Run<'_>)) {
        self.stems.each(&begun.forms, visit);
    }

    /// Visits entries whose core stands in the probe's handle, each with the place of that part.
    pub(crate) fn within_parts(&self, begun: &Begun, visit: impl FnMut(usize, &mut Run<'_>)) {
        self.cores.each(&begun.parts, visit);
    }

    /// Entries whose text is a near copy, in groups of equal SimHashes; of more than `limit` groups some.
    pub(crate) fn near_copies(&self, begun: &Begun, limit: usize) -> Near<'_> {
        near(&self.simhashes, begun.near_copy.as_ref(), limit)
    }

    /// Entries whose handle is within `distance` of `whole` (coarse letters), contains it or is contained; for the analyst.
    pub(crate) fn near_handles(&self, whole: &str, distance: usize, limit: usize) -> Vec<Ordinal> {
        let mut ordinals = Vec::new();
        self.wholes.fuzzy(whole, distance, limit, &mut ordinals);
        self.wholes.containing(whole, limit, &mut ordinals);
        self.cores.contained_in(whole, limit, &mut ordinals);
        self.stems.candidates(whole, limit, &mut ordinals);
        ordinals
    }
}

/// What a look-up found near, in groups of equal values.
pub(crate) struct Near<'a> {
    /// Entries of each value.
    pub(crate) groups: Vec<&'a [Ordinal]>,
    /// There are more than were asked for; the groups are some of them.
    pub(crate) is_cut: bool,
}

fn near<'a, const W: usize>(
    index: &'a HammingIndex<W>,
    sought: Option<&Sought<W>>,
    limit: usize,
) -> Near<'a> {
    let mut found = Vec::new();
    let is_cut = sought.is_some_and(|sought| index.near(sought, limit, &mut found));
    Near {
        groups: found.into_iter().map(|(group, _)| group).collect(),
        is_cut,
    }
}

/// Makes `of` of every fingerprint of a range on all cores, in the order of ordinals.
fn gather_range<T: Send>(
    prints: &dyn Prints,
    range: Range<usize>,
    of: &(impl Fn(&Fingerprint<'_>, Ordinal, &mut Vec<T>) + Sync),
) -> Vec<T> {
    let stretch = |start: usize| {
        let mut made = Vec::new();
        for ordinal in start..(start + STRETCH_LEN).min(range.end) {
            let ordinal = ordinal as Ordinal;
            prints.visit(ordinal, &mut |fingerprint| {
                of(fingerprint, ordinal, &mut made);
            });
        }
        made
    };
    if range.len() <= STRETCH_LEN {
        return stretch(range.start);
    }
    let starts: Vec<usize> = range.clone().step_by(STRETCH_LEN).collect();
    let stretches: Vec<Vec<T>> = starts.into_par_iter().map(stretch).collect();
    stretches.into_iter().flatten().collect()
}

/// Makes `of` of every fingerprint.
fn gather<T: Send>(
    prints: &dyn Prints,
    of: impl Fn(&Fingerprint<'_>, Ordinal, &mut Vec<T>) + Sync,
) -> Vec<T> {
    let len = prints.len();
    let mut all = Vec::new();
    for start in (0..len).step_by(WINDOW_LEN) {
        all.extend(gather_range(
            prints,
            start..(start + WINDOW_LEN).min(len),
            &of,
        ));
    }
    all
}

fn counted(prints: &dyn Prints) -> Postings {
    let mut pairs = gather(prints, |fingerprint, ordinal, pairs| {
        let leads = fingerprint.leads().into_iter().filter(|lead| lead.counted);
        pairs.extend(leads.map(|lead| (lead.key, ordinal)));
    });
    if pairs.len() > STRETCH_LEN {
        pairs.par_sort_unstable();
    }
    Postings::build(pairs)
}

/// What [`counted`] and [`loose`] make, of fingerprints that are held: their leads are made once.
fn keys(prints: &Held<'_>) -> (Postings, Loose) {
    let (mut counted, mut loose) = (Vec::new(), Vec::new());
    let mut own: Vec<u64> = Vec::with_capacity(64);
    for ordinal in 0..prints.len() as Ordinal {
        prints.visit(ordinal, &mut |fingerprint| {
            own.clear();
            for lead in fingerprint.leads() {
                match lead.counted {
                    true => counted.push((lead.key, ordinal)),
                    false => own.push(lead.key),
                }
            }
            own.sort_unstable();
            own.dedup();
            loose.extend(own.iter().map(|key| (*key, ordinal)));
        });
    }
    let loose = Loose::build_parts(1, |_, emit| {
        loose.iter().for_each(|(key, ordinal)| emit(*key, *ordinal));
    });
    (Postings::build(counted), loose)
}

/// Keys are made again for each pass over them instead of being held.
fn loose(prints: &dyn Prints) -> Loose {
    let len = prints.len();
    Loose::build_parts(len.div_ceil(STRETCH_LEN).max(1), |part, emit| {
        let mut own: Vec<u64> = Vec::with_capacity(64);
        for ordinal in part * STRETCH_LEN..((part + 1) * STRETCH_LEN).min(len) {
            let ordinal = ordinal as Ordinal;
            let Some(fingerprint) = prints.get(ordinal) else {
                continue;
            };
            let leads = fingerprint.leads().into_iter().filter(|lead| !lead.counted);
            own.clear();
            own.extend(leads.map(|lead| lead.key));
            own.sort_unstable();
            own.dedup();
            own.iter().for_each(|key| emit(*key, ordinal));
        }
    })
}

fn stems(prints: &dyn Prints) -> Deletes {
    Deletes::build(&gather(prints, |fingerprint, ordinal, stems| {
        let handle = fingerprint.handle.as_ref();
        stems.extend(handle.map(|handle| (handle.stem().to_owned(), ordinal)));
    }))
}

fn cores(prints: &dyn Prints) -> Containment {
    Containment::build(&gather(prints, |fingerprint, ordinal, cores| {
        let core = fingerprint
            .handle
            .as_ref()
            .and_then(|handle| handle.contained());
        cores.extend(core.map(|core| (core.to_owned(), ordinal)));
    }))
}

fn wholes(prints: &dyn Prints) -> Dictionary {
    Dictionary::build(gather(prints, |fingerprint, ordinal, wholes| {
        let handle = fingerprint.handle.as_ref();
        wholes.extend(handle.map(|handle| (handle.whole().to_owned(), ordinal)));
    }))
}

fn pictures(prints: &dyn Prints) -> HammingIndex<4> {
    HammingIndex::build(gather(prints, |fingerprint, ordinal, pictures| {
        let picture = fingerprint.picture.as_ref();
        let leading = picture.filter(|picture| picture.leads());
        pictures.extend(leading.map(|picture| (picture.pdq().0, ordinal)));
    }))
}

fn simhashes(prints: &dyn Prints) -> HammingIndex<1> {
    HammingIndex::build(gather(prints, |fingerprint, ordinal, hashes| {
        let simhash = fingerprint.bio.as_ref().and_then(|bio| bio.simhash());
        hashes.extend(simhash.map(|hash| ([hash], ordinal)));
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountDraft;
    use crate::background::Background;
    use crate::hash::Secret;

    /// Names and bytes of sections.
    #[derive(Default, PartialEq)]
    struct Put(Vec<(String, Vec<u8>)>);

    impl Sections for Put {
        fn put(&mut self, name: &str, bytes: &[u8]) {
            self.0.push((name.to_owned(), bytes.to_vec()));
        }
    }

    #[test]
    fn what_is_built_of_held_fingerprints_is_what_is_written_of_those_read_again() {
        let fingerprint = |number: u32| {
            let draft = AccountDraft {
                id: format!("x:{number}"),
                handle: format!("zorvani{}_dispatch", number / 3),
                display_name: format!("Zorvani Dispatch {}", number / 2),
                bio: format!(
                    "backup of @zorvani{number}, see example.org/z{}",
                    number / 5
                ),
                ..AccountDraft::default()
            };
            let account = draft.check().unwrap();
            Fingerprint::of(&account, &Background::starter(), &Secret::new([0; 32]))
        };
        let mut prints: Vec<_> = (0..60).map(|number| Some(fingerprint(number))).collect();
        prints[17] = None;
        let prints = Held(prints);
        let (mut built, mut written) = (Put::default(), Put::default());
        let blocker = Blocker::build(&prints);
        blocker.counted.store("counted", &mut built);
        blocker.loose.store("loose", &mut built);
        blocker.stems.store("stems", &mut built);
        blocker.cores.store("cores", &mut built);
        blocker.wholes.store("wholes", &mut built);
        blocker.pictures.store("pictures", &mut built);
        blocker.simhashes.store("simhashes", &mut built);
        Blocker::write(&prints, &mut written, &|_| ());
        assert!(built == written);
        let leads = prints.get(3).unwrap().leads();
        let counted = leads.iter().find(|lead| lead.counted).unwrap();
        assert!(blocker.carriers(counted.key).contains(&3));
    }
}

//! Asks every segment for candidates, cuts what too many entries carry, and sums up what each was found by.
//!
//! Each way a candidate was met suggests some bits. Comparing seldom finds more than their sum and [`UNSOUGHT_BITS`], so
//! only candidates that may still matter are read and compared. Cuts and sums depend on the live entries alone, not
//! on how they are spread over segments: the same watchlist gives the same candidates after a merge or a restart.

use std::cmp::Reverse;

use crate::blocking::Query;
use crate::engine::carriers::carriers_of;
use crate::engine::generation::{Generation, Part};
use crate::index::{Containment, Deletes, HOT, Ordinal, Run, Sought};
use crate::score::Model;
use crate::signal::handle::Handle;
use crate::signal::relation::{Carriers, Comparison, Relation, Signal};
use crate::signal::{avatar, bio};

/// What a pair may show beyond what it was found by: words too common to lead, other words of a bio or name, the same
/// numeric tail (two to three bits a digit), the time. It is a choice, not a bound: of 500 probes at a million entries
/// none got another verdict than by comparing every entry (`benches/oracle.rs`), of 6,887 at some thousands
/// (`benches/soak.rs`) none but for caps; a tail of more than four digits beside another change may be missed on a long list.
pub(crate) const UNSOUGHT_BITS: f32 = 12.0;
/// Carriers of a picture that are counted: from here on it is as common as a default picture, however much commoner it is.
pub(crate) const PICTURES_COUNTED: usize = 4_096;
/// Entries met by near handles, and by contained ones: a probe may be written to hold a thousand handles.
const NEAR_MAX: usize = 4 * HOT;
/// Room for the meetings of most probes.
const MET_USUAL: usize = 256;
/// So many times as many entries in one part as in another are not read one by one to put both in order.
const FEW: usize = 16;
/// Rarities of stems told apart: 0 to 63 bits.
const STEM_STEPS: usize = 64;

/// An entry to compare with the probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// Which part of the generation holds it.
    pub(crate) part: u32,
    /// Where it stands there.
    pub(crate) ordinal: Ordinal,
    /// Bits suggested by what it was found by.
    pub(crate) found: f32,
}

impl Candidate {
    /// Every live entry, each as promising as can be.
    pub(crate) fn every(generation: &Generation) -> Vec<Self> {
        let of = |(part, live): (u32, &Part)| {
            let ordinals: Vec<Ordinal> = live.ordinals().collect();
            ordinals.into_iter().map(move |ordinal| Self {
                part,
                ordinal,
                found: f32::INFINITY,
            })
        };
        (0..).zip(generation.parts()).flat_map(of).collect()
    }
}

/// Candidates of all segments.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Live candidates.
    pub(crate) found: Vec<Candidate>,
    /// Carriers of the probe's picture: its key and how many live entries have it or one near it.
    pub(crate) picture: Option<(u64, Carriers)>,
    /// Look-ups that a cap cut short.
    pub(crate) cuts: u32,
}

/// A way in which candidates are met: the signal it tells of, and the bits it suggests.
#[derive(Debug, Clone, Copy)]
struct Way {
    signal: Signal,
    bits: f32,
}

/// Meetings of one part: ordinal above, way below.
type Meetings = Vec<u64>;

/// An entry of a near handle: the bits of its stem, its part and its ordinal.
type NearEntry = (usize, usize, Ordinal);

/// Gathers meetings over all parts.
struct Gathering<'a> {
    parts: &'a [Part],
    query: &'a Query<'a>,
    model: &'a Model,
    ways: Vec<Way>,
    meetings: Vec<Meetings>,
    cuts: u32,
}

impl Candidates {
    /// Entries of `generation` that may agree with the probe on anything; those found by less than `found_min` bits
    /// are left out.
    pub(crate) fn of(
        generation: &Generation,
        query: &Query<'_>,
        model: &Model,
        found_min: f32,
    ) -> Self {
        let parts = generation.parts();
        let mut gathering = Gathering {
            parts,
            query,
            model,
            ways: Vec::with_capacity(256),
            meetings: vec![Meetings::new(); parts.len()],
            cuts: 0,
        };
        gathering.counted();
        gathering.loose();
        let picture = gathering.pictures();
        gathering.handles();
        gathering.near_copies();
        Self {
            cuts: gathering.cuts,
            found: gathering.found(found_min),
            picture,
        }
    }
}

impl Gathering<'_> {
    /// Adds a way and returns its number.
    fn way(&mut self, signal: Signal, comparison: Comparison) -> u64 {
        let bits = self.model.bits(signal, comparison).max(0.0);
        self.ways.push(Way { signal, bits });
        self.ways.len() as u64 - 1
    }

    /// Meets the entries of `lists`, each with the place of its part; returns how many live. Of more than [`HOT`] only
    /// those of the smallest ids, or with `unless_hot` none: what many have by chance proposes nobody by itself.
    fn meet(&mut self, way: u64, lists: &[(usize, &[Ordinal])], unless_hot: bool) -> u32 {
        let parts = self.parts;
        let live =
            |(at, list): &(usize, &[Ordinal])| parts.get(*at).map_or(0, |part| part.live_len(list));
        let carriers: usize = lists.iter().map(live).sum();
        if carriers == 0 {
            return 0;
        }
        let is_hot = carriers > HOT;
        self.cuts += u32::from(is_hot);
        if is_hot && unless_hot {
            return carriers as u32;
        }
        let mut first: Vec<(usize, Ordinal)> = Vec::new();
        for (at, list) in lists {
            // Ordinals ascend by id within a segment, so the first of each list are its smallest.
            let part = parts.get(*at);
            let is_live = |ordinal: &&Ordinal| part.is_some_and(|part| part.is_live(**ordinal));
            let live = list.iter().filter(is_live).take(HOT);
            first.extend(live.map(|ordinal| (*at, *ordinal)));
        }
        if first.len() > HOT {
            let id =
                |(at, ordinal): &(usize, Ordinal)| parts.get(*at)?.columns().id_bytes(*ordinal);
            first.sort_unstable_by(|a, b| id(a).cmp(&id(b)));
            first.truncate(HOT);
        }
        for (at, ordinal) in first {
            if let Some(meetings) = self.meetings.get_mut(at) {
                meetings.push(meeting(ordinal, way));
            }
        }
        carriers as u32
    }

    fn counted(&mut self) {
        let (parts, query) = (self.parts, self.query);
        let mut lists: Vec<(usize, &[Ordinal])> = Vec::with_capacity(parts.len());
        for lead in query.counted() {
            let way = self.way(lead.signal, lead.comparison);
            lists.clear();
            let carriers = parts.iter().map(|part| part.blocker().carriers(lead.key));
            lists.extend(carriers.enumerate().filter(|(_, list)| !list.is_empty()));
            self.meet(way, &lists, false);
        }
    }

    /// Meets the entries of loose keys. A key with more than [`HOT`] is left out: it only proposes, and proposes too many.
    fn loose(&mut self) {
        let query = self.query;
        let first_way = self.ways.len();
        for lead in query.loose() {
            self.way(lead.signal, lead.comparison);
        }
        let mut carriers = vec![0usize; query.loose().len()];
        let mut proposed = Vec::with_capacity(MET_USUAL);
        for (at, part) in self.parts.iter().enumerate() {
            let limit = HOT + part.withdrawn_len();
            part.blocker().proposed(query, limit, |lead, ordinals| {
                let live = ordinals.iter().filter(|ordinal| part.is_live(**ordinal));
                let before = proposed.len();
                proposed.extend(live.map(|ordinal| (at, lead, *ordinal)));
                if let Some(carriers) = carriers.get_mut(lead) {
                    *carriers += proposed.len() - before;
                }
            });
        }
        self.cuts += carriers.iter().filter(|carriers| **carriers > HOT).count() as u32;
        for (at, lead, ordinal) in proposed {
            let is_hot = carriers.get(lead).is_some_and(|carriers| *carriers > HOT);
            if let Some(meetings) = self.meetings.get_mut(at).filter(|_| !is_hot) {
                meetings.push(meeting(ordinal, (first_way + lead) as u64));
            }
        }
    }

    /// Meets entries with the probe's picture, straight and turned; returns the picture's key and its carriers.
    fn pictures(&mut self) -> Option<(u64, Carriers)> {
        let (parts, query) = (self.parts, self.query);
        let picture = query.probe().picture.as_ref()?;
        let turns = query.pictures();
        let placed = (0..)
            .zip(turns)
            .map(|(turn, pdq)| (pdq, avatar::distance_max(turn)));
        let begin = |part: &Part| part.blocker().sought_pictures(placed.clone());
        let sought: Vec<Vec<Sought<4>>> = parts.iter().map(begin).collect();
        let mut counted = None;
        for turn in 0..turns.len() {
            let relation = if turn == 0 {
                Relation::Near20
            } else {
                Relation::Turned
            };
            let way = self.way(Signal::Avatar, Comparison::new(relation, picture.bits()));
            let limit = if turn == 0 { PICTURES_COUNTED } else { HOT };
            let mut lists = Vec::new();
            for (at, (part, sought)) in parts.iter().zip(&sought).enumerate() {
                let Some(sought) = sought.get(turn) else {
                    continue;
                };
                let limit = limit + withdrawn_len(part);
                let groups = part.blocker().same_pictures(sought, limit);
                lists.extend(groups.into_iter().map(|(group, _)| (at, group)));
            }
            self.meet(way, &lists, true);
            if turn == 0 {
                let mut carriers = carriers_of(parts, lists.iter().copied());
                carriers.all = carriers.all.min(PICTURES_COUNTED as u32);
                counted = Some((picture.key(), carriers));
            }
        }
        counted
    }

    /// Meets entries whose handle is near, stands inside the probe's, or goes on where it ends.
    fn handles(&mut self) {
        let query = self.query;
        let Some(handle) = &query.probe().handle else {
            return;
        };
        let forms = Deletes::forms(handle.stem());
        let near = |bits| handle.edited_once(bits);
        self.meet_forms(&near, forms.len(), |part, visit| {
            part.blocker().with_stem_forms(&forms, visit);
        });
        let parts = Containment::parts_of(handle.whole());
        self.meet_forms(&Handle::contained_once, parts.len(), |part, visit| {
            part.blocker().within_parts(&parts, visit);
        });
        self.continued(handle);
    }

    /// Meets the entries that `each` visits of every part by one of `forms_len` forms, in the `way` of their stem's rarity;
    /// of a form that more than [`HOT`] live entries share, over all parts, those of the smallest ids, and of all
    /// together the [`NEAR_MAX`] of the rarest stems.
    fn meet_forms(
        &mut self,
        way: &dyn Fn(f32) -> Comparison,
        forms_len: usize,
        each: impl Fn(&Part, &mut dyn FnMut(usize, &mut Run<'_>)),
    ) {
        let parts = self.parts;
        let mut carriers = vec![0usize; forms_len];
        // Part, ordinal and form in one number: an entry meets the probe in many forms, and is taken once.
        let mut found: Vec<u64> = Vec::with_capacity(MET_USUAL);
        for (at, part) in (0u64..).zip(parts) {
            each(part, &mut |form, run| {
                let live = run.filter(|ordinal| part.is_live(*ordinal)).take(HOT + 1);
                let before = found.len();
                found.extend(live.map(|ordinal| at << 48 | u64::from(ordinal) << 16 | form as u64));
                if let Some(carriers) = carriers.get_mut(form) {
                    *carriers += found.len() - before;
                }
            });
        }
        found.sort_unstable();
        self.cuts += carriers.iter().filter(|carriers| **carriers > HOT).count() as u32;
        let mut met = self.uncut(&found, &mut carriers);
        if met.len() > NEAR_MAX {
            self.cuts += 1;
            self.keep_rarest(&mut met);
        }
        let mut ways = [None; STEM_STEPS];
        for (bits, at, ordinal) in met {
            let Some(slot) = ways.get_mut(bits) else {
                continue;
            };
            let way = *slot.get_or_insert_with(|| self.way(Signal::Handle, way(bits as f32)));
            if let Some(meetings) = self.meetings.get_mut(at) {
                meetings.push(meeting(ordinal, way));
            }
        }
    }

    /// The entries of `found` but those met only in forms that others of smaller ids have used up; `carriers` tells how
    /// many each form has, and is spent. Ids are read only of entries with a form that is cut.
    fn uncut(&self, found: &[u64], carriers: &mut [usize]) -> Vec<NearEntry> {
        let parts = self.parts;
        let place = |entry: &&[u64]| {
            let first = entry.first().copied().unwrap_or_default();
            ((first >> 48) as usize, (first >> 16) as Ordinal)
        };
        let is_hot = |form: &u64| {
            let carriers = carriers.get((form & 0xffff) as usize);
            carriers.is_some_and(|carriers| *carriers > HOT)
        };
        let near = |entry: &&[u64]| {
            let (at, ordinal) = place(entry);
            let bits = parts.get(at)?.columns().stem_bits(ordinal) as usize;
            Some((bits.min(STEM_STEPS - 1), at, ordinal))
        };
        let entries = found.chunk_by(|a, b| a >> 16 == b >> 16);
        if carriers.iter().all(|carriers| *carriers <= HOT) {
            return entries.filter_map(|entry| near(&entry)).collect();
        }
        let (hot, mut met): (Vec<&[u64]>, Vec<&[u64]>) =
            entries.partition(|entry| entry.iter().any(is_hot));
        // What is left of each hot form; the others are enough for all.
        for left in carriers.iter_mut() {
            *left = if *left > HOT { HOT } else { usize::MAX };
        }
        met.extend(by_id(parts, &hot, place).into_iter().filter(|entry| {
            let mut is_met = false;
            for found in entry.iter() {
                let form = (found & 0xffff) as usize;
                if let Some(left) = carriers.get_mut(form).filter(|left| **left > 0) {
                    *left -= 1;
                    is_met = true;
                }
            }
            is_met
        }));
        met.iter().filter_map(near).collect()
    }

    /// Leaves the [`NEAR_MAX`] of the rarest stems, of equally rare ones those of the smallest ids.
    fn keep_rarest(&self, met: &mut Vec<NearEntry>) {
        met.sort_unstable_by_key(|(bits, at, ordinal)| (Reverse(*bits), *at, *ordinal));
        let last = met.get(NEAR_MAX - 1).map_or(0, |(bits, _, _)| *bits);
        let start = met.partition_point(|(bits, _, _)| *bits > last);
        let end = met.partition_point(|(bits, _, _)| *bits >= last);
        let equals = met.get(start..end).unwrap_or_default();
        let equals = by_id(self.parts, equals, |(_, at, ordinal)| (*at, *ordinal));
        met.truncate(start);
        met.extend(equals);
        met.truncate(NEAR_MAX);
    }

    /// Meets entries whose handle goes on where the probe's ends, unless more than [`HOT`] do: a beginning so common
    /// says nothing, and which of them come first would depend on the segments.
    fn continued(&mut self, handle: &Handle<'_>) {
        let query = self.query;
        let continued = |part: &Part| {
            let limit = HOT + 1 + part.withdrawn_len();
            let mut ordinals = part.blocker().continued(query, limit);
            ordinals.retain(|ordinal| part.is_live(*ordinal));
            ordinals
        };
        let found: Vec<Vec<Ordinal>> = self.parts.iter().map(continued).collect();
        let carriers: usize = found.iter().map(Vec::len).sum();
        if carriers > HOT {
            self.cuts += 1;
        } else if carriers > 0 {
            let truncated = Comparison::new(Relation::Truncated, handle.stem_bits());
            let way = self.way(Signal::Handle, truncated);
            for (meetings, ordinals) in self.meetings.iter_mut().zip(found) {
                meetings.extend(ordinals.into_iter().map(|ordinal| meeting(ordinal, way)));
            }
        }
    }

    /// Meets entries whose bio is a near copy.
    fn near_copies(&mut self) {
        let (parts, query) = (self.parts, self.query);
        let bio = query.probe().bio.as_ref();
        let Some((bio, simhash)) = bio.and_then(|bio| Some((bio, bio.simhash()?))) else {
            return;
        };
        let way = self.way(Signal::Bio, bio.near_copy());
        let mut lists = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let limit = HOT + withdrawn_len(part);
            let groups = part.blocker().near_copies(simhash, limit);
            lists.extend(groups.into_iter().map(|(group, _)| (at, group)));
        }
        self.meet(way, &lists, true);
    }

    /// Sums up by entry what its meetings suggest.
    fn found(self, found_min: f32) -> Vec<Candidate> {
        let bio_max = self.model.most(Signal::Bio, Relation::MostWords);
        let mut candidates = Vec::new();
        for (at, (part, mut meetings)) in (0u32..).zip(self.parts.iter().zip(self.meetings)) {
            meetings.sort_unstable();
            for met in meetings.chunk_by(|a, b| a >> 32 == b >> 32) {
                let Some(ordinal) = met.first().map(|meeting| (meeting >> 32) as Ordinal) else {
                    continue;
                };
                let ways = met
                    .iter()
                    .filter_map(|meeting| self.ways.get((meeting & 0xffff_ffff) as usize));
                let found = suggested(ways, bio_max);
                if found >= found_min && part.is_live(ordinal) {
                    candidates.push(Candidate {
                        part: at,
                        ordinal,
                        found,
                    });
                }
            }
        }
        candidates
    }
}

/// `entries`, which ascend within each part and stand part by part, in the order of their ids over all parts.
fn by_id<T: Copy>(parts: &[Part], entries: &[T], place: impl Fn(&T) -> (usize, Ordinal)) -> Vec<T> {
    let id = |entry: &T| {
        let (at, ordinal) = place(entry);
        parts.get(at)?.columns().id_bytes(ordinal)
    };
    let mut merged: Vec<T> = Vec::new();
    for run in entries.chunk_by(|a, b| place(a).0 == place(b).0) {
        let (few, many) = match run.len() < merged.len() {
            true => (run, merged.as_slice()),
            false => (merged.as_slice(), run),
        };
        let mut both = Vec::with_capacity(few.len() + many.len());
        if few.len() * FEW > many.len() {
            both.extend(few.iter().chain(many));
            both.sort_by(|a, b| id(a).cmp(&id(b)));
        } else {
            // Ids lie all over the memory: where few meet many, most need not be read.
            let mut rest = many;
            for entry in few {
                let own = id(entry);
                let before = rest.partition_point(|other| id(other) < own);
                let (smaller, larger) = rest.split_at(before);
                both.extend_from_slice(smaller);
                both.push(*entry);
                rest = larger;
            }
            both.extend_from_slice(rest);
        }
        merged = both;
    }
    merged
}

/// How many more values are looked at for those that may be withdrawn.
fn withdrawn_len(part: &Part) -> usize {
    part.withdrawn_len().min(PICTURES_COUNTED)
}

fn meeting(ordinal: Ordinal, way: u64) -> u64 {
    u64::from(ordinal) << 32 | way
}

/// The best way of each signal, summed; pairs of words add up to the words of a bio they stand for, to `bio_max` bits.
fn suggested<'w>(ways: impl Iterator<Item = &'w Way>, bio_max: f32) -> f32 {
    let mut best = [0.0f32; Signal::ALL.len()];
    let mut bio_pairs = 0u32;
    for way in ways {
        if let Some(slot) = best.get_mut(way.signal as usize) {
            *slot = slot.max(way.bits);
        }
        bio_pairs += u32::from(way.signal == Signal::Bio);
    }
    if let Some(bits) = best.get_mut(Signal::Bio as usize) {
        *bits = (*bits * bio::words_of_pairs(bio_pairs) / 2.0).min(bio_max.max(*bits));
    }
    best.iter().sum()
}

//! Asks every segment for candidates, cuts what too many entries carry, and sums up what each was found by.
//!
//! Each way a candidate was met suggests some bits. Comparing seldom finds more than their sum and [`UNSOUGHT_BITS`], so
//! only candidates that may still matter are read and compared. What many carry proposes none of them, but tells of those
//! that something else has met (`crowded`). Cuts and sums depend on the live entries alone, not
//! on how they are spread over segments: the same watchlist gives the same candidates after a merge or a restart.

use crate::account::Account;
use crate::blocking::{Begun, Query};
use crate::engine::carriers::carriers_of;
use crate::engine::generation::{Generation, Part};
use crate::index::{HOT, Ordinal, order_from_bit};
use crate::score::Model;
use crate::signal::avatar::Picture;
use crate::signal::bio;
use crate::signal::crowd::{Carriers, Crowd};
use crate::signal::relation::{Comparison, Relation, Signal};

/// What a pair may show beyond what it was found by: words too common to lead, other words of a bio or name, a value that
/// thousands carry, the time. It is a choice, not a bound; benches/README.md says what it costs.
pub(crate) const UNSOUGHT_BITS: f32 = 10.0;
/// Carriers up to which a value that tells more than [`UNSOUGHT_BITS`] adds to what else has met them. Of more it tells,
/// at ten million entries, hardly more than that.
const CROWDED_MAX: usize = 1_024;
/// Carriers of a picture that are counted: from here on it is as common as a default picture, however much commoner it is.
pub(crate) const PICTURES_COUNTED: usize = 4_096;
/// Room for the meetings of most probes.
pub(super) const MET_USUAL: usize = 256;
/// Room for what loose keys propose to most probes.
const PROPOSED_USUAL: usize = 1_024;
/// Low bits of a meeting that hold the number of its way.
const WAY_BITS: u32 = 32;

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
pub(super) struct Way {
    pub(super) signal: Signal,
    bits: f32,
    pub(super) weight: Weight,
}

/// What it means for an entry to be met in some way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It is a candidate.
    Proposes,
    /// It is one if another signal has met it as well.
    Adds,
    /// Nothing: too many are met like that.
    LeftOut,
}

impl Way {
    /// Carriers from which on a value is left out.
    fn carriers_max(&self) -> usize {
        match self.bits > UNSOUGHT_BITS {
            true => CROWDED_MAX,
            false => HOT,
        }
    }

    /// What it weighs to be met by a value of so many carriers.
    fn weight_of(&self, carriers: usize) -> Weight {
        if carriers <= HOT {
            Weight::Proposes
        } else if carriers <= self.carriers_max() {
            Weight::Adds
        } else {
            Weight::LeftOut
        }
    }
}

/// Meetings of one part: ordinal above, way below.
pub(super) type Meetings = Vec<u64>;

/// Gathers meetings over all parts.
pub(super) struct Gathering<'a> {
    pub(super) parts: &'a [Part],
    pub(super) query: &'a Query<'a>,
    /// The query's look-ups in each part.
    pub(super) begun: Vec<Begun>,
    model: &'a Model,
    pub(super) ways: Vec<Way>,
    pub(super) meetings: Vec<Meetings>,
    /// Meetings by values that more than [`HOT`] carry.
    pub(super) crowded: Vec<Meetings>,
    pub(super) cuts: u32,
}

impl Candidates {
    /// Entries of `generation` that may agree with the probe on anything; those found by less than `found_min` bits
    /// are left out. Of those found by `compared_min` the place of the fingerprint is asked for.
    pub(crate) fn of(
        generation: &Generation,
        query: &Query<'_>,
        model: &Model,
        found_min: f32,
        compared_min: f32,
    ) -> Self {
        let parts = generation.parts();
        parts.iter().for_each(|part| part.blocker().ahead(query));
        let begin = |part: &Part| part.blocker().begin(query);
        let room = |part: &Part| Meetings::with_capacity(PROPOSED_USUAL.min(part.columns().len()));
        let mut gathering = Gathering {
            parts,
            query,
            begun: parts.iter().map(begin).collect(),
            model,
            ways: Vec::with_capacity(256),
            meetings: parts.iter().map(room).collect(),
            crowded: vec![Meetings::new(); parts.len()],
            cuts: 0,
        };
        gathering.counted();
        gathering.loose();
        for (part, begun) in parts.iter().zip(&mut gathering.begun) {
            part.blocker().scan(begun);
        }
        gathering.near_handles();
        for (part, begun) in parts.iter().zip(&mut gathering.begun) {
            part.blocker().fetch(begun);
        }
        gathering.further_handles();
        gathering.near_copies();
        let picture = gathering.pictures();
        gathering.meet_crowded();
        Self {
            cuts: gathering.cuts,
            found: gathering.found(found_min, compared_min),
            picture,
        }
    }
}

/// Asks for where in `generation` stands what the account's picture is looked up by: before the fingerprint is made, since
/// that reads little from memory.
pub(crate) fn pictures_ahead(generation: &Generation, account: &Account) {
    if let Some(turned) = account.avatar.as_ref().and_then(Picture::turned_of) {
        let parts = generation.parts().iter();
        parts.for_each(|part| part.blocker().pictures_ahead(&turned));
    }
}

impl Gathering<'_> {
    /// Adds a way and returns its number.
    pub(super) fn way(&mut self, signal: Signal, comparison: Comparison) -> u64 {
        let bits = self.model.bits(signal, comparison).max(0.0);
        self.add(Way {
            signal,
            bits,
            weight: Weight::Proposes,
        })
    }

    fn add(&mut self, way: Way) -> u64 {
        self.ways.push(way);
        self.ways.len() as u64 - 1
    }

    /// Meets the entries of `lists`, each with the place of its part; returns how many live. Of more than [`HOT`] only
    /// those of the smallest ids, or with `unless_hot` none: what many have by chance proposes nobody by itself. The others
    /// are crowded.
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
        let adding = self.ways.get(way as usize).map(|way| Way {
            weight: way.weight_of(carriers),
            ..*way
        });
        if let Some(adding) = adding.filter(|way| way.weight == Weight::Adds) {
            let way = self.add(adding);
            for (at, list) in lists {
                if let Some((part, crowded)) = parts.get(*at).zip(self.crowded.get_mut(*at)) {
                    let live = list.iter().filter(|ordinal| part.is_live(**ordinal));
                    crowded.extend(live.map(|ordinal| meeting(*ordinal, way)));
                }
            }
        }
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

    /// Meets the entries of loose keys; those of a key with more than [`HOT`] are crowded.
    fn loose(&mut self) {
        let query = self.query;
        let first_way = self.ways.len();
        for lead in query.loose() {
            self.way(lead.signal, lead.comparison);
        }
        let ways = self.ways.get_mut(first_way..).unwrap_or_default();
        let mut carriers = vec![0usize; ways.len()];
        let parts = self.parts.iter().zip(&self.begun);
        let met = self.meetings.iter_mut().zip(&mut self.crowded);
        for ((part, begun), (meetings, crowded)) in parts.zip(met) {
            part.blocker().proposed(begun, |lead, found| {
                let Some((way, carriers)) = ways.get(lead).zip(carriers.get_mut(lead)) else {
                    return;
                };
                if found.is_longer(way.carriers_max() + part.withdrawn_len()) {
                    *carriers = usize::MAX;
                    return;
                }
                let number = (first_way + lead) as u64;
                let before = meetings.len();
                let live = found.filter(|ordinal| part.is_live(*ordinal));
                meetings.extend(live.map(|ordinal| meeting(ordinal, number)));
                let len = meetings.len() - before;
                if len > HOT {
                    crowded.extend(meetings.drain(before..));
                }
                *carriers = carriers.saturating_add(len);
            });
        }
        for (way, carriers) in ways.iter_mut().zip(carriers) {
            way.weight = way.weight_of(carriers);
            self.cuts += u32::from(carriers > HOT);
        }
        if self.parts.len() > 1 {
            self.set_aside(first_way);
        }
    }

    /// Sets aside what was met in one part by values that are hot over all, by ways from `first_way` on.
    fn set_aside(&mut self, first_way: usize) {
        let ways = &self.ways;
        let is_hot = |met: &mut u64| {
            let at = way_of(*met);
            let way = ways.get(at).filter(|_| at >= first_way);
            way.is_some_and(|way| way.weight != Weight::Proposes)
        };
        for (meetings, crowded) in self.meetings.iter_mut().zip(&mut self.crowded) {
            crowded.extend(meetings.extract_if(.., is_hot));
        }
    }

    /// Meets entries with the probe's picture, straight and turned; returns the picture's key and its carriers.
    fn pictures(&mut self) -> Option<(u64, Carriers)> {
        let (parts, query) = (self.parts, self.query);
        let picture = query.probe().picture.as_ref()?;
        let mut counted = None;
        for turn in 0..query.pictures().len() {
            let relation = if turn == 0 {
                Relation::Near20
            } else {
                Relation::Turned
            };
            let way = self.way(Signal::Avatar, Comparison::new(relation, picture.bits()));
            let limit = if turn == 0 {
                PICTURES_COUNTED
            } else {
                CROWDED_MAX
            };
            let mut lists = Vec::new();
            for (at, (part, begun)) in parts.iter().zip(&self.begun).enumerate() {
                let limit = limit + withdrawn_len(part);
                let groups = part.blocker().same_pictures(begun, turn, limit);
                lists.extend(groups.into_iter().map(|(group, _)| (at, group)));
            }
            self.meet(way, &lists, true);
            if turn == 0 {
                let mut carriers = carriers_of(parts, lists.iter().copied(), Crowd::CARRIERS_MIN);
                carriers.all = carriers.all.min(PICTURES_COUNTED as u32);
                counted = Some((picture.key(), carriers));
            }
        }
        counted
    }

    /// Meets entries whose bio is a near copy.
    fn near_copies(&mut self) {
        let (parts, query) = (self.parts, self.query);
        let bio = query.probe().bio.as_ref();
        let Some(bio) = bio.filter(|bio| bio.simhash().is_some()) else {
            return;
        };
        let way = self.way(Signal::Bio, bio.near_copy());
        let mut lists = Vec::new();
        for (at, (part, begun)) in parts.iter().zip(&self.begun).enumerate() {
            let limit = CROWDED_MAX + withdrawn_len(part);
            let groups = part.blocker().near_copies(begun, limit);
            lists.extend(groups.into_iter().map(|(group, _)| (at, group)));
        }
        self.meet(way, &lists, true);
    }

    /// Sums up by entry what its meetings suggest.
    fn found(self, found_min: f32, compared_min: f32) -> Vec<Candidate> {
        let bio_max = self.model.most(Signal::Bio, Relation::MostWords);
        let mut candidates = Vec::new();
        for (at, (part, mut meetings)) in (0u32..).zip(self.parts.iter().zip(self.meetings)) {
            order_from_bit(&mut meetings, WAY_BITS);
            for met in meetings.chunk_by(|a, b| a >> WAY_BITS == b >> WAY_BITS) {
                let Some(ordinal) = met.first().map(|meeting| entry_of(*meeting)) else {
                    continue;
                };
                let ways = met.iter();
                let ways = ways.filter_map(|meeting| self.ways.get(way_of(*meeting)));
                let Some(found) = suggested(ways, bio_max) else {
                    continue;
                };
                if found >= found_min && part.is_live(ordinal) {
                    candidates.push(Candidate {
                        part: at,
                        ordinal,
                        found,
                    });
                }
            }
        }
        // All in a row: where each stands is found together.
        for candidate in candidates.iter().filter(|met| met.found >= compared_min) {
            if let Some(part) = self.parts.get(candidate.part as usize) {
                part.columns().place_ahead(candidate.ordinal);
            }
        }
        candidates
    }
}

/// How many more values are looked at for those that may be withdrawn.
fn withdrawn_len(part: &Part) -> usize {
    part.withdrawn_len().min(PICTURES_COUNTED)
}

pub(super) fn meeting(ordinal: Ordinal, way: u64) -> u64 {
    u64::from(ordinal) << WAY_BITS | way
}

/// The entry of a meeting.
pub(super) fn entry_of(meeting: u64) -> Ordinal {
    (meeting >> WAY_BITS) as Ordinal
}

/// Number of the way of a meeting.
pub(super) fn way_of(meeting: u64) -> usize {
    (meeting & ((1 << WAY_BITS) - 1)) as usize
}

/// The best way of each signal, summed; pairs of words add up to the words of a bio they stand for, to `bio_max` bits. `None`
/// where nothing but crowded values of one signal was met.
fn suggested<'w>(ways: impl Iterator<Item = &'w Way>, bio_max: f32) -> Option<f32> {
    let mut best = [0.0f32; Signal::ALL.len()];
    let (mut bio_pairs, mut signals, mut is_proposed) = (0u32, 0u32, false);
    for way in ways {
        is_proposed |= way.weight == Weight::Proposes;
        signals |= 1 << way.signal as u32;
        if let Some(slot) = best.get_mut(way.signal as usize) {
            *slot = slot.max(way.bits);
        }
        bio_pairs += u32::from(way.signal == Signal::Bio);
    }
    if let Some(bits) = best.get_mut(Signal::Bio as usize) {
        *bits = (*bits * bio::words_of_pairs(bio_pairs) / 2.0).min(bio_max.max(*bits));
    }
    (is_proposed || signals.count_ones() > 1).then(|| best.iter().sum())
}

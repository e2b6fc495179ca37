//! Asks every segment for candidates, cuts what too many entries carry, and sums up what each was found by.
//!
//! Each way a candidate was met suggests some bits. Comparing seldom finds more than their sum and [`UNSOUGHT_BITS`], so
//! only candidates that may still matter are read and compared. Cuts and sums depend on the live entries alone, not
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

/// What a pair may show beyond what it was found by: words too common to lead, other words of a bio or name, the same
/// numeric tail (two to three bits a digit), the time. It is a choice, not a bound: of 2,312 probes at a million
/// entries none got another verdict than by comparing every entry (`benches/oracle.rs`), of 6,887 at some thousands
/// (`benches/soak.rs`) none but for caps; of 200 at ten million two missed a weak review, since more of their values were too
/// common to lead. A long tail that came along beside a change other than an edit or words around it may be missed as well.
pub(crate) const UNSOUGHT_BITS: f32 = 12.0;
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
struct Way {
    signal: Signal,
    bits: f32,
}

/// Meetings of one part: ordinal above, way below.
type Meetings = Vec<u64>;

/// Gathers meetings over all parts.
pub(super) struct Gathering<'a> {
    pub(super) parts: &'a [Part],
    pub(super) query: &'a Query<'a>,
    /// The query's look-ups in each part.
    pub(super) begun: Vec<Begun>,
    model: &'a Model,
    ways: Vec<Way>,
    pub(super) meetings: Vec<Meetings>,
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
        let parts = self.parts.iter().zip(&self.begun);
        for ((part, begun), meetings) in parts.zip(&mut self.meetings) {
            let limit = HOT + part.withdrawn_len();
            part.blocker().proposed(begun, limit, |lead, found| {
                let way = (first_way + lead) as u64;
                let before = meetings.len();
                let live = found.filter(|ordinal| part.is_live(*ordinal));
                meetings.extend(live.map(|ordinal| meeting(ordinal, way)));
                let len = meetings.len() - before;
                if len > HOT {
                    // Left out whatever other parts hold.
                    meetings.truncate(before);
                }
                if let Some(carriers) = carriers.get_mut(lead) {
                    *carriers += len;
                }
            });
        }
        let is_hot: Vec<bool> = carriers.iter().map(|carriers| *carriers > HOT).collect();
        let cuts = is_hot.iter().filter(|is_hot| **is_hot).count() as u32;
        self.cuts += cuts;
        if cuts > 0 && self.parts.len() > 1 {
            let lead_of = |meeting: u64| way_of(meeting).checked_sub(first_way);
            let is_of_hot =
                |meeting: u64| lead_of(meeting).is_some_and(|lead| is_hot.get(lead) == Some(&true));
            for meetings in &mut self.meetings {
                meetings.retain(|meeting| !is_of_hot(*meeting));
            }
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
            let limit = if turn == 0 { PICTURES_COUNTED } else { HOT };
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
            let limit = HOT + withdrawn_len(part);
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
                let Some(ordinal) = met.first().map(|meeting| (meeting >> WAY_BITS) as Ordinal)
                else {
                    continue;
                };
                let ways = met.iter();
                let ways = ways.filter_map(|meeting| self.ways.get(way_of(*meeting)));
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

/// Number of the way of a meeting.
fn way_of(meeting: u64) -> usize {
    (meeting & ((1 << WAY_BITS) - 1)) as usize
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

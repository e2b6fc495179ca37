//! Asks every segment for candidates, cuts what too many entries carry, and sums up what each was found by.
//!
//! Each way a candidate was met suggests some bits. Comparing seldom finds more than their sum and [`UNSOUGHT_BITS`], so
//! only candidates that may still matter are read and compared. What many carry proposes none of them, but tells of those
//! that something else has met (`crowded`). Cuts and sums depend on the live entries alone, not
//! on how they are spread over segments: the same watchlist gives the same candidates after a merge or a restart.

use crate::account::Account;
use crate::blocking::{Begun, Query};
use crate::engine::generation::{Generation, Part};
use crate::engine::ways::{Meetings, Role, Suggested, WAY_BITS, Way, entry_of, meeting, way_of};
use crate::index::{HOT, Ordinal, order_from_bit};
use crate::score::Model;
use crate::signal::avatar::Picture;
use crate::signal::crowd::Carriers;
use crate::signal::relation::{Comparison, Relation, Signal};

/// What a pair may show beyond what it was found by: words too common to lead, other words of a bio or name, a value that
/// thousands carry, a long number that came along where words are swapped or only sounds agree, the time. It is a choice, not a
/// bound: benches/README.md ("Speed", "Exactness") says how often it was passed.
pub(crate) const UNSOUGHT_BITS: f32 = 10.0;
/// Carriers up to which a value that tells more than [`UNSOUGHT_BITS`], or a pair of a bio's words, adds to what else has met
/// them: at ten million entries a name, picture or text of more tells three bits more than these at most. Of a link or token of
/// more, the first of each alone are met.
pub(super) const CROWDED_MAX: usize = 1_024;
/// Meetings by such values; those of further values are left out.
const CROWDED_SUM_MAX: usize = 48 * CROWDED_MAX;
/// Candidates that nothing but such values has met: a fleet may share all of them.
const ADDED_MAX: usize = 4 * HOT;
/// Room for the meetings of most probes.
pub(super) const MET_USUAL: usize = 256;
/// Room for what loose keys propose to most probes.
const PROPOSED_USUAL: usize = 1_024;

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
    /// How many more of these there may be, over all parts.
    crowded_left: usize,
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
            crowded_left: CROWDED_SUM_MAX,
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
            found: gathering.found(found_min, compared_min),
            cuts: gathering.cuts,
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
        self.add(Way::new(signal, bits))
    }

    fn add(&mut self, way: Way) -> u64 {
        self.ways.push(way);
        self.ways.len() as u64 - 1
    }

    /// Meets the entries of `lists`, each with the place of its part; returns how many live. Of more than [`HOT`] only
    /// those of the smallest ids, or with `unless_hot` none: what many have by chance proposes nobody by itself. The others
    /// are crowded.
    pub(super) fn meet(
        &mut self,
        way: u64,
        lists: &[(usize, &[Ordinal])],
        unless_hot: bool,
    ) -> u32 {
        let parts = self.parts;
        let live =
            |(at, list): &(usize, &[Ordinal])| parts.get(*at).map_or(0, |part| part.live_len(list));
        let carriers: usize = lists.iter().map(live).sum();
        if carriers == 0 {
            return 0;
        }
        let is_hot = carriers > HOT;
        self.cuts += u32::from(is_hot);
        let mut first: Vec<(usize, Ordinal)> = Vec::new();
        if !is_hot || !unless_hot {
            first = self.first_of_lists(lists);
        }
        if is_hot {
            self.crowd(way, lists, carriers, &first);
        }
        for (at, ordinal) in first {
            if let Some(meetings) = self.meetings.get_mut(at) {
                meetings.push(meeting(ordinal, way));
            }
        }
        carriers as u32
    }

    /// The [`HOT`] live entries of the smallest ids.
    fn first_of_lists(&self, lists: &[(usize, &[Ordinal])]) -> Vec<(usize, Ordinal)> {
        let parts = self.parts;
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
        first
    }

    /// Notes the live `carriers` of a hot value but for the `first`, which are met, unless they are too many.
    fn crowd(
        &mut self,
        way: u64,
        lists: &[(usize, &[Ordinal])],
        carriers: usize,
        first: &[(usize, Ordinal)],
    ) {
        let Some(mut crowded) = self.ways.get(way as usize).copied() else {
            return;
        };
        crowded.role = crowded.role_of(carriers, &mut self.crowded_left);
        if crowded.role != Role::Adds {
            return;
        }
        let way = self.add(crowded);
        for (at, list) in lists {
            if let Some((part, crowded)) = self.parts.get(*at).zip(self.crowded.get_mut(*at)) {
                // The first of each list are its smallest ids.
                let met = first.iter().filter(|(met_at, _)| met_at == at).count();
                let live = list.iter().filter(|ordinal| part.is_live(**ordinal));
                crowded.extend(live.skip(met).map(|ordinal| meeting(*ordinal, way)));
            }
        }
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
                let carriers_max = way.carriers_max();
                if *carriers > carriers_max || found.is_longer(carriers_max + part.withdrawn_len())
                {
                    *carriers = usize::MAX;
                    return;
                }
                let number = (first_way + lead) as u64;
                let is_crowded = found.is_longer(HOT + part.withdrawn_len());
                let (into, other) = match is_crowded {
                    true => (&mut *crowded, &mut *meetings),
                    false => (&mut *meetings, &mut *crowded),
                };
                let before = into.len();
                let live = found.filter(|ordinal| part.is_live(*ordinal));
                // One more is enough to know that they are too many, however many are withdrawn.
                let live = live.take(carriers_max + 1 - *carriers);
                into.extend(live.map(|ordinal| meeting(ordinal, number)));
                let len = into.len() - before;
                if (len > HOT) != is_crowded {
                    other.extend(into.drain(before..));
                }
                *carriers = carriers.saturating_add(len);
            });
        }
        for (way, carriers) in ways.iter_mut().zip(carriers) {
            way.role = way.role_of(carriers, &mut self.crowded_left);
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
            way.is_some_and(|way| way.role != Role::Proposes)
        };
        for (meetings, crowded) in self.meetings.iter_mut().zip(&mut self.crowded) {
            crowded.extend(meetings.extract_if(.., is_hot));
        }
    }

    /// Sums up by entry what its meetings suggest.
    fn found(&mut self, found_min: f32, compared_min: f32) -> Vec<Candidate> {
        let bio_max = self.model.most(Signal::Bio, Relation::MostWords);
        let (mut candidates, mut added) = (Vec::new(), Vec::new());
        for (at, (part, meetings)) in (0u32..).zip(self.parts.iter().zip(&mut self.meetings)) {
            order_from_bit(meetings, WAY_BITS);
            for met in meetings.chunk_by(|a, b| a >> WAY_BITS == b >> WAY_BITS) {
                let Some(ordinal) = met.first().map(|meeting| entry_of(*meeting)) else {
                    continue;
                };
                let ways = met.iter();
                let ways = ways.filter_map(|meeting| self.ways.get(way_of(*meeting)));
                let Some(met) = Suggested::by(ways, bio_max) else {
                    continue;
                };
                if met.bits >= found_min && part.is_live(ordinal) {
                    let of_kind = match met.is_proposed {
                        true => &mut candidates,
                        false => &mut added,
                    };
                    of_kind.push(Candidate {
                        part: at,
                        ordinal,
                        found: met.bits,
                    });
                }
            }
        }
        if !added.is_empty() {
            self.cuts += u32::from(keep_best(self.parts, &mut added));
            candidates.extend(added);
            candidates.sort_unstable_by_key(|met| (met.part, met.ordinal));
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

/// Leaves the [`ADDED_MAX`] candidates that were found by most, of equal ones those of the smallest ids; says whether there
/// were more.
fn keep_best(parts: &[Part], candidates: &mut Vec<Candidate>) -> bool {
    let id = |met: &Candidate| {
        parts
            .get(met.part as usize)?
            .columns()
            .id_bytes(met.ordinal)
    };
    let is_cut = candidates.len() > ADDED_MAX;
    if is_cut {
        candidates.sort_unstable_by(|a, b| {
            let by_found = b.found.total_cmp(&a.found);
            by_found.then_with(|| id(a).cmp(&id(b)))
        });
        candidates.truncate(ADDED_MAX);
    }
    is_cut
}

//! Which entries have a handle near the probe's, one inside it, or one that goes on where it ends?
//!
//! Shortened forms say how near a handle may be without its being read: what only forms without two letters find is two edits
//! away. Of what too many share, those of the smallest ids over all segments count, so that the same entries are met
//! however they are spread.

use std::cmp::Reverse;

use crate::blocking::Begun;
use crate::engine::candidates::{Gathering, MET_USUAL};
use crate::engine::generation::Part;
use crate::engine::ways::meeting;
use crate::index::{Forms, HOT, Ordinal, Run, order_from_bit};
use crate::signal::handle::{Handle, NumberHint, NumbersAsked};
use crate::signal::packed::steps;
use crate::signal::relation::{Comparison, Relation, Signal};

/// Entries met by near handles, and by contained ones: a probe may be written to hold a thousand handles.
const NEAR_MAX: usize = 4 * HOT;
/// So many times as many entries in one part as in another are not read one by one to put both in order.
const FEW: usize = 16;
/// Rarities of stems told apart: 0 to 63 bits.
const STEM_STEPS: usize = 64;
/// Kinds of nearness to equally rare stems: by one edit or two, and by what the number may be.
const NEAR_KINDS: usize = 2 * NumberHint::ALL.len();
/// Low bits of a find that hold the place of its form; the ordinal is above them.
const FORM_BITS: u32 = 16;
/// Where the number of its part stands in a find.
const PART_SHIFT: u32 = 48;

/// An entry of a near handle: how near it is, its part and its ordinal.
type NearEntry = (Nearness, usize, Ordinal);

/// What bounds what a near handle tells: the rarer the stem the more, of equally rare ones more for one edit than for two, and
/// more for the probe's number than for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Nearness {
    stem_bits: u8,
    is_once: bool,
    number: NumberHint,
}

/// What a table holds of each kind of nearness.
type ByNearness<T> = [[T; NEAR_KINDS]; STEM_STEPS];

impl Nearness {
    fn every() -> impl Iterator<Item = Self> {
        let once = [false, true].into_iter();
        let kinds = once.flat_map(|is_once| NumberHint::ALL.map(|number| (is_once, number)));
        kinds.flat_map(|(is_once, number)| {
            (0..STEM_STEPS as u8).map(move |stem_bits| Self {
                stem_bits,
                is_once,
                number,
            })
        })
    }

    /// What a table holds of it.
    fn of<T>(self, table: &mut ByNearness<T>) -> Option<&mut T> {
        let slots = table.get_mut(usize::from(self.stem_bits))?;
        slots.get_mut(2 * self.number as usize + usize::from(self.is_once))
    }
}

/// How an entry is looked for: by forms, of which each has a place.
struct Sought<'a> {
    /// Number of the forms.
    len: usize,
    /// What is known of the forms of near handles; contained ones are one step away.
    forms: Option<&'a Forms>,
    /// What an entry so near suggests, but for its number.
    suggests: &'a dyn Fn(Nearness) -> Comparison,
    numbers: &'a NumbersAsked,
}

impl Sought<'_> {
    /// What an entry so near suggests.
    fn met(&self, near: Nearness) -> Comparison {
        self.numbers.with((self.suggests)(near), near.number)
    }
}

/// Place of the form of a meeting.
fn form_of(found: &u64) -> usize {
    (found & ((1 << FORM_BITS) - 1)) as usize
}

impl Gathering<'_> {
    /// Meets entries whose handle is near.
    pub(super) fn near_handles(&mut self) {
        let query = self.query;
        let handle = query.probe().handle.as_ref();
        let Some(((handle, forms), numbers)) = handle.zip(query.forms()).zip(query.numbers())
        else {
            return;
        };
        let near = Sought {
            len: forms.keys().len(),
            forms: Some(forms),
            suggests: &|near| {
                let edits = if near.is_once { 1 } else { 2 };
                handle.edited(edits, near.stem_bits.into())
            },
            numbers,
        };
        self.meet_forms(&near, |part, begun, visit| {
            part.blocker().with_stem_forms(begun, visit);
        });
    }

    /// Meets entries whose handle stands inside the probe's, or goes on where it ends.
    pub(super) fn further_handles(&mut self) {
        let query = self.query;
        let Some((handle, numbers)) = query.probe().handle.as_ref().zip(query.numbers()) else {
            return;
        };
        let contained = Sought {
            len: query.parts().len(),
            forms: None,
            suggests: &|near| Handle::contained_once(near.stem_bits.into()),
            numbers,
        };
        self.meet_forms(&contained, |part, begun, visit| {
            part.blocker().within_parts(begun, visit);
        });
        self.continued(handle);
    }

    /// Meets the entries that `each` visits of every part by one of the `sought` forms, and that are near enough. Of a form
    /// that more than [`HOT`] live entries share, over all parts, those of the smallest ids, and of all together the
    /// [`NEAR_MAX`] nearest.
    fn meet_forms(
        &mut self,
        sought: &Sought<'_>,
        each: impl Fn(&Part, &Begun, &mut dyn FnMut(usize, &mut Run<'_>)),
    ) {
        let parts = self.parts;
        let mut carriers = vec![0usize; sought.len];
        // Part, ordinal and form in one number: an entry meets the probe in many forms, and is taken once.
        let mut found: Vec<u64> = Vec::with_capacity(MET_USUAL);
        for (at, (part, begun)) in (0u64..).zip(parts.iter().zip(&self.begun)) {
            let of_part = found.len();
            each(part, begun, &mut |form, run| {
                let live = run.filter(|ordinal| part.is_live(*ordinal)).take(HOT + 1);
                let before = found.len();
                found.extend(live.map(|ordinal| {
                    at << PART_SHIFT | u64::from(ordinal) << FORM_BITS | form as u64
                }));
                if let Some(carriers) = carriers.get_mut(form) {
                    *carriers += found.len() - before;
                }
            });
            // All in a row: where each stands is found together.
            let of_part = found.iter().skip(of_part);
            of_part.for_each(|found| part.columns().hint_ahead((found >> FORM_BITS) as Ordinal));
        }
        order_from_bit(&mut found, FORM_BITS);
        self.cuts += carriers.iter().filter(|carriers| **carriers > HOT).count() as u32;
        let mut met = self.uncut(&found, &mut carriers, sought);
        if met.len() > NEAR_MAX {
            self.cuts += 1;
            self.keep_nearest(&mut met, sought);
        }
        let mut ways = [[None; NEAR_KINDS]; STEM_STEPS];
        for (near, at, ordinal) in met {
            let Some(slot) = near.of(&mut ways) else {
                continue;
            };
            let way = *slot.get_or_insert_with(|| self.way(Signal::Handle, sought.met(near)));
            if let Some(meetings) = self.meetings.get_mut(at) {
                meetings.push(meeting(ordinal, way));
            }
        }
    }

    /// The entries of `found` that are near enough, but those met only in forms that others of smaller ids have
    /// used up; `carriers` tells how many each form has, and is spent. Ids are read only of entries with a form that is cut.
    fn uncut(&self, found: &[u64], carriers: &mut [usize], sought: &Sought<'_>) -> Vec<NearEntry> {
        let (parts, forms) = (self.parts, sought.forms);
        let place = |entry: &&[u64]| {
            let first = entry.first().copied().unwrap_or_default();
            (
                (first >> PART_SHIFT) as usize,
                (first >> FORM_BITS) as Ordinal,
            )
        };
        let is_hot = |found: &u64| {
            let carriers = carriers.get(form_of(found));
            carriers.is_some_and(|carriers| *carriers > HOT)
        };
        let crowded = forms.map(|forms| forms.crowded(|form| carriers.get(form) > Some(&HOT)));
        let edits = |entry: &[u64]| match forms.zip(crowded.as_ref()) {
            Some((forms, crowded)) => forms.edits(entry.iter().map(form_of), crowded),
            None => Some(1),
        };
        let near = |entry: &&[u64]| {
            let is_once = edits(entry)? <= 1;
            let (at, ordinal) = place(entry);
            let hint = parts.get(at)?.columns().hint(ordinal);
            let nearness = Nearness {
                stem_bits: hint.stem_bits.min(STEM_STEPS as u8 - 1),
                is_once,
                number: sought.numbers.hint(hint),
            };
            Some((nearness, at, ordinal))
        };
        let entries = found.chunk_by(|a, b| a >> FORM_BITS == b >> FORM_BITS);
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
                let left = carriers.get_mut(form_of(found));
                if let Some(left) = left.filter(|left| **left > 0) {
                    *left -= 1;
                    is_met = true;
                }
            }
            is_met
        }));
        met.iter().filter_map(near).collect()
    }

    /// Leaves the [`NEAR_MAX`] that suggest most, of equal ones those of the smallest ids. Thousands of entries are near in few
    /// ways, of which each is weighed once.
    fn keep_nearest(&self, met: &mut Vec<NearEntry>, sought: &Sought<'_>) {
        let mut counts = [[0usize; NEAR_KINDS]; STEM_STEPS];
        for (near, _, _) in met.iter() {
            if let Some(count) = near.of(&mut counts) {
                *count += 1;
            }
        }
        let mut nears: Vec<(u16, Nearness, usize)> = Nearness::every()
            .filter_map(|near| Some((near, *near.of(&mut counts)?)))
            .filter(|(_, count)| *count > 0)
            .map(|(near, count)| (steps(sought.met(near).surprise), near, count))
            .collect();
        nears.sort_unstable_by_key(|near| Reverse(*near));
        let (mut room, mut kept, mut equals) =
            (NEAR_MAX, [[false; NEAR_KINDS]; STEM_STEPS], Vec::new());
        for (_, near, count) in nears {
            if count > room {
                equals = self.first_of(near, met, room);
                break;
            }
            if let Some(is_kept) = near.of(&mut kept) {
                *is_kept = true;
            }
            room -= count;
        }
        met.retain(|(near, _, _)| near.of(&mut kept).is_some_and(|is_kept| *is_kept));
        met.extend(equals);
    }

    /// The entries met so near that have the smallest ids, `len` of them.
    fn first_of(&self, near: Nearness, met: &[NearEntry], len: usize) -> Vec<NearEntry> {
        if len == 0 {
            return Vec::new();
        }
        let equals = met.iter().filter(|entry| entry.0 == near);
        let mut equals: Vec<NearEntry> = equals.copied().collect();
        equals.sort_unstable_by_key(|(_, at, ordinal)| (*at, *ordinal));
        let mut first = by_id(self.parts, &equals, |(_, at, ordinal)| (*at, *ordinal));
        first.truncate(len);
        first
    }

    /// Meets entries whose handle goes on where the probe's ends, unless more than [`HOT`] do: a beginning so common
    /// says nothing, and which of them come first would depend on the segments.
    fn continued(&mut self, handle: &Handle<'_>) {
        let query = self.query;
        let continued = |part: &Part| {
            let mut limit = HOT + 1;
            loop {
                let mut ordinals = part.blocker().continued(query, limit);
                let is_all = ordinals.len() < limit;
                ordinals.retain(|ordinal| part.is_live(*ordinal));
                // As many again for those that are withdrawn.
                match is_all || ordinals.len() > HOT {
                    true => return ordinals,
                    false => limit *= 2,
                }
            }
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

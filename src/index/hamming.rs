//! Which stored hashes differ from this one in few bits?
//!
//! Multi-index hashing (Norouzi, Punjani, Fleet 2012): a value is cut into chunks of 16 bits with a table each; of
//! `m` chunks one must be within `distance / m` of the probe's, so only the table rows around the probe's chunks are
//! read. Bits are dealt out to the chunks in turn, since neighbouring bits of a picture hash go together. Beside each
//! posting stands the value's next chunk, which drops most postings unread (the pigeonring bound, see [`Bounds`]).
//! It holds each distinct value once and knows nothing of pictures or words.

use crate::hash::hamming;
use crate::index::Ordinal;
use crate::index::ahead::ahead;
use crate::index::chunks::{Chunks, WORD_CHUNKS, chunks_of};
use crate::index::flat::{Array, Sections, Stored, put_array};
use crate::index::rows::{At, Rows, scan};
use crate::index::tables::{TABLE_LEN, Tables};
use rayon::prelude::ParallelSliceMut;

/// Up to so many values a scan of all is as fast as the tables, which would take 4 MB for PDQ.
const SCAN_LEN: usize = 2048;

/// Values read from memory together, and then counted.
const VERIFIED_TOGETHER: usize = 512;

/// Room for the places that are near in most look-ups.
const PLACES_USUAL: usize = 128;

/// Positions that are remembered as looked at, in 16 KB.
const LOOKED_LEN: usize = 4096;

/// Neighbours on one line of memory.
const LINE_LEN: usize = 32;

/// Neighbours of a row that are read ahead, eight lines; the machine follows what goes on.
const TOUCHED_LEN: usize = 8 * LINE_LEN;

/// Largest distance of a chunk that is looked up; the next would read 697 rows a chunk, and a scan is faster.
const RADIUS_MAX: u32 = 2;

/// Index of values of `W` words by Hamming distance. For PDQ (`W` = 4) 132 bytes a distinct value and 4 an entry.
#[derive(Clone, Debug)]
pub struct HammingIndex<const W: usize> {
    /// The distinct values, ascending.
    values: Array<[u64; W]>,
    /// Position of the first ordinal of each value, and the number of ordinals at the end.
    groups: Array<u32>,
    ordinals: Array<Ordinal>,
    /// One table after the other: position of each row's first posting within the table's postings, and their number.
    rows: Array<u32>,
    /// Positions of values, one table after the other.
    postings: Array<u32>,
    /// The next chunk of the value at the same place in `postings`.
    neighbours: Array<u16>,
}

/// How far chunks may be from the probe's for a value within `distance_max`.
///
/// Let `b_0 .. b_(m-1)` be the distances of the chunks, in a ring, their sum at most `D`. Start right after the place
/// where the running sum of `b_i - D/m` is largest. From there no running sum is above 0, all around the ring, as the
/// whole sum is not. So for the chunk at the start `b_i <= D/m`, and `b_i + b_(i+1) <= 2D/m` with the one after; both
/// sides are whole numbers and may be rounded down. Looking for each chunk as the start misses none (Qin and Xiao 2018,
/// "Pigeonring").
#[derive(Clone, Copy, Debug)]
struct Bounds {
    distance: u32,
    chunk: u32,
    pair: u32,
}

impl Bounds {
    fn of<const W: usize>(distance_max: u32) -> Self {
        let chunks = (W * WORD_CHUNKS).max(1) as u32;
        Self {
            distance: distance_max,
            chunk: distance_max / chunks,
            pair: distance_max.saturating_mul(2) / chunks,
        }
    }
}

/// A look-up begun in one index, and of no use in another.
#[derive(Clone, Debug)]
pub(crate) struct Sought<const W: usize> {
    probe: [u64; W],
    chunks: Chunks<W>,
    bounds: Bounds,
    /// Bounds of the rows around each chunk; none where all values are looked at.
    places: Vec<(u32, u32)>,
    is_scan: bool,
    /// Places of what is near among all tables' postings, once they are looked for; `None` where they are many, too.
    scanned: Option<Vec<usize>>,
    /// Positions of the values that stand there, once these are read.
    fetched: Option<Vec<u32>>,
}

impl<const W: usize> Sought<W> {
    fn flips(&self) -> &'static [u16] {
        flips(self.bounds.chunk)
    }
}

impl<const W: usize> HammingIndex<W> {
    /// Builds from pairs of a value and an entry that carries it; equal pairs count once. O(n log n), all cores.
    pub fn build(mut entries: Vec<([u64; W], Ordinal)>) -> Self {
        entries.par_sort_unstable();
        entries.dedup();
        let (mut values, mut groups) = (Vec::new(), Vec::new());
        let mut ordinals: Vec<Ordinal> = Vec::with_capacity(entries.len());
        for same in entries.chunk_by(|a, b| a.0 == b.0) {
            values.extend(same.first().map(|(value, _)| *value));
            groups.push(ordinals.len() as u32);
            ordinals.extend(same.iter().map(|(_, ordinal)| *ordinal));
        }
        groups.push(ordinals.len() as u32);
        drop(entries);
        let tables = match values.len() {
            0..=SCAN_LEN => Tables::default(),
            _ => Tables::of(&values),
        };
        Self {
            values: values.into(),
            groups: groups.into(),
            ordinals: ordinals.into(),
            rows: tables.rows.into(),
            postings: tables.postings.into(),
            neighbours: tables.neighbours.into(),
        }
    }

    /// Pushes, for every value within `distance_max` of the probe, its entries (ascending) and its distance; returns true
    /// where there are more than `limit` values, of which then only some are pushed.
    ///
    /// Exact up to the limit; by ascending value. A distance of three times the number of chunks (48 for PDQ) or more is a
    /// scan of all values. Groups are not copied: a value that a million entries carry costs no more than one.
    pub fn within<'a>(
        &'a self,
        probe: &[u64; W],
        distance_max: u32,
        limit: usize,
        out: &mut Vec<(&'a [Ordinal], u32)>,
    ) -> bool {
        let sought = self.sought(probe, distance_max);
        self.touch(&sought);
        self.near(&sought, limit, out)
    }

    /// Begins a look-up of what is within `distance_max` of the probe: reads where its rows stand. Whoever looks for several
    /// probes asks for all their bounds first (`ahead`), so that what they wait for comes from memory together.
    pub(crate) fn sought(&self, probe: &[u64; W], distance_max: u32) -> Sought<W> {
        let bounds = Bounds::of::<W>(distance_max);
        let chunks = chunks_of(probe);
        let is_scan = self.rows.is_empty() || bounds.chunk > RADIUS_MAX;
        let places = match is_scan {
            true => Vec::new(),
            false => self.places(chunks.as_flattened(), flips(bounds.chunk)),
        };
        Sought {
            probe: *probe,
            chunks,
            bounds,
            places,
            is_scan,
            scanned: None,
            fetched: None,
        }
    }

    /// Asks for the bounds of the rows that a look-up of `probe` reads.
    pub(crate) fn ahead(&self, probe: &[u64; W], distance_max: u32) {
        let bounds = Bounds::of::<W>(distance_max);
        if self.rows.is_empty() || bounds.chunk > RADIUS_MAX {
            return;
        }
        let (chunks, rows): (_, &[u32]) = (chunks_of(probe), &self.rows);
        let tables = rows.chunks_exact(TABLE_LEN);
        for (own, table) in chunks.as_flattened().iter().zip(tables) {
            for flip in flips(bounds.chunk) {
                ahead(table, usize::from(own ^ flip));
            }
        }
    }

    /// Asks for the lines of memory of the rows that are looked at next, of long rows for the first lines.
    pub(crate) fn touch(&self, sought: &Sought<W>) {
        let neighbours: &[u16] = &self.neighbours;
        let tables = neighbours.chunks_exact(self.values.len().max(1));
        let places = sought.places.chunks_exact(sought.flips().len());
        for (neighbours, places) in tables.zip(places) {
            for (start, end) in places {
                let (start, end) = (*start as usize, *end as usize);
                // Most rows are on one line or on two.
                for place in (start..end.min(start + TOUCHED_LEN)).step_by(LINE_LEN) {
                    ahead(neighbours, place);
                }
                if start < end {
                    ahead(neighbours, end - 1);
                }
            }
        }
    }

    /// Ends a look-up that was begun in this index: what [`HammingIndex::within`] says.
    pub(crate) fn near<'a>(
        &'a self,
        sought: &Sought<W>,
        limit: usize,
        out: &mut Vec<(&'a [Ordinal], u32)>,
    ) -> bool {
        let mut near = Vec::new();
        let is_cut = if sought.is_scan {
            let all = 0..self.values.len() as u32;
            self.verify(all, sought, &mut near);
            near.len() > limit
        } else {
            self.gather(sought, limit, &mut near)
        };
        near.truncate(limit.saturating_add(1));
        for (position, distance) in near {
            let position = position as usize;
            if let Some([start, end]) = self.groups.get(position..position + 2) {
                let group = self.ordinals.get(*start as usize..*end as usize);
                out.push((group.unwrap_or(&[]), distance));
            }
        }
        is_cut
    }

    /// Returns how many values more than `limit` entries carry.
    pub(crate) fn hot(&self, limit: usize) -> usize {
        let len = |bounds: &[u32]| match bounds {
            [start, end] => end.saturating_sub(*start) as usize,
            _ => 0,
        };
        self.groups
            .windows(2)
            .filter(|bounds| len(bounds) > limit)
            .count()
    }

    /// Puts the arrays as sections `name.*`.
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) {
        put_array(sections, name, "values", &self.values);
        put_array(sections, name, "groups", &self.groups);
        put_array(sections, name, "ordinals", &self.ordinals);
        put_array(sections, name, "rows", &self.rows);
        put_array(sections, name, "postings", &self.postings);
        put_array(sections, name, "neighbours", &self.neighbours);
    }

    /// Returns what was stored under `name`, or `None` if sections are missing or do not fit each other. O(1).
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> {
        let loaded = Self {
            values: stored.array(&format!("{name}.values"))?,
            groups: stored.array(&format!("{name}.groups"))?,
            ordinals: stored.array(&format!("{name}.ordinals"))?,
            rows: stored.array(&format!("{name}.rows"))?,
            postings: stored.array(&format!("{name}.postings"))?,
            neighbours: stored.array(&format!("{name}.neighbours"))?,
        };
        let len = loaded.values.len();
        let chunks = W * WORD_CHUNKS;
        let (rows, places) = match len {
            0..=SCAN_LEN => (0, 0),
            _ => (chunks * TABLE_LEN, chunks * len),
        };
        let fits = loaded.groups.len() == len + 1
            && loaded.rows.len() == rows
            && loaded.postings.len() == places
            && loaded.neighbours.len() == places;
        fits.then_some(loaded)
    }

    /// Returns the bytes of the arrays.
    pub fn bytes(&self) -> usize {
        let words = self.groups.len() + self.ordinals.len() + self.rows.len() + self.postings.len();
        self.values.len() * W * 8 + words * 4 + self.neighbours.len() * 2
    }

    /// Pushes the positions and distances of the near values, ascending and distinct; stops soon after there are more than
    /// `limit`, and says so.
    ///
    /// First the bounds of all rows, then their lines, then the rows, then the postings of what is left, then their values:
    /// reads that wait for nothing overlap, while a loop whose length is still on its way from memory stops the machine
    /// from asking for the next row. Some hundreds are verified at a time: a hot value, met in every chunk, ends the look-up
    /// early.
    fn gather(&self, sought: &Sought<W>, limit: usize, near: &mut Vec<(u32, u32)>) -> bool {
        let mut looked = Looked::default();
        if let Some(positions) = &sought.fetched {
            self.verify(positions.iter().copied(), sought, near);
            return is_beyond(limit, near);
        }
        if let Some(places) = &sought.scanned {
            self.verify_places(places, sought, &mut looked, near);
            return is_beyond(limit, near);
        }
        let (postings, scan): (&[u32], _) = (&self.postings, scan());
        let mut places = Vec::with_capacity(VERIFIED_TOGETHER);
        for rows in self.rows_of(sought) {
            let mut from = At::default();
            while !rows.is_end(from) {
                let before = places.len();
                from = scan(&rows, from, &mut places);
                let found = places.iter().skip(before);
                found.for_each(|place| ahead(postings, *place));
                if places.len() >= VERIFIED_TOGETHER {
                    looked.begin();
                    self.verify_places(&places, sought, &mut looked, near);
                    places.clear();
                    if near.len() > limit && is_beyond(limit, near) {
                        return true;
                    }
                }
            }
        }
        self.verify_places(&places, sought, &mut looked, near);
        is_beyond(limit, near)
    }

    /// The rows of each table that are looked through.
    fn rows_of<'a>(&'a self, sought: &'a Sought<W>) -> impl Iterator<Item = Rows<'a>> {
        let (flat, flips) = (sought.chunks.as_flattened(), sought.flips());
        let (neighbours, len): (&[u16], _) = (&self.neighbours, self.values.len().max(1));
        let nexts = flat.iter().skip(1).chain(flat.first());
        let tables = neighbours.chunks_exact(len);
        let tables = tables.zip(sought.places.chunks_exact(flips.len()));
        let rows = (0..).zip(tables.zip(nexts));
        rows.map(move |(table, ((neighbours, places), next))| Rows {
            neighbours,
            places,
            flips,
            next: *next,
            pair: sought.bounds.pair,
            offset: table * len,
        })
    }

    /// Looks through the rows of a look-up and asks for the postings of what is near, where that is little: so that other
    /// work can be done before [`HammingIndex::fetch`] or [`HammingIndex::near`] reads them.
    pub(crate) fn scan(&self, sought: &mut Sought<W>) {
        if sought.is_scan {
            return;
        }
        let (postings, scan): (&[u32], _) = (&self.postings, scan());
        let mut near = Vec::with_capacity(PLACES_USUAL);
        for rows in self.rows_of(sought) {
            let end = scan(&rows, At::default(), &mut near);
            if !rows.is_end(end) || near.len() >= VERIFIED_TOGETHER {
                return;
            }
        }
        near.iter().for_each(|place| ahead(postings, *place));
        sought.scanned = Some(near);
    }

    /// Reads the postings of what was near, and asks for their values: so that yet other work can be done before
    /// [`HammingIndex::near`] reads these.
    pub(crate) fn fetch(&self, sought: &mut Sought<W>) {
        if let Some(places) = sought.scanned.take() {
            sought.fetched = Some(self.positions(&places, &mut Looked::default()));
        }
    }

    /// Bounds of the rows around each chunk, as many a table as there are `flips`. Hardly more than the reads themselves,
    /// so that many of them are on their way at once.
    fn places(&self, chunks: &[u16], flips: &[u16]) -> Vec<(u32, u32)> {
        let rows: &[u32] = &self.rows;
        let mut places = Vec::with_capacity(chunks.len() * flips.len());
        for (own, table) in chunks.iter().zip(rows.chunks_exact(TABLE_LEN)) {
            if let Some(table) = table.first_chunk::<TABLE_LEN>() {
                places.extend(flips.iter().map(|flip| {
                    let row = usize::from(own ^ flip);
                    let bound = |row: usize| table.get(row).copied().unwrap_or(0);
                    (bound(row), bound(row + 1))
                }));
            }
        }
        places
    }

    /// Verifies what stands at `places` of all tables' postings and was not looked at.
    fn verify_places(
        &self,
        places: &[usize],
        sought: &Sought<W>,
        looked: &mut Looked,
        near: &mut Vec<(u32, u32)>,
    ) {
        let positions = self.positions(places, looked);
        self.verify(positions.into_iter(), sought, near);
    }

    /// What stands at `places` of all tables' postings and was not looked at; asks for its values.
    fn positions(&self, places: &[usize], looked: &mut Looked) -> Vec<u32> {
        let (postings, values): (&[u32], &[[u64; W]]) = (&self.postings, &self.values);
        let mut positions = Vec::with_capacity(places.len());
        for position in places.iter().filter_map(|place| postings.get(*place)) {
            if looked.is_new(*position) {
                ahead(values, *position as usize);
                positions.push(*position);
            }
        }
        positions
    }

    /// Pushes those of `positions` whose value is near enough, with its distance.
    fn verify(
        &self,
        positions: impl Iterator<Item = u32>,
        sought: &Sought<W>,
        near: &mut Vec<(u32, u32)>,
    ) {
        let values: &[[u64; W]] = &self.values;
        for position in positions {
            if let Some(value) = values.get(position as usize) {
                let distance = hamming(value, &sought.probe);
                if distance <= sought.bounds.distance {
                    near.push((position, distance));
                }
            }
        }
    }
}

/// Positions that were looked at, as far as they are remembered: a hot value has thousands near it, and each of them is
/// met again in nearly every table.
#[derive(Default)]
struct Looked(Vec<u32>);

impl Looked {
    /// Remembers from now on. Few values met are hardly met again, and need no memory.
    fn begin(&mut self) {
        self.0.resize(LOOKED_LEN, u32::MAX);
    }

    /// False where the position is remembered; it is from now on.
    fn is_new(&mut self, position: u32) -> bool {
        let remembered = self.0.get_mut(position as usize % LOOKED_LEN);
        remembered.is_none_or(|remembered| std::mem::replace(remembered, position) != position)
    }
}

/// Orders what is near, drops repetitions, and says whether more than `limit` are left.
fn is_beyond(limit: usize, near: &mut Vec<(u32, u32)>) -> bool {
    // Not the unstable sort: all but the latest were put in order before, and this one merges what is in order.
    near.sort();
    near.dedup();
    near.len() > limit
}

impl<const W: usize> Default for HammingIndex<W> {
    fn default() -> Self {
        Self::build(Vec::new())
    }
}

/// The 16-bit values of at most `radius` ones, `radius` being at most [`RADIUS_MAX`].
fn flips(radius: u32) -> &'static [u16] {
    const NONE: [u16; 1] = flips_within(0);
    const ONE: [u16; 17] = flips_within(1);
    const TWO: [u16; 137] = flips_within(2);
    match radius {
        0 => &NONE,
        1 => &ONE,
        _ => &TWO,
    }
}

/// The `LEN` 16-bit values of at most `radius` ones: the one without, then those of each highest one.
const fn flips_within<const LEN: usize>(radius: u32) -> [u16; LEN] {
    let mut flips = [0; LEN];
    let (mut len, mut value) = (0, 0u32);
    while value <= u16::MAX as u32 {
        if value.count_ones() <= radius && len < LEN {
            flips[len] = value as u16;
            len += 1;
        }
        value += 1;
    }
    flips
}

#[cfg(test)]
#[path = "hamming_tests.rs"]
mod tests;

//! How are the tables of multi-index hashing filled?
//!
//! One table a chunk of 16 bits: a row for each of its values, with the positions of the hashes that have it there and,
//! beside each, the hash's next chunk. One counting sort a table, on all cores.

use crate::index::chunks::{CHUNK_BITS, Chunks, WORD_CHUNKS, chunks_of};
use rayon::prelude::{
    IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator, ParallelSliceMut,
};

/// Number of rows of one table, and one place more for the end of the last.
pub(crate) const TABLE_LEN: usize = (1 << CHUNK_BITS) + 1;

/// The tables while they are built.
#[derive(Default)]
pub(crate) struct Tables {
    /// One table after the other: position of each row's first posting within the table's postings, and their number.
    pub(crate) rows: Vec<u32>,
    /// Positions of values, one table after the other.
    pub(crate) postings: Vec<u32>,
    /// The next chunk of the value at the same place in `postings`.
    pub(crate) neighbours: Vec<u16>,
}

impl Tables {
    /// Fills the tables, one counting sort a chunk.
    pub(crate) fn of<const W: usize>(values: &[[u64; W]]) -> Self {
        let chunked: Vec<Chunks<W>> = values.par_iter().map(chunks_of).collect();
        let (count, len) = (W * WORD_CHUNKS, values.len().max(1));
        let mut tables = Self {
            rows: vec![0; count * TABLE_LEN],
            postings: vec![0; count * len],
            neighbours: vec![0; count * len],
        };
        tables
            .rows
            .par_chunks_exact_mut(TABLE_LEN)
            .zip(tables.postings.par_chunks_exact_mut(len))
            .zip(tables.neighbours.par_chunks_exact_mut(len))
            .enumerate()
            .for_each(|(chunk, ((rows, postings), neighbours))| {
                tabulate(&chunked, chunk, rows, postings, neighbours);
            });
        tables
    }
}

/// Fills the table of one chunk.
fn tabulate<const W: usize>(
    chunked: &[Chunks<W>],
    chunk: usize,
    rows: &mut [u32],
    postings: &mut [u32],
    neighbours: &mut [u16],
) {
    let pair_of = |chunks: &Chunks<W>| {
        let flat = chunks.as_flattened();
        let next = flat.get(chunk + 1).or(flat.first());
        (
            flat.get(chunk).copied().unwrap_or(0),
            next.copied().unwrap_or(0),
        )
    };
    for chunks in chunked {
        if let Some(count) = rows.get_mut(usize::from(pair_of(chunks).0)) {
            *count += 1;
        }
    }
    let mut total = 0;
    for row in rows.iter_mut() {
        total += *row;
        *row = total;
    }
    for (position, chunks) in chunked.iter().enumerate().rev() {
        let (row, next) = pair_of(chunks);
        let Some(end) = rows.get_mut(usize::from(row)) else {
            continue;
        };
        *end = end.saturating_sub(1);
        let place = *end as usize;
        if let Some((posting, neighbour)) = postings.get_mut(place).zip(neighbours.get_mut(place)) {
            (*posting, *neighbour) = (position as u32, next);
        }
    }
}

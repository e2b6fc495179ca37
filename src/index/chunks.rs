//! How is a value cut into chunks that are looked up apart?
//!
//! Neighbouring bits of a picture hash go together, so bits are dealt out to the chunks in turn: each chunk has some of
//! every region. Pure; it knows no tables.

/// Number of bits of a chunk.
pub(crate) const CHUNK_BITS: usize = 16;

/// Number of chunks of one word.
pub(crate) const WORD_CHUNKS: usize = 4;

/// The chunks of a value, four a word.
pub(crate) type Chunks<const W: usize> = [[u16; WORD_CHUNKS]; W];

/// Deals the bits out: bit `k` is bit `k / m` of chunk `k % m`, for `m` chunks. O(bits); PDQ's all at once.
pub(crate) fn chunks_of<const W: usize>(value: &[u64; W]) -> Chunks<W> {
    let mut chunks = [[0u16; WORD_CHUNKS]; W];
    let rows: Option<&[u64; 4]> = value
        .first_chunk()
        .filter(|_| W * WORD_CHUNKS == CHUNK_BITS);
    if let Some(rows) = rows {
        for (slots, word) in chunks.iter_mut().zip(transposed(*rows)) {
            for (place, slot) in slots.iter_mut().enumerate() {
                *slot = (word >> (place * CHUNK_BITS)) as u16;
            }
        }
        return chunks;
    }
    dealt(value, &mut chunks);
    chunks
}

/// Deals the bits out one by one, into chunks of zero. O(bits).
pub(crate) fn dealt<const W: usize>(value: &[u64; W], chunks: &mut Chunks<W>) {
    let count = W * WORD_CHUNKS;
    for (chunk, slot) in chunks.as_flattened_mut().iter_mut().enumerate() {
        for place in 0..CHUNK_BITS {
            let bit = place * count + chunk;
            let word = value.get(bit / 64).copied().unwrap_or(0);
            *slot |= (((word >> (bit % 64)) & 1) as u16) << place;
        }
    }
}

/// Sixteen rows of sixteen bits, four a word, with rows and columns exchanged: squares of 8, 4, 2 and 1 bits change places
/// across the diagonal (Warren, "Hacker's Delight", 7-3). It deals out the bits of sixteen chunks.
fn transposed(rows: [u64; 4]) -> [u64; 4] {
    let swapped = |a: u64, b: u64, by: u32, mask: u64| {
        let other = ((a >> by) ^ b) & mask;
        (a ^ (other << by), b ^ other)
    };
    let [a, b, c, d] = rows;
    let (a, c) = swapped(a, c, 8, 0x00ff_00ff_00ff_00ff);
    let (b, d) = swapped(b, d, 8, 0x00ff_00ff_00ff_00ff);
    let (a, b) = swapped(a, b, 4, 0x0f0f_0f0f_0f0f_0f0f);
    let (c, d) = swapped(c, d, 4, 0x0f0f_0f0f_0f0f_0f0f);
    [a, b, c, d].map(|word| {
        let other = ((word >> 2) ^ (word >> 32)) & 0x3333_3333;
        let word = word ^ (other << 2) ^ (other << 32);
        let other = ((word >> 1) ^ (word >> 16)) & 0x0000_5555_0000_5555;
        word ^ (other << 1) ^ (other << 16)
    })
}

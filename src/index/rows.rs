//! Which of the numbers in these rows differ from a chunk in few bits?
//!
//! The hot loop of picture look-ups: tens of thousands of numbers of 16 bits a probe, one in some hundreds near. Processors that
//! count the bits of 32 numbers at once do so; on others the compiler's code is the same loop. All give the same answer.

/// Places after which a scan stops, so that what is near may be looked at.
const ENOUGH: usize = 512;
/// Numbers of a row that are looked through before that is asked: a picture that everyone has fills whole rows.
const STRETCH_LEN: usize = 4_096;
/// Numbers whose least distance is taken together.
const BLOCK_LEN: usize = 16;

/// Rows around one chunk, and the chunk that each number beside them is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    /// The numbers of the table, row after row.
    pub(crate) neighbours: &'a [u16],
    /// Where each row stands among them.
    pub(crate) places: &'a [(u32, u32)],
    /// What each row's own chunk differs in from the probe's.
    pub(crate) flips: &'a [u16],
    /// The probe's next chunk.
    pub(crate) next: u16,
    /// How many bits both chunks together may differ in.
    pub(crate) pair: u32,
    /// What is added to each place that is pushed.
    pub(crate) offset: usize,
}

/// Where a scan goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At {
    row: usize,
    /// Numbers of the row that were looked through.
    done: usize,
}

/// Pushes the places of near numbers from here on, and returns where it stopped: some hundreds of near ones are enough.
pub(crate) type Scan = fn(&Rows<'_>, At, &mut Vec<usize>) -> At;

impl Rows<'_> {
    /// Whether a scan that stopped here has looked through all of them.
    pub(crate) fn is_end(&self, at: At) -> bool {
        at.row >= self.places.len()
    }

    /// The numbers looked through next, the place of the first, the bits that one may differ in, and where to go on; `None` after
    /// the last.
    #[inline(always)]
    fn stretch(&self, at: At) -> Option<(&[u16], usize, u32, At)> {
        let ((start, end), flip) = self.places.get(at.row).zip(self.flips.get(at.row))?;
        let (start, end) = (*start as usize + at.done, *end as usize);
        let left = self.pair.saturating_sub(flip.count_ones());
        let (until, next) = match end.saturating_sub(start) <= STRETCH_LEN {
            true => {
                let row = at.row + 1;
                (end, At { row, done: 0 })
            }
            false => {
                let done = at.done + STRETCH_LEN;
                (start + STRETCH_LEN, At { done, ..at })
            }
        };
        let stretch = self.neighbours.get(start..until).unwrap_or(&[]);
        Some((stretch, self.offset + start, left, next))
    }
}

/// The fastest scan that this processor has.
pub(crate) fn scan() -> Scan {
    #[cfg(target_arch = "x86_64")]
    {
        if wide::has_bit_counts() {
            return wide::by_bit_counts;
        }
        if wide::has_avx2() {
            return wide::by_avx2;
        }
    }
    plain
}

/// Whole blocks are dropped by their least distance, which the compiler counts some at a time; only a block with a near
/// number is looked through.
#[inline(always)]
fn plain(rows: &Rows<'_>, from: At, near: &mut Vec<usize>) -> At {
    let mut at = from;
    while let Some((stretch, start, left, next)) = rows.stretch(at) {
        at = next;
        for (first, block) in (start..).step_by(BLOCK_LEN).zip(stretch.chunks(BLOCK_LEN)) {
            let full: Option<&[u16; BLOCK_LEN]> = block.first_chunk();
            let is_far = full.is_some_and(|block| {
                let distances = block.map(|value| (value ^ rows.next).count_ones() as u16);
                u32::from(distances.into_iter().fold(u16::MAX, u16::min)) > left
            });
            if is_far {
                continue;
            }
            for (place, value) in (first..).zip(block) {
                if (value ^ rows.next).count_ones() <= left {
                    near.push(place);
                }
            }
        }
        if near.len() >= ENOUGH {
            break;
        }
    }
    at
}

/// The same for processors with wider instructions.
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "instructions that not every processor has; scanning with them takes a third of the time"
)]
mod wide {
    use std::arch::x86_64::{
        _mm512_mask_cmple_epu16_mask, _mm512_maskz_loadu_epi16, _mm512_popcnt_epi16,
        _mm512_set1_epi16, _mm512_xor_si512,
    };

    use super::{At, ENOUGH, Rows, plain};

    /// Numbers of one instruction.
    const LANES: usize = 32;

    /// Whether the processor counts the bits of 32 numbers at once (Ice Lake, Zen 4 and later).
    pub(super) fn has_bit_counts() -> bool {
        is_x86_feature_detected!("avx512bitalg")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt")
    }

    /// Whether the processor has what the compiler's code for AVX2 uses.
    pub(super) fn has_avx2() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
    }

    /// [`plain`] with AVX-512; only for processors that [`has_bit_counts`] says have it.
    pub(super) fn by_bit_counts(rows: &Rows<'_>, from: At, near: &mut Vec<usize>) -> At {
        // SAFETY: whoever hands this function out has asked the processor.
        unsafe { counted(rows, from, near) }
    }

    /// [`plain`] compiled for AVX2; only for processors that [`has_avx2`] says have it.
    pub(super) fn by_avx2(rows: &Rows<'_>, from: At, near: &mut Vec<usize>) -> At {
        // SAFETY: whoever hands this function out has asked the processor.
        unsafe { halved(rows, from, near) }
    }

    #[target_feature(enable = "avx2,popcnt")]
    fn halved(rows: &Rows<'_>, from: At, near: &mut Vec<usize>) -> At {
        plain(rows, from, near)
    }

    #[target_feature(enable = "avx512bitalg,avx512bw,avx512f,bmi1,popcnt")]
    fn counted(rows: &Rows<'_>, from: At, near: &mut Vec<usize>) -> At {
        let next = _mm512_set1_epi16(rows.next.cast_signed());
        let mut at = from;
        while let Some((stretch, start, left, after)) = rows.stretch(at) {
            at = after;
            let left = _mm512_set1_epi16(left as i16);
            for (first, block) in (start..).step_by(LANES).zip(stretch.chunks(LANES)) {
                let lanes = u32::MAX >> (LANES - block.len());
                // SAFETY: only the lanes of the block are read.
                let values = unsafe { _mm512_maskz_loadu_epi16(lanes, block.as_ptr().cast()) };
                let distances = _mm512_popcnt_epi16(_mm512_xor_si512(values, next));
                let mut found = _mm512_mask_cmple_epu16_mask(lanes, distances, left);
                while found != 0 {
                    near.push(first + found.trailing_zeros() as usize);
                    found &= found - 1;
                }
            }
            if near.len() >= ENOUGH {
                break;
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::{At, Rows, STRETCH_LEN, Scan, plain, scan};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    fn scans() -> Vec<Scan> {
        #[cfg(target_arch = "x86_64")]
        let halved = super::wide::has_avx2().then_some(super::wide::by_avx2 as Scan);
        #[cfg(not(target_arch = "x86_64"))]
        let halved = None;
        let scans = [plain as Scan, scan()];
        scans.into_iter().chain(halved).collect()
    }

    proptest! {
        #[test]
        fn every_scan_is_a_linear_scan(
            few in proptest::collection::vec(any::<u16>(), 0..900),
            times in 1usize..20,
            bounds in proptest::collection::vec(0usize..4 * STRETCH_LEN, 17),
            next: u16,
            pair in 0u32..12,
        ) {
            let neighbours = few.repeat(times);
            let flips: Vec<u16> = std::iter::once(0).chain((0..16).map(|bit| 1 << bit)).collect();
            let mut bounds: Vec<u32> = bounds.iter().map(|bound| *bound.min(&neighbours.len()) as u32).collect();
            bounds.sort_unstable();
            let places: Vec<(u32, u32)> = bounds.windows(2).map(|pair| (pair[0], pair[1])).collect();
            let rows = Rows { neighbours: &neighbours, places: &places, flips: &flips, next, pair, offset: 7 };
            let mut expected = Vec::new();
            for ((start, end), flip) in places.iter().zip(&flips) {
                let left = pair.saturating_sub(flip.count_ones());
                let near = (*start..*end).filter(|at| (neighbours[*at as usize] ^ next).count_ones() <= left);
                expected.extend(near.map(|at| at as usize + 7));
            }
            for scan in scans() {
                let (mut all, mut from) = (Vec::new(), At::default());
                while !rows.is_end(from) {
                    let mut near = Vec::new();
                    from = scan(&rows, from, &mut near);
                    all.extend(near);
                }
                prop_assert_eq!(&all, &expected);
            }
        }
    }
}

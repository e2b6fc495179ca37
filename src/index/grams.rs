//! Which blocks of texts may contain this part?
//!
//! A bit-sliced signature file (Faloutsos and Christodoulakis 1984; Goodwin et al. 2017, "BitFunnel"): every run of four bytes
//! of a block's texts sets one of 1,024 bits of the block, and bits of one number lie together, a slice for all blocks. A part's
//! runs name the slices whose common bits are the blocks to look through. Some blocks too many are told, never one too few.

use std::ops::Range;

/// Bytes of a run.
const RUN_LEN: usize = 4;
/// Slices, and bits of a block: of sixteen handles some hundred and fifty are set, so that two runs tell one strange block in fifty.
const SLICES: usize = 1 << SLICE_BITS;
const SLICE_BITS: u32 = 10;
/// Slices that are looked at; more would drop hardly anything.
const ASKED_MAX: usize = 8;

/// Blocks by the runs of their texts, grown at the end. 128 bytes a block.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    /// Of each slice its bits, 64 blocks a word.
    slices: Vec<Vec<u64>>,
    blocks: usize,
}

impl Grams {
    /// Adds a text to a block, which is the last one or the next. O(bytes).
    pub(crate) fn add(&mut self, block: usize, text: &[u8]) {
        self.slices.resize_with(SLICES, Vec::new);
        self.blocks = self.blocks.max(block + 1);
        let (word, bit) = (block / 64, block % 64);
        for slice in runs(text) {
            if let Some(slice) = self.slices.get_mut(slice) {
                slice.resize((word + 1).max(slice.len()), 0);
                if let Some(word) = slice.get_mut(word) {
                    *word |= 1 << bit;
                }
            }
        }
    }

    /// Gives back what was set aside to grow in.
    pub(crate) fn shrink(&mut self) {
        self.slices.iter_mut().for_each(Vec::shrink_to_fit);
    }

    /// Bytes of the slices.
    pub(crate) fn bytes(&self) -> usize {
        self.slices.iter().map(|slice| slice.len() * 8).sum()
    }

    /// Blocks that may have a text with this part, ascending; all of them for a part shorter than a run. O(blocks / 64).
    pub(crate) fn blocks(&self, part: &[u8]) -> Vec<usize> {
        let mut common = vec![u64::MAX; self.blocks.div_ceil(64)];
        for slice in runs(part).take(ASKED_MAX) {
            let slice = self.slices.get(slice).map_or(&[][..], Vec::as_slice);
            let bits = slice.iter().copied().chain(std::iter::repeat(0));
            for (common, bits) in common.iter_mut().zip(bits) {
                *common &= bits;
            }
        }
        let ones = |(at, mut word): (usize, u64)| {
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(at * 64 + bit)
            })
        };
        let blocks = common.into_iter().enumerate().flat_map(ones);
        blocks.filter(|block| *block < self.blocks).collect()
    }

    /// The same blocks, those that follow one another together.
    pub(crate) fn stretches(&self, part: &[u8]) -> Vec<Range<usize>> {
        let blocks = self.blocks(part);
        let stretches = blocks.chunk_by(|before, after| before + 1 == *after);
        let bounds = |of: &[usize]| Some(*of.first()?..*of.last()? + 1);
        stretches.filter_map(bounds).collect()
    }
}

/// The slices of a text's runs.
fn runs(text: &[u8]) -> impl Iterator<Item = usize> {
    text.windows(RUN_LEN).map(|run| {
        let number = run
            .iter()
            .fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        (number.wrapping_mul(0x9E37_79B1) >> (u32::BITS - SLICE_BITS)) as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_block_with_the_part_is_missing(texts in prop::collection::vec("[ab1]{0,9}", 0..300), part in "[ab1]{0,6}") {
            let mut grams = Grams::default();
            for (at, text) in texts.iter().enumerate() {
                grams.add(at / 3, text.as_bytes());
            }
            let told = grams.blocks(part.as_bytes());
            for (at, text) in texts.iter().enumerate() {
                prop_assert!(!text.contains(&part) || told.contains(&(at / 3)));
            }
            prop_assert!(told.iter().all(|block| *block * 3 < texts.len()));
        }
    }

    #[test]
    fn strange_blocks_are_left_out() {
        let mut grams = Grams::default();
        for block in 0..1_000 {
            grams.add(block, format!("someone_{}", block * 7_919).as_bytes());
        }
        grams.add(1_000, b"the_zorvani_dispatch");
        assert_eq!(grams.blocks(b"zorvani"), [1_000]);
    }
}

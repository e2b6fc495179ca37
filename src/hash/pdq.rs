//! Which 256 bits stand for a picture, so that a re-compressed or resized copy differs in few of them?
//!
//! PDQ (Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019), bit for bit as their
//! C++: reduced luma, 16 x 16 cosine transform, one bit a frequency by the median. Mirroring a picture only negates odd
//! frequencies and turning it also swaps the two directions, so eight hashes come from one transform. It does not
//! decode pictures, knows no colours and does not see crops.

use crate::hash::downscale::{Reduced, SIDE, downscale};
use crate::hash::hamming;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Number of frequencies kept in each direction; frequency 0 (the mean) is left out.
const FREQUENCIES: usize = 16;

/// Smallest width and height that carry a hash; Meta's limit.
const EXTENT_MIN: usize = 5;

/// Divisor of the sum of gradients and the cap of the quality; Meta's numbers.
const QUALITY_DIVISOR: u32 = 90;
const QUALITY_MAX: u32 = 100;

/// Bits of the frequencies that are odd along the columns (mirroring left and right negates them): frequencies count
/// from 1, so these are the even places of each group of 16 bits.
const ODD_COLUMNS: u64 = 0x5555_5555_5555_5555;

/// Bits of the frequencies that are odd along the rows: every other group of 16 bits.
const ODD_ROWS: u64 = 0x0000_ffff_0000_ffff;

/// Transform coefficients: `[row frequency - 1][column frequency - 1]`.
type Coefficients = [[f32; FREQUENCIES]; FREQUENCIES];

/// A PDQ hash. Bit `16 * row + column` is bit `b % 64` of word `b / 64`, as numbered in Meta's code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pdq(pub [u64; 4]);

/// A picture's hash with its quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PdqPicture {
    /// The hash; all zero when the picture was too small.
    pub pdq: Pdq,
    /// How much there is to see, 0..=100. Meta advises to discard hashes below 50.
    pub quality: u8,
}

impl Pdq {
    /// Returns the hash written as 64 hexadecimal digits in Meta's order (highest bit first), of either case.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut words = [0; 4];
        for (word, start) in words.iter_mut().rev().zip((0..64).step_by(16)) {
            *word = u64::from_str_radix(text.get(start..start + 16)?, 16).ok()?;
        }
        Some(Self(words))
    }

    /// Returns the 64 lower-case hexadecimal digits, highest bit first.
    pub fn to_hex(&self) -> String {
        let [low, second, third, high] = self.0;
        format!("{high:016x}{third:016x}{second:016x}{low:016x}")
    }

    /// Returns the hash from its 32 bytes, most significant first, as in its hex digits.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, eight) in words.iter_mut().rev().zip(bytes.chunks_exact(8)) {
            *word = eight
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Self(words)
    }

    /// Returns the 32 bytes, most significant first.
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (word, eight) in self.0.iter().rev().zip(bytes.chunks_exact_mut(8)) {
            eight.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// Returns the number of differing bits, 0..=256. Meta calls pictures the same up to 31.
    pub fn distance(&self, other: &Self) -> u32 {
        hamming(&self.0, &other.0)
    }
}

/// Returns hash and quality of a picture given as luma, row by row, each `0.0..=255.0`.
///
/// Luma is `0.299 red + 0.587 green + 0.114 blue`; summed in `f64` and rounded once it equals the reference binding.
/// Below 5 x 5, or when `luma` has not `width * height` samples, hash and quality are 0. O(width x height).
pub(crate) fn of_luma(luma: &[f32], width: usize, height: usize) -> PdqPicture {
    if !is_hashable(luma, width, height) {
        return PdqPicture::default();
    }
    let reduced = downscale(luma, width, height);
    PdqPicture {
        pdq: of_coefficients(&transform(&reduced)),
        quality: quality_of(&reduced),
    }
}

/// Returns the hashes of the picture's eight mirrorings and turns from one transform, in the order of [`dihedral`].
///
/// Each is what Meta's dihedral function gives; the hash of the really turned pixels can differ by a few bits, since
/// sampling is not symmetric.
#[cfg(test)]
pub(crate) fn dihedral_of_luma(luma: &[f32], width: usize, height: usize) -> [Pdq; 8] {
    if !is_hashable(luma, width, height) {
        return [Pdq::default(); 8];
    }
    let upright = transform(&downscale(luma, width, height));
    let turned = transposed(&upright);
    std::array::from_fn(|turn| {
        let base = if turn & 4 == 0 { &upright } else { &turned };
        of_coefficients(&mirrored(base, turn & 1 != 0, turn & 2 != 0))
    })
}

/// Returns the hashes of a picture's eight mirrorings and turns, from its hash alone.
///
/// Order: the hash itself, mirrored left-right, top-bottom, both (turned by 180 degrees); then the same four of the
/// picture transposed about its main diagonal. A negated coefficient flips its bit as long as the median of all
/// coefficients is near 0, so all but the transposition are approximate; the mean difference on real pictures is 6 bits.
pub(crate) fn dihedral(pdq: &Pdq) -> [Pdq; 8] {
    let turned = transposed_bits(pdq);
    std::array::from_fn(|turn| {
        let base = if turn & 4 == 0 { pdq } else { &turned };
        let columns = if turn & 1 != 0 { ODD_COLUMNS } else { 0 };
        let rows = if turn & 2 != 0 { ODD_ROWS } else { 0 };
        Pdq(base.0.map(|word| word ^ columns ^ rows))
    })
}

/// Says whether there are enough samples, and as many as the extents promise.
fn is_hashable(luma: &[f32], width: usize, height: usize) -> bool {
    width >= EXTENT_MIN && height >= EXTENT_MIN && width.checked_mul(height) == Some(luma.len())
}

/// Returns the rows of the cosine transform: frequencies 1..=16 over 64 samples.
fn cosines() -> &'static [[f32; SIDE]; FREQUENCIES] {
    static COSINES: LazyLock<[[f32; SIDE]; FREQUENCIES]> = LazyLock::new(|| {
        let scale = (2.0 / SIDE as f64).sqrt();
        std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                let angle = PI / 2.0 / SIDE as f64 * ((row + 1) * (2 * column + 1)) as f64;
                (scale * angle.cos()) as f32
            })
        })
    });
    &COSINES
}

/// Returns the 16 x 16 lowest frequencies but the mean: cosines x reduced x cosines transposed.
fn transform(reduced: &Reduced) -> Coefficients {
    let mut coefficients = [[0.0; FREQUENCIES]; FREQUENCIES];
    for (cosine_row, row) in cosines().iter().zip(coefficients.iter_mut()) {
        let mut between = [0.0f32; SIDE];
        for (cosine, samples) in cosine_row.iter().zip(reduced) {
            for (sum, sample) in between.iter_mut().zip(samples) {
                *sum += cosine * sample;
            }
        }
        for (cosine_column, slot) in cosines().iter().zip(row.iter_mut()) {
            *slot = between
                .iter()
                .zip(cosine_column)
                .fold(0.0, |sum, (value, cosine)| sum + value * cosine);
        }
    }
    coefficients
}

/// Sets the bit of every coefficient above the lower median (which Torben's algorithm gives for an even count).
fn of_coefficients(coefficients: &Coefficients) -> Pdq {
    let mut sorted = *coefficients
        .as_flattened()
        .first_chunk()
        .unwrap_or(&[0.0; 256]);
    let (_, median, _) = sorted.select_nth_unstable_by(127, f32::total_cmp);
    let median = *median;
    let mut words = [0u64; 4];
    for (word, values) in words.iter_mut().zip(coefficients.as_flattened().chunks(64)) {
        for (bit, value) in values.iter().enumerate() {
            *word |= u64::from(*value > median) << bit;
        }
    }
    Pdq(words)
}

/// Returns the sum of the gradients along both directions, each cut to whole hundredths of the range, as a percentage.
fn quality_of(reduced: &Reduced) -> u8 {
    let gradient = |a: f32, b: f32| ((a - b) * 100.0 / 255.0).abs() as u32;
    let mut sum = 0u32;
    for (above, below) in reduced.iter().zip(reduced.iter().skip(1)) {
        for (a, b) in above.iter().zip(below) {
            sum = sum.saturating_add(gradient(*a, *b));
        }
    }
    for row in reduced {
        for (a, b) in row.iter().zip(row.iter().skip(1)) {
            sum = sum.saturating_add(gradient(*a, *b));
        }
    }
    (sum / QUALITY_DIVISOR).min(QUALITY_MAX) as u8
}

/// Returns the coefficients of the picture reflected about its main diagonal.
#[cfg(test)]
fn transposed(coefficients: &Coefficients) -> Coefficients {
    let mut turned = [[0.0; FREQUENCIES]; FREQUENCIES];
    for (row, values) in coefficients.iter().enumerate() {
        for (turned_row, value) in turned.iter_mut().zip(values) {
            if let Some(slot) = turned_row.get_mut(row) {
                *slot = *value;
            }
        }
    }
    turned
}

/// Returns the coefficients of the picture mirrored left-right (`columns`) and top-bottom (`rows`).
#[cfg(test)]
fn mirrored(coefficients: &Coefficients, columns: bool, rows: bool) -> Coefficients {
    let mut turned = *coefficients;
    for (row, values) in turned.iter_mut().enumerate() {
        for (column, value) in values.iter_mut().enumerate() {
            let is_odd = (columns && column % 2 == 0) ^ (rows && row % 2 == 0);
            if is_odd {
                *value = -*value;
            }
        }
    }
    turned
}

/// Returns the hash with rows and columns of frequencies swapped.
fn transposed_bits(pdq: &Pdq) -> Pdq {
    let mut words = [0u64; 4];
    for (word, bits) in words.iter_mut().enumerate() {
        for bit in 0..64 {
            let (row, column) = ((word * 64 + bit) / FREQUENCIES, bit % FREQUENCIES);
            let source = column * FREQUENCIES + row;
            let word = pdq.0.get(source / 64).copied().unwrap_or(0);
            let value = (word >> (source % 64)) & 1;
            *bits |= value << bit;
        }
    }
    Pdq(words)
}

#[cfg(test)]
#[path = "pdq_tests.rs"]
mod tests;

//! How does a picture of any size become the 64 x 64 luma that PDQ looks at?
//!
//! Two passes of a box filter along rows and columns (nearly a triangle filter; W. Jarosz, "Fast Image Convolutions"),
//! then one sample at each cell's centre. The running sums add and subtract in the order of Meta's description, since
//! float rounding can turn bits of the hash; columns are summed a whole row at a time to stay in cache.
//! It does not decode pictures and does not convert colours.

/// Edge in samples of the reduced picture.
pub(crate) const SIDE: usize = 64;

/// Number of times that both directions are filtered.
const PASSES: usize = 2;

/// The reduced picture, rows from the top.
pub(crate) type Reduced = [[f32; SIDE]; SIDE];

/// Returns the picture filtered and sampled at 64 x 64. O(width x height) time, two buffers of the picture's size.
///
/// Samples outside of `luma` count as 0, so a wrong length cannot panic.
pub(crate) fn downscale(luma: &[f32], width: usize, height: usize) -> Reduced {
    let mut filtered = luma.to_vec();
    if (width, height) != (SIDE, SIDE) {
        let mut between = vec![0.0; luma.len()];
        for _ in 0..PASSES {
            box_rows(&filtered, &mut between, width);
            box_columns(&between, &mut filtered, width, height);
        }
    }
    let mut reduced = [[0.0; SIDE]; SIDE];
    for (row, samples) in reduced.iter_mut().enumerate() {
        let start = centre(row, height) * width;
        for (column, sample) in samples.iter_mut().enumerate() {
            let position = start + centre(column, width);
            *sample = filtered.get(position).copied().unwrap_or(0.0);
        }
    }
    reduced
}

/// Returns the picture's row or column at the centre of cell `cell`: `(cell + 1/2) * extent / 64`, rounded down.
fn centre(cell: usize, extent: usize) -> usize {
    (2 * cell + 1) * extent / (2 * SIDE)
}

/// Returns the filter's window for one direction: a 128th of the extent, rounded up.
fn window_of(extent: usize) -> usize {
    extent.div_ceil(2 * SIDE).max(1)
}

/// Filters every row of `width` samples by itself.
fn box_rows(input: &[f32], output: &mut [f32], width: usize) {
    let window = window_of(width);
    let lead = window / 2;
    for (from, to) in input
        .chunks_exact(width.max(1))
        .zip(output.chunks_exact_mut(width.max(1)))
    {
        let mut sum: f32 = from.iter().take(lead).fold(0.0, |sum, value| sum + value);
        let mut count = lead;
        for (position, slot) in to.iter_mut().enumerate() {
            let right = position + lead;
            if let Some(value) = from.get(right) {
                sum += value;
                count += 1;
            }
            if let Some(value) = right.checked_sub(window).and_then(|left| from.get(left)) {
                sum -= value;
                count -= 1;
            }
            *slot = sum / count as f32;
        }
    }
}

/// Filters every column, all columns side by side: one running sum a column, one row added and one taken off a step.
fn box_columns(input: &[f32], output: &mut [f32], width: usize, height: usize) {
    let window = window_of(height);
    let lead = window / 2;
    let row_at = |row: usize| input.get(row * width..(row + 1) * width).unwrap_or(&[]);
    let mut sums = vec![0.0f32; width];
    for row in 0..lead {
        add(&mut sums, row_at(row));
    }
    let mut count = lead;
    for (position, to) in output.chunks_exact_mut(width.max(1)).enumerate() {
        let right = position + lead;
        if right < height {
            add(&mut sums, row_at(right));
            count += 1;
        }
        if let Some(left) = right.checked_sub(window) {
            for (sum, value) in sums.iter_mut().zip(row_at(left)) {
                *sum -= value;
            }
            count -= 1;
        }
        for (slot, sum) in to.iter_mut().zip(&sums) {
            *slot = sum / count as f32;
        }
    }
}

/// Adds one row to the running sums.
fn add(sums: &mut [f32], row: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}

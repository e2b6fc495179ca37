//! How is memory asked for before it is needed, so that waiting for it and working overlap?
//!
//! What screening reads lies all over some gigabytes, and most of its time goes by waiting for it. A read that is asked for
//! early comes while other work is done; hundreds that are asked for together come together. Nothing here changes an answer.

/// Asks for the line of memory with the value at this place, if there is one; on x86-64 it waits for nothing. O(1).
#[inline(always)]
pub(crate) fn ahead<T: Copy>(values: &[T], place: usize) {
    if let Some(value) = values.get(place) {
        line_ahead(value);
    }
}

/// Asks for the line of memory of a value.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(
    unsafe_code,
    reason = "the instruction has no safe form; a plain read instead makes the processor hold back what follows: \
              some screens took a fifth longer"
)]
fn line_ahead<T: Copy>(value: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every x86-64 processor has the instruction, which reads no value, writes none and never faults.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) }
}

/// Reads the value, which no compiler can leave out: where there is no safe or stable way to ask only.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn line_ahead<T: Copy>(value: &T) {
    std::hint::black_box(*value);
}

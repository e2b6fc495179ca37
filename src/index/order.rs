//! How are thousands of numbers put in order by their high bits?
//!
//! What a screen meets is some hundreds or thousands of numbers that begin with an ordinal and lie anywhere. Comparing puts
//! them in order in a time that grows with the logarithm of how many they are; dealing them out by one byte after the other
//! takes three or four passes, as many as ordinals have bytes.

/// Numbers from which on they are dealt out: clearing and summing the counts of one pass takes as long as some dozens.
const DEALT_FROM: usize = 192;
/// Bits of one pass.
const DIGIT_BITS: u32 = 8;

/// Puts numbers in ascending order of their bits from `low` on. Those equal in these stand in any order that depends on the
/// numbers and their order alone. O(numbers).
pub(crate) fn order_from_bit(numbers: &mut Vec<u64>, low: u32) {
    if numbers.len() < DEALT_FROM {
        numbers.sort_unstable();
        return;
    }
    let first = numbers.first().copied().unwrap_or_default();
    let differing = numbers.iter().fold(0, |all, number| all | (number ^ first));
    let mut dealt = vec![0; numbers.len()];
    for shift in (low..u64::BITS).step_by(DIGIT_BITS as usize) {
        if digit(differing, shift) != 0 {
            deal(numbers, &mut dealt, shift);
            std::mem::swap(numbers, &mut dealt);
        }
    }
}

fn digit(number: u64, shift: u32) -> usize {
    (number >> shift & ((1 << DIGIT_BITS) - 1)) as usize
}

/// Writes the numbers in the order of one digit, equal ones as they stand.
fn deal(numbers: &[u64], dealt: &mut [u64], shift: u32) {
    let mut places = [0u32; 1 << DIGIT_BITS];
    for number in numbers {
        if let Some(count) = places.get_mut(digit(*number, shift)) {
            *count += 1;
        }
    }
    let mut total = 0;
    for place in &mut places {
        total += std::mem::replace(place, total);
    }
    for number in numbers {
        let Some(place) = places.get_mut(digit(*number, shift)) else {
            continue;
        };
        if let Some(slot) = dealt.get_mut(*place as usize) {
            *slot = *number;
        }
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::order_from_bit;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn orders_as_sorting_does(
            numbers in proptest::collection::vec(any::<u64>(), 0..600),
            mask: u64,
            low in 0u32..64,
        ) {
            let numbers: Vec<u64> = numbers.iter().map(|number| number & mask).collect();
            let mut ordered = numbers.clone();
            order_from_bit(&mut ordered, low);
            prop_assert!(ordered.is_sorted_by_key(|number| number >> low));
            let sorted = |mut numbers: Vec<u64>| {
                numbers.sort_unstable();
                numbers
            };
            prop_assert_eq!(sorted(ordered), sorted(numbers));
        }
    }
}

//! Which entries carry exactly this 64-bit key?
//!
//! All postings in one list ordered by key, and a table on the high bits of the key that says where to begin: keys are
//! hashes, so a table slot holds about eight postings and a look-up reads two cache lines. Badly spread keys cost
//! a binary search, never a wrong answer. It does not hash: the caller brings keys that are uniform in their high bits.

use crate::index::Ordinal;
use crate::index::ahead::ahead;
use crate::index::flat::{Array, Sections, Stored, put_array, put_numbers};
use rayon::prelude::ParallelSliceMut;

/// Number of postings beyond which a key is common: it says little about an actor and costs much to follow.
///
/// A pair must show about log2(entries) + 9 bits to reach a reviewer, and a value that more than 64 of the entries carry
/// by chance tells less than log2(entries) - 6: too little even with all that is allowed for what no index looks for.
pub(crate) const HOT: usize = 64;

/// Binary logarithm of the mean number of postings a table slot covers: half a byte of table a posting.
const SLOT_LOAD_LOG: u32 = 3;

/// Keys on one line of memory.
const LINE_LEN: usize = 8;

/// Ordered postings from key to ordinals. 12.5 bytes a posting.
#[derive(Clone, Debug, Default)]
pub struct Postings {
    keys: Array<u64>,
    ordinals: Array<Ordinal>,
    /// Position of the first key of each slot, and the number of postings at the end.
    slots: Array<u32>,
    /// How far a key is shifted right to give its slot.
    shift: u32,
}

impl Postings {
    /// Orders the postings; equal pairs count once. O(n log n), all cores, about 16 bytes a posting on top of the result.
    ///
    /// A segment holds fewer than 2^32 postings.
    pub fn build(mut postings: Vec<(u64, Ordinal)>) -> Self {
        postings.par_sort_unstable();
        postings.dedup();
        let slot_bits = postings.len().max(1).ilog2().saturating_sub(SLOT_LOAD_LOG) + 1;
        let shift = u64::BITS - slot_bits;
        let mut slots = vec![0u32; (1 << slot_bits) + 1];
        for (key, _) in &postings {
            if let Some(count) = slots.get_mut((key >> shift) as usize + 1) {
                *count += 1;
            }
        }
        let mut total = 0;
        for slot in &mut slots {
            total += *slot;
            *slot = total;
        }
        Self {
            keys: postings
                .iter()
                .map(|(key, _)| *key)
                .collect::<Vec<_>>()
                .into(),
            ordinals: postings
                .iter()
                .map(|(_, ordinal)| *ordinal)
                .collect::<Vec<_>>()
                .into(),
            slots: slots.into(),
            shift,
        }
    }

    /// Asks for where the postings of `key` begin.
    pub(crate) fn ahead(&self, key: u64) {
        ahead(&self.slots, self.slot_of(key));
    }

    /// Asks for the postings of `key`.
    pub(crate) fn postings_ahead(&self, key: u64) {
        let start = self.slots.get(self.slot_of(key)).copied().unwrap_or(0) as usize;
        let keys: &[u64] = &self.keys;
        ahead(keys, start);
        ahead(keys, start + LINE_LEN);
        ahead(&self.ordinals, start);
    }

    fn slot_of(&self, key: u64) -> usize {
        key.checked_shr(self.shift).unwrap_or(0) as usize
    }

    /// Returns the ordinals under `key`, ascending and distinct. O(1) expected for uniform keys.
    pub fn get(&self, key: u64) -> &[Ordinal] {
        let slot = self.slot_of(key);
        let slots: &[u32] = &self.slots;
        let bounds = slots.get(slot).zip(slots.get(slot + 1));
        let Some((start, end)) = bounds.map(|(start, end)| (*start as usize, *end as usize)) else {
            return &[];
        };
        let keys: &[u64] = &self.keys;
        let slot_keys = keys.get(start..end).unwrap_or(&[]);
        let first = start + slot_keys.partition_point(|stored| *stored < key);
        let rest = keys.get(first..end).unwrap_or(&[]);
        let len = rest.partition_point(|stored| *stored == key);
        self.ordinals.get(first..first + len).unwrap_or(&[])
    }

    /// Returns how many keys more than `limit` entries carry. Reads every key.
    pub(crate) fn hot(&self, limit: usize) -> usize {
        let runs = self.keys.chunk_by(|a, b| a == b);
        runs.filter(|run| run.len() > limit).count()
    }

    /// Puts the arrays as sections `name.*`.
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) {
        put_array(sections, name, "keys", &self.keys);
        put_array(sections, name, "ordinals", &self.ordinals);
        put_array(sections, name, "slots", &self.slots);
        put_numbers(sections, name, &[u64::from(self.shift)]);
    }

    /// Returns what was stored under `name`, or `None` if sections are missing or do not fit each other. O(1).
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> {
        let [shift] = stored.numbers(name)?;
        let loaded = Self {
            keys: stored.array(&format!("{name}.keys"))?,
            ordinals: stored.array(&format!("{name}.ordinals"))?,
            slots: stored.array(&format!("{name}.slots"))?,
            shift: u32::try_from(shift).ok()?,
        };
        let slot_bits = u64::BITS.checked_sub(loaded.shift)?;
        let slots = 1usize
            .checked_shl(slot_bits)
            .map_or(0, |slots| slots.wrapping_add(1));
        let is_empty = loaded.keys.is_empty() && loaded.slots.is_empty();
        let fits = loaded.keys.len() == loaded.ordinals.len();
        (fits && (is_empty || (slot_bits > 0 && loaded.slots.len() == slots))).then_some(loaded)
    }

    /// Returns the bytes of the arrays.
    pub fn bytes(&self) -> usize {
        self.keys.len() * 8 + self.ordinals.len() * 4 + self.slots.len() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::Postings;
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    fn keys() -> impl Strategy<Value = u64> {
        prop_oneof![any::<u64>(), 0u64..4, Just(u64::MAX)]
    }

    #[test]
    fn empty_answers_nothing() {
        assert!(Postings::default().get(0).is_empty());
        assert!(Postings::build(Vec::new()).get(u64::MAX).is_empty());
    }

    proptest! {
        #[test]
        fn equals_linear_scan(postings in proptest::collection::vec((keys(), 0u32..50), 0..300)) {
            let index = Postings::build(postings.clone());
            for probe in postings.iter().map(|(key, _)| *key).chain([0, 5, 1 << 63, u64::MAX]) {
                let mut expected: Vec<u32> =
                    postings.iter().filter(|(key, _)| *key == probe).map(|(_, ordinal)| *ordinal).collect();
                expected.sort();
                expected.dedup();
                prop_assert_eq!(index.get(probe), &expected[..]);
            }
        }
    }
}

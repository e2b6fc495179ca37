//! Do stored structures answer as the built ones, and stand garbage?
//!
//! Every structure is stored to a map in memory, loaded and asked the same; then bytes are damaged at random, and
//! look-ups may answer anything but a panic.

use std::collections::HashMap;

use crate::index::flat::{Sections, Stored};
use crate::index::hashed::mixed;
use crate::index::{Containment, Deletes, Dictionary, HammingIndex, Loose, Postings};
use bytes::Bytes;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest,
};

/// Sections one after the other in words, so that each begins at a multiple of eight bytes.
#[derive(Clone, Default)]
struct Shelf {
    words: Vec<u64>,
    places: HashMap<String, (usize, usize)>,
}

impl AsRef<[u8]> for Shelf {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }
}

impl Sections for Shelf {
    fn put(&mut self, name: &str, bytes: &[u8]) {
        let place = (self.words.len() * 8, bytes.len());
        assert!(
            self.places.insert(name.to_owned(), place).is_none(),
            "{name} twice"
        );
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.words.push(u64::from_le_bytes(word));
        }
    }
}

impl Shelf {
    fn stored(&self) -> Stored {
        Stored::new(Bytes::from_owner(self.clone()), self.places.clone())
    }

    /// A copy with bytes overwritten.
    fn damaged(&self, damage: &[(usize, u8)]) -> Stored {
        let mut copy = self.clone();
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut copy.words);
        let len = bytes.len().max(1);
        for (place, byte) in damage {
            if let Some(slot) = bytes.get_mut(place % len) {
                *slot = *byte;
            }
        }
        copy.stored()
    }

    /// Every section must be needed, and must have its length.
    fn check_lengths<T>(&self, load: impl Fn(&Stored) -> Option<T>) {
        for name in self.places.keys() {
            let mut places = self.places.clone();
            let (start, len) = places.remove(name).unwrap();
            let mut refused = |place: Option<(usize, usize)>| {
                places.remove(name);
                places.extend(place.map(|place| (name.clone(), place)));
                let stored = Stored::new(Bytes::from_owner(self.clone()), places.clone());
                assert!(load(&stored).is_none(), "{name} at {place:?}");
            };
            refused(None);
            refused(Some((usize::MAX, 8)));
            refused(Some((self.words.len() * 8, 8)));
            if len > 0 {
                refused(Some((start, len - 1)));
                refused(Some((start + 1, len)));
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
    let byte = prop_oneof![Just(0u8), Just(255), any::<u8>()];
    proptest::collection::vec((any::<usize>(), byte), 1..40)
}

fn numbered(strings: &[String]) -> Vec<(String, u32)> {
    strings.iter().cloned().zip(0u32..).collect()
}

/// Distinct values, so many that they have tables.
fn many<const W: usize>() -> Vec<([u64; W], u32)> {
    (0..3000u32)
        .map(|ordinal| {
            let base = u64::from(ordinal) * 4;
            (
                std::array::from_fn(|word| mixed(base + word as u64)),
                ordinal,
            )
        })
        .collect()
}

fn hamming<const W: usize>(entries: Vec<([u64; W], u32)>, damages: &[(usize, u8)], distance: u32) {
    let index = HammingIndex::<W>::build(entries.clone());
    let mut shelf = Shelf::default();
    index.store("pictures", &mut shelf);
    shelf.check_lengths(|stored| HammingIndex::<W>::load("pictures", stored));
    let loaded = HammingIndex::<W>::load("pictures", &shelf.stored()).unwrap();
    let damaged = HammingIndex::<W>::load("pictures", &shelf.damaged(damages));
    for (value, _) in entries.iter().take(20) {
        let mut probe = *value;
        probe[0] ^= 5;
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        index.within(&probe, distance, usize::MAX, &mut expected);
        loaded.within(&probe, distance, usize::MAX, &mut found);
        assert!(!found.is_empty() && found == expected);
        if let Some(damaged) = &damaged {
            damaged.within(&probe, distance, usize::MAX, &mut Vec::new());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn postings(pairs in proptest::collection::vec((0u64..40, 0u32..50), 0..200), damages in damage()) {
        let index = Postings::build(pairs.iter().map(|(key, ordinal)| (mixed(*key), *ordinal)).collect());
        let mut shelf = Shelf::default();
        index.store("ids", &mut shelf);
        shelf.check_lengths(|stored| Postings::load("ids", stored));
        let loaded = Postings::load("ids", &shelf.stored()).unwrap();
        let damaged = Postings::load("ids", &shelf.damaged(&damages));
        for key in (0..50).map(mixed).chain([0, u64::MAX]) {
            prop_assert_eq!(index.get(key), loaded.get(key));
            damaged.as_ref().map(|damaged| damaged.get(key).len());
        }
    }

    #[test]
    fn loose(pairs in proptest::collection::vec((0u64..40, 0u32..50), 0..200), damages in damage()) {
        let index = Loose::build(|then| pairs.iter().for_each(|(key, ordinal)| then(*key, *ordinal)));
        let mut shelf = Shelf::default();
        index.store("features", &mut shelf);
        shelf.check_lengths(|stored| Loose::load("features", stored));
        let loaded = Loose::load("features", &shelf.stored()).unwrap();
        let damaged = Loose::load("features", &shelf.damaged(&damages)).unwrap_or_default();
        let keys: Vec<u64> = (0..50).collect();
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        index.get(&keys, 5, |position, ordinals| expected.push((position, ordinals.to_vec())));
        loaded.get(&keys, 5, |position, ordinals| found.push((position, ordinals.to_vec())));
        prop_assert_eq!((index.bytes(), found), (loaded.bytes(), expected));
        damaged.get(&keys, 5, |_, ordinals| assert!(ordinals.len() <= 6));
    }

    #[test]
    fn deletes_and_containment(
        strings in proptest::collection::vec("[abя]{0,9}|[a-e]{12,20}|a{60,70}", 0..40),
        damages in damage(),
    ) {
        let entries = numbered(&strings);
        let deletes = Deletes::build(&entries);
        let containment = Containment::build(&entries);
        let (mut stems, mut cores) = (Shelf::default(), Shelf::default());
        deletes.store("stems", &mut stems);
        containment.store("cores", &mut cores);
        stems.check_lengths(|stored| Deletes::load("stems", stored));
        cores.check_lengths(|stored| Containment::load("cores", stored));
        let near = Deletes::load("stems", &stems.stored()).unwrap();
        let inner = Containment::load("cores", &cores.stored()).unwrap();
        let near_damaged = Deletes::load("stems", &stems.damaged(&damages)).unwrap_or_default();
        let inner_damaged = Containment::load("cores", &cores.damaged(&damages)).unwrap_or_default();
        for probe in &strings {
            let (mut expected, mut found) = (Vec::new(), Vec::new());
            deletes.candidates(probe, usize::MAX, &mut expected);
            near.candidates(probe, usize::MAX, &mut found);
            containment.contained_in(probe, usize::MAX, &mut expected);
            inner.contained_in(probe, usize::MAX, &mut found);
            prop_assert_eq!(&found, &expected);
            near_damaged.candidates(probe, usize::MAX, &mut found);
            inner_damaged.contained_in(probe, usize::MAX, &mut found);
        }
    }

    #[test]
    fn dictionary(strings in proptest::collection::vec("[abя\u{1f600}]{0,7}", 0..60), damages in damage()) {
        let index = Dictionary::build(numbered(&strings));
        let mut shelf = Shelf::default();
        index.store("wholes", &mut shelf);
        shelf.check_lengths(|stored| Dictionary::load("wholes", stored));
        let loaded = Dictionary::load("wholes", &shelf.stored()).unwrap();
        let damaged = Dictionary::load("wholes", &shelf.damaged(&damages)).unwrap_or_default();
        for probe in &strings {
            let (mut expected, mut found) = (Vec::new(), Vec::new());
            for (index, out) in [(&index, &mut expected), (&loaded, &mut found), (&damaged, &mut Vec::new())] {
                index.prefix(probe, 9, out);
                index.containing(probe, 9, out);
                index.fuzzy(probe, 2, 9, out);
            }
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn few_hashes(values in proptest::collection::vec(0u64..40, 1..40), damages in damage()) {
        hamming(values.iter().map(|value| [*value, 7]).zip(0u32..).collect(), &damages, 9);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn many_hashes(damages in damage()) {
        hamming(many::<4>(), &damages, 31);
        hamming(many::<1>(), &damages, 3);
    }
}

#[test]
fn nothing_built_is_nothing_stored() {
    let mut shelf = Shelf::default();
    Postings::default().store("a", &mut shelf);
    Deletes::default().store("b", &mut shelf);
    Dictionary::default().store("c", &mut shelf);
    let stored = shelf.stored();
    assert!(Postings::load("a", &stored).unwrap().get(1).is_empty());
    let mut found = Vec::new();
    Deletes::load("b", &stored)
        .unwrap()
        .candidates("abcdefgh", usize::MAX, &mut found);
    Dictionary::load("c", &stored)
        .unwrap()
        .prefix("a", 9, &mut found);
    assert!(found.is_empty());
}

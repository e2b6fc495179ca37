//! What the bench asks of the library's indexes, and what each answer means by linear scan.
//!
//! Every call of an index stands here, since what they take may change; a look-up is with its verification, so that it can
//! be held against the scan, which defines what is right.

use mirrorwatch::internals::{
    Containment, Deletes, Dictionary, HammingIndex, Ordinal, Postings, distance_max, osa_within,
};

/// Strings and the entries that carry them.
pub(crate) type Handles = Vec<(String, Ordinal)>;
/// The 256 bits of a PDQ hash.
pub(crate) type Picture = [u64; 4];

/// Bits of 256 that may differ: the threshold of PDQ's makers.
pub(crate) const PDQ_DISTANCE: u32 = 31;
/// Shortest string that is looked for within others, as `Containment` has it.
pub(crate) const CONTAINED_LEN_MIN: usize = 5;
/// Entries that a prefix brings at most.
pub(crate) const PREFIX_LIMIT: usize = 20;

/// Index of handles by distance, and its bytes.
pub(crate) fn deletes(entries: &Handles) -> (Deletes, usize) {
    let index = Deletes::build(entries);
    let bytes = index.bytes();
    (index, bytes)
}

/// Index of handles by what contains them, and its bytes.
pub(crate) fn containment(entries: &Handles) -> (Containment, usize) {
    let index = Containment::build(entries);
    let bytes = index.bytes();
    (index, bytes)
}

/// Ordered index of handles, and its bytes.
pub(crate) fn dictionary(entries: &Handles) -> (Dictionary, usize) {
    let index = Dictionary::build(entries.clone());
    let bytes = index.bytes();
    (index, bytes)
}

/// Index of keys, and its bytes.
pub(crate) fn postings(keys: &[(u64, Ordinal)]) -> (Postings, usize) {
    let index = Postings::build(keys.to_vec());
    let bytes = index.bytes();
    (index, bytes)
}

/// Index of pictures, and its bytes.
pub(crate) fn hamming(pictures: &[(Picture, Ordinal)]) -> (HammingIndex<4>, usize) {
    let index = HammingIndex::build(pictures.to_vec());
    let bytes = index.bytes();
    (index, bytes)
}

/// Pushes the handles within `distance_max` of the probe.
pub(crate) fn near_handles(
    index: &Deletes,
    entries: &Handles,
    probe: &str,
    out: &mut Vec<Ordinal>,
) {
    index.candidates(probe, usize::MAX, out);
    out.retain(|ordinal| {
        let entry = entries.get(*ordinal as usize);
        entry.is_some_and(|(text, _)| is_near(probe, text))
    });
}

/// Pushes the handles that the probe contains.
pub(crate) fn handles_within(
    index: &Containment,
    entries: &Handles,
    probe: &str,
    out: &mut Vec<Ordinal>,
) {
    index.contained_in(probe, usize::MAX, out);
    out.retain(|ordinal| {
        let entry = entries.get(*ordinal as usize);
        entry.is_some_and(|(text, _)| is_contained(probe, text))
    });
}

/// Pushes the pictures within 31 bits of the probe.
pub(crate) fn near_pictures(index: &HammingIndex<4>, probe: &Picture, out: &mut Vec<Ordinal>) {
    let mut groups = Vec::new();
    index.within(probe, PDQ_DISTANCE, usize::MAX, &mut groups);
    out.extend(groups.iter().flat_map(|(ordinals, _)| ordinals.iter()));
}

// What the indexes mean, by linear scan.

/// Whether two handles are within `distance_max`; lengths are compared first, as a good scan would.
pub(crate) fn is_near(probe: &str, text: &str) -> bool {
    let max = distance_max(probe.chars().count().min(text.chars().count()));
    probe.len().abs_diff(text.len()) <= 4 * max && osa_within(probe, text, max).is_some()
}

/// Whether the handle is part of the probe.
pub(crate) fn is_contained(probe: &str, text: &str) -> bool {
    text.chars().count() >= CONTAINED_LEN_MIN && probe.contains(text)
}

/// Whether at most 31 bits differ.
pub(crate) fn is_near_picture(a: &Picture, b: &Picture) -> bool {
    let differing: u32 = a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum();
    differing <= PDQ_DISTANCE
}

/// Pushes what matches.
pub(crate) fn scan<T>(
    entries: &[(T, Ordinal)],
    is_match: impl Fn(&T) -> bool,
    out: &mut Vec<Ordinal>,
) {
    let matching = entries.iter().filter(|(value, _)| is_match(value));
    out.extend(matching.map(|(_, ordinal)| *ordinal));
}

/// The first few that begin with the probe, in the order of the strings.
pub(crate) fn scan_prefix(entries: &Handles, probe: &str, out: &mut Vec<Ordinal>) {
    let mut found: Vec<&(String, Ordinal)> = entries
        .iter()
        .filter(|(text, _)| text.starts_with(probe))
        .collect();
    found.sort_unstable();
    out.extend(found.iter().take(PREFIX_LIMIT).map(|entry| entry.1));
}

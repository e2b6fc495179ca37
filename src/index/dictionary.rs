//! Which stored strings begin with, contain or nearly equal what an analyst typed?
//!
//! All strings in order in one finite-state transducer (the `fst` crate, named nowhere else), each leading to the group
//! of its ordinals. The fuzzy search walks the transducer with a [`Band`] of the edit table as its state instead of a
//! Levenshtein automaton built beforehand: it knows swaps, means the same distance as `osa_within` and cannot outgrow
//! a state limit. Too slow for distance 2 on every signup; that is the work of `Deletes`.

use std::sync::{Arc, OnceLock};

use crate::index::Ordinal;
use crate::index::flat::{Array, Sections, Stored, put_array};
use crate::index::grams::Grams;
use crate::index::osa::{BAND_MAX, Band};
use fst::{Automaton, IntoStreamer, Map, Streamer};
use rayon::prelude::ParallelSliceMut;

/// Words of a block: some 300 of its signature's 1,024 bits are set, so that two runs of four bytes that have nothing to do with
/// it leave it out nine times of ten.
const BLOCK_LEN: usize = 32;
/// Words from which on blocks are told apart; fewer are read in less than a millisecond.
const BLOCKS_FROM: usize = 1 << 12;

/// Ordered dictionary from string to ordinals; an ordinal may stand under several strings.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// `None` only where nothing was ever built.
    words: Option<Map<Array<u8>>>,
    /// Position of the first ordinal of each group, and the number of ordinals at the end.
    groups: Array<u32>,
    ordinals: Array<Ordinal>,
    /// Made when a part of a word is first asked for; some five bytes a word.
    blocks: OnceLock<Arc<Blocks>>,
}

/// Which stretches of the words may contain a part.
#[derive(Debug, Default)]
struct Blocks {
    grams: Grams,
    /// The first word of each block, one after the other, and where each ends.
    firsts: Vec<u8>,
    ends: Vec<u32>,
}

impl Blocks {
    /// Reads every word.
    fn of(words: &Map<Array<u8>>) -> Self {
        let (mut blocks, mut stream) = (Self::default(), words.stream());
        for at in 0.. {
            let Some((word, _)) = stream.next() else {
                break;
            };
            if at % BLOCK_LEN == 0 {
                blocks.firsts.extend_from_slice(word);
                blocks.ends.push(blocks.firsts.len() as u32);
            }
            blocks.grams.add(at / BLOCK_LEN, word);
        }
        blocks.grams.shrink();
        blocks
    }

    fn bytes(&self) -> usize {
        self.grams.bytes() + self.firsts.len() + self.ends.len() * 4
    }

    /// Where words may contain the part: the first word and how many.
    fn stretches(&self, part: &str) -> Vec<(&[u8], usize)> {
        let stretches = self.grams.stretches(part.as_bytes()).into_iter();
        stretches
            .map(|blocks| (self.first(blocks.start), blocks.len() * BLOCK_LEN))
            .collect()
    }

    fn first(&self, block: usize) -> &[u8] {
        let start = block
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let start = start.copied().unwrap_or(0) as usize;
        let end = self.ends.get(block).copied().unwrap_or(0) as usize;
        self.firsts.get(start..end).unwrap_or(&[])
    }
}

impl Dictionary {
    /// Orders the strings; equal pairs count once. O(n log n), sorted on all cores. A segment holds fewer than 2^32 pairs.
    pub fn build(mut entries: Vec<(String, Ordinal)>) -> Self {
        entries.par_sort_unstable();
        entries.dedup();
        let mut words: Vec<(&str, u64)> = Vec::new();
        let mut groups = Vec::new();
        for (position, (text, _)) in entries.iter().enumerate() {
            if words.last().is_none_or(|(last, _)| last != text) {
                words.push((text, groups.len() as u64));
                groups.push(position as u32);
            }
        }
        groups.push(entries.len() as u32);
        Self {
            // Ordered distinct keys written to memory: the builder has nothing to refuse.
            words: Map::from_iter(words)
                .and_then(|words| words.map_data(Array::from))
                .ok(),
            groups: groups.into(),
            ordinals: entries
                .iter()
                .map(|(_, ordinal)| *ordinal)
                .collect::<Vec<_>>()
                .into(),
            blocks: OnceLock::new(),
        }
    }

    /// Pushes up to `limit` ordinals whose string begins with the probe, in the order of the strings.
    pub fn prefix(&self, probe: &str, limit: usize, out: &mut Vec<Ordinal>) {
        let mut room = limit;
        let Some(words) = &self.words else {
            return;
        };
        // Most beginnings begin nothing: walking along them says so at less cost than a stream.
        let words_fst = words.as_fst();
        let mut node = words_fst.root();
        for byte in probe.bytes() {
            let Some(next) = node.find_input(byte) else {
                return;
            };
            node = words_fst.node(node.transition_addr(next));
        }
        let mut stream = words.range().ge(probe).into_stream();
        while let Some((word, group)) = stream.next() {
            if room == 0 || !word.starts_with(probe.as_bytes()) {
                return;
            }
            self.push(group, &mut room, out);
        }
    }

    /// Pushes up to `limit` ordinals whose string contains the probe, in the order of the strings. Reads every string the
    /// first time, for a probe of fewer than four bytes and where there are few, otherwise the stretches whose signatures
    /// have all its runs.
    pub fn containing(&self, probe: &str, limit: usize, out: &mut Vec<Ordinal>) {
        let Some(words) = &self.words else {
            return;
        };
        let stretches = match words.len() < BLOCKS_FROM {
            true => vec![(&[][..], words.len())],
            false => {
                let blocks = self.blocks.get_or_init(|| Arc::new(Blocks::of(words)));
                blocks.stretches(probe)
            }
        };
        self.containing_in(&stretches, probe, limit, out);
    }

    /// Pushes those of some stretches, which are told by their first string and length.
    fn containing_in(
        &self,
        stretches: &[(&[u8], usize)],
        probe: &str,
        limit: usize,
        out: &mut Vec<Ordinal>,
    ) {
        let Some(words) = &self.words else {
            return;
        };
        let mut room = limit;
        for (first, len) in stretches {
            let mut stream = words.range().ge(first).into_stream();
            for _ in 0..*len {
                if room == 0 {
                    return;
                }
                let Some((word, group)) = stream.next() else {
                    break;
                };
                if std::str::from_utf8(word).is_ok_and(|text| text.contains(probe)) {
                    self.push(group, &mut room, out);
                }
            }
        }
    }

    /// Pushes up to `limit` ordinals whose string is within `distance` of the probe as `osa_within` counts, the nearest
    /// first, then in the order of the strings. Distances beyond 7 count as 7.
    ///
    /// The cost grows about tenfold with each step of distance, up to reading the whole dictionary.
    pub fn fuzzy(&self, probe: &str, distance: usize, limit: usize, out: &mut Vec<Ordinal>) {
        let letters: Vec<char> = probe.chars().collect();
        let mut room = limit;
        let Some(words) = &self.words else {
            return;
        };
        for max in 0..=distance.min(BAND_MAX) {
            let near = Near {
                probe: &letters,
                max,
            };
            let mut stream = words.search(&near).into_stream();
            while let Some((_, group)) = stream.next() {
                if room == 0 {
                    return;
                }
                self.push(group, &mut room, out);
            }
        }
    }

    /// Puts the transducer and the arrays as sections `name.*`.
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) {
        let words = self.words.as_ref().map(|words| words.as_fst().as_bytes());
        sections.put(&format!("{name}.words"), words.unwrap_or(&[]));
        put_array(sections, name, "groups", &self.groups);
        put_array(sections, name, "ordinals", &self.ordinals);
    }

    /// Returns what was stored under `name`, or `None` if sections are missing, damaged or do not fit each other.
    ///
    /// Reads the whole transducer once to check its sum, since `fst` panics on bytes it did
    /// not write.
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> {
        let bytes = stored.array::<u8>(&format!("{name}.words"))?;
        let words = if bytes.is_empty() {
            None
        } else {
            let words = Map::new(bytes).ok()?;
            words.as_fst().verify().ok()?;
            Some(words)
        };
        let loaded = Self {
            groups: stored.array(&format!("{name}.groups"))?,
            ordinals: stored.array(&format!("{name}.ordinals"))?,
            words,
            blocks: OnceLock::new(),
        };
        let groups = loaded.words.as_ref().map_or(0, |words| words.len() + 1);
        (loaded.groups.len() == groups).then_some(loaded)
    }

    /// Returns the bytes of the transducer and the arrays.
    pub fn bytes(&self) -> usize {
        let words = self.words.as_ref().map_or(0, |words| words.as_fst().size());
        let blocks = self.blocks.get().map_or(0, |blocks| blocks.bytes());
        words + blocks + (self.groups.len() + self.ordinals.len()) * 4
    }

    /// Returns the ordinals of one group.
    fn group(&self, group: u64) -> &[Ordinal] {
        let group = group as usize;
        let groups: &[u32] = &self.groups;
        let bounds = groups.get(group).zip(groups.get(group.saturating_add(1)));
        bounds
            .and_then(|(start, end)| self.ordinals.get(*start as usize..*end as usize))
            .unwrap_or(&[])
    }

    /// Pushes one group as far as there is room.
    fn push(&self, group: u64, room: &mut usize, out: &mut Vec<Ordinal>) {
        let before = out.len();
        out.extend(self.group(group).iter().take(*room));
        *room -= out.len() - before;
    }
}

/// Accepts the strings at exactly `max` edits from the probe.
struct Near<'a> {
    probe: &'a [char],
    max: usize,
}

/// Where the walk stands: the row of the edit table, and the character of which some bytes are still to come.
#[derive(Clone, Copy)]
struct Progress {
    band: Band<char>,
    bits: u32,
    bytes_left: u32,
}

impl Automaton for Near<'_> {
    type State = Progress;

    fn start(&self) -> Progress {
        Progress {
            band: Band::start(self.max, self.probe.len()),
            bits: 0,
            bytes_left: 0,
        }
    }

    fn is_match(&self, state: &Progress) -> bool {
        state.bytes_left == 0 && state.band.distance(self.probe.len()) == Some(self.max)
    }

    fn can_match(&self, state: &Progress) -> bool {
        state.band.can_match()
    }

    fn accept(&self, state: &Progress, byte: u8) -> Progress {
        // UTF-8: a leading byte has as many high ones as the character has bytes, a continuing byte brings six bits.
        let (bits, bytes_left) = match byte.leading_ones() {
            0 => (u32::from(byte), 0),
            1 => (
                (state.bits << 6) | u32::from(byte & 0x3f),
                state.bytes_left.saturating_sub(1),
            ),
            bytes => (u32::from(byte) & (0x7f >> bytes.min(7)), bytes - 1),
        };
        let mut next = Progress {
            band: state.band,
            bits,
            bytes_left,
        };
        if bytes_left == 0 {
            let letter = char::from_u32(bits).unwrap_or(char::REPLACEMENT_CHARACTER);
            next.band = state.band.step(letter, self.probe);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCKS_FROM, Blocks, Dictionary};
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn equals_linear_scan(
            strings in proptest::collection::vec("[abя\u{1f600}]{0,7}", 0..200),
            probe in "[abя\u{1f600}]{0,6}",
            distance in 0usize..5,
            limit in 0usize..30,
        ) {
            let mut entries: Vec<(String, u32)> = strings.into_iter().zip(0u32..).collect();
            let index = Dictionary::build(entries.clone());
            entries.sort();
            let scan = |keep: &dyn Fn(&str) -> bool| -> Vec<u32> {
                entries.iter().filter(|(text, _)| keep(text)).map(|(_, ordinal)| *ordinal).collect()
            };
            let cut = |mut all: Vec<u32>| { all.truncate(limit); all };
            let mut found = Vec::new();
            index.prefix(&probe, limit, &mut found);
            prop_assert_eq!(&found, &cut(scan(&|text| text.starts_with(&probe))));
            found.clear();
            index.containing(&probe, limit, &mut found);
            let containing = cut(scan(&|text| text.contains(&probe)));
            prop_assert_eq!(&found, &containing);
            if let Some(words) = &index.words {
                found.clear();
                index.containing_in(&Blocks::of(words).stretches(&probe), &probe, limit, &mut found);
                prop_assert_eq!(&found, &containing);
            }
            found.clear();
            index.fuzzy(&probe, distance, limit, &mut found);
            let rings = (0..=distance).flat_map(|d| scan(&|text| strsim::osa_distance(text, &probe) == d));
            prop_assert_eq!(&found, &cut(rings.collect()));
        }
    }

    #[test]
    fn a_long_dictionary_tells_all_words_with_a_part() {
        let of = |ordinal: u32| format!("{}_{}", ordinal % 97, ordinal * 7_919 % 10_007);
        let mut entries: Vec<(String, u32)> = (0..2 * BLOCKS_FROM as u32)
            .map(|ordinal| (of(ordinal), ordinal))
            .collect();
        let index = Dictionary::build(entries.clone());
        entries.sort();
        for (part, limit) in [
            ("_791", 99),
            ("_7919", 9),
            ("55", 20_000),
            ("6_50", 7),
            ("", 30),
            ("none", 5),
        ] {
            let with = entries.iter().filter(|(text, _)| text.contains(part));
            let expected: Vec<u32> = with.map(|(_, ordinal)| *ordinal).take(limit).collect();
            let mut found = Vec::new();
            index.containing(part, limit, &mut found);
            assert_eq!(found, expected, "{part}");
            assert_eq!(part == "none", found.is_empty());
        }
        assert!(index.blocks.get().is_some());
    }
}

//! What do the indexes cost at a million entries? Ignored tests that print figures; they judge nothing.
//!
//! Run with `cargo test --release figures -- --ignored --nocapture --test-threads 1`. Seeded, no input files.

#![expect(clippy::print_stdout, reason = "figures are for a reader")]

use crate::index::{
    Containment, Deletes, Dictionary, HammingIndex, Loose, Postings, distance_max, osa_within,
};
use std::time::Instant;

const ENTRIES: u32 = 1_000_000;
const PROBES: usize = 5_000;

/// A reproducible stream of numbers (xorshift64*, Vigna 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    /// A handle of one to three stems and now and then a numeric tail, about 11 characters, as the crowd writes them.
    fn handle(&mut self) -> String {
        const SYLLABLES: [&str; 40] = [
            "al", "ah", "mad", "kha", "ni", "sho", "aib", "za", "far", "bal", "och", "re", "al",
            "news", "mu", "ham", "ali", "raz", "noor", "fa", "ti", "ma", "sa", "ra", "ka", "shif",
            "um", "er", "ta", "riq", "mir", "ja", "ved", "gul", "pa", "ki", "sta", "off", "ici",
            "xo",
        ];
        let mut text = String::new();
        for _ in 0..2 + self.below(5) {
            text.push_str(SYLLABLES[self.below(40)]);
        }
        if self.below(3) == 0 {
            text.push_str(&self.below(10_000).to_string());
        } else {
            text.push((b'a' + self.below(26) as u8) as char);
        }
        text
    }

    fn edited(&mut self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        for _ in 0..self.below(3) {
            let place = self.below(letters.len());
            letters[place] = (b'a' + self.below(26) as u8) as char;
        }
        letters.into_iter().collect()
    }
}

/// Prints median and 99th percentile of `probe(0..PROBES)` in microseconds, after one warming round.
fn report(
    title: &str,
    seconds: f64,
    bytes: usize,
    entries: usize,
    mut probe: impl FnMut(usize) -> usize,
) {
    let mut times = Vec::new();
    let warmed: usize = (0..PROBES).map(&mut probe).sum();
    let mut found = 0;
    for at in 0..PROBES {
        let start = Instant::now();
        found += probe(at);
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{title}: build {seconds:.2} s, {:.1} bytes each, p50 {:.1} us, p99 {:.1} us, mean found {:.1}",
        bytes as f64 / entries as f64,
        times[PROBES / 2],
        times[PROBES * 99 / 100],
        found as f64 / PROBES as f64,
    );
    assert_eq!(found, warmed);
}

#[test]
#[ignore = "prints figures"]
fn postings() {
    let mut numbers = Numbers(7);
    let list: Vec<(u64, u32)> = (0..20 * ENTRIES)
        .map(|place| (numbers.next(), place / 20))
        .collect();
    let probes: Vec<u64> = (0..PROBES)
        .map(|_| list[numbers.below(list.len())].0)
        .collect();
    let start = Instant::now();
    let index = Postings::build(list);
    let seconds = start.elapsed().as_secs_f64();
    report("postings, 20M", seconds, index.bytes(), 20_000_000, |at| {
        index.get(probes[at]).len()
    });
}

/// Twenty keys an entry, one of them carried by all; 40 keys a look-up.
#[test]
#[ignore = "prints figures"]
fn loose() {
    let key = |ordinal: u32, place: u32| match place {
        0 => 1,
        _ => Numbers(u64::from(ordinal * 20 + place + 1)).next(),
    };
    let start = Instant::now();
    let index = Loose::build(|then| {
        for ordinal in 0..ENTRIES {
            (0..20).for_each(|place| then(key(ordinal, place), ordinal));
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut numbers = Numbers(7);
    let probes: Vec<Vec<u64>> = (0..PROBES)
        .map(|_| {
            let ordinals = [(); 2].map(|()| numbers.below(ENTRIES as usize) as u32);
            let keys = ordinals
                .iter()
                .flat_map(|at| (0..20).map(|place| key(*at, place)));
            keys.collect()
        })
        .collect();
    report("loose, 20M", seconds, index.bytes(), 20_000_000, |at| {
        let mut found = 0;
        index.get(&probes[at], 256, |_, ordinals| found += ordinals.len());
        found
    });
}

/// A million times the same handle: what someone does who wants every look-up to take long.
#[test]
#[ignore = "prints figures"]
fn crowd() {
    let entries: Vec<(&str, u32)> = (0..ENTRIES)
        .map(|ordinal| ("mirrorwatch", ordinal))
        .collect();
    let start = Instant::now();
    let index = Deletes::build(&entries);
    let (seconds, bytes, len) = (start.elapsed().as_secs_f64(), index.bytes(), entries.len());
    let mut out = Vec::new();
    for limit in [256, 16] {
        let title = format!("deletes, all equal, limit {limit}");
        report(&title, seconds, bytes, len, |_| {
            out.clear();
            index.candidates("mirrorwatsh", limit, &mut out)
        });
    }
}

/// A million handles, and probes of which half are new and half stored ones with up to two letters changed.
fn handles() -> (Vec<(String, u32)>, Vec<String>) {
    let mut numbers = Numbers(7);
    let entries: Vec<(String, u32)> = (0..ENTRIES)
        .map(|ordinal| (numbers.handle(), ordinal))
        .collect();
    let mut probes = Vec::new();
    for _ in 0..PROBES / 2 {
        probes.push(numbers.handle());
        let at = numbers.below(entries.len());
        probes.push(numbers.edited(&entries[at].0));
    }
    let letters: usize = entries.iter().map(|(text, _)| text.len()).sum();
    println!("mean length {:.1}", letters as f64 / f64::from(ENTRIES));
    (entries, probes)
}

#[test]
#[ignore = "prints figures"]
fn deletes() {
    let (entries, probes) = handles();
    let start = Instant::now();
    let index = Deletes::build(&entries);
    let (seconds, bytes, len) = (start.elapsed().as_secs_f64(), index.bytes(), entries.len());
    let mut out = Vec::new();
    report("deletes, candidates", seconds, bytes, len, |at| {
        out.clear();
        index.candidates(&probes[at], usize::MAX, &mut out);
        out.len()
    });
    report("deletes, verified", seconds, bytes, len, |at| {
        out.clear();
        index.candidates(&probes[at], usize::MAX, &mut out);
        let is_near = |ordinal: &&u32| {
            let text = &entries[**ordinal as usize].0;
            let max = distance_max(probes[at].len().min(text.len()));
            osa_within(&probes[at], text, max).is_some()
        };
        out.iter().filter(is_near).count()
    });
}

#[test]
#[ignore = "prints figures"]
fn containment() {
    let (entries, probes) = handles();
    let start = Instant::now();
    let index = Containment::build(&entries);
    let (seconds, bytes, len) = (start.elapsed().as_secs_f64(), index.bytes(), entries.len());
    let mut out = Vec::new();
    report("containment", seconds, bytes, len, |at| {
        out.clear();
        index.contained_in(&probes[at], usize::MAX, &mut out);
        out.len()
    });
}

#[test]
#[ignore = "prints figures"]
fn dictionary() {
    let (entries, probes) = handles();
    let start = Instant::now();
    let index = Dictionary::build(entries);
    let (seconds, bytes) = (start.elapsed().as_secs_f64(), index.bytes());
    let mut out = Vec::new();
    report("prefix", seconds, bytes, ENTRIES as usize, |at| {
        out.clear();
        index.prefix(&probes[at], 20, &mut out);
        out.len()
    });
    for distance in 1..=3 {
        let start = Instant::now();
        for probe in probes.iter().take(20) {
            out.clear();
            index.fuzzy(probe, distance, 100, &mut out);
        }
        let milliseconds = start.elapsed().as_secs_f64() * 1e3 / 20.0;
        println!("fuzzy {distance}: mean {milliseconds:.2} ms");
    }
    // The first makes the blocks; then a part of none and one of many.
    for part in ["qqqqq", "qqqqq", "ahmed"] {
        let start = Instant::now();
        out.clear();
        index.containing(part, 100, &mut out);
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        println!("containing {part}: {} in {milliseconds:.1} ms", out.len());
    }
}

/// Half of the values random, half in clusters of 50 around a centre at up to 40 bits, as re-used pictures lie.
fn hashes<const W: usize>(title: &str, cluster_bits: usize, distance: u32) {
    let mut numbers = Numbers(7);
    let mut centre = [0u64; W];
    let entries: Vec<([u64; W], u32)> = (0..ENTRIES)
        .map(|ordinal| {
            let mut value: [u64; W] = std::array::from_fn(|_| numbers.next());
            if ordinal % 50 == 0 {
                centre = value;
            } else if ordinal % 2 == 0 {
                value = centre;
                for _ in 0..numbers.below(cluster_bits + 1) {
                    let bit = numbers.below(64 * W);
                    value[bit / 64] ^= 1 << (bit % 64);
                }
            }
            (value, ordinal)
        })
        .collect();
    let probes: Vec<[u64; W]> = (0..PROBES)
        .map(|_| entries[numbers.below(entries.len())].0)
        .collect();
    let start = Instant::now();
    let index = HammingIndex::build(entries);
    let seconds = start.elapsed().as_secs_f64();
    let mut out = Vec::new();
    report(title, seconds, index.bytes(), ENTRIES as usize, |at| {
        out.clear();
        index.within(&probes[at], distance, usize::MAX, &mut out);
        out.len()
    });
}

#[test]
#[ignore = "prints figures"]
fn hamming() {
    hashes::<4>("hamming, 4 words, distance 31", 40, 31);
    hashes::<4>("hamming, 4 words, distance 15", 40, 15);
    hashes::<1>("hamming, 1 word, distance 3", 6, 3);
}

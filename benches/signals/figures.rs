//! Times of look-ups beside times of scans, and how they are told.
//!
//! Every probe is looked up twice and the first round is not counted; a few are scanned for, and the answers compared.

use std::hint::black_box;
use std::time::Instant;

use mirrorwatch::internals::Ordinal;
use serde_json::json;

/// Probes that are also scanned for: a scan of handles takes some 100 ms at a million.
const SCANS: usize = 20;

/// What one signal cost.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    signal: &'static str,
    entries: usize,
    probes: usize,
    /// Seconds to build, on all cores where the index uses them.
    pub(crate) build_s: f64,
    bytes_each: f64,
    p50_us: f64,
    p99_us: f64,
    mean_us: f64,
    found: usize,
    scan_us: f64,
    differences: usize,
}

impl Figures {
    /// The names of the columns.
    pub(crate) fn heading() -> String {
        format!(
            "{:<22} {:>10} {:>8} {:>8} {:>9} {:>9} {:>9} {:>12} {:>9} {:>11}",
            "signal",
            "entries",
            "build s",
            "bytes",
            "p50 us",
            "p99 us",
            "found",
            "scan us",
            "ratio",
            "differences"
        )
    }

    /// One line of the table.
    pub(crate) fn row(&self) -> String {
        format!(
            "{:<22} {:>10} {:>8.2} {:>8.1} {:>9.2} {:>9.2} {:>9.1} {:>12.0} {:>8.0}x {:>11}",
            self.signal,
            self.entries,
            self.build_s,
            self.bytes_each,
            self.p50_us,
            self.p99_us,
            self.found as f64 / self.probes.max(1) as f64,
            self.scan_us,
            self.scan_us / self.mean_us,
            self.differences,
        )
    }

    /// One line of JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({
            "signal": self.signal, "entries": self.entries, "probes": self.probes,
            "build_s": self.build_s, "bytes_each": self.bytes_each, "p50_us": self.p50_us,
            "p99_us": self.p99_us, "mean_us": self.mean_us, "found": self.found,
            "scan_us": self.scan_us, "ratio": self.scan_us / self.mean_us,
            "differences": self.differences,
        })
    }
}

/// Builds, then looks up every probe twice (the first round warms), then scans for a few and compares.
pub(crate) fn measure<T, I, P>(
    signal: &'static str,
    entries: &[T],
    probes: &[P],
    build: impl FnOnce() -> (I, usize),
    look_up: impl Fn(&I, &P, &mut Vec<Ordinal>),
    scan: impl Fn(&P, &mut Vec<Ordinal>),
) -> Figures {
    let (index, mut figures) = built(signal, entries, probes, build, &look_up);
    // Evenly spread, so that both halves of the probes are scanned for.
    let mut scans = 0;
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    for probe in probes.iter().step_by((probes.len() / SCANS).max(1) | 1) {
        expected.clear();
        found.clear();
        let start = Instant::now();
        scan(probe, &mut expected);
        figures.scan_us += start.elapsed().as_secs_f64() * 1e6;
        scans += 1;
        look_up(&index, probe, &mut found);
        expected.sort_unstable();
        found.sort_unstable();
        figures.differences += usize::from(expected != found);
    }
    figures.scan_us /= f64::from(scans.max(1));
    figures
}

/// Builds, and looks up every probe twice (the first round warms).
fn built<T, I, P>(
    signal: &'static str,
    entries: &[T],
    probes: &[P],
    build: impl FnOnce() -> (I, usize),
    look_up: impl Fn(&I, &P, &mut Vec<Ordinal>),
) -> (I, Figures) {
    let start = Instant::now();
    let (index, bytes) = build();
    let mut figures = Figures {
        signal,
        entries: entries.len(),
        probes: probes.len(),
        build_s: start.elapsed().as_secs_f64(),
        bytes_each: bytes as f64 / entries.len().max(1) as f64,
        ..Figures::default()
    };
    timed(&mut figures, probes, |probe, out| {
        look_up(&index, probe, out)
    });
    (index, figures)
}

fn timed<P>(figures: &mut Figures, probes: &[P], look_up: impl Fn(&P, &mut Vec<Ordinal>)) {
    let mut out = Vec::new();
    let mut times = Vec::with_capacity(probes.len());
    for round in 0..2 {
        for probe in probes {
            out.clear();
            let start = Instant::now();
            look_up(black_box(probe), &mut out);
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e6);
                figures.found += black_box(&out).len();
            }
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(0.0);
    (figures.p50_us, figures.p99_us) = (at(50), at(99));
    figures.mean_us = times.iter().sum::<f64>() / times.len().max(1) as f64;
}

/// Builds, looks up every probe twice, and keeps what was found for each.
pub(crate) fn answered<T, I, P>(
    signal: &'static str,
    entries: &[T],
    probes: &[P],
    build: impl FnOnce() -> (I, usize),
    look_up: impl Fn(&I, &P, &mut Vec<Ordinal>),
) -> (Figures, Vec<Vec<Ordinal>>) {
    let (index, figures) = built(signal, entries, probes, build, &look_up);
    let answer = |probe: &P| {
        let mut out = Vec::new();
        look_up(&index, probe, &mut out);
        out
    };
    (figures, probes.iter().map(answer).collect())
}

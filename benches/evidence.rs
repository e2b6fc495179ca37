//! What is each relation worth? Counts of (signal, relation, surprise) on labelled probes, and the log-likelihood ratio
//! they make: the measurement behind the rows of `score::model`.
//!
//! Data: any population of `scripts/population` (seed in its command line), enrolled beforehand.
//! Run: `cargo bench --bench evidence -- DATABASE PROBES.ndjson`; without arguments it does nothing.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

use std::collections::BTreeMap;
use std::path::Path;

use mirrorwatch::{Access, Engine, Input, Labelled, Level, Options, Parser};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

/// Width of a bin of surprise, in bits.
const BIN_BITS: f32 = 2.0;

/// Pairs by signal, relation and bin: of ordinary probes with any entry, of mirrors with the right one.
type Counts = BTreeMap<(&'static str, String, i32), (u64, u64)>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [database, probes] = arguments.as_slice() else {
        return Ok(());
    };
    let options = Options {
        access: Access::Read,
        all_candidates: true,
        hits_max: usize::MAX,
        ..Options::default()
    };
    let engine = Engine::open(Path::new(database), options)?;
    let input = Input::new(Path::new(probes), None)?;
    let parser = Parser::new(input.folder());
    let labelled: Vec<Labelled> = input
        .lines(|_| ())?
        .filter_map(|line| parser.parse(line.body.ok()?).ok())
        .collect();
    let counted: Vec<Counts> = labelled
        .par_iter()
        .map(|probe| counts(&engine, probe))
        .collect();
    let mut sums = Counts::new();
    for (key, (ordinary, mirrors)) in counted.into_iter().flatten() {
        let sum = sums.entry(key).or_default();
        sum.0 += ordinary;
        sum.1 += mirrors;
    }
    let mirrors = labelled
        .iter()
        .filter(|probe| probe.mirror_of.is_some())
        .count() as f64;
    let pairs = (labelled.len() as f64 - mirrors) * f64::from(engine.generation().entries());
    println!(
        "{:8} {:12} {:>4} {:>9} {:>7} {:>7}",
        "signal", "relation", "from", "ordinary", "mirrors", "bits"
    );
    for ((signal, relation, bin), (u, m)) in sums {
        let bits = ((m as f64 + 0.3) / mirrors).log2() - ((u as f64 + 0.3) / pairs).log2();
        println!("{signal:8} {relation:12} {bin:>4} {u:>9} {m:>7} {bits:>7.1}");
    }
    Ok(())
}

fn counts(engine: &Engine, probe: &Labelled) -> Counts {
    let mut counts = Counts::new();
    for hit in engine.screen(&probe.account).hits {
        let is_right = probe.mirror_of.as_deref() == Some(hit.entry.id.as_str());
        if probe.mirror_of.is_some() != is_right {
            continue;
        }
        for (signal, comparison) in hit.evidence.iter() {
            if comparison.relation.level() <= Level::Different {
                continue;
            }
            let bin = (comparison.surprise / BIN_BITS) as i32 * BIN_BITS as i32;
            let key = (signal.as_str(), format!("{:?}", comparison.relation), bin);
            let count = counts.entry(key).or_default();
            if is_right { count.1 += 1 } else { count.0 += 1 }
        }
    }
    counts
}

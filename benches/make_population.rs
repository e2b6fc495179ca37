//! Writes the seeded population of `population/` as NDJSON: `entries.ndjson`, and `probes.ndjson` with mirrors (`mirror_of`
//! names their entry) followed by strangers (`mirror_of` is null), ready for `enroll`, `screen` and `evaluate`; with
//! `--background N` also `background.ndjson`, other strangers for `background` to count: the words are invented, so the
//! starter background knows none of them.
//!
//! Data: invented, from the seed alone (default 7); ten million entries are about 5 GB and two minutes on two cores.
//! Run: `cargo bench --bench population -- [--entries N] [--ordinary N] [--mirrors N] [--background N]
//! [--seed S] --out FOLDER`; without a folder it does nothing.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

mod population;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use population::{Population, ndjson};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Records that one task makes, and tasks of one round: what is held in memory is their product, about 60 MB.
const BLOCK: u64 = 4_096;
const BLOCKS: u64 = 32;

struct Arguments {
    entries: u64,
    ordinary: u64,
    mirrors: u64,
    background: u64,
    seed: u64,
    out: Option<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let arguments = arguments()?;
    let Some(folder) = arguments.out else {
        return Ok(());
    };
    let start = Instant::now();
    std::fs::create_dir_all(&folder)?;
    let people = Population::new(arguments.seed, arguments.entries);
    let entries = folder.join("entries.ndjson");
    write(&entries, arguments.entries, &|n| ndjson(&people.entry(n)))?;
    let (mirrors, ordinary) = (arguments.mirrors, arguments.ordinary);
    let probe = |n: u64| {
        let (draft, label) = match n.checked_sub(mirrors) {
            None => {
                let (draft, of) = people.mirror(n);
                (draft, json!(people.entry(of).id))
            }
            Some(stranger) => (people.ordinary(stranger), Value::Null),
        };
        let mut record = ndjson(&draft);
        if let Some(fields) = record.as_object_mut() {
            fields.insert("mirror_of".to_owned(), label);
        }
        record
    };
    write(&folder.join("probes.ndjson"), mirrors + ordinary, &probe)?;
    if arguments.background > 0 {
        let others = |n| ndjson(&people.ordinary(ordinary + n));
        write(
            &folder.join("background.ndjson"),
            arguments.background,
            &others,
        )?;
    }
    println!(
        "{} entries, {mirrors} mirrors, {ordinary} ordinary accounts, seed {}, in {:.1} s: {}",
        arguments.entries,
        arguments.seed,
        start.elapsed().as_secs_f64(),
        folder.display(),
    );
    Ok(())
}

/// Writes `record(0..count)` in order, made on all cores.
fn write(path: &Path, count: u64, record: &(dyn Fn(u64) -> Value + Sync)) -> Result<(), Failure> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut from = 0;
    while from < count {
        let to = count.min(from + BLOCK * BLOCKS);
        let blocks: Result<Vec<Vec<u8>>, Failure> = (0..(to - from).div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let first = from + block * BLOCK;
                let mut lines = Vec::new();
                for n in first..to.min(first + BLOCK) {
                    serde_json::to_writer(&mut lines, &record(n))?;
                    lines.push(b'\n');
                }
                Ok(lines)
            })
            .collect();
        for lines in blocks? {
            file.write_all(&lines)?;
        }
        from = to;
    }
    file.flush()?;
    Ok(())
}

fn arguments() -> Result<Arguments, Failure> {
    let mut read = Arguments {
        entries: 100_000,
        ordinary: 10_000,
        mirrors: 1_000,
        background: 0,
        seed: 7,
        out: None,
    };
    let mut given = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(flag) = given.next() {
        let value = given
            .next()
            .ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--entries" => read.entries = value.parse()?,
            "--ordinary" => read.ordinary = value.parse()?,
            "--mirrors" => read.mirrors = value.parse()?,
            "--background" => read.background = value.parse()?,
            "--seed" => read.seed = value.parse()?,
            "--out" => read.out = Some(value.into()),
            _ => return Err(format!("unknown argument {flag}").into()),
        }
    }
    Ok(read)
}

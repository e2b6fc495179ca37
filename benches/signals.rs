//! What does each index cost, one signal at a time, beside a linear scan of the same data in the same run?
//!
//! Data: `population/`, seed 7: handles, pictures and links of 100,000 and 1,000,000 entries (or `--entries N`, as often as
//! wanted); half of the probes are entries' values changed as mirrors change them, half strangers'. Times are of one
//! thread, a look-up with its verification; `differences` are probes where index and scan disagree: it must be 0.
//! Run: `cargo bench --bench signals -- [--entries N]... [--probes N] [--seed S] [--json FILE]`.
//!
//! For `scripts/bench-peers`, on given data, a value a line: `--strings FILE --probes FILE` (distance as `distance_max`
//! has it), `--hashes FILE --probes FILE` (hex PDQ, distance 31), `--bios FILE --probes FILE` (accounts with nothing but a
//! bio, through the whole engine). Prints one JSON object; `--answers FILE` writes what was found, a line a probe.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

#[path = "signals/calls.rs"]
mod calls;
#[path = "signals/figures.rs"]
mod figures;
mod population;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use calls::{
    Handles, PREFIX_LIMIT, Picture, containment, deletes, dictionary, hamming, handles_within,
    is_contained, is_near, is_near_picture, near_handles, near_pictures, postings, scan,
    scan_prefix,
};
use fastrand::Rng;
use figures::{Figures, answered, measure};
use mirrorwatch::internals::{Deletes, Ordinal};
use mirrorwatch::{Access, Account, AccountDraft, Engine, Options};
use population::{Population, changed_handle, changed_picture};
use xxhash_rust::xxh3::xxh3_64;

type Failure = Box<dyn std::error::Error>;

const PREFIX_LEN: usize = 6;
/// Entries enrolled in one call.
const ENROLLED_LEN: usize = 20_000;

/// A handle as the indexes hold it: lower case, separators off.
fn plain(handle: &str) -> String {
    let kept = handle.chars().filter(|letter| letter.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

fn words_of(pdq: &[u8; 32]) -> Picture {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(pdq.chunks_exact(8)) {
        *word = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    words
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::read()?;
    if let Some((kind, file)) = &arguments.given {
        return on_given(kind, file, &arguments);
    }
    let sizes = match arguments.entries.as_slice() {
        [] => &[100_000, 1_000_000],
        sizes => sizes,
    };
    println!("seed {}, one thread, times per look-up", arguments.seed);
    println!("{}", Figures::heading());
    let mut lines = Vec::new();
    for size in sizes {
        let people = Population::new(arguments.seed, *size);
        let mut rng = Rng::with_seed(arguments.seed);
        for figures in on_handles(&people, *size, arguments.probe_count, &mut rng) {
            println!("{}", figures.row());
            lines.push(figures.json().to_string());
        }
        for figures in on_keys(&people, *size, arguments.probe_count, &mut rng) {
            println!("{}", figures.row());
            lines.push(figures.json().to_string());
        }
    }
    if let Some(file) = &arguments.json {
        fs::write(file, lines.join("\n") + "\n")?;
    }
    Ok(())
}

fn on_handles(people: &Population, size: u64, count: usize, rng: &mut Rng) -> Vec<Figures> {
    let entries: Handles = (0..size)
        .map(|n| (plain(&people.entry(n).handle), n as Ordinal))
        .collect();
    let probes: Vec<String> = (0..count as u64)
        .map(|n| match n % 2 {
            0 => plain(&people.ordinary(n).handle),
            _ => plain(&changed_handle(&people.entry(rng.u64(..size)).handle, rng)),
        })
        .collect();
    let prefixes: Vec<String> = probes
        .iter()
        .map(|probe| probe.chars().take(PREFIX_LEN).collect())
        .collect();
    vec![
        measure(
            "handle, distance 0-2",
            &entries,
            &probes,
            || deletes(&entries),
            |index, probe, out| near_handles(index, &entries, probe, out),
            |probe, out| scan(&entries, |text| is_near(probe, text), out),
        ),
        measure(
            "handle, contained",
            &entries,
            &probes,
            || containment(&entries),
            |index, probe, out| handles_within(index, &entries, probe, out),
            |probe, out| scan(&entries, |text| is_contained(probe, text), out),
        ),
        measure(
            "handle, prefix of 6",
            &entries,
            &prefixes,
            || dictionary(&entries),
            |index, probe, out| index.prefix(probe, PREFIX_LIMIT, out),
            |probe, out| scan_prefix(&entries, probe, out),
        ),
    ]
}

fn on_keys(people: &Population, size: u64, count: usize, rng: &mut Rng) -> Vec<Figures> {
    let mut pictures = Vec::new();
    let mut keys = Vec::new();
    for n in 0..size {
        let entry = people.entry(n);
        pictures.extend(
            entry
                .avatar
                .map(|avatar| (words_of(&avatar.pdq), n as Ordinal)),
        );
        keys.extend(
            entry
                .links
                .iter()
                .map(|link| (xxh3_64(link.as_bytes()), n as Ordinal)),
        );
    }
    let picture_probes: Vec<Picture> = (0..)
        .filter_map(|n| match n % 2 {
            0 => people.ordinary(n).avatar,
            _ => Some(changed_picture(
                people.entry(rng.u64(..size)).avatar?,
                24,
                rng,
            )),
        })
        .map(|avatar| words_of(&avatar.pdq))
        .take(count)
        .collect();
    let key_probes: Vec<u64> = (0..)
        .filter_map(|n| match n % 2 {
            0 => people.ordinary(n).links.pop(),
            _ => people.entry(rng.u64(..size)).links.pop(),
        })
        .map(|link| xxh3_64(link.as_bytes()))
        .take(count)
        .collect();
    vec![
        measure(
            "picture, distance 31",
            &pictures,
            &picture_probes,
            || hamming(&pictures),
            near_pictures,
            |probe, out| scan(&pictures, |value| is_near_picture(probe, value), out),
        ),
        measure(
            "link, same key",
            &keys,
            &key_probes,
            || postings(&keys),
            |index, probe, out| out.extend_from_slice(index.get(*probe)),
            |probe, out| scan(&keys, |key| key == probe, out),
        ),
    ]
}

/// Measures on the caller's data, without a scan.
fn on_given(kind: &str, file: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let probes = arguments
        .probes
        .as_ref()
        .ok_or("--probes FILE is missing")?;
    let (entries, probes) = (lines(file)?, lines(probes)?);
    let (figures, answers) = match kind {
        "--strings" => {
            let entries: Handles = entries.into_iter().zip(0..).collect();
            let look_up = |index: &Deletes, probe: &String, out: &mut Vec<Ordinal>| {
                near_handles(index, &entries, probe, out);
            };
            answered("strings", &entries, &probes, || deletes(&entries), look_up)
        }
        "--hashes" => {
            let entries: Vec<Picture> = entries
                .iter()
                .map(|text| parsed(text))
                .collect::<Result<_, _>>()?;
            let entries: Vec<(Picture, Ordinal)> = entries.into_iter().zip(0..).collect();
            let probes: Vec<Picture> = probes
                .iter()
                .map(|text| parsed(text))
                .collect::<Result<_, _>>()?;
            answered(
                "hashes",
                &entries,
                &probes,
                || hamming(&entries),
                near_pictures,
            )
        }
        _ => on_bios(&entries, &probes)?,
    };
    if let Some(file) = &arguments.answers {
        let mut file = BufWriter::new(File::create(file)?);
        for answer in answers {
            let ordinals: Vec<String> = answer.iter().map(Ordinal::to_string).collect();
            writeln!(file, "{}", ordinals.join(" "))?;
        }
        file.flush()?;
    }
    println!("{}", figures.json());
    Ok(())
}

/// Bios through the whole engine: parsing, rarity, candidates, comparison and score are all in the time.
fn on_bios(entries: &[String], probes: &[String]) -> Result<(Figures, Vec<Vec<Ordinal>>), Failure> {
    let folder = tempfile::tempdir()?;
    let options = Options {
        access: Access::Create,
        all_candidates: true,
        hits_max: usize::MAX,
        ..Options::default()
    };
    let account = |(bio, n): (&String, u32)| -> Result<Account, mirrorwatch::Rejection> {
        AccountDraft {
            id: n.to_string(),
            bio: bio.clone(),
            ..AccountDraft::default()
        }
        .check()
    };
    let entry_accounts: Vec<Account> = entries
        .iter()
        .zip(0..)
        .map(account)
        .collect::<Result<_, _>>()?;
    let probe_accounts: Vec<Account> = probes
        .iter()
        .zip(u32::try_from(entries.len())?..)
        .map(account)
        .collect::<Result<_, _>>()?;
    let engine = Engine::open(folder.path(), options)?;
    let ordinals: HashMap<String, Ordinal> = (0..u32::try_from(entries.len())?)
        .map(|n| (n.to_string(), n))
        .collect();
    let start = Instant::now();
    for some in entry_accounts.chunks(ENROLLED_LEN) {
        engine.enroll(some.to_vec())?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let look_up = |engine: &Engine, probe: &Account, out: &mut Vec<Ordinal>| {
        let screened = engine.screen(probe);
        let found = screened.hits.iter();
        out.extend(found.filter_map(|hit| ordinals.get(hit.entry.id.as_str())));
    };
    let (mut figures, answers) = answered(
        "bios",
        &entry_accounts,
        &probe_accounts,
        || (engine, 0),
        look_up,
    );
    figures.build_s = seconds;
    Ok((figures, answers))
}

fn lines(file: &Path) -> Result<Vec<String>, Failure> {
    Ok(fs::read_to_string(file)?
        .lines()
        .map(str::to_owned)
        .collect())
}

fn parsed(hex: &str) -> Result<Picture, Failure> {
    let mut words = [0; 4];
    for (place, word) in words.iter_mut().enumerate() {
        let digits = hex
            .get(place * 16..place * 16 + 16)
            .ok_or("expected 64 hex digits")?;
        *word = u64::from_str_radix(digits, 16)?;
    }
    Ok(words)
}

/// What was asked for on the command line.
struct Arguments {
    entries: Vec<u64>,
    probe_count: usize,
    probes: Option<PathBuf>,
    seed: u64,
    json: Option<PathBuf>,
    answers: Option<PathBuf>,
    given: Option<(String, PathBuf)>,
}

impl Arguments {
    fn read() -> Result<Self, Failure> {
        let mut read = Self {
            entries: Vec::new(),
            probe_count: 2_000,
            probes: None,
            seed: 7,
            json: None,
            answers: None,
            given: None,
        };
        let mut given = std::env::args().skip(1).filter(|arg| arg != "--bench");
        while let Some(flag) = given.next() {
            let value = given
                .next()
                .ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--entries" => read.entries.push(value.parse()?),
                "--probes" => match value.parse() {
                    Ok(count) => read.probe_count = count,
                    Err(_) => read.probes = Some(value.into()),
                },
                "--seed" => read.seed = value.parse()?,
                "--json" => read.json = Some(value.into()),
                "--answers" => read.answers = Some(value.into()),
                "--strings" | "--hashes" | "--bios" => read.given = Some((flag, value.into())),
                _ => return Err(format!("unknown argument {flag}").into()),
            }
        }
        Ok(read)
    }
}

//! How long do a record's parsing and its fingerprint take, one record at a time on one core?
//!
//! Data: the accounts of an NDJSON file: the first argument, or `MIRRORWATCH_RECORDS`, or `data/signups.ndjson`; the
//! background that ships with the program. Nothing is drawn but the broken copies of lines behind the digests (seed 7).
//! Run: `cargo bench --bench fingerprint -- FILE.ndjson`. After the times it prints a digest of every account and
//! fingerprint (and every rejection of a broken line): a change meant only for speed must not change it.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mirrorwatch::{Account, Background, Fingerprint, Format, Input, Parser, Secret};
use xxhash_rust::xxh3::Xxh3;

/// Rounds over all records; each record counts with its fastest round, so that other processes disturb little.
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().skip(1).find(|arg| arg != "--bench");
    let path = argument
        .or_else(|| std::env::var("MIRRORWATCH_RECORDS").ok())
        .unwrap_or_else(|| "data/signups.ndjson".into());
    let path = Path::new(&path);
    let parser = Parser::new(path.parent().map(PathBuf::from).unwrap_or_default());
    let (background, secret) = (Background::starter(), Secret::new([7; 32]));
    let of = |account: &Account| Fingerprint::of(account, &background, &secret);

    let accounts = parsed(path, &parser)?;
    println!("{} accounts of {}", accounts.len(), path.display());
    // The first telephone number loads the numbering plans.
    accounts.iter().take(10_000).for_each(|account| {
        black_box(of(account));
    });
    let read = |times: &mut Vec<f64>| -> Result<(), Box<dyn std::error::Error>> {
        let mut lines = Input::new(path, Some(Format::Ndjson))?.lines(|_| ())?;
        loop {
            let start = Instant::now();
            let Some(line) = lines.next() else {
                return Ok(());
            };
            let labelled = line.body.and_then(|body| parser.parse(body));
            let elapsed = start.elapsed().as_secs_f64();
            if black_box(labelled).is_ok() {
                times.push(elapsed);
            }
        }
    };
    tell("read and parse", read)?;
    let fingerprint = |times: &mut Vec<f64>| -> Result<(), Box<dyn std::error::Error>> {
        times.extend(accounts.iter().map(|account| {
            let start = Instant::now();
            black_box(of(account));
            start.elapsed().as_secs_f64()
        }));
        Ok(())
    };
    tell("fingerprint", fingerprint)?;
    let keys = |times: &mut Vec<f64>| -> Result<(), Box<dyn std::error::Error>> {
        for fingerprint in accounts.iter().map(of) {
            let start = Instant::now();
            black_box(fingerprint.leads());
            times.push(start.elapsed().as_secs_f64());
        }
        Ok(())
    };
    tell("leads", keys)?;
    digests(path, &parser, &accounts, of)
}

fn parsed(path: &Path, parser: &Parser) -> Result<Vec<Account>, Box<dyn std::error::Error>> {
    let lines = Input::new(path, Some(Format::Ndjson))?.lines(|_| ())?;
    Ok(lines
        .filter_map(|line| Some(parser.parse(line.body.ok()?).ok()?.account))
        .collect())
}

/// Prints mean, p50 and p99 of what `round` times.
fn tell(
    what: &str,
    round: impl Fn(&mut Vec<f64>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut fastest: Vec<f64> = Vec::new();
    for _ in 0..ROUNDS {
        let mut times = Vec::new();
        round(&mut times)?;
        if fastest.is_empty() {
            fastest = times;
        } else {
            for (best, time) in fastest.iter_mut().zip(times) {
                *best = best.min(time);
            }
        }
    }
    fastest.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (fastest.len() as f64 * share) as usize;
        fastest.get(index).copied().unwrap_or(0.0) * 1e6
    };
    let mean = fastest.iter().sum::<f64>() / fastest.len().max(1) as f64 * 1e6;
    println!(
        "{what:15} mean {mean:7.2} us  p50 {:7.2} us  p99 {:7.2} us",
        at(0.5),
        at(0.99)
    );
    Ok(())
}

/// Prints what must not change: a hash of the accounts, of their fingerprints, and of the answers to broken lines.
fn digests(
    path: &Path,
    parser: &Parser,
    accounts: &[Account],
    of: impl Fn(&Account) -> Fingerprint<'static>,
) -> Result<(), Box<dyn std::error::Error>> {
    let [mut accounts_sum, mut fingerprints_sum, mut broken_sum] = [(); 3].map(|()| Xxh3::new());
    for account in accounts {
        accounts_sum.update(format!("{account:?}").as_bytes());
        fingerprints_sum.update(format!("{:?}", of(account)).as_bytes());
    }
    let mut random = fastrand::Rng::with_seed(7);
    let broken = std::env::temp_dir().join(format!("broken-{}.ndjson", std::process::id()));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&broken)?);
    for line in std::fs::read(path)?.split(|byte| *byte == b'\n') {
        let mut line = line.to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..line.len().max(1));
            match line.get_mut(at) {
                Some(byte) if random.bool() => {
                    *byte = random.choice(*b"\"{}[]:,0\\xn<&\xff").unwrap_or(0)
                }
                _ => line.truncate(at.max(line.len() / 2)),
            }
        }
        file.write_all(&line)?;
        file.write_all(b"\n")?;
    }
    drop(file);
    for line in Input::new(&broken, None)?.lines(|_| ())? {
        let answer = line.body.and_then(|body| parser.parse(body));
        broken_sum.update(format!("{:?}", answer.map(|labelled| labelled.account)).as_bytes());
    }
    std::fs::remove_file(&broken)?;
    println!(
        "digests: accounts {:016x}  fingerprints {:016x}  broken lines {:016x}",
        accounts_sum.digest(),
        fingerprints_sum.digest(),
        broken_sum.digest()
    );
    Ok(())
}

//! Does screening find what comparing every entry finds?
//!
//! Data: a database that `mirrorwatch enroll` made and an NDJSON file of probes, such as `cargo bench --bench population`
//! or `scripts/evaluation` write (seeded). Each probe, taken evenly from the file, is screened, and compared with every
//! live entry; verdicts, and hits from the review threshold on with their scores, must be the same, and no entry that
//! was not compared may score above the threshold. Exit code 1 on a difference. Also the ratio of the two times.
//! Run: `cargo bench --bench oracle -- --db DIR --probes FILE [--limit N]`; without arguments it does nothing.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use mirrorwatch::internals::screen_every;
use mirrorwatch::{Access, Account, Engine, Format, Input, Options, Parser, Probe, Screened};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What one probe showed.
struct Outcome {
    differs: Option<String>,
    /// Bits by which the best entry of all is better than the best that was compared; both may be far below review.
    unseen_bits: f32,
    is_flagged: bool,
    screened_us: f64,
    every_us: f64,
}

fn main() -> Result<ExitCode, Failure> {
    let mut told: (Option<PathBuf>, PathBuf, usize) = (None, PathBuf::new(), 2_000);
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--db" => told.0 = Some(value()?.into()),
            "--probes" => told.1 = value()?.into(),
            "--limit" => told.2 = value()?.parse()?,
            "--bench" => {}
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    let (Some(db), probes, limit) = told else {
        println!("oracle: give --db DIR and --probes FILE");
        return Ok(ExitCode::SUCCESS);
    };
    let options = Options {
        access: Access::Read,
        ..Options::default()
    };
    let engine = Engine::open(&db, options)?;
    let probes = spread(accounts(&probes)?, limit);
    let outcomes: Vec<Outcome> = probes
        .par_iter()
        .map(|probe| outcome(&engine, probe))
        .collect();
    let differing: Vec<&String> = outcomes.iter().filter_map(|o| o.differs.as_ref()).collect();
    differing
        .iter()
        .take(20)
        .for_each(|differs| println!("{differs}"));
    let sum = |of: fn(&Outcome) -> f64| {
        outcomes.iter().map(of).sum::<f64>() / outcomes.len().max(1) as f64
    };
    let worst = outcomes.iter().map(|o| o.unseen_bits).fold(0.0, f32::max);
    let below = outcomes.iter().filter(|o| o.unseen_bits > 0.0).count();
    let (screened, every) = (sum(|o| o.screened_us), sum(|o| o.every_us));
    println!(
        "{} entries, {} probes, {} flagged: {} differences; below review {below} probes have a better entry that was not compared, by {worst:.1} bits at most; {screened:.0} us against {every:.0} us, {:.0} times",
        engine.generation().entries(),
        outcomes.len(),
        outcomes.iter().filter(|o| o.is_flagged).count(),
        differing.len(),
        every / screened.max(1e-3),
    );
    Ok(ExitCode::from(u8::from(!differing.is_empty())))
}

fn outcome(engine: &Engine, probe: &Account) -> Outcome {
    let (generation, judge) = (engine.generation(), engine.judge());
    let start = Instant::now();
    let found = engine.screen(probe);
    let screened_us = start.elapsed().as_secs_f64() * 1e6;
    let start = Instant::now();
    let fingerprint = engine.fingerprint(probe);
    let every = screen_every(&generation, &Probe::of(probe, &fingerprint), judge);
    let every_us = start.elapsed().as_secs_f64() * 1e6;
    let (found_told, every_told) = (told(&found), told(&every));
    let differs = (found_told != every_told)
        .then(|| format!("{}: found {found_told}\n  of all {every_told}", probe.id()));
    Outcome {
        differs,
        unseen_bits: every.score - found.score,
        is_flagged: !every.hits.is_empty(),
        screened_us,
        every_us,
    }
}

/// Verdict and hits in words.
fn told(screened: &Screened) -> String {
    let hits = screened.hits.iter();
    let hits: Vec<String> = hits
        .map(|hit| format!("{} {:.3}", hit.entry.id, hit.score.total()))
        .collect();
    format!("{} {}", screened.verdict.as_str(), hits.join(", "))
}

/// At most `limit` of them, evenly.
fn spread(accounts: Vec<Account>, limit: usize) -> Vec<Account> {
    let step = accounts.len().div_ceil(limit.max(1)).max(1);
    accounts.into_iter().step_by(step).collect()
}

fn accounts(path: &std::path::Path) -> Result<Vec<Account>, Failure> {
    let parser = Parser::new(path.parent().map(PathBuf::from).unwrap_or_default());
    let lines = Input::new(path, Some(Format::Ndjson))?.lines(|_| ())?;
    let parsed = lines.map(|line| line.body.and_then(|body| parser.parse(body)));
    Ok(parsed
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|labelled| labelled.account)
        .collect())
}

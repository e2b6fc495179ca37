//! How long does one screen take, in process, all signals, fingerprint included?
//!
//! Data: a database that `mirrorwatch enroll` made and an NDJSON file of probes, such as `cargo bench --bench
//! population` writes (seeded). One thread, two threads, and one thread while 1,000 entries a second are enrolled one by
//! one, each of which is then looked for at once (ban to visible; the database is changed: give it a copy). Nothing is
//! cached between probes; each set is run once to warm the pages and once measured.
//! Run: `cargo bench --bench screen -- --db DIR --probes FILE [--limit N] [--live] [--json FILE]`; without arguments it
//! does nothing.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

mod population;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mirrorwatch::{Access, Account, Engine, Format, Input, Options, Parser, Verdict};
use population::Population;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entries enrolled a second while screening.
const BANS_A_SECOND: u64 = 1_000;
/// How long that goes on.
const LIVE_SECONDS: u64 = 10;

#[derive(Default)]
struct Arguments {
    db: Option<PathBuf>,
    probes: PathBuf,
    limit: usize,
    live: bool,
    json: Option<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let arguments = arguments()?;
    let Some(db) = &arguments.db else {
        println!("screen: give --db DIR and --probes FILE");
        return Ok(());
    };
    let start = Instant::now();
    let access = if arguments.live {
        Access::Write
    } else {
        Access::Read
    };
    let engine = Engine::open(
        db,
        Options {
            access,
            notice: |text| println!("{text}"),
            ..Options::default()
        },
    )?;
    let opened = start.elapsed();
    let probes = accounts(&arguments.probes, arguments.limit)?;
    let entries = engine.generation().entries();
    println!(
        "{entries} entries, {} probes, opened in {:.2} s",
        probes.len(),
        opened.as_secs_f64()
    );
    let first = Instant::now();
    engine.screen(probes.first().ok_or("no probes")?);
    println!("first screen {:.1} ms", first.elapsed().as_secs_f64() * 1e3);
    measured(&engine, &probes);
    let mut lines = Vec::new();
    let before = processor_seconds();
    let one = measured(&engine, &probes);
    let taken = (processor_seconds() - before) * 1e6 / probes.len() as f64;
    println!("processor time of a screen: mean {taken:.0} us");
    lines.push(tell("one thread", one.clone(), 1));
    fingerprints(&engine, &probes);
    let compared = probes
        .iter()
        .map(|probe| f64::from(engine.screen(probe).compared));
    tell_counts("entries compared a probe", compared.collect());
    let halves = probes.split_at(probes.len() / 2);
    let both = std::thread::scope(|scope| {
        let other = scope.spawn(|| measured(&engine, halves.0));
        let mut own = measured(&engine, halves.1);
        own.extend(other.join().unwrap_or_default());
        own
    });
    lines.push(tell("two threads", both, 2));
    if arguments.live {
        lines.extend(live(&engine, &probes)?);
    }
    for (name, bytes) in engine.stats()?.index_bytes {
        println!(
            "{name:<14} {:>8.1} bytes an entry",
            bytes as f64 / f64::from(entries)
        );
    }
    if let Some(path) = &arguments.json {
        std::fs::write(path, lines.join("\n") + "\n")?;
    }
    Ok(())
}

/// Seconds of processor time that this thread has taken; 0 where the system does not tell (not Linux).
fn processor_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = told.split_whitespace().next();
    nanos.and_then(|nanos| nanos.parse().ok()).unwrap_or(0.0) / 1e9
}

/// Screens every probe; microseconds of each.
fn measured(engine: &Engine, probes: &[Account]) -> Vec<f64> {
    let time = |probe| {
        let start = Instant::now();
        std::hint::black_box(engine.screen(probe));
        start.elapsed().as_secs_f64() * 1e6
    };
    probes.iter().map(time).collect()
}

fn fingerprints(engine: &Engine, probes: &[Account]) {
    let time = |probe| {
        let start = Instant::now();
        std::hint::black_box(engine.fingerprint(probe));
        start.elapsed().as_secs_f64() * 1e6
    };
    tell("of it fingerprint", probes.iter().map(time).collect(), 1);
}

/// Orders the numbers; returns their mean.
fn sorted(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.iter().sum::<f64>() / numbers.len().max(1) as f64
}

/// The number below which `share` of the ordered numbers lie.
fn at(numbers: &[f64], share: f64) -> f64 {
    let place = (share * numbers.len() as f64) as usize;
    numbers.get(place).copied().unwrap_or(0.0)
}

/// Prints percentiles of counts.
fn tell_counts(what: &str, mut counts: Vec<f64>) {
    let mean = sorted(&mut counts);
    let at = |share| at(&counts, share);
    let (p50, p99) = (at(0.5), at(0.99));
    println!("{what:<34} p50 {p50:>7.0}     p99 {p99:>7.0}     mean {mean:>7.1}");
}

/// Prints percentiles; returns them as a line of JSON.
fn tell(what: &str, mut micros: Vec<f64>, threads: usize) -> String {
    let mean = sorted(&mut micros);
    let at = |share| at(&micros, share);
    let rate = threads as f64 * 1e6 / mean;
    let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
    println!(
        "{what:<34} p50 {p50:>7.0} us  p99 {p99:>7.0} us  p99.9 {p999:>7.0} us  mean {mean:>7.0} us  {rate:>7.0}/s"
    );
    format!(
        "{{\"what\":\"{what}\",\"p50_us\":{p50:.1},\"p99_us\":{p99:.1},\"p999_us\":{p999:.1},\"mean_us\":{mean:.1},\"a_second\":{rate:.0}}}"
    )
}

/// Screens while entries are enrolled one by one, each looked for as soon as its call returns.
fn live(engine: &Engine, probes: &[Account]) -> Result<Vec<String>, Failure> {
    let is_over = AtomicBool::new(false);
    let (screened, enrolled) = std::thread::scope(|scope| {
        let enrolling = scope.spawn(|| {
            let told = enroll_one_by_one(engine);
            is_over.store(true, Ordering::Relaxed);
            told
        });
        let mut micros = Vec::new();
        for probe in probes.iter().cycle() {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            micros.extend(measured(engine, std::slice::from_ref(probe)));
        }
        (micros, enrolling.join())
    });
    let (micros, missed) = enrolled.map_err(|_| "the enrolling thread failed")??;
    println!(
        "{} enrolled one by one; {missed} not found by the next screen",
        micros.len()
    );
    Ok(vec![
        tell("one thread beside enrolments", screened, 1),
        tell("enroll one, sync included", micros, 1),
    ])
}

fn enroll_one_by_one(engine: &Engine) -> Result<(Vec<f64>, usize), Failure> {
    let population = Population::new(77, BANS_A_SECOND * LIVE_SECONDS);
    let begun = Instant::now();
    let (mut micros, mut missed) = (Vec::new(), 0);
    for n in 0..BANS_A_SECOND * LIVE_SECONDS {
        let due = Duration::from_micros(n * 1_000_000 / BANS_A_SECOND);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        if begun.elapsed().as_secs() > 3 * LIVE_SECONDS {
            break;
        }
        let draft = population.entry(n);
        let account = draft.check()?;
        let probe = account.clone();
        let start = Instant::now();
        engine.enroll(vec![account])?;
        micros.push(start.elapsed().as_secs_f64() * 1e6);
        if n.is_multiple_of(50) {
            let found = engine.screen(&probe);
            let is_found = found.hits.iter().any(|hit| hit.entry.id == *probe.id());
            missed += usize::from(!is_found && found.verdict == Verdict::Match);
        }
    }
    Ok((micros, missed))
}

fn accounts(path: &Path, limit: usize) -> Result<Vec<Account>, Failure> {
    let parser = Parser::new(path.parent().map(PathBuf::from).unwrap_or_default());
    let lines = Input::new(path, Some(Format::Ndjson))?.lines(|_| ())?;
    let mut accounts = Vec::new();
    for line in lines.take(limit) {
        accounts.push(line.body.and_then(|body| parser.parse(body))?.account);
    }
    Ok(accounts)
}

fn arguments() -> Result<Arguments, Failure> {
    let mut told = Arguments {
        limit: 20_000,
        ..Arguments::default()
    };
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--db" => told.db = Some(value()?.into()),
            "--probes" => told.probes = value()?.into(),
            "--limit" => told.limit = value()?.parse()?,
            "--json" => told.json = Some(value()?.into()),
            "--live" => told.live = true,
            "--bench" => {}
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    Ok(told)
}

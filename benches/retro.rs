//! How long does a new ban take to find its returns among recent signups?
//!
//! Data: the seeded population of `population/`: signups are strangers and, one in a thousand, mirrors of entries that are
//! not enrolled yet. They are screened against the watchlist, which is empty, then the entries are banned one by one: enrolment (synced)
//! and the look among recent signups are timed apart, and what it finds is held against who is a mirror of the entry.
//! With `--db DIR` the bans join the watchlist of a database, which is changed: give a copy. How many signups are within reach of a
//! review, and so are screened again, depends on its length.
//! Run: `cargo bench --bench retro -- --signups 1000000 [--bans 500] [--seed S] [--db DIR]`; without arguments it does nothing.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

mod population;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mirrorwatch::{Access, AccountDraft, Engine, Occasion, Options, Recency};
use population::Population;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Signups that are screened and remembered together.
const CHUNK: u64 = 8_192;

fn main() -> Result<(), Failure> {
    let number = |name: &str| -> Option<u64> {
        let mut arguments = std::env::args().skip_while(|argument| argument != name);
        arguments.nth(1)?.parse().ok()
    };
    let Some(signups) = number("--signups") else {
        println!("retro: give --signups N");
        return Ok(());
    };
    let (bans, seed) = (
        number("--bans").unwrap_or(500),
        number("--seed").unwrap_or(7),
    );
    let people = Population::new(seed, (signups / 1_000).max(bans));
    let given = std::env::args()
        .skip_while(|argument| argument != "--db")
        .nth(1);
    let own = std::env::temp_dir().join(format!("mirrorwatch-retro-{}", std::process::id()));
    let folder = given.as_ref().map_or_else(|| own.clone(), PathBuf::from);
    let access = Access::Create;
    let recency = Recency {
        hours: 72,
        signups_max: u32::try_from(signups * 2)?,
    };
    let engine = Engine::open(
        &folder,
        Options {
            access,
            ..Options::default()
        },
    )?
    .with_recent(recency);
    let begun = Instant::now();
    for first in (0..signups).step_by(CHUNK as usize) {
        let chunk = first..(first + CHUNK).min(signups);
        chunk.into_par_iter().try_for_each(|n| {
            let account = signup(&people, n).check().map_err(|e| e.to_string())?;
            let decided = engine.decide(&account, Occasion::Told, |_| Vec::new());
            decided.map(drop).map_err(|e| e.to_string())
        })?;
    }
    println!(
        "{signups} signups screened and at hand in {:.0?}",
        begun.elapsed()
    );
    // What still stands to be indexed or merged is waited for: in a service it is spread over hours.
    std::thread::sleep(Duration::from_secs(5 + signups / 12_500));
    let (mut enrolling, mut looking, mut found, mut expected) = (Vec::new(), Vec::new(), 0, 0);
    let mut screened = 0;
    for n in 0..bans {
        let entry = people.entry(n).check()?;
        let begun = Instant::now();
        engine.enroll(vec![entry.clone()])?;
        enrolling.push(begun.elapsed());
        let begun = Instant::now();
        let like = engine.recent_like(&entry)?;
        let flagged: Vec<_> = like
            .iter()
            .filter(|signup| {
                let hits = engine.screen(signup).hits;
                hits.iter().any(|hit| hit.entry.id == *entry.id())
            })
            .collect();
        looking.push(begun.elapsed());
        screened += like.len();
        found += flagged.len();
        expected += (0..signups / 1_000)
            .filter(|mirror| people.mirror(*mirror).1 == n)
            .filter(|mirror| {
                flagged
                    .iter()
                    .any(|signup| signup.id().as_str() == id(*mirror * 1_000))
            })
            .count();
    }
    println!("enrol one: {}", spread(&mut enrolling));
    println!(
        "look among recent signups, screening them again: {}",
        spread(&mut looking)
    );
    println!(
        "{screened} signups screened again and {found} flagged for {bans} bans, {expected} of them mirrors of the banned entry"
    );
    drop(engine);
    if given.is_none() {
        std::fs::remove_dir_all(own)?;
    }
    Ok(())
}

/// The signup of number `n`: every thousandth is a mirror.
fn signup(people: &Population, n: u64) -> AccountDraft {
    let mut draft = match n % 1_000 {
        0 => people.mirror(n / 1_000).0,
        _ => people.ordinary(n),
    };
    draft.id = id(n);
    draft
}

fn id(n: u64) -> String {
    format!("signup:{n}")
}

fn spread(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let at = |share: f64| {
        took.get((took.len() as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    format!(
        "p50 {:.0?}, p99 {:.0?}, longest {:.0?}",
        at(0.5),
        at(0.99),
        took.last().copied().unwrap_or_default()
    )
}

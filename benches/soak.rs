//! Does the engine, whatever is done to it in whatever order, answer as comparing with every entry would?
//!
//! Seeded: random enrolments (1, 10, 1,000 at once), bulk loads, withdrawals, screens, look-ups, reopenings and waits
//! for merges, beside a plain list of the accounts that should be there. Every screen must find what comparing with
//! every live entry finds from the review threshold on. With `--traps`: lists made to be slow, timed at several lengths.
//! Run: `cargo bench --bench soak -- [--seconds N] [--seed S]` or `-- --traps [--lens 25000,50000] [--only NAME]`.

#![allow(clippy::print_stdout, reason = "a bench tells figures")]

#[path = "soak/departure.rs"]
mod departure;
#[path = "../src/tests/lists.rs"]
mod lists;
mod population;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use departure::{Departure, told};
use fastrand::Rng;
use lists::Trap;
use mirrorwatch::internals::screen_every;
use mirrorwatch::{
    Access, Account, AccountDraft, AccountId, AccountRecord, Engine, Judge, Options, Parser, Probe,
    Verdict, screen,
};
use population::{Population, changed_handle};
use tempfile::TempDir;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Live entries up to which the list grows: comparing with every one of them takes a few milliseconds.
const ENTRIES_MAX: usize = 6_000;
/// Enrolments after which another list of traps has its turn.
const TURN_LEN: usize = 4_000;
/// Entries of one list are written in batches of this many.
const BATCH_LEN: usize = 4_096;
/// Screens of each list that are timed.
const SCREENS: usize = 400;

struct Arguments {
    seconds: u64,
    seed: u64,
    traps: bool,
    lens: Vec<usize>,
    only: String,
}

fn main() -> Result<ExitCode, Failure> {
    let arguments = arguments()?;
    if arguments.traps {
        traps(&arguments)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut soak = Soak::new(arguments.seed)?;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(arguments.seconds) {
        soak.step()?;
    }
    soak.whole()?;
    soak.tell(&arguments);
    Ok(match soak.differences {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// The engine and the plain list beside it.
struct Soak {
    random: Rng,
    population: Population,
    folder: TempDir,
    engine: Option<Engine>,
    live: BTreeMap<AccountId, Account>,
    next: u64,
    done: BTreeMap<&'static str, usize>,
    screens: usize,
    flagged: usize,
    cuts: usize,
    /// Screens that miss what a cut took, what a network would have lent, and what only common values told; of each those
    /// whose verdict is another for it.
    cut: (usize, usize),
    lent: (usize, usize),
    weak: (usize, usize),
    differences: usize,
}

impl Soak {
    fn new(seed: u64) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let engine = opened(folder.path())?;
        Ok(Self {
            random: Rng::with_seed(seed),
            population: Population::new(seed, 4_000),
            folder,
            engine: Some(engine),
            live: BTreeMap::new(),
            next: 0,
            done: BTreeMap::new(),
            screens: 0,
            flagged: 0,
            cuts: 0,
            cut: (0, 0),
            lent: (0, 0),
            weak: (0, 0),
            differences: 0,
        })
    }

    fn tell(&self, arguments: &Arguments) {
        let operations: usize = self.done.values().sum();
        println!(
            "seed {}, {} s: {operations} operations {:?}, {} entries",
            arguments.seed,
            arguments.seconds,
            self.done,
            self.live.len()
        );
        println!(
            "{} screens, {} flagged, {} with cuts; {} differences",
            self.screens, self.flagged, self.cuts, self.differences
        );
        for (what, (all, verdicts)) in [
            ("cuts took hits", self.cut),
            ("a network would have lent more", self.lent),
            ("common values alone agree", self.weak),
        ] {
            println!("{what}: {all} screens, another verdict in {verdicts}");
        }
    }

    fn engine(&self) -> Result<&Engine, Failure> {
        Ok(self.engine.as_ref().ok_or("the engine is closed")?)
    }

    fn step(&mut self) -> Result<(), Failure> {
        let is_full = self.live.len() > ENTRIES_MAX;
        let what = match self.random.u32(..1_000) {
            0..60 => "enroll 1",
            60..100 => "enroll 10",
            100..110 if !is_full => "enroll 1000",
            110..113 if !is_full => "bulk",
            113..160 => "withdraw 1",
            160..170 => "withdraw many",
            170..180 if is_full => "withdraw many",
            180..188 => "reopen",
            188..200 => "wait",
            200..230 => "lookup",
            230..232 => "whole",
            _ => "screen",
        };
        *self.done.entry(what).or_default() += 1;
        match what {
            "enroll 1" => self.enroll(1),
            "enroll 10" => self.enroll(10),
            "enroll 1000" => self.enroll(1_000),
            "bulk" => self.bulk(),
            "withdraw 1" => self.withdraw(1),
            "withdraw many" => self.withdraw(self.live.len() / 4),
            "reopen" => self.reopen(),
            "wait" => self.wait(),
            "lookup" => self.lookup(),
            "whole" => self.whole(),
            _ => self.screen(),
        }
    }

    /// Accounts to enrol: new ones, some again with other traits, some that carry what many do.
    fn accounts(&mut self, len: usize) -> Result<Vec<Account>, Failure> {
        let mut accounts = Vec::with_capacity(len);
        for _ in 0..len {
            self.next += 1;
            let mut draft = match self.random.u32(..10) {
                0..2 => self.trap()?,
                _ => self.population.entry(self.next),
            };
            draft.id = match self.random.u32(..5) {
                0 => self.some_id().map_or(draft.id, |id| id.to_string()),
                _ => format!("s:{}", self.next),
            };
            accounts.push(draft.check().map_err(|e| e.to_string())?);
        }
        Ok(accounts)
    }

    /// An account of the list of traps whose turn it is, so that its values become hot. Of handles beyond 64 letters only
    /// the beginning is looked for in others: those of one letter are no fair question.
    fn trap(&mut self) -> Result<AccountDraft, Failure> {
        let is_fair =
            |trap: &Trap| trap.len_max() >= 30_000 && *trap != Trap::LongHandlesOfOneLetter;
        let fair: Vec<Trap> = Trap::ALL.into_iter().filter(is_fair).collect();
        let turn = self.next as usize / TURN_LEN % fair.len();
        let trap = fair.get(turn).copied().unwrap_or(Trap::EqualHandles);
        Ok(checked(&trap.record(self.random.usize(..2_000)))?.into_draft())
    }

    fn some_id(&mut self) -> Option<AccountId> {
        let place = self.random.usize(..self.live.len().max(1));
        self.live.keys().nth(place).cloned()
    }

    fn enroll(&mut self, len: usize) -> Result<(), Failure> {
        let accounts = self.accounts(len)?;
        let told = self.engine()?.enroll(accounts.clone())?;
        self.enrolled(accounts, told.receipt.added)
    }

    fn bulk(&mut self) -> Result<(), Failure> {
        let accounts = self.accounts(2_000)?;
        let engine = self.engine()?;
        let mut bulk = engine.bulk();
        for batch in accounts.chunks(700) {
            bulk.enroll(batch.to_vec(), Vec::new())?;
        }
        let receipt = bulk.finish(&|_| ())?;
        self.enrolled(accounts, receipt.added)
    }

    fn enrolled(&mut self, accounts: Vec<Account>, added: usize) -> Result<(), Failure> {
        let before = self.live.len();
        for account in accounts {
            self.live.insert(account.id().clone(), account);
        }
        let expected = self.live.len() - before;
        self.expect(added == expected, || {
            format!("{added} added, not {expected}")
        });
        Ok(())
    }

    fn withdraw(&mut self, len: usize) -> Result<(), Failure> {
        let mut ids: Vec<AccountId> = (0..len).filter_map(|_| self.some_id()).collect();
        ids.sort();
        ids.dedup();
        let receipt = self.engine()?.withdraw(ids.clone())?;
        ids.iter().for_each(|id| drop(self.live.remove(id)));
        let is_right = receipt.withdrawn == ids.len() && receipt.unknown.is_empty();
        self.expect(is_right, || {
            format!("withdrew {receipt:?} of {}", ids.len())
        });
        Ok(())
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        self.engine = None;
        self.engine = Some(opened(self.folder.path())?);
        self.whole()
    }

    /// Waits until merging is over: the view is the same for a while.
    fn wait(&mut self) -> Result<(), Failure> {
        loop {
            let before = self.engine()?.generation().segments();
            std::thread::sleep(Duration::from_millis(20));
            if self.engine()?.generation().segments() == before {
                return Ok(());
            }
        }
    }

    /// Each live account is in the view once, as it was last enrolled, and nothing else is.
    fn whole(&mut self) -> Result<(), Failure> {
        let engine = self.engine()?.clone();
        let generation = engine.generation();
        let mut ids: Vec<AccountId> = generation.iter().map(|entry| entry.id).collect();
        ids.sort();
        let is_same = ids.iter().eq(self.live.keys());
        let count = generation.entries() as usize;
        self.expect(is_same && count == ids.len(), || {
            format!("{} entries held, {count} counted", ids.len())
        });
        for id in ids.iter().step_by(97) {
            let stored = engine.entry(id)?.map(|account| account.handle.clone());
            let known = self.live.get(id).map(|account| account.handle.clone());
            self.expect(stored == known, || {
                format!("{id} is not stored as enrolled")
            });
        }
        Ok(())
    }

    fn probe(&mut self) -> Result<Account, Failure> {
        let n = self.random.u64(..8_000);
        let mut draft = match self.random.u32(..10) {
            0..2 => self.population.ordinary(n),
            2 => self.trap()?,
            3..6 => {
                let id = self.some_id();
                let entry = id.and_then(|id| self.live.get(&id));
                let copy = entry.map(|entry| entry.clone().into_draft());
                let mut copy = copy.unwrap_or_default();
                let handle: String = copy.handle.chars().take(100).collect();
                copy.handle = changed_handle(&handle, &mut self.random);
                if self.random.bool() {
                    copy.bio.clear();
                }
                if self.random.bool() {
                    copy.avatar = None;
                }
                copy
            }
            _ => self.population.mirror(n).0,
        };
        draft.id = "probe:1".to_owned();
        draft.ban = None;
        Ok(draft.check().map_err(|e| e.to_string())?)
    }

    fn screen(&mut self) -> Result<(), Failure> {
        let probe = self.probe()?;
        let engine = self.engine()?.clone();
        let (generation, fingerprint) = (engine.generation(), engine.fingerprint(&probe));
        let mut judge: Judge = engine.judge().clone();
        judge.hits_max = usize::MAX;
        let of_probe = Probe::of(&probe, &fingerprint);
        let found = screen(&generation, &of_probe, &judge);
        let every = screen_every(&generation, &of_probe, &judge);
        self.screens += 1;
        self.flagged += usize::from(every.verdict != Verdict::Clear);
        self.cuts += usize::from(found.cuts > 0);
        let is_other = usize::from(found.verdict != every.verdict);
        match Departure::of(
            &found,
            &every,
            judge.thresholds(generation.entries()).review,
        ) {
            Departure::None => {}
            Departure::Cut => self.cut = (self.cut.0 + 1, self.cut.1 + is_other),
            Departure::Weak => self.weak = (self.weak.0 + 1, self.weak.1 + is_other),
            Departure::Lent => self.lent = (self.lent.0 + 1, self.lent.1 + is_other),
            Departure::Wrong => self.expect(false, || told(&probe, &found, &every)),
        }
        Ok(())
    }

    /// An entry is found by its own handle.
    fn lookup(&mut self) -> Result<(), Failure> {
        let id = self.some_id();
        let account = id.and_then(|id| self.live.get(&id)).cloned();
        let Some(account) = account.filter(|account| !account.handle.is_empty()) else {
            return Ok(());
        };
        let rows = self.engine()?.lookup(&account, 10_000)?;
        let is_found = rows.iter().any(|row| row.account.id() == account.id());
        let strangers = rows
            .iter()
            .find(|row| !self.live.contains_key(row.account.id()));
        let stranger = strangers.map(|row| row.account.id().clone());
        let handle = account.handle.clone();
        self.expect(
            is_found || !handle.is_ascii() || handle.len() > 64 || rows.len() > 900,
            || format!("{} is not found by {handle}", account.id()),
        );
        self.expect(stranger.is_none(), || {
            format!("{stranger:?} is found and was withdrawn")
        });
        Ok(())
    }

    fn expect(&mut self, is_right: bool, words: impl FnOnce() -> String) {
        if !is_right {
            self.differences += 1;
            let done: usize = self.done.values().sum();
            println!("difference at operation {done}: {}", words());
        }
    }
}

fn checked(record: &serde_json::Value) -> Result<Account, Failure> {
    let record: AccountRecord = serde_json::from_value(record.clone())?;
    Ok(Parser::default().labelled(record)?.account)
}

fn opened(folder: &Path) -> Result<Engine, Failure> {
    let options = Options {
        access: Access::Create,
        notice: |text| println!("{text}"),
        ..Options::default()
    };
    Ok(Engine::open(folder, options)?)
}

/// Enrols each list of traps at several lengths and times screens of copies of its entries.
fn traps(arguments: &Arguments) -> Result<(), Failure> {
    println!(
        "{:<26} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6}",
        "list", "entries", "enroll s", "us each", "p50 us", "p99 us", "max us", "compared", "cuts"
    );
    let chosen = |trap: &&Trap| trap.name().contains(&arguments.only);
    for trap in Trap::ALL.iter().filter(chosen) {
        for len in &arguments.lens {
            timed(*trap, *len * trap.len_max() / 30_000)?;
        }
    }
    Ok(())
}

fn timed(trap: Trap, len: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let engine = opened(folder.path())?;
    let mut enrolling = Duration::ZERO;
    let mut bulk = engine.bulk();
    for start in (0..len).step_by(BATCH_LEN) {
        let batch = (start..len.min(start + BATCH_LEN)).map(|n| checked(&trap.record(n)));
        let batch = batch.collect::<Result<Vec<Account>, Failure>>()?;
        let begun = Instant::now();
        bulk.enroll(batch, Vec::new())?;
        enrolling += begun.elapsed();
    }
    let begun = Instant::now();
    bulk.finish(&|_| ())?;
    enrolling += begun.elapsed();
    let (mut micros, mut compared, mut cuts) = (Vec::new(), 0, 0);
    for n in 0..SCREENS {
        let mut record = trap.record(n * 7_919 % len.max(1));
        if let Some(id) = record.get_mut("id") {
            *id = "probe:1".into();
        }
        let probe = checked(&record)?;
        let begun = Instant::now();
        let told = engine.screen(&probe);
        micros.push(begun.elapsed().as_secs_f64() * 1e6);
        compared = told.compared.max(compared);
        cuts = told.cuts.max(cuts);
    }
    micros.sort_by(f64::total_cmp);
    let at = |share: f64| micros.get((share * (SCREENS - 1) as f64) as usize).copied();
    println!(
        "{:<26} {len:>8} {:>9.2} {:>9.1} {:>9.0} {:>9.0} {:>9.0} {compared:>9} {cuts:>6}",
        trap.name(),
        enrolling.as_secs_f64(),
        enrolling.as_secs_f64() * 1e6 / len.max(1) as f64,
        at(0.5).unwrap_or(0.0),
        at(0.99).unwrap_or(0.0),
        at(1.0).unwrap_or(0.0),
    );
    Ok(())
}

fn arguments() -> Result<Arguments, Failure> {
    let mut told = Arguments {
        seconds: 60,
        seed: 1,
        traps: false,
        lens: vec![25_000, 50_000, 100_000, 200_000],
        only: String::new(),
    };
    let mut rest = std::env::args().skip(1);
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--seconds" => told.seconds = value()?.parse()?,
            "--seed" => told.seed = value()?.parse()?,
            "--only" => told.only = value()?,
            "--lens" => {
                let lens = value()?;
                let lens = lens.split(',').map(str::parse);
                told.lens = lens.collect::<Result<_, _>>()?;
            }
            "--traps" => told.traps = true,
            "--bench" => {}
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    Ok(told)
}

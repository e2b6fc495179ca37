//! Tests of the whole engine: one file per promise, each a row of short stories.
//!
//! Accounts are written as the JSON of the contract and pass the real door; a [`Watch`] is an engine on a folder of its
//! own, a [`Shell`] the command line on one. Helpers point at the line of the story that failed.

mod calibrate;
mod cast;
mod cli;
mod copies;
mod doors;
mod format;
mod hostile;
mod inputs;
mod judgments;
mod lineages;
mod lists;
mod merges;
mod oracle;
mod ordinary;
mod pictures;
mod properties;
mod quality;
mod recovery;
mod report;
mod rescan;
mod returns;
mod screen;
mod segments;
mod served;
pub(crate) mod service;
mod tidy;
mod traps;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::account::{Account, AccountId};
use crate::engine::{Engine, Hit, Options, Screened};
use crate::format::{Input, Parser};
use crate::signal::relation::{Relation, Signal};
use crate::store::Access;
use crate::verdict::Verdict;
use crate::wire::AccountRecord;

/// The account of a contract record; an id is made up where the record has none.
#[track_caller]
pub(crate) fn account(mut record: Value) -> Account {
    if record.get("id").is_none() {
        record["id"] = json!("x:probe");
    }
    let record: AccountRecord = serde_json::from_value(record).unwrap();
    Parser::default().labelled(record).unwrap().account
}

/// An id that is one.
pub(crate) fn id(text: &str) -> AccountId {
    AccountId::new(text).unwrap()
}

/// The repository's folder of samples.
pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// The accounts of one of them.
pub(crate) fn sampled(name: &str) -> Vec<Account> {
    let parser = Parser::new(samples());
    let lines = Input::new(&samples().join(name), None)
        .unwrap()
        .lines(|_| ())
        .unwrap();
    let account = |line: crate::format::Line| parser.parse(line.body.unwrap()).unwrap().account;
    lines.map(account).collect()
}

/// An engine on the database in `folder`, judging as it does by default.
#[track_caller]
pub(crate) fn opened(folder: &Path, access: Access) -> Engine {
    let options = Options {
        access,
        ..Options::default()
    };
    Engine::open(folder, options).unwrap()
}

/// An engine on a folder that is gone with it.
struct Watch {
    engine: Engine,
    folder: TempDir,
}

impl Watch {
    /// An engine with these entries.
    #[track_caller]
    fn of(entries: impl IntoIterator<Item = Value>) -> Self {
        let watch = Self::empty(Options::default());
        let enrolled = watch
            .engine
            .enroll(entries.into_iter().map(account).collect())
            .unwrap();
        assert_eq!(enrolled.rejected, []);
        watch
    }

    /// An engine without entries that judges by `options`.
    fn empty(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::Create;
        let engine = Engine::open(folder.path(), Options { access, ..options }).unwrap();
        Self { engine, folder }
    }

    /// The same database, closed and opened again.
    fn reopened(self) -> Self {
        let Self { engine, folder } = self;
        drop(engine);
        let engine = Engine::open(folder.path(), Options::default()).unwrap();
        Self { engine, folder }
    }

    fn screen(&self, probe: Value) -> Screened {
        self.engine.screen(&account(probe))
    }

    /// Asserts that the probe is flagged and `entry` is its best hit, which is returned.
    #[track_caller]
    fn finds(&self, entry: &str, probe: Value) -> Hit {
        let screened = self.screen(probe.clone());
        let best = screened.hits.first().map(|hit| hit.entry.id.as_str());
        assert!(
            screened.verdict != Verdict::Clear && best == Some(entry),
            "{probe}: expected {entry}, got {best:?}, {:?} at {:.1} bits; the pair:\n{}",
            screened.verdict,
            screened.score,
            self.told(entry, &probe)
        );
        screened.hits.into_iter().next().unwrap()
    }

    /// As [`Watch::finds`], and the signal must relate like that.
    #[track_caller]
    fn finds_by(&self, entry: &str, signal: Signal, relation: Relation, probe: Value) {
        let hit = self.finds(entry, probe.clone());
        let found = hit.evidence.comparison(signal).relation;
        assert_eq!(
            found, relation,
            "{probe} is found, but {signal:?} relates otherwise"
        );
    }

    /// Asserts that the probe is left alone.
    #[track_caller]
    fn clears(&self, probe: Value) {
        let screened = self.screen(probe.clone());
        let best = screened.hits.first().map(|hit| hit.entry.id.to_string());
        assert!(
            screened.verdict == Verdict::Clear,
            "{probe} must stay clear, is {:?} at {:.1} bits; the pair:\n{}",
            screened.verdict,
            screened.score,
            self.told(&best.unwrap_or_default(), &probe)
        );
    }

    /// Every signal of the pair, for messages.
    fn told(&self, entry: &str, probe: &Value) -> String {
        let pair = AccountId::new(entry)
            .map_err(Into::into)
            .and_then(|entry| self.engine.explain(&account(probe.clone()), &entry));
        let row = |row: &crate::engine::EvidenceRow| {
            format!("  {} {:+.1} {}\n", row.signal.as_str(), row.bits, row.why)
        };
        pair.map_or_else(
            |error| error.to_string(),
            |hit| hit.evidence.iter().map(row).collect(),
        )
    }
}

/// The command line in a folder of its own.
struct Shell {
    folder: TempDir,
}

/// What a command told.
#[derive(Debug, PartialEq)]
struct Told {
    status: u8,
    out: String,
    err: String,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// A shell whose database holds the sample watchlist.
    fn with_samples() -> Self {
        let shell = Self::new();
        assert_eq!(
            shell.run(&["enroll", &sample("watchlist.ndjson")]).status,
            0
        );
        shell
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn db(&self) -> String {
        self.path("watch.db")
    }

    /// Writes a file and returns its path.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self.path(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Runs a command on the shell's database.
    fn run(&self, args: &[&str]) -> Told {
        self.run_on(&self.db(), args)
    }

    /// Runs a command on the database at `db`.
    fn run_on(&self, db: &str, args: &[&str]) -> Told {
        let line = ["mirrorwatch", "--db", db];
        let line = line.iter().chain(args).map(OsString::from);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = crate::cli::run(line, &mut out, &mut err);
        let text = |told: Vec<u8>| String::from_utf8(told).unwrap().replace(&self.path(""), "");
        Told {
            status,
            out: text(out),
            err: text(err),
        }
    }

    /// Runs a command that must end with `status`; returns its output.
    #[track_caller]
    fn expect(&self, status: u8, args: &[&str]) -> String {
        let told = self.run(args);
        assert_eq!(told.status, status, "{args:?}: {}\n{}", told.out, told.err);
        told.out
    }
}

/// The path of a file in `data/`.
fn sample(name: &str) -> String {
    samples().join(name).display().to_string()
}

/// JSON lines without what differs from run to run.
fn steady(lines: &str) -> Vec<Value> {
    let line = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        if let Some(elapsed) = value.get_mut("elapsed_us") {
            *elapsed = json!(0);
        }
        value
    };
    lines.lines().map(line).collect()
}

/// Waits, not long, until something is so.
pub(crate) async fn until(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never came about");
}

//! What was acknowledged survives: the real program is killed at random moments and its database opened again.
//!
//! Needs the binary: `MIRRORWATCH_BIN`, or the one beside the test program's folder, which `scripts/test` builds first.
//! `MIRRORWATCH_KILLS` sets the number of kills.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::engine::{Engine, Options};
use crate::store::Access;
use crate::tests::{account, id, opened};

const KILLS: usize = 20;
/// Records one command sends; a command commits them as one batch.
const SENT: usize = 400;

pub(super) fn program() -> Option<PathBuf> {
    let beside = || {
        let tests = std::env::current_exe().ok()?;
        Some(tests.parent()?.parent()?.join("mirrorwatch"))
    };
    let program = std::env::var_os("MIRRORWATCH_BIN")
        .map(PathBuf::from)
        .or_else(beside);
    let found = program.filter(|program| program.is_file());
    if found.is_none() {
        println!("skipped: no mirrorwatch program; build it or set MIRRORWATCH_BIN");
    }
    found
}

/// A program on a database.
struct Real<'a> {
    program: PathBuf,
    db: &'a Path,
}

impl Real<'_> {
    fn start(&self, args: &[&str]) -> Child {
        Command::new(&self.program)
            .arg("--db")
            .arg(self.db)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        let output = self.start(args).wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        output
    }

    /// Feeds lines to `args`, which must succeed.
    fn run_fed(&self, args: &[&str], lines: &str) {
        let mut child = self.start(args);
        child
            .stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Feeds lines to `args` in small pieces and kills it after `patience`; true when it had finished by then.
    fn fed_and_killed(&self, args: &[&str], lines: &str, patience: Duration) -> bool {
        let mut child = self.start(args);
        let mut pipe = child.stdin.take().unwrap();
        let pieces: Vec<Vec<u8>> = lines.as_bytes().chunks(1_000).map(<[u8]>::to_vec).collect();
        let feeder = std::thread::spawn(move || {
            // The pipe breaks when the program is killed.
            pieces.iter().all(|piece| pipe.write_all(piece).is_ok())
        });
        std::thread::sleep(patience);
        let _ = child.kill();
        feeder.join().unwrap();
        let output = child.wait_with_output().unwrap();
        // The summary is the acknowledgment, whether or not the kill came before the exit.
        output.stdout.ends_with(b"\n")
    }

    /// Ids on the watchlist, and that the database is whole.
    fn ids(&self) -> BTreeSet<String> {
        if !self.db.join("CURRENT").exists() {
            return BTreeSet::new();
        }
        // The first opening for writing completes what a kill left half made, as any next command would.
        drop(
            Engine::open(
                self.db,
                Options {
                    access: Access::Create,
                    ..Options::default()
                },
            )
            .unwrap(),
        );
        self.run(&["verify"]);
        let exported = String::from_utf8(self.run(&["export"]).stdout).unwrap();
        let ids: BTreeSet<String> = exported
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["id"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        let stats: Value = serde_json::from_slice(&self.run(&["stats", "--json"]).stdout).unwrap();
        assert_eq!(stats["entries"], ids.len());
        ids
    }

    /// Judgments as they are exported, and that the database is whole.
    fn judgments(&self) -> BTreeSet<String> {
        self.ids();
        let exported = self.run(&["export", "--judgments"]).stdout;
        let exported = String::from_utf8(exported).unwrap();
        exported.lines().map(str::to_owned).collect()
    }
}

fn batch_of(round: usize) -> BTreeSet<String> {
    (0..SENT).map(|n| format!("x:{round:03}-{n:04}")).collect()
}

fn records(ids: &BTreeSet<String>) -> String {
    ids.iter()
        .map(|id| json!({"id": id, "handle": format!("handle{}", &id[2..])}).to_string() + "\n")
        .collect()
}

#[test]
fn a_killed_program_loses_nothing_it_acknowledged() {
    let Some(program) = program() else { return };
    let kills = std::env::var("MIRRORWATCH_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(KILLS);
    let folder = tempfile::tempdir().unwrap();
    let real = Real {
        program,
        db: folder.path(),
    };
    let mut random = fastrand::Rng::new();
    let undisturbed = std::time::Instant::now();
    real.run_fed(&["enroll", "-"], &records(&batch_of(999)));
    let undisturbed = undisturbed.elapsed();
    let (mut there, mut acknowledged) = (real.ids(), 0);
    for round in 0..kills {
        // About half of the kills come before the answer, at any moment of the work.
        let patience = undisturbed.mul_f64(2.0 * random.f64());
        let (is_done, after) = if round % 3 < 2 || there.is_empty() {
            let batch = batch_of(round);
            let is_done = real.fed_and_killed(&["enroll", "-"], &records(&batch), patience);
            (is_done, there.union(&batch).cloned().collect())
        } else {
            let gone: BTreeSet<String> = there
                .iter()
                .take(random.usize(1..=there.len()))
                .cloned()
                .collect();
            let lines: String = gone.iter().map(|id| format!("{id}\n")).collect();
            let is_done = real.fed_and_killed(&["withdraw", "--from", "-"], &lines, patience);
            (is_done, there.difference(&gone).cloned().collect())
        };
        let found = real.ids();
        acknowledged += usize::from(is_done);
        assert!(
            found == after || (!is_done && found == there),
            "round {round}, killed after {patience:?}, acknowledged: {is_done}: {} before, {} expected, {} found",
            there.len(),
            after.len(),
            found.len()
        );
        there = found;
    }
    println!(
        "{kills} kills, {acknowledged} acknowledged first, {} entries at the end",
        there.len()
    );
}

#[test]
fn judgments_that_were_acknowledged_survive_a_kill() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let real = Real {
        program,
        db: folder.path(),
    };
    real.run_fed(&["enroll", "-"], &records(&batch_of(0)));
    let batch = |round: usize| -> BTreeSet<String> {
        let judged = |n| {
            format!(
                r#"{{"probe":"p:{round:03}-{n:04}","entry":"x:000-{n:04}","judgment":"not_mirror","who":"ada","at":"2026-11-20T10:00:00Z"}}"#
            )
        };
        (0..SENT).map(judged).collect()
    };
    let lines = |batch: &BTreeSet<String>| -> String {
        batch.iter().map(|line| line.clone() + "\n").collect()
    };
    let undisturbed = std::time::Instant::now();
    real.run_fed(&["judge", "--from", "-"], &lines(&batch(999)));
    let undisturbed = undisturbed.elapsed();
    let mut there = real.judgments();
    assert_eq!(there, batch(999));
    for round in 0..KILLS / 2 {
        let patience = undisturbed.mul_f64(2.0 * fastrand::f64());
        let batch = batch(round);
        let is_done = real.fed_and_killed(&["judge", "--from", "-"], &lines(&batch), patience);
        let found = real.judgments();
        let after: BTreeSet<String> = there.union(&batch).cloned().collect();
        assert!(
            found == after || (!is_done && found == there),
            "round {round}, killed after {patience:?}, acknowledged: {is_done}: {} found",
            found.len()
        );
        there = found;
    }
}

#[test]
fn a_database_half_made_is_made_by_the_next_command() {
    let Some(program) = program() else { return };
    let batch = batch_of(0);
    for _ in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let real = Real {
            program: program.clone(),
            db: &folder.path().join("new"),
        };
        real.fed_and_killed(
            &["enroll", "-"],
            &records(&batch),
            Duration::from_millis(fastrand::u64(5..120)),
        );
        real.run_fed(&["enroll", "-"], &records(&batch));
        assert_eq!(real.ids(), batch);
    }
}

#[test]
fn a_kill_between_batches_keeps_whole_batches() {
    const BATCH: usize = 32_768;
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let real = Real {
        program,
        db: folder.path(),
    };
    let lines: String = (0..4 * BATCH)
        .map(|n| format!("{{\"id\":\"x:{n:06}\",\"handle\":\"h{n:06}\"}}\n"))
        .collect();
    let is_done = real.fed_and_killed(
        &["enroll", "-"],
        &lines,
        Duration::from_millis(fastrand::u64(900..2_500)),
    );
    let found = real.ids();
    let expected: BTreeSet<String> = (0..found.len()).map(|n| format!("x:{n:06}")).collect();
    assert!(
        found == expected,
        "a beginning of what was sent, without a gap"
    );
    assert!(
        found.len().is_multiple_of(BATCH) && (!is_done || found.len() == 4 * BATCH),
        "{} entries",
        found.len()
    );
}

#[test]
fn one_writes_and_others_read() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(
        folder.path(),
        Options {
            access: Access::Create,
            ..Options::default()
        },
    )
    .unwrap();
    engine
        .enroll(vec![account(
            json!({"id": "x:1", "handle": "zorvani_dispatch"}),
        )])
        .unwrap();
    let real = Real {
        program,
        db: folder.path(),
    };
    let mut second = real.start(&["enroll", "-"]);
    second
        .stdin
        .take()
        .unwrap()
        .write_all(b"{\"id\":\"x:2\",\"handle\":\"a\"}\n")
        .unwrap();
    let refused = second.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&refused.stderr).to_lowercase();
    assert_eq!(refused.status.code(), Some(1), "{words}");
    assert!(words.contains("lock"), "{words}");
    for args in [
        &["stats"][..],
        &["export"],
        &["lookup", "zorvani_dispatch"],
        &["verify"],
    ] {
        assert!(!real.run(args).stdout.is_empty());
    }
    engine
        .enroll(vec![account(
            json!({"id": "x:3", "handle": "thornfield_oracle"}),
        )])
        .unwrap();
    assert!(
        String::from_utf8(real.run(&["lookup", "thornfield.oracle"]).stdout)
            .unwrap()
            .contains("x:3")
    );
}

#[test]
fn a_torn_last_write_takes_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let open = |access| opened(folder.path(), access);
    let engine = open(Access::Create);
    for n in 0..5 {
        engine
            .enroll(vec![account(
                json!({"id": format!("x:{n}"), "handle": format!("thornfield_oracle{n}")}),
            )])
            .unwrap();
    }
    drop(engine);
    let logs = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path());
    let newest = logs
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .max()
        .unwrap();
    let log = std::fs::OpenOptions::new()
        .write(true)
        .open(&newest)
        .unwrap();
    log.set_len(log.metadata().unwrap().len() - 7).unwrap();
    let engine = open(Access::Write);
    let ids: BTreeSet<String> = engine
        .generation()
        .iter()
        .map(|entry| entry.id.to_string())
        .collect();
    assert_eq!(ids, ["x:0", "x:1", "x:2", "x:3"].map(str::to_owned).into());
    assert_eq!(engine.generation().lsn(), 4);
    assert_eq!(
        engine
            .enroll(vec![account(json!({"id": "x:9", "handle": "a_new_one"}))])
            .unwrap()
            .receipt
            .lsn,
        5
    );
    assert!(engine.generation().find(&id("x:9")).is_some());
    drop(engine);
    assert_eq!(Engine::verify(folder.path()).unwrap().damage, [""; 0]);
}

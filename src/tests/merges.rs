//! Merges change nothing but speed: what is changed beside them, read beside them, or killed with them is there once.
//!
//! The same probes as in `segments.rs` get the same answers however the entries are spread over segments.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;
use tempfile::TempDir;

use crate::engine::Engine;
use crate::store::Access;
use crate::tests::segments::{
    LEN, accounts, answers, assert_same, assert_whole, database, files, heard, load, opened, record,
};
use crate::tests::{account, id};

/// Folder in which [`enrolls_until_it_is_killed`] is to enrol.
const FOLDER: &str = "MIRRORWATCH_SEGMENTS_FOLDER";

/// Waits until no merge is due.
fn settle(engine: &Engine) {
    let begun = Instant::now();
    while engine.generation().due().is_some() {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "merges go on and on"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The state a crash would leave: the database's files copied while it is open and nothing is being written.
fn crashed(folder: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        for file in fs::read_dir(from).unwrap() {
            let path = file.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                fs::create_dir(&target).unwrap();
                copy(&path, &target);
            } else {
                fs::copy(&path, &target).unwrap();
            }
        }
    }
    let target = tempfile::tempdir().unwrap();
    copy(folder, target.path());
    target
}

/// Withdraws and enrols again entries that lie in files, and adds some.
fn change(engine: &Engine) {
    let gone = (0..LEN)
        .step_by(7)
        .map(|n| record(n)["id"].as_str().map(id).unwrap());
    engine.withdraw(gone.collect()).unwrap();
    let changed = (0..LEN).step_by(31).map(|n| {
        let mut changed = record(n + LEN);
        changed["id"] = record(n)["id"].clone();
        account(changed)
    });
    engine.enroll(changed.collect()).unwrap();
    for n in 2 * LEN..2 * LEN + 150 {
        engine.enroll(accounts([n])).unwrap();
    }
    engine
        .withdraw(vec![id("x:00031"), id("x:40001"), id("x:40149")])
        .unwrap();
    engine.enroll(accounts([31])).unwrap();
}

#[test]
fn changes_of_entries_in_files_survive() {
    let folder = database();
    let engine = opened(folder.path(), Access::Write);
    change(&engine);
    let (expected, entries) = (answers(&engine), engine.generation().entries());
    assert_whole(&engine);
    let copy = crashed(folder.path());
    drop(engine);
    heard();
    for folder in [folder.path(), copy.path()] {
        for access in [Access::Read, Access::Write, Access::Write] {
            let engine = opened(folder, access);
            assert_eq!(
                (engine.generation().entries(), heard()),
                (entries, Vec::new())
            );
            assert_whole(&engine);
            assert_same(
                &answers(&engine),
                &expected,
                "changed entries, opened again",
            );
        }
    }
}

#[test]
fn a_load_that_was_never_finished_is_there_at_the_next_open() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(folder.path(), Access::Create);
    load(&engine, 0..LEN / 2);
    let mut bulk = engine.bulk();
    bulk.enroll(accounts(LEN / 2..LEN - 1), Vec::new()).unwrap();
    drop(bulk);
    // Later changes, and files written by them, must not make the log before them forgotten.
    engine.withdraw(vec![id("x:00001")]).unwrap();
    load(&engine, LEN..LEN + LEN / 2);
    engine.enroll(accounts([LEN - 1])).unwrap();
    let copy = crashed(folder.path());
    drop(engine);
    for folder in [folder.path(), copy.path()] {
        for _ in 0..2 {
            let engine = opened(folder, Access::Write);
            assert_eq!(engine.generation().entries() as usize, LEN + LEN / 2 - 1);
            assert_whole(&engine);
        }
    }
}

#[test]
fn what_is_changed_while_a_merge_runs_is_neither_lost_nor_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(folder.path(), Access::Create);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Large batches keep the merger busy, single changes go on beside it.
            for start in (0..LEN).step_by(700) {
                engine.enroll(accounts(start..start + 700)).unwrap();
            }
            is_over.store(true, Ordering::Relaxed);
        });
        let mut n = 2 * LEN;
        while !is_over.load(Ordering::Relaxed) {
            engine.enroll(accounts(n..n + 3)).unwrap();
            engine.withdraw(vec![id(&format!("x:{n}"))]).unwrap();
            engine.enroll(accounts([n + 1])).unwrap();
            n += 3;
        }
        println!("{} changes beside {LEN} entries", n - 2 * LEN);
    });
    assert_whole(&engine);
    settle(&engine);
    assert_whole(&engine);
    let expected = answers(&engine);
    drop(engine);
    let engine = opened(folder.path(), Access::Write);
    assert_whole(&engine);
    assert_same(&answers(&engine), &expected, "opened again");
}

#[test]
fn a_part_withdrawn_while_it_is_merged_stays_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(folder.path(), Access::Create);
    for start in (0..8 * 600).step_by(600) {
        engine.enroll(accounts(start..start + 600)).unwrap();
        let gone = (start..start + 600).map(|n| id(&format!("x:{n:05}")));
        engine.withdraw(gone.skip(start / 8).collect()).unwrap();
    }
    settle(&engine);
    assert_whole(&engine);
    assert_eq!(
        engine.generation().entries(),
        (0..8).map(|n| n * 75).sum::<u32>()
    );
}

#[test]
#[ignore = "run by the test below in a process of its own"]
fn enrolls_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let engine = opened(Path::new(&folder), Access::Create);
    let begin = engine.generation().lsn() as usize * 10;
    std::thread::scope(|scope| {
        for thread in 0..3usize {
            let engine = engine.clone();
            scope.spawn(move || {
                let batch_len = [1, 20, 1_100][thread];
                for start in (begin..).step_by(batch_len) {
                    let own = |n: usize| json!({"id": format!("k{thread}:{n}"), "handle": format!("kelmora{n}")});
                    let batch = (start..start + batch_len).map(|n| account(own(n)));
                    engine.enroll(batch.collect()).unwrap();
                    println!("enrolled {thread} {start} {}", start + batch_len);
                    if start % 5 == 0 {
                        engine.withdraw(vec![id(&format!("k{thread}:{start}"))]).unwrap();
                        println!("withdrawn {thread} {start} {}", start + 1);
                    }
                }
            });
        }
    });
}

/// Lets a process enrol until it is killed; keeps in `there` what it said it did, and returns how often it said something.
fn killed(folder: &Path, patience: Duration, there: &mut BTreeSet<String>) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::merges::enrolls_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let killer = std::thread::spawn(move || {
        std::thread::sleep(patience);
        child.kill().unwrap();
        child.wait().unwrap();
    });
    let mut told = 0;
    for line in output.lines().map_while(std::result::Result::ok) {
        let fields: Vec<&str> = line.split(' ').collect();
        // The last line may be cut; the test program's own lines are others.
        let [what, thread, start, end] = fields[..] else {
            continue;
        };
        let numbers = start.parse::<usize>().ok().zip(end.parse().ok());
        let Some((start, end)) = numbers.filter(|(start, end)| start < end) else {
            continue;
        };
        told += 1;
        for n in start..end {
            let id = format!("k{thread}:{n}");
            match what {
                "enrolled" => there.insert(id),
                _ => there.remove(&id),
            };
        }
    }
    killer.join().unwrap();
    told
}

#[test]
fn a_kill_between_merges_loses_nothing() {
    let folder = database();
    let mut random = Rng::new();
    let mut there = BTreeSet::new();
    for round in 0..4 {
        let patience = Duration::from_millis(random.u64(600..3_000));
        let told = killed(folder.path(), patience, &mut there);
        heard();
        let engine = opened(folder.path(), Access::Write);
        assert_eq!(heard(), [""; 0]);
        assert_whole(&engine);
        let generation = engine.generation();
        let lost: Vec<&String> = there
            .iter()
            .filter(|known| !generation.contains(&id(known)))
            .collect();
        // Of each thread a withdrawal may have come through untold.
        assert!(lost.len() <= 3, "{lost:?} lost");
        let found: BTreeSet<String> = generation
            .iter()
            .map(|entry| entry.id.to_string())
            .collect();
        there = found.into_iter().filter(|id| id.starts_with('k')).collect();
        println!(
            "round {round}: {told} answers in {patience:?}, {} entries, {} files",
            generation.entries(),
            files(folder.path(), "segment").len()
        );
        let expected = answers(&engine);
        drop(engine);
        assert_same(
            &answers(&opened(folder.path(), Access::Write)),
            &expected,
            "killed and opened again",
        );
    }
}

#[test]
fn readers_open_beside_a_writer_that_merges() {
    let folder = database();
    let engine = opened(folder.path(), Access::Write);
    let is_over = AtomicBool::new(false);
    let opens = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut opens = 0;
            while !is_over.load(Ordering::Relaxed) {
                let reader = opened(folder.path(), Access::Read);
                assert_eq!(heard(), [""; 0], "nothing is damaged");
                assert_whole(&reader);
                opens += 1;
            }
            opens
        });
        for start in (2 * LEN..5 * LEN).step_by(1_100) {
            engine.enroll(accounts(start..start + 1_100)).unwrap();
        }
        settle(&engine);
        is_over.store(true, Ordering::Relaxed);
        reading.join().unwrap()
    });
    println!("{opens} readers");
    assert!(opens > 0);
    let expected = answers(&engine);
    assert_same(
        &answers(&opened(folder.path(), Access::Read)),
        &expected,
        "a reader",
    );
}

#[test]
fn answers_do_not_depend_on_how_entries_are_segmented() {
    let folder = tempfile::tempdir().unwrap();
    let engine = |name: &str| opened(&folder.path().join(name), Access::Create);
    let at_once = engine("bulk");
    load(&at_once, 0..LEN);
    let expected = answers(&at_once);
    assert_eq!(at_once.generation().segments(), 1);
    let batches = engine("batches");
    let mut numbers: Vec<usize> = (0..LEN).collect();
    Rng::with_seed(3).shuffle(&mut numbers);
    for batch in numbers.chunks(LEN / 40) {
        batches.enroll(accounts(batch.iter().copied())).unwrap();
    }
    println!("{} segments", batches.generation().segments());
    assert!(batches.generation().segments() > 1);
    assert_same(&answers(&batches), &expected, "40 batches");
    settle(&batches);
    assert_same(&answers(&batches), &expected, "40 batches merged");
    drop(batches);
    assert_same(
        &answers(&engine("batches")),
        &expected,
        "40 batches opened again",
    );
    let withdrawn = engine("withdrawn");
    load(&withdrawn, 0..LEN + LEN / 2);
    let gone = (LEN..LEN + LEN / 2).map(|n| id(&format!("x:{n:05}")));
    withdrawn.withdraw(gone.collect()).unwrap();
    assert_whole(&withdrawn);
    assert_same(&answers(&withdrawn), &expected, "others withdrawn");
}

#[test]
fn a_load_counts_each_id_once() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(folder.path(), Access::Create);
    engine.enroll(accounts(0..10)).unwrap();
    let mut bulk = engine.bulk();
    bulk.enroll(accounts([0, 1, 20, 21, 20]), Vec::new())
        .unwrap();
    bulk.enroll(accounts([1, 1, 21, 22]), Vec::new()).unwrap();
    let receipt = bulk.finish(&|_| ()).unwrap();
    assert_eq!((receipt.added, receipt.updated), (3, 6));
    assert_eq!(engine.generation().entries(), 13);
}

#[test]
fn what_became_of_merged_parts_meanwhile_counts() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(&folder.path().join("changing"), Access::Create);
    // Each of a size of its own, since two of one size are merged.
    for part in [0..900, 900..1000, 1000..1020, 1020..1025, 1025..1026] {
        engine.enroll(accounts(part)).unwrap();
    }
    let merging = engine.generation();
    let whole = opened(&folder.path().join("merged"), Access::Create);
    whole.enroll(accounts(0..1026)).unwrap();
    let merged = whole.generation().parts()[0].clone();
    // Meanwhile two of its parts are withdrawn to the last entry, and the small ones are built into another.
    let gone = (900..1000).chain([1025]).map(|n| id(&format!("x:{n:05}")));
    engine.withdraw(gone.collect()).unwrap();
    for n in 1026..1028 {
        engine.enroll(accounts([n])).unwrap();
    }
    let after = engine.generation().replaced(merging.parts(), merged);
    let held: Vec<String> = after.iter().map(|entry| entry.id.to_string()).collect();
    let numbers = (0..900).chain(1000..1025).chain(1026..1028);
    let expected: BTreeSet<String> = numbers.map(|n| format!("x:{n:05}")).collect();
    assert_eq!(held.len(), expected.len(), "an entry is held twice");
    assert_eq!(held.into_iter().collect::<BTreeSet<String>>(), expected);
    assert_eq!((merging.parts().len(), after.parts().len()), (5, 2));
}

//! Segment files survive anything: closing, rot, leftovers, another background.
//!
//! Each story screens the same probes before and after and wants the same verdicts, scores and hits. Lists are just
//! long enough that segments lie in files. What merges and kills do to them stands in `merges.rs`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::account::{Account, AccountId};
use crate::engine::{Engine, Options, Probe, screen};
use crate::fingerprint::Fingerprint;
use crate::signal::packed::Packer;
use crate::store::Access;
use crate::tests::{Shell, account};
use crate::verdict::Verdict;

/// Entries of most stories: two segment files, or more.
pub(super) const LEN: usize = 20_000;
const PROBES: usize = 50;
const SYLLABLES: [&str; 24] = [
    "zor", "va", "ni", "thorn", "fi", "qar", "za", "min", "sa", "da", "tor", "mand", "vel",
    "quist", "ra", "ven", "gal", "low", "kel", "mo", "mur", "gh", "pix", "ul",
];

thread_local! {
    /// What opening told, on the thread that opened.
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn hear(text: &str) {
    HEARD.with(|heard| heard.borrow_mut().push(text.to_owned()));
}

pub(super) fn heard() -> Vec<String> {
    HEARD.with(|heard| std::mem::take(&mut *heard.borrow_mut()))
}

pub(super) fn opened(folder: &Path, access: Access) -> Engine {
    let options = Options {
        access,
        notice: hear,
        ..Options::default()
    };
    Engine::open(folder, options).unwrap()
}

fn word(random: &mut Rng, syllables: usize) -> String {
    let mut syllable = || SYLLABLES[random.usize(..SYLLABLES.len())];
    (0..syllables).map(|_| syllable()).collect()
}

fn words(random: &mut Rng, len: usize) -> String {
    let words: Vec<String> = (0..len).map(|_| word(random, 3)).collect();
    words.join(" ")
}

/// The banned account of number `n`; one in four carries values that hundreds carry.
pub(super) fn record(n: usize) -> Value {
    let mut random = Rng::with_seed(n as u64);
    let mut record = json!({
        "id": format!("x:{n:05}"),
        "handle": format!("{}_{}", word(&mut random, 2), word(&mut random, 3)),
        "display_name": words(&mut random, 2),
    });
    if n.is_multiple_of(3) {
        record["bio"] = json!(words(&mut random, 12));
    }
    if n.is_multiple_of(5) {
        let pdq: String = (0..32).map(|_| format!("{:02x}", random.u8(..))).collect();
        record["avatar"] = json!({"pdq": pdq, "quality": 100});
    }
    if n.is_multiple_of(7) {
        record["links"] = json!([format!("t.me/{}", word(&mut random, 4))]);
    }
    if n.is_multiple_of(4) {
        record["ban"] = json!({"network": format!("net{}", n % 40)});
        match random.u8(..8) {
            0 => record["handle"] = json!(format!("velquist_gainers{n}")),
            1 => record["handle"] = json!("velquist_gainers"),
            2 => record["bio"] = json!(format!("join the velquist gainers club today {n}")),
            3 => record["display_name"] = json!("Velquist Gainers Club"),
            4 => record["links"] = json!(["velquist.example/join"]),
            5 => record["avatar"] = json!({"pdq": near("5a", &mut random), "quality": 100}),
            6 => record["handle"] = json!(format!("velquist{}gainers", random.lowercase())),
            _ => record["tokens"] = json!({"device": "one-for-all"}),
        }
    }
    record
}

/// A picture a few bits from the one of 32 times this byte.
fn near(byte: &str, random: &mut Rng) -> String {
    let mut bytes = [u8::from_str_radix(byte, 16).unwrap(); 32];
    for _ in 0..random.usize(..6) {
        bytes[random.usize(..32)] ^= 1 << random.u8(..8);
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn accounts(numbers: impl IntoIterator<Item = usize>) -> Vec<Account> {
    numbers.into_iter().map(|n| account(record(n))).collect()
}

/// Probes that keep two traits of an entry, and every fifth one of a hot value.
fn probes() -> Vec<Account> {
    let probe = |n: usize| {
        let mut random = Rng::with_seed(n as u64 ^ 0xffff);
        let entry = record(n * 397 % LEN);
        let mut probe =
            json!({"handle": word(&mut random, 5), "display_name": words(&mut random, 3)});
        let mut kept = ["handle", "display_name", "bio", "avatar", "links", "tokens"];
        random.shuffle(&mut kept);
        for field in kept
            .iter()
            .filter(|field| entry.get(**field).is_some())
            .take(2)
        {
            probe[*field] = entry[*field].clone();
        }
        if n.is_multiple_of(5) {
            probe["handle"] = json!(format!("velquist_gainers{}", random.u16(..)));
        }
        if n.is_multiple_of(6) {
            probe["avatar"] = json!({"pdq": near("5a", &mut random), "quality": 100});
        }
        if n.is_multiple_of(8) {
            probe["bio"] = json!("join the velquist gainers club today or tomorrow");
        }
        account(probe)
    };
    (0..PROBES).map(probe).collect()
}

/// What a probe got: the verdict, the best score, and the hits with theirs.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    verdict: Verdict,
    score: f32,
    hits: Vec<(AccountId, f32)>,
    cuts: u32,
}

/// What every probe gets, candidates below the thresholds told too.
pub(super) fn answers(engine: &Engine) -> Vec<Answer> {
    let mut judge = engine.judge().clone();
    (judge.all_candidates, judge.hits_max) = (true, 30);
    let generation = engine.generation();
    let answer = |probe: &Account| {
        let fingerprint = engine.fingerprint(probe);
        let told = screen(&generation, &Probe::of(probe, &fingerprint), &judge);
        let hits = told.hits.into_iter();
        Answer {
            verdict: told.verdict,
            score: told.score,
            hits: hits.map(|hit| (hit.entry.id, hit.score.total())).collect(),
            cuts: told.cuts,
        }
    };
    probes().iter().map(answer).collect()
}

#[track_caller]
pub(super) fn assert_same(found: &[Answer], expected: &[Answer], story: &str) {
    for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
        let probe = &probes()[n];
        assert_eq!(found, expected, "{story}: probe {n} {probe:?}");
    }
    let flagged = expected
        .iter()
        .filter(|answer| answer.verdict != Verdict::Clear);
    assert!(
        flagged.count() > PROBES / 2,
        "{story}: most probes are flagged"
    );
}

fn packed(fingerprint: &Fingerprint<'_>) -> Vec<u8> {
    let mut packer = Packer::default();
    fingerprint.pack(&mut packer);
    packer.bytes().to_vec()
}

/// Asserts that the view holds each entry of the database once, and nothing else, as it was last enrolled.
#[track_caller]
pub(super) fn assert_whole(engine: &Engine) {
    let generation = engine.generation();
    let held: Vec<AccountId> = generation.iter().map(|entry| entry.id).collect();
    let ids: BTreeSet<&AccountId> = held.iter().collect();
    assert_eq!(ids.len(), held.len(), "an entry is held twice");
    assert_eq!(generation.entries() as usize, held.len());
    let mut stored = 0;
    for account in engine.entries().unwrap() {
        let account = account.unwrap();
        let entry = generation.find(account.id());
        let entry = entry.unwrap_or_else(|| panic!("{} is not held", account.id()));
        let expected = engine.fingerprint(&account);
        assert!(
            packed(&entry.fingerprint) == packed(&expected),
            "{} is held as it was",
            account.id()
        );
        stored += 1;
    }
    assert_eq!(stored, held.len(), "an entry is held that is not stored");
}

/// A database of the first `LEN` entries in two bulk loads, so that half of it can be damaged.
pub(super) fn database() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(folder.path(), Access::Create);
    for start in [0, LEN / 2] {
        load(&engine, start..start + LEN / 2);
    }
    drop(engine);
    assert_eq!(files(folder.path(), "segment").len(), 2);
    folder
}

pub(super) fn load(engine: &Engine, numbers: std::ops::Range<usize>) {
    let mut bulk = engine.bulk();
    for batch in accounts(numbers).chunks(4_096) {
        bulk.enroll(batch.to_vec(), Vec::new()).unwrap();
    }
    bulk.finish(&|_| ()).unwrap();
}

/// Files of this kind in the folder of segments, by name.
pub(super) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder.join("segments")).unwrap();
    let mut files: Vec<PathBuf> = all.map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

#[test]
fn closing_and_opening_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(folder.path(), Access::Create);
    load(&engine, 0..LEN);
    engine.enroll(accounts(LEN..LEN + 100)).unwrap();
    let expected = answers(&engine);
    drop(engine);
    assert_eq!(
        files(folder.path(), "segment"),
        [folder.path().join("segments/000001.segment")]
    );
    heard();
    for access in [Access::Write, Access::Read, Access::Create] {
        let engine = opened(folder.path(), access);
        assert_whole(&engine);
        assert_same(&answers(&engine), &expected, "opened again");
        assert_eq!(heard(), [""; 0]);
    }
}

/// Damages the first file; opening must say so and mend it.
#[track_caller]
fn is_mended(story: &str, folder: &Path, expected: &[Answer], damage: impl Fn(&Path)) {
    let damaged = files(folder, "segment").remove(0);
    damage(&damaged);
    let is_there = damaged.exists();
    let content = fs::read(&damaged).unwrap_or_default();
    heard();
    let reader = opened(folder, Access::Read);
    assert!(heard()[0].contains("damaged"), "{story}");
    assert_same(&answers(&reader), expected, story);
    drop(reader);
    assert_eq!(
        fs::read(&damaged).unwrap_or_default(),
        content,
        "a reader changes nothing"
    );
    let engine = opened(folder, Access::Write);
    let told = heard();
    assert!(
        told.len() == 1 && told[0].contains("damaged"),
        "{story}: {told:?}"
    );
    let aside = damaged.with_extension("damaged");
    assert_eq!(aside.exists(), is_there, "{story}");
    assert_eq!(fs::read(&aside).unwrap_or_default(), content, "{story}");
    let _ = fs::remove_file(aside);
    assert_same(&answers(&engine), expected, story);
    drop(engine);
    let engine = opened(folder, Access::Write);
    assert_eq!(heard(), [""; 0], "{story}: mended for good");
    assert_whole(&engine);
    assert_same(&answers(&engine), expected, story);
    assert_eq!(files(folder, "segment").len(), 2, "{story}");
}

fn with_bytes(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn damage_is_told_set_aside_and_mended() {
    let folder = database();
    let folder = folder.path();
    let expected = answers(&opened(folder, Access::Read));
    let is_mended =
        |story: &str, damage: &dyn Fn(&Path)| is_mended(story, folder, &expected, damage);
    is_mended("a bit flipped in the middle", &|file| {
        with_bytes(file, |bytes| {
            let middle = (bytes.len() / 2..).find(|at| bytes[*at] != 0).unwrap();
            bytes[middle] ^= 4;
        });
    });
    is_mended("cut in half", &|file| {
        with_bytes(file, |bytes| bytes.truncate(bytes.len() / 2))
    });
    is_mended("the last byte lost", &|file| {
        with_bytes(file, |bytes| bytes.truncate(bytes.len() - 1))
    });
    is_mended("cut within the header", &|file| {
        with_bytes(file, |bytes| bytes.truncate(20))
    });
    is_mended("empty", &|file| with_bytes(file, Vec::clear));
    is_mended("overwritten with noise", &|file| {
        with_bytes(file, |bytes| Rng::with_seed(1).fill(bytes));
    });
    is_mended("its table damaged", &|file| {
        with_bytes(file, |bytes| {
            let at = u64::from_le_bytes(bytes[8..16].try_into().unwrap()) as usize;
            bytes[at + 10] ^= 255;
        });
    });
    is_mended("the place of its table damaged", &|file| {
        with_bytes(file, |bytes| bytes[13] ^= 1)
    });
    is_mended("its table said to be endless", &|file| {
        with_bytes(file, |bytes| bytes[16..24].fill(255))
    });
    is_mended("deleted", &|file| fs::remove_file(file).unwrap());
    is_mended("replaced by the other one's first half", &|file| {
        let other = files(folder, "segment").remove(1);
        with_bytes(file, |bytes| {
            *bytes = fs::read(other).unwrap()[..bytes.len() / 2].to_vec()
        });
    });
}

#[test]
fn a_manifest_that_names_nothing_there_is_mended() {
    let folder = database();
    let expected = answers(&opened(folder.path(), Access::Read));
    fs::remove_dir_all(folder.path().join("segments")).unwrap();
    heard();
    let engine = opened(folder.path(), Access::Write);
    assert_eq!(heard().len(), 2);
    assert_same(&answers(&engine), &expected, "all files deleted");
    assert_whole(&engine);
}

#[test]
fn leftovers_are_removed() {
    let folder = database();
    let segments = folder.path().join("segments");
    let named = files(folder.path(), "segment");
    let expected = answers(&opened(folder.path(), Access::Read));
    let leftovers =
        ["000077.unfinished", "000003.segment", "000099.segment"].map(|name| segments.join(name));
    fs::write(&leftovers[0], b"half a segment").unwrap();
    fs::copy(&named[0], &leftovers[1]).unwrap();
    fs::write(&leftovers[2], b"").unwrap();
    fs::write(
        segments.join("000001.damaged"),
        b"kept for whoever looks into it",
    )
    .unwrap();
    heard();
    assert_same(
        &answers(&opened(folder.path(), Access::Read)),
        &expected,
        "beside leftovers",
    );
    assert!(
        leftovers.iter().all(|path| path.exists()),
        "a reader removes nothing"
    );
    let engine = opened(folder.path(), Access::Write);
    assert_eq!(heard(), [""; 0]);
    assert_same(&answers(&engine), &expected, "leftovers removed");
    assert_eq!(files(folder.path(), "segment"), named);
    assert_eq!(
        files(folder.path(), "unfinished"),
        [""; 0].map(PathBuf::from)
    );
    assert_eq!(files(folder.path(), "damaged").len(), 1);
}

#[test]
fn another_background_is_indexed_for() {
    let ordinary = |n: usize| json!({"id": format!("o:{n}"), "handle": format!("velquist{n}"), "bio": "zorva thornfi"});
    let lines: String = (0..5_000).map(|n| ordinary(n).to_string() + "\n").collect();
    let shell = Shell::new();
    let counted = shell.file("ordinary.ndjson", lines);
    let folder = database();
    let before = answers(&opened(folder.path(), Access::Read));
    let path = folder.path().to_str().unwrap();
    assert_eq!(shell.run_on(path, &["background", &counted]).status, 0);
    heard();
    let reader = opened(folder.path(), Access::Read);
    assert_eq!(
        heard()
            .iter()
            .filter(|told| told.contains("another background"))
            .count(),
        2
    );
    let engine = opened(folder.path(), Access::Write);
    assert_eq!(
        heard()
            .iter()
            .filter(|told| told.contains("another background"))
            .count(),
        2
    );
    let expected = {
        let other = shell.path("other.db");
        assert_eq!(shell.run_on(&other, &["background", &counted]).status, 0);
        let engine = opened(Path::new(&other), Access::Write);
        load(&engine, 0..LEN);
        answers(&engine)
    };
    assert_same(&answers(&engine), &expected, "another background");
    assert_same(&answers(&reader), &expected, "another background, read");
    assert_ne!(expected, before, "the background matters");
    assert_whole(&engine);
    drop(engine);
    assert_eq!(files(folder.path(), "damaged").len(), 0);
    assert_eq!(files(folder.path(), "segment").len(), 1);
    let engine = opened(folder.path(), Access::Write);
    assert_eq!(heard(), [""; 0]);
    assert_same(
        &answers(&engine),
        &expected,
        "another background, opened again",
    );
}

//! Databases of earlier formats open with today's code: the stored ones in `data/format/` are never written again.
//!
//! A new format version gets a folder of its own by the ignored test below; the old ones and their expectations stay.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::engine::{Engine, Options};
use crate::store::Access;
use crate::tests::{account, id, opened, samples};
use crate::verdict::Verdict;
use crate::wire::AccountRecord;

fn stored() -> PathBuf {
    samples().join("format/v1")
}

/// What the stored database was made of: every field of the record, changes of each kind.
fn entries() -> [Value; 3] {
    [
        json!({"id": "x:17", "platform": "x", "kind": "channel", "handle": "zorvani_dispatch", "display_name": "زوروانی Dispatch",
            "bio": "hourly reports, call +44 20 7946 0628", "location": "the plateau", "links": ["https://t.me/zorvanidsp"],
            "avatar": {"pdq": "e0c0f3992fa4975a2ce519c3d04a2d34de19b572caff031ee1be653c9fc08ec0", "quality": 97}, "tokens": {"device": "dv-1"},
            "created_at": "2025-01-02T03:04:05Z", "ban": {"reason": "incitement", "network": "zorvani", "source": "court",
            "banned_at": "2026-10-01T00:00:00Z", "expires_at": "2999-01-01T00:00:00Z"}}),
        json!({"id": "x:18", "handle": "thornfield_oracle"}),
        json!({"id": "x:19", "handle": "withdrawn_later"}),
    ]
}

fn copied(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

#[test]
fn a_database_from_before_judgments_is_read() {
    let folder = copied(&stored());
    let engine = opened(folder.path(), Access::Read);
    assert_eq!(engine.generation().entries(), 2);
    let judgments = engine.judgments_of_entry(&id("x:17"), 9).unwrap();
    assert_eq!((judgments, engine.stats().unwrap().judgments), (vec![], 0));
    let probe = account(json!({"handle": "zorvani_dispatch2"}));
    engine.explain(&probe, &id("x:17")).unwrap();
    let found = Engine::verify(folder.path()).unwrap();
    assert_eq!((found.damage, found.rulings), (vec![], 0));
}

#[test]
fn a_database_of_format_1_opens() {
    let folder = copied(&stored());
    let engine = Engine::open(folder.path(), Options::default()).unwrap();
    assert_eq!(
        (engine.generation().lsn(), engine.generation().entries()),
        (5, 2)
    );
    let exported: Vec<Value> = engine
        .entries()
        .unwrap()
        .map(|entry| serde_json::to_value(AccountRecord::of(&entry.unwrap())).unwrap())
        .collect();
    let [mut first, ..] = entries();
    // Tokens stay behind in an export; their keyed form is tried below.
    first.as_object_mut().unwrap().remove("tokens");
    let second = json!({"id": "x:18", "kind": "account", "handle": "thornfield_oracle", "display_name": "Second writing"});
    assert_eq!(exported, [first, second]);
    // Only the stored secret makes the same key of the token.
    let probe = account(
        json!({"handle": "quite_another", "tokens": {"device": "dv-1"}, "links": ["t.me/zorvanidsp"]}),
    );
    let screened = engine.screen(&probe);
    assert_eq!(
        (screened.verdict, &screened.hits[0].entry.id),
        (Verdict::Match, &id("x:17"))
    );
    assert!(
        screened.hits[0]
            .score
            .bits(crate::signal::relation::Signal::Token)
            > 5.0
    );
    let seen = engine.known(&id("x:20")).unwrap();
    // Seen accounts are forgotten after a month; whichever, reading them is no error.
    assert!(seen.is_none_or(|seen| seen.handle == "seen_only"));
    drop(engine);
    assert_eq!(Engine::verify(folder.path()).unwrap().damage, [""; 0]);
}

#[test]
fn every_format_has_a_stored_database() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/database.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let version: u32 = source
        .split("const FORMAT: u32 = ")
        .nth(1)
        .and_then(|rest| rest.split(';').next()?.parse().ok())
        .unwrap();
    for version in 1..=version {
        let folder = samples().join(format!("format/v{version}"));
        assert!(
            folder.join("CURRENT").is_file(),
            "no {}: store one with the ignored test below",
            folder.display()
        );
    }
}

/// Writes `data/format/v1`; run once per format version, by hand.
#[test]
#[ignore = "writes data/format: only for a new format version"]
fn store_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let open = |access| opened(folder.path(), access);
    let engine = open(Access::Create);
    engine.enroll(entries().map(account).into()).unwrap();
    drop(engine);
    // Opened again, the first changes move from the log into tables; the next ones stay in the log.
    let engine = open(Access::Write);
    engine
        .enroll(vec![account(
            json!({"id": "x:18", "handle": "thornfield_oracle", "display_name": "Second writing"}),
        )])
        .unwrap();
    engine.withdraw(vec![id("x:19")]).unwrap();
    engine
        .remember(
            &[account(json!({"id": "x:20", "handle": "seen_only"}))],
            jiff::Timestamp::now(),
        )
        .unwrap();
    drop(engine);
    std::fs::create_dir_all(stored()).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let name = file.unwrap().file_name();
        // RocksDB's diary and options are made anew at every opening.
        let is_needed = name.to_str().is_some_and(|name| {
            !name.starts_with("LOG") && !name.starts_with("OPTIONS") && name != "LOCK"
        });
        if is_needed {
            std::fs::copy(folder.path().join(&name), stored().join(&name)).unwrap();
        }
    }
}

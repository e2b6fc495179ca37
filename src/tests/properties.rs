//! What holds of every watchlist: reports do not depend on history, changes are seen at once, ids are filled and expire.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::engine::{Engine, Options};
use crate::tests::{Shell, Watch, account, id};
use crate::verdict::Verdict;
use crate::wire::ReportRecord;

/// Lifelike entries that resemble each other: every report has several hits to order.
fn entries() -> Vec<Value> {
    let entry = |n: usize| {
        json!({"id": format!("x:{n}"), "handle": format!("qarzamin_falcon{}", n % 40),
            "display_name": format!("Qarzamin Falcon {}", n % 7), "links": [format!("https://t.me/qarzaminfalcon{}", n % 11)],
            "bio": "wandering falconer documenting forbidden mountain shrines", "ban": {"network": format!("flock{}", n % 3)}})
    };
    (0..150).map(entry).collect()
}

fn probes() -> Vec<Value> {
    let probe = |n: usize| {
        json!({"id": format!("x:p{n}"), "handle": format!("qarzam1n_falcon{n}"), "links": [format!("t.me/qarzaminfalcon{}", n % 11)],
            "bio": "documenting forbidden shrines, wandering falconer"})
    };
    (0..12).map(probe).collect()
}

/// Every report, as rendered.
fn reports(engine: &Engine) -> Vec<String> {
    let report = |probe: Value| ReportRecord::of(engine.report(&account(probe)).unwrap(), 0);
    probes()
        .into_iter()
        .map(|probe| serde_json::to_string(&report(probe)).unwrap())
        .collect()
}

fn options() -> Options {
    Options {
        all_candidates: true,
        hits_max: 200,
        ..Options::default()
    }
}

/// Enrols `entries` in batches of `batch_len`.
fn enrolled(entries: Vec<Value>, batch_len: usize) -> Watch {
    let watch = Watch::empty(options());
    for batch in entries.chunks(batch_len) {
        watch
            .engine
            .enroll(batch.iter().cloned().map(account).collect())
            .unwrap();
    }
    watch
}

#[test]
fn reports_do_not_depend_on_order_batches_or_a_restart() {
    let whole = enrolled(entries(), 1_000);
    let expected = reports(&whole.engine);
    assert!(expected.iter().all(|report| report.contains("falcon")));
    let mut backwards = entries();
    backwards.reverse();
    assert_eq!(
        reports(&enrolled(backwards, 1).engine),
        expected,
        "one by one, backwards"
    );
    assert_eq!(
        reports(&enrolled(entries(), 13).engine),
        expected,
        "in batches"
    );
    let Watch { engine, folder } = whole;
    drop(engine);
    let again = Engine::open(folder.path(), options()).unwrap();
    assert_eq!(reports(&again), expected, "after a restart");
}

#[test]
fn a_withdrawal_is_honoured_at_once_and_for_good() {
    let watch = enrolled(entries(), 50);
    let probe = json!({"handle": "qarzamin_falcon3"});
    let before = watch.screen(probe.clone());
    let first = before.hits[0].entry.id.clone();
    let receipt = watch
        .engine
        .withdraw(vec![first.clone(), id("x:none")])
        .unwrap();
    assert_eq!(
        (receipt.withdrawn, receipt.unknown),
        (1, vec![id("x:none")])
    );
    let is_gone = |watch: &Watch| {
        let hits = watch.screen(probe.clone()).hits;
        !hits.is_empty() && hits.iter().all(|hit| hit.entry.id != first)
    };
    assert!(is_gone(&watch));
    let watch = watch.reopened();
    assert!(is_gone(&watch));
    assert_eq!(watch.engine.generation().entries(), 149);
    assert!(watch.engine.generation().lsn() > before.lsn);
}

#[test]
fn enrolling_an_id_again_replaces_it() {
    let watch = Watch::of([json!({"id": "x:1", "handle": "zorvani_dispatch"})]);
    let changed = account(json!({"id": "x:1", "handle": "thornfield_oracle"}));
    let receipt = watch.engine.enroll(vec![changed]).unwrap().receipt;
    assert_eq!((receipt.added, receipt.updated, receipt.lsn), (0, 1, 2));
    watch.finds("x:1", json!({"handle": "thornfield_oracle2"}));
    watch.clears(json!({"handle": "zorvani_dispatch"}));
    watch
        .reopened()
        .clears(json!({"handle": "zorvani_dispatch"}));
}

#[test]
fn an_id_alone_is_filled_from_what_was_seen() {
    let watch = Watch::of([]);
    let bare = || account(json!({"id": "x:7", "ban": {"reason": "spam"}}));
    let refused = watch.engine.enroll(vec![bare()]).unwrap().rejected;
    assert_eq!((refused[0].0, refused[0].1.code), (0, "never_seen"));
    let seen =
        account(json!({"id": "x:7", "handle": "thornfield_oracle", "tokens": {"device": "d1"}}));
    watch
        .engine
        .remember(&[seen], jiff::Timestamp::now())
        .unwrap();
    let watch = watch.reopened();
    assert_eq!(watch.engine.enroll(vec![bare()]).unwrap().rejected, []);
    watch.finds("x:7", json!({"handle": "thornfield.oracle"}));
    let stored = watch.engine.entry(&id("x:7")).unwrap().unwrap();
    assert_eq!(stored.ban.as_ref().unwrap().reason, "spam");
    let token = json!({"handle": "nobody_at_all", "tokens": {"device": "d1"}});
    assert!(
        watch
            .engine
            .explain(&account(token), &id("x:7"))
            .unwrap()
            .evidence
            .iter()
            .any(|row| row.bits > 5.0)
    );
}

#[test]
fn screening_on_the_command_line_is_what_was_seen() {
    let shell = Shell::new();
    let other = shell.file("other.ndjson", r#"{"id":"x:0","handle":"someone_else"}"#);
    let probe = shell.file(
        "probe.ndjson",
        r#"{"id":"x:7","handle":"thornfield_oracle"}"#,
    );
    let bare = shell.file("bare.ndjson", r#"{"id":"x:7"}"#);
    shell.expect(0, &["enroll", &other]);
    let refused = shell.run(&["enroll", &bare]);
    assert_eq!(refused.status, 3);
    assert!(
        refused
            .err
            .contains("bare.ndjson:1: never_seen: field `id`"),
        "{}",
        refused.err
    );
    shell.expect(0, &["screen", &probe]);
    shell.expect(0, &["enroll", &bare]);
    assert!(shell.expect(0, &["export"]).contains("thornfield_oracle"));
}

#[test]
fn ended_bans_are_withdrawn_when_the_database_is_opened() {
    let ban = |id: &str, end: &str| json!({"id": id, "handle": format!("thornfield_{id}"), "ban": {"expires_at": end}});
    let soon = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 2).unwrap();
    let soon = soon.to_string();
    let watch = Watch::of([ban("past", &soon), ban("to_come", "2999-01-01T00:00:00Z")]);
    std::thread::sleep(std::time::Duration::from_secs(3));
    let watch = watch.reopened();
    let ids: Vec<String> = watch
        .engine
        .generation()
        .iter()
        .map(|entry| entry.id.to_string())
        .collect();
    assert_eq!(ids, ["to_come"]);
    assert_eq!(watch.engine.generation().lsn(), 3);
}

/// A handle unlike any other writer's.
fn handle_of(writer: usize, n: usize) -> String {
    let letter =
        |at: usize| char::from(b"bdfgklmnprstvz"[((writer * 41 + n) * 31 + at * (n + 5)) % 14]);
    let letters: String = (0..9).map(letter).collect();
    format!("{letters}a{writer}x{n}")
}

/// Bans account after account; each must be found by the very next screen.
fn write_and_look(engine: &Engine, writer: usize, len: usize) {
    for n in 0..len {
        let banned =
            account(json!({"id": format!("x:{writer}-{n}"), "handle": handle_of(writer, n)}));
        engine.enroll(vec![banned.clone()]).unwrap();
        let hits = engine.screen(&banned).hits;
        assert!(
            hits.iter().any(|hit| hit.entry.id == *banned.id()),
            "{writer} {n}"
        );
    }
}

/// Screens until told to stop; returns how often.
fn read(engine: &Engine, is_done: &AtomicBool) -> usize {
    let (mut lsn, mut screened) = (0, 0);
    while !is_done.load(Ordering::Relaxed) {
        let found = engine.screen(&account(json!({"handle": "thornfield_oracle"})));
        assert!(
            found.verdict != Verdict::Clear && found.lsn >= lsn,
            "time goes forward"
        );
        (lsn, screened) = (found.lsn, screened + 1);
    }
    screened
}

#[test]
fn what_was_acknowledged_the_next_screen_finds() {
    const WRITERS: usize = 8;
    const EACH: usize = 40;
    let watch = Watch::of([json!({"id": "x:first", "handle": "thornfield_oracle"})]);
    let (engine, is_done) = (&watch.engine, &AtomicBool::new(false));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write_and_look(engine, writer, EACH)))
            .collect();
        let readers: Vec<_> = (0..4)
            .map(|_| scope.spawn(move || read(engine, is_done)))
            .collect();
        let outcomes: Vec<_> = writers
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        is_done.store(true, Ordering::Relaxed);
        assert!(
            outcomes.iter().all(Result::is_ok),
            "a writer did not find what it had enrolled"
        );
        assert!(readers.into_iter().all(|reader| reader.join().unwrap() > 0));
    });
    let entries = 1 + WRITERS * EACH;
    assert_eq!(watch.engine.generation().entries() as usize, entries);
    assert_eq!(
        watch.reopened().engine.generation().entries() as usize,
        entries
    );
}

//! What follows from a flag: decisions made again, recent signups found by a later ban, lineages that grow and go.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::account::Account;
use crate::engine::{Engine, Options, Recency, Report};
use crate::format::{Input, Parser};
use crate::judgment::{Answer, Judgment, Remark};
use crate::store::Access;
use crate::tests::{account, id, samples};
use crate::wire::ReportRecord;

const RECENCY: Recency = Recency {
    hours: 72,
    signups_max: 10_000,
};

fn told(report: &Report) -> Vec<u8> {
    serde_json::to_vec(&ReportRecord::of(report.clone(), 0)).unwrap()
}

fn read(name: &str) -> Vec<Account> {
    let parser = Parser::new(samples());
    let lines = Input::new(&samples().join(name), None)
        .unwrap()
        .lines(|_| ())
        .unwrap();
    let account = |line: crate::format::Line| parser.parse(line.body.unwrap()).unwrap().account;
    lines.map(account).collect()
}

/// An engine with recent signups at hand, on a folder that is gone with it.
fn engine() -> (Engine, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let access = Access::Create;
    let engine = Engine::open(
        folder.path(),
        Options {
            access,
            ..Options::default()
        },
    )
    .unwrap();
    (engine.with_recent(RECENCY), folder)
}

fn seen(engine: &Engine, account: &Account) -> crate::engine::Decided {
    let decided = engine.decide(account, told).unwrap();
    engine
        .remember(std::slice::from_ref(account), Timestamp::now())
        .unwrap();
    decided
}

fn judged(engine: &Engine, probe: &str, entry: &str, answer: Answer) -> crate::engine::Settled {
    let remark = Remark::new("ada", "", "2026-11-20T10:00:00Z".parse().unwrap()).unwrap();
    let judgment = Judgment::new(id(probe), id(entry), answer, remark).unwrap();
    engine.settle(judgment, None).unwrap()
}

#[test]
fn decisions_are_made_again_byte_by_byte_whatever_has_happened_since() {
    let (engine, _folder) = engine();
    let entries = read("watchlist.ndjson");
    engine.enroll(entries.clone()).unwrap();
    let flagged: Vec<u64> = read("signups.ndjson")
        .iter()
        .filter_map(|signup| seen(&engine, signup).report.decision)
        .collect();
    assert!(flagged.len() > 100, "{} decisions", flagged.len());
    // Half of the list goes, the other half changes, and pairs are judged.
    let ids: Vec<_> = entries.iter().map(|entry| entry.id().clone()).collect();
    engine
        .withdraw(ids.iter().step_by(2).cloned().collect())
        .unwrap();
    let changed = entries.iter().skip(1).step_by(2).map(|entry| {
        let mut draft = entry.clone().into_draft();
        draft.bio = "all is new".into();
        draft.check().unwrap()
    });
    engine.enroll(changed.collect()).unwrap();
    for number in flagged {
        let decision = engine.decision(number).unwrap().unwrap();
        let again = String::from_utf8(told(&engine.replay(&decision))).unwrap();
        assert_eq!(again, String::from_utf8(decision.report).unwrap());
    }
}

#[test]
fn the_same_account_again_is_the_same_decision_and_only_new_evidence_is_new() {
    let (engine, _folder) = engine();
    engine
        .enroll(vec![account(
            json!({"id": "x:1", "handle": "zorvani_dispatch", "bio": "write t.me/zorvanidsp"}),
        )])
        .unwrap();
    let first = seen(
        &engine,
        &account(json!({"id": "x:9", "handle": "zorvani_dispatch2"})),
    );
    assert!(first.is_new && first.report.decision.is_some());
    let again = seen(
        &engine,
        &account(json!({"id": "x:9", "handle": "zorvani_dispatch2"})),
    );
    assert_eq!(
        (again.is_new, again.report.decision),
        (false, first.report.decision)
    );
    let edited = seen(
        &engine,
        &account(json!({"id": "x:9", "handle": "zorvani_dispatch2", "bio": "t.me/zorvanidsp"})),
    );
    assert!(edited.is_new && edited.report.decision > first.report.decision);
    let back = seen(
        &engine,
        &account(json!({"id": "x:9", "handle": "zorvani_dispatch2"})),
    );
    assert!(!back.is_new, "what it tells was told before");
    assert_eq!(engine.decisions_of(&id("x:9"), 10).unwrap().len(), 3);
    assert_eq!(engine.returns_of(&id("x:1"), 2).unwrap().len(), 2);
}

/// Oracle: every signup screened again after each ban.
#[test]
fn a_ban_finds_the_recent_signups_that_a_screen_of_all_would() {
    let (engine, _folder) = engine();
    let signups = read("signups.ndjson");
    for signup in &signups {
        seen(&engine, signup);
    }
    let (mut expected_len, mut missed) = (0, Vec::new());
    for entry in read("watchlist.ndjson") {
        engine.enroll(vec![entry.clone()]).unwrap();
        let tells = |signup: &&Account| {
            let hits = engine.screen(signup).hits;
            hits.iter().any(|hit| hit.entry.id == *entry.id())
        };
        let expected: BTreeSet<String> = signups
            .iter()
            .filter(tells)
            .map(|s| s.id().to_string())
            .collect();
        let like = engine.recent_like(&entry).unwrap();
        let found: BTreeSet<String> = like
            .iter()
            .filter(|s| tells(s))
            .map(|s| s.id().to_string())
            .collect();
        expected_len += expected.len();
        missed.extend(
            expected
                .difference(&found)
                .map(|signup| format!("{signup} of {}", entry.id())),
        );
    }
    assert!(expected_len > 100, "{expected_len}");
    assert_eq!(missed, Vec::<String>::new(), "of {expected_len}");
}

#[test]
fn recent_signups_are_recalled_when_the_service_starts_again() {
    let (engine, folder) = engine();
    seen(
        &engine,
        &account(json!({"id": "x:9", "handle": "zorvani_dispatch2"})),
    );
    drop(engine);
    let engine = Engine::open(folder.path(), Options::default())
        .unwrap()
        .with_recent(RECENCY);
    assert_eq!(engine.recent_signups(), 0);
    assert_eq!(engine.recall_recent().unwrap(), 1);
    let entry = account(json!({"id": "x:1", "handle": "zorvani_dispatch"}));
    engine.enroll(vec![entry.clone()]).unwrap();
    let like = engine.recent_like(&entry).unwrap();
    assert_eq!(
        like.iter()
            .map(|signup| signup.id().as_str())
            .collect::<Vec<_>>(),
        ["x:9"]
    );
    engine.erase(&id("x:9")).unwrap();
    assert_eq!(
        (
            engine.recent_signups(),
            engine.recent_like(&entry).unwrap().len()
        ),
        (0, 0)
    );
}

fn first_ban() -> Value {
    json!({"id": "x:1", "handle": "zorvani_dispatch", "bio": "write t.me/zorvanidsp", "ban": {"reason": "incitement"}})
}

#[test]
fn a_mirror_joins_the_lineage_and_the_next_return_is_found_by_either() {
    let (engine, folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    seen(
        &engine,
        &account(
            json!({"id": "x:2", "handle": "zorvani_dispatch_2", "bio": "now wa.me/447700900123"}),
        ),
    );
    let settled = judged(&engine, "x:2", "x:1", Answer::Mirror);
    assert_eq!(
        (settled.joined, settled.receipt.added),
        (Some(id("x:2")), 1)
    );
    // The third brings only what the second had.
    let third =
        account(json!({"id": "x:3", "handle": "quiet_gardener", "bio": "call wa.me/447700900123"}));
    let best = seen(&engine, &third).report.hits.remove(0);
    assert_eq!(
        (
            best.entry.as_str(),
            best.network.as_str(),
            best.reason.as_str()
        ),
        ("x:2", "lineage of x:1", "incitement")
    );
    judged(&engine, "x:3", "x:2", Answer::Mirror);
    let lineage = |engine: &Engine, of: &str| {
        let (root, steps) = engine.lineage(&id(of)).unwrap();
        let steps = steps.iter().map(|step| {
            format!(
                "{} > {} by {}",
                step.parent,
                step.child.id(),
                step.judgment.as_ref().unwrap().remark.who()
            )
        });
        (root.to_string(), steps.collect::<Vec<_>>())
    };
    let whole = (
        "x:1".to_string(),
        vec!["x:1 > x:2 by ada".to_string(), "x:2 > x:3 by ada".into()],
    );
    assert_eq!(lineage(&engine, "x:3"), whole);
    drop(engine);
    let engine = Engine::open(folder.path(), Options::default()).unwrap();
    assert_eq!(lineage(&engine, "x:2"), whole);
    // Taken back, with all it brought.
    let settled = judged(&engine, "x:2", "x:1", Answer::NotMirror);
    assert_eq!(settled.left, [id("x:2"), id("x:3")]);
    assert_eq!(engine.generation().entries(), 1);
    assert!(engine.screen(&third).hits.is_empty());
}

#[test]
fn a_withdrawal_takes_along_what_was_inherited_and_nothing_that_was_banned_by_itself() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    for (probe, parent) in [("x:2", "x:1"), ("x:3", "x:2"), ("x:4", "x:2")] {
        seen(
            &engine,
            &account(json!({"id": probe, "handle": format!("zorvani_dispatch_{probe}")})),
        );
        judged(&engine, probe, parent, Answer::Mirror);
    }
    // The platform bans one of them in its own right.
    engine
        .enroll(vec![account(
            json!({"id": "x:4", "handle": "zorvani_dispatch_4", "ban": {"reason": "spam"}}),
        )])
        .unwrap();
    let receipt = engine.withdraw(vec![id("x:1")]).unwrap();
    assert_eq!((receipt.withdrawn, engine.generation().entries()), (3, 1));
    assert!(engine.entry(&id("x:4")).unwrap().is_some());
}

#[test]
fn a_lineage_ends_after_so_many_steps() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    let mut parent = "x:1".to_string();
    let mut joined = 0;
    for step in 0..20 {
        let probe = format!("x:r{step}");
        seen(
            &engine,
            &account(json!({"id": probe, "handle": format!("zorvani_dispatch_{step}")})),
        );
        let settled = judged(&engine, &probe, &parent, Answer::Mirror);
        if settled.joined.is_none() {
            assert_eq!(
                settled.kept_out,
                Some("its lineage is too long: enroll it in its own right")
            );
            break;
        }
        joined += 1;
        parent = probe;
    }
    assert_eq!(joined, 12);
    let unseen = judged(&engine, "x:unseen", "x:1", Answer::Mirror);
    assert_eq!(
        (unseen.joined, unseen.kept_out),
        (None, Some("nothing was seen of it"))
    );
    assert_eq!(unseen.receipt.ruled, 1);
}

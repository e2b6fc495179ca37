//! What follows from a flag: decisions made again, and recent signups found by a later ban.

use std::collections::BTreeSet;

use serde_json::json;

use crate::account::Account;
use crate::engine::{Engine, Occasion, Options, Recency, Report};
use crate::judgment::{Answer, Judgment, Remark};
use crate::store::Access;
use crate::tests::lineages::first_ban;
use crate::tests::{account, id, opened, sampled};
use crate::wire::ReportRecord;

const RECENCY: Recency = Recency {
    hours: 72,
    signups_max: 10_000,
};

fn told(report: &Report) -> Vec<u8> {
    serde_json::to_vec(&ReportRecord::of(report.clone(), 0)).unwrap()
}

/// An engine with recent signups at hand, on a folder that is gone with it.
pub(crate) fn engine() -> (Engine, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let engine = opened(folder.path(), Access::Create);
    (engine.with_recent(RECENCY), folder)
}

/// Screens a signup.
pub(crate) fn seen(engine: &Engine, account: &Account) -> crate::engine::Decided {
    engine.decide(account, Occasion::Told, told).unwrap()
}

/// What a person judged of a pair.
pub(crate) fn judged(
    engine: &Engine,
    probe: &str,
    entry: &str,
    answer: Answer,
) -> crate::engine::Settled {
    let remark = Remark::new("ada", "", "2026-11-20T10:00:00Z".parse().unwrap()).unwrap();
    let judgment = Judgment::new(id(probe), id(entry), answer, remark).unwrap();
    engine.settle(judgment, None).unwrap()
}

#[test]
fn decisions_are_made_again_byte_by_byte_whatever_has_happened_since() {
    let (engine, _folder) = engine();
    let entries = sampled("watchlist.ndjson");
    engine.enroll(entries.clone()).unwrap();
    let flagged: Vec<u64> = sampled("signups.ndjson")
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

#[test]
fn a_longer_list_makes_no_new_decision_and_a_turned_dial_none_of_an_old_one() {
    let (engine, folder) = engine();
    engine
        .enroll(vec![account(
            json!({"id": "x:1", "handle": "zorvani_dispatch", "bio": "write t.me/zorvanidsp"}),
        )])
        .unwrap();
    let probe =
        account(json!({"id": "x:9", "handle": "zorvani_dispatch2", "bio": "t.me/zorvanidsp"}));
    let first = seen(&engine, &probe);
    let others =
        (0..40).map(|n| account(json!({"id": format!("y:{n}"), "handle": format!("garden{n}er")})));
    engine.enroll(others.collect()).unwrap();
    let again = seen(&engine, &probe);
    assert_eq!(again.report.decision, first.report.decision);
    drop(engine);
    let options = Options {
        false_flags_per_10k: 0.000_1,
        ..Options::default()
    };
    let engine = Engine::open(folder.path(), options).unwrap();
    let decision = engine.decision(first.report.decision.unwrap());
    let decision = decision.unwrap().unwrap();
    assert_eq!(told(&engine.replay(&decision)), decision.report);
}

#[test]
fn an_event_adds_to_what_was_told_before_and_a_plain_screen_judges_what_it_is_sent() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    let handle = account(json!({"id": "x:9", "handle": "quiet_gardener"}));
    let link = account(json!({"id": "x:9", "bio": "write t.me/zorvanidsp"}));
    assert!(!seen(&engine, &handle).is_new);
    let decided = engine.decide(&link, Occasion::Event, told).unwrap();
    assert_eq!(decided.decision.unwrap().probe.handle, "quiet_gardener");
    let decided = seen(&engine, &link);
    assert_eq!(decided.decision.unwrap().probe.handle, "");
    let known = engine.known(&id("x:9")).unwrap().unwrap();
    assert_eq!(
        (known.handle.as_str(), known.bio.as_str()),
        ("quiet_gardener", "write t.me/zorvanidsp")
    );
}

/// Signups and bans at the same time: whichever comes first, one of both finds the pair.
#[test]
fn no_return_slips_through_between_a_signup_and_a_ban() {
    let (engine, _folder) = engine();
    let pair = |n: u64| {
        // Nine letters that no other pair shares.
        let word: String = (0..9)
            .map(|at| char::from(b'a' + (n * 7 + 3 * at * (n + at)) as u8 % 26))
            .collect();
        let link = format!("t.me/{word}{n}");
        let entry =
            account(json!({"id": format!("x:{n}"), "handle": format!("{word}_{n}"), "bio": link}));
        (
            entry,
            account(json!({"id": format!("y:{n}"), "handle": format!("{word}.{n}x"), "bio": link})),
        )
    };
    let pairs: Vec<_> = (0..150).map(pair).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (_, signup) in &pairs {
                seen(&engine, signup);
            }
        });
        for (entry, _) in &pairs {
            engine.enroll(vec![entry.clone()]).unwrap();
            for like in engine.recent_like(entry).unwrap() {
                engine.decide_again(like.id(), told).unwrap();
            }
        }
    });
    for (entry, signup) in &pairs {
        let decisions = engine.decisions_of(signup.id(), 10).unwrap();
        let tells = |hit: &crate::store::DecidedHit| hit.entry.id() == entry.id();
        let is_told = decisions
            .iter()
            .any(|decision| decision.hits.iter().any(tells));
        assert!(is_told, "{} was not found", signup.id());
    }
}

#[test]
fn what_was_erased_is_not_judged_again() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    let signup = account(json!({"id": "x:9", "handle": "zorvani_dispatch2"}));
    assert!(seen(&engine, &signup).decision.is_some());
    let again = engine.decide_again(signup.id(), told).unwrap().unwrap();
    assert!(!again.is_new && again.decision.is_some());
    let erased = engine.erase(signup.id()).unwrap();
    assert_eq!((erased.decisions, erased.probes), (1, vec![id("x:9")]));
    assert_eq!(engine.decide_again(signup.id(), told).unwrap(), None);
}

#[test]
fn an_account_that_was_banned_meanwhile_is_no_recent_signup_any_more() {
    let (engine, _folder) = engine();
    let signup = account(json!({"id": "x:9", "handle": "zorvani_dispatch2"}));
    seen(&engine, &signup);
    let entry = account(json!({"id": "x:1", "handle": "zorvani_dispatch"}));
    assert_eq!(engine.recent_like(&entry).unwrap().len(), 1);
    engine.enroll(vec![signup]).unwrap();
    assert_eq!(engine.recent_like(&entry).unwrap().len(), 0);
}

/// Oracle: every signup screened again after each ban.
#[test]
fn a_ban_finds_the_recent_signups_that_a_screen_of_all_would() {
    let (engine, _folder) = engine();
    let signups = sampled("signups.ndjson");
    for signup in &signups {
        seen(&engine, signup);
    }
    let (mut expected_len, mut missed) = (0, Vec::new());
    for entry in sampled("watchlist.ndjson") {
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
    assert_eq!(engine.recall_recent(|_| ()).unwrap(), 1);
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

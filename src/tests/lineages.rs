//! Lineages that grow by judgments and go with them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::account::Avatar;
use crate::engine::{Departure, Engine, Options, Reason, Request};
use crate::judgment::{Answer, Judgment, Protection, Remark};
use crate::store::Access;
use crate::tests::returns::{engine, judged, seen};
use crate::tests::{account, id, opened};

/// An entry without a network.
pub(crate) fn first_ban() -> Value {
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

/// A signup like the entry that [`first_ban`] is.
fn sign_up(engine: &Engine, id: &str) {
    let handle = format!("zorvani_dispatch_{}", id.replace(':', ""));
    seen(engine, &account(json!({"id": id, "handle": handle})));
}

fn parent_of(engine: &Engine, child: &str) -> Option<String> {
    let ban = engine.entry(&id(child)).unwrap()?.ban.clone()?;
    ban.descent.map(|descent| descent.parent.to_string())
}

#[test]
fn undone_the_list_is_as_it_was_before() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    let before = engine.entry(&id("x:1")).unwrap();
    sign_up(&engine, "x:2");
    judged(&engine, "x:2", "x:1", Answer::Mirror);
    judged(&engine, "x:2", "x:1", Answer::Unsure);
    assert_eq!(engine.entry(&id("x:1")).unwrap(), before);
    assert_eq!(engine.generation().entries(), 1);
}

#[test]
fn a_return_of_two_entries_stays_as_long_as_one_of_them() {
    let (engine, _folder) = engine();
    let other = json!({"id": "x:5", "handle": "zorvani_dispatcher", "ban": {"reason": "spam"}});
    engine
        .enroll(vec![account(first_ban()), account(other)])
        .unwrap();
    for (probe, entry) in [("x:2", "x:1"), ("x:2", "x:5"), ("x:3", "x:2")] {
        sign_up(&engine, probe);
        judged(&engine, probe, entry, Answer::Mirror);
    }
    assert_eq!(parent_of(&engine, "x:2").as_deref(), Some("x:1"));
    let settled = judged(&engine, "x:2", "x:1", Answer::NotMirror);
    assert_eq!(settled.left, []);
    assert_eq!(parent_of(&engine, "x:2").as_deref(), Some("x:5"));
    judged(&engine, "x:2", "x:1", Answer::Mirror);
    // The other way round, by a withdrawal.
    let receipt = engine.withdraw(vec![id("x:5")]).unwrap();
    assert_eq!((receipt.withdrawn, receipt.descendants), (1, vec![]));
    assert_eq!(parent_of(&engine, "x:2").as_deref(), Some("x:1"));
    let receipt = engine.withdraw(vec![id("x:1")]).unwrap();
    assert_eq!(receipt.descendants, [id("x:2"), id("x:3")]);
    assert_eq!(engine.generation().entries(), 0);
}

#[test]
fn a_return_that_its_platform_bans_by_id_alone_is_banned_in_its_own_right() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    sign_up(&engine, "x:2");
    judged(&engine, "x:2", "x:1", Answer::Mirror);
    engine.enroll(vec![account(json!({"id": "x:2"}))]).unwrap();
    assert_eq!(parent_of(&engine, "x:2"), None);
    let receipt = engine.withdraw(vec![id("x:1")]).unwrap();
    assert_eq!((receipt.withdrawn, engine.generation().entries()), (1, 1));
}

/// Judgments and withdrawals at the same time: no return stays whose entry is gone.
#[test]
fn nothing_joins_an_entry_that_is_being_withdrawn() {
    let (engine, _folder) = engine();
    for round in 0..20 {
        engine.enroll(vec![account(first_ban())]).unwrap();
        let probe = format!("x:r{round}");
        sign_up(&engine, &probe);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let remark = Remark::new("ada", "", Timestamp::now()).unwrap();
                let judgment = Judgment::new(id(&probe), id("x:1"), Answer::Mirror, remark);
                // An entry that is gone already is no error of this test.
                drop(engine.settle(judgment.unwrap(), None));
            });
            engine.withdraw(vec![id("x:1")]).unwrap();
        });
        assert_eq!(engine.generation().entries(), 0, "round {round}");
    }
}

#[test]
fn a_picture_fills_a_gap_and_overwrites_nothing() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    let picture = |byte: u8| Avatar {
        pdq: [byte; 32],
        quality: 100,
    };
    let entry = id("x:1");
    assert!(engine.add_picture(&entry, picture(0x35)).unwrap());
    assert!(!engine.add_picture(&entry, picture(0x9c)).unwrap());
    let kept = engine.entry(&entry).unwrap().unwrap().avatar;
    assert_eq!(kept, Some(picture(0x35)));
    assert!(!engine.add_picture(&id("x:77"), picture(0x35)).unwrap());
}

#[test]
fn a_return_of_two_entries_ends_with_the_longer_ban() {
    let (engine, _folder) = engine();
    let soon = Timestamp::now()
        .checked_add(SignedDuration::from_hours(1))
        .unwrap();
    let mut first = first_ban();
    first["ban"]["expires_at"] = json!(soon.to_string());
    let other =
        json!({"id": "x:5", "handle": "zorvani_dispatcher", "ban": {"network": "dispatch"}});
    engine.enroll(vec![account(first), account(other)]).unwrap();
    for (probe, entry) in [
        ("x:2", "x:1"),
        ("x:2", "x:5"),
        ("x:3", "x:2"),
        ("x:4", "x:1"),
    ] {
        sign_up(&engine, probe);
        judged(&engine, probe, entry, Answer::Mirror);
    }
    let after = soon.checked_add(SignedDuration::from_secs(1)).unwrap();
    let mut ended = engine.retire(after).unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [id("x:1"), id("x:4")]);
    let below = engine.entry(&id("x:3")).unwrap().unwrap().ban.clone();
    assert_eq!(
        below.unwrap().expires_at,
        None,
        "it goes on with its parent"
    );
    let moved = engine
        .entry(&id("x:2"))
        .unwrap()
        .unwrap()
        .ban
        .clone()
        .unwrap();
    assert_eq!(
        (moved.expires_at, moved.network.as_str()),
        (None, "dispatch")
    );
    assert_eq!(parent_of(&engine, "x:2").as_deref(), Some("x:5"));
    assert_eq!(engine.retire(after).unwrap(), []);
}

#[test]
fn an_entry_goes_only_while_there_is_reason_to() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    let leave = |reason: Reason| {
        let id = id("x:1");
        let departure = Departure { id, reason };
        engine.commit(Request::Withdraw(vec![departure])).unwrap()
    };
    // Banned in its own right, without an end, meanwhile.
    let reasons = [
        Reason::Orphaned,
        Reason::EndedBy(Timestamp::MAX),
        Reason::ReturnOf(id("x:5")),
    ];
    for reason in reasons {
        let receipt = leave(reason.clone());
        assert_eq!(
            (receipt.withdrawn, receipt.unknown),
            (0, vec![]),
            "{reason:?}"
        );
    }
    assert_eq!(leave(Reason::Named).withdrawn, 1);
    assert_eq!(leave(Reason::Named).unknown, [id("x:1")]);
}

#[test]
fn a_list_of_judgments_takes_back_what_earlier_ones_brought() {
    let (engine, _folder) = engine();
    engine.enroll(vec![account(first_ban())]).unwrap();
    sign_up(&engine, "x:2");
    judged(&engine, "x:2", "x:1", Answer::Mirror);
    let remark = Remark::new("eve", "", Timestamp::now()).unwrap();
    let judgment = Judgment::new(id("x:2"), id("x:1"), Answer::NotMirror, remark).unwrap();
    let judged = engine.judge_pairs(vec![judgment]).unwrap();
    assert_eq!((judged.receipt.ruled, judged.rejected.len()), (1, 0));
    assert_eq!(engine.generation().entries(), 1);
}

#[test]
fn what_is_erased_takes_what_was_said_of_it_and_what_came_by_that() {
    let (engine, folder) = engine();
    let other = json!({"id": "x:5", "handle": "zorvani_dispatcher", "ban": {"reason": "spam"}});
    let bans = vec![account(first_ban()), account(other)];
    engine.enroll(bans).unwrap();
    let said = [
        ("x:2", "x:1", Answer::Mirror),
        ("x:3", "x:2", Answer::Mirror),
        ("x:2", "x:5", Answer::NotMirror),
        ("x:4", "x:2", Answer::NotMirror),
        ("x:4", "x:1", Answer::NotMirror),
    ];
    for (probe, entry, answer) in said {
        sign_up(&engine, probe);
        judged(&engine, probe, entry, answer);
    }
    let remark = Remark::new("ada", "her passport was shown", Timestamp::now()).unwrap();
    let protection = Protection {
        account: id("x:2"),
        remark,
    };
    engine.protect(vec![protection]).unwrap();
    let said = |engine: &Engine| {
        let judgments = engine.judgments().unwrap().map(Result::unwrap);
        let pair = |of: Judgment| (of.probe().to_string(), of.entry().to_string());
        let protected = engine.protections().unwrap().count();
        (judgments.map(pair).collect::<Vec<_>>(), protected)
    };
    assert_eq!((said(&engine).0.len(), said(&engine).1), (5, 1));
    let exempt = engine.generation().exemptions().len();
    assert_eq!(exempt, 4);
    let erased = engine.erase(&id("x:2")).unwrap();
    assert_eq!((erased.judgments, erased.protection), (4, true));
    assert_eq!((erased.entry, erased.descendants), (true, vec![id("x:3")]));
    let left = (vec![("x:4".to_owned(), "x:1".to_owned())], 0);
    assert_eq!(said(&engine), left);
    assert_eq!(engine.generation().exemptions().len(), 1);
    let again = engine.erase(&id("x:2")).unwrap();
    assert_eq!(
        (again.judgments, again.protection, again.entry),
        (0, false, false)
    );
    let kept = engine.erase_but_judgments(&id("x:1")).unwrap();
    assert_eq!((kept.entry, kept.judgments), (true, 0));
    assert_eq!(said(&engine), left);
    drop(engine);
    assert_eq!(Engine::verify(folder.path()).unwrap().damage, [""; 0]);
    let reopened = opened(folder.path(), Access::Write);
    assert_eq!(said(&reopened), left);
    assert_eq!(reopened.generation().exemptions().len(), 1);
    sign_up(&reopened, "x:2");
    judged(&reopened, "x:2", "x:5", Answer::Unsure);
    drop(reopened);
    assert_eq!(Engine::verify(folder.path()).unwrap().damage, [""; 0]);
}

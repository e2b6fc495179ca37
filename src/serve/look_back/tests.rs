//! Many bans at once, and bans that come before recent signups are at hand.

use serde_json::json;

use super::*;
use crate::tests::service::Service;

/// A service with signups that each are like the entry of their number, and the ids of these entries.
async fn signed_up(len: usize) -> (Service, Vec<AccountId>) {
    let service = Service::ready();
    let (mut entries, mut ids) = (Vec::new(), Vec::new());
    for (n, word) in ["zorvani", "qelmithra", "undavosk", "brastolin"]
        .iter()
        .take(len)
        .enumerate()
    {
        let link = format!("t.me/{word}dsp");
        let signup =
            json!({"id": format!("y:{n}"), "handle": format!("{word}_dispatch_2"), "bio": link});
        service.post("/v1/screen", signup).await;
        let id = AccountId::new(&format!("x:{n}")).unwrap();
        let entry = json!({"id": id.as_str(), "handle": format!("{word}_dispatch"), "bio": link});
        entries.push(crate::tests::account(entry));
        ids.push(id);
    }
    let engine = service.app.engine().unwrap();
    engine.enroll(entries).unwrap();
    (service, ids)
}

#[tokio::test]
async fn what_an_answer_has_no_time_for_is_looked_at_beside() {
    let (service, ids) = signed_up(4).await;
    let (app, engine) = (&service.app, service.app.engine().unwrap());
    let (mirrors, seen_to) = look(app, engine, &ids, Duration::ZERO).unwrap();
    assert_eq!((mirrors.len(), seen_to), (1, 1));
    let hold = app.look_back.hold(engine);
    hold.add(ids.into_iter().skip(seen_to));
    let looking = tokio::spawn(keep_looking(app.clone()));
    while app.look_back.len() > 0 {
        tokio::task::yield_now().await;
    }
    looking.abort();
    assert_eq!(app.docket.len(), 4, "each is flagged");
}

#[tokio::test]
async fn one_signup_like_two_entries_is_told_whichever_it_is_like() {
    let (service, ids) = signed_up(1).await;
    let (app, engine) = (&service.app, service.app.engine().unwrap());
    let twin = json!({"id": "x:twin", "handle": "zorvani_dispatches", "bio": "all is well"});
    engine.enroll(vec![crate::tests::account(twin)]).unwrap();
    let twin = AccountId::new("x:twin").unwrap();
    // The first asks for the signup, and the second is the better hit.
    let hold = app.look_back.hold(engine);
    let both = [twin, ids.into_iter().next().unwrap()];
    let found = looked_back(app, engine, &hold, &both).unwrap();
    let told: Vec<&str> = found
        .mirrors
        .iter()
        .flat_map(|report| report.entries())
        .collect();
    assert_eq!((found.mirrors.len(), found.pending), (1, 0));
    assert!(told.contains(&"x:0"), "{told:?}");
}

#[tokio::test]
async fn what_was_not_looked_at_is_looked_at_after_the_next_start() {
    let (service, ids) = signed_up(3).await;
    let (app, engine) = (&service.app, service.app.engine().unwrap());
    let at_first = engine.generation().lsn();
    app.look_back.note(engine).unwrap();
    assert_eq!(
        engine.looked_back().unwrap(),
        None,
        "signups are not at hand"
    );
    app.look_back.catch_up(engine, at_first).unwrap();
    app.look_back.note(engine).unwrap();
    assert_eq!(engine.looked_back().unwrap(), Some(at_first));
    let hold = app.look_back.hold(engine);
    let changed = engine.entry(&ids[1]).unwrap().unwrap();
    engine.enroll(vec![changed]).unwrap();
    engine.withdraw(vec![ids[2].clone()]).unwrap();
    app.look_back.note(engine).unwrap();
    let noted = engine.looked_back().unwrap();
    assert_eq!(noted, Some(at_first), "it has not been looked at yet");
    hold.add([ids[1].clone()]);
    drop(hold);
    app.look_back.note(engine).unwrap();
    assert_eq!(engine.looked_back().unwrap(), noted, "it waits");
    let next_run = LookBack::default();
    next_run.catch_up(engine, at_first).unwrap();
    let waiting: Vec<AccountId> = next_run
        .state()
        .waiting
        .iter()
        .map(|(id, _)| id.clone())
        .collect();
    assert_eq!(waiting, [ids[1].clone()]);
    let looking = tokio::spawn(keep_looking(app.clone()));
    while app.look_back.len() > 0 {
        tokio::task::yield_now().await;
    }
    looking.abort();
    app.look_back.note(engine).unwrap();
    let now = engine.generation().lsn();
    assert_eq!(engine.looked_back().unwrap(), Some(now));
    assert_eq!(app.docket.len(), 1);
}

#[tokio::test]
async fn what_came_before_signups_were_at_hand_is_looked_at_when_they_are() {
    let (service, ids) = signed_up(2).await;
    let (app, engine) = (&service.app, service.app.engine().unwrap());
    app.look_back.catch_up(engine, 0).unwrap();
    let waiting = app.look_back.state().waiting.clone();
    let latest_first: Vec<_> = ids.into_iter().rev().map(|id| (id, 0)).collect();
    assert_eq!(waiting, latest_first);
}

//! Hooks before the real engine: what accumulates, what a ban by id alone finds, what a picture adds.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::account::{AccountDraft, AccountId, Ban};

use crate::format::picture_of;
use crate::serve::app::{App, Shared};
use crate::serve::fetch::{FetchLimits, Pictures};
use crate::serve::hooks::Desk;
use crate::serve::router::router;
use crate::serve::settings::Settings;
use crate::store::Access;
use crate::tests::{opened, until};

const PICTURE: &[u8] = include_bytes!("../../../data/avatars/desk_skyline.png");

/// A service with one source of CloudEvents.
struct Service {
    app: Shared,
    router: Router,
    _folder: TempDir,
}

impl Service {
    /// Must be called within a runtime; pictures may come from this machine.
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hook = json!({"name": "bus", "platform": "cloudevents", "secret": "a-hook-secret-of-ours",
            "action_on_match": "deny", "action_on_review": "shadow_ban"});
        let settings = Settings {
            hooks: vec![serde_json::from_value(hook).unwrap()],
            ..Settings::default()
        };
        let app = App::new(folder.path(), settings).unwrap();
        let engine = opened(folder.path(), Access::Create);
        app.open(engine.with_recent(app.settings.recency()));
        let limits = FetchLimits {
            permitted: vec!["127.0.0.1".parse().unwrap()],
            ..FetchLimits::default()
        };
        let keeper = Arc::clone(&app);
        let (pictures, _) = Pictures::start(limits, move |wanted, avatar| {
            let keeper = Arc::clone(&keeper);
            async move {
                let kept = keeper.remember_picture(&wanted.source, wanted.id, avatar);
                kept.await.unwrap();
            }
        })
        .unwrap();
        app.pictures.set(pictures).unwrap();
        Self {
            router: router(&app),
            app,
            _folder: folder,
        }
    }

    async fn tell(&self, id: u32, kind: &str, data: Value) -> (StatusCode, Value) {
        let event = json!({"specversion": "1.0", "id": id.to_string(), "source": "/test",
            "type": format!("org.mirrorwatch.account.{kind}.v1"), "time": "2026-11-22T10:00:00Z", "data": data});
        let request = Request::post("/hooks/bus")
            .header("content-type", "application/cloudevents+json")
            .header("authorization", "Bearer a-hook-secret-of-ours")
            .body(Body::from(event.to_string()))
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        (
            parts.status,
            serde_json::from_slice(&body).unwrap_or(Value::Null),
        )
    }

    async fn action(&self, id: u32, kind: &str, data: Value) -> String {
        let (status, answer) = self.tell(id, kind, data).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["action"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_told_piece_by_piece_is_banned_by_its_id_alone() {
    let service = Service::open();
    assert_eq!(
        service
            .action(
                1,
                "created",
                json!({"id": "x:17", "handle": "zorvani_dispatch"})
            )
            .await,
        "allow"
    );
    let bio = "news of the valley at t.me/zorvanidsp";
    assert_eq!(
        service
            .action(2, "updated", json!({"id": "x:17", "bio": bio}))
            .await,
        "allow"
    );
    // By now the platform has blanked all but the handle.
    let ban = json!({"id": "x:17", "handle": "zorvani_dispatch", "ban": {"reason": "fraud"}});
    assert_eq!(service.action(3, "banned", ban).await, "allow");
    let engine = service.app.engine().unwrap();
    let entry = engine
        .entry(&AccountId::new("x:17").unwrap())
        .unwrap()
        .unwrap();
    assert_eq!(
        (entry.handle.as_str(), entry.bio.as_str()),
        ("zorvani_dispatch", bio)
    );
    assert_eq!(
        entry
            .ban
            .as_ref()
            .map(|ban| (ban.reason.as_str(), ban.source.as_str())),
        Some(("fraud", "bus"))
    );
    let mirror =
        json!({"id": "x:991", "handle": "zorv4ni_dispatch2", "bio": "now at t.me/zorvanidsp"});
    assert_eq!(service.action(4, "created", mirror.clone()).await, "deny");
    assert_eq!(
        service.action(5, "unbanned", json!({"id": "x:17"})).await,
        "allow"
    );
    assert_eq!(
        service.action(6, "unbanned", json!({"id": "x:17"})).await,
        "allow",
        "once more is no trouble"
    );
    let mut later = mirror;
    later["id"] = json!("x:992");
    assert_eq!(service.action(7, "created", later).await, "allow");
    let (status, problem) = service.tell(8, "banned", json!({"id": "x:555"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"][0]["field"], "id", "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_that_are_nothing_alone_are_weighed_together() {
    let service = Service::open();
    let ban = json!({"id": "x:17", "handle": "qasr_observer", "display_name": "Zorvani Dispatch Quetta", "bio": "t.me/zorvanidsp",
        "ban": {"reason": "fraud"}});
    service.action(1, "banned", ban).await;
    let name =
        json!({"id": "x:5", "handle": "marigold77", "display_name": "Zorvani Dispatch Quetta"});
    assert_eq!(service.action(2, "created", name).await, "allow");
    assert_eq!(
        service
            .action(
                3,
                "updated",
                json!({"id": "x:5", "links": ["https://t.me/zorvanidsp"]})
            )
            .await,
        "deny"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_is_fetched_afterwards_and_weighs_in() {
    let pictures = Router::new().route("/a.png", axum::routing::get(|| async { PICTURE }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a.png", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, pictures).await });
    let service = Service::open();
    let ban = json!({"id": "x:17", "handle": "qasr_observer", "display_name": "Zorvani Dispatch Quetta",
        "avatar": {"url": url}, "ban": {"reason": "fraud"}});
    service.action(1, "banned", ban).await;
    let id = AccountId::new("x:17").unwrap();
    let engine = service.app.engine().unwrap().clone();
    let expected = picture_of(PICTURE).ok();
    until(|| engine.entry(&id).unwrap().unwrap().avatar == expected).await;
    // The name alone is not enough; with the picture, which comes after the answer, it is flagged.
    let signup = json!({"id": "x:5", "handle": "marigold77", "display_name": "Zorvani Dispatch Quetta", "avatar": {"url": url}});
    assert_eq!(service.action(2, "created", signup).await, "allow");
    let probe = AccountId::new("x:5").unwrap();
    until(|| !engine.decisions_of(&probe, 1).unwrap().is_empty()).await;
    let decision = engine.decisions_of(&probe, 1).unwrap().pop().unwrap();
    assert_eq!(decision.verdict, "match");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_lifts_only_the_bans_it_told_of() {
    let service = Service::open();
    let (ours, others) = (
        json!({"id": "x:17", "handle": "zorvani"}),
        json!({"id": "x:18", "handle": "qasr"}),
    );
    for (number, mut record, source) in [(1, ours, "bus"), (2, others, "another")] {
        record["ban"] = json!({"reason": "fraud", "source": source});
        service.action(number, "banned", record).await;
    }
    let engine = service.app.engine().unwrap();
    let is_listed = |id: &str| {
        engine
            .entry(&AccountId::new(id).unwrap())
            .unwrap()
            .is_some()
    };
    for id in ["x:17", "x:18", "x:19"] {
        let id = AccountId::new(id).unwrap();
        service.app.lift("bus", id, None).await.unwrap();
    }
    assert!(!is_listed("x:17") && is_listed("x:18"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_shown_before_a_ban_does_not_end_it() {
    let service = Service::open();
    let (id, engine) = (
        AccountId::new("x:17").unwrap(),
        service.app.engine().unwrap(),
    );
    let at = |text: &str| Some(text.parse().unwrap());
    // The event tells that it was banned at ten.
    let ban = json!({"id": "x:17", "handle": "zorvani", "ban": {"reason": "fraud"}});
    service.action(1, "banned", ban).await;
    for (shown_at, is_listed) in [
        (at("2026-11-22T09:59:00Z"), true),
        (at("2026-11-22T10:00:00Z"), true),
        (at("2026-11-22T10:00:01Z"), false),
    ] {
        let lifted = service.app.lift("bus", id.clone(), shown_at);
        lifted.await.unwrap();
        assert_eq!(engine.entry(&id).unwrap().is_some(), is_listed);
    }
    // Where nothing says when it began, nothing that was shown at a time is known to be later.
    let ban = Ban {
        source: "bus".into(),
        ..Ban::default()
    };
    let draft = AccountDraft {
        id: "x:17".into(),
        handle: "zorvani".into(),
        ban: Some(ban),
        ..AccountDraft::default()
    };
    engine.enroll(vec![draft.check().unwrap()]).unwrap();
    let lifted = service
        .app
        .lift("bus", id.clone(), at("2026-11-22T10:00:01Z"));
    lifted.await.unwrap();
    assert!(engine.entry(&id).unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_that_two_sources_tell_of_lasts_as_long_as_either_wants() {
    let service = Service::open();
    let (id, engine) = (
        AccountId::new("x:17").unwrap(),
        service.app.engine().unwrap(),
    );
    let listed = || engine.entry(&id).unwrap().unwrap().ban.clone().unwrap();
    let ban = |ban: Value| json!({"id": "x:17", "handle": "zorvani", "ban": ban});
    let first = json!({"source": "forum", "reason": "spam", "network": "n1", "expires_at": "2999-01-01T00:00:00Z"});
    service.action(1, "banned", ban(first)).await;
    let shorter = json!({"reason": "fraud", "expires_at": "2998-01-01T00:00:00Z"});
    service.action(2, "banned", ban(shorter)).await;
    let both = listed();
    assert_eq!(
        (
            both.source.as_str(),
            both.reason.as_str(),
            both.network.as_str()
        ),
        ("forum", "fraud", "n1")
    );
    let ends = |text: &str| Some(text.parse::<jiff::Timestamp>().unwrap());
    assert_eq!(both.expires_at, ends("2999-01-01T00:00:00Z"));
    service
        .action(3, "banned", ban(json!({"network": "n2"})))
        .await;
    let forever = listed();
    assert_eq!(
        (
            forever.source.as_str(),
            forever.network.as_str(),
            forever.expires_at
        ),
        ("forum", "n2", None)
    );
    // The record says whose ban it is, and its own source may shorten it.
    let own = json!({"source": "forum", "expires_at": "2997-01-01T00:00:00Z"});
    service.action(4, "banned", ban(own)).await;
    assert_eq!(listed().expires_at, ends("2997-01-01T00:00:00Z"));
    // A ban that is over leaves nothing behind.
    let (told, over) = (Ban::default(), ends("2020-01-01T00:00:00Z"));
    let earlier = Ban {
        source: "forum".into(),
        expires_at: over,
        ..Ban::default()
    };
    assert_eq!(
        super::united(told.clone(), earlier, jiff::Timestamp::now()),
        told
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_keeps_the_picture_it_was_enrolled_with() {
    let service = Service::open();
    let pdq = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22";
    let ban = json!({"id": "x:17", "handle": "zorvani", "avatar": {"pdq": pdq}, "ban": {"reason": "fraud"}});
    service.action(1, "banned", ban).await;
    let id = AccountId::new("x:17").unwrap();
    let engine = service.app.engine().unwrap();
    let before = engine.entry(&id).unwrap().unwrap();
    let other = picture_of(PICTURE).unwrap();
    assert_ne!(before.avatar, Some(other));
    let kept = service.app.remember_picture("bus", id.clone(), other);
    kept.await.unwrap();
    assert_eq!(engine.entry(&id).unwrap().unwrap().avatar, before.avatar);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_events_at_once_none_is_lost() {
    let service = Service::open();
    for round in 0..20 {
        let id = format!("x:{round}");
        let told = |field: &str, value: &str| {
            let mut record = json!({"id": id});
            record[field] = json!(value);
            record
        };
        tokio::join!(
            service.action(3 * round, "created", told("handle", "zorvani")),
            service.action(3 * round + 1, "updated", told("bio", "news of the valley")),
            service.action(3 * round + 2, "updated", told("location", "Quetta"))
        );
        let engine = service.app.engine().unwrap();
        let known = engine
            .known(&AccountId::new(&id).unwrap())
            .unwrap()
            .unwrap();
        let told = [&known.handle, &known.bio, &known.location];
        assert_eq!(told, ["zorvani", "news of the valley", "Quetta"], "{round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_by_its_id_alone_has_the_picture_that_came_at_the_same_moment() {
    let service = Service::open();
    let engine = service.app.engine().unwrap();
    let picture = picture_of(PICTURE).unwrap();
    for round in 0..40 {
        let id = AccountId::new(&format!("x:{round}")).unwrap();
        let signup = json!({"id": id.as_str(), "handle": "zorvani"});
        service.action(2 * round, "created", signup).await;
        let ban = json!({"id": id.as_str(), "ban": {"reason": "fraud"}});
        let (pictured, _) = tokio::join!(
            service.app.remember_picture("bus", id.clone(), picture),
            service.action(2 * round + 1, "banned", ban)
        );
        pictured.unwrap();
        let entry = engine.entry(&id).unwrap().unwrap();
        assert_eq!(entry.avatar, Some(picture), "{round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_banned_while_a_picture_was_screened_gets_it() {
    let service = Service::open();
    let (id, engine) = (
        AccountId::new("x:17").unwrap(),
        service.app.engine().unwrap(),
    );
    let picture = picture_of(PICTURE).unwrap();
    let pictured = |avatar| super::is_pictured(&service.app, engine, "hook bus", &id, avatar);
    assert!(!pictured(picture).unwrap());
    let ban = json!({"id": "x:17", "handle": "zorvani", "ban": {"reason": "fraud"}});
    service.action(1, "banned", ban).await;
    assert!(pictured(picture).unwrap());
    assert_eq!(engine.entry(&id).unwrap().unwrap().avatar, Some(picture));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_among_many_has_the_picture_that_came_at_the_same_moment() {
    let service = Service::open();
    let engine = service.app.engine().unwrap();
    let picture = picture_of(PICTURE).unwrap();
    let signup = json!({"id": "x:17", "handle": "zorvani"});
    service.action(1, "created", signup).await;
    let bans = json!([{"id": "x:18", "handle": "marigold"}, {"id": "x:17"}]);
    let request = Request::post("/v1/watchlist")
        .header("content-type", "application/json")
        .body(Body::from(bans.to_string()))
        .unwrap();
    let id = AccountId::new("x:17").unwrap();
    let turn = service.app.turns.hold(&id);
    let banned = tokio::spawn(service.router.clone().oneshot(request));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(!engine.generation().contains(&id), "it is not its turn");
    let pictured = AccountDraft {
        id: id.to_string(),
        avatar: Some(picture),
        ..AccountDraft::default()
    };
    let seen = [pictured.check().unwrap()];
    engine.remember(&seen, jiff::Timestamp::now()).unwrap();
    drop(turn);
    assert_eq!(banned.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(engine.entry(&id).unwrap().unwrap().avatar, Some(picture));
}

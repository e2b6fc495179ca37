//! The console's door: who is let in, how often a key may be tried, what waits; and lists that are cut.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, Version, header};
use tower::ServiceExt;

use crate::account::AccountDraft;
use crate::hash::Secret;
use crate::serve::app::App;
use crate::serve::console::desk::Desk;
use crate::serve::console::tests::{Browser, Stage, token};
use crate::serve::console::values::{Order, Standing};
use crate::serve::console::{Settings, routes};

#[tokio::test]
async fn who_logs_out_is_out_also_with_a_cookie_that_was_kept() {
    let mut browser = Browser::logged_in(Stage::empty(true)).await;
    let kept = browser.cookies.clone();
    let page = browser.get("/queue").await.body;
    let out = browser.post("/logout", &[("token", token(&page))]).await;
    assert_eq!(out.location, "/login");
    browser.cookies = kept;
    let page = browser.get("/queue").await;
    assert!(page.location.starts_with("/login"), "{}", page.location);
}

#[tokio::test]
async fn keys_are_tried_so_often_and_no_more() {
    let mut browser = Browser::of(Stage::empty(true));
    let mut statuses = Vec::new();
    for _ in 0..25 {
        let form = browser.get("/login").await.body;
        let fields = [("token", token(&form)), ("key", "guess")];
        statuses.push(browser.post("/login", &fields).await.status);
    }
    assert_eq!(statuses[0], StatusCode::FORBIDDEN);
    assert_eq!(statuses[24], StatusCode::TOO_MANY_REQUESTS);
    assert!(browser.stage.app.may_try("198.51.100.7"), "from elsewhere");
}

#[tokio::test]
async fn nobody_comes_in_through_a_proxy_of_a_service_without_keys() {
    let mut browser = Browser::of(Stage::empty(false));
    let request = Request::get("/login")
        .header(header::HOST, "127.0.0.1:8787")
        .header("x-forwarded-for", "203.0.113.9");
    let page = browser.ask(request, Body::empty()).await;
    assert_eq!(page.status, StatusCode::OK, "the form, not the queue");
    let service = crate::serve::router::router(&browser.stage.app);
    let old = Version::HTTP_10;
    let new = Version::HTTP_11;
    let away = StatusCode::MISDIRECTED_REQUEST;
    for (version, name, path, expected) in [
        (new, "x-forwarded-for", "/queue", away),
        (new, "forwarded", "/v1/lookup?handle=a", away),
        (new, "via", "/v1/lookup?handle=a", away),
        (old, "accept", "/v1/lookup?handle=a", away),
        (new, "x-forwarded-for", "/hooks/none", StatusCode::NOT_FOUND),
        (old, "accept", "/hooks/none", StatusCode::NOT_FOUND),
        (new, "accept", "/v1/lookup?handle=a", StatusCode::OK),
    ] {
        let method = if path.starts_with("/hooks") {
            "POST"
        } else {
            "GET"
        };
        let request = Request::builder().method(method).uri(path);
        let request = request.version(version).header(name, "for=203.0.113.9");
        let answer = service
            .clone()
            .oneshot(request.body(Body::empty()).unwrap());
        assert_eq!(answer.await.unwrap().status(), expected, "{name} {path}");
    }
}

#[tokio::test]
async fn pages_wait_at_the_gate_as_all_work_does() {
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::serve::Settings {
        workers: 1,
        queue_max: 1,
        ..crate::serve::Settings::default()
    };
    let app = App::new(folder.path(), settings).unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let len = crate::serve::SIDE_WORKERS + 1;
    for _ in 0..len {
        let (app, released) = (Arc::clone(&app), Arc::clone(&released));
        tokio::spawn(async move {
            let held = move || Ok(released.lock().unwrap().recv().is_ok());
            app.side_gate.run(held).await
        });
    }
    while app.side_gate.inside() < len {
        tokio::task::yield_now().await;
    }
    let door = Settings::new(Secret::new([9; 32]), false);
    let request = Request::get("/login").header(header::HOST, "localhost");
    let page = routes::<(), App>(Arc::clone(&app), door)
        .with_state(())
        .oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(
        page.await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    drop(release);
}

#[test]
fn of_many_removals_the_longest_banned_are_told() {
    let stage = Stage::empty(true);
    let entry = |n: i64| {
        let banned_at = jiff::Timestamp::from_second(1_700_000_000 - n).ok();
        let draft = AccountDraft {
            id: format!("x:{n}"),
            platform: "x".into(),
            handle: format!("handle{n}"),
            ban: Some(crate::account::Ban {
                banned_at,
                ..crate::account::Ban::default()
            }),
            ..AccountDraft::default()
        };
        draft.check().unwrap()
    };
    let ids = |removals: &[crate::serve::console::Removal]| {
        let ids = removals
            .iter()
            .map(|removal| removal.account.id().to_string());
        ids.collect::<Vec<_>>()
    };
    stage.engine().enroll((0..50).map(entry).collect()).unwrap();
    let desk: &App = &stage.app;
    let (total, all) = desk
        .removals("x", &Standing::ALL, usize::MAX)
        .unwrap()
        .unwrap();
    assert_eq!((total, all.len()), (50, 50));
    let (total, first) = desk.removals("x", &Standing::ALL, 7).unwrap().unwrap();
    assert_eq!((total, ids(&first)), (50, ids(&all[..7])));
    assert_eq!(ids(&first)[0], "x:49");
    desk.mark(&[all[3].account.id().clone()], Standing::Removed, "ada")
        .unwrap();
    let (total, removed) = desk
        .removals("x", &[Standing::Removed], 7)
        .unwrap()
        .unwrap();
    assert_eq!((total, ids(&removed)), (1, ids(&all[3..4])));
    let reading = stage.app.reading.lock().unwrap();
    let other = desk.removals("x", &Standing::ALL, 7).unwrap();
    assert!(other.is_none(), "one reads at a time");
    drop(reading);
}

#[test]
fn what_was_erased_is_in_the_queue_no_more() {
    let stage = Stage::seeded();
    let desk: &App = &stage.app;
    let before = desk.queue(Order::Age, 0).unwrap();
    let gone = before.decisions[0].probe.id().clone();
    stage.engine().erase(&gone).unwrap();
    let after = desk.queue(Order::Age, 0).unwrap();
    assert_eq!(after.total, before.total - 1);
    assert_eq!(after.decisions.len(), after.page_len, "others move up");
    assert!(after.decisions.iter().all(|flag| *flag.probe.id() != gone));
}

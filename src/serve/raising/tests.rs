//! Flags and bursts over crashes: an earlier run decided, and did not live to tell.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::engine::{Engine, Occasion, Options};
use crate::serve::api::screen::screened;
use crate::serve::app::{App, Shared};
use crate::serve::dead_letters::{DeadInMemory, left};
use crate::serve::endpoint::Endpoint;
use crate::serve::outgoing::Outgoing;
use crate::serve::outgoing::tests::{Listener, schedule};
use crate::serve::settings::Settings;
use crate::store::Access;
use crate::tests::{account, id, until};

/// A run on a folder, which tells one endpoint. Dropped, it has crashed.
async fn run(folder: &Path, endpoint: &Endpoint, pauses_ms: &[u64]) -> Shared {
    let app = App::new(folder, Settings::default()).unwrap();
    let access = Access::Create;
    let options = || Options {
        access,
        ..Options::default()
    };
    // Whatever the run before was about to do ends with its runtime, in a moment.
    let mut engine = Engine::open(folder, options());
    for _ in 0..200 {
        if engine.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        engine = Engine::open(folder, options());
    }
    let dead = Arc::new(DeadInMemory::default());
    let outgoing = Outgoing::start(vec![endpoint.clone()], &schedule(pauses_ms), dead).unwrap();
    outgoing.resume(left(folder, Timestamp::now()).unwrap());
    assert!(app.outgoing.set(outgoing).is_ok());
    let engine = engine.unwrap();
    app.tell_again(&engine).unwrap();
    app.open(engine);
    app
}

fn flagged(app: &App, number: usize) {
    let probe = account(json!({"id": format!("y:{number}"), "handle": "zorvani_dispatch"}));
    let report = screened(app, app.engine().unwrap(), &probe, Occasion::Told).unwrap();
    assert_ne!(report.verdict(), "clear");
}

/// How often each message came, by its id.
fn told(listener: &Listener) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for (headers, _) in listener.came() {
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        *told.entry(id).or_default() += 1;
    }
    told
}

fn bursts(listener: &Listener) -> Vec<Value> {
    let came = listener.came().into_iter();
    let bodies = came.map(|(_, body)| serde_json::from_slice::<Value>(&body).unwrap());
    bodies
        .filter(|body| body["type"] == "org.mirrorwatch.burst.v1")
        .map(|body| body["data"].clone())
        .collect()
}

async fn kept(app: &Shared) {
    let app = app.clone();
    let keeping = tokio::task::spawn_blocking(move || {
        assert!(app.keep_undelivered(&Handle::current()).unwrap());
        let engine = app.engine().unwrap();
        app.note_told(engine, Duration::ZERO).unwrap();
    });
    keeping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_that_nobody_was_told_of_outlives_a_crash_and_goes_on_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let (deaf, nobody) = Listener::listen(&[500; 1_000]).await;
    let app = run(folder.path(), &nobody, &[60_000; 6]).await;
    let ban =
        account(json!({"id": "x:1", "handle": "zorvani_dispatch", "ban": {"network": "zorvani"}}));
    app.engine().unwrap().enroll(vec![ban]).unwrap();
    (0..10).for_each(|number| flagged(&app, number));
    until(|| deaf.came().len() == 12).await;
    drop(app);
    // The next run tells each of them once, and no more once that was noted.
    let (listener, somebody) = Listener::listen(&[]).await;
    let app = run(folder.path(), &somebody, &[]).await;
    until(|| listener.came().len() == 12).await;
    assert_eq!(told(&listener), told(&deaf));
    let mut near: Vec<Value> = bursts(&listener);
    near.iter_mut()
        .for_each(|burst| burst["last"] = Value::Null);
    near.sort_by_key(Value::to_string);
    let expected = [
        json!({"entry": "x:1", "flags": 10, "last": null}),
        json!({"flags": 10, "last": null, "network": "zorvani"}),
    ];
    assert_eq!(near, expected);
    // Nine more, and the next run counts them with those before.
    (10..19).for_each(|number| flagged(&app, number));
    until(|| listener.came().len() == 21).await;
    kept(&app).await;
    drop(app);
    let app = run(folder.path(), &somebody, &[]).await;
    flagged(&app, 19);
    until(|| listener.came().len() == 24).await;
    let flags = bursts(&listener)
        .into_iter()
        .map(|burst| burst["flags"].clone());
    assert_eq!(flags.collect::<Vec<_>>(), [10, 10, 20, 20]);
    assert!(told(&listener).values().all(|times| *times == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_that_nobody_takes_outlives_crash_after_crash_until_it_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (deaf, nobody) = Listener::listen(&[500; 1_000]).await;
    let app = run(folder.path(), &nobody, &[60_000; 6]).await;
    let ban = account(json!({"id": "x:1", "handle": "zorvani_dispatch"}));
    app.engine().unwrap().enroll(vec![ban]).unwrap();
    flagged(&app, 0);
    until(|| deaf.came().len() == 1).await;
    // It crashes again and again, a while after it has noted how far it came.
    let attempts = async |app: &Shared| {
        let letters = app.outgoing.get().unwrap().letters().await.unwrap();
        let told = letters
            .iter()
            .map(|letter| (letter.attempts, letter.is_pending));
        told.collect::<Vec<_>>()
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut app = app;
    for _ in 0..3 {
        kept(&app).await;
        drop(app);
        app = run(folder.path(), &nobody, &[60_000; 6]).await;
        assert_eq!(attempts(&app).await, [(1, true)]);
    }
    drop(app);
    let app = run(folder.path(), &nobody, &[1; 2]).await;
    until(|| !app.outgoing.get().unwrap().dead().latest(9).is_empty()).await;
    assert_eq!(
        (deaf.came().len(), attempts(&app).await),
        (3, vec![(3, false)])
    );
    kept(&app).await;
    drop(app);
    let app = run(folder.path(), &nobody, &[1; 2]).await;
    assert_eq!(attempts(&app).await, [(3, false)], "it stays given up");
    app.outgoing.get().unwrap().forget("y:0");
    kept(&app).await;
    drop(app);
    let app = run(folder.path(), &nobody, &[1; 2]).await;
    assert_eq!(attempts(&app).await, []);
    assert!(app.engine().unwrap().known(&id("y:0")).unwrap().is_some());
    assert_eq!(deaf.came().len(), 3);
}

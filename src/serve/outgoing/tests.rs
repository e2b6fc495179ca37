//! Flags on their way to endpoints of all tempers: signed, repeated, given up.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;

use crate::serve::dead_letters::{DeadInMemory, DeadLetter, Message, keep, left};
use crate::serve::endpoint::Endpoint;
use crate::serve::hooks::{SharedSecret, verify_standard};
use crate::serve::outgoing::courier::{jittered, random_share};
use crate::serve::outgoing::{Outgoing, Schedule};
use crate::tests::until;

const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Answers what it is told to, then 200; keeps what came.
#[derive(Clone, Default)]
pub(in crate::serve) struct Listener {
    answers: Arc<Mutex<VecDeque<u16>>>,
    came: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Listener {
    /// A listener, and the endpoint that it is.
    pub(in crate::serve) async fn listen(answers: &[u16]) -> (Self, Endpoint) {
        let listener = Self {
            answers: Arc::new(Mutex::new(answers.iter().copied().collect())),
            ..Self::default()
        };
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/flags", socket.local_addr().unwrap());
        let routes = Router::new()
            .route("/flags", post(answer))
            .with_state(listener.clone());
        tokio::spawn(async move { axum::serve(socket, routes).await });
        (listener, endpoint("listener", &url))
    }

    /// What came by now.
    pub(in crate::serve) fn came(&self) -> Vec<(HeaderMap, Bytes)> {
        self.came.lock().unwrap().clone()
    }
}

/// 0 is a listener that never answers.
async fn answer(State(listener): State<Listener>, headers: HeaderMap, body: Bytes) -> StatusCode {
    listener.came.lock().unwrap().push((headers, body));
    let status = listener.answers.lock().unwrap().pop_front().unwrap_or(200);
    if status == 0 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    StatusCode::from_u16(status).unwrap()
}

fn endpoint(name: &str, url: &str) -> Endpoint {
    Endpoint {
        name: name.to_owned(),
        url: url.to_owned(),
        secret: SharedSecret::new(KEY),
    }
}

/// A schedule of these pauses, in milliseconds.
pub(in crate::serve) fn schedule(pauses_ms: &[u64]) -> Schedule {
    Schedule {
        pauses: pauses_ms
            .iter()
            .map(|ms| Duration::from_millis(*ms))
            .collect(),
        answer_max: Duration::from_secs(2),
        ..Schedule::default()
    }
}

fn message(id: &str) -> Message {
    let data = json!({"id": "x:991", "verdict": "match"});
    Message::of(
        id,
        "org.mirrorwatch.flag.raised.v1",
        jiff::Timestamp::UNIX_EPOCH,
        &data,
    )
}

fn start(endpoints: Vec<Endpoint>, schedule: &Schedule) -> Outgoing {
    Outgoing::start(endpoints, schedule, Arc::new(DeadInMemory::default())).unwrap()
}

#[tokio::test]
async fn a_flag_arrives_signed() {
    let (listener, endpoint) = Listener::listen(&[]).await;
    let outgoing = start(vec![endpoint], &schedule(&[]));
    outgoing.send(&message("flag_7"));
    outgoing.close(Duration::from_secs(20)).await;
    let came = listener.came();
    let [(headers, body)] = came.as_slice() else {
        panic!("{} came", came.len());
    };
    let now = jiff::Timestamp::now().as_second();
    assert_eq!(
        verify_standard(headers, body, &[&SharedSecret::new(KEY)], (now, 60)),
        Ok(())
    );
    assert_eq!(
        (&headers["webhook-id"], &headers["content-type"]),
        (
            &HeaderValue::from_static("flag_7"),
            &HeaderValue::from_static("application/json")
        )
    );
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    assert_eq!(
        body,
        json!({"type": "org.mirrorwatch.flag.raised.v1", "timestamp": "1970-01-01T00:00:00Z",
        "data": {"id": "x:991", "verdict": "match"}})
    );
    assert!(outgoing.dead().latest(9).is_empty());
}

#[tokio::test]
async fn what_failed_is_sent_again_under_the_same_id() {
    let (listener, endpoint) = Listener::listen(&[500, 0, 302]).await;
    let outgoing = start(vec![endpoint], &schedule(&[10, 10, 10, 10]));
    outgoing.send(&message("flag_7"));
    until(|| listener.came().len() == 4).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    outgoing.close(Duration::from_secs(20)).await;
    let came = listener.came();
    assert_eq!(
        came.len(),
        4,
        "an error, a silence, a redirect, which is not followed, then taken"
    );
    assert!(
        came.iter()
            .all(|(headers, body)| headers["webhook-id"] == "flag_7" && *body == came[0].1)
    );
    assert!(outgoing.dead().latest(9).is_empty());
}

#[tokio::test]
async fn what_is_on_its_way_counts_until_every_endpoint_has_it_or_it_is_given_up() {
    let before = jiff::Timestamp::now();
    let (quick, quick_endpoint) = Listener::listen(&[]).await;
    let (slow, slow_endpoint) = Listener::listen(&[500]).await;
    let outgoing = start(vec![quick_endpoint, slow_endpoint], &schedule(&[300]));
    outgoing.send(&message("flag_7"));
    until(|| quick.came().len() == 1 && slow.came().len() == 1).await;
    assert!(outgoing.oldest().is_some_and(|oldest| oldest >= before));
    until(|| slow.came().len() == 2 && outgoing.oldest().is_none()).await;
    let (_, hanging) = Listener::listen(&[0]).await;
    let outgoing = start(vec![hanging], &schedule(&[300]));
    outgoing.send(&message("flag_7"));
    assert!(outgoing.oldest().is_some());
    outgoing.forget("x:991");
    until(|| outgoing.oldest().is_none()).await;
}

#[tokio::test]
async fn what_nobody_takes_becomes_a_dead_letter() {
    let (listener, endpoint) = Listener::listen(&[500; 10]).await;
    let outgoing = start(vec![endpoint], &schedule(&[1, 1]));
    outgoing.send(&message("flag_7"));
    until(|| !outgoing.dead().latest(9).is_empty()).await;
    outgoing.close(Duration::from_secs(20)).await;
    assert_eq!(listener.came().len(), 3);
    let letters = outgoing.dead().latest(9);
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].attempts, letters[0].reason.as_str()),
        (3, "answered 500")
    );
    assert_eq!(letters[0].message, message("flag_7"));
}

#[tokio::test]
async fn who_is_gone_is_not_asked_again() {
    let (listener, endpoint) = Listener::listen(&[410]).await;
    let outgoing = start(vec![endpoint], &schedule(&[1]));
    outgoing.send(&message("flag_1"));
    until(|| outgoing.gone() == ["listener"]).await;
    outgoing.send(&message("flag_2"));
    outgoing.close(Duration::from_secs(20)).await;
    assert_eq!(listener.came().len(), 1);
    let letters = outgoing.dead().latest(9);
    let ids: Vec<&str> = letters
        .iter()
        .map(|letter| letter.message.id.as_str())
        .collect();
    assert_eq!(ids, ["flag_2", "flag_1"]);
}

#[tokio::test]
async fn one_that_hangs_holds_up_no_other() {
    let (_, hanging) = Listener::listen(&[0; 100]).await;
    let (listener, mut endpoint) = Listener::listen(&[]).await;
    endpoint.name = "other".to_owned();
    let short = Schedule {
        waiting_max: 8,
        ..schedule(&[])
    };
    let outgoing = start(vec![hanging, endpoint], &short);
    for n in 0..100 {
        outgoing.send(&message(&format!("flag_{n}")));
        until(|| listener.came().len() > n).await;
    }
    let letters = outgoing.dead().latest(100);
    let full = |reason: &str| reason == "too many messages wait for the endpoint";
    assert!(
        letters.iter().any(|letter| full(&letter.reason)),
        "its queue has an end"
    );
    assert!(letters.iter().all(|letter| letter.endpoint == "listener"));
}

/// Sends flags of these numbers, those after the first once an attempt at it has ended.
async fn send_after_the_first(outgoing: &Outgoing, listener: &Listener, numbers: Range<u32>) {
    for number in numbers {
        outgoing.send(&message(&format!("flag_{number}")));
        if listener.came().is_empty() {
            until(|| listener.came().len() == 1).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_without_a_letter_when_the_service_stops() {
    let (listener, endpoint) = Listener::listen(&[500]).await;
    let outgoing = start(vec![endpoint], &schedule(&[60_000]));
    send_after_the_first(&outgoing, &listener, 1..20).await;
    outgoing.close(Duration::from_secs(20)).await;
    assert_eq!(listener.came().len(), 19, "what is new is tried once");
    let letters = outgoing.dead().latest(9);
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (letters[0].message.id.as_str(), letters[0].attempts),
        ("flag_1", 1)
    );
    outgoing.send(&message("flag_20"));
    assert_eq!(
        outgoing.dead().latest(1)[0].reason,
        "the service is stopping"
    );
    // The next run sends what was left, and keeps what was given up.
    let (listener, endpoint) = Listener::listen(&[]).await;
    let again = start(vec![endpoint], &schedule(&[]));
    let mut left = outgoing.dead().latest(9);
    assert!(left.iter().all(|letter| letter.is_pending));
    left[0].is_pending = false;
    let mut elsewhere = left[1].clone();
    elsewhere.endpoint = "nobody".to_owned();
    again.resume([left.clone(), vec![elsewhere]].concat());
    again.close(Duration::from_secs(20)).await;
    assert_eq!(listener.came()[0].0["webhook-id"], "flag_1");
    assert_eq!(listener.came().len(), 1);
    assert_eq!(again.dead().latest(9).len(), 2);
}

#[tokio::test]
async fn what_is_left_by_several_stops_grows_no_younger_and_is_given_up_in_the_end() {
    let (listener, endpoint) = Listener::listen(&[500; 10]).await;
    let outgoing = start(vec![endpoint.clone()], &schedule(&[60_000; 6]));
    let first = jiff::Timestamp::from_second(2_000_000).unwrap();
    let letter = DeadLetter {
        endpoint: "listener".to_owned(),
        message: message("flag_1"),
        attempts: 2,
        reason: "answered 500".to_owned(),
        at: first,
        is_pending: true,
        due: None,
    };
    outgoing.resume(vec![letter]);
    until(|| listener.came().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    outgoing.close(Duration::from_secs(20)).await;
    let left = outgoing.dead().latest(9);
    let told = |letters: &[DeadLetter]| -> Vec<(usize, jiff::Timestamp, bool)> {
        let told = |letter: &DeadLetter| (letter.attempts, letter.at, letter.is_pending);
        letters.iter().map(told).collect()
    };
    assert_eq!(told(&left), [(3, first, true)]);
    let again = start(vec![endpoint], &schedule(&[1; 3]));
    again.resume(left);
    until(|| !again.dead().latest(9).is_empty()).await;
    again.close(Duration::from_secs(20)).await;
    assert_eq!(told(&again.dead().latest(9)), [(4, first, false)]);
    assert_eq!(listener.came().len(), 2);
}

#[tokio::test]
async fn what_tells_of_an_erased_account_is_dropped_wherever_it_is() {
    let (listener, endpoint) = Listener::listen(&[500, 0, 0, 0, 0]).await;
    let outgoing = start(vec![endpoint], &schedule(&[60_000]));
    let other = Message::of(
        "other",
        "org.mirrorwatch.flag.raised.v1",
        jiff::Timestamp::UNIX_EPOCH,
        &json!({"id": "x:5"}),
    );
    // One waits for its next attempt, four are being sent, and the rest has not begun.
    outgoing.send(&message("flag_0"));
    until(|| listener.came().len() == 1).await;
    for n in 1..20 {
        outgoing.send(&message(&format!("flag_{n}")));
    }
    outgoing.send(&other);
    until(|| listener.came().len() == 5).await;
    outgoing.forget("x:991");
    until(|| listener.came().len() == 6).await;
    assert_eq!(listener.came()[5].0["webhook-id"], "other");
    for n in 20..30 {
        outgoing.send(&message(&format!("flag_{n}")));
    }
    outgoing.forget("x:991");
    outgoing.close(Duration::from_secs(20)).await;
    assert!(outgoing.dead().latest(99).is_empty());
}

#[tokio::test]
async fn stopping_takes_no_longer_than_it_may_and_loses_nothing() {
    let (listener, endpoint) = Listener::listen(&[0; 100]).await;
    let hanging = Schedule {
        answer_max: Duration::from_secs(30),
        ..schedule(&[60_000])
    };
    let outgoing = start(vec![endpoint], &hanging);
    for n in 0..20 {
        outgoing.send(&message(&format!("flag_{n}")));
    }
    until(|| listener.came().len() == 4).await;
    let begun = std::time::Instant::now();
    outgoing.close(Duration::from_millis(200)).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    let letters = outgoing.dead().latest(100);
    let ids: std::collections::HashSet<&str> = letters
        .iter()
        .map(|letter| letter.message.id.as_str())
        .collect();
    assert_eq!((letters.len(), ids.len()), (20, 20));
    assert!(letters.iter().all(|letter| letter.is_pending));
}

#[tokio::test]
async fn endpoints_that_cannot_work_are_named_at_start() {
    let dead = || Arc::new(DeadInMemory::default());
    let mut secretless = endpoint("a", "https://example.org/");
    secretless.secret = SharedSecret::new("not base64!");
    let mut weak = endpoint("a", "https://example.org/");
    weak.secret = SharedSecret::new("whsec_AAECAwQFBgcICQoLDA0ODw==");
    let settings = crate::serve::settings::Settings {
        flags: vec![weak.clone()],
        ..crate::serve::settings::Settings::default()
    };
    let error = settings.check().err().unwrap().to_string();
    assert!(
        error.contains("24 bytes"),
        "`config check` says it too: {error}"
    );
    for (endpoint, word) in [
        (secretless, "secret"),
        (weak, "24 bytes"),
        (endpoint("a", "ftp://example.org/"), "url"),
    ] {
        let error = Outgoing::start(vec![endpoint], &schedule(&[]), dead())
            .err()
            .unwrap();
        assert!(
            error.to_string().contains(word) && error.to_string().contains("`a`"),
            "{error}"
        );
    }
}

#[test]
fn pauses_are_stretched_a_little() {
    let pause = Duration::from_secs(100);
    for _ in 0..100 {
        let stretched = jittered(pause, random_share());
        assert!(stretched >= pause && stretched <= pause.mul_f64(1.2));
    }
    let shares: std::collections::HashSet<u64> =
        (0..20).map(|_| random_share().to_bits()).collect();
    assert!(shares.len() > 1);
}

/// Stops and starts again like `what_is_left_by_several_stops...`, but with pauses that are not over: no stop and no start makes
/// an attempt that is not due.
#[tokio::test]
async fn stops_and_starts_neither_hurry_an_attempt_nor_forget_any() {
    let (listener, endpoint) = Listener::listen(&[500; 100]).await;
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now;
    let first = start(vec![endpoint.clone()], &schedule(&[60_000; 6]));
    first.send(&message("flag_1"));
    until(|| listener.came().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    first.close(Duration::from_secs(20)).await;
    keep(folder.path(), &first.dead().latest(9)).unwrap();
    for stop in 1..=7 {
        let again = start(vec![endpoint.clone()], &schedule(&[60_000; 6]));
        again.resume(left(folder.path(), now()).unwrap());
        let letters = match stop {
            // One crashes: all that is known is what was written down before.
            4 => again.letters().await.unwrap(),
            _ => {
                again.close(Duration::from_secs(20)).await;
                again.dead().latest(9)
            }
        };
        let told: Vec<(usize, bool)> = letters
            .iter()
            .map(|letter| (letter.attempts, letter.is_pending))
            .collect();
        assert_eq!(told, [(1, true)], "stop {stop}");
        keep(folder.path(), &letters).unwrap();
    }
    assert_eq!(listener.came().len(), 1, "none was due");
    // As if the hours had passed, by a plan of short pauses: tried as often as planned, over any number of stops, then given up.
    let short = schedule(&[1; 6]);
    for _ in 0..7 {
        let (came, again) = (listener.came().len(), start(vec![endpoint.clone()], &short));
        again.resume(left(folder.path(), now()).unwrap());
        until(|| listener.came().len() > came || !again.dead().latest(9).is_empty()).await;
        again.close(Duration::from_secs(20)).await;
        keep(folder.path(), &again.dead().latest(9)).unwrap();
    }
    let letters = left(folder.path(), now()).unwrap();
    let told: Vec<(usize, bool)> = letters
        .iter()
        .map(|letter| (letter.attempts, letter.is_pending))
        .collect();
    assert_eq!((told, listener.came().len()), (vec![(7, false)], 7));
}

#[tokio::test]
async fn all_that_is_under_way_is_told_at_any_time() {
    let (listener, endpoint) = Listener::listen(&[500, 0, 0, 0, 0]).await;
    let outgoing = start(vec![endpoint], &schedule(&[60_000]));
    send_after_the_first(&outgoing, &listener, 0..20).await;
    let letters = outgoing.letters().await.unwrap();
    let ids: std::collections::HashSet<&str> = letters
        .iter()
        .map(|letter| letter.message.id.as_str())
        .collect();
    assert_eq!((letters.len(), ids.len()), (20, 20));
    assert!(letters.iter().all(|letter| letter.is_pending));
    let tried = letters.iter().find(|letter| letter.attempts == 1).unwrap();
    assert_eq!(tried.message.id, "flag_0");
    let pause = tried.due.unwrap().duration_since(jiff::Timestamp::now());
    assert!((50..=72).contains(&pause.as_secs()), "{pause}");
    let later = jiff::Timestamp::now().checked_add(Duration::from_secs(1));
    outgoing.written(later.unwrap());
    assert_eq!(outgoing.oldest(), None);
}

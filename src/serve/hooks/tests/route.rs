//! What is the same for every platform; Standard Webhooks and Synapse, which have no fixtures of their own.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde_json::{Value, json};

use crate::serve::hooks::signature::{SharedSecret, standard};
use crate::serve::hooks::tests::cloudevents::cloud;
use crate::serve::hooks::tests::{BEARER, Clerk, KEY, Office, post};
use crate::serve::problem::Problem;
use crate::tests::until;
use crate::verdict::Verdict;

pub(super) fn source(platform: &str) -> Value {
    json!({"name": "h", "platform": platform, "secret": "a-hook-secret-of-ours"})
}

/// What the service says when it is too busy.
fn busy() -> Clerk {
    Clerk {
        problem: Some(Problem::busy(StatusCode::SERVICE_UNAVAILABLE, "full", 7)),
        ..Clerk::default()
    }
}

#[tokio::test]
async fn standard_webhooks_are_those_of_the_standard() {
    let body =
        r#"{"type":"account.banned","timestamp":"2026-11-22T10:00:00Z","data":{"id":"x:17"}}"#;
    let signature = "v1,i7vkemmTi2+pKop7Wq/1gcaCDLSwJEBHUwWHlNsVb9c=";
    let request = |id: &str, timestamp: &str, signature: &str, body: &str| {
        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ];
        post("/hooks/h", &headers, body)
    };
    let mut source = source("standard");
    source["secret"] = json!(KEY);
    let office = Office::of(source.clone());
    let (status, answer, _) = office
        .send(request("msg_2", "1795341600", signature, body))
        .await;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({"action": "allow", "results": []}))
    );
    let ban = json!({"source": "h", "banned_at": "2026-11-22T10:00:00Z"});
    assert_eq!(
        office.asked(),
        [(
            "enroll",
            json!({"id": "x:17", "kind": "account", "ban": ban})
        )]
    );
    let wrong = [
        request("msg_3", "1795341600", signature, body),
        request("msg_2", "1795341601", signature, body),
        request("msg_2", "1795341600", signature, &body.replace("17", "18")),
        request("msg_2", "soon", signature, body),
        post("/hooks/h", &[("webhook-signature", signature)], body),
    ];
    for request in wrong {
        assert_eq!(office.send(request).await.0, StatusCode::UNAUTHORIZED);
    }
    // The office opens a minute after the signature was made.
    source["tolerance_s"] = json!(59);
    let strict = Office::of(source);
    let late = strict
        .send(request("msg_2", "1795341600", signature, body))
        .await;
    assert_eq!(late.0, StatusCode::UNAUTHORIZED);
}

#[test]
fn the_vector_of_the_standards_own_library_holds() {
    let mut headers = HeaderMap::new();
    headers.insert(
        "webhook-id",
        HeaderValue::from_static("msg_p5jXN8AQM9LWM0D4loKWxJek"),
    );
    headers.insert("webhook-timestamp", HeaderValue::from_static("1614265330"));
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    headers.insert("webhook-signature", HeaderValue::from_static(signature));
    let secret = SharedSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let body = br#"{"test": 2432232314}"#;
    for (now, expected) in [
        (0, true),
        (300, true),
        (-300, true),
        (301, false),
        (-301, false),
    ] {
        let checked = standard(&headers, body, &[&secret], (1_614_265_330 + now, 300));
        assert_eq!(checked.is_ok(), expected, "{now}");
    }
    assert!(standard(&headers, body, &[], (1_614_265_330, 300)).is_err());
    let extreme = HeaderValue::from_static("-9223372036854775808");
    headers.insert("webhook-timestamp", extreme);
    assert!(standard(&headers, body, &[&secret], (i64::MAX, 300)).is_err());
}

fn synapse(callback: &str, body: &Value) -> Request<Body> {
    post(
        &format!("/hooks/h/{callback}"),
        &[("authorization", BEARER)],
        &body.to_string(),
    )
}

fn registration() -> Value {
    json!({"username": "zorvani", "server_name": "test.local", "email_threepid": null,
        "request_info": [["UA", "127.0.0.1"], ["UA", "198.51.100.7"]], "auth_provider_id": null})
}

#[tokio::test]
async fn synapse_is_told_how_to_take_a_registration() {
    for (action, behaviour) in [
        ("flag", "allow"),
        ("shadow_ban", "shadow_ban"),
        ("deny", "deny"),
    ] {
        let mut source = source("synapse");
        source["action_on_match"] = json!(action);
        let office = Office::saying(Verdict::Match, source.clone());
        let (status, answer, _) = office
            .send(synapse("check_registration", &registration()))
            .await;
        assert_eq!(
            (status, answer),
            (StatusCode::OK, json!({"behaviour": behaviour}))
        );
        assert_eq!(
            office.asked(),
            [(
                "screen",
                json!({"id": "matrix:@zorvani:test.local", "platform": "matrix",
            "kind": "account", "handle": "zorvani", "tokens": {"ip_prefix": "198.51.100.0/24"}})
            )]
        );
        let office = Office::of(source);
        let (_, answer, _) = office
            .send(synapse("check_registration", &registration()))
            .await;
        assert_eq!(answer, json!({"behaviour": "allow"}));
    }
    // Synapse makes up the name later: nothing is known yet.
    let office = Office::of(source("synapse"));
    let nameless = json!({"username": null, "email_threepid": null, "request_info": [], "auth_provider_id": null});
    assert_eq!(
        office
            .send(synapse("check_registration", &nameless))
            .await
            .1,
        json!({"behaviour": "allow"})
    );
    let homeless = json!({"username": "zorvani", "request_info": []});
    let (status, problem, _) = office.send(synapse("check_registration", &homeless)).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (StatusCode::BAD_REQUEST, &json!("server_name"))
    );
    assert!(office.asked().is_empty());
}

#[tokio::test]
async fn synapse_tells_of_later_names() {
    let mut denying = source("synapse");
    denying["action_on_match"] = json!("deny");
    let office = Office::saying(Verdict::Match, denying);
    let update = json!({"user_id": "@alice:test.local", "displayname": "Zorvani Dispatch", "avatar_url": "mxc://test.local/a",
        "by_admin": false, "deactivation": false});
    let (status, answer, _) = office.send(synapse("profile_update", &update)).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({})));
    let record = json!({"id": "matrix:@alice:test.local", "platform": "matrix", "kind": "account", "handle": "alice",
        "display_name": "Zorvani Dispatch"});
    assert_eq!(office.asked(), [("screen", record.clone())]);
    let join = json!({"event": {"type": "m.room.member", "state_key": "@alice:test.local",
        "content": {"membership": "join", "displayname": "Zorvani Dispatch"}}});
    let (status, answer, _) = office.send(synapse("check_event_for_spam", &join)).await;
    assert_eq!(
        (status, &answer["errcode"]),
        (StatusCode::FORBIDDEN, &json!("M_FORBIDDEN"))
    );
    assert_eq!(office.asked(), [("screen", record)]);
    let login = json!({"user_id": "@alice:test.local", "device_id": "D", "initial_display_name": null,
        "request_info": [["UA", "198.51.100.7"]], "auth_provider_id": null});
    let (status, answer, _) = office.send(synapse("check_login_for_spam", &login)).await;
    assert_eq!(
        (status, &answer["errcode"]),
        (StatusCode::FORBIDDEN, &json!("M_FORBIDDEN"))
    );
    assert_eq!(office.asked().len(), 1);
    // What says nothing of a person is let through, and the package's health is answered.
    let gone = json!({"user_id": "@alice:test.local", "displayname": "", "deactivation": true});
    let message = json!({"event": {"type": "m.room.message", "content": {"body": "private"}}});
    for (callback, body) in [
        ("profile_update", gone),
        ("check_event_for_spam", message),
        ("user_may_invite", json!({})),
    ] {
        assert_eq!(office.send(synapse(callback, &body)).await.1, json!({}));
    }
    let ping = office.send(synapse("ping", &json!({"id": "abc"}))).await;
    assert_eq!(ping.1, json!({"id": "abc", "status": "ok"}));
    assert!(office.asked().is_empty());
    assert_eq!(
        office.send(synapse("anything", &json!({}))).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_signup_goes_on_when_the_service_cannot_answer_unless_set_otherwise() {
    let mut closed = source("synapse");
    closed["fail_open"] = json!(false);
    closed["action_on_match"] = json!("deny");
    let open = Office::with(busy(), source("synapse"));
    let (status, answer, _) = open
        .send(synapse("check_registration", &registration()))
        .await;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({"behaviour": "allow"}))
    );
    let closed = Office::with(busy(), closed);
    let (status, problem, headers) = closed
        .send(synapse("check_registration", &registration()))
        .await;
    assert_eq!(
        (status, &headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &HeaderValue::from(7))
    );
    assert_eq!(problem["status"], 503);
    // Nobody waits for a profile change: it is sent again, whatever `fail_open` says.
    let update = json!({"user_id": "@alice:test.local", "displayname": "A"});
    assert_eq!(
        open.send(synapse("profile_update", &update)).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    // What failed inside is told as what passes: platforms drop what is answered 500 or 400.
    let failed = Clerk {
        problem: Some(Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error",
            "",
        )),
        ..Clerk::default()
    };
    let failed = Office::with(failed, source("synapse"));
    let (status, _, headers) = failed.send(synapse("profile_update", &update)).await;
    assert_eq!(
        (status, headers.contains_key("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, true)
    );
}

#[tokio::test]
async fn what_was_not_answered_is_not_taken_for_a_repeat() {
    let mut office = Office::with(busy(), source("synapse"));
    let update = json!({"user_id": "@alice:test.local", "displayname": "A", "event_id": "e1"});
    assert_eq!(
        office.send(synapse("profile_update", &update)).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(office.asked().len(), 1);
    office = Office::of(source("synapse"));
    for _ in 0..3 {
        assert_eq!(
            office.send(synapse("profile_update", &update)).await.0,
            StatusCode::OK
        );
    }
    let (one, two) = tokio::join!(
        office.send(synapse("profile_update", &update)),
        office.send(synapse("profile_update", &update))
    );
    assert_eq!(
        (one.0, two.0, office.asked().len()),
        (StatusCode::OK, StatusCode::OK, 1)
    );
}

#[tokio::test]
async fn one_bad_account_of_a_batch_costs_only_itself() {
    let office = Office::of(source("cloudevents"));
    let event = |id: &str, handle: &str| {
        json!({"specversion": "1.0", "id": id, "source": "/s", "type": "org.mirrorwatch.account.created.v1",
            "data": {"id": id, "handle": handle}})
    };
    let mut untyped = event("x:4", "d");
    untyped["data"]["handle"] = json!(5);
    let batch = json!([
        event("x:1", "a"),
        event("x:2", &"b".repeat(2_000)),
        json!("no event"),
        untyped,
        event("x:3", "c")
    ]);
    let kind = "application/cloudevents-batch+json";
    let (status, answer, _) = office.send(cloud(kind, &[], &batch)).await;
    assert_eq!(
        (status, &answer["action"]),
        (StatusCode::OK, &json!("allow"))
    );
    let rejected: Vec<(&Value, &Value)> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["line"], &one["error"]["code"]))
        .collect();
    let (invalid, malformed) = (json!("invalid_input"), json!("malformed_input"));
    let expected = [
        (&json!(2), &invalid),
        (&json!(3), &malformed),
        (&json!(4), &malformed),
    ];
    assert_eq!(rejected, expected, "{answer}");
    assert_eq!(office.asked().len(), 2, "the others were screened");
    // Where none was taken, the answer is the first problem.
    let batch = json!([event("x:2", &"b".repeat(2_000)), json!("no event")]);
    let (status, problem, _) = office.send(cloud(kind, &[], &batch)).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("handle"))
    );
    let none = office.send(cloud(kind, &[], &json!({"id": "x:1"}))).await;
    assert_eq!(none.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_trouble_of_ours_lets_a_signup_go_on() {
    let turning_down = |status| Clerk {
        problem: Some(Problem::new(status, "invalid input", "")),
        ..Clerk::default()
    };
    let office = Office::with(
        turning_down(StatusCode::UNPROCESSABLE_ENTITY),
        source("synapse"),
    );
    let asked = office.send(synapse("check_registration", &registration()));
    assert_eq!(asked.await.0, StatusCode::UNPROCESSABLE_ENTITY);
    // A name that is too long is no way past the screening.
    let office = Office::saying(Verdict::Match, {
        let mut source = source("synapse");
        source["action_on_match"] = json!("deny");
        source
    });
    let mut long = registration();
    long["username"] = json!("z".repeat(3_000));
    let (status, answer, _) = office.send(synapse("check_registration", &long)).await;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({"behaviour": "deny"}))
    );
    let asked = office.asked();
    assert_eq!(asked[0].1["handle"], json!("z".repeat(1_024)));
}

#[tokio::test]
async fn requests_that_are_no_hooks_are_turned_down() {
    let office = Office::of(source("synapse"));
    let large = json!({"username": "a".repeat(256 << 10)});
    let (status, problem, _) = office.send(synapse("check_registration", &large)).await;
    assert_eq!(
        (status, &problem["status"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!(413))
    );
    let form = post(
        "/hooks/h/ping",
        &[
            ("authorization", BEARER),
            ("content-type", "application/x-www-form-urlencoded"),
        ],
        "a=b",
    );
    assert_eq!(
        office.send(form).await.0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    for path in ["/hooks/other", "/hooks/h", "/hooks/h/a/b"] {
        assert_eq!(
            office
                .send(post(path, &[("authorization", BEARER)], "{}"))
                .await
                .0,
            StatusCode::NOT_FOUND
        );
    }
    let get = Request::get("/hooks/h/ping").body(Body::empty()).unwrap();
    assert_eq!(office.send(get).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let broken = post(
        "/hooks/h/check_registration",
        &[("authorization", BEARER)],
        "{",
    );
    assert_eq!(office.send(broken).await.0, StatusCode::BAD_REQUEST);
    assert!(office.asked().is_empty());
}

#[tokio::test]
async fn who_waits_too_long_goes_on_and_is_screened_all_the_same() {
    let slow = || Clerk {
        verdict: Some(Verdict::Match),
        takes: Duration::from_millis(400),
        ..Clerk::default()
    };
    let mut source = source("synapse");
    source["action_on_match"] = json!("deny");
    source["deadline_ms"] = json!(100);
    let office = Office::with(slow(), source.clone());
    let answered = office.send(synapse("check_registration", &registration()));
    let (status, answer, _) = answered.await;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({"behaviour": "allow"}))
    );
    assert!(office.asked().is_empty(), "the answer came first");
    until(|| !office.clerk.asked.lock().unwrap().is_empty()).await;
    // Who must be screened waits as long as it takes.
    source["fail_open"] = json!(false);
    let office = Office::with(slow(), source);
    let answered = office.send(synapse("check_registration", &registration()));
    assert_eq!(answered.await.1, json!({"behaviour": "deny"}));
}

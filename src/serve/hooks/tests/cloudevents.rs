//! CloudEvents in all their modes.

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode};
use serde_json::{Value, json};

use crate::serve::hooks::tests::route::source;
use crate::serve::hooks::tests::{BEARER, Office, post};
use crate::verdict::Verdict;

pub(super) fn cloud(kind: &str, headers: &[(&str, &str)], body: &Value) -> Request<Body> {
    let mut all = vec![("authorization", BEARER), ("content-type", kind)];
    all.extend(headers);
    post("/hooks/h", &all, &body.to_string())
}

#[tokio::test]
async fn cloudevents_say_the_same_in_every_mode() {
    let record = json!({"id": "x:991", "handle": "zorvani", "bio": "News"});
    let envelope = |id: &str| {
        json!({"specversion": "1.0", "id": id, "source": "/signup", "type": "org.mirrorwatch.account.created.v1",
            "time": "2026-11-22T10:00:00Z", "data": record})
    };
    let mut encoded = envelope("3");
    encoded["data"].take();
    encoded["data_base64"] =
        json!("eyJpZCI6Ing6OTkxIiwiaGFuZGxlIjoiem9ydmFuaSIsImJpbyI6Ik5ld3MifQ==");
    let attributes = [
        ("ce-specversion", "1.0"),
        ("ce-id", "2%2D2"),
        ("ce-source", "/signup"),
        ("ce-type", "org.mirrorwatch.account.created.v1"),
    ];
    let office = Office::saying(Verdict::Match, source("cloudevents"));
    let requests = [
        cloud(
            "application/cloudevents+json; charset=utf-8",
            &[],
            &envelope("1"),
        ),
        cloud("application/json", &attributes, &record),
        cloud("application/cloudevents+json", &[], &encoded),
        cloud(
            "application/cloudevents-batch+json",
            &[],
            &json!([envelope("4"), envelope("4")]),
        ),
    ];
    for request in requests {
        let (status, answer, _) = office.send(request).await;
        assert_eq!(
            (status, &answer["action"]),
            (StatusCode::OK, &json!("flag"))
        );
        assert_eq!(
            answer["results"][0],
            json!({"id": "x:991", "verdict": "match", "score_bits": 18.432, "entries": ["x:17"]})
        );
        let asked = json!({"id": "x:991", "kind": "account", "handle": "zorvani", "bio": "News"});
        assert_eq!(office.asked(), [("screen", asked)]);
    }
    // Known already, in another mode.
    office
        .send(cloud("application/cloudevents+json", &[], &envelope("2-2")))
        .await;
    assert!(office.asked().is_empty());
}

#[tokio::test]
async fn cloudevents_enrol_and_withdraw() {
    let office = Office::of(source("cloudevents"));
    let event = |kind: &str, data: Value| {
        json!({"specversion": "1.0", "id": kind, "source": "/bans", "type": format!("org.mirrorwatch.account.{kind}.v1"),
            "subject": "x:17", "time": "2026-11-22T10:00:00Z", "data": data})
    };
    let ban = json!({"ban": {"reason": "incitement", "network": "n-1"}});
    let batch = json!([
        event("banned", ban),
        event("unbanned", json!({})),
        event("renamed", json!([]))
    ]);
    let (status, answer, _) = office
        .send(cloud("application/cloudevents-batch+json", &[], &batch))
        .await;
    assert_eq!(
        (status, answer),
        (StatusCode::OK, json!({"action": "allow", "results": []}))
    );
    let asked = office.asked();
    let ban = json!({"reason": "incitement", "network": "n-1", "source": "h", "banned_at": "2026-11-22T10:00:00Z"});
    assert_eq!(
        asked,
        [
            (
                "enroll",
                json!({"id": "x:17", "kind": "account", "ban": ban})
            ),
            ("withdraw", json!("x:17")),
        ]
    );
}

#[tokio::test]
async fn cloudevents_that_are_none_are_turned_down() {
    let office = Office::of(source("cloudevents"));
    let event = |name: &str, value: Value| {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "/s",
            "type": "org.mirrorwatch.account.created.v1", "data": {"id": "x:1"}});
        event[name] = value;
        event
    };
    let structured = "application/cloudevents+json";
    for (name, value, field) in [
        ("specversion", json!("0.3"), "specversion"),
        ("id", json!(""), "id"),
        ("id", json!(5), "id"),
        ("data", json!("text"), "data"),
        ("data", json!({"handle": "a"}), "data.id"),
        ("data", json!({"id": "x:1", "handle": 5}), "data.handle"),
        (
            "data",
            json!({"id": "x:1", "avatar": {"path": "/etc/passwd"}}),
            "data.avatar.path",
        ),
        ("data_base64", json!("%"), "data_base64"),
    ] {
        let (status, problem, _) = office
            .send(cloud(structured, &[], &event(name, value)))
            .await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (StatusCode::BAD_REQUEST, &json!(field))
        );
    }
    let fine = event("time", Value::Null);
    assert_eq!(
        office
            .send(cloud("application/cloudevents+avro", &[], &fine))
            .await
            .0,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let without = office
        .send(post(
            "/hooks/h",
            &[("content-type", structured)],
            &fine.to_string(),
        ))
        .await;
    assert_eq!(without.0, StatusCode::UNAUTHORIZED);
    assert!(office.asked().is_empty());
    assert_eq!(
        office.send(cloud(structured, &[], &fine)).await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn cloudevents_shake_hands() {
    let office = Office::of(source("cloudevents"));
    let options = |headers: &[(&str, &str)]| {
        let mut request = Request::options("/hooks/h");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    };
    let (status, _, headers) = office
        .send(options(&[
            ("webhook-request-origin", "bus.example.org"),
            ("webhook-request-rate", "120"),
        ]))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (
            &headers["webhook-allowed-origin"],
            &headers["webhook-allowed-rate"]
        ),
        (
            &HeaderValue::from_static("bus.example.org"),
            &HeaderValue::from_static("120")
        )
    );
    assert_eq!(office.send(options(&[])).await.0, StatusCode::BAD_REQUEST);
    let others = Office::of(source("mastodon"));
    assert_eq!(
        others.send(options(&[])).await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
}

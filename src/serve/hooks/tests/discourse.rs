//! Discourse, whose signature holds for the body alone.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::serve::hooks::tests::{Office, post, signature};

const DISCOURSE: &str = include_str!("../../../../data/hooks/discourse.json");

fn discourse(event: &str) -> Request<Body> {
    let signature = "sha256=68ddbc58f80658d3b16543386d5b931dfc73d454ae60ef253656c034aecdcdef";
    let headers = [
        ("x-discourse-event-signature", signature),
        ("x-discourse-event-type", "user"),
        ("x-discourse-event", event),
        ("x-discourse-event-id", "7"),
        ("x-discourse-instance", "https://forum.example.org"),
    ];
    post("/hooks/d", &headers, DISCOURSE)
}

#[tokio::test]
async fn discourse_tells_of_users() {
    let source = json!({"name": "d", "platform": "discourse", "secret": "discourse-hook-secret", "id_prefix": "forum"});
    let told = |event| {
        let office = Office::of(source.clone());
        async move {
            assert_eq!(
                office.send(discourse(event)).await.0,
                StatusCode::NO_CONTENT
            );
            office.asked()
        }
    };
    let record = json!({
        "id": "forum:42", "platform": "discourse", "kind": "account", "handle": "zorvani_dispatch",
        "display_name": "Zorvani Dispatch", "bio": "News of the valley", "location": "Quetta",
        "links": ["https://zorvani.example"], "tokens": {"email": "zorvani@example.org"},
        "created_at": "2026-11-22T10:00:00Z",
    });
    for event in [
        "user_created",
        "user_approved",
        "user_updated",
        "user_confirmed_email",
    ] {
        assert_eq!(told(event).await, [("screen", record.clone())]);
    }
    // It knows nothing of bans that others told of.
    let office = Office::of(source.clone());
    office.send(discourse("user_unsuspended")).await;
    let lifted = office.clerk.lifted.lock().unwrap().clone();
    assert_eq!(
        (office.asked(), lifted),
        (Vec::new(), vec![("forum:42".to_owned(), None)])
    );
    assert_eq!(told("user_logged_in").await, []);
}

#[tokio::test]
async fn what_discourse_did_not_sign_brings_no_ban() {
    let source = json!({"name": "d", "platform": "discourse", "secret": "discourse-hook-secret", "id_prefix": "forum"});
    let office = Office::of(source);
    let send = |event: &'static str, number: &'static str, till: Option<&str>| {
        let mut body: Value = serde_json::from_str(DISCOURSE).unwrap();
        if let Some(till) = till {
            body["user"]["suspended_till"] = json!(till);
            body["user"]["suspend_reason"] = json!("fraud");
        }
        let body = body.to_string();
        let hex = signature(b"discourse-hook-secret", &body);
        let headers = [
            ("x-discourse-event-signature", hex.as_str()),
            ("x-discourse-event", event),
            ("x-discourse-event-id", number),
        ];
        office.send(post("/hooks/d", &headers, &body))
    };
    let (future, past) = ("2226-11-22T10:00:00Z", "2026-11-01T10:00:00Z");
    // The header says that a user who only changed something was suspended, or that one who is was let off.
    for (event, till) in [
        ("user_suspended", None),
        ("user_suspended", Some(past)),
        ("user_unsuspended", Some(future)),
    ] {
        assert_eq!(send(event, "1", till).await.0, StatusCode::BAD_REQUEST);
    }
    assert!(office.asked().is_empty());
    for number in ["2", "3"] {
        let (status, ..) = send("user_suspended", number, Some(future)).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let asked = office.asked();
    assert_eq!(asked.len(), 1, "one body is one event, whatever its number");
    let ban = json!({"reason": "fraud", "source": "d", "expires_at": future});
    assert_eq!((asked[0].0, &asked[0].1["ban"]), ("enroll", &ban));
    for number in ["4", "5"] {
        send("user_unsuspended", number, None).await;
    }
    let ends = office.clerk.lifted.lock().unwrap().len();
    assert_eq!(ends, 2, "each end of a suspension counts");
}

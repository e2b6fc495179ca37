//! Firebase's tokens: which are believed, which are not, and what is answered.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::serve::hooks::tests::{Office, THEN, post};
use crate::verdict::Verdict;

const FIREBASE: &str = include_str!("../../../../data/hooks/firebase.json");
const CERTIFICATE: &str = include_str!("../../../../data/hooks/firebase-certificate.pem");
const PUBLIC_KEY: &str = include_str!("../../../../data/hooks/firebase-key.pem");

fn firebase(trust: Value) -> Value {
    let mut firebase =
        json!({"project": "demo-x", "audience": "https://hooks.example.org/hooks/firebase"});
    for (name, value) in trust.as_object().unwrap() {
        firebase[name] = value.clone();
    }
    json!({"name": "f", "platform": "firebase", "action_on_match": "deny", "refusal_text": "Not here.", "firebase": firebase})
}

#[tokio::test]
async fn firebase_is_believed_by_googles_signature() {
    for pem in [CERTIFICATE, PUBLIC_KEY] {
        let office = Office::saying(Verdict::Match, firebase(json!({"keys": {"k1": pem}})));
        let (status, answer, _) = office.send(post("/hooks/f", &[], FIREBASE)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(
            answer,
            json!({"error": {"message": "Not here.", "status": "PERMISSION_DENIED"}})
        );
        assert_eq!(
            office.asked(),
            [(
                "screen",
                json!({
            "id": "firebase:u1", "platform": "firebase", "kind": "account", "display_name": "Zorvani Dispatch",
            "tokens": {"email": "zorvani@example.org", "ip_prefix": "198.51.100.0/24"},
            "created_at": "2026-11-22T10:00:00Z"})
            )]
        );
    }
    let office = Office::of(firebase(json!({"keys": {"k1": CERTIFICATE}})));
    assert_eq!(
        office.send(post("/hooks/f", &[], FIREBASE)).await,
        (
            StatusCode::OK,
            json!({}),
            office.send(post("/hooks/f", &[], FIREBASE)).await.2
        )
    );
}

#[tokio::test]
async fn tokens_that_prove_nothing_are_turned_down() {
    let unsigned = |header: &str, claims: &str| {
        let token = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        json!({"data": {"jwt": token}}).to_string()
    };
    let claims = |project: &str, audience: &str, exp: i64| {
        json!({"iss": format!("https://securetoken.google.com/{project}"), "aud": audience, "iat": THEN, "exp": exp,
            "event_type": "beforeCreate", "user_record": {"uid": "u1"}})
        .to_string()
    };
    let ours = claims(
        "demo-x",
        "https://hooks.example.org/hooks/firebase",
        THEN + 600,
    );
    let emulated = unsigned(r#"{"alg":"none","typ":"JWT"}"#, &ours);
    // Signed by another key, or changed after signing.
    let last = FIREBASE.rfind(|c: char| c.is_ascii_alphanumeric()).unwrap();
    let mut broken = FIREBASE.to_owned();
    broken.replace_range(
        last - 20..last - 19,
        if &FIREBASE[last - 20..last - 19] == "A" {
            "B"
        } else {
            "A"
        },
    );
    let signed = Office::of(firebase(json!({"keys": {"k1": CERTIFICATE}})));
    let other_key = Office::of(firebase(json!({"keys": {"k2": CERTIFICATE}})));
    let hmac = unsigned(r#"{"alg":"HS256","kid":"k1"}"#, &ours);
    for (office, body) in [
        (&signed, &emulated),
        (&signed, &broken),
        (&other_key, &FIREBASE.to_owned()),
        (&signed, &hmac),
    ] {
        let (status, ..) = office.send(post("/hooks/f", &[], body)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(office.asked().is_empty());
    }
    // The emulator's tokens are believed where the source says so, and only of that project, for that address and of now.
    let emulator = Office::of(firebase(json!({"allow_unsigned": true})));
    assert_eq!(
        emulator.send(post("/hooks/f", &[], &emulated)).await.0,
        StatusCode::OK
    );
    let address = "https://hooks.example.org/hooks/firebase";
    for claims in [
        claims("demo-y", address, THEN + 600),
        claims("demo-x", "https://elsewhere.example/", THEN + 600),
        claims("demo-x", address, THEN - 400),
    ] {
        let body = unsigned(r#"{"alg":"none"}"#, &claims);
        assert_eq!(
            emulator.send(post("/hooks/f", &[], &body)).await.0,
            StatusCode::UNAUTHORIZED,
            "{claims}"
        );
    }
}

#[tokio::test]
async fn before_its_keys_are_read_firebase_is_answered_as_the_source_has_it() {
    let mut source = firebase(json!({"keys_url": "https://keys.example.org/"}));
    let office = Office::of(source.clone());
    let (status, answer, _) = office.send(post("/hooks/f", &[], FIREBASE)).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({})));
    source["fail_open"] = json!(false);
    let closed = Office::of(source);
    let (status, _, headers) = closed.send(post("/hooks/f", &[], FIREBASE)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(headers.contains_key("retry-after"));
    assert!(office.asked().is_empty() && closed.asked().is_empty());
    let garbage = office.send(post("/hooks/f", &[], "{}")).await;
    assert_eq!(garbage.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn keys_are_read_from_where_google_shows_them() {
    use std::sync::Arc;

    use crate::serve::guard::client;
    use crate::serve::hooks::jwt::claims;
    use crate::serve::hooks::key_refresh::refresh;
    use crate::serve::hooks::settings::{Source, Sources};

    let shown = axum::Router::new()
        .route(
            "/keys",
            axum::routing::get(|| async { axum::Json(json!({"k1": CERTIFICATE})) }),
        )
        .route("/broken", axum::routing::get(|| async { "no keys" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, shown).await });
    let source = firebase(json!({"keys_url": format!("{base}/keys"), "keys": {"k0": PUBLIC_KEY}}));
    let source: Source = serde_json::from_value(source).unwrap();
    let sources = Arc::new(Sources::checked(vec![source]).unwrap());
    let trust = sources
        .get("f")
        .and_then(|source| source.firebase.as_ref())
        .unwrap();
    let body: Value = serde_json::from_str(FIREBASE).unwrap();
    let token = body["data"]["jwt"].as_str().unwrap();
    assert!(claims(token, &trust.trusted_keys.load(), false).is_err());
    let client = client().build().unwrap();
    refresh(&client, trust, &format!("{base}/keys"))
        .await
        .unwrap();
    assert!(claims(token, &trust.trusted_keys.load(), false).is_ok());
    for path in ["/broken", "/missing"] {
        refresh(&client, trust, &format!("{base}{path}"))
            .await
            .unwrap_err();
        assert!(
            claims(token, &trust.trusted_keys.load(), false).is_ok(),
            "the last ones stay"
        );
    }
    let open = firebase(json!({"keys_url": "http://keys.example.org/"}));
    let open: Source = serde_json::from_value(open).unwrap();
    assert!(
        Sources::checked(vec![open])
            .err()
            .unwrap()
            .contains("https")
    );
}

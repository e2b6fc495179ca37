//! Each platform's contract: what its real requests look like, signed by other software than ours, and what it is answered.
//!
//! Requests are those of `data/hooks`; their signatures were made by Python's `hmac`, PyPI's `standardwebhooks` and
//! `cryptography` (`scripts/hooks/signatures.py`). A [`Clerk`] stands in for the service and writes down what it is asked.

mod cloudevents;
mod discourse;
mod firebase;
mod hostile;
mod route;
mod settings;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::account::{Account, AccountId, Avatar};
use crate::serve::hooks::desk::{Desk, Screening};
use crate::serve::hooks::route::{Hooks, router};
use crate::serve::hooks::settings::{Source, Sources};
use crate::serve::problem::Problem;
use crate::verdict::Verdict;
use crate::wire::AccountRecord;

/// 2026-11-22T10:00:00Z, when the fixtures were signed.
pub(super) const THEN: i64 = 1_795_341_600;
pub(super) const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(super) const BEARER: &str = "Bearer a-hook-secret-of-ours";

/// Ids whose ban was lifted, and when that was shown.
pub(super) type Lifted = Vec<(String, Option<Timestamp>)>;

/// Writes down what the service is asked, and says what it is told to say.
#[derive(Clone, Default)]
pub(super) struct Clerk {
    pub(super) asked: Arc<Mutex<Vec<(&'static str, Value)>>>,
    pub(super) lifted: Arc<Mutex<Lifted>>,
    pub(super) verdict: Option<Verdict>,
    pub(super) problem: Option<Problem>,
    /// How long it takes over a screening.
    pub(super) takes: Duration,
}

impl Clerk {
    fn note<T>(&self, what: &'static str, about: Value, answer: T) -> Result<T, Problem> {
        self.asked.lock().unwrap().push((what, about));
        self.problem.clone().map_or(Ok(answer), Err)
    }
}

impl Desk for Clerk {
    async fn screen_and_remember(&self, _: &str, account: Account) -> Result<Screening, Problem> {
        let record = serde_json::to_value(AccountRecord::of(&account)).unwrap();
        let screening = Screening {
            verdict: self.verdict.unwrap_or(Verdict::Clear),
            score_bits: 18.4321,
            entries: vec!["x:17".to_owned()],
        };
        tokio::time::sleep(self.takes).await;
        self.note("screen", record, screening)
    }

    async fn enroll(&self, _: &str, account: Account) -> Result<(), Problem> {
        let record = serde_json::to_value(AccountRecord::of(&account)).unwrap();
        self.note("enroll", record, ())
    }

    async fn withdraw(&self, _: &str, id: AccountId) -> Result<(), Problem> {
        self.note("withdraw", json!(id.to_string()), ())
    }

    async fn lift(
        &self,
        _: &str,
        id: AccountId,
        shown_at: Option<Timestamp>,
    ) -> Result<(), Problem> {
        self.lifted.lock().unwrap().push((id.to_string(), shown_at));
        Ok(())
    }

    async fn remember_picture(&self, _: &str, id: AccountId, _: Avatar) -> Result<(), Problem> {
        self.note("picture", json!(id.to_string()), ())
    }
}

/// The hooks of one source before a clerk.
pub(super) struct Office {
    pub(super) clerk: Clerk,
    router: Router,
}

impl Office {
    #[track_caller]
    pub(super) fn with(clerk: Clerk, source: Value) -> Self {
        let source: Source = serde_json::from_value(source).unwrap();
        let sources = Arc::new(Sources::checked(vec![source]).unwrap());
        let hooks = Hooks::new(clerk.clone(), sources, None).at(|| THEN + 60);
        Self {
            clerk,
            router: router(hooks),
        }
    }

    #[track_caller]
    pub(super) fn of(source: Value) -> Self {
        Self::with(Clerk::default(), source)
    }

    #[track_caller]
    pub(super) fn saying(verdict: Verdict, source: Value) -> Self {
        let clerk = Clerk {
            verdict: Some(verdict),
            ..Clerk::default()
        };
        Self::with(clerk, source)
    }

    pub(super) async fn send(
        &self,
        request: Request<Body>,
    ) -> (StatusCode, Value, axum::http::HeaderMap) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (parts.status, body, parts.headers)
    }

    /// What was asked of the service since the last time.
    pub(super) fn asked(&self) -> Vec<(&'static str, Value)> {
        std::mem::take(&mut self.clerk.asked.lock().unwrap())
    }
}

pub(super) fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::post(path);
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

const MASTODON: &str = include_str!("../../../../data/hooks/mastodon.json");
const MASTODON_SIGNATURE: &str =
    "sha256=85514b4a418bf17cdfa8e6d163ed5146737eebd303820e44de97a3f45c8490d4";

fn mastodon() -> Value {
    json!({"name": "m", "platform": "mastodon", "secret": "6dae39e6d0cc15e92a55a0ff6c74e5f1d6ea0b8e"})
}

/// A body of Mastodon's, signed by our own code, which the vector above vouches for.
fn signed_mastodon(body: &str) -> Request<Body> {
    let hex = signature(b"6dae39e6d0cc15e92a55a0ff6c74e5f1d6ea0b8e", body);
    post("/hooks/m", &[("x-hub-signature", &hex)], body)
}

fn signature(secret: &[u8], body: &str) -> String {
    let digest = crate::serve::hooks::signature::hmac_sha256(secret, &[body.as_bytes()]);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[tokio::test]
async fn mastodon_tells_of_a_signup() {
    let office = Office::saying(Verdict::Match, mastodon());
    let request = post(
        "/hooks/m",
        &[("x-hub-signature", MASTODON_SIGNATURE)],
        MASTODON,
    );
    let (status, ..) = office.send(request).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let asked = office.asked();
    let [("screen", record)] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    let expected = json!({
        "id": "mastodon:109", "platform": "mastodon", "kind": "account", "handle": "Zorv4ni_Dispatch2",
        "display_name": "Zorvani Dispatch", "bio": "News of the valley & more t.me/zorvanidsp\nSignal: zorvani.22",
        "links": ["https://zorvani.example/shop", "https://t.me/zorvanidsp"],
        "tokens": {"email": "zorvani@gmail.com", "ip_prefix": "198.51.100.0/24"},
        "created_at": "2026-11-22T09:59:58Z",
    });
    assert_eq!(*record, expected);
}

#[tokio::test]
async fn mastodon_is_believed_by_its_signature_alone() {
    let office = Office::of(mastodon());
    let changed = MASTODON.replace("Dispatch", "Despatch");
    let short = &MASTODON_SIGNATURE[..70];
    let upper = MASTODON_SIGNATURE.to_uppercase();
    for (signature, body) in [
        (MASTODON_SIGNATURE, changed.as_str()),
        (short, MASTODON),
        (upper.as_str(), MASTODON),
        ("sha1=85514b4a", MASTODON),
        ("", MASTODON),
    ] {
        let (status, problem, headers) = office
            .send(post("/hooks/m", &[("x-hub-signature", signature)], body))
            .await;
        assert_eq!(
            (status, &problem["status"]),
            (StatusCode::UNAUTHORIZED, &json!(401))
        );
        assert_eq!(headers["content-type"], "application/problem+json");
    }
    let (status, ..) = office.send(post("/hooks/m", &[], MASTODON)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(office.asked().is_empty());
}

#[tokio::test]
async fn mastodon_is_heard_once_however_often_it_repeats() {
    let office = Office::of(mastodon());
    for _ in 0..3 {
        let request = post(
            "/hooks/m",
            &[("x-hub-signature", MASTODON_SIGNATURE)],
            MASTODON,
        );
        assert_eq!(office.send(request).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(office.asked().len(), 1);
}

#[tokio::test]
async fn a_secret_can_be_changed_without_a_gap() {
    let mut source = mastodon();
    source["previous_secret"] = source["secret"].take();
    source["secret"] = json!("the-secret-from-now-on");
    let office = Office::of(source);
    let (status, ..) = office
        .send(post(
            "/hooks/m",
            &[("x-hub-signature", MASTODON_SIGNATURE)],
            MASTODON,
        ))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_suspended_mastodon_account_is_enrolled_without_what_was_blanked() {
    let office = Office::of(mastodon());
    let body = json!({"event": "account.updated", "created_at": "2026-11-22T10:00:00Z", "object": {
        "id": "109", "username": "zorvani", "domain": null, "suspended": true, "account": {
            "display_name": "", "note": "", "fields": [], "avatar": "https://m.example/avatars/original/missing.png"}}});
    let (status, ..) = office.send(signed_mastodon(&body.to_string())).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let asked = office.asked();
    assert_eq!(
        asked,
        [(
            "enroll",
            json!({
        "id": "mastodon:109", "platform": "mastodon", "kind": "account", "handle": "zorvani",
        "ban": {"source": "m", "banned_at": "2026-11-22T10:00:00Z"}})
        )]
    );
    assert!(office.clerk.lifted.lock().unwrap().is_empty());
    // No event of Mastodon's says that a suspension ended; the next change of the account shows it.
    let mut lifted = body;
    lifted["object"]["suspended"] = json!(false);
    office.send(signed_mastodon(&lifted.to_string())).await;
    let shown_at = "2026-11-22T10:00:00Z".parse().ok();
    assert_eq!(
        *office.clerk.lifted.lock().unwrap(),
        [("mastodon:109".to_owned(), shown_at)]
    );
    assert_eq!(office.asked()[0].0, "screen");
    // Without its time nobody knows whether a ban came after it.
    lifted["created_at"] = json!("lately");
    office.send(signed_mastodon(&lifted.to_string())).await;
    assert_eq!(office.clerk.lifted.lock().unwrap().len(), 1);
    assert_eq!(office.asked()[0].0, "screen");
}

#[tokio::test]
async fn what_mastodon_tells_of_others_is_taken_and_let_go() {
    let office = Office::of(mastodon());
    for body in [
        r#"{"event":"report.created","object":{"id":"1"}}"#,
        r#"{"event":"status.created","object":[1,2]}"#,
    ] {
        assert_eq!(
            office.send(signed_mastodon(body)).await.0,
            StatusCode::NO_CONTENT
        );
    }
    assert!(office.asked().is_empty());
    let wrong = r#"{"event":"account.created","object":{"id":"1","username":["secret name"]}}"#;
    let (status, problem, _) = office.send(signed_mastodon(wrong)).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (StatusCode::BAD_REQUEST, &json!("object.username"))
    );
    assert!(
        !problem.to_string().contains("secret name"),
        "profile text stays out of messages"
    );
}

const SUPABASE: &str = include_str!("../../../../data/hooks/supabase.json");
const SUPABASE_SIGNATURE: &str = "v1,PfCki9k7EIwgRtQgAn8443DOpmJDdKDYixXWwMoz/3s=";

fn supabase(signatures: &str) -> Request<Body> {
    let headers = [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", "1795341600"),
        ("webhook-signature", signatures),
    ];
    post("/hooks/s", &headers, SUPABASE)
}

#[tokio::test]
async fn supabase_is_told_to_refuse_in_its_own_way() {
    let source = json!({"name": "s", "platform": "supabase", "secret": format!("v1,{KEY}"),
        "action_on_match": "deny", "refusal_text": "Not here."});
    let office = Office::saying(Verdict::Match, source.clone());
    // As Supabase joins them, as the standard does, and the other way round.
    let other = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for signatures in [
        SUPABASE_SIGNATURE.to_owned(),
        format!("{other}, {SUPABASE_SIGNATURE}"),
        format!("{SUPABASE_SIGNATURE}, {other}"),
        format!("{other} {SUPABASE_SIGNATURE}"),
        format!("v1a,AAAA {SUPABASE_SIGNATURE}"),
    ] {
        let (status, answer, headers) = office.send(supabase(&signatures)).await;
        assert_eq!(status, StatusCode::OK, "{signatures}");
        assert_eq!(
            answer,
            json!({"error": {"http_code": 403, "message": "Not here."}})
        );
        assert_eq!(headers["content-type"], "application/json");
    }
    let asked = office.asked();
    assert_eq!(
        asked.len(),
        1,
        "one event, however often it is sent: it is known by metadata.uuid"
    );
    assert_eq!(
        asked[0].1["id"],
        "supabase:f3c1a7d2-0000-4000-8000-000000000001"
    );
    assert_eq!(asked[0].1["handle"], "Zorv4ni_Dispatch2");
    assert_eq!(asked[0].1["display_name"], "Zorvani Dispatch");
    assert_eq!(
        asked[0].1["tokens"],
        json!({"email": "zorvani@example.org", "ip_prefix": "198.51.100.0/24"})
    );
    assert_eq!(
        asked[0].1.get("created_at"),
        None,
        "a user that is not kept yet has no time"
    );
    for wrong in [
        other,
        "",
        "v1,",
        "v2,PfCki9k7EIwgRtQgAn8443DOpmJDdKDYixXWwMoz/3s=",
    ] {
        assert_eq!(
            office.send(supabase(wrong)).await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    for verdict in [Verdict::Clear, Verdict::Review] {
        let office = Office::saying(verdict, source.clone());
        assert_eq!(office.send(supabase(SUPABASE_SIGNATURE)).await.1, json!({}));
    }
}

fn kratos(secret: (&str, &str), body: &Value) -> Request<Body> {
    let headers = [
        secret,
        ("ory-webhook-trigger-id", "trigger-1"),
        ("ory-webhook-request-id", "r1"),
    ];
    post("/hooks/k", &headers, &body.to_string())
}

#[tokio::test]
async fn kratos_hears_at_which_field_a_signup_is_refused() {
    let source = json!({"name": "k", "platform": "kratos", "secret": "a-hook-secret-of-ours",
        "action_on_match": "deny", "refusal_text": "Not here."});
    let body = json!({"schema": "mirror.kratos.v1", "identity_id": "00000000-0000-0000-0000-000000000000",
        "traits": {"email": "z@example.org", "nickname": "zorvani", "name": {"first": "Zor", "last": "Vani"}},
        "transient": {"bio": "News", "website": "https://zorvani.example"},
        "user_agent": "UA", "flow_id": "f-1", "client_ip": "198.51.100.7"});
    let office = Office::saying(Verdict::Match, source.clone());
    for secret in [
        ("authorization", BEARER),
        ("x-api-key", "a-hook-secret-of-ours"),
    ] {
        let (status, answer, _) = office.send(kratos(secret, &body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let message = json!({"id": 4_900_001, "text": "Not here.", "type": "error", "context": {}});
        assert_eq!(
            answer,
            json!({"messages": [{"instance_ptr": "#/traits/nickname", "messages": [message]}]})
        );
    }
    assert_eq!(
        office.asked(),
        [(
            "screen",
            json!({
        "id": "kratos:flow:f-1", "platform": "kratos", "kind": "account", "handle": "zorvani",
        "display_name": "Zor Vani", "bio": "News", "links": ["https://zorvani.example"],
        "tokens": {"email": "z@example.org", "ip_prefix": "198.51.100.0/24"}})
        )]
    );
    for secret in [
        ("authorization", "Bearer another"),
        ("x-api-key", ""),
        ("authorization", "Basic YTpi"),
    ] {
        assert_eq!(
            office.send(kratos(secret, &body)).await.0,
            StatusCode::UNAUTHORIZED
        );
    }
    let office = Office::saying(Verdict::Review, source);
    let (status, answer, _) = office.send(kratos(("authorization", BEARER), &body)).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({})));
}

//! The service as its callers meet it: every call of the contract, who may make it, and what goes wrong.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::serve::{App, Settings, router};
use crate::store::Access;
use crate::tests::opened;

/// A service without a socket, on a folder that is gone with it.
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) app: Arc<App>,
    pub(crate) folder: TempDir,
    pub(crate) key: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) kind: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The problem, which must have this status.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.kind, "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], json!(status));
        assert!(
            problem["type"].is_string()
                && problem["title"].is_string()
                && problem["detail"].is_string()
        );
        problem
    }
}

impl Service {
    /// A service whose index is not read yet.
    pub(crate) fn opening(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = App::new(folder.path(), settings).unwrap();
        let router = router(&app);
        let key = None;
        Self {
            router,
            app,
            folder,
            key,
        }
    }

    pub(crate) fn ready() -> Self {
        let service = Self::opening(Settings::default());
        let engine = opened(service.folder.path(), Access::Create);
        service
            .app
            .open(engine.with_recent(service.app.settings.recency()));
        service
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answered {
            status,
            kind,
            headers,
            text,
        }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: impl Into<Body>) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    #[track_caller]
    pub(crate) fn expect(answered: Answered) -> Value {
        assert_eq!(answered.status, StatusCode::OK, "{}", answered.text);
        answered.json()
    }

    /// Posts what must be turned down with this status.
    async fn refused(&self, status: u16, path: &str, body: Value) -> Value {
        let answered = self.call("POST", path, body.to_string()).await;
        answered.problem(status)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        Self::expect(self.call("POST", path, body.to_string()).await)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        Self::expect(self.call("GET", path, "").await)
    }
}

fn banned() -> Value {
    json!({"id": "x:17", "platform": "x", "handle": "zorvani_dispatch", "bio": "find us t.me/zorvanidsp"})
}

#[tokio::test]
async fn the_calls_of_the_contract_work_together() {
    let service = Service::ready();
    let before = service
        .post(
            "/v1/screen",
            json!({"id": "x:5", "handle": "zorvani_dispatch_7"}),
        )
        .await;
    assert_eq!(before["verdict"], "clear");
    let enrolled = service.post("/v1/watchlist", banned()).await;
    assert_eq!(
        (&enrolled["lsn"], &enrolled["enrolled"]),
        (&json!(1), &json!(["x:17"]))
    );
    assert_eq!(enrolled["mirrors"][0]["id"], "x:5", "{enrolled}");
    let report = service
        .post(
            "/v1/screen",
            json!({"id": "x:991", "handle": "Zorv4ni_Dispatch2", "bio": "now t.me/zorvanidsp"}),
        )
        .await;
    assert_eq!(
        (&report["verdict"], &report["hits"][0]["entry"]),
        (&json!("match"), &json!("x:17"))
    );
    let decision = report["decision"].as_str().unwrap().to_owned();
    let kept = service.get(&format!("/v1/decisions/{decision}")).await;
    let replayed = service
        .post(&format!("/v1/decisions/{decision}/replay"), json!({}))
        .await;
    assert_eq!(kept["report"], replayed);
    let mut timeless = report.clone();
    timeless["elapsed_us"] = json!(0);
    assert_eq!(timeless, replayed);
    let rows = service.get("/v1/lookup?handle=%40zorvani_dispatch").await;
    assert_eq!(rows[0]["id"], "x:17");
    let pair = service
        .post(
            "/v1/explain",
            json!({"probe": {"id": "x:6", "handle": "someone"}, "entry": "x:17"}),
        )
        .await;
    assert_eq!(pair["entry"], "x:17");
    let seen = service
        .post("/v1/explain", json!({"probe": "x:991", "entry": "x:17"}))
        .await;
    assert_eq!(seen["score_bits"], report["score_bits"]);
}

#[tokio::test]
async fn what_an_analyst_says_is_in_force_at_once_and_can_be_taken_back() {
    let service = Service::ready();
    service.post("/v1/watchlist", banned()).await;
    let probe = json!({"id": "x:991", "handle": "Zorv4ni_Dispatch2", "bio": "now t.me/zorvanidsp"});
    let report = service.post("/v1/screen", probe.clone()).await;
    let decision = report["decision"].as_str().unwrap().to_owned();
    let judged = service
        .post(
            "/v1/judgments",
            json!({"decision": decision, "judgment": "mirror"}),
        )
        .await;
    assert_eq!(judged["joined"], "x:991");
    let entry = service.get("/v1/watchlist/x:17").await;
    assert_eq!(entry["lineage"][0]["child"], "x:991");
    let judged = service
        .post(
            "/v1/judgments",
            json!({"decision": decision, "judgment": "not_mirror", "note": "a fan"}),
        )
        .await;
    assert_eq!(judged["left"], json!(["x:991"]));
    let again = service
        .post(
            "/v1/screen",
            json!({"id": "x:991", "handle": "Zorv4ni_Dispatch2", "bio": "now t.me/zorvanidsp"}),
        )
        .await;
    assert_eq!(again["verdict"], "clear");
    let gone = service.call("DELETE", "/v1/watchlist/x:17", "").await;
    assert_eq!(Service::expect(gone)["withdrawn"], 1);
    service
        .call("DELETE", "/v1/watchlist/x:17", "")
        .await
        .problem(404);
    let erased = service.post("/v1/erase", json!({"id": "x:991"})).await;
    assert_eq!(
        (&erased["seen"], &erased["decisions"]),
        (&json!(true), &json!(1))
    );
    service
        .call("GET", &format!("/v1/decisions/{decision}"), "")
        .await
        .problem(404);
    let audit = std::fs::read_to_string(service.folder.path().join("audit.ndjson")).unwrap();
    let actions: Vec<Value> = audit
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["action"].clone())
        .collect();
    // What came and went with a judgment has a line of its own.
    let expected = [
        "enroll",
        "mirror",
        "enroll",
        "not_mirror",
        "withdraw",
        "withdraw",
        "erase",
    ];
    assert_eq!(actions, expected);
}

#[tokio::test]
async fn a_batch_answers_in_place_and_a_bad_record_costs_only_itself() {
    let service = Service::ready();
    let both = service
        .post("/v1/watchlist", json!([banned(), {"id": ""}]))
        .await;
    assert_eq!(
        (&both["enrolled"], &both["rejected"][0]["line"]),
        (&json!(["x:17"]), &json!(2))
    );
    let answers = service.post("/v1/screen/batch", json!([{"id": "x:1", "handle": "zorvani_dispatch"}, {"handle": "no id"}, {"id": "x:2"}])).await;
    assert_eq!(answers[0]["verdict"], "match");
    assert_eq!(
        (&answers[1]["line"], &answers[1]["error"]["code"]),
        (&json!(2), &json!("missing_field"))
    );
    assert_eq!(answers[2]["verdict"], "clear");
    let many = vec![json!({"id": "x:1"}); 1_001];
    service.refused(422, "/v1/screen/batch", json!(many)).await;
    let bare = service.post("/v1/watchlist", json!({"id": "x:1"})).await;
    assert_eq!(
        bare["enrolled"],
        json!(["x:1"]),
        "filled from what was seen"
    );
    let never = service
        .refused(422, "/v1/watchlist", json!({"id": "x:3"}))
        .await;
    assert_eq!(never["errors"][0]["field"], "id");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let service = Service::ready();
    let screen = |body: &'static str| service.call("POST", "/v1/screen", body);
    screen("{").await.problem(400);
    screen("[]").await.problem(422);
    screen("{\"id\":\"\\ud800\"}").await.problem(400);
    assert_eq!(
        screen("{\"id\":1}").await.problem(422)["errors"][0]["field"],
        "id"
    );
    let path = screen("{\"id\":\"x:1\",\"avatar\":{\"path\":\"/etc/passwd\"}}")
        .await
        .problem(422);
    assert_eq!(path["errors"][0]["field"], "avatar.path");
    let long = format!("{{\"id\":\"x:1\",\"handle\":\"{}\"}}", "h".repeat(1_025));
    let long = service.call("POST", "/v1/screen", long).await.problem(422);
    assert_eq!(long["errors"][0]["field"], "handle");
    let huge = service
        .call("POST", "/v1/screen", " ".repeat(17 << 20))
        .await;
    huge.problem(413);
    let plain = Request::builder()
        .method("POST")
        .uri("/v1/screen")
        .body(Body::from("{}"))
        .unwrap();
    service.send(plain).await.problem(415);
    service.call("GET", "/v1/lookup", "").await.problem(400);
    service
        .call("GET", "/v1/lookup?handle=a&limit=0", "")
        .await
        .problem(422);
    service
        .call("GET", "/v1/watchlist/x:none", "")
        .await
        .problem(404);
    service
        .call("GET", "/v1/decisions/nonsense", "")
        .await
        .problem(404);
    service
        .refused(
            404,
            "/v1/explain",
            json!({"probe": {"id": "a"}, "entry": "b"}),
        )
        .await;
    service
        .refused(
            404,
            "/v1/judgments",
            json!({"decision": "d0", "judgment": "mirror"}),
        )
        .await;
    service
        .refused(
            422,
            "/v1/judgments",
            json!({"decision": "d0", "judgment": "maybe"}),
        )
        .await;
    service.call("GET", "/nowhere", "").await.problem(404);
    let wrong = service.call("PATCH", "/v1/screen", "").await;
    assert_eq!(wrong.headers.get(header::ALLOW).unwrap(), "POST");
    wrong.problem(405);
}

#[tokio::test]
async fn no_answer_comes_from_half_an_index() {
    let service = Service::opening(Settings::default());
    let waiting = service.call("POST", "/v1/screen", "{\"id\":\"x:1\"}").await;
    assert!(waiting.headers.contains_key(header::RETRY_AFTER));
    waiting.problem(503);
    assert_eq!(service.call("GET", "/readyz", "").await.status, 503);
    assert_eq!(service.call("GET", "/healthz", "").await.status, 200);
    assert_eq!(
        Service::ready().call("GET", "/readyz", "").await.status,
        200
    );
}

#[tokio::test]
async fn a_key_that_calls_too_often_waits() {
    let settings = Settings {
        requests_per_second: 2,
        ..Settings::default()
    };
    let service = Service::opening(settings);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(
            service
                .call("GET", "/v1/lookup?handle=a", "")
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [503, 503, 429, 429]);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        let file = folder.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        Settings::load(Some(&file))
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        check("listen = \"127.0.0.1:1\"\n[keep]\nrecent_hours = 5"),
        Ok(())
    );
    for (wrong, word) in [
        ("listne = 1", "listne"),
        ("listen = \"here\"", "listen"),
        ("queue_max = 0", "queue_max"),
        ("tls_cert = \"/none\"", "tls"),
        ("[[", "TOML"),
    ] {
        let told = check(wrong).unwrap_err();
        assert!(told.contains(word), "{wrong}: {told}");
    }
    assert!(Settings::load(Some(&folder.path().join("absent.toml"))).is_err());
}

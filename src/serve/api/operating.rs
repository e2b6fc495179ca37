//! What an operator asks: is it alive, is it ready, how does it do; and the erasure of one account.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::account::AccountId;
use crate::engine::Engine;
use crate::serve::api::watchlist::note_withdrawal;
use crate::serve::app::{App, Shared};
use crate::serve::auth::Caller;
use crate::serve::dead_letters::forget_undelivered;
use crate::serve::meters;
use crate::serve::problem::{Problem, ProblemRecord};
use crate::serve::request::{JsonBytes, object};

/// Whether the service can answer.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Readiness {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lsn: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_signups: Option<usize>,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "operating", responses((status = 200, description = "It runs", body = String, content_type = "text/plain")))]
pub(in crate::serve) async fn health() -> &'static str {
    "ok\n"
}

/// The index is whole and requests are answered.
#[utoipa::path(get, path = "/readyz", tag = "operating",
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "The index is being read", body = Readiness),
    ))]
pub(in crate::serve) async fn ready(State(app): State<Shared>) -> (StatusCode, Json<Readiness>) {
    let engine = app.engine().ok();
    let generation = engine.map(|engine| engine.generation());
    let status = match engine {
        Some(_) => StatusCode::OK,
        None => StatusCode::SERVICE_UNAVAILABLE,
    };
    let readiness = Readiness {
        ready: engine.is_some(),
        lsn: generation.as_ref().map(|generation| generation.lsn()),
        entries: generation.as_ref().map(|generation| generation.entries()),
        recent_signups: engine.map(|engine| engine.recent_signups()),
    };
    (status, Json(readiness))
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "operating", responses((status = 200, description = "Text exposition format 0.0.4", body = String, content_type = "text/plain")))]
pub(in crate::serve) async fn metrics(State(app): State<Shared>) -> Response {
    if let Ok(engine) = app.engine() {
        let generation = engine.generation();
        meters::level("mirrorwatch_lsn", generation.lsn() as f64);
        meters::level("mirrorwatch_entries", f64::from(generation.entries()));
        meters::level("mirrorwatch_segments", generation.segments() as f64);
        meters::level(
            "mirrorwatch_delta_entries",
            f64::from(generation.in_memory()),
        );
        meters::level("mirrorwatch_look_back_waiting", app.look_back.len() as f64);
        meters::level("mirrorwatch_recent_signups", engine.recent_signups() as f64);
    }
    let inside = app.gate.inside() + app.side_gate.inside();
    meters::level("mirrorwatch_requests_inside", inside as f64);
    let text = meters::recorder().map(|recorder| {
        recorder.run_upkeep();
        recorder.render()
    });
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, text.unwrap_or_default()).into_response()
}

/// An account to be erased.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::serve) struct Erasure {
    /// Its id.
    id: String,
    /// Whether what people judged of it stays, and its protection.
    #[serde(default)]
    keep_judgments: bool,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Erased {
    /// Whether it was on the watchlist.
    entry: bool,
    /// Whether anything had been seen of it.
    seen: bool,
    /// Decisions about it, or that told it.
    decisions: usize,
    /// Judgments of it.
    judgments: usize,
    /// Whether it was protected, until now.
    protection: bool,
}

/// Erases what is kept of one account: its entry, what was seen of it, decisions that tell of it, what people judged of it and
/// its protection, with their notes, and flags about it that wait to be told.
///
/// Entries judged to be returns of it are withdrawn with it, and what was not to be flagged with it may be. With
/// `keep_judgments` judgments and protection stay: ids and analysts' own notes. Its id stays in the audit and in the log of
/// changes. Flags that were told before, and backups, are elsewhere.
#[utoipa::path(post, path = "/v1/erase", tag = "operating", request_body = Erasure,
    responses(
        (status = 200, description = "Erased", body = Erased),
        (status = 400, description = "No JSON", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "No id", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn erase(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Json<Erased>, Problem> {
    let erased = app.run_aside(move |app, engine| {
        let Erasure { id, keep_judgments } = object(&bytes)?;
        let id = AccountId::new(&id)?;
        if let Some(pictures) = app.pictures.get() {
            pictures.forget(&id);
        }
        match keep_judgments {
            true => noted(
                app,
                engine,
                &caller.name,
                &id,
                engine.erase_but_judgments(&id)?,
            ),
            false => erased(app, engine, &caller.name, &id),
        }
    });
    erased.await.map(Json)
}

/// Erases an account with what people judged of it, in the database and beside it, and writes down who did.
///
/// # Errors
/// The database or the file of undelivered flags cannot be read or written.
fn erased(app: &App, engine: &Engine, who: &str, id: &AccountId) -> Result<Erased, Problem> {
    noted(app, engine, who, id, engine.erase(id)?)
}

/// Takes what was erased out of what stands beside the database, and writes down who did.
///
/// # Errors
/// The file of undelivered flags cannot be read or written.
fn noted(
    app: &App,
    engine: &Engine,
    who: &str,
    id: &AccountId,
    done: crate::engine::Erased,
) -> Result<Erased, Problem> {
    let lsn = engine.generation().lsn();
    if done.entry {
        note_withdrawal(app, who, id, &done.descendants, lsn);
    }
    app.audit.note(who, "erase", std::slice::from_ref(id), lsn);
    // Others' flags that told it go too.
    app.docket.refresh_each(engine, std::slice::from_ref(id));
    app.docket.refresh_each(engine, &done.probes);
    if let Some(outgoing) = app.outgoing.get() {
        outgoing.forget(id.as_str());
    }
    forget_undelivered(&app.folder, id.as_str())?;
    Ok(Erased {
        entry: done.entry,
        seen: done.seen,
        decisions: done.decisions,
        judgments: done.judgments,
        protection: done.protection,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::account::AccountId;
    use crate::serve::api::operating::erased;
    use crate::tests::service::Service;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_erased_leaves_the_queue_and_names_what_went_with_it() {
        let service = Service::ready();
        let text = "news of the valley and of the river, every day anew";
        let record = |id: &str| {
            json!({"id": id, "handle": "zorvani_dispatch", "display_name": "Zorvani Dispatch Quetta", "bio": text,
                "links": ["https://t.me/zorvanidsp"]})
        };
        service.post("/v1/watchlist", record("x:17")).await;
        let mirror = service.post("/v1/screen", record("x:5")).await;
        let other = service.post("/v1/screen", record("x:6")).await;
        assert!(other["decision"].is_string(), "{other}");
        let said = json!({"decision": mirror["decision"], "judgment": "mirror"});
        let said = service.post("/v1/judgments", said).await;
        assert_eq!(said["joined"], json!("x:5"));
        let (app, engine) = (&service.app, service.app.engine().unwrap());
        assert_eq!(app.docket.len(), 1);
        let id = AccountId::new("x:17").unwrap();
        let done = erased(app, engine, "ada", &id).unwrap();
        assert!(done.entry && done.decisions >= 2);
        assert_eq!(app.docket.len(), 0, "the flag of x:6 told x:17");
        let audit = service.folder.path().join(crate::serve::audit::FILE);
        let audit = std::fs::read_to_string(audit).unwrap();
        let told: Vec<serde_json::Value> = audit
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .map(|line: serde_json::Value| json!([line["who"], line["action"], line["ids"]]))
            .collect();
        let expected = [
            json!(["ada", "withdraw", ["x:17", "x:5"]]),
            json!(["ada", "erase", ["x:17"]]),
        ];
        assert!(told.ends_with(&expected), "{told:?}");
    }
}

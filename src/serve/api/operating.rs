//! What an operator asks: is it alive, is it ready, how does it do; and the erasure of one account.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::account::AccountId;
use crate::serve::app::Shared;
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
}

/// Erases everything that is kept of one account: entry, what was seen, decisions.
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
        let Erasure { id } = object(&bytes)?;
        let account = AccountId::new(&id)?;
        let erased = engine.erase(&account)?;
        let lsn = engine.generation().lsn();
        let ids = std::slice::from_ref(&id);
        app.audit.note(&caller.name, "erase", ids, lsn);
        app.docket.refresh(engine, &account)?;
        if let Some(outgoing) = app.outgoing.get() {
            outgoing.forget(&id);
        }
        forget_undelivered(&app.folder, &id)?;
        Ok(Erased {
            entry: erased.entry,
            seen: erased.seen,
            decisions: erased.decisions,
        })
    });
    erased.await.map(Json)
}

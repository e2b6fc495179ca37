//! The analyst's questions: which entries have this handle, and why is this pair flagged, or not?

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::account::{Account, AccountDraft, AccountId};
use crate::error::Rejection;
use crate::serve::app::Shared;
use crate::serve::problem::{Problem, ProblemRecord};
use crate::serve::request::{JsonBytes, account, object};
use crate::wire::{AccountRecord, HitRecord, LookupRecord};

/// Entries told where the caller does not say.
const LIMIT: usize = 50;
/// Most entries told.
const LIMIT_MAX: usize = 500;

/// What is looked up.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::serve) struct Asked {
    /// The handle, with or without `@`.
    handle: String,
    /// Most entries told, 1 to 500; 50 if not told.
    limit: Option<usize>,
}

/// A pair to be explained.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::serve) struct Pair {
    /// An account record, or the id of an account that was screened or enrolled here.
    #[schema(value_type = AccountRecord)]
    probe: Box<RawValue>,
    /// Id of the entry.
    entry: String,
}

/// Entries with the same, a confusable, a near or a containing handle, the nearest first.
#[utoipa::path(get, path = "/v1/lookup", tag = "analysts", params(Asked),
    responses(
        (status = 200, description = "The entries", body = Vec<LookupRecord>),
        (status = 400, description = "No handle", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "A handle past its limit", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn lookup(
    State(app): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Vec<LookupRecord>>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::malformed(error.body_text()))?;
    let limit = asked.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let reason = format!("expected 1 to {LIMIT_MAX}");
        return Err(Rejection::new("invalid_value", "limit", reason).into());
    }
    let rows = app.run_aside(move |_, engine| {
        let asked = question(&asked.handle)?;
        let rows = engine.lookup(&asked, limit)?;
        Ok(rows.iter().map(LookupRecord::of).collect())
    });
    rows.await.map(Json)
}

/// The account that a handle alone makes.
pub(in crate::serve) fn question(handle: &str) -> Result<Account, Rejection> {
    let draft = AccountDraft {
        id: "lookup".into(),
        handle: handle.to_owned(),
        ..AccountDraft::default()
    };
    draft.check()
}

/// Every comparison of a pair, whatever blocking would have said.
#[utoipa::path(post, path = "/v1/explain", tag = "analysts", request_body = Pair,
    responses(
        (status = 200, description = "All signals of the pair", body = HitRecord),
        (status = 400, description = "No JSON", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 404, description = "No such entry or account", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "A field is past its limit or of another form", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn explain(
    State(app): State<Shared>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Json<HitRecord>, Problem> {
    let hit = app.run_aside(move |_, engine| {
        let pair: Pair = object(&bytes)?;
        let entry = AccountId::new(&pair.entry)
            .map_err(|rejection| Rejection::new(rejection.code, "entry", rejection.reason))?;
        let probe = match serde_json::from_str::<String>(pair.probe.get()) {
            Ok(id) => {
                let known = engine.known(&AccountId::new(&id)?)?;
                known.ok_or_else(|| Problem::not_found("nothing was seen of that account"))?
            }
            Err(_) => account(pair.probe.get().as_bytes())?,
        };
        Ok(HitRecord::of(engine.explain(&probe, &entry)?))
    });
    hit.await.map(Json)
}

//! Screening: one account, or many in one request.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{Account, AccountId};
use crate::engine::{Decided, Engine, Occasion, Report};
use crate::serve::app::{App, Shared};
use crate::serve::meters;
use crate::serve::problem::{Problem, ProblemRecord};
use crate::serve::request::{JsonBytes, account, elements};
use crate::wire::{AccountRecord, ErrorLine, ErrorRecord, ReportRecord};

/// Accounts in one batch.
const BATCH_LEN_MAX: usize = 1_000;

/// An answer of a batch: a report, or why there is none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::serve) enum Answer {
    /// The report.
    Report(Box<ReportRecord>),
    /// The record was turned down; `line` is its place, from 1.
    Rejected(ErrorLine),
}

/// Judges one account.
///
/// What was seen is kept for a time, so that a later ban by id alone finds it. A flagged account's report names the
/// decision it is kept as.
#[utoipa::path(post, path = "/v1/screen", tag = "screening", request_body = AccountRecord,
    responses(
        (status = 200, description = "The report", body = ReportRecord),
        (status = 400, description = "No JSON", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "A field is past its limit or of another form", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn screen(
    State(app): State<Shared>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Json<ReportRecord>, Problem> {
    let report = app.run(move |app, engine| {
        let begun = Instant::now();
        let account = account(&bytes)?;
        meters::stage("parse", begun.elapsed());
        screened(app, engine, &account, Occasion::Told)
    });
    report.await.map(Json)
}

/// Judges up to 1,000 account records. One that is turned down has an error in its place, whatever is wrong with it.
#[utoipa::path(post, path = "/v1/screen/batch", tag = "screening", request_body = Vec<serde_json::Value>,
    responses(
        (status = 200, description = "Reports in the order of the accounts", body = Vec<Answer>),
        (status = 400, description = "No JSON array", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "Too many accounts", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn screen_batch(
    State(app): State<Shared>,
    JsonBytes(bytes): JsonBytes,
) -> Result<impl IntoResponse, Problem> {
    let answers = app.run(move |app, engine| {
        let mut answers = Vec::new();
        for (place, element) in (1..).zip(elements(&bytes, BATCH_LEN_MAX)?) {
            answers.push(match account(element.get().as_bytes()) {
                Ok(account) => {
                    let report = screened(app, engine, &account, Occasion::Told)?;
                    Answer::Report(Box::new(report))
                }
                Err(rejection) => Answer::Rejected(ErrorLine {
                    line: place,
                    error: ErrorRecord {
                        code: rejection.code,
                        message: rejection.to_string(),
                    },
                }),
            });
        }
        // A thousand reports take milliseconds to write, which the thread that answers others has not.
        let failed = |error: serde_json::Error| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "internal error", error.to_string())
        };
        serde_json::to_vec(&answers).map_err(failed)
    });
    let json = [(header::CONTENT_TYPE, "application/json")];
    answers.await.map(|answers| (json, answers))
}

/// Screens an account, keeps what the occasion says, raises what is new, and counts it.
pub(in crate::serve) fn screened(
    app: &App,
    engine: &Engine,
    account: &Account,
    occasion: Occasion,
) -> Result<ReportRecord, Problem> {
    let begun = Instant::now();
    let decided = engine.decide(account, occasion, told)?;
    let (took, report) = (begun.elapsed(), &decided.report);
    meters::stage("screen", took);
    meters::verdict(report.verdict, report.cuts, decided.compared);
    app.ledger.count(report.verdict, took, Timestamp::now());
    Ok(raised(app, engine, decided, took))
}

/// Screens an account again that was seen before and counted then; `None` where nothing is known of it any more.
pub(in crate::serve) fn screened_again(
    app: &App,
    engine: &Engine,
    id: &AccountId,
) -> Result<Option<ReportRecord>, Problem> {
    let begun = Instant::now();
    let decided = engine.decide_again(id, told)?;
    let raised = |decided| raised(app, engine, decided, begun.elapsed());
    Ok(decided.map(raised))
}

/// The record of what was decided; what is new is told to whoever wants to hear of flags.
fn raised(app: &App, engine: &Engine, decided: Decided, took: Duration) -> ReportRecord {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let record = ReportRecord::of(decided.report, micros);
    if let Some(decision) = &decided.decision {
        if decided.is_new {
            app.raise(decision.number, &record);
        }
        // What was decided is kept and told: that the queue is behind is no reason to answer with an error.
        app.docket
            .refresh_each(engine, std::slice::from_ref(decision.probe.id()));
    }
    record
}

/// A report as it is kept with its decision: the bytes that a replay gives again.
pub(in crate::serve) fn told(report: &Report) -> Vec<u8> {
    serde_json::to_vec(&ReportRecord::of(report.clone(), 0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::id;
    use crate::tests::service::Service;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_queue_that_cannot_be_read_costs_no_answer() {
        let service = Service::ready();
        let handle = "zorvani_dispatch";
        let ban = json!({"id": "x:17", "handle": handle});
        service.post("/v1/watchlist", ban).await;
        let engine = service.app.engine().unwrap();
        engine.store().break_latest(&id("x:5")).unwrap();
        let report = service
            .post("/v1/screen", json!({"id": "x:5", "handle": handle}))
            .await;
        assert!(report["decision"].is_string(), "{report}");
        let batch = json!([{"id": "x:5", "handle": handle}, {"id": "x:6", "handle": handle}]);
        let reports = service.post("/v1/screen/batch", batch).await;
        assert_eq!(reports.as_array().map(Vec::len), Some(2));
        assert_eq!(service.app.docket.len(), 1, "of x:6");
    }
}

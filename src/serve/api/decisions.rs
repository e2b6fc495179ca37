//! Decisions that were kept, their replay, and what people say of them.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::account::AccountId;
use crate::engine::{Engine, Settled};
use crate::error::{Rejection, Result};
use crate::judgment::{Answer, Judgment, Remark};
use crate::serve::api::screen::told;
use crate::serve::app::{App, Shared};
use crate::serve::auth::Caller;
use crate::serve::meters;
use crate::serve::problem::{Problem, ProblemRecord};
use crate::serve::request::{JsonBytes, object};
use crate::store::Decision;
use crate::wire::{AccountRecord, JudgmentRecord, decision_id, decision_number};

/// A decision as it was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct DecisionRecord {
    id: String,
    /// When it was raised, RFC 3339.
    at: String,
    lsn: u64,
    model: String,
    entries: u32,
    /// Whether it brought evidence that no earlier decision of the account had.
    new_evidence: bool,
    probe: AccountRecord,
    /// The report as it was told, with `elapsed_us` 0.
    #[schema(value_type = crate::wire::ReportRecord)]
    report: Box<RawValue>,
    /// What people judged of its pairs.
    judgments: Vec<JudgmentRecord>,
}

/// What a person says of a decision.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::serve) struct Said {
    /// Id of the decision.
    decision: String,
    /// `mirror`, `not_mirror` or `unsure`.
    #[schema(value_type = String, example = "not_mirror")]
    judgment: String,
    /// Why, in a sentence.
    #[serde(default)]
    note: String,
    /// Id of the entry, where it is not the best hit that is judged.
    entry: Option<String>,
}

/// What a judgment brought about.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct SettledRecord {
    /// Number of the last change.
    lsn: u64,
    probe: String,
    entry: String,
    judgment: &'static str,
    /// The account that joined the lineage of the entry, and is an entry now.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<String>,
    /// Entries that went with an earlier judgment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<String>,
    /// Why a mirror was not enrolled.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_out: Option<&'static str>,
}

/// The decision of this id.
///
/// # Errors
/// There is none.
pub(in crate::serve) fn find(engine: &Engine, id: &str) -> Result<Decision, Problem> {
    let found = match decision_number(id) {
        Some(number) => engine.decision(number)?,
        None => None,
    };
    found.ok_or_else(|| Problem::not_found("no such decision"))
}

/// One decision.
#[utoipa::path(get, path = "/v1/decisions/{id}", tag = "analysts",
    params(("id" = String, Path, description = "Id of the decision")),
    responses(
        (status = 200, description = "The decision", body = DecisionRecord),
        (status = 404, description = "No such decision", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn decision(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<DecisionRecord>, Problem> {
    let record = app.run_aside(move |_, engine| {
        let decision = find(engine, &id)?;
        let mut judgments = Vec::new();
        for hit in &decision.hits {
            let judgment = engine.judgment(decision.probe.id(), hit.entry.id())?;
            judgments.extend(judgment.as_ref().map(JudgmentRecord::of));
        }
        let report = String::from_utf8(decision.report.clone()).ok();
        let report = report.and_then(|report| RawValue::from_string(report).ok());
        let damaged = || Problem::not_found("the report of this decision cannot be read");
        Ok(DecisionRecord {
            id: decision_id(decision.number),
            at: decision.at().to_string(),
            lsn: decision.lsn,
            model: decision.model.clone(),
            entries: decision.entries,
            new_evidence: decision.is_new,
            probe: AccountRecord::of(&decision.probe),
            report: report.ok_or_else(damaged)?,
            judgments,
        })
    });
    record.await.map(Json)
}

/// Makes the report of a decision again from what was kept, and answers with it: the same bytes as were kept. 409 where
/// the model in use is another one than then, or another report came out.
#[utoipa::path(post, path = "/v1/decisions/{id}/replay", tag = "analysts",
    params(("id" = String, Path, description = "Id of the decision")),
    responses(
        (status = 200, description = "The report, byte by byte", body = crate::wire::ReportRecord),
        (status = 404, description = "No such decision", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 409, description = "Another model is in use", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn replay(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let report = app.run_aside(move |_, engine| {
        let decision = find(engine, &id)?;
        let again = told(&engine.replay(&decision));
        let differs = |detail: String| Problem::new(StatusCode::CONFLICT, "not the same", detail);
        if engine.model() != decision.model {
            let (then, now) = (&decision.model, engine.model());
            let detail = format!("decided with model {then}, in use is {now}");
            return Err(differs(detail));
        }
        if again != decision.report {
            return Err(differs("another report came out".into()));
        }
        Ok(again)
    });
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((json, report.await?).into_response())
}

/// Says of a decision whether it is a mirror.
///
/// `not_mirror` suppresses the pair from now on; `mirror` enrols the account as a return of the entry, with provenance;
/// a later answer takes back what an earlier one brought.
#[utoipa::path(post, path = "/v1/judgments", tag = "analysts", request_body = Said,
    responses(
        (status = 200, description = "Written", body = SettledRecord),
        (status = 400, description = "No JSON", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 404, description = "No such decision or entry", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "No such answer, or a note past its limit", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn judge(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Json<SettledRecord>, Problem> {
    let settled = app.run_aside(move |app, engine| {
        let said: Said = object(&bytes)?;
        let answer: Answer = said.judgment.parse().map_err(Problem::from)?;
        let decision = find(engine, &said.decision)?;
        let remark = Remark::new(&caller.name, &said.note, Timestamp::now())?;
        let entry = said.entry.as_deref();
        Ok(settle(app, engine, &decision, entry, answer, remark)?)
    });
    settled.await.map(Json)
}

/// Writes a judgment of a decision's best hit, or of the one named.
///
/// # Errors
/// The entry is no hit of it, or the database cannot be read or written.
pub(in crate::serve) fn settle(
    app: &App,
    engine: &Engine,
    decision: &Decision,
    entry: Option<&str>,
    answer: Answer,
    remark: Remark,
) -> Result<SettledRecord> {
    let mut hits = decision.hits.iter().map(|hit| hit.entry.id());
    let told = match entry {
        None => hits.next(),
        Some(entry) => hits.find(|id| id.as_str() == entry),
    };
    let absent = || Rejection::new("invalid_value", "entry", "not a hit of this decision");
    let (probe, entry) = (decision.probe.id(), told.ok_or_else(absent)?);
    let who = remark.who().to_owned();
    let judgment = Judgment::new(probe.clone(), entry.clone(), answer, remark)?;
    let hold = app.look_back.hold(engine);
    let Settled {
        receipt,
        joined,
        left,
        kept_out,
    } = engine.settle(judgment, Some(&decision.probe))?;
    let ids = [probe.to_string(), entry.to_string()];
    app.audit.note(&who, answer.as_str(), &ids, receipt.lsn);
    if let Some(joined) = &joined {
        let joined = std::slice::from_ref(joined);
        app.audit.note(&who, "enroll", joined, receipt.lsn);
        hold.add(joined.iter().cloned());
    }
    if !left.is_empty() {
        app.audit.note(&who, "withdraw", &left, receipt.lsn);
    }
    meters::judged(answer.as_str());
    app.docket.refresh_each(engine, std::slice::from_ref(probe));
    let [probe, entry] = ids;
    Ok(SettledRecord {
        lsn: receipt.lsn,
        probe,
        entry,
        judgment: answer.as_str(),
        joined: joined.map(|id| id.to_string()),
        left: left.iter().map(AccountId::to_string).collect(),
        kept_out,
    })
}

/// Which decisions are listed.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::serve) struct Listed {
    /// Id of an account: only decisions of it.
    probe: Option<String>,
    /// Id of an entry: only decisions in which it was told.
    entry: Option<String>,
    /// Most decisions told, 1 to 500; 50 if not told.
    limit: Option<usize>,
}

/// Decisions of an account or an entry, the latest first.
#[utoipa::path(get, path = "/v1/decisions", tag = "analysts", params(Listed),
    responses(
        (status = 200, description = "Ids of the decisions", body = Vec<String>),
        (status = 400, description = "Neither an account nor an entry", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "A value past its limit", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn decisions(
    State(app): State<Shared>,
    listed: Result<Query<Listed>, QueryRejection>,
) -> Result<Json<Vec<String>>, Problem> {
    let Query(listed) = listed.map_err(|error| Problem::malformed(error.body_text()))?;
    let limit = listed.limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Rejection::new("invalid_value", "limit", "expected 1 to 500").into());
    }
    let ids = app.run_aside(move |_, engine| {
        let found = match (listed.probe, listed.entry) {
            (Some(probe), None) => engine.decisions_of(&AccountId::new(&probe)?, limit)?,
            (None, Some(entry)) => engine.returns_of(&AccountId::new(&entry)?, limit)?,
            _ => return Err(Problem::malformed("expected `probe` or `entry`")),
        };
        Ok(found
            .iter()
            .map(|decision| decision_id(decision.number))
            .collect())
    });
    ids.await.map(Json)
}

//! The watchlist: enrol, read, withdraw.

use std::collections::HashSet;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::account::{Account, AccountId};
use crate::engine::{Engine, Receipt};
use crate::error::Rejection;
use crate::serve::app::{App, Shared};
use crate::serve::auth::Caller;
use crate::serve::look_back::{Hold, looked_back};
use crate::serve::problem::{Problem, ProblemRecord};
use crate::serve::request::{JsonBytes, account, elements};
use crate::wire::{
    AccountRecord, ErrorLine, ErrorRecord, JudgmentRecord, ReportRecord, decision_id,
};

/// Accounts in one request.
const ENTRIES_LEN_MAX: usize = 10_000;
/// Returns told of one entry.
const RETURNS_TOLD_MAX: usize = 100;

/// One account record, or several, of which any may be turned down.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described: bodies are read record by record")]
pub(in crate::serve) enum Listing {
    /// One.
    One(Box<AccountRecord>),
    /// Up to 10,000.
    Several(Vec<serde_json::Value>),
}

/// What an enrolment did.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::serve) struct Enrolment {
    /// Number of the last change.
    pub(in crate::serve) lsn: u64,
    /// Ids that are on the watchlist now.
    pub(in crate::serve) enrolled: Vec<String>,
    /// Reports of recent signups that match the new entries.
    pub(in crate::serve) mirrors: Vec<ReportRecord>,
    /// New entries for which recent signups are still being looked at, where there are many; what is found is raised as
    /// flags.
    #[serde(skip_serializing_if = "is_none_left")]
    pub(in crate::serve) pending: usize,
    /// Records that were turned down; `line` is their place, from 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::serve) rejected: Vec<ErrorLine>,
}

fn is_none_left(pending: &usize) -> bool {
    *pending == 0
}

/// Entries just enrolled, for which recent signups are still to be looked at.
pub(in crate::serve) struct Listed<'app> {
    enrolment: Enrolment,
    taken: Vec<AccountId>,
    hold: Hold<'app>,
}

/// An entry of the watchlist.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct EntryRecord {
    /// The account as enrolled; tokens stay behind.
    entry: AccountRecord,
    /// What people judged of it, the latest first.
    judgments: Vec<JudgmentRecord>,
    /// Decisions in which it was told, the latest first.
    returns: Vec<ReturnRecord>,
    /// Its lineage, from the entry banned in its own right on.
    lineage: Vec<StepRecord>,
}

/// An account that was flagged as a return of an entry.
#[derive(Debug, Serialize, ToSchema)]
struct ReturnRecord {
    decision: String,
    at: String,
    probe: String,
    handle: String,
    score_bits: f32,
}

/// A step of a lineage.
#[derive(Debug, Serialize, ToSchema)]
struct StepRecord {
    parent: String,
    child: String,
    judged_by: Option<String>,
    judged_at: Option<String>,
}

/// What a withdrawal did.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Withdrawal {
    /// Number of the last change.
    lsn: u64,
    /// Entries removed: the one named, and those judged to be returns of it.
    withdrawn: usize,
}

/// Adds entries, or replaces those of the same id: one account, or an array of up to 10,000.
///
/// When it answers they are on the disk, and every later screen sees them. An account that brings only its id is filled
/// from what was seen of it. Recent signups that match a new entry are told, as far as a second allows.
#[utoipa::path(post, path = "/v1/watchlist", tag = "watchlist", request_body = Listing,
    responses(
        (status = 200, description = "Enrolled", body = Enrolment),
        (status = 400, description = "No JSON", body = ProblemRecord, content_type = "application/problem+json"),
        (status = 422, description = "No record could be enrolled", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn enroll(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Json<Enrolment>, Problem> {
    let enrolment = app.run_aside(move |app, engine| {
        let (mut accounts, mut rejected) = (Vec::new(), Vec::new());
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            for (place, element) in (1..).zip(elements(&bytes, ENTRIES_LEN_MAX)?) {
                match account(element.get().as_bytes()) {
                    Ok(account) => accounts.push((place, account)),
                    Err(rejection) => rejected.push((place, rejection)),
                }
            }
        } else {
            accounts.push((1, account(&bytes)?));
        }
        // A picture that is fetched at this moment joins what the ban is filled from, or the entry.
        let turns = (app.turns).hold_all(accounts.iter().map(|(_, account)| account.id()));
        let listed = listed(app, engine, accounts, rejected, &caller.name)?;
        drop(turns);
        listed.with_mirrors(app, engine)
    });
    enrolment.await.map(Json)
}

impl Listed<'_> {
    /// The enrolment with recent signups like the new entries.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub(in crate::serve) fn with_mirrors(
        self,
        app: &App,
        engine: &Engine,
    ) -> Result<Enrolment, Problem> {
        let found = looked_back(app, engine, &self.hold, &self.taken)?;
        Ok(Enrolment {
            mirrors: found.mirrors,
            pending: found.pending,
            ..self.enrolment
        })
    }
}

/// Enrols accounts with their places. The look back is the caller's, once it holds nothing up.
///
/// # Errors
/// None was taken, or the database cannot be read or written.
pub(in crate::serve) fn listed<'app>(
    app: &'app App,
    engine: &Engine,
    accounts: Vec<(u64, Account)>,
    mut rejected: Vec<(u64, Rejection)>,
    who: &str,
) -> Result<Listed<'app>, Problem> {
    let (places, accounts): (Vec<u64>, Vec<Account>) = accounts.into_iter().unzip();
    let ids: Vec<AccountId> = accounts
        .iter()
        .map(|account| account.id().clone())
        .collect();
    let hold = app.look_back.hold(engine);
    let done = engine.enroll(accounts)?;
    let turned_down: HashSet<usize> = done.rejected.iter().map(|(at, _)| *at).collect();
    for (at, rejection) in done.rejected {
        rejected.push((places.get(at).copied().unwrap_or(0), rejection));
    }
    rejected.sort_by_key(|(place, _)| *place);
    let taken = ids.iter().enumerate();
    let taken = taken.filter(|(at, _)| !turned_down.contains(at));
    let taken: Vec<AccountId> = taken.map(|(_, id)| id.clone()).collect();
    if let (true, [(_, rejection), ..]) = (taken.is_empty(), rejected.as_slice()) {
        return Err(rejection.clone().into());
    }
    if !taken.is_empty() {
        app.audit.note(who, "enroll", &taken, done.receipt.lsn);
    }
    let error = |(line, rejection): (u64, Rejection)| ErrorLine {
        line,
        error: ErrorRecord {
            code: rejection.code,
            message: rejection.to_string(),
        },
    };
    let enrolment = Enrolment {
        lsn: done.receipt.lsn,
        enrolled: taken.iter().map(ToString::to_string).collect(),
        rejected: rejected.into_iter().map(error).collect(),
        ..Enrolment::default()
    };
    Ok(Listed {
        enrolment,
        taken,
        hold,
    })
}

/// One entry with what is known of it.
#[utoipa::path(get, path = "/v1/watchlist/{id}", tag = "watchlist",
    params(("id" = String, Path, description = "Id of the entry")),
    responses(
        (status = 200, description = "The entry", body = EntryRecord),
        (status = 404, description = "No such entry", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn entry(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<EntryRecord>, Problem> {
    let found = app.run_aside(move |_, engine| {
        let id = AccountId::new(&id)?;
        let entry = engine.entry(&id)?;
        let entry = entry.ok_or_else(|| Problem::not_found("no such entry on the watchlist"))?;
        let judgments = engine.judgments_of_entry(&id, RETURNS_TOLD_MAX)?;
        let told = |decision: crate::store::Decision| ReturnRecord {
            decision: decision_id(decision.number),
            at: decision.at().to_string(),
            probe: decision.probe.id().to_string(),
            handle: decision.probe.handle.clone(),
            score_bits: decision.score,
        };
        let returns = engine.returns_of(&id, RETURNS_TOLD_MAX)?.into_iter();
        let step = |step: crate::engine::Step| StepRecord {
            parent: step.parent.to_string(),
            child: step.child.id().to_string(),
            judged_by: (step.judgment.as_ref()).map(|judgment| judgment.remark.who().to_owned()),
            judged_at: (step.judgment.as_ref()).map(|judgment| judgment.remark.at().to_string()),
        };
        Ok(EntryRecord {
            entry: AccountRecord::of(&entry),
            judgments: judgments.iter().map(JudgmentRecord::of).collect(),
            returns: returns.map(told).collect(),
            lineage: engine.lineage(&id)?.1.into_iter().map(step).collect(),
        })
    });
    found.await.map(Json)
}

/// Withdraws an entry, and those judged to be returns of it.
#[utoipa::path(delete, path = "/v1/watchlist/{id}", tag = "watchlist",
    params(("id" = String, Path, description = "Id of the entry")),
    responses(
        (status = 200, description = "Withdrawn", body = Withdrawal),
        (status = 404, description = "No such entry", body = ProblemRecord, content_type = "application/problem+json"),
    ), security(("key" = [])))]
pub(in crate::serve) async fn withdraw(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Withdrawal>), Problem> {
    let withdrawal = app.run_aside(move |app, engine| {
        let receipt = withdrawn(app, engine, &caller.name, &AccountId::new(&id)?)?;
        if receipt.withdrawn == 0 {
            return Err(Problem::not_found("no such entry on the watchlist"));
        }
        Ok(Withdrawal {
            lsn: receipt.lsn,
            withdrawn: receipt.withdrawn,
        })
    });
    Ok((StatusCode::OK, Json(withdrawal.await?)))
}

/// Takes an entry off the watchlist with what came by it, if it is on it, and writes down who did.
///
/// # Errors
/// The database cannot be read or written.
pub(in crate::serve) fn withdrawn(
    app: &App,
    engine: &Engine,
    who: &str,
    id: &AccountId,
) -> Result<Receipt, Problem> {
    let receipt = engine.withdraw(vec![id.clone()])?;
    if receipt.withdrawn > 0 {
        note_withdrawal(app, who, id, &receipt.descendants, receipt.lsn);
    }
    Ok(receipt)
}

/// Writes down who took an entry off the watchlist, and what went with it.
pub(in crate::serve) fn note_withdrawal(
    app: &App,
    who: &str,
    id: &AccountId,
    descendants: &[AccountId],
    lsn: u64,
) {
    let gone: Vec<&AccountId> = std::iter::once(id).chain(descendants).collect();
    app.audit.note(who, "withdraw", &gone, lsn);
}

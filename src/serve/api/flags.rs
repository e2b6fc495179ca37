//! Flags that went out to nobody.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::app::Shared;
use crate::serve::outgoing::Outgoing;

/// Letters told at once.
const LETTERS_TOLD_MAX: usize = 100;

/// What could not be told.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::serve) struct Undelivered {
    /// Endpoints that answered 410 and are asked no more.
    gone: Vec<String>,
    /// Messages that were given up, the last first.
    letters: Vec<LetterRecord>,
}

/// A message that was given up. What it said is kept as a decision, which its id names.
#[derive(Debug, Serialize, ToSchema)]
struct LetterRecord {
    endpoint: String,
    message: String,
    attempts: usize,
    reason: String,
    at: String,
}

/// Flags nobody took: given up after the last attempt, or refused by a full queue. The latest hundred, of earlier runs too; they
/// are kept for 30 days.
#[utoipa::path(get, path = "/v1/flags/undelivered", tag = "operating",
    responses((status = 200, description = "The latest", body = Undelivered)), security(("key" = [])))]
pub(in crate::serve) async fn undelivered(State(app): State<Shared>) -> Json<Undelivered> {
    let outgoing = app.outgoing.get();
    let gone = outgoing.map(Outgoing::gone).unwrap_or_default();
    let letters = outgoing.map(|outgoing| outgoing.dead().latest(LETTERS_TOLD_MAX));
    let letters = letters.unwrap_or_default().into_iter();
    Json(Undelivered {
        gone: gone.into_iter().map(str::to_owned).collect(),
        letters: letters
            .map(|letter| LetterRecord {
                endpoint: letter.endpoint,
                message: letter.message.id,
                attempts: letter.attempts,
                reason: letter.reason,
                at: letter.at.to_string(),
            })
            .collect(),
    })
}

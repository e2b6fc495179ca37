//! From an unparsed body to what a person says of a pair or an account.

use jiff::Timestamp;

use crate::account::AccountId;
use crate::error::Rejection;
use crate::format::input::Body;
use crate::format::parse::{json, time};
use crate::judgment::{Judgment, Protection, Remark, Ruling};
use crate::wire::JudgmentRecord;

/// What holds where a record does not tell.
#[derive(Debug)]
pub(crate) struct Defaults {
    /// Who judges.
    pub(crate) who: String,
    /// Why.
    pub(crate) note: String,
    /// When.
    pub(crate) at: Timestamp,
}

/// The judgment or protection in `body`.
///
/// # Errors
/// The first field that is wrong, and why.
pub(crate) fn ruling(body: Body, defaults: &Defaults) -> Result<Ruling, Rejection> {
    let Body::Json(bytes) = body else {
        return Err(Rejection::new(
            "invalid_type",
            "record",
            "expected a JSON object",
        ));
    };
    let record: JudgmentRecord = json(&bytes)?;
    let at = time("at", record.at)?.unwrap_or(defaults.at);
    let who = record.who.as_deref().unwrap_or(&defaults.who);
    let note = record.note.as_deref().unwrap_or(&defaults.note);
    let remark = Remark::new(who, note, at)?;
    let probe = id("probe", record.probe)?;
    let word = record.judgment.unwrap_or_default();
    if word == JudgmentRecord::PROTECTED {
        return Ok(Ruling::Protect(Protection {
            account: probe,
            remark,
        }));
    }
    let answer = word.parse()?;
    Judgment::new(probe, id("entry", record.entry)?, answer, remark).map(Ruling::Judge)
}

fn id(field: &str, text: Option<String>) -> Result<AccountId, Rejection> {
    let id = AccountId::new(text.as_deref().unwrap_or_default());
    id.map_err(|rejection| Rejection::new(rejection.code, field, rejection.reason))
}

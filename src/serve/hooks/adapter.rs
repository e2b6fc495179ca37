//! What a platform's file must answer, and which file answers for which platform.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::serve::hooks::cloudevents::CloudEvents;
use crate::serve::hooks::desk::Screening;
use crate::serve::hooks::discourse::Discourse;
use crate::serve::hooks::event::AccountEvent;
use crate::serve::hooks::firebase::Firebase;
use crate::serve::hooks::kratos::Kratos;
use crate::serve::hooks::mastodon::Mastodon;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::settings::{Action, Platform, Source};
use crate::serve::hooks::standard::Standard;
use crate::serve::hooks::supabase::Supabase;
use crate::serve::hooks::synapse::Synapse;
use crate::serve::problem::Problem;

/// One request of a platform, body unread.
pub(crate) struct Delivery<'a> {
    /// The source it came to.
    pub source: &'a Source,
    /// What follows the source's name in the path; empty for most.
    pub callback: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its raw body.
    pub body: &'a [u8],
    /// Seconds since 1970.
    pub now: i64,
}

impl Delivery<'_> {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// One account of a delivery, screened.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    /// The account's id.
    pub id: String,
    /// What screening said.
    pub screening: Screening,
}

/// One element of a delivery that was turned down.
#[derive(Debug, Clone)]
pub(crate) struct TurnedDown {
    /// Its place in the delivery, from 1.
    pub line: usize,
    /// Why.
    pub problem: Problem,
}

/// What comes of a delivery.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    /// The strictest action of all accounts in it.
    pub action: Action,
    /// The accounts screened, in their order.
    pub judged: Vec<Judged>,
    /// What was turned down beside them.
    pub turned_down: Vec<TurnedDown>,
}

impl Decision {
    /// Go on: nothing was screened, or nothing was found.
    pub(crate) fn allow() -> Self {
        Self {
            action: Action::Allow,
            judged: Vec::new(),
            turned_down: Vec::new(),
        }
    }

    /// Both together: the stricter action.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.action = self.action.max(other.action);
        self.judged.extend(other.judged);
        self.turned_down.extend(other.turned_down);
        self
    }
}

/// What each element of a delivery tells: nothing where it does not concern us, or why it cannot be read.
pub(crate) type Told = Vec<Result<Option<AccountEvent>, Refusal>>;

/// A platform's own format, proof and answer. All but `answer`'s making of a response is pure.
pub(crate) trait Adapter: Sync {
    /// Whether the platform calls this path below the source's name.
    fn serves(&self, callback: &str) -> bool {
        callback.is_empty()
    }

    /// What `Content-Type` must be for [`Adapter::events`] to read the body.
    fn media_types(&self) -> &'static [&'static str] {
        &["application/json"]
    }

    /// Proves that the platform sent it.
    ///
    /// # Errors
    /// It does not prove it.
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal>;

    /// What it tells of an account; none for what does not concern us.
    ///
    /// # Errors
    /// It is not what the platform sends.
    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal>;

    /// What each of its elements tells; one element, unless the platform sends several at once.
    ///
    /// # Errors
    /// The whole of it is not what the platform sends.
    fn events(&self, delivery: &Delivery<'_>) -> Result<Told, Refusal> {
        Ok(vec![Ok(self.event(delivery)?)])
    }

    /// Whether somebody waits for the answer, who could be refused by it.
    fn is_asked(&self, _delivery: &Delivery<'_>) -> bool {
        false
    }

    /// The answer in the platform's own format; an empty one for a platform that only tells.
    fn answer(&self, _delivery: &Delivery<'_>, _decision: &Decision) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Platform {
    /// The file that answers for this platform.
    pub(crate) fn adapter(self) -> &'static dyn Adapter {
        match self {
            Self::Mastodon => &Mastodon,
            Self::Kratos => &Kratos,
            Self::Synapse => &Synapse,
            Self::Supabase => &Supabase,
            Self::Firebase => &Firebase,
            Self::Discourse => &Discourse,
            Self::Cloudevents => &CloudEvents,
            Self::Standard => &Standard,
        }
    }
}

/// The answer where a platform has no format of its own: the action to take and what it rests on.
pub(crate) fn plain_answer(decision: &Decision) -> Response {
    let results: Vec<_> = decision
        .judged
        .iter()
        .map(|judged| {
            json!({
                "id": judged.id,
                "verdict": judged.screening.verdict.as_str(),
                "score_bits": (f64::from(judged.screening.score_bits) * 1e3).round() / 1e3,
                "entries": judged.screening.entries,
            })
        })
        .collect();
    let mut answer = json!({"action": decision.action.as_str(), "results": results});
    if !decision.turned_down.is_empty() {
        let told = decision.turned_down.iter().map(|one| {
            let (code, message) = one.problem.in_short();
            json!({"line": one.line, "error": {"code": code, "message": message}})
        });
        answer["rejected"] = told.collect();
    }
    Json(answer).into_response()
}

//! `POST /hooks/{source}`: what is the same for every platform.
//!
//! In this order: the source is known, the body is small, its media type is the platform's, the platform proves itself over the
//! raw bytes, and only then the body is read. Each event is judged once, however often it is delivered. Where somebody waits and
//! the service cannot answer, or not in time, the source's `fail_open` decides; who does not wait is told to come back, since every platform
//! does.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::account::{Account, AccountId};
use crate::format::Parser;
use crate::serve::fetch::{Pictures, Wanted};
use crate::serve::hooks::adapter::{Adapter, Decision, Delivery, Judged, Told, TurnedDown};
use crate::serve::hooks::clip::clipped;
use crate::serve::hooks::cloudevents::{handshake, media_type};
use crate::serve::hooks::desk::Desk;
use crate::serve::hooks::event::{AccountEvent, Happening};
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::repeats::Repeats;
use crate::serve::hooks::settings::{Platform, Source, Sources};
use crate::serve::problem::Problem;
use crate::wire::AccountRecord;

/// Most bytes of a hook's body. The largest real ones, Mastodon's with every field full, have some 30 KiB.
pub(crate) const BODY_BYTES_MAX: usize = 256 << 10;
/// Seconds after which a sender should come back when the service failed rather than was busy.
const RETRY_AFTER_FAILURE: u64 = 30;

/// Everything the hooks' routes need.
pub(crate) struct Hooks<D> {
    desk: D,
    sources: Arc<Sources>,
    repeats: Arc<Repeats>,
    pictures: Option<Pictures>,
    clock: fn() -> i64,
}

impl<D: Desk> Clone for Hooks<D> {
    fn clone(&self) -> Self {
        Self {
            desk: self.desk.clone(),
            sources: Arc::clone(&self.sources),
            repeats: Arc::clone(&self.repeats),
            pictures: self.pictures.clone(),
            clock: self.clock,
        }
    }
}

impl<D: Desk> Hooks<D> {
    /// Hooks of `sources`; pictures that events name are asked of `pictures`.
    pub(crate) fn new(desk: D, sources: Arc<Sources>, pictures: Option<Pictures>) -> Self {
        Self {
            desk,
            sources,
            repeats: Arc::default(),
            pictures,
            clock: seconds_now,
        }
    }

    /// The same with another clock, in seconds since 1970.
    #[cfg(test)]
    pub(crate) fn at(self, clock: fn() -> i64) -> Self {
        Self { clock, ..self }
    }

    fn source(
        &self,
        name: &str,
        callback: &str,
    ) -> Result<(&Source, &'static dyn Adapter), Refusal> {
        let source = self.sources.get(name).ok_or(Refusal::UnknownSource)?;
        let adapter = source.platform.adapter();
        match adapter.serves(callback) {
            true => Ok((source, adapter)),
            false => Err(Refusal::UnknownSource),
        }
    }
}

/// The routes, to be merged into the service's.
pub(crate) fn router<D: Desk>(hooks: Hooks<D>) -> Router {
    Router::new()
        .route("/hooks/{source}", post(whole::<D>).options(options::<D>))
        .route("/hooks/{source}/{callback}", post(part::<D>))
        .with_state(hooks)
}

async fn whole<D: Desk>(
    State(hooks): State<Hooks<D>>,
    Path(source): Path<String>,
    request: Request,
) -> Response {
    answered(&hooks, &source, "", request).await
}

async fn part<D: Desk>(
    State(hooks): State<Hooks<D>>,
    Path((source, callback)): Path<(String, String)>,
    request: Request,
) -> Response {
    answered(&hooks, &source, &callback, request).await
}

async fn options<D: Desk>(
    State(hooks): State<Hooks<D>>,
    Path(source): Path<String>,
    parts: Parts,
) -> Response {
    match hooks.source(&source, "") {
        Ok((source, _)) if source.platform == Platform::Cloudevents => handshake(&parts.headers),
        Ok(_) => (StatusCode::METHOD_NOT_ALLOWED, [("allow", "POST")]).into_response(),
        Err(refusal) => Problem::from(refusal).into_response(),
    }
}

/// Answers, and counts how: by source where it is one of ours, never by what a stranger wrote into the path.
async fn answered<D: Desk>(
    hooks: &Hooks<D>,
    name: &str,
    callback: &str,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let found = hooks.source(name, callback);
    let label = found
        .as_ref()
        .map_or("", |(source, _)| source.name.as_str())
        .to_owned();
    let (word, response) = match received(hooks, found, callback, &parts, body).await {
        Ok((decision, response)) => (decision.action.as_str(), response),
        Err(problem) => {
            let status = problem.status();
            tracing::warn!(source = label, %status, "hook turned down");
            let word = if problem.passes() { "busy" } else { "refused" };
            (word, problem.into_response())
        }
    };
    metrics::counter!("mirrorwatch_hooks_total", "source" => label, "outcome" => word).increment(1);
    response
}

async fn received<D: Desk>(
    hooks: &Hooks<D>,
    found: Result<(&Source, &'static dyn Adapter), Refusal>,
    callback: &str,
    parts: &Parts,
    body: Body,
) -> Result<(Decision, Response), Problem> {
    let (source, adapter) = found?;
    let expected = adapter.media_types();
    if !expected.contains(&media_type(&parts.headers).as_str()) {
        let expected = expected.first().copied().unwrap_or_default();
        return Err(Refusal::MediaType { expected }.into());
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        let is_limit = std::error::Error::source(&error)
            .is_some_and(|source| source.to_string().contains("length limit"));
        if is_limit {
            Refusal::TooLarge
        } else {
            Refusal::Incomplete
        }
    })?;
    let delivery = Delivery {
        source,
        callback,
        headers: &parts.headers,
        body: &body,
        now: (hooks.clock)(),
    };
    let decision = match judged_in_time(hooks, adapter, &delivery).await {
        // Only trouble of ours lets a signup go on; what the sender did wrong it has to hear.
        Err(problem) if problem.passes() && source.fail_open && adapter.is_asked(&delivery) => {
            let name = source.name.clone();
            tracing::warn!(source = name, status = %problem.status(), "let go on without an answer");
            metrics::counter!("mirrorwatch_hooks_failed_open_total", "source" => name).increment(1);
            Decision::allow()
        }
        judged => judged?,
    };
    let response = adapter.answer(&delivery, &decision);
    Ok((decision, response))
}

/// What comes of a delivery that proves itself. Where somebody waits, what is asked goes on though they should wait no more,
/// and for those who are let through then it is found out in time: platforms give up on us sooner or later.
async fn judged_in_time<D: Desk>(
    hooks: &Hooks<D>,
    adapter: &'static dyn Adapter,
    delivery: &Delivery<'_>,
) -> Result<Decision, Problem> {
    adapter.verify(delivery)?;
    let elements = adapter.events(delivery)?;
    let source = delivery.source;
    if !adapter.is_asked(delivery) {
        return all_judged(hooks, source, elements).await;
    }
    let (beside, name) = (hooks.clone(), source.name.clone());
    let judging = tokio::spawn(async move {
        let source = beside.sources.get(&name).ok_or(Refusal::UnknownSource)?;
        all_judged(&beside, source, elements).await
    });
    let judged = match source.fail_open {
        true => tokio::time::timeout(source.deadline(), judging).await,
        false => Ok(judging.await),
    };
    let failed = |_| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(
            status,
            "internal error",
            "the request failed inside; the log says why",
        )
    };
    judged
        .map_err(|_| {
            let detail = "the answer would have come too late";
            Problem::busy(StatusCode::SERVICE_UNAVAILABLE, detail, RETRY_AFTER_FAILURE)
        })?
        .map_err(failed)?
}

/// What comes of all elements of a delivery. One that is turned down costs only itself, but the sender hears of it: beside the
/// others, or as the problem where none was taken. Where the service is busy the rest is left for the next attempt, which
/// repeats nothing.
async fn all_judged<D: Desk>(
    hooks: &Hooks<D>,
    source: &Source,
    elements: Told,
) -> Result<Decision, Problem> {
    let (mut decision, len) = (Decision::allow(), elements.len());
    for (line, element) in (1..).zip(elements) {
        let came = match element {
            Ok(Some(event)) => judged(hooks, source, event).await,
            Ok(None) => continue,
            Err(refusal) => Err(refusal.into()),
        };
        match came {
            Ok(judged) => decision = decision.and(judged),
            Err(problem) if problem.passes() => return Err(come_back(problem)),
            Err(problem) => decision.turned_down.push(TurnedDown { line, problem }),
        }
    }
    match decision.turned_down.first() {
        Some(first) if decision.turned_down.len() == len => Err(first.problem.clone()),
        _ => Ok(decision),
    }
}

/// Whoever sent it shall send it again: 503 and a time to wait, whatever failed inside.
fn come_back(problem: Problem) -> Problem {
    match problem.status() {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => problem,
        _ => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Problem::busy(status, "this could not be done now", RETRY_AFTER_FAILURE)
        }
    }
}

/// What comes of an event: found out by the first delivery of it, remembered for the others.
async fn judged<D: Desk>(
    hooks: &Hooks<D>,
    source: &Source,
    event: AccountEvent,
) -> Result<Decision, Problem> {
    let Some(key) = event.key.clone() else {
        return acted(hooks, source, event).await;
    };
    let cell = hooks.repeats.cell(&source.name, &key);
    let decision = cell.get_or_try_init(|| acted(hooks, source, event)).await?;
    Ok(decision.clone())
}

async fn acted<D: Desk>(
    hooks: &Hooks<D>,
    source: &Source,
    event: AccountEvent,
) -> Result<Decision, Problem> {
    let AccountEvent {
        happening,
        record,
        stands_at,
        picture,
        ..
    } = event;
    let record = match source.platform.sends_records() {
        true => record,
        false => clipped(record),
    };
    if happening == Happening::Unbanned {
        let id = AccountId::new(record.id.as_deref().unwrap_or_default())?;
        // Records carry what people decided, whoever banned it; a platform's own format tells of its own bans alone.
        match source.platform.sends_records() {
            true => hooks.desk.withdraw(&source.name, id).await?,
            false => hooks.desk.lift(&source.name, id, None).await?,
        }
        return Ok(Decision::allow());
    }
    let account = checked(record).await?;
    let id = account.id().clone();
    if stands_at.is_some() {
        let desk = &hooks.desk;
        desk.lift(&source.name, id.clone(), stands_at).await?;
    }
    let decision = match happening {
        Happening::Banned => {
            hooks.desk.enroll(&source.name, account).await?;
            Decision::allow()
        }
        _ => {
            let screening = hooks
                .desk
                .screen_and_remember(&source.name, account)
                .await?;
            Decision {
                action: source.action(screening.verdict),
                judged: vec![Judged {
                    id: id.to_string(),
                    screening,
                }],
                turned_down: Vec::new(),
            }
        }
    };
    if let (Some(pictures), Some(url)) = (&hooks.pictures, picture) {
        pictures.want(Wanted {
            source: source.name.clone(),
            id,
            url,
        });
    }
    Ok(decision)
}

/// The account of a record. A picture given in bytes is decoded off the async threads: a small file may hold many pixels.
async fn checked(record: AccountRecord) -> Result<Account, Problem> {
    let has_picture = record
        .avatar
        .as_ref()
        .is_some_and(|avatar| avatar.base64.is_some());
    let check = move || Parser::remote().labelled(record);
    let labelled = match has_picture {
        true => tokio::task::spawn_blocking(check).await.map_err(|_| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "internal error", "a picture could not be decoded")
        })?,
        false => check(),
    };
    Ok(labelled?.account)
}

fn seconds_now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

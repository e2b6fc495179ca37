//! The review queue: flags nobody has judged, the surest or the oldest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::bits::signed;
use crate::serve::console::desk::Desk;
use crate::serve::console::form::segment;
use crate::serve::console::gate::Visitor;
use crate::serve::console::person::{label, visible};
use crate::serve::console::routes::Room;
use crate::serve::console::told::Told;
use crate::serve::console::values::{Decision, Order};
use crate::serve::console::when::{When, plural};

/// Rows of evidence named in the list.
const REASONS_SHOWN: usize = 3;
/// A score that fills the bar, in bits.
const FULL_BITS: f64 = 60.0;

/// One flag in a list.
#[derive(Debug, Clone)]
pub(crate) struct FlagRow {
    /// Its page.
    pub href: String,
    /// `match` or `review`.
    pub verdict: String,
    /// Of the best hit.
    pub score: String,
    /// The same for a `<meter>`, at most 60.
    pub meter: f64,
    /// The account flagged.
    pub probe: String,
    /// Its name.
    pub probe_name: String,
    /// Its platform.
    pub platform: String,
    /// The entry it resembles most.
    pub entry: String,
    /// The entry's network; may be empty.
    pub network: String,
    /// Other entries it resembles.
    pub others: usize,
    /// The strongest evidence: signal and bits.
    pub reasons: Vec<(String, String)>,
    /// When it was raised.
    pub at: When,
    /// What was judged of the best hit, else of another, in words; empty where nothing was.
    pub judged: String,
    /// The word of what was judged, for its colour.
    pub answer: &'static str,
}

impl FlagRow {
    /// The row of a decision.
    pub(crate) fn of(decision: &Decision, now: Timestamp) -> Self {
        let told = Told::of(&decision.report);
        let best = told.hits.first().cloned().unwrap_or_default();
        let mut rows: Vec<_> = best.evidence.iter().filter(|row| row.bits > 0.05).collect();
        rows.sort_by(|a, b| b.bits.total_cmp(&a.bits));
        let reasons = rows.iter().take(REASONS_SHOWN);
        let entry = decision
            .entries
            .iter()
            .find(|entry| entry.id().as_str() == best.entry);
        let mut all = decision.judgments.iter();
        let of_best = all.find(|said| said.entry().as_str() == best.entry);
        let said = of_best.or(decision.judgments.first());
        Self {
            href: format!("/decisions/{}", segment(&decision.id)),
            verdict: told.verdict,
            score: format!("{:.1}", told.score_bits),
            meter: told.score_bits.clamp(0.0, FULL_BITS),
            probe: label(&decision.probe),
            probe_name: visible(&decision.probe.display_name),
            platform: decision.probe.platform.clone(),
            entry: entry.map_or(best.entry, label),
            network: best.network,
            others: told.hits.len().saturating_sub(1),
            reasons: reasons
                .map(|row| (row.signal.clone(), signed(row.bits)))
                .collect(),
            at: When::of(decision.at, now),
            judged: said.map(|said| said.in_words()).unwrap_or_default(),
            answer: said.map_or("", |said| said.answer.as_str()),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    order: String,
    #[serde(default)]
    page: usize,
}

#[derive(Template)]
#[template(path = "queue.html", config = "src/serve/console/askama.toml")]
struct QueuePage {
    shell: Shell,
    rows: Vec<FlagRow>,
    total: String,
    is_by_age: bool,
    order: &'static str,
    range: String,
    earlier: Option<usize>,
    later: Option<usize>,
}

/// `GET /queue`
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let is_by_age = asked.order == "age";
    let order = if is_by_age { Order::Age } else { Order::Score };
    let shown = asked.page;
    let queue = room.ask(move |desk| desk.queue(order, shown)).await?;
    let now = Timestamp::now();
    let rows: Vec<FlagRow> = queue
        .decisions
        .iter()
        .map(|flag| FlagRow::of(flag, now))
        .collect();
    let first = shown.saturating_mul(queue.page_len);
    let end = first.saturating_add(rows.len());
    page(&QueuePage {
        shell: Shell::of(&visitor, "queue", "Review queue"),
        total: plural(queue.total as u64, "flag"),
        is_by_age,
        order: if is_by_age { "age" } else { "score" },
        range: format!("{} to {end} of {}", first.saturating_add(1), queue.total),
        earlier: shown.checked_sub(1),
        later: (end < queue.total && !rows.is_empty()).then_some(shown.saturating_add(1)),
        rows,
    })
}

/// `GET /queue/next`: the page of the first flag, or the empty queue.
pub(crate) async fn next<D: Desk>(
    State(room): State<Room<D>>,
    _: Visitor,
) -> Result<Response, Refusal> {
    let queue = room.ask(|desk| desk.queue(Order::Score, 0)).await?;
    let first = queue.decisions.first();
    let href = first.map_or("/queue".into(), |flag| {
        format!("/decisions/{}", segment(&flag.id))
    });
    Ok(Redirect::to(&href).into_response())
}

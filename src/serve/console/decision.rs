//! A flag on one page: probe and entry side by side, the evidence row by row, and the question to the analyst.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::account::{Account, AccountId};
use crate::error::Rejection;
use crate::judgment::Answer;
use crate::normalize::unicode::is_invisible;
use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::bits::{Bar, Waterfall, percent};
use crate::serve::console::desk::Desk;
use crate::serve::console::form::{Fields, query, segment};
use crate::serve::console::gate::Visitor;
use crate::serve::console::letters::Letters;
use crate::serve::console::person::{Person, difference, label};
use crate::serve::console::routes::Room;
use crate::serve::console::told::{Told, ToldHit, ToldRow};
use crate::serve::console::values::Decision;
use crate::serve::console::when::When;

/// One row of evidence.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The signal's word.
    pub signal: String,
    /// The level's word.
    pub level: String,
    /// The two values, what differs marked.
    pub letters: Letters,
    /// The reason.
    pub why: String,
    /// What it adds.
    pub bar: Bar,
}

impl Row {
    fn of(row: &ToldRow, bar: &Bar) -> Self {
        let value = |value: &Option<String>| value.clone().unwrap_or_default();
        Self {
            signal: row.signal.clone(),
            level: row.level.clone(),
            letters: match row.level.as_str() {
                // Letters that unrelated values share mean nothing.
                "different" => Letters::apart(&value(&row.probe), &value(&row.entry)),
                _ => Letters::of(&value(&row.probe), &value(&row.entry)),
            },
            why: row.why.clone(),
            bar: bar.clone(),
        }
    }
}

/// Two pictures by their hashes.
#[derive(Debug, Clone)]
pub(crate) struct Pictures {
    /// The differing bits, drawn.
    pub path: String,
    /// In words.
    pub caption: String,
}

impl Pictures {
    fn of(probe: &Account, entry: &Account, told: Option<u16>) -> Option<Self> {
        let (path, count) = difference(probe.avatar.as_ref()?, entry.avatar.as_ref()?);
        let caption = match told {
            Some(told) if u32::from(told) != count => {
                format!("{count} of 256 bits differ as they are, {told} once mirrored or turned")
            }
            _ => format!("{count} of 256 bits differ"),
        };
        Some(Self { path, caption })
    }
}

/// One of the entries the probe was held against.
#[derive(Debug, Clone)]
pub(crate) struct Tab {
    /// Its address.
    pub href: String,
    /// Its handle.
    pub label: String,
    /// Its score.
    pub score: String,
    /// True for the one shown.
    pub is_open: bool,
    /// The word of what was judged of it.
    pub answer: &'static str,
}

/// What a person said of the pair.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// The contract's word.
    pub answer: &'static str,
    /// In words.
    pub words: String,
}

#[derive(Template)]
#[template(path = "decision.html", config = "src/serve/console/askama.toml")]
struct DecisionPage {
    shell: Shell,
    href: String,
    verdict: String,
    at: When,
    told: Told,
    score: String,
    probability: String,
    probe: Person,
    /// None when the report names no entry.
    entry: Option<Person>,
    entry_id: String,
    network: String,
    reason: String,
    banned: Option<When>,
    cancelled: String,
    drawn: Waterfall,
    rows: Vec<Row>,
    pictures: Option<Pictures>,
    tabs: Vec<Tab>,
    hit: usize,
    said: Option<Said>,
    note_max: usize,
}

impl DecisionPage {
    fn of(visitor: &Visitor, decision: &Decision, hit: usize, now: Timestamp) -> Self {
        let told = Told::of(&decision.report);
        let hit = if hit < told.hits.len() { hit } else { 0 };
        let shown = told.hits.get(hit).cloned().unwrap_or_default();
        let drawn = Waterfall::of(&shown, decision.thresholds);
        let rows = shown.evidence.iter().zip(&drawn.rows);
        let entry = entry_of(decision, &shown);
        let ban = entry
            .and_then(|entry| entry.ban.clone())
            .unwrap_or_default();
        let distance = shown.evidence.iter().find_map(|row| row.distance);
        let said = said(decision, &shown.entry);
        let probe = label(&decision.probe);
        Self {
            shell: Shell::of(visitor, "queue", format!("{probe}: flagged")),
            href: format!("/decisions/{}", segment(&decision.id)),
            verdict: told.verdict.clone(),
            at: When::of(decision.at, now),
            score: format!("{:.1}", shown.score_bits),
            probability: percent(shown.probability),
            probe: Person::of(&decision.probe, now),
            entry: entry.map(|entry| Person::of(entry, now)),
            rows: rows.map(|(row, bar)| Row::of(row, bar)).collect(),
            pictures: entry.and_then(|entry| Pictures::of(&decision.probe, entry, distance)),
            tabs: tabs(decision, &told, hit),
            entry_id: shown.entry,
            network: shown.network,
            reason: ban.reason,
            banned: ban.banned_at.map(|at| When::of(at, now)),
            cancelled: shown.cancelled.unwrap_or_default(),
            drawn,
            hit,
            said,
            note_max: 1_000,
            told,
        }
    }
}

fn entry_of<'a>(decision: &'a Decision, hit: &ToldHit) -> Option<&'a Account> {
    decision
        .entries
        .iter()
        .find(|entry| entry.id().as_str() == hit.entry)
}

fn said(decision: &Decision, entry: &str) -> Option<Said> {
    let said = decision
        .judgments
        .iter()
        .find(|said| said.entry().as_str() == entry)?;
    Some(Said {
        answer: said.answer.as_str(),
        words: said.in_words(),
    })
}

fn tabs(decision: &Decision, told: &Told, open: usize) -> Vec<Tab> {
    let tab = |(at, hit): (usize, &ToldHit)| Tab {
        href: address(&decision.id, at),
        label: entry_of(decision, hit).map_or_else(|| hit.entry.clone(), label),
        score: format!("{:.1}", hit.score_bits),
        is_open: at == open,
        answer: said(decision, &hit.entry).map_or("", |said| said.answer),
    };
    told.hits.iter().enumerate().map(tab).collect()
}

fn address(decision: &str, hit: usize) -> String {
    let page = format!("/decisions/{}", segment(decision));
    match hit {
        0 => page,
        hit => format!("{page}?{}", query(&[("hit", &hit.to_string())])),
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    hit: usize,
}

/// `GET /decisions/{id}`
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let found = room.ask(move |desk| desk.decision(&id)).await?;
    let decision = found.ok_or(Refusal::Unknown { what: "decision" })?;
    page(&DecisionPage::of(
        &visitor,
        &decision,
        asked.hit,
        Timestamp::now(),
    ))
}

/// The entry a form is about, and the address of its hit's page.
fn pair(id: &str, fields: &Fields) -> Result<(AccountId, String), Refusal> {
    let entry = AccountId::new(fields.get("entry"))?;
    Ok((entry, address(id, fields.get("hit").parse().unwrap_or(0))))
}

/// `POST /decisions/{id}/judge`: fields `entry`, `answer`, `note`, `hit`.
pub(crate) async fn judge<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = visitor.fields(&room, &body)?;
    let answer: Answer = fields.get("answer").parse()?;
    let (entry, back) = pair(&id, &fields)?;
    let (note, who) = (fields.get("note").to_owned(), visitor.who);
    room.ask(move |desk| desk.judge(&id, &entry, answer, &note, &who))
        .await?;
    Ok(Redirect::to(&back).into_response())
}

/// `POST /decisions/{id}/undo`: fields `entry`, `hit`.
pub(crate) async fn undo<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (entry, back) = pair(&id, &visitor.fields(&room, &body)?)?;
    let who = visitor.who;
    room.ask(move |desk| desk.undo(&id, &entry, &who)).await?;
    Ok(Redirect::to(&back).into_response())
}

#[derive(Template)]
#[template(path = "replay.html", config = "src/serve/console/askama.toml")]
struct ReplayPage {
    shell: Shell,
    href: String,
    is_same: bool,
    told: String,
    again: String,
    bytes: usize,
}

/// `GET /decisions/{id}/replay`: the flag made once more; changes nothing.
pub(crate) async fn replay<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let href = address(&id, 0);
    let found = room.ask(move |desk| desk.replay(&id)).await?;
    let replay = found.ok_or(Refusal::Unknown { what: "decision" })?;
    page(&ReplayPage {
        shell: Shell::of(&visitor, "queue", "Replay"),
        href,
        is_same: replay.told == replay.again,
        told: laid_out(&replay.told)?,
        again: laid_out(&replay.again)?,
        bytes: replay.told.len(),
    })
}

/// JSON over several lines; what is invisible by its code point.
fn laid_out(report: &[u8]) -> Result<String, Rejection> {
    let read: Result<serde_json::Value, _> = serde_json::from_slice(report);
    let written = read.and_then(|report| serde_json::to_string_pretty(&report));
    let text = written
        .map_err(|_| Rejection::new("invalid_json", "report", "the stored report is no JSON"))?;
    let seen = |c: char| match is_invisible(c) {
        true => format!("\\u{{{:04x}}}", u32::from(c)),
        false => c.to_string(),
    };
    Ok(text.chars().map(seen).collect())
}

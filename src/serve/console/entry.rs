//! A watchlist entry on one page: who it was, its ban and network, its lineage, its past returns.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;

use crate::account::AccountId;
use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::desk::Desk;
use crate::serve::console::family::Graph;
use crate::serve::console::form::query;
use crate::serve::console::gate::Visitor;
use crate::serve::console::person::Person;
use crate::serve::console::queue::FlagRow;
use crate::serve::console::routes::Room;
use crate::serve::console::timeline::Timeline;
use crate::serve::console::values::{EntryFile, Family};
use crate::serve::console::when::When;

/// Flags listed beneath the timeline.
const FLAGS_SHOWN: usize = 50;

/// What a person said of the entry and one probe.
#[derive(Debug, Clone)]
struct SaidOf {
    /// The contract's word.
    answer: &'static str,
    /// The probe's id.
    probe: String,
    /// In words.
    words: String,
}

#[derive(Template)]
#[template(path = "entry.html", config = "src/serve/console/askama.toml")]
struct EntryPage {
    shell: Shell,
    person: Person,
    is_listed: bool,
    reason: String,
    source: String,
    network: String,
    banned: Option<When>,
    expires: Option<When>,
    standing: &'static str,
    removals_href: String,
    graph: Graph,
    timeline: Timeline,
    flags: Vec<FlagRow>,
    flags_in_all: usize,
    judgments: Vec<SaidOf>,
}

impl EntryPage {
    fn of(visitor: &Visitor, file: &EntryFile, family: &Family, now: Timestamp) -> Self {
        let account = &file.account;
        let ban = account.ban.clone().unwrap_or_default();
        let person = Person::of(account, now);
        let flags = file.decisions.iter().take(FLAGS_SHOWN);
        let judgments = file.judgments.iter().map(|said| SaidOf {
            answer: said.answer.as_str(),
            probe: said.probe().to_string(),
            words: said.in_words(),
        });
        Self {
            shell: Shell::of(visitor, "search", person.label.clone()),
            is_listed: file.is_listed,
            reason: ban.reason,
            source: ban.source,
            network: ban.network,
            banned: ban.banned_at.map(|at| When::of(at, now)),
            expires: ban.expires_at.map(|at| When::of(at, now)),
            standing: file.standing.as_str(),
            removals_href: format!("/removals?{}", query(&[("platform", &account.platform)])),
            graph: Graph::of(family, account.id(), now),
            timeline: Timeline::of(&file.decisions, account.id().as_str(), ban.banned_at, now),
            flags: flags.map(|flag| FlagRow::of(flag, now)).collect(),
            flags_in_all: file.decisions.len(),
            judgments: judgments.collect(),
            person,
        }
    }
}

/// `GET /entries/{id}`
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = AccountId::new(&id).map_err(|_| Refusal::Unknown { what: "entry" })?;
    let asked = move |desk: &D| Ok(desk.entry(&id)?.zip(Some(desk.lineage(&id)?)));
    let (file, family) = room
        .ask(asked)
        .await?
        .ok_or(Refusal::Unknown { what: "entry" })?;
    page(&EntryPage::of(&visitor, &file, &family, Timestamp::now()))
}

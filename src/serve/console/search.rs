//! The analyst's question in a browser: which entries have this handle, or one like it?

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;

use crate::engine::LookupRow;
use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::desk::Desk;
use crate::serve::console::gate::Visitor;
use crate::serve::console::letters::{Letters, Piece};
use crate::serve::console::person::Person;
use crate::serve::console::routes::Room;
use crate::serve::console::when::When;

/// Entries shown.
const ROWS_MAX: usize = 50;

/// One entry found.
#[derive(Debug, Clone)]
pub(crate) struct FoundRow {
    /// `same`, `confusable`, ...
    pub relation: &'static str,
    /// The same as one word, for its colour.
    pub class: String,
    /// In words.
    pub why: String,
    /// The entry.
    pub person: Person,
    /// Its handle, what differs from the one asked for marked.
    pub handle: Vec<Piece>,
    /// Its network; may be empty.
    pub network: String,
    /// When it was banned.
    pub banned: Option<When>,
    /// Judgments of it.
    pub judged: usize,
}

impl FoundRow {
    /// The row of what `asked` found.
    pub(crate) fn of(row: &LookupRow, asked: &str, now: Timestamp) -> Self {
        let ban = row.account.ban.clone().unwrap_or_default();
        Self {
            relation: row.kind.as_str(),
            class: row.kind.as_str().replace(' ', "-"),
            why: row.why.clone(),
            person: Person::of(&row.account, now),
            handle: Letters::of(asked, &row.account.handle).entry,
            network: ban.network,
            banned: ban.banned_at.map(|at| When::of(at, now)),
            judged: row.judgments.len(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    handle: String,
    #[serde(default)]
    part: String,
}

#[derive(Template)]
#[template(path = "search.html", config = "src/serve/console/askama.toml")]
struct SearchPage {
    shell: Shell,
    asked: String,
    summary: String,
    rows: Vec<FoundRow>,
}

#[derive(Template)]
#[template(path = "rows.html", config = "src/serve/console/askama.toml")]
struct Rows {
    asked: String,
    summary: String,
    rows: Vec<FoundRow>,
}

/// `GET /search`; with `part=rows` the table alone, which the script puts into the page.
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let handle = asked.handle.trim().trim_start_matches('@').to_owned();
    let found = match handle.is_empty() {
        true => Vec::new(),
        false => {
            let handle = handle.clone();
            room.ask(move |desk| desk.lookup(&handle, ROWS_MAX)).await?
        }
    };
    let now = Timestamp::now();
    let rows: Vec<FoundRow> = found
        .iter()
        .map(|row| FoundRow::of(row, &handle, now))
        .collect();
    let summary = match rows.len() {
        0 => "No entry has a handle like that.".to_owned(),
        ROWS_MAX => format!("The nearest {ROWS_MAX} entries."),
        1 => "1 entry.".to_owned(),
        len => format!("{len} entries, the nearest first."),
    };
    if asked.part == "rows" {
        return page(&Rows {
            asked: handle,
            summary,
            rows,
        });
    }
    let mut shell = Shell::of(&visitor, "search", "Search");
    shell.asked.clone_from(&handle);
    page(&SearchPage {
        shell,
        asked: handle,
        summary,
        rows,
    })
}

//! What a platform is asked to remove: a list to tick off, and the same as a table for its desk.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::account::{Account, AccountId};
use crate::error::{Error, Rejection};
use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::desk::Desk;
use crate::serve::console::form::{query, segment};
use crate::serve::console::gate::Visitor;
use crate::serve::console::person::Person;
use crate::serve::console::routes::Room;
use crate::serve::console::values::{Removal, Standing};
use crate::serve::console::when::When;

/// Entries of one page; the export has more.
const ROWS_MAX: usize = 500;
/// Entries of one export: more than a desk works through in a day, and some tens of megabytes while it is made.
const EXPORTED_MAX: usize = 10_000;
/// What an export may hold: what is not gone yet.
const EXPORTED: [Standing; 2] = [Standing::Unreported, Standing::Reported];

/// Head of the export.
const HEAD: [&str; 12] = [
    "id",
    "platform",
    "kind",
    "handle",
    "display_name",
    "profile",
    "network",
    "reason",
    "source",
    "banned_at",
    "standing",
    "standing_since",
];

/// One entry of the list.
#[derive(Debug, Clone)]
pub(crate) struct RemovalRow {
    /// The entry.
    pub person: Person,
    /// Its network; may be empty.
    pub network: String,
    /// Why it was banned; may be empty.
    pub reason: String,
    /// When.
    pub banned: Option<When>,
    /// How far the platform has come.
    pub standing: &'static str,
    /// Since when.
    pub since: Option<When>,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    platform: String,
    #[serde(default)]
    standing: String,
}

#[derive(Template)]
#[template(path = "removals.html", config = "src/serve/console/askama.toml")]
struct RemovalsPage {
    shell: Shell,
    platform: String,
    shown: String,
    export_href: String,
    choices: Vec<(&'static str, String, bool)>,
    rows: Vec<RemovalRow>,
    left_out: usize,
}

/// `GET /removals`
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let name = asked.platform.clone();
    let standing = Standing::ALL
        .into_iter()
        .find(|one| one.as_str() == asked.standing);
    let found = room.ask(move |desk| match standing {
        Some(standing) => desk.removals(&name, &[standing], ROWS_MAX),
        None => desk.removals(&name, &Standing::ALL, ROWS_MAX),
    });
    let (total, removals) = found.await?.ok_or(Refusal::Busy)?;
    let now = Timestamp::now();
    let choice = |word: &'static str| {
        let fields = query(&[("platform", &asked.platform), ("standing", word)]);
        (
            word,
            format!("/removals?{fields}"),
            word == standing.map_or("", Standing::as_str),
        )
    };
    let words = [""].into_iter().chain(Standing::ALL.map(Standing::as_str));
    page(&RemovalsPage {
        shell: Shell::of(
            &visitor,
            "networks",
            format!("Removals: {}", asked.platform),
        ),
        export_href: format!("/removals.csv?{}", query(&[("platform", &asked.platform)])),
        choices: words.map(choice).collect(),
        left_out: total.saturating_sub(removals.len()),
        rows: removals.iter().map(|removal| row(removal, now)).collect(),
        shown: standing.map_or(String::new(), |standing| standing.as_str().to_owned()),
        platform: asked.platform,
    })
}

fn row(removal: &Removal, now: Timestamp) -> RemovalRow {
    let ban = removal.account.ban.clone().unwrap_or_default();
    RemovalRow {
        person: Person::of(&removal.account, now),
        network: ban.network,
        reason: ban.reason,
        banned: ban.banned_at.map(|at| When::of(at, now)),
        standing: removal.standing.as_str(),
        since: removal.since.map(|at| When::of(at, now)),
    }
}

/// `POST /removals`: fields `id` (again and again), `standing`, `platform`, `shown`.
pub(crate) async fn mark<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = visitor.fields(&room, &body)?;
    let ids: Vec<AccountId> = fields
        .all("id")
        .map(AccountId::new)
        .collect::<Result<_, _>>()?;
    let mut all = Standing::ALL.into_iter();
    let Some(standing) = all.find(|one| one.as_str() == fields.get("standing")) else {
        let reason = "expected unreported, reported or removed";
        return Err(Rejection::new("invalid_value", "standing", reason).into());
    };
    let who = visitor.who;
    if !ids.is_empty() {
        room.ask(move |desk| desk.mark(&ids, standing, &who))
            .await?;
    }
    let back = query(&[
        ("platform", fields.get("platform")),
        ("standing", fields.get("shown")),
    ]);
    Ok(Redirect::to(&format!("/removals?{back}")).into_response())
}

/// `GET /removals.csv`: the entries of the platform that are not gone yet, the longest banned first. Where there are more than
/// one file holds, its last row says so.
pub(crate) async fn export<D: Desk>(
    State(room): State<Room<D>>,
    _: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let name = asked.platform.clone();
    let found = room.ask(move |desk| desk.removals(&name, &EXPORTED, EXPORTED_MAX));
    let (total, removals) = found.await?.ok_or(Refusal::Busy)?;
    let table = table(total, &removals).map_err(|error| Error::Malformed {
        what: "export".into(),
        reason: error.to_string(),
    })?;
    let word: String = asked
        .platform
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let name = if word.is_empty() { "other" } else { &word };
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present".to_owned(),
        ),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"removals-{name}.csv\""),
        ),
    ];
    Ok((headers, table).into_response())
}

/// The export of some of `total` entries. It begins with a byte-order mark, by which spreadsheets know UTF-8.
fn table(total: usize, removals: &[Removal]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(HEAD)?;
    for removal in removals {
        let account = &removal.account;
        let ban = account.ban.clone().unwrap_or_default();
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let record = [
            account.id().to_string(),
            account.platform.clone(),
            account.kind.as_str().to_owned(),
            account.handle.clone(),
            account.display_name.clone(),
            profile(account),
            ban.network,
            ban.reason,
            ban.source,
            time(ban.banned_at),
            removal.standing.as_str().to_owned(),
            time(removal.since),
        ];
        writer.write_record(record.iter().map(|cell| tame(cell)))?;
    }
    if total > removals.len() {
        let len = removals.len();
        let note = format!(
            "# The first {len} of {total}: the others follow when some of these are marked as removed. \
             `mirrorwatch export` writes them all."
        );
        let cells = HEAD.map(|name| if name == "id" { note.as_str() } else { "" });
        writer.write_record(cells)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// A cell that no spreadsheet takes for a formula: an apostrophe stands before what would begin one (OWASP, CSV
/// injection), also behind white space and in full-width forms.
fn tame(cell: &str) -> String {
    let begins = cell.trim_start().chars().next();
    let acts =
        begins.is_some_and(|c| "=+-@＝＋－＠".contains(c)) || cell.starts_with(['\t', '\r', '\n']);
    match acts {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

/// Where the account stood, on platforms whose addresses follow from the handle; else empty.
fn profile(account: &Account) -> String {
    let stem = match account.platform.as_str() {
        "x" => "https://x.com/",
        "facebook" => "https://www.facebook.com/",
        "instagram" => "https://www.instagram.com/",
        "tiktok" => "https://www.tiktok.com/@",
        "telegram" => "https://t.me/",
        "youtube" => "https://www.youtube.com/@",
        "bluesky" => "https://bsky.app/profile/",
        _ => return String::new(),
    };
    match account.handle.as_str() {
        "" => String::new(),
        handle => format!("{stem}{}", segment(handle)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountDraft;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            (" +1", "' +1"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(tame(cell), expected);
        }
    }

    #[test]
    fn the_export_holds_rows_and_says_what_it_leaves_out() {
        let removal = |id: &str, standing| Removal {
            account: AccountDraft {
                id: id.into(),
                platform: "x".into(),
                handle: "-a,\"b\"".into(),
                ..AccountDraft::default()
            }
            .check()
            .unwrap(),
            standing,
            since: None,
        };
        let all = [removal("x:1", Standing::Reported)];
        let told = String::from_utf8(table(1, &all).unwrap()).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 2);
        let cut = String::from_utf8(table(7, &all).unwrap()).unwrap();
        let (whole, note) = cut.split_at(told.len());
        assert_eq!(whole, told);
        assert!(note.starts_with("# The first 1 of 7:"), "{note}");
        assert!(lines[0].starts_with("\u{feff}id,platform,"));
        assert_eq!(
            lines[1],
            "x:1,x,account,\"'-a,\"\"b\"\"\",,https://x.com/-a%2C%22b%22,,,,,reported,"
        );
    }
}

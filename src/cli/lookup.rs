//! `lookup`: the analyst's question about a handle.

use crate::account::AccountDraft;
use crate::cli::run::{Console, DONE};
use crate::cli::table::{cell, table};
use crate::engine::{Engine, LookupRow};
use crate::error::Rejection;
use crate::wire::LookupRecord;

/// Judgments of one entry in the table.
const JUDGMENTS_SHOWN: usize = 3;

/// Shows entries whose handle is like `handle`.
pub(crate) fn run(
    engine: &Engine,
    handle: &str,
    limit: usize,
    json: bool,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let asked = AccountDraft {
        id: "lookup".into(),
        handle: handle.to_owned(),
        ..AccountDraft::default()
    }
    .check()?;
    if asked.handle.is_empty() {
        return Err(Rejection::new("missing_field", "handle", "expected a handle").into());
    }
    let rows = engine.lookup(&asked, limit)?;
    if json {
        let records: Vec<LookupRecord> = rows.iter().map(LookupRecord::of).collect();
        console.print(&(serde_json::to_string_pretty(&records)? + "\n"))?;
        return Ok(DONE);
    }
    if rows.is_empty() {
        console.print(&format!(
            "no entry has a handle like {}\n",
            cell(&asked.handle)
        ))?;
        return Ok(DONE);
    }
    let mut header = vec![
        "relation", "handle", "name", "platform", "network", "banned", "reason", "id", "why",
    ];
    let is_judged = rows.iter().any(|row| !row.judgments.is_empty());
    header.extend(is_judged.then_some("judgments"));
    let is_flagged = rows.iter().any(|row| !row.decisions.is_empty());
    header.extend(is_flagged.then_some("flags"));
    let mut shown = table(&header);
    for row in &rows {
        let judged = is_judged.then(|| judgments(row));
        let flagged = is_flagged.then(|| row.decisions.len().to_string());
        shown.add_row(cells(row).into_iter().chain(judged).chain(flagged));
    }
    console.print(&format!("{shown}\n{}\n", counted(rows.len())))?;
    Ok(DONE)
}

fn counted(rows: usize) -> String {
    if rows == 1 {
        "1 entry".into()
    } else {
        format!("{rows} entries")
    }
}

/// The latest judgments of an entry, a line each.
fn judgments(row: &LookupRow) -> String {
    let told = row.judgments.iter().take(JUDGMENTS_SHOWN);
    let mut told: Vec<String> = told
        .map(|judgment| cell(&format!("{} {}", judgment.probe(), judgment.in_words())))
        .collect();
    if row.judgments.len() > JUDGMENTS_SHOWN {
        told.push("and earlier ones".into());
    }
    told.join("\n")
}

fn cells(row: &LookupRow) -> Vec<String> {
    let ban = row.account.ban.clone().unwrap_or_default();
    let banned = ban
        .banned_at
        .map(|at| at.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default();
    vec![
        row.kind.as_str().to_owned(),
        cell(&row.account.handle),
        cell(&row.account.display_name),
        format!("{} {}", row.account.platform, row.account.kind.as_str()),
        cell(&ban.network),
        banned,
        cell(&ban.reason),
        cell(row.account.id().as_str()),
        cell(&row.why),
    ]
}

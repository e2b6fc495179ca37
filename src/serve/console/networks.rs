//! Networks counted by platform and kind, and how far each platform has come with its removals.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::normalize::unicode::{fold, is_invisible};
use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::desk::Desk;
use crate::serve::console::form::query;
use crate::serve::console::gate::Visitor;
use crate::serve::console::routes::Room;
use crate::serve::console::values::{Standing, Tally};
use crate::serve::console::when::{grouped, plural};

/// Platforms with a column of their own; the rest are counted together.
const PLATFORMS_SHOWN: usize = 8;
/// Networks shown, the largest first.
const ROWS_MAX: usize = 200;
/// The contract's kinds.
const KINDS: [&str; 4] = ["account", "page", "group", "channel"];

/// A count, and its share of the largest for a shade from 0 to 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Empty for none.
    pub told: String,
    /// 0 to 4.
    pub shade: usize,
}

/// One network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkRow {
    /// Empty for entries without one.
    pub name: String,
    /// Entries in all.
    pub total: String,
    /// By platform, in the order of the head.
    pub platforms: Vec<Cell>,
    /// By kind.
    pub kinds: Vec<Cell>,
    /// Entries its platforms have removed, in percent.
    pub removed: String,
}

/// One platform's removals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlatformRow {
    /// Its word; may be empty.
    pub name: String,
    /// Entries in all.
    pub total: usize,
    /// Nobody asked for them.
    pub unreported: usize,
    /// Asked for, removed or not.
    pub reported: usize,
    /// Of these, gone.
    pub removed: usize,
    /// Of these, still up.
    pub still_up: usize,
    /// Removed of reported, in percent.
    pub share: String,
    /// Its list.
    pub href: String,
    /// Its export.
    pub export_href: String,
}

#[derive(Template)]
#[template(path = "networks.html", config = "src/serve/console/askama.toml")]
struct NetworksPage {
    shell: Shell,
    /// Part of a name that is looked for; empty for all.
    asked: String,
    kinds: [&'static str; KINDS.len()],
    tables: Tables,
}

/// What the page tells.
struct Tables {
    heads: Vec<String>,
    networks: Vec<NetworkRow>,
    /// Further networks; empty for none.
    left_out: String,
    platforms: Vec<PlatformRow>,
    sum: PlatformRow,
}

impl Tables {
    /// The tables of all platforms, and of the networks with `asked` in their names. O(tallies).
    fn of(tallies: &[Tally], asked: &str) -> Self {
        let heads = heads(tallies);
        let (networks, left_out) = network_rows(tallies, &heads, asked);
        Self {
            networks,
            left_out: match left_out {
                0 => String::new(),
                count => plural(count as u64, "smaller network"),
            },
            platforms: platform_rows(tallies),
            sum: platform_row("", tallies.iter()),
            heads,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    name: String,
}

/// `GET /networks`
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    Query(Asked { name }): Query<Asked>,
) -> Result<Response, Refusal> {
    // What nobody sees is told nobody again.
    let asked: String = name.trim().chars().filter(|c| !is_invisible(*c)).collect();
    let sought = asked.clone();
    let tables = room.ask(move |desk| {
        let tallies = desk.networks()?;
        Ok(tallies.map(|tallies| Tables::of(&tallies, &sought)))
    });
    let tables = tables.await?.ok_or(Refusal::Busy)?;
    page(&NetworksPage {
        shell: Shell::of(&visitor, "networks", "Networks"),
        asked,
        kinds: KINDS,
        tables,
    })
}

/// Tallies of one name together, those of the most entries first.
fn by_size<'a>(
    tallies: &'a [Tally],
    name: impl Fn(&'a Tally) -> &'a str,
) -> Vec<(&'a str, Vec<&'a Tally>)> {
    let mut named: BTreeMap<&str, Vec<&Tally>> = BTreeMap::new();
    for tally in tallies {
        named.entry(name(tally)).or_default().push(tally);
    }
    let mut named: Vec<(&str, Vec<&Tally>)> = named.into_iter().collect();
    named.sort_by_cached_key(|(_, own)| std::cmp::Reverse(count(own.iter().copied())));
    named
}

fn heads(tallies: &[Tally]) -> Vec<String> {
    let mut heads: Vec<String> = by_size(tallies, |tally| &tally.platform)
        .into_iter()
        .map(|(name, _)| {
            if name.is_empty() {
                "none".into()
            } else {
                name.to_owned()
            }
        })
        .collect();
    if heads.len() > PLATFORMS_SHOWN {
        heads.truncate(PLATFORMS_SHOWN - 1);
        heads.push("other".into());
    }
    heads
}

/// The largest networks with `asked` in their names, written as it is or alike when folded, and how many more there are.
fn network_rows(tallies: &[Tally], heads: &[String], asked: &str) -> (Vec<NetworkRow>, usize) {
    let folded = fold(asked);
    let mut named = by_size(tallies, |tally| &tally.network);
    named.retain(|(name, _)| {
        name.contains(asked) || !folded.is_empty() && fold(name).contains(&folded)
    });
    // Lone accounts are no network: they stand last.
    let alone = named.iter().position(|(name, _)| name.is_empty());
    let alone = alone.map(|at| named.remove(at));
    let left_out = named.len().saturating_sub(ROWS_MAX);
    named.truncate(ROWS_MAX);
    let all = named.into_iter().chain(alone);
    let row = |(name, own): (&str, Vec<&Tally>)| network_row(name, &own, heads);
    (all.map(row).collect(), left_out)
}

fn network_row(name: &str, own: &[&Tally], heads: &[String]) -> NetworkRow {
    let of =
        |is_of: &dyn Fn(&Tally) -> bool| count(own.iter().copied().filter(|tally| is_of(tally)));
    let of_platform = |head: &String| {
        of(&|tally| match head.as_str() {
            "other" => !heads.contains(&tally.platform),
            "none" => tally.platform.is_empty(),
            head => tally.platform == head,
        })
    };
    let platforms: Vec<usize> = heads.iter().map(of_platform).collect();
    let kinds: Vec<usize> = KINDS
        .iter()
        .map(|kind| of(&|tally| tally.kind == *kind))
        .collect();
    let total = of(&|_| true);
    NetworkRow {
        name: name.to_owned(),
        total: grouped(total as u64),
        platforms: cells(&platforms, total),
        kinds: cells(&kinds, total),
        removed: share(of(&|tally| tally.standing == Standing::Removed), total),
    }
}

fn cells(counts: &[usize], total: usize) -> Vec<Cell> {
    let cell = |count: &usize| Cell {
        told: match count {
            0 => String::new(),
            count => grouped(*count as u64),
        },
        shade: match (count * 4).checked_div(total) {
            Some(shade) if *count > 0 => shade.max(1),
            _ => 0,
        },
    };
    counts.iter().map(cell).collect()
}

fn platform_rows(tallies: &[Tally]) -> Vec<PlatformRow> {
    let named = by_size(tallies, |tally| &tally.platform).into_iter();
    let row = |(name, own): (&str, Vec<&Tally>)| platform_row(name, own.into_iter());
    named.map(row).collect()
}

fn platform_row<'a>(name: &str, own: impl Iterator<Item = &'a Tally> + Clone) -> PlatformRow {
    let of = |standing| count(own.clone().filter(|tally| tally.standing == standing));
    let [unreported, still_up, removed] = Standing::ALL.map(of);
    let fields = query(&[("platform", name)]);
    PlatformRow {
        name: name.to_owned(),
        total: unreported + still_up + removed,
        unreported,
        reported: still_up + removed,
        removed,
        still_up,
        share: share(removed, still_up + removed),
        href: format!("/removals?{fields}"),
        export_href: format!("/removals.csv?{fields}"),
    }
}

fn count<'a>(tallies: impl Iterator<Item = &'a Tally>) -> usize {
    tallies.map(|tally| tally.entries).sum()
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "–".into(),
        whole => format!("{:.0}\u{a0}%", 100.0 * part as f64 / whole as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(network: &str, platform: &str, standing: Standing, entries: usize) -> Tally {
        Tally {
            network: network.into(),
            platform: platform.into(),
            kind: "account",
            standing,
            entries,
        }
    }

    #[test]
    fn reported_is_removed_and_still_up() {
        let tallies = [
            tally("n", "x", Standing::Unreported, 5),
            tally("n", "x", Standing::Reported, 1),
            tally("", "x", Standing::Removed, 3),
        ];
        let rows = platform_rows(&tallies);
        let row = &rows[0];
        assert_eq!(
            (row.total, row.reported, row.removed, row.still_up),
            (9, 4, 3, 1)
        );
        assert_eq!(row.share, "75\u{a0}%");
        let (networks, _) = network_rows(&tallies, &heads(&tallies), "");
        assert_eq!(
            (networks[0].name.as_str(), networks[1].name.as_str()),
            ("n", "")
        );
    }

    #[test]
    fn the_largest_networks_are_shown_and_any_is_found_by_its_name() {
        let mut tallies: Vec<Tally> = (0..ROWS_MAX + 30)
            .map(|n| tally(&format!("Net {n}"), "x", Standing::Reported, n + 1))
            .collect();
        tallies.push(tally("", "x", Standing::Reported, 1));
        let (rows, left_out) = network_rows(&tallies, &heads(&tallies), "");
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((rows.len(), left_out), (ROWS_MAX + 1, 30));
        assert_eq!((names[0], names[ROWS_MAX]), ("Net 229", ""));
        let (found, left_out) = network_rows(&tallies, &heads(&tallies), "nET 7");
        let names: Vec<&str> = found.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names.len(), names[0], left_out), (11, "Net 79", 0));
        for (asked, name) in [
            ("ΟΔΟΣ", "ΟΔΟΣΑ"),
            ("istanbul", "İstanbul"),
            ("🔥", "net 🔥"),
        ] {
            tallies.push(tally(name, "x", Standing::Reported, 1));
            let (found, _) = network_rows(&tallies, &heads(&tallies), asked);
            assert_eq!((found.len(), found[0].name.as_str()), (1, name));
        }
    }

    #[test]
    fn many_platforms_share_a_column() {
        let tallies: Vec<Tally> = (0..12)
            .map(|n| tally("n", &format!("p{n}"), Standing::Reported, 12 - n))
            .collect();
        let heads = heads(&tallies);
        assert_eq!((heads.len(), heads[7].as_str()), (8, "other"));
        let row = &network_rows(&tallies, &heads, "").0[0];
        assert_eq!(row.platforms[7].told, "15");
    }
}

//! Networks counted by platform and kind, and how far each platform has come with its removals.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::desk::Desk;
use crate::serve::console::form::query;
use crate::serve::console::gate::Visitor;
use crate::serve::console::routes::Room;
use crate::serve::console::values::{Standing, Tally};
use crate::serve::console::when::grouped;

/// Platforms with a column of their own; the rest are counted together.
const PLATFORMS_SHOWN: usize = 8;
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
    heads: Vec<String>,
    kinds: [&'static str; KINDS.len()],
    networks: Vec<NetworkRow>,
    platforms: Vec<PlatformRow>,
    sum: PlatformRow,
}

/// `GET /networks`
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let tallies = room.ask(|desk| desk.networks()).await?;
    let tallies = tallies.ok_or(Refusal::Busy)?;
    let heads = heads(&tallies);
    page(&NetworksPage {
        shell: Shell::of(&visitor, "networks", "Networks"),
        networks: network_rows(&tallies, &heads),
        heads,
        kinds: KINDS,
        platforms: platform_rows(&tallies),
        sum: platform_row("", tallies.iter()),
    })
}

/// Names by how many entries each has, the most first.
fn by_size<'a>(tallies: &'a [Tally], name: impl Fn(&'a Tally) -> &'a str) -> Vec<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tally in tallies {
        *counts.entry(name(tally)).or_default() += tally.entries;
    }
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    names.into_iter().map(|(name, _)| name).collect()
}

fn heads(tallies: &[Tally]) -> Vec<String> {
    let mut heads: Vec<String> = by_size(tallies, |tally| &tally.platform)
        .into_iter()
        .map(|name| {
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

fn network_rows(tallies: &[Tally], heads: &[String]) -> Vec<NetworkRow> {
    let mut names = by_size(tallies, |tally| &tally.network);
    // Lone accounts are no network: they stand last.
    names.sort_by_key(|name| name.is_empty());
    let row = |name: &str| {
        let own = || tallies.iter().filter(move |tally| tally.network == name);
        let of_platform = |head: &String| {
            count(own().filter(|tally| match head.as_str() {
                "other" => !heads.contains(&tally.platform),
                "none" => tally.platform.is_empty(),
                head => tally.platform == head,
            }))
        };
        let platforms: Vec<usize> = heads.iter().map(of_platform).collect();
        let of_kind = |kind: &&str| count(own().filter(|tally| tally.kind == *kind));
        let kinds: Vec<usize> = KINDS.iter().map(of_kind).collect();
        let total = count(own());
        let removed = count(own().filter(|tally| tally.standing == Standing::Removed));
        NetworkRow {
            name: name.to_owned(),
            total: grouped(total as u64),
            platforms: cells(&platforms, total),
            kinds: cells(&kinds, total),
            removed: share(removed, total),
        }
    };
    names.into_iter().map(row).collect()
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
    let names = by_size(tallies, |tally| &tally.platform).into_iter();
    let row = |name| platform_row(name, tallies.iter().filter(|tally| tally.platform == name));
    names.map(row).collect()
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
        let networks = network_rows(&tallies, &heads(&tallies));
        assert_eq!(
            (networks[0].name.as_str(), networks[1].name.as_str()),
            ("n", "")
        );
    }

    #[test]
    fn many_platforms_share_a_column() {
        let tallies: Vec<Tally> = (0..12)
            .map(|n| tally("n", &format!("p{n}"), Standing::Reported, 12 - n))
            .collect();
        let heads = heads(&tallies);
        assert_eq!((heads.len(), heads[7].as_str()), (8, "other"));
        let row = &network_rows(&tallies, &heads)[0];
        assert_eq!(row.platforms[7].told, "15");
    }
}

//! The service in figures: what is screened and flagged, how often flags were wrong, how long it takes, how large it is.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::chart::{Chart, short};
use crate::serve::console::desk::Desk;
use crate::serve::console::gate::Visitor;
use crate::serve::console::routes::Room;
use crate::serve::console::values::{Bucket, Dashboard, Day, Hour};
use crate::serve::console::when::{day, grouped, plural};

/// One index and its share of all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexRow {
    /// Its name.
    pub name: &'static str,
    /// Its size, in words.
    pub told: String,
    /// Percent of the largest.
    pub share: f64,
}

#[derive(Template)]
#[template(path = "dashboard.html", config = "src/serve/console/askama.toml")]
struct DashboardPage {
    shell: Shell,
    /// Name, value, and what it says.
    figures: Vec<(&'static str, String, String)>,
    charts: Vec<Chart>,
    indexes: Vec<IndexRow>,
    index_sum: String,
    model: String,
}

/// `GET /dashboard`
pub(crate) async fn show<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let dashboard = room.ask(|desk| desk.dashboard()).await?;
    let stats = &dashboard.stats;
    let bytes: usize = stats.index_bytes.iter().map(|(_, bytes)| bytes).sum();
    page(&DashboardPage {
        shell: Shell::of(&visitor, "dashboard", "Dashboard"),
        figures: figures(&dashboard),
        charts: vec![
            signups(&dashboard.hours),
            flags(&dashboard.hours),
            false_flags(&dashboard.days),
            latency(&dashboard.latency),
        ],
        indexes: indexes(&stats.index_bytes),
        index_sum: sized(bytes),
        model: stats.model.clone(),
    })
}

fn figures(dashboard: &Dashboard) -> Vec<(&'static str, String, String)> {
    let stats = &dashboard.stats;
    let screened: u64 = dashboard.hours.iter().map(|hour| hour.screened).sum();
    let flagged: u64 = dashboard
        .hours
        .iter()
        .map(|hour| hour.review + hour.matched)
        .sum();
    let hours = dashboard.hours.len();
    let named = stats
        .networks
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .count();
    vec![
        (
            "Watchlist",
            grouped(u64::from(stats.entries)),
            format!("entries in {named} networks, change {}", grouped(stats.lsn)),
        ),
        (
            "Screened",
            grouped(screened),
            format!("accounts in {}", plural(hours as u64, "hour")),
        ),
        (
            "Flagged",
            grouped(flagged),
            match screened {
                0 => "nothing screened yet".into(),
                screened => format!(
                    "{:.2} in 100 screened",
                    100.0 * flagged as f64 / screened as f64
                ),
            },
        ),
        (
            "Waiting",
            grouped(dashboard.waiting as u64),
            "flags nobody has judged".into(),
        ),
        (
            "Median screen",
            quantile(&dashboard.latency, 0.5)
                .map_or("–".into(), |us| format!("≤\u{202f}{}", timed(us))),
            quantile(&dashboard.latency, 0.99).map_or("none timed yet".into(), |us| {
                format!("99 in 100 ≤\u{202f}{}", timed(us))
            }),
        ),
        (
            "On disk",
            sized(usize::try_from(stats.disk_bytes).unwrap_or(usize::MAX)),
            format!("{} segments", stats.segments),
        ),
    ]
}

fn signups(hours: &[Hour]) -> Chart {
    let bars: Vec<Vec<f64>> = hours
        .iter()
        .map(|hour| vec![hour.screened as f64])
        .collect();
    let all: u64 = hours.iter().map(|hour| hour.screened).sum();
    let most = hours.iter().map(|hour| hour.screened).max().unwrap_or(0);
    let chart = Chart {
        id: "signups",
        title: "Accounts screened by hour",
        summary: format!(
            "{} in {}, at most {} an hour.",
            grouped(all),
            plural(hours.len() as u64, "hour"),
            grouped(most)
        ),
        series: vec![("screened", "screened")],
        ..hourly(hours)
    };
    chart.with_bars(&bars, "")
}

fn flags(hours: &[Hour]) -> Chart {
    let bars: Vec<Vec<f64>> = hours
        .iter()
        .map(|hour| vec![(hour.review + hour.matched) as f64, hour.matched as f64])
        .collect();
    let sum = |of: fn(&Hour) -> u64| grouped(hours.iter().map(of).sum());
    let chart = Chart {
        id: "flags",
        title: "Flags by hour",
        summary: format!(
            "{} matches and {} for review.",
            sum(|hour| hour.matched),
            sum(|hour| hour.review)
        ),
        series: vec![("review", "review"), ("match", "match")],
        ..hourly(hours)
    };
    chart.with_bars(&bars, "")
}

/// Places and table that both charts of hours share.
fn hourly(hours: &[Hour]) -> Chart {
    let every = hours.len().div_ceil(6).max(1);
    let label = |at: usize| {
        let hour = hours.get(at).filter(|_| at.is_multiple_of(every))?;
        Some(hour.at.strftime("%-d %b %H:%M").to_string())
    };
    let row = |hour: &Hour| {
        let counts = [hour.screened, hour.review, hour.matched].map(grouped);
        let mut row = vec![hour.at.strftime("%Y-%m-%d %H:%M").to_string()];
        row.extend(counts);
        row
    };
    let chart = Chart {
        head: vec!["hour (UTC)", "screened", "review", "match"],
        table: hours.iter().map(row).collect(),
        ..Chart::default()
    };
    chart.with_places(hours.len(), label)
}

fn false_flags(days: &[Day]) -> Chart {
    let share = |day: &Day| {
        let told = day.mirrors + day.not_mirrors;
        (told > 0).then(|| 100.0 * day.not_mirrors as f64 / told as f64)
    };
    let shares: Vec<Option<f64>> = days.iter().map(share).collect();
    let told: u64 = days.iter().map(|day| day.mirrors + day.not_mirrors).sum();
    let wrong: u64 = days.iter().map(|day| day.not_mirrors).sum();
    let summary = match told {
        0 => "Nothing was judged in these days.".into(),
        told => format!(
            "{} of {} flags judged were no mirrors: {:.0} %.",
            grouped(wrong),
            grouped(told),
            100.0 * wrong as f64 / told as f64
        ),
    };
    let every = days.len().div_ceil(6).max(1);
    let row = |at: &Day| {
        let mut row = vec![day(at.at)];
        row.extend([at.mirrors, at.not_mirrors, at.unsure].map(grouped));
        row.push(share(at).map_or("–".into(), |share| format!("{share:.0} %")));
        row
    };
    let chart = Chart {
        id: "false-flags",
        title: "Flags judged not a mirror",
        summary,
        series: vec![("wrong", "share of the flags judged that day")],
        head: vec![
            "day (UTC)",
            "mirror",
            "not a mirror",
            "unsure",
            "false flags",
        ],
        table: days.iter().map(row).collect(),
        ..Chart::default()
    };
    let label = |at: usize| {
        let found = days.get(at).filter(|_| at.is_multiple_of(every))?;
        Some(found.at.strftime("%-d %b").to_string())
    };
    chart
        .with_places(days.len(), label)
        .with_line(&shares, 10.0, "\u{a0}%")
}

fn latency(buckets: &[Bucket]) -> Chart {
    let bars: Vec<Vec<f64>> = buckets
        .iter()
        .map(|bucket| vec![bucket.count as f64])
        .collect();
    let summary = match (quantile(buckets, 0.5), quantile(buckets, 0.99)) {
        (Some(half), Some(most)) => {
            format!(
                "Half up to {}, 99 in 100 up to {}.",
                timed(half),
                timed(most)
            )
        }
        _ => "No screen was timed yet.".into(),
    };
    let every = buckets.len().div_ceil(8).max(1);
    let label = |at: usize| {
        let bucket = buckets.get(at).filter(|_| at.is_multiple_of(every))?;
        Some(timed(bucket.up_to_us))
    };
    let row = |bucket: &Bucket| vec![timed(bucket.up_to_us), grouped(bucket.count)];
    let chart = Chart {
        id: "latency",
        title: "Time of a screen",
        summary,
        series: vec![("screened", "screens up to this time")],
        head: vec!["up to", "screens"],
        table: buckets.iter().map(row).collect(),
        ..Chart::default()
    };
    chart.with_places(buckets.len(), label).with_bars(&bars, "")
}

/// The bound within which that share of all lies.
fn quantile(buckets: &[Bucket], share: f64) -> Option<u64> {
    let all: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    let wanted = (all as f64 * share).ceil() as u64;
    let mut seen = 0;
    let found = buckets.iter().find(|bucket| {
        seen += bucket.count;
        seen >= wanted && all > 0
    });
    found.map(|bucket| bucket.up_to_us)
}

fn indexes(bytes: &[(&'static str, usize)]) -> Vec<IndexRow> {
    let most = bytes
        .iter()
        .map(|(_, bytes)| *bytes)
        .max()
        .unwrap_or(0)
        .max(1);
    let mut rows: Vec<_> = bytes.iter().filter(|(_, bytes)| *bytes > 0).collect();
    rows.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let row = |(name, bytes): &(&'static str, usize)| IndexRow {
        name,
        told: sized(*bytes),
        share: (1000.0 * *bytes as f64 / most as f64).round() / 10.0,
    };
    rows.into_iter().map(row).collect()
}

/// Microseconds in words.
fn timed(us: u64) -> String {
    if us == u64::MAX {
        return "longer".into();
    }
    match us as f64 {
        us if us >= 1e6 => format!("{} s", short(us / 1e6)),
        us if us >= 1e3 => format!("{} ms", short(us / 1e3)),
        us => format!("{us:.0} µs"),
    }
}

/// Bytes in words.
fn sized(bytes: usize) -> String {
    match bytes as f64 {
        bytes if bytes >= 1e9 => format!("{:.1} GB", bytes / 1e9),
        bytes if bytes >= 1e6 => format!("{:.1} MB", bytes / 1e6),
        bytes if bytes >= 1e3 => format!("{:.0} kB", bytes / 1e3),
        bytes => format!("{bytes:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_bounds() {
        let bucket = |up_to_us, count| Bucket { up_to_us, count };
        let buckets = [bucket(100, 50), bucket(200, 49), bucket(400, 1)];
        assert_eq!(quantile(&buckets, 0.5), Some(100));
        assert_eq!(quantile(&buckets, 0.99), Some(200));
        assert_eq!(quantile(&buckets, 1.0), Some(400));
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!([timed(80), timed(1_500)], ["80 µs", "1.5 ms"]);
    }
}

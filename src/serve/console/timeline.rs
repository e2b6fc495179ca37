//! Past returns of an entry on a line of time, from its ban to now.

use jiff::Timestamp;

use crate::serve::console::form::segment;
use crate::serve::console::person::label;
use crate::serve::console::values::Decision;
use crate::serve::console::when::day;

/// As wide as the page, so that its letters are as large as the page's.
const WIDTH: f64 = 1_080.0;
const LEFT: f64 = 12.0;
/// Dots nearer than this stand above each other.
const APART: f64 = 13.0;
const LANES_MAX: usize = 8;
const LANE: f64 = 14.0;
const TICKS: u32 = 6;

/// A flag on the line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dot {
    /// Centre.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// Its page.
    pub href: String,
    /// In words.
    pub title: String,
    /// `mirror`, `not_mirror`, `unsure` or `open`.
    pub class: &'static str,
}

/// A day on the line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// Where.
    pub x: f64,
    /// Its name.
    pub label: String,
    /// SVG's `text-anchor`.
    pub anchor: &'static str,
}

/// The drawing.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Timeline {
    /// In units of the drawing.
    pub height: f64,
    /// Where the line is.
    pub line: f64,
    /// The flags.
    pub dots: Vec<Dot>,
    /// Days.
    pub ticks: Vec<Tick>,
    /// Where the ban is, when it is known.
    pub ban: Option<f64>,
}

impl Timeline {
    /// Draws the flags of one entry. O(flags).
    pub(crate) fn of(
        decisions: &[Decision],
        entry: &str,
        banned_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let first = decisions.iter().map(|flag| flag.at).chain(banned_at).min();
        let start = first.unwrap_or(now).as_second();
        let end = now.as_second().max(start + 3_600);
        let x = |at: Timestamp| {
            let share = (at.as_second() - start) as f64 / (end - start) as f64;
            ((LEFT + share.clamp(0.0, 1.0) * (WIDTH - 2.0 * LEFT)) * 10.0).round() / 10.0
        };
        let mut flags: Vec<&Decision> = decisions.iter().collect();
        flags.sort_by_key(|flag| flag.at);
        let mut lanes: Vec<f64> = Vec::new();
        let mut dots: Vec<(usize, Dot)> = Vec::new();
        for flag in flags {
            let x = x(flag.at);
            let free = lanes.iter().position(|last| x - last >= APART);
            let lane = free.unwrap_or(lanes.len()).min(LANES_MAX - 1);
            match lanes.get_mut(lane) {
                Some(last) => *last = x,
                None => lanes.push(x),
            }
            dots.push((lane, dot(flag, entry, x)));
        }
        let line = 14.0 + LANE * lanes.len().max(1) as f64;
        let raised = |(lane, dot): (usize, Dot)| Dot {
            y: line - LANE * lane as f64 - 10.0,
            ..dot
        };
        Self {
            height: line + 24.0,
            line,
            dots: dots.into_iter().map(raised).collect(),
            ticks: ticks(start, end),
            ban: banned_at.map(x),
        }
    }
}

fn dot(flag: &Decision, entry: &str, x: f64) -> Dot {
    let said = flag
        .judgments
        .iter()
        .find(|said| said.entry().as_str() == entry);
    let class = said.map_or("open", |said| said.answer.as_str());
    let words = said.map_or_else(|| "not judged".into(), |said| said.in_words());
    Dot {
        x,
        y: 0.0,
        href: format!("/decisions/{}", segment(&flag.id)),
        title: format!("{}, {}: {words}", label(&flag.probe), day(flag.at)),
        class,
    }
}

fn ticks(start: i64, end: i64) -> Vec<Tick> {
    let within = end - start < 172_800;
    let tick = |n: u32| {
        let share = f64::from(n) / f64::from(TICKS - 1);
        let at = start + (share * (end - start) as f64) as i64;
        let at = Timestamp::from_second(at).unwrap_or_default();
        let anchor = match n {
            0 => "start",
            n if n + 1 == TICKS => "end",
            _ => "middle",
        };
        Tick {
            x: LEFT + share * (WIDTH - 2.0 * LEFT),
            label: match within {
                true => at.strftime("%-d %b %H:%M").to_string(),
                false => day(at),
            },
            anchor,
        }
    };
    (0..TICKS).map(tick).collect()
}

//! Bits as bars: how the prior and each row of evidence add up to the score.
//!
//! A waterfall: every bar begins where the sum so far ends, all on one scale, so that the eye adds them and sees which
//! threshold the last one crosses. Coordinates are in percent of the width.

use crate::serve::console::told::ToldHit;
use crate::verdict::Thresholds;

/// Room left and right of what is drawn, as a share of its width.
const MARGIN: f64 = 0.03;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// Left edge.
    pub x: f64,
    /// Width.
    pub width: f64,
    /// Where the sum stands after it.
    pub end: f64,
    /// `for`, `against`, `none` or `prior`.
    pub class: &'static str,
    /// `+7.9`.
    pub told: String,
}

/// The bars of one pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Waterfall {
    /// The prior.
    pub prior: Option<Bar>,
    /// One for each row of evidence, in order.
    pub rows: Vec<Bar>,
    /// Where nothing speaks for or against: an even chance.
    pub even: f64,
    /// Thresholds, where they are known.
    pub marks: Vec<Threshold>,
}

/// A threshold on the scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Threshold {
    /// Where.
    pub x: f64,
    /// `review` or `match`.
    pub name: &'static str,
    /// In bits.
    pub bits: String,
    /// SVG's `text-anchor`, so that its name stays inside.
    pub anchor: &'static str,
}

impl Waterfall {
    /// The bars of `hit`.
    pub(crate) fn of(hit: &ToldHit, thresholds: Option<Thresholds>) -> Self {
        let limits = thresholds.map(|found| {
            [
                ("review", f64::from(found.review)),
                ("match", f64::from(found.matching)),
            ]
        });
        let mut sums = vec![hit.prior_bits];
        for row in &hit.evidence {
            sums.push(sums.last().copied().unwrap_or_default() + row.bits);
        }
        let others = limits.iter().flatten().map(|(_, bits)| *bits);
        let points: Vec<f64> = sums.iter().copied().chain(others).chain([0.0]).collect();
        let scale = Scale::of(&points);
        let mut bars = sums.iter().zip(sums.iter().skip(1));
        let rows = bars
            .by_ref()
            .map(|(from, to)| scale.bar(*from, *to, side(to - from)))
            .collect();
        let marks = limits.into_iter().flatten().map(|(name, bits)| Threshold {
            x: scale.x(bits),
            name,
            bits: format!("{bits:.1}").replace('-', "\u{2212}"),
            // Away from each other, unless an edge is near.
            anchor: match (name, scale.x(bits)) {
                ("review", x) if x > 30.0 => "end",
                ("match", x) if x > 70.0 => "end",
                _ => "start",
            },
        });
        Self {
            prior: Some(scale.bar(0.0, hit.prior_bits, "prior")),
            rows,
            even: scale.x(0.0),
            marks: marks.collect(),
        }
    }
}

struct Scale {
    low: f64,
    span: f64,
}

impl Scale {
    fn of(points: &[f64]) -> Self {
        let low = points.iter().copied().fold(f64::INFINITY, f64::min);
        let high = points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let span = (high - low).max(1.0);
        Self {
            low: low - MARGIN * span,
            span: span * (1.0 + 2.0 * MARGIN),
        }
    }

    fn x(&self, bits: f64) -> f64 {
        rounded(100.0 * (bits - self.low) / self.span)
    }

    fn bar(&self, from: f64, to: f64, class: &'static str) -> Bar {
        let (left, right) = (self.x(from.min(to)), self.x(from.max(to)));
        Bar {
            x: left,
            width: rounded((right - left).max(0.4)),
            end: self.x(to),
            class,
            told: signed(to - from),
        }
    }
}

/// For or against, as far as it is told.
fn side(bits: f64) -> &'static str {
    match bits {
        bits if bits >= 0.05 => "for",
        bits if bits <= -0.05 => "against",
        _ => "none",
    }
}

/// `+7.9`, `−1.1`, `0.0`; with a true minus sign.
pub(crate) fn signed(bits: f64) -> String {
    match format!("{bits:+.1}").as_str() {
        "+0.0" | "-0.0" => "0.0".into(),
        told => told.replace('-', "\u{2212}"),
    }
}

/// `99.9 %`, and never a certainty.
pub(crate) fn percent(probability: f64) -> String {
    match 100.0 * probability {
        high if high > 99.99 => "over 99.99\u{a0}%".into(),
        low if low < 0.01 => "under 0.01\u{a0}%".into(),
        edge if edge > 99.0 => format!("{edge:.2}\u{a0}%"),
        middle => format!("{middle:.1}\u{a0}%"),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::console::told::ToldRow;

    #[test]
    fn bars_begin_where_the_last_ended() {
        let row = |bits| ToldRow {
            bits,
            ..ToldRow::default()
        };
        let hit = ToldHit {
            prior_bits: -20.0,
            evidence: vec![row(30.0), row(-2.0)],
            ..ToldHit::default()
        };
        let drawn = Waterfall::of(
            &hit,
            Some(Thresholds {
                review: 1.0,
                matching: 6.0,
            }),
        );
        let prior = drawn.prior.unwrap();
        assert_eq!(prior.end, drawn.rows[0].x);
        assert_eq!(drawn.rows[0].end, drawn.rows[1].x + drawn.rows[1].width);
        assert_eq!(
            (drawn.rows[1].class, drawn.rows[1].told.as_str()),
            ("against", "\u{2212}2.0")
        );
        assert!(drawn.even < drawn.marks[0].x && drawn.marks[0].x < drawn.marks[1].x);
    }

    #[test]
    fn nothing_is_certain() {
        assert_eq!(percent(1.0), "over 99.99\u{a0}%");
        assert_eq!(percent(0.9973), "99.73\u{a0}%");
        assert_eq!(signed(-0.01), "0.0");
    }
}

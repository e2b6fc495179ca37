//! Small charts drawn on the server: bars, stacks and a line, with their figures as a table beside them.
//!
//! Coordinates are those of a drawing 640 wide; scales begin at zero and end at a round number.

/// Width of every drawing.
pub(crate) const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// Widest bar.
const BAR_MAX: f64 = 46.0;

/// A bar or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Its series.
    pub class: &'static str,
}

/// A value on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// Where, along its axis.
    pub at: f64,
    /// What stands there.
    pub label: String,
}

/// A drawing and its figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Chart {
    /// Names it in the page.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it shows, in a sentence: the drawing for those who do not see it.
    pub summary: String,
    /// Bars, the later drawn over the earlier.
    pub blocks: Vec<Block>,
    /// A line through all points, as SVG's `points`; empty for none.
    pub line: String,
    /// Dots of the line.
    pub dots: Vec<(f64, f64)>,
    /// Beneath.
    pub xs: Vec<Tick>,
    /// At the left.
    pub ys: Vec<Tick>,
    /// Class and name of each series.
    pub series: Vec<(&'static str, &'static str)>,
    /// Heads of the table.
    pub head: Vec<&'static str>,
    /// Its rows.
    pub table: Vec<Vec<String>>,
}

impl Chart {
    /// Where the drawing of values ends below.
    pub(crate) fn floor(&self) -> f64 {
        HEIGHT - BOTTOM
    }

    /// Bars of several series, each drawn from the floor over the one before: give the sums first.
    pub(crate) fn with_bars(mut self, bars: &[Vec<f64>], unit: &str) -> Self {
        let high = bars.iter().flatten().copied().fold(0.0, f64::max);
        let scale = Scale::of(high);
        let step = (WIDTH - LEFT - RIGHT) / bars.len().max(1) as f64;
        // A young service has few bars: they stay bars.
        let gap = (step - BAR_MAX).max(if step > 6.0 { 2.0 } else { step / 4.0 });
        for (at, values) in bars.iter().enumerate() {
            let classes = self.series.iter().map(|(class, _)| *class);
            let blocks = values
                .iter()
                .zip(classes)
                .filter(|(value, _)| **value > 0.0);
            self.blocks.extend(blocks.map(|(value, class)| {
                // What happened once among a million is still seen.
                let height = (scale.share(*value) * (HEIGHT - TOP - BOTTOM)).max(1.5);
                Block {
                    x: rounded(LEFT + at as f64 * step + gap / 2.0),
                    y: rounded(HEIGHT - BOTTOM - height),
                    width: rounded(step - gap),
                    height: rounded(height),
                    class,
                }
            }));
        }
        self.ys = scale.ticks(unit);
        self
    }

    /// A line through values on a scale to `least` or more; `None` where there is nothing to tell.
    pub(crate) fn with_line(mut self, values: &[Option<f64>], least: f64, unit: &str) -> Self {
        let scale = Scale::of(values.iter().flatten().copied().fold(least, f64::max));
        let step = (WIDTH - LEFT - RIGHT) / values.len().max(1) as f64;
        let points = values.iter().enumerate().filter_map(|(at, value)| {
            let x = rounded(LEFT + (at as f64 + 0.5) * step);
            value.map(|value| (x, scale.y(value)))
        });
        self.dots = points.collect();
        let told: Vec<String> = self.dots.iter().map(|(x, y)| format!("{x},{y}")).collect();
        self.line = told.join(" ");
        self.ys = scale.ticks(unit);
        self
    }

    /// Labels beneath: of `len` places those at which `label` gives one.
    pub(crate) fn with_places(
        mut self,
        len: usize,
        label: impl Fn(usize) -> Option<String>,
    ) -> Self {
        let step = (WIDTH - LEFT - RIGHT) / len.max(1) as f64;
        let ticks = (0..len).filter_map(|at| {
            label(at).map(|label| Tick {
                at: rounded(LEFT + (at as f64 + 0.5) * step),
                label,
            })
        });
        self.xs = ticks.collect();
        self
    }
}

struct Scale {
    top: f64,
    step: f64,
}

impl Scale {
    /// From zero to a round number at or above `high`, in two to five steps.
    fn of(high: f64) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        let magnitude = 10f64.powf((high / 4.0).log10().floor());
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * magnitude);
        let step = steps
            .into_iter()
            .find(|step| high / step <= 4.0)
            .unwrap_or(high);
        Self {
            top: (high / step).ceil() * step,
            step,
        }
    }

    fn share(&self, value: f64) -> f64 {
        value / self.top
    }

    fn y(&self, value: f64) -> f64 {
        rounded(HEIGHT - BOTTOM - self.share(value) * (HEIGHT - TOP - BOTTOM))
    }

    fn ticks(&self, unit: &str) -> Vec<Tick> {
        let count = (self.top / self.step).round() as u32;
        let tick = |n: u32| {
            let value = f64::from(n) * self.step;
            Tick {
                at: self.y(value),
                label: format!("{}{unit}", short(value)),
            }
        };
        (0..=count).map(tick).collect()
    }
}

/// A number in few characters: `1.5k`, `20M`.
pub(crate) fn short(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e9 => (value / 1e9, "G"),
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e3 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let told = format!("{value:.2}");
    let told = told.trim_end_matches('0').trim_end_matches('.');
    format!("{told}{unit}")
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (high, top) in [
            (0.0, 1.0),
            (3.0, 3.0),
            (7.0, 8.0),
            (97.0, 100.0),
            (1_234.0, 1_500.0),
        ] {
            assert_eq!(Scale::of(high).top, top, "{high}");
        }
        assert_eq!(
            [short(1_500.0), short(0.25), short(2e7)],
            ["1.5k", "0.25", "20M"]
        );
    }

    #[test]
    fn bars_stand_on_the_floor() {
        let chart = Chart {
            series: vec![("a", "all"), ("b", "some")],
            ..Chart::default()
        };
        let chart = chart.with_bars(&[vec![4.0, 1.0], vec![0.0, 0.0]], "");
        assert_eq!(chart.blocks.len(), 2);
        assert!(
            chart
                .blocks
                .iter()
                .all(|block| block.y + block.height == chart.floor())
        );
    }
}

//! Logistic regression on one number, in bits.

/// Cases at one place: how many were so, how many were not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// Where.
    pub(crate) x: f64,
    /// Known log2 odds, added to the line.
    pub(crate) offset: f64,
    /// Weight of the cases that were so.
    pub(crate) yes: f64,
    /// Weight of those that were not.
    pub(crate) no: f64,
}

/// Steps of Newton's method; it converges in a dozen.
const STEPS: usize = 60;
/// Halvings of a step that would make things worse.
const HALVINGS: usize = 30;
/// A gain below this is none.
const GAIN_MIN: f64 = 1e-9;

/// A line of log2 odds, with the normal priors it is drawn to.
struct Fit<'s> {
    samples: &'s [Sample],
    near: (f64, f64),
    precision: (f64, f64),
}

/// The line `base + slope x` of log2 odds that fits `samples` best, with normal priors around `near` of the standard
/// deviations `spread`. Newton's method, steps halved until they gain; total.
pub(crate) fn line(samples: &[Sample], near: (f64, f64), spread: (f64, f64)) -> (f64, f64) {
    let precision = (spread.0.powi(-2), spread.1.powi(-2));
    let fit = Fit {
        samples,
        near,
        precision,
    };
    let (mut at, mut loss) = (near, fit.loss(near));
    for _ in 0..STEPS {
        let step = fit.step(at);
        let shorter = (0..HALVINGS).map(|halvings| 0.5f64.powi(halvings as i32));
        let tried = shorter.map(|part| (at.0 - part * step.0, at.1 - part * step.1));
        let better = tried
            .map(|point| (point, fit.loss(point)))
            .find(|(_, other)| *other < loss - GAIN_MIN);
        match better {
            Some(found) => (at, loss) = found,
            None => break,
        }
    }
    at
}

impl Fit<'_> {
    /// Cross-entropy in nats, and what leaving the prior costs.
    fn loss(&self, (base, slope): (f64, f64)) -> f64 {
        let off = (base - self.near.0, slope - self.near.1);
        let prior = self.precision.0 * off.0 * off.0 + self.precision.1 * off.1 * off.1;
        let of = |sample: &Sample| {
            let odds = std::f64::consts::LN_2 * (base + slope * sample.x + sample.offset);
            // ln(1 + e^odds), without overflow.
            let both = odds.max(0.0) + (-odds.abs()).exp().ln_1p();
            (sample.yes + sample.no) * both - sample.yes * odds
        };
        prior / 2.0 + self.samples.iter().map(of).sum::<f64>()
    }

    /// Newton's step.
    fn step(&self, (base, slope): (f64, f64)) -> (f64, f64) {
        let ln2 = std::f64::consts::LN_2;
        let (near, precision) = (self.near, self.precision);
        let mut gradient = (
            precision.0 * (base - near.0),
            precision.1 * (slope - near.1),
        );
        let (mut aa, mut ab, mut bb) = (precision.0, 0.0, precision.1);
        for sample in self.samples {
            let odds = ln2 * (base + slope * sample.x + sample.offset);
            let p = 1.0 / (1.0 + (-odds).exp());
            let weight = sample.yes + sample.no;
            let off = (weight * p - sample.yes) * ln2;
            gradient.0 += off;
            gradient.1 += off * sample.x;
            let curve = weight * p * (1.0 - p) * ln2 * ln2;
            aa += curve;
            ab += curve * sample.x;
            bb += curve * sample.x * sample.x;
        }
        let determinant = aa * bb - ab * ab;
        (
            (bb * gradient.0 - ab * gradient.1) / determinant,
            (aa * gradient.1 - ab * gradient.0) / determinant,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let odds = |x: f64| -3.0 + 0.7 * x;
        let samples: Vec<Sample> = (0..40)
            .map(|n| {
                let x = f64::from(n) / 2.0;
                let p = 1.0 / (1.0 + (-odds(x)).exp2());
                Sample {
                    x,
                    offset: 0.0,
                    yes: 1_000.0 * p,
                    no: 1_000.0 * (1.0 - p),
                }
            })
            .collect();
        let (base, slope) = line(&samples, (0.0, 1.0), (10.0, 10.0));
        assert!(
            (base + 3.0).abs() < 0.05 && (slope - 0.7).abs() < 0.01,
            "{base} {slope}"
        );
    }

    #[test]
    fn nothing_seen_moves_nothing() {
        assert_eq!(line(&[], (2.0, 0.5), (1.0, 0.1)), (2.0, 0.5));
    }
}

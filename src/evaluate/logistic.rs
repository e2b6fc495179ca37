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

/// Steps of Newton's method; it converges in a dozen or is damped.
const STEPS: usize = 60;
/// Longest step, in units of the spread.
const STEP_MAX: f64 = 1.0;

/// The line `base + slope x` of log2 odds that fits `samples` best, with normal priors around `near` of the standard
/// deviations `spread`. Newton's method with bounded steps; total.
pub(crate) fn line(samples: &[Sample], near: (f64, f64), spread: (f64, f64)) -> (f64, f64) {
    let ln2 = std::f64::consts::LN_2;
    let (mut base, mut slope) = near;
    let precision = (1.0 / spread.0.powi(2), 1.0 / spread.1.powi(2));
    for _ in 0..STEPS {
        let mut gradient = (
            precision.0 * (base - near.0),
            precision.1 * (slope - near.1),
        );
        let (mut aa, mut ab, mut bb) = (precision.0, 0.0, precision.1);
        for sample in samples {
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
        let step = (
            (bb * gradient.0 - ab * gradient.1) / determinant,
            (aa * gradient.1 - ab * gradient.0) / determinant,
        );
        let longest = (step.0 / spread.0).abs().max((step.1 / spread.1).abs());
        if !longest.is_finite() || longest < 1e-9 {
            break;
        }
        let damped = (STEP_MAX / longest).min(1.0);
        base -= damped * step.0;
        slope -= damped * step.1;
    }
    (base, slope)
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

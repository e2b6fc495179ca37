//! What a threshold costs: how often strangers agree by so many bits, as observed.
//!
//! The curve is of pairs, not of probes, so that it serves a list of any length: a probe meets as many strangers as there
//! are entries, and the chance that one of them agrees by that much is the rate of pairs times the entries.

/// Ranks of the best strangers' pairs at which the curve is kept; fewer are no rate yet.
const RANKS: [usize; 13] = [
    5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000,
];
/// Bits a threshold rises by for each halving of a rate rarer than any observed. Where likelihood ratios are honest one
/// is enough (Wald 1945: P(score >= s) <= mirrors_per_signup x 2^-s); half as much again pays for tails that are not.
const RARER_BITS: f32 = 1.5;

/// Rates are kept to three digits after the point: what differs by no more is the same rate.
const KEPT_STEP: f32 = 0.001;

/// Points of rate (log2 of the share of strangers' pairs) and the bits of evidence reached at it, the rarest first. Empty
/// where nothing was observed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Dial(Vec<(f32, f32)>);

impl Dial {
    /// A curve of points, in any order.
    pub(crate) fn of(mut points: Vec<(f32, f32)>) -> Self {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(points)
    }

    /// Rates and bits.
    pub(crate) fn points(&self) -> &[(f32, f32)] {
        &self.0
    }

    /// The curve of the best strangers' pairs, by the bits of their evidence, of `pairs` in all. O(n log n).
    pub(crate) fn observed(mut bits: Vec<f32>, pairs: f64) -> Self {
        bits.sort_by(|a, b| b.total_cmp(a));
        let of = |rank: usize| {
            // Half way to the next one, so that this one is the last that passes.
            let (last, next) = (bits.get(rank - 1)?, bits.get(rank)?);
            Some(((rank as f64 / pairs).log2() as f32, (last + next) / 2.0))
        };
        Self(RANKS.into_iter().filter_map(of).collect())
    }

    /// This curve, and for rates rarer than it knows the ones of `known`, where they ask for more.
    pub(crate) fn or(self, known: &Dial) -> Self {
        let Some(first) = self.0.first().copied() else {
            return known.clone();
        };
        let rarer = known
            .0
            .iter()
            .filter(|point| point.0 < first.0 - KEPT_STEP && point.1 >= first.1);
        Self(rarer.copied().chain(self.0.iter().copied()).collect())
    }

    /// The bits that strangers' pairs reach at `rate` (log2 of a share of pairs); `None` where nothing was observed. Between
    /// two points by the logarithm of the rate.
    pub(crate) fn bits(&self, rate: f32) -> Option<f32> {
        let (first, last) = (self.0.first()?, self.0.last()?);
        if rate <= first.0 {
            return Some(first.1 + RARER_BITS * (first.0 - rate));
        }
        if rate >= last.0 {
            return Some(last.1 - (rate - last.0));
        }
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        let around = pairs.into_iter().find(|(_, commoner)| rate <= commoner.0);
        around.map(|(rarer, commoner)| {
            let share = (rate - rarer.0) / (commoner.0 - rarer.0).max(f32::EPSILON);
            rarer.1 + share * (commoner.1 - rarer.1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_pass_as_were_asked_for() {
        let bits: Vec<f32> = (0..100_000).map(|n| -(n as f32) / 100.0).collect();
        let dial = Dial::observed(bits.clone(), 1e6);
        for wanted in [5, 40, 300, 7_000] {
            let threshold = dial.bits((f64::from(wanted) / 1e6).log2() as f32).unwrap();
            let passed = bits.iter().filter(|bits| **bits >= threshold).count() as f32;
            assert!(
                (0.8..=1.25).contains(&(passed / wanted as f32)),
                "{wanted}: {passed}"
            );
        }
        assert!(dial.bits(-30.0) > dial.bits(-20.0) && dial.bits(-1.0) < dial.bits(-4.0));
        assert_eq!(Dial::default().bits(-20.0), None);
        let known = Dial::of(vec![(-30.0, 28.0), (-25.0, 20.0), (-3.0, 2.0)]);
        assert_eq!(dial.clone().or(&known).bits(-30.0), Some(28.0));
        let (rate, bits) = dial.points()[0];
        let same = Dial::of(vec![((rate * 1e3).floor() / 1e3, bits + 1.0)]);
        assert_eq!(dial.clone().or(&same), dial, "the same rate is kept once");
    }
}

//! What a threshold costs: false flags in 10,000 ordinary signups, as observed.

/// Fewest ordinary scores above a threshold for its cost to be known.
const OBSERVED_MIN: usize = 5;
/// Costs at which thresholds are kept, in false flags per 10,000 ordinary signups.
const COSTS: [f32; 10] = [0.1, 0.3, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0];
/// Bits a threshold rises by for each halving of a cost rarer than any observed. Where likelihood ratios are honest one
/// is enough (Wald 1945: P(score >= s) <= mirrors_per_signup x 2^-s); twice that pays for tails that are not.
const RARER_BITS: f32 = 2.0;
/// Bits by which the scores of ordinary signups are taken to stay below Wald's bound where none were observed.
const SLACK_BITS: f32 = 2.0;

/// Thresholds by cost, the cheapest first. Empty where nothing was observed: then the bound for likelihood ratios holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Dial(Vec<(f32, f32)>);

impl Dial {
    /// Thresholds by cost, the cheapest first.
    pub(crate) fn of(mut points: Vec<(f32, f32)>) -> Self {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(points)
    }

    /// Costs and thresholds.
    pub(crate) fn points(&self) -> &[(f32, f32)] {
        &self.0
    }

    /// The thresholds that the top scores of ordinary probes ask for. O(n log n).
    pub(crate) fn observed(mut scores: Vec<f32>) -> Self {
        scores.sort_by(|a, b| b.total_cmp(a));
        let of = |cost: f32| {
            let above = (f64::from(cost) * scores.len() as f64 / 10_000.0) as usize;
            let known = above >= OBSERVED_MIN;
            // Half a bin above the last score that may pass, so that this one does not.
            let (last, next) = (scores.get(above.checked_sub(1)?)?, scores.get(above)?);
            known.then_some((cost, (last + next) / 2.0))
        };
        Self(COSTS.into_iter().filter_map(of).collect())
    }

    /// The threshold in bits that costs `cost` false flags in 10,000 ordinary signups. Between two observed costs by the
    /// logarithm of the cost.
    pub(crate) fn threshold(&self, cost: f32, mirrors_per_signup: f32) -> f32 {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return (mirrors_per_signup * 10_000.0 / cost).log2() - SLACK_BITS;
        };
        if cost <= first.0 {
            return first.1 + RARER_BITS * (first.0 / cost).log2();
        }
        if cost >= last.0 {
            return last.1 - (cost / last.0).log2();
        }
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        let around = pairs.into_iter().find(|(_, more)| cost <= more.0);
        around.map_or(last.1, |(less, more)| {
            let share = (cost / less.0).log2() / (more.0 / less.0).log2();
            less.1 + share * (more.1 - less.1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_lets_pass_what_it_costs() {
        let scores: Vec<f32> = (0..100_000).map(|n| -(n as f32) / 100.0).collect();
        let dial = Dial::observed(scores.clone());
        for cost in [1.0, 4.0, 10.0, 100.0] {
            let threshold = dial.threshold(cost, 0.002);
            let passed = scores.iter().filter(|score| **score >= threshold).count();
            assert!(
                (passed as f32 - cost * 10.0).abs() <= cost,
                "{cost}: {passed}"
            );
        }
        assert!(dial.threshold(0.01, 0.002) > dial.threshold(0.1, 0.002));
    }

    #[test]
    fn without_observations_the_bound_holds() {
        let dial = Dial::default();
        assert!(dial.threshold(1.0, 0.002) > dial.threshold(10.0, 0.002));
    }
}

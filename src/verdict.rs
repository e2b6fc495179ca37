//! The machine's answer: two thresholds on the score, set as a cost.

use crate::score::model::Model;

/// `review` costs ten times the false flags of `match`.
const REVIEW_FACTOR: f32 = 10.0;
/// The machine's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing on the watchlist is near enough.
    Clear,
    /// A person should look.
    Review,
    /// A mirror at the set cost; still a flag, never a ban.
    Match,
}

impl Verdict {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Review => "review",
            Self::Match => "match",
        }
    }
}

/// Thresholds in bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    threshold_review: f32,
    threshold_match: f32,
}

impl Policy {
    /// Thresholds that cost `false_flags_per_10k` false `match` verdicts in 10,000 ordinary signups.
    pub fn of(false_flags_per_10k: f32, model: &Model) -> Self {
        let threshold = |cost: f32| model.dial.threshold(cost, model.mirrors_per_signup());
        Self {
            threshold_review: threshold(REVIEW_FACTOR * false_flags_per_10k),
            threshold_match: threshold(false_flags_per_10k),
        }
    }

    /// The verdict on a score in bits.
    pub fn decide(&self, score: f32) -> Verdict {
        match score {
            score if score >= self.threshold_match => Verdict::Match,
            score if score >= self.threshold_review => Verdict::Review,
            _ => Verdict::Clear,
        }
    }

    /// Lower threshold, in bits: hits from here on are reported.
    pub fn threshold_review(&self) -> f32 {
        self.threshold_review
    }

    /// Upper threshold, in bits.
    pub fn threshold_match(&self) -> f32 {
        self.threshold_match
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dearer_dial_flags_no_less() {
        let model = Model::default();
        let (strict, loose) = (Policy::of(0.1, &model), Policy::of(10.0, &model));
        assert!(strict.threshold_match() > loose.threshold_match());
        assert_eq!(loose.decide(loose.threshold_match()), Verdict::Match);
        assert_eq!(strict.decide(loose.threshold_match()), Verdict::Clear);
    }
}

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

    /// The verdict of a word of the contract.
    pub fn of_word(word: &str) -> Option<Self> {
        let verdicts = [Self::Clear, Self::Review, Self::Match];
        verdicts
            .into_iter()
            .find(|verdict| verdict.as_str() == word)
    }
}

/// How much a flag may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    false_flags_per_10k: f32,
}

/// Thresholds in bits, for a watchlist of one length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Hits from here on are reported.
    pub review: f32,
    /// From here on they are matches.
    pub matching: f32,
}

impl Policy {
    /// The policy that puts up with `false_flags_per_10k` false `match` verdicts in 10,000 ordinary signups.
    pub fn of(false_flags_per_10k: f32) -> Self {
        Self {
            false_flags_per_10k,
        }
    }

    /// False `match` verdicts put up with in 10,000 ordinary signups.
    pub fn false_flags_per_10k(&self) -> f32 {
        self.false_flags_per_10k
    }

    /// The thresholds that cost so much under `model` on a watchlist of `entries`.
    pub fn thresholds(&self, model: &Model, entries: u32) -> Thresholds {
        Thresholds {
            review: model.threshold(REVIEW_FACTOR * self.false_flags_per_10k, entries),
            matching: model.threshold(self.false_flags_per_10k, entries),
        }
    }
}

impl Thresholds {
    /// The verdict on a score in bits.
    pub fn decide(&self, score: f32) -> Verdict {
        match score {
            score if score >= self.matching => Verdict::Match,
            score if score >= self.review => Verdict::Review,
            _ => Verdict::Clear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dearer_dial_flags_no_less() {
        let model = Model::default();
        for entries in [1, 10_000, 300_000, 10_000_000] {
            let of = |cost: f32| Policy::of(cost).thresholds(&model, entries);
            let (strict, loose) = (of(0.1), of(10.0));
            assert!(strict.matching > loose.matching && loose.matching > loose.review);
            assert_eq!(loose.decide(loose.matching), Verdict::Match);
            assert_eq!(strict.decide(loose.matching), Verdict::Clear);
        }
    }
}

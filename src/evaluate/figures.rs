//! Figures over many trials: recall at a cost, precision, ranks, calibration.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::evaluate::trial::Trial;
use crate::verdict::Verdict;

/// Costs at which recall is told: one false flag in so many ordinary probes.
const COSTS: [usize; 3] = [1_000, 10_000, 100_000];
/// Bins of the reliability table.
const BINS: usize = 10;

/// Recall where one ordinary probe in `per` is flagged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct AtCost {
    /// One false flag in so many ordinary probes.
    pub per: usize,
    /// Scores above this are flagged, in bits.
    pub threshold_bits: f32,
    /// Ordinary probes flagged.
    pub false_flags: usize,
    /// Share of mirrors flagged.
    pub recall: f64,
    /// Share of mirrors flagged with the right entry first.
    pub recall_right_entry: f64,
    /// Share of the flagged that are mirrors, in the mixture of the file.
    pub precision: f64,
}

/// What the verdicts at the engine's dial did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct AtDial {
    /// False `match` verdicts in 10,000 ordinary probes.
    pub false_matches_per_10k: f64,
    /// False `match` or `review` verdicts in 10,000 ordinary probes.
    pub false_flags_per_10k: f64,
    /// Share of mirrors with verdict `match`.
    pub recall_match: f64,
    /// Share of mirrors with verdict `match` or `review`.
    pub recall_review: f64,
}

/// One bin of probabilities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Reliability {
    /// Upper edge of the bin.
    pub up_to: f64,
    /// Probes in it.
    pub probes: usize,
    /// Their mean probability, mirrors weighed to be as frequent as the model expects.
    pub predicted: f64,
    /// Share of them whose best entry is right, weighed alike.
    pub observed: f64,
}

/// Figures of one tactic, or of one kind of ordinary probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct TacticFigures {
    /// Its name.
    pub tactic: String,
    /// True where its probes are mirrors.
    pub is_mirror: bool,
    /// Probes.
    pub probes: usize,
    /// Share flagged at each cost of [`Figures::at_cost`]: recall for mirrors, false flags for others.
    pub flagged: Vec<f64>,
    /// Share with the right entry first, whatever the score.
    pub right_entry_first: f64,
    /// Median score, in bits.
    pub median_bits: f32,
}

/// False flags on the ordinary probes of one script.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ScriptFigures {
    /// The script.
    pub script: &'static str,
    /// Ordinary probes.
    pub probes: usize,
    /// Share flagged at each cost of [`Figures::at_cost`].
    pub flagged: Vec<f64>,
}

/// All figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// Ordinary probes.
    pub ordinary: usize,
    /// Mirrors.
    pub mirrors: usize,
    /// Recall at each cost.
    pub at_cost: Vec<AtCost>,
    /// Verdicts at the dial.
    pub at_dial: AtDial,
    /// Mean reciprocal rank of the right entry; 0 where it was not found.
    pub mean_reciprocal_rank: f64,
    /// Share of the flagged mirrors, at one false flag in 10,000, whose right entry is first.
    pub right_entry_of_flagged: f64,
    /// Expected calibration error: mean distance of predicted and observed, mirrors weighed to be as frequent as the model
    /// expects: probes picked for an evaluation hold far more of them than signups do.
    pub calibration_error: f64,
    /// Predicted and observed, by bin.
    pub reliability: Vec<Reliability>,
    /// Ordinary probes by script of their names: whom false flags hit.
    pub scripts: Vec<ScriptFigures>,
    /// By tactic, mirrors first.
    pub tactics: Vec<TacticFigures>,
}

impl Figures {
    /// Figures of `trials` under a model that expects so many mirrors in a signup. O(n log n).
    pub(crate) fn of(trials: &[Trial], mirrors_per_signup: f32) -> Self {
        let (mirrors, ordinary): (Vec<&Trial>, Vec<&Trial>) =
            trials.iter().partition(|trial| trial.is_mirror);
        let at_cost: Vec<AtCost> = COSTS
            .iter()
            .map(|per| at_cost(&mirrors, &ordinary, *per))
            .collect();
        let thresholds: Vec<f32> = at_cost.iter().map(|cost| cost.threshold_bits).collect();
        let expected = f64::from(mirrors_per_signup);
        let odds = ordinary.len().max(1) as f64 * expected / (1.0 - expected);
        let bins = bins(trials, odds / mirrors.len().max(1) as f64);
        let weight: f64 = bins.iter().map(|bin| bin.weight).sum();
        let off = bins.iter().map(|bin| (bin.predicted - bin.right).abs());
        let calibration_error = off.sum::<f64>() / weight.max(1e-9);
        let ranks: f64 = mirrors
            .iter()
            .filter_map(|trial| trial.rank)
            .map(|rank| 1.0 / rank as f64)
            .sum();
        Self {
            ordinary: ordinary.len(),
            mirrors: mirrors.len(),
            right_entry_of_flagged: at_cost
                .get(1)
                .map_or(0.0, |cost| cost.recall_right_entry / cost.recall.max(1e-9)),
            at_cost,
            at_dial: at_dial(&mirrors, &ordinary),
            mean_reciprocal_rank: ranks / mirrors.len().max(1) as f64,
            calibration_error,
            reliability: (1..).zip(&bins).map(Reliability::of).collect(),
            scripts: scripts(&ordinary, &thresholds),
            tactics: tactics(trials, &thresholds),
        }
    }
}

fn at_cost(mirrors: &[&Trial], ordinary: &[&Trial], per: usize) -> AtCost {
    let mut scores: Vec<f32> = ordinary.iter().map(|trial| trial.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let threshold = scores
        .get(ordinary.len() / per)
        .copied()
        .unwrap_or(f32::NEG_INFINITY);
    let flagged = |trial: &&&Trial| trial.score > threshold;
    let true_flags = mirrors.iter().filter(flagged).count();
    let right = mirrors
        .iter()
        .filter(flagged)
        .filter(|trial| trial.rank == Some(1))
        .count();
    let false_flags = ordinary.iter().filter(flagged).count();
    AtCost {
        per,
        threshold_bits: threshold,
        false_flags,
        recall: share(true_flags, mirrors.len()),
        recall_right_entry: share(right, mirrors.len()),
        precision: share(true_flags, true_flags + false_flags),
    }
}

fn at_dial(mirrors: &[&Trial], ordinary: &[&Trial]) -> AtDial {
    let at_least = |trials: &[&Trial], verdict| {
        trials
            .iter()
            .filter(|trial| trial.verdict >= verdict)
            .count()
    };
    AtDial {
        false_matches_per_10k: 10_000.0 * share(at_least(ordinary, Verdict::Match), ordinary.len()),
        false_flags_per_10k: 10_000.0 * share(at_least(ordinary, Verdict::Review), ordinary.len()),
        recall_match: share(at_least(mirrors, Verdict::Match), mirrors.len()),
        recall_review: share(at_least(mirrors, Verdict::Review), mirrors.len()),
    }
}

/// Sums over the probes of one bin of probabilities.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    probes: usize,
    weight: f64,
    predicted: f64,
    right: f64,
}

fn bins(trials: &[Trial], mirror_weight: f64) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for trial in trials {
        let weight = if trial.is_mirror { mirror_weight } else { 1.0 };
        let bin = ((trial.probability * BINS as f64) as usize).min(BINS - 1);
        if let Some(bin) = bins.get_mut(bin) {
            bin.probes += 1;
            bin.weight += weight;
            bin.predicted += weight * trial.probability;
            bin.right += weight * f64::from(u8::from(trial.rank == Some(1)));
        }
    }
    bins
}

impl Reliability {
    fn of((edge, bin): (usize, &Bin)) -> Self {
        let weight = bin.weight.max(1e-9);
        Self {
            up_to: edge as f64 / BINS as f64,
            probes: bin.probes,
            predicted: bin.predicted / weight,
            observed: bin.right / weight,
        }
    }
}

fn tactics(trials: &[Trial], thresholds: &[f32]) -> Vec<TacticFigures> {
    let mut by_tactic: BTreeMap<(bool, &str), Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        by_tactic
            .entry((!trial.is_mirror, &trial.tactic))
            .or_default()
            .push(trial);
    }
    let figures = by_tactic
        .into_iter()
        .map(|((is_ordinary, tactic), trials)| {
            let mut scores: Vec<f32> = trials.iter().map(|trial| trial.score).collect();
            scores.sort_by(f32::total_cmp);
            let above = |threshold: &f32| {
                share(
                    scores.iter().filter(|score| *score > threshold).count(),
                    scores.len(),
                )
            };
            TacticFigures {
                tactic: tactic.to_owned(),
                is_mirror: !is_ordinary,
                probes: trials.len(),
                flagged: thresholds.iter().map(above).collect(),
                right_entry_first: share(
                    trials.iter().filter(|trial| trial.rank == Some(1)).count(),
                    trials.len(),
                ),
                median_bits: scores.get(scores.len() / 2).copied().unwrap_or(0.0),
            }
        });
    figures.collect()
}

fn scripts(ordinary: &[&Trial], thresholds: &[f32]) -> Vec<ScriptFigures> {
    let mut by_script: BTreeMap<&'static str, Vec<f32>> = BTreeMap::new();
    for trial in ordinary {
        by_script.entry(trial.script).or_default().push(trial.score);
    }
    let figures = by_script.into_iter().map(|(script, scores)| {
        let above = |threshold: &f32| scores.iter().filter(|score| *score > threshold).count();
        ScriptFigures {
            script,
            probes: scores.len(),
            flagged: thresholds
                .iter()
                .map(|threshold| share(above(threshold), scores.len()))
                .collect(),
        }
    });
    figures.collect()
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(is_mirror: bool, score: f32, rank: Option<usize>) -> Trial {
        let probability = crate::score::Model::default().probability(score);
        Trial {
            is_mirror,
            tactic: "t".into(),
            script: "latin",
            score,
            probability,
            verdict: Verdict::Clear,
            rank,
        }
    }

    #[test]
    fn recall_is_taken_at_the_set_cost() {
        let mut trials: Vec<Trial> = (0..10_000)
            .map(|n| trial(false, -(n as f32), None))
            .collect();
        trials.extend([
            trial(true, 5.0, Some(1)),
            trial(true, -0.5, Some(2)),
            trial(true, -20_000.0, None),
        ]);
        let figures = Figures::of(&trials, 0.002);
        let cost = &figures.at_cost[1];
        assert_eq!((cost.false_flags, cost.threshold_bits), (1, -1.0));
        assert!((cost.recall - 2.0 / 3.0).abs() < 1e-9);
        assert!((cost.recall_right_entry - 1.0 / 3.0).abs() < 1e-9);
        assert!((figures.mean_reciprocal_rank - 0.5).abs() < 1e-9);
    }
}

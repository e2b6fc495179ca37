//! One labelled probe, screened.

use crate::account::Account;
use crate::engine::Engine;
use crate::normalize::script::{Script, script_of};
use crate::verdict::Verdict;

/// What screening one labelled probe gave. Small, so that millions fit in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trial {
    /// True for a mirror, false for an ordinary account.
    pub is_mirror: bool,
    /// How it was made.
    pub tactic: String,
    /// The script of the account's name, or else of its handle: whom a false flag hits.
    pub script: &'static str,
    /// Score of the best entry, in bits.
    pub score: f32,
    /// Probability that the best entry is its actor's.
    pub probability: f64,
    /// The verdict at the engine's dial.
    pub verdict: Verdict,
    /// Place of the right entry among the hits, from 1, for mirrors.
    pub rank: Option<usize>,
}

/// Screens `probe`, which re-creates entry `mirror_of` by `tactic`. The engine should tell all candidates.
pub(crate) fn trial(
    engine: &Engine,
    probe: &Account,
    mirror_of: Option<&str>,
    tactic: Option<&str>,
) -> Trial {
    let screened = engine.screen(probe);
    let place = mirror_of.and_then(|entry| {
        screened
            .hits
            .iter()
            .position(|hit| hit.entry.id.as_str() == entry)
    });
    let script = match script_of(&probe.display_name) {
        Script::None => script_of(&probe.handle),
        script => script,
    };
    Trial {
        is_mirror: mirror_of.is_some(),
        script: script.as_str(),
        tactic: tactic
            .unwrap_or(if mirror_of.is_some() {
                "mirror"
            } else {
                "ordinary"
            })
            .to_owned(),
        score: screened.score,
        probability: screened.hits.first().map_or(0.0, |hit| {
            engine.judge().model.probability(hit.score.total())
        }),
        verdict: screened.verdict,
        rank: place.map(|place| place + 1),
    }
}

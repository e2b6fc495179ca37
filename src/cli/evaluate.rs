//! `evaluate`: figures on labelled probes.

use std::path::Path;

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::cli::args::{Files, Judging};
use crate::cli::records::{complain_if_empty, complain_of_rejected, for_each_chunk, inputs};
use crate::cli::run::{Console, status};
use crate::cli::table::{cell, table};
use crate::engine::{Engine, Options};
use crate::error::Result;
use crate::evaluate::{Figures, Trial, trial};
use crate::store::Access;

/// Hits in which the right entry is looked for.
const HITS_MAX: usize = 100;
/// Probes screened between two looks at the input.
const CHUNK_LEN: usize = 8_192;

/// Opens an engine that tells every candidate, so that the right entry's rank is known.
pub(crate) fn engine(db: &Path, judging: &Judging) -> Result<Engine> {
    let options = Options {
        all_candidates: true,
        hits_max: HITS_MAX,
        ..judging.options(Access::Read)?
    };
    Engine::open(db, options)
}

/// Screens the labelled probes of `files` and prints figures.
pub(crate) fn run(
    engine: &Engine,
    files: &Files,
    json: bool,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let inputs = inputs(files)?;
    let mut trials: Vec<Trial> = Vec::new();
    let mut rejected = 0;
    for input in &inputs {
        let mut read = 0;
        for_each_chunk(
            std::slice::from_ref(input),
            CHUNK_LEN,
            |input, records, bar| {
                read += records.len() as u64;
                rejected += complain_of_rejected(console, input, &records);
                let judged = records
                    .par_iter()
                    .filter_map(|record| record.parsed.as_ref().ok())
                    .map(|labelled| {
                        trial(
                            engine,
                            &labelled.account,
                            labelled.mirror_of.as_deref(),
                            labelled.tactic.as_deref(),
                        )
                    });
                trials.extend(judged.collect::<Vec<_>>());
                bar.set_message(format!("{} judged", trials.len()));
                Ok(())
            },
        )?;
        rejected += complain_if_empty(console, input, read);
    }
    let figures = Figures::of(&trials, engine.judge().model.mirrors_per_signup());
    let text = if json {
        serde_json::to_string(&figures)? + "\n"
    } else {
        readable(&figures)
    };
    console.print(&text)?;
    Ok(status(rejected))
}

fn readable(figures: &Figures) -> String {
    let mut costs = table(&[
        "one false flag in",
        "threshold",
        "false flags",
        "recall",
        "right entry",
        "precision",
    ]);
    for cost in &figures.at_cost {
        costs.add_row([
            cost.per.to_string(),
            format!("{:.1} bits", cost.threshold_bits),
            cost.false_flags.to_string(),
            format!("{:.3}", cost.recall),
            format!("{:.3}", cost.recall_right_entry),
            format!("{:.3}", cost.precision),
        ]);
    }
    let mut tactics = table(&[
        "tactic",
        "probes",
        "1 in 1k",
        "1 in 10k",
        "1 in 100k",
        "right entry first",
        "median bits",
    ]);
    for tactic in &figures.tactics {
        let mut row = vec![cell(&tactic.tactic), tactic.probes.to_string()];
        row.extend(tactic.flagged.iter().map(|share| format!("{share:.3}")));
        row.push(if tactic.is_mirror {
            format!("{:.3}", tactic.right_entry_first)
        } else {
            "-".into()
        });
        row.push(format!("{:.1}", tactic.median_bits));
        tactics.add_row(row);
    }
    let mut bins = table(&["probability up to", "probes", "predicted", "observed"]);
    for bin in figures.reliability.iter().filter(|bin| bin.probes > 0) {
        bins.add_row([
            format!("{:.1}", bin.up_to),
            bin.probes.to_string(),
            format!("{:.3}", bin.predicted),
            format!("{:.3}", bin.observed),
        ]);
    }
    let mut scripts = table(&["script", "ordinary", "1 in 1k", "1 in 10k", "1 in 100k"]);
    for script in &figures.scripts {
        let mut row = vec![script.script.to_owned(), script.probes.to_string()];
        row.extend(script.flagged.iter().map(|share| format!("{share:.5}")));
        scripts.add_row(row);
    }
    let dial = &figures.at_dial;
    format!(
        "{} ordinary probes, {} mirrors\n\nRecall at a cost\n{costs}\n\nVerdicts at the dial: {:.2} false matches and {:.2} false flags per 10,000; recall {:.3} match, {:.3} with review\nMean reciprocal rank {:.3}; right entry first in {:.3} of the mirrors flagged at 1 in 10,000\n\nBy tactic: share flagged at each cost\n{tactics}\n\nFalse flags by script of the name\n{scripts}\n\nCalibration error {:.4}\n{bins}\n",
        figures.ordinary,
        figures.mirrors,
        dial.false_matches_per_10k,
        dial.false_flags_per_10k,
        dial.recall_match,
        dial.recall_review,
        figures.mean_reciprocal_rank,
        figures.right_entry_of_flagged,
        figures.calibration_error
    )
}

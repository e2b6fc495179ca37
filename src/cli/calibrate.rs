//! `calibrate`: weights fitted to labelled probes, or to unlabelled ones, as a model file.

use std::path::Path;

use jiff::Timestamp;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::cli::args::{Calibrate, Files, Judging};
use crate::cli::records::{complain_if_empty, complain_of_rejected, for_each_chunk, inputs};
use crate::cli::run::{Console, DONE, status};
use crate::engine::{Engine, Options};
use crate::error::{Error, Result};
use crate::evaluate::{Counted, Shown, fitted, judged, shown, unfitted};
use crate::format::Input;
use crate::judgment::Answer;
use crate::score::Model;
use crate::score::model_file::{self, Provenance};
use crate::store::Access;

/// Fewest judged pairs of each kind from which probabilities are fitted.
const JUDGED_MIN: usize = 10;
/// Probes screened between two looks at the input.
const CHUNK_LEN: usize = 2_048;

/// An engine that tells every pair.
fn engine(db: &Path, judging: &Judging) -> Result<Engine> {
    let options = Options {
        all_candidates: true,
        hits_max: usize::MAX,
        ..judging.options(Access::Read)?
    };
    Engine::open(db, options)
}

/// Screens the probes, fits the weights, writes the model and says what was done.
pub(crate) fn run(db: &Path, job: &Calibrate, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let engine = &engine(db, &job.judging)?;
    if job.judgments {
        return by_judgments(engine, job, console);
    }
    let inputs = inputs(&Files {
        files: job.files.clone(),
        format: job.format,
    })?;
    check(engine, &inputs, &job.out)?;
    let (mut probes, mut strangers, mut rejected) = (Vec::new(), Counted::default(), 0);
    for input in &inputs {
        let mut read = 0;
        let files = std::slice::from_ref(input);
        for_each_chunk(files, CHUNK_LEN, |input, records, bar| {
            read += records.len() as u64;
            rejected += complain_of_rejected(console, input, &records);
            let judged = records.par_iter();
            let judged = judged.filter_map(|record| record.parsed.as_ref().ok());
            let judged: Vec<Shown> = judged
                .map(|probe| shown(engine, &probe.account, probe.mirror_of.as_deref()))
                .collect();
            for mut shown in judged {
                strangers.count_rest(&mut shown);
                probes.push(shown);
            }
            bar.set_message(format!("{} judged", probes.len()));
            Ok(())
        })?;
        rejected += complain_if_empty(console, input, read);
    }
    if probes.is_empty() {
        return Err(useless("no probe could be read, so no model was written").into());
    }
    let is_labelled = probes.iter().any(|shown| shown.is_mirror);
    let start = &engine.judge().model;
    let entries = engine.generation().entries();
    let prevalence = job.mirrors_per_signup;
    let made = fitted(start, &probes, &strangers, entries, is_labelled, prevalence);
    let name = |input: &Input| {
        let name = input.path().file_name().unwrap_or(input.path().as_os_str());
        name.to_string_lossy().into_owned()
    };
    let told = Told {
        files: inputs.iter().map(name).collect(),
        mirrors: made.mirrors.round() as u64,
        ordinary: made.ordinary.round() as u64,
    };
    let mirrors = told.mirrors;
    write(engine, &made.model, told, &job.out)?;
    let how = match is_labelled {
        true => "labelled",
        false => "unlabelled (by expectation and maximisation; thresholds kept)",
    };
    console.print(&format!(
        "calibrated on {} {how} probes, {} of them mirrors, against {entries} entries; {} relations too seldom seen kept their weights; wrote {}\n",
        probes.len(),
        mirrors,
        unfitted(&strangers, &probes).len(),
        job.out.display()
    ))?;
    Ok(status(rejected))
}

/// Fits what a score is worth to what people said of pairs.
fn by_judgments(engine: &Engine, job: &Calibrate, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let mut pairs = Vec::new();
    for judgment in engine.judgments()? {
        let judgment = judgment?;
        let is_mirror = match judgment.answer {
            Answer::Mirror => true,
            Answer::NotMirror => false,
            Answer::Unsure => continue,
        };
        // A probe forgotten meanwhile, or an entry withdrawn, can be compared no more.
        if let Some(probe) = engine.known(judgment.probe())?
            && let Ok(told) = engine.explain(&probe, judgment.entry())
        {
            pairs.push((told.score_bits, is_mirror));
        }
    }
    let mirrors = pairs.iter().filter(|(_, is_mirror)| *is_mirror).count();
    if mirrors.min(pairs.len() - mirrors) < JUDGED_MIN {
        let reason = format!(
            "needs {JUDGED_MIN} pairs judged mirror and {JUDGED_MIN} judged not_mirror that can still be compared; there are {mirrors} and {}",
            pairs.len() - mirrors
        );
        return Err(useless(&reason).into());
    }
    let model = judged(&engine.judge().model, &pairs);
    let told = Told {
        files: vec!["judgments".into()],
        mirrors: mirrors as u64,
        ordinary: (pairs.len() - mirrors) as u64,
    };
    write(engine, &model, told, &job.out)?;
    let (len, out) = (pairs.len(), job.out.display());
    console.print(&format!(
        "calibrated probabilities on {len} judged pairs, {mirrors} of them mirrors; wrote {out}\n"
    ))?;
    Ok(DONE)
}

/// There must be a watchlist to compare with, and no input may be the output.
fn check(engine: &Engine, inputs: &[Input], out: &Path) -> Result<()> {
    if engine.generation().entries() == 0 {
        return Err(useless(
            "the watchlist is empty: enroll the entries that the probes re-create",
        ));
    }
    let real = |path: &Path| path.canonicalize().ok();
    let is_output = |input: &&Input| !input.is_stdin() && real(input.path()) == real(out);
    match inputs.iter().filter(|_| out.exists()).find(is_output) {
        Some(_) => Err(useless("the model would be written over the probes")),
        None => Ok(()),
    }
}

fn useless(reason: &str) -> Error {
    Error::Malformed {
        what: "calibrate".into(),
        reason: reason.into(),
    }
}

/// What a model was fitted to.
struct Told {
    files: Vec<String>,
    mirrors: u64,
    ordinary: u64,
}

fn write(engine: &Engine, model: &Model, told: Told, out: &Path) -> Result<()> {
    let provenance = Provenance {
        made_by: format!("mirrorwatch {} calibrate", env!("CARGO_PKG_VERSION")),
        made_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        files: told.files,
        mirrors: told.mirrors,
        ordinary: told.ordinary,
        entries: engine.generation().entries(),
        started_from: format!("{:08x}", engine.judge().model.digest()),
    };
    let text = model_file::written(model, Some(&provenance));
    std::fs::write(out, text).map_err(|source| Error::io(out, source))
}

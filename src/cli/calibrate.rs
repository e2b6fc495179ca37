//! `calibrate`: weights fitted to labelled probes, or to unlabelled ones, as a model file.

use std::path::Path;

use jiff::Timestamp;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::cli::args::{Calibrate, Judging};
use crate::cli::records::{complain_if_empty, complain_of_rejected, for_each_chunk, inputs};
use crate::cli::run::{Console, status};
use crate::engine::{Engine, Options};
use crate::error::{Error, Result};
use crate::evaluate::{Counted, Shown, fitted, shown, unfitted};
use crate::format::Input;
use crate::score::model_file::{self, Provenance};
use crate::store::Access;

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
    let inputs = inputs(&job.files)?;
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
    let is_labelled = probes.iter().any(|shown| shown.is_mirror);
    let start = &engine.judge().model;
    let entries = engine.generation().entries();
    let prevalence = job.mirrors_per_signup;
    let made = fitted(start, &probes, &strangers, entries, is_labelled, prevalence);
    let name = |input: &Input| {
        let name = input.path().file_name().unwrap_or(input.path().as_os_str());
        name.to_string_lossy().into_owned()
    };
    let provenance = Provenance {
        made_by: format!("mirrorwatch {} calibrate", env!("CARGO_PKG_VERSION")),
        made_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        files: inputs.iter().map(name).collect(),
        mirrors: made.mirrors.round() as u64,
        ordinary: made.ordinary.round() as u64,
        entries,
        started_from: format!("{:08x}", start.digest()),
    };
    let text = model_file::written(&made.model, Some(&provenance));
    std::fs::write(&job.out, text).map_err(|source| Error::io(&job.out, source))?;
    let how = match is_labelled {
        true => "labelled",
        false => "unlabelled (weights by expectation and maximisation; thresholds as they were)",
    };
    console.print(&format!(
        "calibrated on {} {how} probes, {} of them mirrors, against {entries} entries; {} relations too seldom seen kept their weights; wrote {}\n",
        probes.len(),
        provenance.mirrors,
        unfitted(&strangers, &probes).len(),
        job.out.display()
    ))?;
    Ok(status(rejected))
}

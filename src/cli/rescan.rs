//! `rescan`: many accounts on all cores into a file, resumable.
//!
//! A chunk is kept while the next one is judged: what was seen is remembered, the output is synced, and a mark beside it
//! says how far input and output have come; `--resume` cuts the output back to the mark and goes on behind it. An
//! interrupt (Ctrl-C) stops at a mark.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cli::args::Files;
use crate::cli::records::{complain_if_empty, complain_of_rejected, for_each_chunk, inputs};
use crate::cli::run::{Console, FAILED, status};
use crate::cli::screen::{Judged, judge};
use crate::engine::Engine;
use crate::error::Error;
use crate::format::Input;

/// Records between two marks.
const CHUNK_LEN: usize = 8_192;

/// What to rescan, and where to.
pub(crate) struct Job {
    pub(crate) files: Files,
    pub(crate) out: PathBuf,
    pub(crate) resume: bool,
    pub(crate) flagged_only: bool,
}

/// How far an interrupted run has come.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mark {
    inputs: Vec<PathBuf>,
    /// What decides the reports: watchlist, model and options. A run goes on only under the same.
    #[serde(default)]
    settings: String,
    records: u64,
    rejected: u64,
    flagged: u64,
    out_bytes: u64,
}

/// Judges the accounts of the job's files.
pub(crate) fn run(engine: &Engine, job: &Job, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let inputs = inputs(&job.files)?;
    check_apart(&inputs, &job.out)?;
    let mark = start(engine, job)?;
    let mut keeper = Keeper {
        engine,
        job,
        output: open(job, &mark)?,
        mark,
    };
    let stopped = stop_on_interrupt();
    let begun = Instant::now();
    let behind = keeper.mark.records;
    let mut passed = 0;
    for input in &inputs {
        let before = passed;
        let mut waiting = None;
        let outcome = for_each_chunk(
            std::slice::from_ref(input),
            CHUNK_LEN,
            |input, mut records, bar| {
                let done = (behind.saturating_sub(passed) as usize).min(records.len());
                passed += records.len() as u64;
                records.drain(..done);
                let rejected = complain_of_rejected(console, input, &records);
                let judged = keeper.keep_beside(waiting.take(), || judge(engine, records))?;
                waiting = Some(Chunk { judged, rejected });
                let mark = &keeper.mark;
                bar.set_message(format!("{} judged, {} flagged", mark.records, mark.flagged));
                if stopped.load(Ordering::Relaxed) {
                    Err(Interrupted.into())
                } else {
                    Ok(())
                }
            },
        );
        // What was judged is kept also where the rest cannot be read.
        waiting.map_or(Ok(()), |chunk| keeper.keep(chunk))?;
        match outcome {
            Err(error) if error.is::<Interrupted>() => {
                let records = keeper.mark.records;
                console.complain(&format!(
                    "interrupted after {records} records; go on with --resume"
                ));
                return Ok(FAILED);
            }
            outcome => outcome?,
        }
        keeper.mark.rejected += complain_if_empty(console, input, passed - before);
    }
    let _ = std::fs::remove_file(mark_path(&job.out));
    engine.keep_learnt()?;
    let mark = keeper.mark;
    let rate = (mark.records - behind) as f64 / begun.elapsed().as_secs_f64().max(1e-3);
    console.print(&format!(
        "rescanned {}: {} flagged, {} rejected; {rate:.0} accounts/s, lsn {}\n",
        mark.records,
        mark.flagged,
        mark.rejected,
        engine.generation().lsn()
    ))?;
    Ok(status(mark.rejected))
}

/// A chunk that is judged and not yet kept.
struct Chunk {
    judged: Judged,
    rejected: u64,
}

/// Keeps chunk by chunk: what was seen, the reports, the mark.
struct Keeper<'r> {
    engine: &'r Engine,
    job: &'r Job,
    output: BufWriter<File>,
    mark: Mark,
}

impl Keeper<'_> {
    /// Keeps `waiting` in a thread of its own while `work` goes on; the thread mostly waits for the disk.
    fn keep_beside<T>(
        &mut self,
        waiting: Option<Chunk>,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> anyhow::Result<T> {
        let Some(chunk) = waiting else {
            return Ok(work()?);
        };
        let (worked, kept) = std::thread::scope(|scope| {
            let keeping = scope.spawn(|| self.keep(chunk));
            (work(), keeping.join())
        });
        kept.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(worked?)
    }

    /// Keeps what was seen of a chunk, then its reports, then the mark behind them.
    fn keep(&mut self, chunk: Chunk) -> anyhow::Result<()> {
        let Judged { lines, glimpses } = chunk.judged;
        self.engine.keep(glimpses, Timestamp::now())?;
        for line in &lines {
            self.mark.flagged += u64::from(line.is_flagged);
            if !(line.is_clear && self.job.flagged_only) {
                self.output.write_all(line.json.as_bytes())?;
            }
        }
        self.mark.records += lines.len() as u64;
        self.mark.rejected += chunk.rejected;
        save(&self.job.out, &mut self.output, &mut self.mark)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Interrupted;

/// Every input must be there, and none be the output, before the output is touched.
fn check_apart(inputs: &[Input], out: &Path) -> Result<(), Error> {
    for input in inputs.iter().filter(|input| !input.is_stdin()) {
        let path = input.path();
        let real = path
            .canonicalize()
            .map_err(|source| Error::io(path, source))?;
        if out.canonicalize().is_ok_and(|out| out == real) {
            let reason = "is an input of this rescan".to_owned();
            return Err(Error::Malformed {
                what: out.display().to_string(),
                reason,
            });
        }
    }
    Ok(())
}

/// The mark to go on from: the stored one with `--resume`, else the beginning.
fn start(engine: &Engine, job: &Job) -> Result<Mark, Error> {
    let fresh = Mark {
        inputs: job.files.files.clone(),
        settings: settings(engine, job),
        ..Mark::default()
    };
    let path = mark_path(&job.out);
    if !job.resume || !path.exists() {
        return Ok(fresh);
    }
    let malformed = |reason: String| Error::Malformed {
        what: path.display().to_string(),
        reason,
    };
    let text = std::fs::read_to_string(&path).map_err(|source| Error::io(&path, source))?;
    let mark: Mark = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let is_changed = !mark.settings.is_empty() && mark.settings != fresh.settings;
    if mark.inputs != fresh.inputs || is_changed {
        return Err(malformed(
            "it belongs to a run over other files, another watchlist or other options".into(),
        ));
    }
    Ok(mark)
}

fn settings(engine: &Engine, job: &Job) -> String {
    let judge = engine.judge();
    let thresholds = judge.thresholds(engine.generation().entries());
    format!(
        "lsn {} model {} thresholds {} {} hits {} all {} flagged {}",
        engine.generation().lsn(),
        engine.model(),
        thresholds.review,
        thresholds.matching,
        judge.hits_max,
        judge.all_candidates,
        job.flagged_only
    )
}

/// Opens the output and cuts it back to the mark.
fn open(job: &Job, mark: &Mark) -> Result<BufWriter<File>, Error> {
    let io = |source| Error::io(&job.out, source);
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&job.out)
        .map_err(io)?;
    if file.metadata().map_err(io)?.len() < mark.out_bytes {
        let reason = "shorter than its progress mark says: start over without --resume".to_owned();
        return Err(Error::Malformed {
            what: job.out.display().to_string(),
            reason,
        });
    }
    if mark.records == 0 {
        // A mark of an earlier run must not survive the output it was for.
        let _ = std::fs::remove_file(mark_path(&job.out));
    }
    file.set_len(mark.out_bytes).map_err(io)?;
    file.seek(SeekFrom::End(0)).map_err(io)?;
    Ok(BufWriter::new(file))
}

/// Syncs the output, then replaces the mark.
fn save(out: &Path, output: &mut BufWriter<File>, mark: &mut Mark) -> anyhow::Result<()> {
    output.flush()?;
    output.get_ref().sync_data()?;
    mark.out_bytes = output.get_ref().metadata()?.len();
    let path = mark_path(out);
    let fresh = path.with_extension("progress.new");
    std::fs::write(&fresh, serde_json::to_string(mark)?)?;
    Ok(std::fs::rename(fresh, path)?)
}

fn mark_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".progress");
    PathBuf::from(name)
}

/// A flag that an interrupt sets. The listening thread ends with the process.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build();
        let interrupted = runtime.and_then(|runtime| runtime.block_on(tokio::signal::ctrl_c()));
        flag.store(interrupted.is_ok(), Ordering::Relaxed);
    });
    stopped
}

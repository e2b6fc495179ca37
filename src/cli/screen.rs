//! `screen`: a report line for each input line, in order, as soon as it is there.
//!
//! A reader thread feeds a queue; whatever waits in it is judged together on all cores; when it is empty the output is
//! flushed, so that a program at the other end of a pipe gets its answer at once.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use tokio::sync::mpsc;

use crate::cli::args::{Files, Judging, Telling};
use crate::cli::records::{Record, complain_if_empty, complain_of_rejected, inputs};
use crate::cli::run::{Console, status};
use crate::engine::{Engine, Glimpse};
use crate::error::{Error, Result};
use crate::format::{Input, Parser};
use crate::store::Access;
use crate::verdict::Verdict;
use crate::wire::{ErrorLine, ErrorRecord, ReportRecord};

/// Records that wait between reader and judge.
const QUEUE_LEN: usize = 1024;
/// Records judged together.
const BATCH_LEN: usize = 256;

/// Judges the accounts of `files`.
pub(crate) fn run(
    db: &Path,
    files: &Files,
    judging: &Judging,
    telling: &Telling,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let inputs = inputs(files)?;
    let engine = Engine::open(db, telling.options(judging, Access::Write)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()?;
    let mut rejected = 0;
    for input in &inputs {
        rejected += runtime.block_on(screen_input(&engine, input, console))?;
    }
    engine.keep_learnt()?;
    Ok(status(rejected))
}

async fn screen_input(
    engine: &Engine,
    input: &Input,
    console: &mut Console<'_>,
) -> anyhow::Result<u64> {
    let (send, mut queue) = mpsc::channel(QUEUE_LEN);
    let parser = Parser::new(input.folder());
    let lines = input.lines(|_| ())?;
    // Not awaited: a thread that blocks on a silent pipe ends with the process.
    tokio::task::spawn_blocking(move || {
        for line in lines {
            let record = Record {
                line: line.number,
                parsed: line.body.and_then(|body| parser.parse(body)),
            };
            if send.blocking_send(record).is_err() {
                return;
            }
        }
    });
    let (mut read, mut rejected) = (0, 0);
    let mut batch = Vec::with_capacity(BATCH_LEN);
    while queue.recv_many(&mut batch, BATCH_LEN).await > 0 {
        read += batch.len() as u64;
        let records = std::mem::take(&mut batch);
        rejected += complain_of_rejected(console, input, &records);
        let engine = engine.clone();
        let judged = tokio::task::spawn_blocking(move || {
            let judged = judge(&engine, records)?;
            engine.keep(judged.glimpses, Timestamp::now())?;
            Ok::<_, Error>(judged.lines)
        });
        for line in judged.await?? {
            console.print(&line.json)?;
        }
        if queue.is_empty() {
            console.out.flush()?;
        }
    }
    Ok(rejected + complain_if_empty(console, input, read))
}

/// The output line of one record.
pub(crate) struct OutputLine {
    /// JSON, with its line end.
    pub(crate) json: String,
    /// Whether it reports a clear account.
    pub(crate) is_clear: bool,
    /// Whether it reports an account that is not.
    pub(crate) is_flagged: bool,
}

/// Records judged: their output lines in order, and what is to be kept of them.
pub(crate) struct Judged {
    /// One for each record.
    pub(crate) lines: Vec<OutputLine>,
    /// One for each account.
    pub(crate) glimpses: Vec<Glimpse>,
}

/// Judges records on all cores; the caller keeps what is to be kept.
pub(crate) fn judge(engine: &Engine, records: Vec<Record>) -> Result<Judged> {
    let judged = records
        .into_par_iter()
        .map(|record| line(engine, &record))
        .collect::<Result<Vec<_>>>()?;
    let mut glimpses = Vec::with_capacity(judged.len());
    let told = judged.into_iter().map(|(line, glimpse)| {
        glimpses.extend(glimpse);
        line
    });
    let lines = told.collect();
    Ok(Judged { lines, glimpses })
}

/// The output line of one record, its report or its rejection, and what is to be kept of an account.
fn line(engine: &Engine, record: &Record) -> Result<(OutputLine, Option<Glimpse>)> {
    let (json, verdict, glimpse) = match &record.parsed {
        Ok(labelled) => {
            let start = Instant::now();
            let (report, glimpse) = engine.glimpse(&labelled.account)?;
            let verdict = report.verdict;
            let report = ReportRecord::of(report, start.elapsed().as_micros() as u64);
            (serde_json::to_string(&report), Some(verdict), Some(glimpse))
        }
        Err(rejection) => {
            let message = format!("field `{}`: {}", rejection.field, rejection.reason);
            let error = ErrorRecord {
                code: rejection.code,
                message,
            };
            let line = record.line;
            let json = serde_json::to_string(&ErrorLine { line, error });
            (json, None, None)
        }
    };
    let unwritable = |error: serde_json::Error| Error::Malformed {
        what: "report".into(),
        reason: error.to_string(),
    };
    let clear = Verdict::Clear.as_str();
    let line = OutputLine {
        json: json.map_err(unwritable)? + "\n",
        is_clear: verdict == Some(clear),
        is_flagged: verdict.is_some_and(|verdict| verdict != clear),
    };
    Ok((line, glimpse))
}

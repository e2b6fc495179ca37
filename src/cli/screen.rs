//! `screen`: a report line for each input line, in order, as soon as it is there.
//!
//! A reader thread feeds a queue; whatever waits in it is judged together on all cores; when it is empty the output is
//! flushed, so that a program at the other end of a pipe gets its answer at once.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use tokio::sync::mpsc;

use crate::account::Account;
use crate::cli::args::{Files, Judging, Telling};
use crate::cli::records::{Record, complain_if_empty, complain_of_rejected, inputs};
use crate::cli::run::{Console, status};
use crate::engine::Engine;
use crate::error::Result;
use crate::format::{Input, Parser};
use crate::store::Access;
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
        for line in tokio::task::spawn_blocking(move || judge(&engine, &records)).await?? {
            console.print(&line)?;
        }
        if queue.is_empty() {
            console.out.flush()?;
        }
    }
    Ok(rejected + complain_if_empty(console, input, read))
}

/// Judges records on all cores, remembers them, and returns their output lines in order.
pub(crate) fn judge(engine: &Engine, records: &[Record]) -> Result<Vec<String>> {
    let lines = records
        .par_iter()
        .map(|record| line(engine, record))
        .collect::<Result<Vec<_>>>()?;
    let accounts: Vec<Account> = records
        .iter()
        .filter_map(|record| Some(record.parsed.as_ref().ok()?.account.clone()))
        .collect();
    engine.remember(&accounts, Timestamp::now())?;
    Ok(lines)
}

/// The output line of one record: its report, or its rejection.
fn line(engine: &Engine, record: &Record) -> Result<String> {
    let json = match &record.parsed {
        Ok(labelled) => {
            let start = Instant::now();
            let report = engine.report(&labelled.account)?;
            serde_json::to_string(&ReportRecord::of(
                report,
                start.elapsed().as_micros() as u64,
            ))
        }
        Err(rejection) => {
            let message = format!("field `{}`: {}", rejection.field, rejection.reason);
            serde_json::to_string(&ErrorLine {
                line: record.line,
                error: ErrorRecord {
                    code: rejection.code,
                    message,
                },
            })
        }
    };
    let unwritable = |error: serde_json::Error| crate::error::Error::Malformed {
        what: "report".into(),
        reason: error.to_string(),
    };
    Ok(json.map_err(unwritable)? + "\n")
}

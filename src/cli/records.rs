//! Reading records for a command: a reader thread, parsing on all cores, rejections named.

use std::path::Path;
use std::sync::mpsc::sync_channel;

use indicatif::ProgressBar;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::cli::args::Files;
use crate::cli::progress::bar;
use crate::cli::run::Console;
use crate::error::{Rejection, Result};
use crate::format::{Input, Labelled, Line, Parser};

/// Chunks read ahead of the one being worked on.
const CHUNKS_AHEAD: usize = 2;

/// Bytes of unparsed records in one chunk, so that a file of longest lines stays within memory.
const CHUNK_BYTES_MAX: usize = 64 << 20;

/// One record, parsed or rejected.
#[derive(Debug)]
pub(crate) struct Record {
    /// Line of its input, from 1.
    pub(crate) line: u64,
    /// The account, or why there is none.
    pub(crate) parsed: Result<Labelled, Rejection>,
}

/// The inputs named on the command line.
pub(crate) fn inputs(files: &Files) -> Result<Vec<Input>> {
    files
        .files
        .iter()
        .map(|path| Input::new(path, files.format))
        .collect()
}

/// Names a rejected record on the error output.
pub(crate) fn complain(console: &mut Console<'_>, path: &Path, line: u64, rejection: &Rejection) {
    console.complain(&format!("{}:{line}: {rejection}", path.display()));
}

/// Names every rejected record on the error output; returns how many there were.
pub(crate) fn complain_of_rejected(
    console: &mut Console<'_>,
    input: &Input,
    records: &[Record],
) -> u64 {
    let mut rejected = 0;
    for record in records {
        if let Err(rejection) = &record.parsed {
            rejected += 1;
            complain(console, input.path(), record.line, rejection);
        }
    }
    rejected
}

/// An input without records is named too, unless it is a pipe that had nothing to say. Returns how many were.
pub(crate) fn complain_if_empty(console: &mut Console<'_>, input: &Input, records: u64) -> u64 {
    if records > 0 || input.is_stdin() {
        return 0;
    }
    complain(
        console,
        input.path(),
        1,
        &Rejection::new("empty_input", "record", "the input has no records"),
    );
    1
}

/// Reads `inputs` in chunks of `chunk_len` records and passes each chunk, in order, to `work`.
///
/// Reading goes on in its own thread while a chunk is worked on; parsing uses all cores. Stops at the first error of `work`.
pub(crate) fn for_each_chunk(
    inputs: &[Input],
    chunk_len: usize,
    mut work: impl FnMut(&Input, Vec<Record>, &ProgressBar) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let bar = bar(inputs);
    for input in inputs {
        let counted = bar.clone();
        let mut lines = input.lines(move |bytes| counted.inc(bytes))?;
        let parser = Parser::new(input.folder());
        std::thread::scope(|scope| {
            let (send, chunks) = sync_channel::<Vec<Line>>(CHUNKS_AHEAD);
            scope.spawn(move || {
                loop {
                    let chunk = next_chunk(&mut lines, chunk_len);
                    // The receiver is gone when the work has failed.
                    if chunk.is_empty() || send.send(chunk).is_err() {
                        return;
                    }
                }
            });
            for chunk in chunks {
                let parse = |line: Line| Record {
                    line: line.number,
                    parsed: line.body.and_then(|body| parser.parse(body)),
                };
                let records = chunk.into_par_iter().map(parse).collect();
                work(input, records, &bar)?;
            }
            anyhow::Ok(())
        })?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// The next lines, at most `chunk_len` of them and not much more than [`CHUNK_BYTES_MAX`].
fn next_chunk(lines: &mut impl Iterator<Item = Line>, chunk_len: usize) -> Vec<Line> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    for line in lines.by_ref() {
        bytes += line.len_bytes();
        chunk.push(line);
        if chunk.len() >= chunk_len || bytes >= CHUNK_BYTES_MAX {
            break;
        }
    }
    chunk
}

//! `enroll` and `withdraw`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountId};
use crate::cli::args::Files;
use crate::cli::progress::notice;
use crate::cli::records::{complain, complain_if_empty, for_each_chunk, inputs};
use crate::cli::run::{Console, DONE, FAILED, SOME_REJECTED, status};
use crate::engine::{Engine, Options};
use crate::error::Error;
use crate::format::Input;
use crate::store::Access;

/// Records enrolled by one commit: large enough that segments are few, small enough for memory.
const CHUNK_LEN: usize = 32_768;

/// How far a load has come, kept in the database until it is finished.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mark {
    /// Names and sizes of the inputs.
    inputs: Vec<(String, u64)>,
    /// Records read from them, rejected ones too.
    records: u64,
}

impl Mark {
    fn of(inputs: &[Input], records: u64) -> Self {
        let input = |input: &Input| {
            let name = input.path().to_string_lossy().into_owned();
            (name, input.len_bytes().unwrap_or(0))
        };
        Self {
            inputs: inputs.iter().map(input).collect(),
            records,
        }
    }
}

/// Adds or updates the accounts of `files`; with `resume`, goes on where a load of the same files was cut off.
pub(crate) fn enroll(
    db: &Path,
    files: &Files,
    resume: bool,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let inputs = inputs(files)?;
    let options = Options {
        access: Access::Create,
        notice,
        ..Options::default()
    };
    let engine = Engine::open(db, options)?;
    let stored = engine.load_mark()?.filter(|_| resume);
    let mark: Mark = stored
        .and_then(|mark| serde_json::from_slice(&mark).ok())
        .filter(|mark: &Mark| *mark == Mark::of(&inputs, mark.records))
        .unwrap_or_default();
    let mut bulk = engine.bulk();
    let (mut read, mut rejected) = (0, 0);
    for input in &inputs {
        let read_before = read;
        for_each_chunk(
            std::slice::from_ref(input),
            CHUNK_LEN,
            |input, records, bar| {
                let skipped = mark.records.saturating_sub(read).min(records.len() as u64);
                read += records.len() as u64;
                let mut lines = Vec::with_capacity(records.len());
                let mut accounts: Vec<Account> = Vec::with_capacity(records.len());
                for record in records.into_iter().skip(skipped as usize) {
                    match record.parsed {
                        Ok(labelled) => {
                            lines.push(record.line);
                            accounts.push(labelled.account);
                        }
                        Err(rejection) => {
                            rejected += 1;
                            complain(console, input.path(), record.line, &rejection);
                        }
                    }
                }
                let mark = serde_json::to_vec(&Mark::of(&inputs, read))?;
                for (place, rejection) in bulk.enroll(accounts, mark)? {
                    rejected += 1;
                    let line = lines.get(place).copied().unwrap_or(0);
                    complain(console, input.path(), line, &rejection);
                }
                bar.set_message(format!("{read} records"));
                Ok(())
            },
        )?;
        rejected += complain_if_empty(console, input, read - read_before);
    }
    if mark.records > 0 {
        notice(&format!("went on after {} records", mark.records));
    }
    let receipt = bulk.finish(&notice)?;
    let generation = engine.generation();
    console.print(&format!(
        "enrolled {}: {} added, {} updated, {rejected} rejected; {} entries, lsn {}\n",
        receipt.added + receipt.updated,
        receipt.added,
        receipt.updated,
        generation.entries(),
        generation.lsn()
    ))?;
    Ok(status(rejected))
}

/// Removes entries by id.
pub(crate) fn withdraw(
    db: &Path,
    ids: Vec<String>,
    from: Option<&Path>,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let mut asked = ids;
    if let Some(path) = from {
        let text = if path == Path::new("-") {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(path)
        };
        let text = text.map_err(|source| Error::io(path, source))?;
        asked.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        );
    }
    let ids = asked
        .iter()
        .map(|id| AccountId::new(id))
        .collect::<Result<Vec<_>, _>>()?;
    let engine = Engine::open(
        db,
        Options {
            notice,
            ..Options::default()
        },
    )?;
    let receipt = engine.withdraw(ids)?;
    for id in &receipt.unknown {
        console.complain(&format!("no entry `{id}` on the watchlist"));
    }
    console.print(&format!(
        "withdrew {}, {} unknown; {} entries, lsn {}\n",
        receipt.withdrawn,
        receipt.unknown.len(),
        engine.generation().entries(),
        receipt.lsn
    ))?;
    Ok(match (receipt.withdrawn, receipt.unknown.len()) {
        (_, 0) => DONE,
        (0, _) => FAILED,
        _ => SOME_REJECTED,
    })
}

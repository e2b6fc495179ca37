//! `enroll` and `withdraw`.

use std::path::Path;

use crate::account::{Account, AccountId};
use crate::cli::args::Files;
use crate::cli::progress::notice;
use crate::cli::records::{complain, complain_if_empty, for_each_chunk, inputs};
use crate::cli::run::{Console, DONE, FAILED, SOME_REJECTED, status};
use crate::engine::{Engine, Options};
use crate::error::Error;
use crate::store::Access;

/// Records enrolled by one commit: large enough that segments are few, small enough for memory.
const CHUNK_LEN: usize = 32_768;

/// Adds or updates the accounts of `files`.
pub(crate) fn enroll(db: &Path, files: &Files, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let inputs = inputs(files)?;
    let engine = Engine::open(
        db,
        Options {
            access: Access::Create,
            notice,
            ..Options::default()
        },
    )?;
    let mut bulk = engine.bulk();
    let (mut written, mut rejected) = (0, 0);
    for input in &inputs {
        let mut records_read = 0;
        for_each_chunk(
            std::slice::from_ref(input),
            CHUNK_LEN,
            |input, records, bar| {
                records_read += records.len() as u64;
                let mut lines = Vec::with_capacity(records.len());
                let mut accounts: Vec<Account> = Vec::with_capacity(records.len());
                for record in records {
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
                let enrolled = bulk.enroll(accounts)?;
                written += enrolled.receipt.added + enrolled.receipt.updated;
                for (place, rejection) in &enrolled.rejected {
                    rejected += 1;
                    complain(
                        console,
                        input.path(),
                        lines.get(*place).copied().unwrap_or(0),
                        rejection,
                    );
                }
                bar.set_message(format!("{written} written"));
                Ok(())
            },
        )?;
        rejected += complain_if_empty(console, input, records_read);
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

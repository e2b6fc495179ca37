//! `background`: counts ordinary accounts, so that rarity is known.

use std::path::Path;

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::background::{Background, BackgroundBuilder, Observation};
use crate::cli::args::{Background as Job, Files};
use crate::cli::records::{complain_if_empty, complain_of_rejected, for_each_chunk, inputs};
use crate::cli::run::{Console, DONE, status};
use crate::engine::{Engine, Options};
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::store::{Access, Store};

/// Accounts counted between two looks at the input.
const CHUNK_LEN: usize = 16_384;

/// Lets what screened accounts have taught weigh in.
fn adopt(db: &Path, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let options = Options {
        access: Access::Write,
        ..Options::default()
    };
    let accounts = Engine::open(db, options)?.adopt_learnt()?;
    console.print(&format!("adopted what {accounts} clear accounts taught\n"))?;
    Ok(DONE)
}

/// Counts the accounts of the files, or adopts what was learnt.
pub(crate) fn run(db: &Path, job: &Job, console: &mut Console<'_>) -> anyhow::Result<u8> {
    if job.learned {
        return adopt(db, console);
    }
    let inputs = inputs(&Files {
        files: job.files.clone(),
        format: job.format,
    })?;
    let store = match job.out {
        Some(_) => None,
        None => Some(Store::open(db, Access::Create)?),
    };
    let current = match store.as_ref().map(Store::background).transpose()?.flatten() {
        Some(stored) => std::sync::Arc::new(Background::from_bytes(&stored)?),
        None => Background::starter(),
    };
    let mut builder = if job.fresh {
        BackgroundBuilder::default()
    } else {
        BackgroundBuilder::extending(&current)
    };
    let (mut counted, mut rejected) = (0u64, 0);
    for input in &inputs {
        let mut read = 0;
        for_each_chunk(
            std::slice::from_ref(input),
            CHUNK_LEN,
            |input, records, bar| {
                read += records.len() as u64;
                rejected += complain_of_rejected(console, input, &records);
                // Tokens are keyed by each database's own secret; a shared background cannot know them.
                let secret = crate::hash::Secret::new([0; 32]);
                let secret = store.as_ref().map_or(&secret, Store::secret);
                let observed: Vec<Observation> = records
                    .par_iter()
                    .filter_map(|record| record.parsed.as_ref().ok())
                    .map(|labelled| {
                        Fingerprint::of(&labelled.account, &current, secret)
                            .observation(&labelled.account)
                    })
                    .collect();
                for observation in &observed {
                    builder.observe(observation);
                }
                counted += observed.len() as u64;
                bar.set_message(format!("{counted} counted"));
                Ok(())
            },
        )?;
        rejected += complain_if_empty(console, input, read);
    }
    let background = builder.build();
    let bytes = background.to_bytes(job.features)?;
    match (&job.out, &store) {
        (Some(path), _) => {
            std::fs::write(path, &bytes).map_err(|source| Error::io(path, source))?
        }
        (None, Some(store)) => store.set_background(&bytes)?,
        (None, None) => {}
    }
    console.print(&format!(
        "counted {counted} accounts, {rejected} rejected; {} bytes\n",
        bytes.len()
    ))?;
    Ok(status(rejected))
}

//! A line for every change: who did what to which ids, when. In a file beside the database and in the log; no profile text.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

/// Name of the file in the database's folder.
pub(in crate::serve) const FILE: &str = "audit.ndjson";
/// Ids told in one line; the rest is counted.
const IDS_TOLD_MAX: usize = 20;

/// Writes the lines.
#[derive(Debug)]
pub(crate) struct Audit(PathBuf);

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    who: &'a str,
    action: &'a str,
    ids: &'a [String],
    ids_len: usize,
    lsn: u64,
}

impl Audit {
    /// The audit of the database in `folder`.
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.join(FILE))
    }

    /// Notes a change that was made. A line that cannot be written is an error in the log: the change stands.
    pub(crate) fn note(&self, who: &str, action: &str, ids: &[impl ToString], lsn: u64) {
        tracing::info!(target: "audit", who, action, ids = ids.len(), lsn, "changed");
        let told = ids.iter().take(IDS_TOLD_MAX).map(ToString::to_string);
        let told: Vec<String> = told.collect();
        let line = Line {
            at: Timestamp::now().to_string(),
            who,
            action,
            ids: &told,
            ids_len: ids.len(),
            lsn,
        };
        let written = serde_json::to_string(&line)
            .map_err(std::io::Error::from)
            .and_then(|text| {
                let mut options = OpenOptions::new();
                options.append(true).create(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                options.open(&self.0)?.write_all((text + "\n").as_bytes())
            });
        if let Err(error) = written {
            tracing::error!(%error, "an audit line could not be written");
        }
    }
}

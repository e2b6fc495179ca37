//! What can go wrong, in words a user can act on.
//!
//! Two kinds of trouble, kept apart. A [`Rejection`] is about one record: it names the field and the reason, and the
//! rest of the input goes on. An [`Error`] is about the operation as a whole: the database, the disk, the options.
//! Profile text never enters a message, so that messages can be logged.

use std::path::PathBuf;

/// The result of an operation on the engine or on files.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why one record was turned down. Plain text, free of profile text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: field `{field}`: {reason}")]
pub struct Rejection {
    /// Stable machine-readable word, such as `too_long` or `invalid_json`.
    pub code: &'static str,
    /// The field of the contract that is at fault, or `record` where no single field is.
    pub field: String,
    /// What is wrong and which limit or form was expected.
    pub reason: String,
}

impl Rejection {
    /// A rejection of `field`.
    pub fn new(code: &'static str, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            code,
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// An operation that failed as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file or folder cannot be read or written; check that it exists and its permissions.
    #[error("{path}: {source}")]
    Io {
        /// The path the operation was on.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// RocksDB refused; the message is its own. A lock error means that another process has the database open.
    #[error("database: {message}")]
    Database {
        /// RocksDB's message.
        message: String,
    },
    /// Another process has the database open for writing (`enroll`, `withdraw`, `judge`, `protect`, `screen`, `rescan`):
    /// wait for it, or feed the same process. `lookup`, `explain`, `stats`, `verify`, `export` and `evaluate` read beside it.
    #[error("another process has the database open for writing and holds its lock")]
    Locked,
    /// Bytes in the database do not decode: run `verify`, then restore from a backup.
    #[error("damaged record {key}: {reason}")]
    Damaged {
        /// The key, printable.
        key: String,
        /// What did not decode.
        reason: String,
    },
    /// The database was written by a newer or unknown version of mirrorwatch.
    #[error("database format {found}, this program reads {expected}")]
    Format {
        /// The version this program reads.
        expected: u32,
        /// The version found.
        found: u32,
    },
    /// There is no database in that folder; `enroll` makes one.
    #[error("no database at {path}: enroll a watchlist first")]
    NoDatabase {
        /// The folder looked at.
        path: PathBuf,
    },
    /// The record was turned down at the door.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// No entry of that id is on the watchlist.
    #[error("no entry `{id}` on the watchlist")]
    UnknownEntry {
        /// The id asked for.
        id: String,
    },
    /// A file does not have the form its use needs (model, background, progress mark).
    #[error("{what}: {reason}")]
    Malformed {
        /// Which file or option.
        what: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// What a change rests on was changed again and again before it could be written; try once more.
    #[error("{id} was changed by others at the same time; try again")]
    Contended {
        /// The account.
        id: String,
    },
    /// The engine's writer thread is gone after an earlier failure: restart the process.
    #[error("the writer stopped after an earlier failure; restart to recover")]
    WriterStopped,
}

impl Error {
    /// An I/O failure on `path`.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }
}

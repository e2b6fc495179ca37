//! An immutable run of entries with its indexes, in memory or in a mapped file.

use std::sync::OnceLock;

use crate::blocking::{Blocker, Prints};
use crate::engine::columns::{Columns, Row, gathered};
use crate::fingerprint::Fingerprint;
use crate::index::{HOT, Ordinal, Stored};

/// Live entries from which a segment is kept in a file; smaller ones are read from the log at open, in a fraction of a
/// second altogether.
pub(crate) const KEPT_MIN: usize = 8_192;

/// Entries by ordinal, findable by id and by what they might share with a probe.
#[derive(Debug)]
pub(crate) struct Segment {
    columns: Columns,
    blocker: Blocker,
    file: Option<String>,
    /// Counted when first asked for.
    hot: OnceLock<[(&'static str, usize); 5]>,
}

impl Prints for Columns {
    fn len(&self) -> usize {
        Columns::len(self)
    }

    fn get(&self, ordinal: Ordinal) -> Option<Fingerprint<'_>> {
        self.fingerprint(ordinal)
    }
}

impl Segment {
    /// Indexes `rows`, ascending by id, in memory. Ten to twenty microseconds an entry.
    pub(crate) fn build<'a>(rows: impl Iterator<Item = Row<'a>> + Clone) -> Self {
        let columns = gathered(rows);
        Self {
            blocker: Blocker::build(&columns),
            columns,
            file: None,
            hot: OnceLock::new(),
        }
    }

    /// The segment in a mapped file, or `None` where its sections do not make one.
    pub(crate) fn load(stored: &Stored, file: String) -> Option<Self> {
        Some(Self {
            columns: Columns::load(stored)?,
            blocker: Blocker::load(stored)?,
            file: Some(file),
            hot: OnceLock::new(),
        })
    }

    /// What is kept of each entry.
    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The indexes.
    pub(crate) fn blocker(&self) -> &Blocker {
        &self.blocker
    }

    /// Name of the file it is in; `None` for one in memory.
    pub(crate) fn file(&self) -> Option<&String> {
        self.file.as_ref()
    }

    /// Bytes of columns and indexes, by name.
    pub(crate) fn bytes(&self) -> Vec<(&'static str, usize)> {
        let mut bytes = vec![("fingerprints", self.columns.bytes())];
        bytes.extend(self.blocker.bytes());
        bytes
    }

    /// Values that more than [`HOT`] entries carry, by index. Reads all indexes the first time.
    pub(crate) fn hot(&self) -> [(&'static str, usize); 5] {
        *self.hot.get_or_init(|| self.blocker.hot(HOT))
    }
}

//! Which segment files hold the watchlist: the manifest, and the folder they lie in.
//!
//! The manifest is one value of the `meta` family, written in one synced put after the files it names are whole. It
//! holds all changes up to a number; what came later is read from the log at the next open.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use prost::Message;
use rocksdb::WriteOptions;

use crate::error::{Error, Result};
use crate::index::Stored;
use crate::store::database::{Store, damaged, database};
use crate::store::key::{family, meta};
use crate::store::segment_file::{self, SegmentWriter, Stamp, Unusable};

/// Folder of the segment files within the database's.
const FOLDER: &str = "segments";
/// What a segment file's name ends in.
const EXTENSION: &str = "segment";

/// Which files hold the watchlist as of a change.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Manifest {
    /// Number of the last change that the files and their withdrawn sets are sure to hold.
    #[prost(uint64, tag = "1")]
    pub(crate) lsn: u64,
    /// The files.
    #[prost(message, repeated, tag = "2")]
    pub(crate) segments: Vec<SegmentRecord>,
}

/// One segment file.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SegmentRecord {
    /// Its name within the folder.
    #[prost(string, tag = "1")]
    pub(crate) file: String,
    /// Its entries came by changes after this one.
    #[prost(uint64, tag = "2")]
    pub(crate) since: u64,
    /// Withdrawn ordinals: bit `n % 64` of word `n / 64`.
    #[prost(fixed64, repeated, tag = "3")]
    pub(crate) withdrawn: Vec<u64>,
}

impl Store {
    /// The manifest; an empty one where none was written yet.
    pub(crate) fn manifest(&self) -> Result<Manifest> {
        let stored = self
            .db()
            .get_cf(self.family(family::META)?, meta::MANIFEST)
            .map_err(database)?;
        let decode = |stored: Vec<u8>| {
            Manifest::decode(stored.as_slice()).map_err(|e| damaged(meta::MANIFEST, &e.to_string()))
        };
        Ok(stored.map(decode).transpose()?.unwrap_or_default())
    }

    /// Replaces the manifest; returns when it is on the disk.
    pub(crate) fn set_manifest(&self, manifest: &Manifest) -> Result<()> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let family = self.family(family::META)?;
        let value = manifest.encode_to_vec();
        self.db()
            .put_cf_opt(family, meta::MANIFEST, value, &options)
            .map_err(database)
    }

    /// Folder of the segment files.
    pub(crate) fn segments_folder(&self) -> PathBuf {
        self.path().join(FOLDER)
    }

    /// Begins a segment file of a name not used yet, and says which.
    pub(crate) fn new_segment(&self) -> Result<(SegmentWriter, PathBuf)> {
        let folder = self.segments_folder();
        std::fs::create_dir_all(&folder).map_err(|source| Error::io(&folder, source))?;
        let number = |path: &Path| path.file_stem()?.to_str()?.parse::<u64>().ok();
        let numbers = files(&folder).into_iter().filter_map(|path| number(&path));
        let mut next = numbers.max().unwrap_or(0);
        loop {
            next += 1;
            let path = folder.join(format!("{next:06}.{EXTENSION}"));
            match SegmentWriter::create(&path) {
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => {}
                created => return Ok((created?, path)),
            }
        }
    }

    /// Maps a segment file, with `sums` after checking every byte of it.
    pub(crate) fn segment(&self, file: &str, stamp: Stamp, sums: bool) -> Result<Stored, Unusable> {
        segment_file::open(&self.segments_folder().join(file), stamp, sums)
    }

    /// Sets a damaged segment file aside under a name that is never read; says which, where it was there at all.
    pub(crate) fn set_segment_aside(&self, file: &str) -> Option<PathBuf> {
        let path = self.segments_folder().join(file);
        let aside = path.with_extension("damaged");
        std::fs::rename(&path, &aside).ok().map(|()| aside)
    }

    /// Links, or else copies, the segment files into a copy of the database at `target`. One that a merge has removed
    /// meanwhile is made again when the copy is opened.
    pub(crate) fn link_segments(&self, target: &Path) -> Result<()> {
        let folder = target.join(FOLDER);
        for segment in self.manifest()?.segments {
            std::fs::create_dir_all(&folder).map_err(|source| Error::io(&folder, source))?;
            let (from, to) = (
                self.segments_folder().join(&segment.file),
                folder.join(&segment.file),
            );
            let linked = std::fs::hard_link(&from, &to);
            if linked.is_err() && from.exists() {
                std::fs::copy(&from, &to).map_err(|source| Error::io(&to, source))?;
            }
        }
        Ok(())
    }

    /// What is damaged among the segment files, in words.
    pub(crate) fn damaged_segments(&self) -> Result<Vec<String>> {
        let any = Stamp {
            normalizer: 0,
            background: 0,
        };
        let damage = |segment: SegmentRecord| match self.segment(&segment.file, any, true) {
            Err(Unusable::Damaged(reason)) => Some(format!("segment {}: {reason}", segment.file)),
            Ok(_) | Err(Unusable::Outdated) => None,
        };
        Ok(self
            .manifest()?
            .segments
            .into_iter()
            .filter_map(damage)
            .collect())
    }

    /// Removes a segment file that the manifest no longer names; whoever has it mapped goes on reading it.
    pub(crate) fn remove_segment(&self, file: &str) {
        // A file that stays is removed at the next open.
        let _ = std::fs::remove_file(self.segments_folder().join(file));
    }

    /// Removes segment files that no one names any more, half-written ones too.
    pub(crate) fn remove_segments_but(&self, named: &[String]) {
        for path in files(&self.segments_folder()) {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let is_ours = [EXTENSION, "unfinished"]
                .iter()
                .any(|end| name.ends_with(end));
            if is_ours && !named.iter().any(|named| named == name) {
                // A file that stays is removed the next time.
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

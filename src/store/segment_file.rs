//! Segment files: named sections of bytes, checksummed, written once and then mapped into memory.
//!
//! A file is written under another name, synced, and renamed when it is whole; only then the manifest names it. So a
//! crash leaves the old files and perhaps a nameless new one, which the next open removes. What is read from a map is
//! bounds-checked by its readers, so that rot gives a wrong answer at worst until it is found, never a crash.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use memmap2::Mmap;
use prost::Message;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Result};
use crate::index::{Sections, Stored};

/// Version of the layout in `FORMAT.md`.
const VERSION: u32 = 2;
const MAGIC: &[u8; 4] = b"MWSG";
/// Magic, version, place, length and checksum of the table.
const HEADER_LEN: u64 = 32;
/// Sections begin at multiples of this, so that any number in them is aligned and SIMD loads do not straddle lines.
const ALIGN: u64 = 64;
/// Bytes of a section that one checksum covers; they are checked on all cores.
const BLOCK_LEN: usize = 16 << 20;

/// What a segment depends on: a file made for others is built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Version of the normaliser.
    pub(crate) normalizer: u32,
    /// Checksum of the background.
    pub(crate) background: u32,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It was made with another background or by another version of the program.
    Outdated,
    /// It is missing, cut or rotten, in words.
    Damaged(String),
}

#[derive(Clone, PartialEq, Message)]
struct TableMessage {
    #[prost(uint32, tag = "1")]
    normalizer: u32,
    #[prost(uint32, tag = "2")]
    background: u32,
    #[prost(message, repeated, tag = "3")]
    sections: Vec<SectionMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct SectionMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    offset: u64,
    #[prost(uint64, tag = "3")]
    len: u64,
    /// XXH3-64 of each block of 16 MiB.
    #[prost(fixed64, repeated, tag = "4")]
    sums: Vec<u64>,
}

/// A segment file in the making.
pub(crate) struct SegmentWriter {
    file: BufWriter<File>,
    path: PathBuf,
    end: u64,
    sections: Vec<SectionMessage>,
    failed: Option<std::io::Error>,
}

impl Sections for SegmentWriter {
    /// The first failure is kept and told by [`SegmentWriter::finish`].
    fn put(&mut self, name: &str, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.write(name, bytes).err();
        }
    }
}

impl SegmentWriter {
    /// Begins a file at `path`, under a name that is not yet its own.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let unfinished = unfinished(path);
        let io = |source| Error::io(&unfinished, source);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&unfinished)
            .map_err(io)?;
        if path.exists() {
            // Another writer took the name and is done already; what was just made is nobody's.
            let _ = std::fs::remove_file(&unfinished);
            return Err(Error::io(path, std::io::ErrorKind::AlreadyExists.into()));
        }
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER_LEN as usize]).map_err(io)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            end: HEADER_LEN,
            sections: Vec::new(),
            failed: None,
        })
    }

    /// What has been written so far, mapped.
    pub(crate) fn stored(&mut self) -> Result<Stored> {
        let io = |source| Error::io(unfinished(&self.path), source);
        if let Some(source) = self.failed.take() {
            return Err(io(source));
        }
        self.file.flush().map_err(io)?;
        let map = map(self.file.get_ref()).map_err(io)?;
        Ok(stored(map, &self.sections))
    }

    /// Writes the table, syncs, and gives the file its name.
    pub(crate) fn finish(mut self, stamp: Stamp) -> Result<()> {
        let unfinished = unfinished(&self.path);
        let io = |source| Error::io(&unfinished, source);
        if let Some(source) = self.failed.take() {
            return Err(io(source));
        }
        let table = TableMessage {
            normalizer: stamp.normalizer,
            background: stamp.background,
            sections: std::mem::take(&mut self.sections),
        }
        .encode_to_vec();
        let mut header = Vec::with_capacity(HEADER_LEN as usize);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        for number in [self.end, table.len() as u64, xxh3_64(&table)] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        self.file.write_all(&table).map_err(io)?;
        self.file.seek(SeekFrom::Start(0)).map_err(io)?;
        self.file.write_all(&header).map_err(io)?;
        let file = self.file.into_inner().map_err(|e| io(e.into_error()))?;
        file.sync_all().map_err(io)?;
        std::fs::rename(&unfinished, &self.path).map_err(io)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(io)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let offset = self.end.next_multiple_of(ALIGN);
        let padding = (offset - self.end) as usize;
        self.file.write_all(&[0; ALIGN as usize][..padding])?;
        self.file.write_all(bytes)?;
        self.end = offset + bytes.len() as u64;
        let blocks: Vec<&[u8]> = bytes.chunks(BLOCK_LEN).collect();
        self.sections.push(SectionMessage {
            name: name.to_owned(),
            offset,
            len: bytes.len() as u64,
            sums: blocks.par_iter().map(|block| xxh3_64(block)).collect(),
        });
        Ok(())
    }
}

/// Maps the file at `path` and checks that it is whole: its table, and with `sums` every byte of its sections.
pub(crate) fn open(path: &Path, stamp: Stamp, sums: bool) -> Result<Stored, Unusable> {
    let damaged = |reason: &str| Unusable::Damaged(reason.to_owned());
    let io = |source: std::io::Error| Unusable::Damaged(source.to_string());
    let map = map(&File::open(path).map_err(io)?).map_err(io)?;
    let number = |at: usize| -> Option<u64> {
        Some(u64::from_le_bytes(map.get(at..at + 8)?.try_into().ok()?))
    };
    if map.get(..4) != Some(MAGIC) {
        return Err(damaged("not a segment file"));
    }
    if map.get(4..8) != Some(&VERSION.to_le_bytes()) {
        return Err(Unusable::Outdated);
    }
    let (Some(start), Some(len), Some(sum)) = (number(8), number(16), number(24)) else {
        return Err(damaged("cut short"));
    };
    let end = start.checked_add(len).ok_or_else(|| damaged("cut short"))?;
    let table = map
        .get(start as usize..end as usize)
        .ok_or_else(|| damaged("cut short"))?;
    if xxh3_64(table) != sum {
        return Err(damaged("the checksum of its table differs"));
    }
    let table = TableMessage::decode(table).map_err(|e| Unusable::Damaged(e.to_string()))?;
    if sums {
        let rotten = |section: &&SectionMessage| !is_sound(&map, section);
        if let Some(section) = table.sections.iter().find(rotten) {
            return Err(Unusable::Damaged(format!(
                "the checksum of its section {} differs",
                section.name
            )));
        }
    }
    if (table.normalizer, table.background) != (stamp.normalizer, stamp.background) {
        return Err(Unusable::Outdated);
    }
    Ok(stored(map, &table.sections))
}

/// Name of the file that will be at `path`.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("unfinished")
}

fn is_sound(map: &Mmap, section: &SectionMessage) -> bool {
    let (start, len) = (section.offset as usize, section.len as usize);
    let Some(bytes) = start.checked_add(len).and_then(|end| map.get(start..end)) else {
        return false;
    };
    let blocks: Vec<&[u8]> = bytes.chunks(BLOCK_LEN).collect();
    let sums: Vec<u64> = blocks.par_iter().map(|block| xxh3_64(block)).collect();
    sums == section.sums
}

fn stored(map: Mmap, sections: &[SectionMessage]) -> Stored {
    let place = |section: &SectionMessage| {
        let place = (section.offset as usize, section.len as usize);
        (section.name.clone(), place)
    };
    let places: HashMap<String, (usize, usize)> = sections.iter().map(place).collect();
    Stored::new(Bytes::from_owner(map), places)
}

#[expect(
    unsafe_code,
    reason = "mapping a file is unsafe because another process may change it; segment files are \
written once, renamed into place and never changed, and lie in a folder that is its owner's alone"
)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: see the reason above; readers check bounds, and no reference to the bytes is kept beyond the map.
    unsafe { Mmap::map(file) }
}

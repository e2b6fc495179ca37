//! How segments outlive the process: written as files, named in the manifest, mapped again at open.
//!
//! At open the files of the manifest are mapped and the changes after it are read from the log, so that opening costs
//! what has happened since, not what is there. A file that is damaged, missing, or made for another background is named
//! and set aside; its entries are read from the store and indexed again before the engine answers anything.

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::account::Account;
use crate::background::Background;
use crate::blocking::Blocker;
use crate::engine::columns::{Columns, gathered};
use crate::engine::exemptions::Exemptions;
use crate::engine::generation::{Generation, Part};
use crate::engine::packed::Packed;
use crate::engine::segment::{KEPT_MIN, Segment};
use crate::error::{Error, Result};
use crate::fingerprint::NORMALIZER_VERSION;
use crate::judgment::Ruling;
use crate::store::{Access, Manifest, SegmentRecord, Stamp, Store, Unusable};
use crate::watchlist::Entry;

/// Changes after the manifest up to which the log is followed at open; beyond, all entries are read in order.
const LOG_LEN_MAX: u64 = 262_144;
/// Entries read from the store before their fingerprints are made.
const LOAD_LEN: usize = 65_536;

/// Says what takes long, or went wrong and was mended.
pub(crate) type Notice<'a> = &'a dyn Fn(&str);

/// What fingerprints depend on.
pub(crate) fn stamp(background: &Background) -> Stamp {
    Stamp {
        normalizer: NORMALIZER_VERSION,
        background: background.checksum(),
    }
}

/// The generation that the database holds.
///
/// # Errors
/// The database cannot be read, or its segments not be written.
pub(crate) fn load(
    store: &Store,
    background: &Background,
    access: Access,
    notice: Notice<'_>,
) -> Result<Generation> {
    let manifest = store.manifest()?;
    if access != Access::Read {
        let named: Vec<String> = manifest
            .segments
            .iter()
            .map(|segment| segment.file.clone())
            .collect();
        store.remove_segments_but(&named);
    }
    let stamp = stamp(background);
    let (mut parts, all_mapped) = mapped(store, &manifest, stamp, access, notice);
    let lsn = store.last_lsn()?;
    // Reading a long log entry by entry would take longer than reading all entries in order.
    let is_whole = all_mapped && lsn.saturating_sub(manifest.lsn) < LOG_LEN_MAX;
    let mut loading = Loading {
        store,
        background,
        packed: Packed::default(),
        batch: Vec::with_capacity(LOAD_LEN),
    };
    match is_whole {
        true => loading.changed(&mut parts, &manifest)?,
        false => loading.missing(&mut parts, &manifest, notice)?,
    }
    let mut packed = loading.finish();
    parts.retain(|part| part.live() > 0);
    if packed.len() > 0 {
        let rows = packed.sorted();
        let since = if is_whole { manifest.lsn } else { 0 };
        parts.push(
            match rows.clone().count() >= KEPT_MIN && access != Access::Read {
                true => Part::of(keep(store, stamp, gathered(rows), notice)?, since),
                false => Part::of(Segment::build(rows), since),
            },
        );
    }
    let generation = Generation::of(parts, exemptions(store)?, lsn);
    if access != Access::Read && (!is_whole || lsn >= manifest.lsn + KEPT_MIN as u64) {
        write_manifest(store, &generation, &[])?;
    }
    Ok(generation)
}

/// What people have exempted, as the database holds it.
fn exemptions(store: &Store) -> Result<Exemptions> {
    let mut exemptions = Exemptions::default();
    for judgment in store.judgments()? {
        exemptions.rule(&Ruling::Judge(judgment?));
    }
    for protection in store.protections()? {
        exemptions.rule(&Ruling::Protect(protection?));
    }
    Ok(exemptions)
}

/// The parts in the manifest's files, and whether all of them could be mapped.
fn mapped(
    store: &Store,
    manifest: &Manifest,
    stamp: Stamp,
    access: Access,
    notice: Notice<'_>,
) -> (Vec<Part>, bool) {
    let mut parts = Vec::new();
    for record in &manifest.segments {
        let stored = store.segment(&record.file, stamp, true);
        let loaded = stored.and_then(|stored| {
            let segment = Segment::load(&stored, record.file.clone());
            segment.ok_or_else(|| Unusable::Damaged("its sections do not fit each other".into()))
        });
        match loaded {
            Ok(segment) => {
                let part = Part::of(segment, record.since);
                parts.push(part.with_withdrawn(record.withdrawn.clone()));
            }
            Err(unusable) => tell_unusable(store, &record.file, &unusable, access, notice),
        }
    }
    let all_mapped = parts.len() == manifest.segments.len();
    (parts, all_mapped)
}

fn tell_unusable(
    store: &Store,
    file: &str,
    unusable: &Unusable,
    access: Access,
    notice: Notice<'_>,
) {
    match unusable {
        Unusable::Outdated => notice(&format!(
            "segment {file} was made for another background or version: indexing its entries again"
        )),
        Unusable::Damaged(reason) => {
            let aside = (access != Access::Read)
                .then(|| store.set_segment_aside(file))
                .flatten();
            let aside = aside.map_or_else(String::new, |aside| {
                format!(" It is set aside as {}.", aside.display())
            });
            notice(&format!(
                "segment {file} is damaged: {reason}.{aside} Its entries are read from the database and indexed again"
            ));
        }
    }
}

/// Entries on their way from the store into a segment.
struct Loading<'a> {
    store: &'a Store,
    background: &'a Background,
    packed: Packed,
    batch: Vec<Account>,
}

impl Loading<'_> {
    fn push(&mut self, account: Account) {
        self.batch.push(account);
        if self.batch.len() >= LOAD_LEN {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let (background, secret) = (self.background, self.store.secret());
        let made = self.batch.par_iter();
        let entries: Vec<Entry> = made
            .map(|account| Entry::of(account, background, secret))
            .collect();
        entries.iter().for_each(|entry| self.packed.push(entry));
        self.batch.clear();
    }

    /// Takes the entries that changed since the manifest, and withdraws what the files hold of them.
    fn changed(&mut self, parts: &mut [Part], manifest: &Manifest) -> Result<()> {
        for (id, is_withdrawal) in self.store.changed_since(manifest.lsn)? {
            parts.iter_mut().for_each(|part| part.withdraw(id.as_str()));
            if !is_withdrawal {
                let missing = || Error::Damaged {
                    key: id.to_string(),
                    reason: "the log says that it is enrolled, and there is no such entry".into(),
                };
                self.push(self.store.entry(&id)?.ok_or_else(missing)?);
            }
        }
        Ok(())
    }

    /// Takes every entry of the store that no whole segment holds; entries changed since the manifest count as not held.
    fn missing(
        &mut self,
        parts: &mut [Part],
        manifest: &Manifest,
        notice: Notice<'_>,
    ) -> Result<()> {
        for (id, _) in self.store.changed_since(manifest.lsn)? {
            parts.iter_mut().for_each(|part| part.withdraw(id.as_str()));
        }
        let mut read = 0usize;
        for account in self.store.entries()? {
            let account = account?;
            let id = account.id().as_str();
            if parts.iter().all(|part| part.find(id).is_none()) {
                self.push(account);
            }
            read += 1;
            if read.is_multiple_of(1_000_000) {
                notice(&format!("read {read} entries"));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Packed {
        self.flush();
        self.packed
    }
}

/// Writes columns and the indexes over them as a segment file and maps it.
///
/// The columns are written and dropped before the first index is built, and each index before the next.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep(
    store: &Store,
    stamp: Stamp,
    columns: Columns,
    notice: Notice<'_>,
) -> Result<Segment> {
    let (mut file, path) = store.new_segment()?;
    let unreadable = || {
        Error::io(
            &path,
            std::io::Error::other("a segment just written cannot be read"),
        )
    };
    columns.store(&mut file);
    let len = columns.len();
    drop(columns);
    let columns = Columns::load(&file.stored()?).ok_or_else(unreadable)?;
    let step = |what: &str| {
        if len >= 1_000_000 {
            notice(&format!("indexing {what} of {len} entries"));
        }
    };
    Blocker::write(&columns, &mut file, &step);
    file.finish(stamp)?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let stored = store
        .segment(name, stamp, false)
        .map_err(|_| unreadable())?;
    Segment::load(&stored, name.to_owned()).ok_or_else(unreadable)
}

/// Names the generation's files in the manifest and removes those it no longer names.
///
/// The manifest holds all changes that came before the oldest entry which is in memory only, or in a bulk load that
/// began after one of the changes `loading` and is not finished.
///
/// # Errors
/// The database cannot write.
pub(crate) fn write_manifest(
    store: &Store,
    generation: &Generation,
    loading: &[u64],
) -> Result<()> {
    let in_memory = generation
        .parts()
        .iter()
        .filter(|part| part.segment().file().is_none());
    let in_log = in_memory.map(Part::since).chain(loading.iter().copied());
    let lsn = in_log.min().unwrap_or(generation.lsn());
    let record = |part: &Part| {
        Some(SegmentRecord {
            file: part.segment().file()?.clone(),
            since: part.since(),
            withdrawn: part.withdrawn_words().to_vec(),
        })
    };
    let segments: Vec<SegmentRecord> = generation.parts().iter().filter_map(record).collect();
    let named: Vec<String> = segments
        .iter()
        .map(|segment| segment.file.clone())
        .collect();
    let before = store.manifest()?.segments;
    store.set_manifest(&Manifest { lsn, segments })?;
    let unnamed = before.iter().map(|segment| &segment.file);
    unnamed
        .filter(|file| !named.contains(file))
        .for_each(|file| store.remove_segment(file));
    Ok(())
}

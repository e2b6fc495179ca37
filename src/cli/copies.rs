//! `stats`, `verify`, `export`, `backup`, `restore`: looking after a database.

use std::path::Path;

use crate::cli::run::{Console, DONE, FAILED};
use crate::cli::table::cell;
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{Access, Store, make_private};
use crate::wire::AccountRecord;

/// Networks listed by `stats`.
const NETWORKS_SHOWN: usize = 20;

/// Prints sizes.
pub(crate) fn stats(engine: &Engine, json: bool, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let stats = engine.stats()?;
    if json {
        let networks: serde_json::Map<_, _> = stats
            .networks
            .iter()
            .map(|(name, len)| (name.clone(), serde_json::json!(len)))
            .collect();
        let record = serde_json::json!({
            "entries": stats.entries, "segments": stats.segments, "lsn": stats.lsn, "disk_bytes": stats.disk_bytes,
            "model": stats.model, "background_accounts": stats.background_accounts, "learnt_accounts": stats.learnt_accounts, "networks": networks,
            "judgments": stats.judgments, "protected": stats.protected,
            "hot_values": stats.hot_values.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
            "index_bytes": stats.index_bytes.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
        });
        console.print(&format!("{record}\n"))?;
        return Ok(DONE);
    }
    console.print(&format!(
        "entries              {}\nsegments             {}\nlsn                  {}\ndisk bytes           {}\nmodel                {}\nbackground accounts  {}\nlearnt accounts      {}\nnetworks             {}\n",
        stats.entries,
        stats.segments,
        stats.lsn,
        stats.disk_bytes,
        stats.model,
        stats.background_accounts,
        stats.learnt_accounts,
        stats.networks.iter().filter(|(name, _)| !name.is_empty()).count()
    ))?;
    if stats.judgments + stats.protected > 0 {
        let (judgments, protected) = (stats.judgments, stats.protected);
        console.print(&format!(
            "judgments            {judgments}\nprotected accounts   {protected}\n"
        ))?;
    }
    for (name, values) in &stats.hot_values {
        console.print(&format!("hot {name:<16} {values}\n"))?;
    }
    for (name, bytes) in &stats.index_bytes {
        console.print(&format!("bytes of {name:<11} {bytes}\n"))?;
    }
    for (name, len) in stats.networks.iter().take(NETWORKS_SHOWN) {
        let name = if name.is_empty() { "(none)" } else { name };
        console.print(&format!("  {len:>8}  {}\n", cell(name)))?;
    }
    Ok(DONE)
}

/// Walks the whole database.
pub(crate) fn verify(db: &Path, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let found = Engine::verify(db)?;
    for damage in found.damage.iter().chain(&found.segments) {
        console.complain(damage);
    }
    let rulings = match found.rulings {
        0 => String::new(),
        rulings => format!(", {rulings} judgments and protected accounts"),
    };
    console.print(&format!(
        "verified {} entries, {} changes, {} seen accounts{rulings}: {} damaged\n",
        found.entries,
        found.changes,
        found.seen,
        found.damage.len() + found.segments.len()
    ))?;
    Ok(if found.damage.is_empty() && found.segments.is_empty() {
        DONE
    } else {
        FAILED
    })
}

/// Writes every entry as a line of NDJSON.
pub(crate) fn export(engine: &Engine, console: &mut Console<'_>) -> anyhow::Result<u8> {
    for account in engine.entries()? {
        console.print(&(serde_json::to_string(&AccountRecord::of(&account?))? + "\n"))?;
    }
    Ok(DONE)
}

/// Writes a consistent copy to `dir`, which must not exist.
pub(crate) fn backup(db: &Path, dir: &Path, console: &mut Console<'_>) -> anyhow::Result<u8> {
    check_absent(dir)?;
    Store::open(db, Access::Write)?.backup(dir)?;
    make_private(dir)?;
    // What the service keeps beside the database: keys, as salted hashes, and who changed what.
    for file in crate::serve::FILES {
        if db.join(file).exists() {
            copied(&db.join(file), &dir.join(file))?;
        }
    }
    synced(dir)?;
    console.print(&format!("backed up to {}\n", dir.display()))?;
    Ok(DONE)
}

/// Makes the database at `db` from the backup in `dir`, once the backup has been read through.
pub(crate) fn restore(db: &Path, dir: &Path, console: &mut Console<'_>) -> anyhow::Result<u8> {
    check_absent(db)?;
    let found = Engine::verify(dir)?;
    if let Some(damage) = found.damage.first() {
        return Err(Error::Malformed {
            what: dir.display().to_string(),
            reason: damage.clone(),
        }
        .into());
    }
    // Under another name until it is whole: what was cut off is not taken for a database.
    let name = db.file_name().unwrap_or_default().to_string_lossy();
    let making = db.with_file_name(format!("{name}.restoring-{}", std::process::id()));
    let made = copy(dir, &making)
        .and_then(|()| std::fs::rename(&making, db).map_err(|source| Error::io(db, source)));
    if let Err(error) = made {
        let _ = std::fs::remove_dir_all(&making);
        return Err(error.into());
    }
    let parent = db.parent().filter(|parent| !parent.as_os_str().is_empty());
    synced(parent.unwrap_or(Path::new(".")))?;
    console.print(&format!(
        "restored {} entries from {}\n",
        found.entries,
        dir.display()
    ))?;
    Ok(DONE)
}

/// Copies the files of a backup, so that the backup itself is only read.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let files = std::fs::read_dir(from).map_err(|source| Error::io(from, source))?;
    make_private(to)?;
    for file in files {
        let file = file.map_err(|source| Error::io(from, source))?.path();
        let target = to.join(file.file_name().unwrap_or_default());
        if file.is_dir() {
            copy(&file, &target)?;
            continue;
        }
        copied(&file, &target)?;
    }
    synced(to)
}

/// Copies one file onto the disk.
fn copied(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::copy(from, to).map_err(|source| Error::io(from, source))?;
    synced(to)
}

/// Waits until a file, or the names in a folder, are on the disk.
fn synced(path: &Path) -> Result<(), Error> {
    let file = std::fs::File::open(path).and_then(|file| file.sync_all());
    file.map_err(|source| Error::io(path, source))
}

fn check_absent(dir: &Path) -> Result<(), Error> {
    if dir.exists() {
        let reason = "exists already; name a folder that does not".to_owned();
        return Err(Error::Malformed {
            what: dir.display().to_string(),
            reason,
        });
    }
    Ok(())
}

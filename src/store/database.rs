//! The database: open, write one batch, read, walk.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    ColumnFamilyDescriptor, DB, DBRecoveryMode, IteratorMode, Options, ReadOptions, WriteBatch,
    WriteOptions,
};

use crate::account::{Account, AccountId};
use crate::error::{Error, Result};
use crate::hash::Secret;
use crate::judgment::Ruling;
use crate::store::codec::{ChangeRecord, EntryRecord, SeenAccount};
use crate::store::key::{self, family, meta};

/// Version of the byte layout in `FORMAT.md`.
pub(crate) const FORMAT: u32 = 1;
/// Share of what is in memory before it is written that its filter takes: some ten bits a key.
const MEMTABLE_BLOOM: f64 = 0.02;
/// Memory for blocks read, shared by all families.
const BLOCK_CACHE_BYTES: usize = 64 << 20;

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For writing; made when absent. One process at a time.
    Create,
    /// For writing; an error when absent. One process at a time.
    Write,
    /// For reading, beside a writer if there is one; sees what was there at opening.
    Read,
}

/// A change to the watchlist.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// Adds or replaces the entry of this id by an account as [`Change::encoded`] made it.
    Enroll(AccountId, Vec<u8>),
    /// Removes the entry of this id.
    Withdraw(AccountId),
    /// What a person says of a pair or an account.
    Rule(Ruling),
}

impl Change {
    /// The enrolment of `account`.
    pub(crate) fn encoded(account: &Account) -> Self {
        Self::Enroll(account.id().clone(), EntryRecord::encoded(account))
    }

    /// Whose entry it changes, if it changes one.
    pub(crate) fn id(&self) -> Option<&AccountId> {
        match self {
            Self::Enroll(id, _) | Self::Withdraw(id) => Some(id),
            Self::Rule(_) => None,
        }
    }
}

/// A stored key and its value.
pub(crate) type Row = (Box<[u8]>, Box<[u8]>);

/// An open database.
pub(crate) struct Store {
    pub(in crate::store) db: DB,
    path: PathBuf,
    secret: Secret,
}

impl Store {
    /// Opens the database in `path`.
    ///
    /// # Errors
    /// Absent (unless created), locked by another process, of another format, or damaged.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self> {
        if access != Access::Create && !path.join("CURRENT").exists() {
            return Err(Error::NoDatabase {
                path: path.to_owned(),
            });
        }
        if access == Access::Create {
            make_private(path)?;
        }
        let options = options(access);
        let described = |name: &str| ColumnFamilyDescriptor::new(name, family_options());
        let db = match access {
            Access::Read => {
                // A database last written before a family was thought of is read without it.
                let there = DB::list_cf(&options, path).map_err(database)?;
                let is_ours = |name: &&str| family::ALL.contains(name);
                let families = there.iter().map(String::as_str).filter(is_ours);
                let families: Vec<ColumnFamilyDescriptor> = families.map(described).collect();
                DB::open_cf_descriptors_read_only(&options, path, families, false)
            }
            Access::Create | Access::Write => {
                DB::open_cf_descriptors(&options, path, family::ALL.map(described))
            }
        }
        .map_err(database)?;
        let mut store = Self {
            db,
            path: path.to_owned(),
            secret: Secret::new([0; 32]),
        };
        store.check_format(access)?;
        store.secret = store.load_secret(access)?;
        Ok(store)
    }

    /// The secret that keys this database's tokens.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The database, for the other files of this room.
    pub(in crate::store) fn db(&self) -> &DB {
        &self.db
    }

    /// Folder of the database.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of the last change; 0 when nothing was ever enrolled. One disk read.
    pub(crate) fn last_lsn(&self) -> Result<u64> {
        match self
            .db
            .iterator_cf(self.family(family::LOG)?, IteratorMode::End)
            .next()
        {
            None => Ok(0),
            Some(Err(source)) => Err(database(source)),
            Some(Ok((key, _))) => key::lsn_of(&key)
                .ok_or_else(|| damaged(&key, "a change number that has not eight bytes")),
        }
    }

    /// Writes changes numbered from `lsn_first` on in one batch; returns when they are on the disk.
    /// With `mark`, what is noted of a bulk load changes with them: an empty one is forgotten.
    pub(crate) fn write(
        &self,
        changes: &[Change],
        lsn_first: u64,
        mark: Option<&[u8]>,
    ) -> Result<()> {
        let (entries, log) = (self.family(family::ENTRIES)?, self.family(family::LOG)?);
        let mut batch = WriteBatch::default();
        for (lsn, change) in (lsn_first..).zip(changes) {
            let listed = |id: &AccountId, is_withdrawal| ChangeRecord::Listed {
                id: id.as_str().to_owned(),
                is_withdrawal,
            };
            let record = match change {
                Change::Enroll(id, account) => {
                    let record = EntryRecord::of_encoded(lsn, account);
                    batch.put_cf(entries, key::account(id), record);
                    listed(id, false)
                }
                Change::Withdraw(id) => {
                    batch.delete_cf(entries, key::account(id));
                    listed(id, true)
                }
                Change::Rule(ruling) => self.rule(ruling, lsn, &mut batch)?,
            };
            batch.put_cf(log, key::lsn(lsn), record.encode());
        }
        match mark {
            Some([]) => batch.delete_cf(self.family(family::META)?, meta::LOAD),
            Some(mark) => batch.put_cf(self.family(family::META)?, meta::LOAD, mark),
            None => {}
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(database)
    }

    /// Puts what is in memory into table files, so that the next open has no log to read; the log stays whole meanwhile.
    pub(crate) fn flush(&self) -> Result<()> {
        for name in family::ALL {
            self.db.flush_cf(self.family(name)?).map_err(database)?;
        }
        Ok(())
    }

    /// How far a bulk load has come, as its caller noted it, unless it was finished.
    pub(crate) fn load_mark(&self) -> Result<Option<Vec<u8>>> {
        self.db
            .get_cf(self.family(family::META)?, meta::LOAD)
            .map_err(database)
    }

    /// The banned account of an entry as stored, or `None`. One disk read.
    pub(crate) fn entry(&self, id: &AccountId) -> Result<Option<Account>> {
        let stored = self
            .db
            .get_cf(self.family(family::ENTRIES)?, key::account(id))
            .map_err(database)?;
        let decode = |stored: Vec<u8>| {
            EntryRecord::decode(&stored).map_err(|reason| damaged(key::account(id), &reason))
        };
        Ok(stored.map(decode).transpose()?.map(|record| record.account))
    }

    /// Every entry, by id. Reads the whole family.
    pub(crate) fn entries(&self) -> Result<impl Iterator<Item = Result<Account>> + '_> {
        let rows = self.rows(family::ENTRIES)?;
        Ok(rows.map(|row| {
            let (key, stored) = row?;
            let record = EntryRecord::decode(&stored).map_err(|reason| damaged(&key, &reason))?;
            Ok(record.account)
        }))
    }

    /// Ids whose entries changed after change `lsn`, each once, in the order of their last changes, and whether that was a withdrawal.
    pub(crate) fn changed_since(&self, lsn: u64) -> Result<Vec<(AccountId, bool)>> {
        let start = key::lsn(lsn + 1);
        let from = IteratorMode::From(&start, rocksdb::Direction::Forward);
        let rows = self.db.iterator_cf(self.family(family::LOG)?, from);
        let mut last: HashMap<String, (usize, bool)> = HashMap::new();
        for (place, row) in rows.enumerate() {
            let (key, stored) = row.map_err(database)?;
            let change = ChangeRecord::decode(&stored).map_err(|reason| damaged(&key, &reason))?;
            if let ChangeRecord::Listed { id, is_withdrawal } = change {
                last.insert(id, (place, is_withdrawal));
            }
        }
        let mut changed: Vec<(usize, String, bool)> = last
            .into_iter()
            .map(|(id, (place, is_withdrawal))| (place, id, is_withdrawal))
            .collect();
        changed.sort_unstable();
        let id = |id: &str| AccountId::new(id).map_err(|e| damaged(id.as_bytes(), &e.to_string()));
        let rows = changed.into_iter();
        rows.map(|(_, text, is_withdrawal)| Ok((id(&text)?, is_withdrawal)))
            .collect()
    }

    /// Ids enrolled after change `lsn` and not withdrawn since, the latest first, and whether there are more than `len_max`.
    /// Reads no more of the log than it needs.
    pub(crate) fn latest_enrolled(
        &self,
        lsn: u64,
        len_max: usize,
    ) -> Result<(Vec<AccountId>, bool)> {
        let (mut latest, mut met) = (Vec::new(), HashSet::new());
        let log = self.family(family::LOG)?;
        for row in self.db.iterator_cf(log, IteratorMode::End) {
            let (key, stored) = row.map_err(database)?;
            if key::lsn_of(&key).is_none_or(|number| number <= lsn) {
                break;
            }
            let change = ChangeRecord::decode(&stored).map_err(|reason| damaged(&key, &reason))?;
            if let ChangeRecord::Listed { id, is_withdrawal } = change {
                let id = AccountId::new(&id).map_err(|e| damaged(&key, &e.to_string()))?;
                if met.insert(id.clone()) && !is_withdrawal {
                    if latest.len() == len_max {
                        return Ok((latest, true));
                    }
                    latest.push(id);
                }
            }
        }
        Ok((latest, false))
    }

    /// What was seen of an account when it was screened, or `None`. One disk read.
    pub(crate) fn seen(&self, id: &AccountId) -> Result<Option<SeenAccount>> {
        let stored = self
            .db
            .get_cf(self.family(family::SEEN)?, key::account(id))
            .map_err(database)?;
        let decode = |stored: Vec<u8>| {
            SeenAccount::decode(&stored).map_err(|reason| damaged(key::account(id), &reason))
        };
        stored.map(decode).transpose()
    }

    /// Whether anything was seen of an account. Decodes nothing.
    pub(crate) fn has_seen(&self, id: &AccountId) -> Result<bool> {
        let stored = self
            .db
            .get_pinned_cf(self.family(family::SEEN)?, key::account(id));
        Ok(stored.map_err(database)?.is_some())
    }

    /// Everything that was seen, by id.
    pub(crate) fn all_seen(&self) -> Result<impl Iterator<Item = Result<SeenAccount>> + '_> {
        let rows = self.rows(family::SEEN)?;
        Ok(rows.map(|row| {
            let (key, stored) = row?;
            SeenAccount::decode(&stored).map_err(|reason| damaged(&key, &reason))
        }))
    }

    /// Forgets what was seen of one account.
    pub(crate) fn forget(&self, id: &AccountId) -> Result<()> {
        let family = self.family(family::SEEN)?;
        let forgotten = self.db.delete_cf(family, key::account(id));
        forgotten.map_err(database)
    }

    /// Keeps what was seen; not synced, since losing the last moments of it loses no ban.
    pub(crate) fn remember(&self, seen: &[SeenAccount]) -> Result<()> {
        let accounts = self.family(family::SEEN)?;
        let mut batch = WriteBatch::default();
        for seen in seen {
            batch.put_cf(accounts, key::account(seen.account.id()), seen.encode());
        }
        self.db.write(batch).map_err(database)
    }

    /// Ids of accounts last seen before `limit`. Reads the whole family; what is damaged is passed over.
    pub(crate) fn seen_before(&self, limit: Timestamp) -> Result<Vec<AccountId>> {
        let mut old = Vec::new();
        for row in self.rows(family::SEEN)? {
            let (key, stored) = row?;
            if SeenAccount::decode(&stored).is_ok_and(|seen| seen.seen_at < limit) {
                old.extend(key::account_of(&key));
            }
        }
        Ok(old)
    }

    /// Writes a consistent copy to `target`, which must not exist; hard links where the disk allows.
    pub(crate) fn backup(&self, target: &Path) -> Result<()> {
        Checkpoint::new(&self.db)
            .and_then(|point| point.create_checkpoint(target))
            .map_err(database)?;
        self.link_segments(target)
    }

    /// Bytes of the database's files.
    pub(crate) fn disk_bytes(&self) -> Result<u64> {
        let lens = |folder: &Path| {
            let files = std::fs::read_dir(folder).map_err(|source| Error::io(folder, source))?;
            let metadata = files.filter_map(|file| file.ok()?.metadata().ok());
            let plain = metadata.filter(std::fs::Metadata::is_file);
            Ok::<u64, Error>(plain.map(|file| file.len()).sum())
        };
        let segments = self.segments_folder();
        let segments = if segments.is_dir() {
            lens(&segments)?
        } else {
            0
        };
        Ok(lens(&self.path)? + segments)
    }

    /// All rows of a family, in key order, with checksums verified.
    pub(crate) fn rows(&self, family: &str) -> Result<impl Iterator<Item = Result<Row>> + '_> {
        let mut options = ReadOptions::default();
        options.set_verify_checksums(true);
        let rows = self
            .db
            .iterator_cf_opt(self.family(family)?, options, IteratorMode::Start);
        Ok(rows.map(|row| row.map_err(database)))
    }

    pub(in crate::store) fn family(&self, name: &str) -> Result<&rocksdb::ColumnFamily> {
        let missing = || Error::Database {
            message: format!("column family {name} is missing"),
        };
        self.db.cf_handle(name).ok_or_else(missing)
    }

    fn check_format(&self, access: Access) -> Result<()> {
        let family = self.family(family::META)?;
        let Some(stored) = self.db.get_cf(family, meta::FORMAT).map_err(database)? else {
            if access == Access::Read {
                return Err(Error::Format {
                    expected: FORMAT,
                    found: 0,
                });
            }
            return self
                .db
                .put_cf(family, meta::FORMAT, FORMAT.to_le_bytes())
                .map_err(database);
        };
        let found = stored.as_slice().try_into().map_or(0, u32::from_le_bytes);
        if found != FORMAT {
            return Err(Error::Format {
                expected: FORMAT,
                found,
            });
        }
        Ok(())
    }

    fn load_secret(&self, access: Access) -> Result<Secret> {
        let family = self.family(family::META)?;
        if let Some(stored) = self.db.get_cf(family, meta::SECRET).map_err(database)? {
            let bytes = stored
                .as_slice()
                .try_into()
                .map_err(|_| damaged(meta::SECRET, "not 32 bytes"))?;
            return Ok(Secret::new(bytes));
        }
        if access == Access::Read {
            return Err(damaged(meta::SECRET, "missing"));
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| Error::Database {
            message: e.to_string(),
        })?;
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db
            .put_cf_opt(family, meta::SECRET, bytes, &options)
            .map_err(database)?;
        Ok(Secret::new(bytes))
    }
}

/// Makes the folder where it is absent, and in any case readable by its owner alone: it holds profiles and the secret
/// that keys tokens.
pub(crate) fn make_private(path: &Path) -> Result<()> {
    let io = |source| Error::io(path, source);
    std::fs::create_dir_all(path).map_err(io)?;
    #[cfg(unix)]
    {
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(path, owner_only).map_err(io)?;
    }
    Ok(())
}

fn options(access: Access) -> Options {
    let mut options = Options::default();
    options.create_if_missing(access == Access::Create);
    options.create_missing_column_families(access != Access::Read);
    // Rot inside the log is an error, not the end of the log: acknowledged bans behind it must not vanish unseen.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_max_open_files(256);
    options.set_keep_log_file_num(2);
    options.increase_parallelism(2);
    options
}

fn family_options() -> Options {
    let mut table = rocksdb::BlockBasedOptions::default();
    if let Ok(cache) = rocksdb::Cache::new_lru_cache(BLOCK_CACHE_BYTES) {
        table.set_block_cache(&cache);
    }
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(rocksdb::DBCompressionType::Lz4);
    // Most accounts were never seen: what was just written is asked whether it may know a key, as files are.
    options.set_memtable_prefix_bloom_ratio(MEMTABLE_BLOOM);
    options.set_memtable_whole_key_filtering(true);
    options
}

pub(in crate::store) fn database(source: rocksdb::Error) -> Error {
    let message = source.into_string();
    if message.contains("While lock file") || message.contains("lock hold by current process") {
        return Error::Locked;
    }
    Error::Database { message }
}

pub(crate) fn damaged(key: &[u8], reason: &str) -> Error {
    Error::Damaged {
        key: String::from_utf8_lossy(key).into_owned(),
        reason: reason.into(),
    }
}

//! What lists and counts of entries are made of, read from every entry without the rest of the account.

use jiff::Timestamp;
use prost::Message;
use rocksdb::{DBRawIterator, ReadOptions};

use crate::account::{AccountId, Kind};
use crate::error::Result;
use crate::store::codec::{kind_of, timestamp};
use crate::store::database::{Store, damaged, database};
use crate::store::key::{self, family};
use crate::store::standings::{Standing, standing_of};

/// Bytes read ahead of whoever goes through a family once.
const READAHEAD_BYTES: usize = 2 << 20;

/// An entry as lists and counts tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary<'a> {
    key: &'a [u8],
    /// May be empty.
    pub(crate) platform: &'a str,
    pub(crate) kind: Kind,
    /// Empty where it has none.
    pub(crate) network: &'a str,
    pub(crate) banned_at: Option<Timestamp>,
    /// How far its platform has come; `None` where nobody noted it.
    pub(crate) standing: Option<Standing>,
}

impl Summary<'_> {
    /// The entry's id; `Err` where its key is damaged.
    pub(crate) fn id(&self) -> Result<AccountId> {
        key::account_of(self.key).ok_or_else(|| damaged(self.key, "no account id"))
    }
}

/// The fields of an entry's message in `codec.rs` that are read; the decoder passes over all others. One is filled again and
/// again. That both read the same is tested below.
#[derive(Clone, PartialEq, Message)]
struct EntryLines {
    #[prost(message, required, tag = "2")]
    account: AccountLines,
}

#[derive(Clone, PartialEq, Message)]
struct AccountLines {
    #[prost(string, tag = "2")]
    platform: String,
    #[prost(uint32, tag = "3")]
    kind: u32,
    #[prost(message, required, tag = "13")]
    ban: BanLines,
}

#[derive(Clone, PartialEq, Message)]
struct BanLines {
    #[prost(string, tag = "2")]
    network: String,
    #[prost(int64, optional, tag = "4")]
    banned_at: Option<i64>,
}

impl Store {
    /// Tells `each` of every entry, by id. Reads the whole family, about half a microsecond an entry.
    pub(crate) fn summaries(&self, mut each: impl FnMut(Summary<'_>) -> Result<()>) -> Result<()> {
        let mut entries = self.once_through(family::ENTRIES)?;
        // Both families go by id: whoever has come less far takes the next step.
        let mut standings = self.once_through(family::STANDINGS)?;
        let mut lines = EntryLines::default();
        while let Some((key, stored)) = entries.item() {
            while standings.key().is_some_and(|of| of < key) {
                standings.next();
            }
            let standing = match standings.item() {
                Some((of, noted)) if of == key => Some(standing_of(of, noted)?),
                _ => None,
            };
            lines.clear();
            let broken = |reason: String| damaged(key, &reason);
            (lines.merge(stored)).map_err(|error| broken(error.to_string()))?;
            let AccountLines {
                platform,
                kind,
                ban,
            } = &lines.account;
            each(Summary {
                key,
                platform,
                kind: kind_of(*kind).map_err(broken)?,
                network: &ban.network,
                banned_at: ban.banned_at.map(timestamp).transpose().map_err(broken)?,
                standing,
            })?;
            entries.next();
        }
        entries.status().map_err(database)?;
        standings.status().map_err(database)
    }

    /// A family from its first row on, for one who reads all of it: what others ask for stays in the cache.
    fn once_through(&self, family: &str) -> Result<DBRawIterator<'_>> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_readahead_size(READAHEAD_BYTES);
        let mut rows = (self.db()).raw_iterator_cf_opt(self.family(family)?, options);
        rows.seek_to_first();
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::{AccountDraft, Ban};
    use crate::store::database::{Access, Change};

    fn draft() -> impl Strategy<Value = AccountDraft> {
        let kinds = [Kind::Account, Kind::Page, Kind::Group, Kind::Channel];
        let ban = ("[^\0]{0,9}", any::<Option<u32>>());
        let parts = ("[a-z]{0,2}", 0usize..4, prop::option::of(ban), "[a-z]{0,9}");
        parts.prop_map(move |(platform, kind, ban, bio)| AccountDraft {
            platform,
            kind: kinds[kind],
            bio,
            ban: ban.map(|(network, at)| Ban {
                network,
                reason: "as told".into(),
                banned_at: at.and_then(|at| Timestamp::from_second(at.into()).ok()),
                ..Ban::default()
            }),
            ..AccountDraft::default()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn equals_reading_every_entry(
            drafts in prop::collection::vec(draft(), 0..20),
            marked in prop::collection::vec(0usize..30, 0..9),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path(), Access::Create).unwrap();
            for (at, draft) in drafts.into_iter().enumerate() {
                let id = format!("x:{at}");
                let account = AccountDraft { id, ..draft }.check().unwrap();
                store.write(&[Change::encoded(&account)], at as u64 + 1, None).unwrap();
            }
            let ids: Vec<AccountId> = marked.iter().map(|at| AccountId::new(&format!("x:{at}")).unwrap()).collect();
            store.set_standings(&ids, 1, Timestamp::UNIX_EPOCH).unwrap();
            let expected: Vec<_> = store.entries().unwrap().map(|entry| {
                let entry = entry.unwrap();
                let standing = store.standing(entry.id()).unwrap();
                let ban = entry.ban.clone().unwrap_or_default();
                (entry.id().clone(), entry.platform.clone(), entry.kind, ban.network, ban.banned_at, standing)
            }).collect();
            let mut told = Vec::new();
            store.summaries(|summary| {
                let (platform, network) = (summary.platform.to_owned(), summary.network.to_owned());
                told.push((summary.id()?, platform, summary.kind, network, summary.banned_at, summary.standing));
                Ok(())
            }).unwrap();
            prop_assert_eq!(told, expected);
        }
    }
}

//! Lists and counts over every entry, for the console's networks and removals.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::account::{AccountId, Kind};
use crate::error::Result;
use crate::serve::console::{Standing, Tally};
use crate::store::Store;

/// An entry, how far its platform has come, and since when.
pub(crate) type Marked = (AccountId, Standing, Option<Timestamp>);

/// Entries of a network by the number of their platform, kind and standing.
type Counts = HashMap<(u32, Kind, Standing), usize>;

/// Entries by network, platform, kind and standing, in this order. Reads the summary of every entry.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn counted(store: &Store) -> Result<Vec<Tally>> {
    let mut platforms: HashMap<String, u32> = HashMap::new();
    let mut counts: HashMap<String, Counts> = HashMap::new();
    store.summaries(|entry| {
        let next = platforms.len() as u32;
        let platform = under(&mut platforms, entry.platform, || next, |number| *number);
        let what = (platform, entry.kind, standing_of(entry.standing).0);
        let count = |counts: &mut Counts| *counts.entry(what).or_default() += 1;
        under(&mut counts, entry.network, Counts::new, count);
        Ok(())
    })?;
    let names: HashMap<u32, &String> = platforms.iter().map(|(name, at)| (*at, name)).collect();
    let mut tallies = Vec::new();
    for (network, counts) in &counts {
        for ((platform, kind, standing), entries) in counts {
            tallies.extend(names.get(platform).map(|platform| Tally {
                network: network.clone(),
                platform: (*platform).clone(),
                kind: kind.as_str(),
                standing: *standing,
                entries: *entries,
            }));
        }
    }
    tallies.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
    Ok(tallies)
}

/// By what tallies are in order.
fn place(tally: &Tally) -> (&str, &str, &str, Standing) {
    (&tally.network, &tally.platform, tally.kind, tally.standing)
}

/// How many entries of a platform have one of `standings`, and the `limit` of them that are banned longest; of equal ones
/// the smaller ids. Reads the summary of every entry.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn longest_banned(
    store: &Store,
    platform: &str,
    standings: &[Standing],
    limit: usize,
) -> Result<(usize, Vec<Marked>)> {
    let (mut total, mut chosen) = (0, Vec::new());
    // From when on nobody is chosen any more.
    let mut until = None;
    // Entries come by id: a stable sort keeps the smaller ids of equal times before.
    let cut = |chosen: &mut Vec<(Timestamp, Marked)>| {
        chosen.sort_by_key(|(banned_at, _)| *banned_at);
        chosen.truncate(limit);
        let last = chosen.last().filter(|_| chosen.len() == limit);
        last.map(|(banned_at, _)| *banned_at)
    };
    store.summaries(|entry| {
        let (standing, since) = standing_of(entry.standing);
        if entry.platform != platform || !standings.contains(&standing) {
            return Ok(());
        }
        total += 1;
        let banned_at = entry.banned_at.unwrap_or(Timestamp::MAX);
        if until.is_none_or(|until| banned_at < until) {
            chosen.push((banned_at, (entry.id()?, standing, since)));
            // No more than twice the wanted ones are held at a time.
            if chosen.len() >= limit.saturating_mul(2) {
                until = cut(&mut chosen);
            }
        }
        Ok(())
    })?;
    cut(&mut chosen);
    Ok((
        total,
        chosen.into_iter().map(|(_, listed)| listed).collect(),
    ))
}

/// Uses what stands under a name, which is copied only where nothing does yet.
fn under<V, T>(
    map: &mut HashMap<String, V>,
    name: &str,
    new: impl FnOnce() -> V,
    used: impl FnOnce(&mut V) -> T,
) -> T {
    match map.get_mut(name) {
        Some(value) => used(value),
        None => used(map.entry(name.to_owned()).or_insert_with(new)),
    }
}

/// The store's number of a standing.
pub(crate) fn code_of(standing: Standing) -> u8 {
    match standing {
        Standing::Unreported => 0,
        Standing::Reported => 1,
        Standing::Removed => 2,
    }
}

/// How far a platform has come, and since when, from what was noted.
pub(crate) fn standing_of(noted: Option<(u8, Timestamp)>) -> (Standing, Option<Timestamp>) {
    let standing = match noted {
        Some((1, _)) => Standing::Reported,
        Some((2, _)) => Standing::Removed,
        _ => Standing::Unreported,
    };
    (standing, noted.map(|(_, since)| since))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::{Account, AccountDraft, Ban};
    use crate::store::{Access, Change};

    fn account(number: usize, (platform, network, day): (usize, usize, i64)) -> Account {
        let banned_at = Timestamp::from_second(day * 86_400).ok();
        let ban = Ban {
            network: ["", "north", "south"][network].to_owned(),
            banned_at: banned_at.filter(|_| day > 0),
            ..Ban::default()
        };
        let draft = AccountDraft {
            id: format!("x:{number}"),
            platform: ["x", "telegram"][platform].to_owned(),
            ban: Some(ban),
            ..AccountDraft::default()
        };
        draft.check().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn equals_reading_every_entry(
            entries in prop::collection::vec((0usize..2, 0usize..3, 0i64..5), 0..40),
            removed in prop::collection::btree_set(0usize..40, 0..9),
            limit in 0usize..12,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path(), Access::Create).unwrap();
            let mut accounts: Vec<Account> = entries.into_iter().enumerate().map(|(number, of)| account(number, of)).collect();
            let changes: Vec<Change> = accounts.iter().map(Change::encoded).collect();
            store.write(&changes, 1, None).unwrap();
            let ids: Vec<AccountId> = removed.iter().filter_map(|at| Some(accounts.get(*at)?.id().clone())).collect();
            store.set_standings(&ids, code_of(Standing::Removed), Timestamp::UNIX_EPOCH).unwrap();

            let tallies = counted(&store).unwrap();
            let network = |account: &Account| account.ban.as_ref().map(|ban| ban.network.clone()).unwrap_or_default();
            for tally in &tallies {
                let is_of = |account: &&Account| {
                    let is_removed = ids.contains(account.id());
                    network(account) == tally.network && account.platform == tally.platform
                        && account.kind.as_str() == tally.kind && is_removed == (tally.standing == Standing::Removed)
                };
                prop_assert_eq!(tally.entries, accounts.iter().filter(is_of).count());
            }
            prop_assert_eq!(tallies.iter().map(|tally| tally.entries).sum::<usize>(), accounts.len());

            accounts.retain(|account| account.platform == "x" && !ids.contains(account.id()));
            let banned_at = |account: &Account| account.ban.as_ref().and_then(|ban| ban.banned_at).unwrap_or(Timestamp::MAX);
            accounts.sort_by_key(|account| (banned_at(account), account.id().to_string()));
            let expected: Vec<AccountId> = accounts.iter().take(limit).map(|account| account.id().clone()).collect();
            let (total, listed) = longest_banned(&store, "x", &[Standing::Unreported, Standing::Reported], limit).unwrap();
            prop_assert_eq!(total, accounts.len());
            prop_assert_eq!(listed.into_iter().map(|(id, ..)| id).collect::<Vec<_>>(), expected);
        }
    }
}

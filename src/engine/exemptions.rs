//! Which flags people have cancelled: pairs judged not to be mirrors, and protected accounts, looked up by probe.
//!
//! A part of every generation. Probes lie in [`SHARDS`] maps that generations share, so that a change copies one of
//! them and a screen pays one look-up; while nothing is exempt it pays a branch. Words stay in the store.

use std::collections::HashMap;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::account::AccountId;
use crate::judgment::{Answer, Ruling};

/// Maps that probes are spread over: a thousand probes each at [`EXEMPTIONS_MAX`].
const SHARDS: usize = 1_024;
/// Most exempt pairs and accounts together: some 150 bytes of memory each.
pub(crate) const EXEMPTIONS_MAX: usize = 1_000_000;

/// What cancels a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The probe is protected.
    Protected,
    /// The pair was judged not to be a mirror.
    Judged,
}

/// What is exempt of one probe.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exemption {
    is_protected: bool,
    /// Entries it was judged not to be a mirror of, by id.
    not_mirrors: Vec<AccountId>,
}

impl Exemption {
    /// What cancels a hit of the entry of this id, if anything does.
    pub(crate) fn cancels(&self, entry: &str) -> Option<Cancelled> {
        if self.is_protected {
            return Some(Cancelled::Protected);
        }
        let place = self.place(entry);
        place.is_ok().then_some(Cancelled::Judged)
    }

    fn place(&self, entry: &str) -> Result<usize, usize> {
        self.not_mirrors
            .binary_search_by(|id| id.as_str().cmp(entry))
    }

    fn len(&self) -> usize {
        self.not_mirrors.len() + usize::from(self.is_protected)
    }
}

type Shard = HashMap<AccountId, Exemption>;

/// Every exemption of one generation. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exemptions {
    /// Empty, or [`SHARDS`] maps.
    shards: Arc<Vec<Arc<Shard>>>,
    len: usize,
}

impl Exemptions {
    /// Exempt pairs and accounts.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// What is exempt of a probe.
    pub(crate) fn of(&self, probe: &AccountId) -> Option<&Exemption> {
        if self.len == 0 {
            return None;
        }
        self.shards.get(shard(probe))?.get(probe)
    }

    /// Whether an account is protected.
    pub(crate) fn is_protected(&self, id: &AccountId) -> bool {
        self.of(id).is_some_and(|exemption| exemption.is_protected)
    }

    /// Brings a ruling into force.
    pub(crate) fn rule(&mut self, ruling: &Ruling) {
        match ruling {
            Ruling::Judge(judgment) => {
                let is_exempt = judgment.answer == Answer::NotMirror;
                self.answer(judgment.probe(), judgment.entry(), is_exempt);
            }
            Ruling::Erase(probe, entry) => self.answer(probe, entry, false),
            Ruling::Protect(protection) => {
                self.change(&protection.account, |exemption| {
                    exemption.is_protected = true;
                });
            }
            Ruling::Unprotect(id) => self.change(id, |exemption| exemption.is_protected = false),
        }
    }

    fn answer(&mut self, probe: &AccountId, entry: &AccountId, is_exempt: bool) {
        self.change(probe, |exemption| {
            match (exemption.place(entry.as_str()), is_exempt) {
                (Ok(place), false) => drop(exemption.not_mirrors.remove(place)),
                (Err(place), true) => exemption.not_mirrors.insert(place, entry.clone()),
                _ => {}
            }
        });
    }

    fn change(&mut self, probe: &AccountId, change: impl FnOnce(&mut Exemption)) {
        let shards = Arc::make_mut(&mut self.shards);
        if shards.is_empty() {
            *shards = vec![Arc::default(); SHARDS];
        }
        let Some(shard) = shards.get_mut(shard(probe)).map(Arc::make_mut) else {
            return;
        };
        let exemption = shard.entry(probe.clone()).or_default();
        let before = exemption.len();
        change(exemption);
        let after = exemption.len();
        if after == 0 {
            shard.remove(probe);
        }
        self.len = self.len - before + after;
    }
}

fn shard(probe: &AccountId) -> usize {
    xxh3_64(probe.as_str().as_bytes()) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::judgment::{Judgment, Protection, Remark};

    fn ruling(kind: u8, probe: u8, entry: u8) -> Ruling {
        let id = |text: String| AccountId::new(&text).unwrap();
        let probe = id(format!("p:{probe}"));
        let remark = Remark::new("ada", "", Timestamp::UNIX_EPOCH).unwrap();
        match kind {
            0 => Ruling::Unprotect(probe),
            1 => Ruling::Protect(Protection {
                account: probe,
                remark,
            }),
            _ => {
                let answer = Answer::ALL[usize::from(kind) - 2];
                let entry = id(format!("e:{entry}"));
                Ruling::Judge(Judgment::new(probe, entry, answer, remark).unwrap())
            }
        }
    }

    proptest! {
        #[test]
        fn they_are_what_was_said_last(said in prop::collection::vec((0u8..5, 0u8..6, 0u8..4), 0..80)) {
            let mut exemptions = Exemptions::default();
            let (mut pairs, mut accounts) = (BTreeMap::new(), BTreeSet::new());
            for (kind, probe, entry) in said {
                let before = exemptions.clone();
                exemptions.rule(&ruling(kind, probe, entry));
                prop_assert!(before.len().abs_diff(exemptions.len()) <= 1, "a view that was taken stays");
                match kind {
                    0 => drop(accounts.remove(&probe)),
                    1 => drop(accounts.insert(probe)),
                    _ => drop(pairs.insert((probe, entry), kind == 3)),
                }
            }
            let exempt = pairs.values().filter(|is_exempt| **is_exempt).count();
            prop_assert_eq!(exemptions.len(), exempt + accounts.len());
            for (probe, entry) in (0..6).flat_map(|probe| (0..4).map(move |entry| (probe, entry))) {
                let id = AccountId::new(&format!("p:{probe}")).unwrap();
                let found = exemptions.of(&id).and_then(|exemption| exemption.cancels(&format!("e:{entry}")));
                let expected = match (accounts.contains(&probe), pairs.get(&(probe, entry))) {
                    (true, _) => Some(Cancelled::Protected),
                    (false, Some(true)) => Some(Cancelled::Judged),
                    _ => None,
                };
                prop_assert_eq!(found, expected);
                prop_assert_eq!(exemptions.is_protected(&id), accounts.contains(&probe));
            }
        }
    }
}

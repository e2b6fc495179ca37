//! What only signups look up: an entry's core within their handles, and the handles their texts name. The indexes are made
//! for a probe that asks; here the entry asks, so these two questions are answered the other way round. (The further words that
//! a text with slips asks for are not: the entry asks by its own.)
//!
//! Handles stand one after the other in one text, of which only blocks are searched that may have the core.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use memchr::memmem;

use crate::account::AccountId;
use crate::fingerprint::Fingerprint;
use crate::hash::feature::{Space, feature};
use crate::hash::spread::Spread;
use crate::index::Grams;
use crate::watchlist::Entry;

/// Signups of one run told of one question.
const TOLD_MAX: usize = 256;
/// Handles that are searched together.
const BLOCK_LEN: usize = 16;

/// One run of signups, in the order they came.
#[derive(Debug, Default)]
struct Run {
    handles: Vec<u8>,
    /// Where each signup's handle ends in `handles`.
    ends: Vec<u32>,
    /// Which blocks of handles may have a core.
    grams: Grams,
    /// Whose they are; of forgotten ones nobody's.
    ids: Vec<Option<AccountId>>,
    /// Places of the signups that name a handle, by its key.
    named: HashMap<u64, Vec<u32>, Spread>,
}

/// Signups by what their handles contain and their texts name: a younger and an older run, of which the older is let go
/// when the younger is full or its time is over. So at least the latest half of what was asked to be held is there.
#[derive(Debug)]
pub(crate) struct Converse {
    runs: [Run; 2],
    run_len_max: usize,
    run_time: SignedDuration,
    /// When the younger run began.
    begun: Timestamp,
}

/// Signups that are like an entry, of each run the latest first.
#[derive(Debug, Default)]
pub(crate) struct Like {
    /// Their texts name its handle.
    pub(crate) naming: Vec<AccountId>,
    /// Their handles contain its core.
    pub(crate) containing: Vec<AccountId>,
}

impl Run {
    fn push(&mut self, signup: &Entry) {
        let place = self.ids.len() as u32;
        let fingerprint = &signup.fingerprint;
        if let Some(handle) = &fingerprint.handle {
            let handle = handle.whole().as_bytes();
            self.handles.extend_from_slice(handle);
            self.grams.add(self.ends.len() / BLOCK_LEN, handle);
        }
        self.ends.push(self.handles.len() as u32);
        self.ids.push(Some(signup.id.clone()));
        for lead in fingerprint.contacts.named_leads() {
            self.named.entry(lead.key).or_default().push(place);
        }
    }

    /// Blanks a signup: its place stays, its id is nobody's any more.
    fn forget(&mut self, id: &AccountId) {
        for held in self.ids.iter_mut().filter(|held| held.as_ref() == Some(id)) {
            *held = None;
        }
    }

    /// Places of signups that name a handle, the latest first.
    fn naming(&self, key: u64) -> impl Iterator<Item = u32> {
        let places = self.named.get(&key).into_iter().flatten();
        places.rev().copied()
    }

    /// The handle at a place; empty where the signup has none.
    fn handle(&self, place: usize) -> &[u8] {
        let end = |place: usize| self.ends.get(place).map_or(0, |end| *end as usize);
        let start = place.checked_sub(1).map_or(0, end);
        self.handles.get(start..end(place)).unwrap_or(&[])
    }

    /// Places of signups whose handle contains `core`, the latest first.
    fn containing(&self, core: &str) -> impl Iterator<Item = u32> + use<> {
        let finder = memmem::Finder::new(core.as_bytes());
        let blocks = match core.is_empty() {
            true => Vec::new(),
            false => self.grams.blocks(core.as_bytes()),
        };
        let of_block =
            |block: usize| (block * BLOCK_LEN)..((block + 1) * BLOCK_LEN).min(self.ends.len());
        let places = blocks.into_iter().flat_map(of_block);
        let places = places.filter(|place| finder.find(self.handle(*place)).is_some());
        let places: Vec<u32> = places.map(|place| place as u32).collect();
        places.into_iter().rev()
    }

    /// Ids of the latest of `places` that are still at hand, each once.
    fn told(
        &self,
        places: impl Iterator<Item = u32>,
        is_at_hand: impl Fn(&AccountId) -> bool,
    ) -> Vec<AccountId> {
        let mut told = HashSet::new();
        let ids = places.filter_map(|place| self.ids.get(place as usize)?.as_ref());
        let ids = ids.filter(|id| told.insert(*id) && is_at_hand(id));
        ids.take(TOLD_MAX).cloned().collect()
    }
}

impl Converse {
    /// Room for the latest `signups_max` signups and as many again, for `hours` and as long again.
    pub(crate) fn new(signups_max: usize, hours: u32) -> Self {
        Self {
            runs: Default::default(),
            // Places are numbers of 32 bits, and so are ends of handles of up to a kilobyte.
            run_len_max: signups_max.clamp(1, 4_000_000),
            run_time: SignedDuration::from_hours(i64::from(hours)),
            begun: Timestamp::now(),
        }
    }

    /// Takes a signup in.
    pub(crate) fn push(&mut self, signup: &Entry, now: Timestamp) {
        let [younger, older] = &mut self.runs;
        let is_past = now.duration_since(self.begun) >= self.run_time;
        if younger.ids.len() >= self.run_len_max || is_past {
            *older = std::mem::take(younger);
            self.begun = now;
        }
        younger.push(signup);
    }

    /// Forgets a signup.
    pub(crate) fn forget(&mut self, id: &AccountId) {
        self.runs.iter_mut().for_each(|run| run.forget(id));
    }

    /// Signups at hand that are like the entry, the latest.
    pub(crate) fn like(
        &self,
        entry: &Fingerprint<'_>,
        is_at_hand: impl Fn(&AccountId) -> bool,
    ) -> Like {
        let mut like = Like::default();
        let Some(handle) = &entry.handle else {
            return like;
        };
        let key = feature(Space::Whole, handle.whole().as_bytes());
        let core = handle.contained().unwrap_or_default();
        for run in &self.runs {
            like.naming.extend(run.told(run.naming(key), &is_at_hand));
            let containing = run.containing(core);
            like.containing.extend(run.told(containing, &is_at_hand));
        }
        like
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountDraft;
    use crate::background::Background;
    use crate::hash::Secret;

    fn signup(id: &str, handle: &str, bio: &str) -> Entry {
        let draft = AccountDraft {
            id: id.into(),
            handle: handle.into(),
            bio: bio.into(),
            ..AccountDraft::default()
        };
        let account = draft.check().unwrap();
        Entry::of(&account, &Background::starter(), &Secret::new([0; 32]))
    }

    fn ids(told: &[AccountId]) -> Vec<&str> {
        told.iter().map(AccountId::as_str).collect()
    }

    #[test]
    fn the_latest_are_told_first_each_once_and_only_those_at_hand() {
        let mut converse = Converse::new(3, 1);
        let now = Timestamp::now();
        for (id, handle) in [
            ("x:1", "zorvani_dispatch_one"),
            ("x:2", "the_zorvani_dispatch"),
            ("x:1", "zorvani_dispatch_two"),
            ("x:3", "my_zorvani_dispatch"),
            ("x:4", "quiet_gardener"),
        ] {
            converse.push(&signup(id, handle, ""), now);
        }
        converse.push(
            &signup("x:5", "someone", "backup of @zorvani_dispatch"),
            now,
        );
        let entry = signup("x:0", "zorvani_dispatch", "");
        let like = converse.like(&entry.fingerprint, |id| id.as_str() != "x:2");
        assert_eq!(ids(&like.containing), ["x:3", "x:1"]);
        assert_eq!(ids(&like.naming), ["x:5"]);
        converse.forget(&AccountId::new("x:3").unwrap());
        let like = converse.like(&entry.fingerprint, |_| true);
        assert_eq!(ids(&like.containing), ["x:1", "x:2"]);
    }

    #[test]
    fn signups_go_when_their_time_is_over_however_few_came() {
        let mut converse = Converse::new(1_000, 1);
        let mut now = Timestamp::now();
        let entry = signup("x:0", "zorvani_dispatch", "");
        converse.push(&signup("x:1", "zorvani_dispatch_one", ""), now);
        for _ in 0..2 {
            now = now.checked_add(SignedDuration::from_hours(2)).unwrap();
            converse.push(&signup("x:9", "quiet_gardener", ""), now);
        }
        let like = converse.like(&entry.fingerprint, |_| true);
        assert_eq!(ids(&like.containing), [""; 0]);
    }
}

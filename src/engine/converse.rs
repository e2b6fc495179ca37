//! What only signups look up: an entry's core within their handles, and the handles their texts name. The indexes are made
//! for a probe that asks; here the entry asks, so these two questions are answered the other way round.
//!
//! Handles stand one after the other in one text that is searched as a whole (some 10 GB/s): 2 ms for a million.

use std::collections::HashMap;

use memchr::memmem;

use crate::account::AccountId;
use crate::fingerprint::Fingerprint;
use crate::hash::feature::{Space, feature};
use crate::hash::spread::Spread;
use crate::watchlist::Entry;

/// Signups told of one question.
const TOLD_MAX: usize = 256;
/// Stands between two handles; no handle's normal form has it.
const BETWEEN: u8 = b'\n';

/// One run of signups, in the order they came.
#[derive(Debug, Default)]
struct Run {
    handles: Vec<u8>,
    /// Where each signup's handle ends in `handles`.
    ends: Vec<u32>,
    ids: Vec<AccountId>,
    /// Places of the signups that name a handle, by its key.
    named: HashMap<u64, Vec<u32>, Spread>,
}

/// Signups by what their handles contain and their texts name: a younger and an older run, of which the older is let go
/// when the younger is full. So at least the latest half of what was asked to be held is there.
#[derive(Debug)]
pub(crate) struct Converse {
    runs: [Run; 2],
    run_len_max: usize,
}

impl Run {
    fn push(&mut self, signup: &Entry) {
        let place = self.ids.len() as u32;
        let fingerprint = &signup.fingerprint;
        if let Some(handle) = &fingerprint.handle {
            self.handles.extend_from_slice(handle.whole().as_bytes());
        }
        self.handles.push(BETWEEN);
        self.ends.push(self.handles.len() as u32);
        self.ids.push(signup.id.clone());
        for lead in fingerprint.contacts.named_leads() {
            self.named.entry(lead.key).or_default().push(place);
        }
    }

    fn like(&self, entry: &Fingerprint<'_>, told: &mut Vec<AccountId>) {
        let Some(handle) = &entry.handle else {
            return;
        };
        let key = feature(Space::Whole, handle.whole().as_bytes());
        let naming = self.named.get(&key).into_iter().flatten().copied();
        let core = handle.contained().unwrap_or_default();
        let finder = memmem::Finder::new(core.as_bytes());
        let within = (!core.is_empty()).then(|| finder.find_iter(&self.handles));
        let within = within.into_iter().flatten();
        let within = within.map(|at| self.ends.partition_point(|end| *end as usize <= at) as u32);
        let places = naming.take(TOLD_MAX).chain(within.take(TOLD_MAX));
        told.extend(places.filter_map(|place| self.ids.get(place as usize).cloned()));
    }
}

impl Converse {
    /// Room for the latest `signups_max` signups and as many again.
    pub(crate) fn new(signups_max: usize) -> Self {
        Self {
            runs: Default::default(),
            // Places are numbers of 32 bits, and so are ends of handles of up to a kilobyte.
            run_len_max: signups_max.clamp(1, 4_000_000),
        }
    }

    /// Takes a signup in.
    pub(crate) fn push(&mut self, signup: &Entry) {
        let [younger, older] = &mut self.runs;
        if younger.ids.len() >= self.run_len_max {
            *older = std::mem::take(younger);
        }
        younger.push(signup);
    }

    /// Signups whose handles contain the entry's core or whose texts name its handle; some may have been let go since.
    pub(crate) fn like(&self, entry: &Fingerprint<'_>) -> Vec<AccountId> {
        let mut told = Vec::new();
        self.runs.iter().for_each(|run| run.like(entry, &mut told));
        told
    }
}

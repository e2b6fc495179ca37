//! Recent signups at hand: a rolling generation of probes, so that a new ban finds the returns that came before it.
//!
//! The same structures as the watchlist's, with the roles turned round: signups are indexed, the new entry asks. What
//! it finds is then screened in earnest, so that a retro-match is the verdict a screen would give now.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};

use crate::account::AccountId;
use crate::engine::beside::work_beside;
use crate::engine::converse::{Converse, Like};
use crate::engine::front::Engine;
use crate::engine::generation::{Generation, Part, merge_order, rows};
use crate::engine::packed::Packed;
use crate::engine::segment::Segment;
use crate::error::Result;
use crate::fingerprint::Fingerprint;
use crate::watchlist::Entry;

/// Signups that are compared one by one before they are indexed together: about a millisecond of comparing.
const FOLD_LEN: usize = 1_024;
/// Signups are indexed at the latest after this long.
const FOLD_EVERY: Duration = Duration::from_millis(500);
/// There is leisure when in none of the last so many [`FOLD_EVERY`] a whole [`FOLD_LEN`] came.
const CALM_MIN: u32 = 4;
/// How often old signups are let go.
const LET_GO_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// Signups that are recalled before others get their turn.
const RECALLED_LEN: usize = 64;
/// How long and how many signups are kept at hand.
#[derive(Debug, Clone, Copy)]
pub struct Recency {
    /// For this long after they were last screened.
    pub hours: u32,
    /// At most so many, the youngest; some 800 bytes of memory each.
    pub signups_max: u32,
}

/// Signups in the making and indexed; shared by all clones of an engine.
pub(crate) struct Recent {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    recency: Recency,
    /// Not indexed yet: those that came since, and those being indexed.
    fresh: Mutex<[Vec<Arc<Entry>>; 2]>,
    is_full: Condvar,
    view: ArcSwap<Generation>,
    converse: RwLock<Converse>,
    /// Held while the view is changed.
    writing: Mutex<()>,
    /// Held while what came is indexed.
    folding: Mutex<()>,
    /// How often in a row [`FOLD_EVERY`] passed before there were [`FOLD_LEN`] signups to index.
    calm: AtomicU32,
    is_over: AtomicBool,
}

impl Recent {
    /// Signups that are not indexed yet.
    pub(in crate::engine) fn fresh(&self) -> Vec<Arc<Entry>> {
        let fresh = self.shared.fresh();
        fresh.iter().flatten().cloned().collect()
    }

    /// The indexed ones.
    pub(in crate::engine) fn view(&self) -> Arc<Generation> {
        self.shared.view.load_full()
    }

    /// Signups of `view` that only the entry can find.
    pub(in crate::engine) fn conversely(&self, entry: &Fingerprint<'_>, view: &Generation) -> Like {
        let converse = self.shared.converse.read();
        let converse = converse.unwrap_or_else(PoisonError::into_inner);
        converse.like(entry, |id| view.contains(id))
    }

    fn start(recency: Recency) -> Self {
        let shared = Arc::new(Shared {
            recency,
            fresh: Mutex::default(),
            is_full: Condvar::new(),
            view: ArcSwap::default(),
            converse: RwLock::new(Converse::new(recency.signups_max as usize, recency.hours)),
            writing: Mutex::default(),
            folding: Mutex::default(),
            calm: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        });
        let (folding, merging) = (Arc::clone(&shared), Arc::clone(&shared));
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let threads = [
            named("recent-fold").spawn(move || folding.fold_until_over()),
            named("recent-merge").spawn(move || merging.merge_until_over()),
        ];
        // Without them signups are compared one by one, which is slow and right.
        let threads = threads.into_iter().flatten().collect();
        Self {
            shared,
            threads: Mutex::new(threads),
        }
    }

    /// Keeps a signup at hand; of one id the latest.
    pub(crate) fn note(
        &self,
        id: &AccountId,
        fingerprint: Fingerprint<'static>,
        opened_at: Option<Timestamp>,
    ) {
        let until = self.shared.until(Timestamp::now());
        let signup = Arc::new(Entry::of_signup(id, fingerprint, opened_at, until));
        let mut fresh = self.shared.fresh();
        let [came, _] = &mut *fresh;
        came.push(signup);
        if came.len() >= FOLD_LEN {
            self.shared.is_full.notify_one();
        }
    }

    /// Forgets a signup.
    pub(crate) fn forget(&self, id: &AccountId) {
        // What is being indexed would come back when it is done.
        let _folding = held(&self.shared.folding);
        for signups in self.shared.fresh().iter_mut() {
            signups.retain(|signup| signup.id != *id);
        }
        self.shared.change(|view| {
            let ids = std::slice::from_ref(id);
            Some(view.changed(&mut Packed::default(), ids, view.lsn()))
        });
        self.shared.converse_mut().forget(id);
    }

    /// Signups at hand.
    pub(crate) fn len(&self) -> usize {
        let fresh: usize = self.shared.fresh().iter().map(Vec::len).sum();
        self.shared.view.load().entries() as usize + fresh
    }
}

impl Drop for Recent {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.is_full.notify_all();
        let threads = self
            .threads
            .lock()
            .map(|mut threads| std::mem::take(&mut *threads));
        for thread in threads.unwrap_or_default() {
            let _ = thread.join();
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn fresh(&self) -> MutexGuard<'_, [Vec<Arc<Entry>>; 2]> {
        held(&self.fresh)
    }

    fn converse_mut(&self) -> RwLockWriteGuard<'_, Converse> {
        self.converse
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn until(&self, seen_at: Timestamp) -> Timestamp {
        let kept = SignedDuration::from_hours(i64::from(self.recency.hours));
        seen_at.checked_add(kept).unwrap_or(Timestamp::MAX)
    }

    /// Signups beyond which the oldest go at once: a sixteenth more than are kept, since picking them reads all.
    fn beyond(&self) -> u32 {
        let kept = self.recency.signups_max;
        kept.saturating_add(kept / 16)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Publishes what `change` makes of the view, if anything.
    fn change(&self, change: impl FnOnce(&Generation) -> Option<Generation>) {
        let _writing = held(&self.writing);
        if let Some(changed) = change(&self.view.load_full()) {
            self.view.store(Arc::new(changed));
        }
    }

    fn fold_until_over(&self) {
        let _pool = work_beside();
        let mut let_go = Timestamp::now();
        while !self.is_over() {
            self.fold();
            let now = Timestamp::now();
            let beyond = self.view.load().entries() > self.beyond();
            if beyond || now.duration_since(let_go) >= LET_GO_EVERY {
                let_go = now;
                self.let_go(now);
            }
            let fresh = self.fresh();
            let is_full =
                |fresh: &[Vec<Arc<Entry>>; 2]| fresh.iter().any(|of| of.len() >= FOLD_LEN);
            let mut is_hurried = is_full(&fresh);
            if !is_hurried {
                let woken = self.is_full.wait_timeout(fresh, FOLD_EVERY);
                let (fresh, _) = woken.unwrap_or_else(PoisonError::into_inner);
                is_hurried = is_full(&fresh);
            }
            if is_hurried {
                self.calm.store(0, Ordering::Relaxed);
            } else {
                self.calm.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Indexes what came. It is found one by one until the view has it.
    fn fold(&self) {
        let _folding = held(&self.folding);
        let came: Vec<Arc<Entry>> = {
            let mut fresh = self.fresh();
            let [came, folding] = &mut *fresh;
            *folding = std::mem::take(came);
            folding.clone()
        };
        if came.is_empty() {
            return;
        }
        let mut packed = Packed::default();
        came.iter().for_each(|signup| packed.push(signup));
        let (mut converse, now) = (self.converse_mut(), Timestamp::now());
        came.iter().for_each(|signup| converse.push(signup, now));
        drop(converse);
        self.change(|view| Some(view.changed(&mut packed, &[], view.lsn() + 1)));
        // Let go when nobody waits for the lock any more.
        let folded = {
            let [_, folding] = &mut *self.fresh();
            std::mem::take(folding)
        };
        drop(folded);
    }

    fn merge_until_over(&self) {
        let _pool = work_beside();
        while !self.is_over() {
            let is_hurried = self.calm.load(Ordering::Relaxed) < CALM_MIN;
            let Some(due) = due(&self.view.load(), is_hurried) else {
                std::thread::sleep(FOLD_EVERY);
                continue;
            };
            let since = due.iter().map(Part::since).min().unwrap_or(0);
            let merged = Part::of(Segment::build(rows(&merge_order(&due), &due)), since);
            self.change(|view| Some(view.replaced(&due, merged)));
        }
    }

    /// Lets go of signups past their time, and of the oldest beyond the most that are kept.
    fn let_go(&self, now: Timestamp) {
        let view = self.view.load_full();
        let mut gone = view.ended(now);
        let kept = view.entries() as usize - gone.len();
        let beyond = kept.saturating_sub(self.recency.signups_max as usize);
        if beyond > 0 {
            let of_part = |part: &Part| {
                let told = |ordinal| {
                    let id = AccountId::new(part.columns().id(ordinal)?).ok()?;
                    Some((part.columns().expires_at(ordinal)?, id))
                };
                part.ordinals().filter_map(told).collect::<Vec<_>>()
            };
            let all = view.parts().iter().flat_map(of_part);
            let mut all: Vec<_> = all.filter(|(until, _)| *until > now).collect();
            all.sort_unstable();
            gone.extend(all.into_iter().take(beyond).map(|(_, id)| id));
        }
        if !gone.is_empty() {
            self.change(|view| Some(view.changed(&mut Packed::default(), &gone, view.lsn())));
        }
    }
}

/// The newest parts that should be built into one: at leisure so that a ban asks few.
fn due(view: &Generation, is_hurried: bool) -> Option<Vec<Part>> {
    let untidy = (!is_hurried).then(|| view.untidy(u32::MAX)).flatten();
    untidy.or_else(|| view.due_rarely())
}

impl Engine {
    /// This engine with recent signups at hand, unless none are to be kept: those that [`Engine::decide`] screens from now
    /// on, and those that [`Engine::recall_recent`] brings back.
    pub fn with_recent(mut self, recency: Recency) -> Self {
        let is_kept = recency.signups_max > 0;
        self.recent = is_kept.then(|| Arc::new(Recent::start(recency)));
        self
    }

    /// Brings what was screened within the time that signups are kept back to hand. Reads all seen accounts; after each
    /// few of them `paused` is told how long they took, and may wait.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn recall_recent(&self, paused: impl Fn(Duration)) -> Result<usize> {
        let Some(recent) = &self.recent else {
            return Ok(0);
        };
        let (shared, now, mut recalled) = (&recent.shared, Timestamp::now(), 0);
        let mut begun = Instant::now();
        for (place, seen) in self.store().all_seen()?.enumerate() {
            let seen = seen?;
            if place % RECALLED_LEN == RECALLED_LEN - 1 {
                paused(begun.elapsed());
                begun = Instant::now();
            }
            if shared.is_over() {
                break;
            }
            let until = shared.until(seen.seen_at);
            if until <= now {
                continue;
            }
            let (id, opened_at) = (seen.account.id(), seen.account.created_at);
            let signup = Entry::of_signup(id, self.fingerprint(&seen.account), opened_at, until);
            // What came since it was read is newer. With `fresh` held nothing is between it and the view.
            let mut fresh = shared.fresh();
            let is_at_hand = shared.view.load().contains(id);
            let is_at_hand = is_at_hand || fresh.iter().flatten().any(|other| other.id == *id);
            if let ([came, _], false) = (&mut *fresh, is_at_hand) {
                came.push(Arc::new(signup));
                recalled += 1;
            }
            let is_full = fresh.iter().flatten().count() >= FOLD_LEN;
            drop(fresh);
            if is_full {
                shared.calm.store(0, Ordering::Relaxed);
                shared.fold();
            }
        }
        Ok(recalled)
    }

    /// Ends what works on recent signups beside the rest, as before the process ends.
    pub fn end_recent(&self) {
        if let Some(recent) = &self.recent {
            recent.shared.is_over.store(true, Ordering::Relaxed);
        }
    }

    /// Signups at hand.
    pub fn recent_signups(&self) -> usize {
        self.recent.as_ref().map_or(0, |recent| recent.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::generation::due::tests::view;

    fn due_lens(lens: &[usize], is_hurried: bool) -> Vec<u32> {
        let due = due(&view(lens), is_hurried).unwrap_or_default();
        due.iter().map(Part::live).collect()
    }

    #[test]
    fn at_leisure_every_part_comes_to_hold_more_than_all_newer_ones() {
        assert_eq!(due_lens(&[90, 40, 20, 9], false), [0; 0]);
        assert_eq!(due_lens(&[99, 50, 20, 21], false), [20, 21]);
        assert_eq!(due_lens(&[90, 20, 30, 20, 20], false), [90, 20, 30, 20, 20]);
        assert_eq!(due_lens(&[90, 20, 20, 20], false), [20, 20, 20]);
    }

    #[test]
    fn in_a_hurry_only_some_parts_of_one_size_are_merged() {
        assert_eq!(due_lens(&[90, 20, 20, 20], true), [0; 0]);
        assert_eq!(due_lens(&[90, 20, 20, 20, 20], true), [20, 20, 20, 20]);
    }
}

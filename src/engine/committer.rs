//! The one writer: commits changes in groups and publishes what they make.
//!
//! Callers queue changes and wait. The writer takes everything that waits, writes it as one synced batch, publishes one
//! generation, and only then answers: a ban is durable and matchable when its call returns, and a hundred callers
//! share one disk sync. Large merges and bulk loads are built elsewhere and handed in.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::account::{Account, AccountId};
use crate::engine::columns::Packed;
use crate::engine::exemptions::Exemptions;
use crate::engine::generation::{Generation, Part};
use crate::engine::keeping::{KEPT_MIN, write_manifest};
use crate::engine::merger::{Merger, merge};
use crate::error::{Error, Result};
use crate::judgment::Ruling;
use crate::store::{Change, Stamp, Store};
use crate::watchlist::Entry;

/// Requests that may wait before callers block.
const QUEUE_LEN_MAX: usize = 1024;
/// Requests committed together.
const GROUP_LEN_MAX: usize = 256;

/// What a change did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Number of the last change in effect.
    pub lsn: u64,
    /// Entries that were new.
    pub added: usize,
    /// Entries that replaced an earlier one of the same id.
    pub updated: usize,
    /// Entries removed.
    pub withdrawn: usize,
    /// Of them those that nobody named: they were judged to be returns of those that were, or their bans ended.
    pub descendants: Vec<AccountId>,
    /// Judgments and protections written, and protections ended.
    pub ruled: usize,
    /// Ids that were not on the watchlist, or not protected.
    pub unknown: Vec<AccountId>,
}

/// What a caller asks for.
pub(crate) enum Request {
    /// Add or replace entries; accounts carry keyed tokens only.
    Enroll(Vec<(Account, Entry)>),
    /// Remove entries, each if its reason still holds.
    Withdraw(Vec<Departure>),
    /// What people say of pairs and accounts.
    Rule(Vec<Ruling>),
    /// What people say, and the entries that come and go with it; all of it or, where an entry is not as it was, nothing:
    /// then the answer names it as unknown.
    Settle(Settlement),
    /// Write changes of a bulk load and how far it has come; they become visible when [`Request::Adopt`] brings their
    /// segment. The first of a load says after which change it began.
    Load(Vec<Change>, Vec<u8>, Option<u64>),
    /// Take in the segment of a bulk load.
    Adopt(Part),
    /// Put a merged part in the place of those it was merged from.
    Replace(Vec<Part>, Part),
}

/// What people say, and the entries that come and go with it.
#[derive(Default)]
pub(crate) struct Settlement {
    /// What they say.
    pub(crate) rulings: Vec<Ruling>,
    /// Entries that come or change.
    pub(crate) joining: Vec<Joining>,
    /// Entries that go.
    pub(crate) leaving: Vec<Departure>,
}

/// An entry that goes, if there is still reason to when it is its turn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Departure {
    /// The entry.
    pub(crate) id: AccountId,
    /// Why.
    pub(crate) reason: Reason,
}

/// Why an entry goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reason {
    /// Somebody named it.
    Named,
    /// It is a return of this entry, and was judged to be none.
    ReturnOf(AccountId),
    /// It is a return of an entry that is gone.
    Orphaned,
    /// Its ban ended by this time.
    EndedBy(Timestamp),
}

/// An entry that is written only if it is still as it was when that was worked out.
pub(crate) struct Joining {
    /// The entry as it was stored; `None` of one that is new.
    pub(crate) was: Option<Account>,
    /// The entry to be.
    pub(crate) now: (Account, Entry),
}

struct Waiting {
    request: Request,
    reply: SyncSender<Result<Receipt>>,
}

/// Handle to the writer thread; the thread ends when the handle is dropped.
pub(crate) struct Committer {
    queue: Option<SyncSender<Waiting>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    merger: Arc<Mutex<Option<Merger>>>,
}

impl Committer {
    /// Starts the writer over `store`, publishing into `published`.
    pub(crate) fn start(
        store: Arc<Store>,
        stamp: Stamp,
        published: Arc<ArcSwap<Generation>>,
    ) -> Self {
        let (queue, requests) = sync_channel(QUEUE_LEN_MAX);
        let replacing = queue.clone();
        let replace = move |merged: Vec<Part>, by: Part| {
            ask(&replacing, Request::Replace(merged, by)).map(|_| ())
        };
        let (for_merger, view) = (Arc::clone(&store), Arc::clone(&published));
        let merger = Merger::start(for_merger, stamp, view, Box::new(replace));
        let merger = Arc::new(Mutex::new(Some(merger)));
        let mut writer = Writer {
            written: published.load().lsn(),
            loading: Vec::new(),
            manifest: published.load().lsn(),
            store,
            stamp,
            published,
            merger: Arc::clone(&merger),
        };
        let thread = std::thread::spawn(move || writer.run(&requests));
        Self {
            queue: Some(queue),
            thread: Mutex::new(Some(thread)),
            merger,
        }
    }

    /// Queues a request; its answer comes when it is durable and visible.
    pub(crate) fn send(&self, request: Request) -> Result<Receiver<Result<Receipt>>> {
        send(self.queue.as_ref().ok_or(Error::WriterStopped)?, request)
    }

    /// Queues a request and waits until it is durable and visible.
    pub(crate) fn commit(&self, request: Request) -> Result<Receipt> {
        ask(self.queue.as_ref().ok_or(Error::WriterStopped)?, request)
    }
}

fn send(queue: &SyncSender<Waiting>, request: Request) -> Result<Receiver<Result<Receipt>>> {
    let (reply, answer) = sync_channel(1);
    queue
        .send(Waiting { request, reply })
        .map_err(|_| Error::WriterStopped)?;
    Ok(answer)
}

fn ask(queue: &SyncSender<Waiting>, request: Request) -> Result<Receipt> {
    let answer = send(queue, request)?;
    answer.recv().map_err(|_| Error::WriterStopped)?
}

impl Drop for Committer {
    fn drop(&mut self) {
        // The merger first: it holds the other end of the queue, and may wait for the writer's answer.
        let merger = self.merger.lock().ok().and_then(|mut merger| merger.take());
        drop(merger);
        self.queue = None;
        let thread = self.thread.lock().ok().and_then(|mut thread| thread.take());
        if let Some(thread) = thread {
            // A panicked writer has already answered every caller with `WriterStopped`.
            let _ = thread.join();
        }
    }
}

struct Writer {
    store: Arc<Store>,
    stamp: Stamp,
    published: Arc<ArcSwap<Generation>>,
    merger: Arc<Mutex<Option<Merger>>>,
    /// Number of the last change written; bulk loads write ahead of what is published.
    written: u64,
    /// After which changes the bulk loads began whose segment is not here yet: they are in the log alone.
    loading: Vec<u64>,
    /// Number of the last change when the manifest was last written.
    manifest: u64,
}

impl Writer {
    fn run(&mut self, requests: &Receiver<Waiting>) {
        while let Ok(first) = requests.recv() {
            let group: Vec<Waiting> = std::iter::once(first)
                .chain(requests.try_iter().take(GROUP_LEN_MAX - 1))
                .collect();
            let (requests, replies): (Vec<Request>, Vec<_>) = group
                .into_iter()
                .map(|waiting| (waiting.request, waiting.reply))
                .unzip();
            match self.commit(requests) {
                Ok(receipts) => {
                    for (reply, receipt) in replies.into_iter().zip(receipts) {
                        // A caller that no longer waits needs no answer.
                        let _ = reply.send(Ok(receipt));
                    }
                }
                Err(error) => {
                    let message = error.to_string();
                    for reply in replies {
                        let _ = reply.send(Err(Error::Database {
                            message: message.clone(),
                        }));
                    }
                }
            }
            if let Some(merger) = self.merger.lock().ok().as_deref().and_then(Option::as_ref) {
                merger.wake();
            }
        }
        // What is not kept is read from the log at the next open: a failure here costs time, nothing else.
        let _ = self.close();
    }

    fn commit(&mut self, requests: Vec<Request>) -> Result<Vec<Receipt>> {
        let before = self.published.load_full();
        let mut group = Group::new(&before);
        let mut receipts: Vec<Receipt> = Vec::with_capacity(requests.len());
        let (mut built, mut mark) = (Vec::new(), None);
        for request in requests {
            receipts.push(match request {
                Request::Enroll(accounts) => group.enroll(accounts),
                Request::Withdraw(leaving) => group.withdraw(leaving, &self.store)?,
                Request::Rule(rulings) => group.rule(rulings),
                Request::Settle(settlement) => group.settle(settlement, &self.store)?,
                Request::Load(changes, new_mark, begun) => {
                    mark = Some(new_mark);
                    self.loading.extend(begun);
                    group.load(changes)
                }
                Request::Adopt(part) => {
                    mark = Some(Vec::new());
                    built.push((Vec::new(), part));
                    Receipt::default()
                }
                Request::Replace(merged, by) => {
                    built.push((merged, by));
                    Receipt::default()
                }
            });
        }
        let (exemptions, is_ruled) = (group.exemptions, group.is_ruled);
        let (changes, live) = (group.changes, group.live);
        if !changes.is_empty() || mark.is_some() {
            self.store
                .write(&changes, self.written + 1, mark.as_deref())?;
            self.written += changes.len() as u64;
        }
        let mut after = self.changed(&before, live);
        if is_ruled {
            after = after.ruled(exemptions, self.written);
        }
        let is_kept = |part: &Part| part.segment().file().is_some();
        let files_change = built
            .iter()
            .any(|(merged, by)| is_kept(by) || merged.iter().any(is_kept));
        for (merged, by) in built {
            after = match merged.is_empty() {
                true => {
                    let begun = self.loading.iter().position(|lsn| *lsn == by.since());
                    if let Some(place) = begun {
                        self.loading.swap_remove(place);
                    }
                    after.adopted(by, self.written)
                }
                false => after.replaced(&merged, by),
            };
        }
        for receipt in &mut receipts {
            receipt.lsn = after.lsn();
        }
        let after = Arc::new(after);
        // Changes that are written count even where the manifest cannot be: else no later view would have them.
        self.published.store(Arc::clone(&after));
        if files_change {
            write_manifest(&self.store, &after, &self.loading)?;
            self.manifest = after.lsn();
        }
        Ok(receipts)
    }

    /// The view after what became of each id.
    fn changed(&self, before: &Generation, live: HashMap<AccountId, Option<Entry>>) -> Generation {
        if live.is_empty() {
            return before.clone();
        }
        let withdrawn = live.iter().filter(|(_, entry)| entry.is_none());
        let withdrawn: Vec<AccountId> = withdrawn.map(|(id, _)| id.clone()).collect();
        let mut enrolled = Packed::default();
        live.values()
            .flatten()
            .for_each(|entry| enrolled.push(entry));
        before.changed(&mut enrolled, &withdrawn, self.written)
    }

    /// Keeps what is in memory, where reading it from the log would take long.
    fn close(&mut self) -> Result<()> {
        let generation = self.published.load_full();
        let is_in_memory = |part: &&Part| part.segment().file().is_none();
        let in_memory: Vec<Part> = generation
            .parts()
            .iter()
            .filter(is_in_memory)
            .cloned()
            .collect();
        let entries: usize = in_memory.iter().map(|part| part.live() as usize).sum();
        if entries >= KEPT_MIN {
            let kept = merge(&self.store, self.stamp, &in_memory, &|_| ())?;
            write_manifest(
                &self.store,
                &generation.replaced(&in_memory, kept),
                &self.loading,
            )
        } else if generation.lsn() >= self.manifest + KEPT_MIN as u64 {
            write_manifest(&self.store, &generation, &self.loading)
        } else {
            Ok(())
        }
    }
}

/// Requests of one group in the making: the changes in order, and what becomes of each id.
struct Group<'a> {
    before: &'a Generation,
    changes: Vec<Change>,
    live: HashMap<AccountId, Option<Entry>>,
    exemptions: Exemptions,
    is_ruled: bool,
}

impl<'a> Group<'a> {
    fn new(before: &'a Generation) -> Self {
        Self {
            before,
            changes: Vec::new(),
            live: HashMap::new(),
            exemptions: before.exemptions().clone(),
            is_ruled: false,
        }
    }

    fn is_live(&self, id: &AccountId) -> bool {
        self.live
            .get(id)
            .map_or_else(|| self.before.contains(id), Option::is_some)
    }

    fn enroll(&mut self, accounts: Vec<(Account, Entry)>) -> Receipt {
        let mut receipt = Receipt::default();
        for (account, entry) in accounts {
            let count = match self.is_live(&entry.id) {
                true => &mut receipt.updated,
                false => &mut receipt.added,
            };
            *count += 1;
            self.live.insert(entry.id.clone(), Some(entry));
            self.changes.push(Change::encoded(&account));
        }
        receipt
    }

    fn withdraw(&mut self, leaving: Vec<Departure>, store: &Store) -> Result<Receipt> {
        let mut receipt = Receipt::default();
        let mut asked = HashSet::new();
        for Departure { id, reason } in leaving {
            if !asked.insert(id.clone()) {
                continue;
            }
            let is_named = reason == Reason::Named;
            if self.is_live(&id) && self.holds(&id, &reason, store)? {
                receipt.withdrawn += 1;
                self.live.insert(id.clone(), None);
                if !is_named {
                    receipt.descendants.push(id.clone());
                }
                self.changes.push(Change::Withdraw(id));
            } else if is_named {
                receipt.unknown.push(id);
            }
        }
        Ok(receipt)
    }

    /// Whether there is still reason for a live entry to go.
    fn holds(&self, id: &AccountId, reason: &Reason, store: &Store) -> Result<bool> {
        if *reason == Reason::Named {
            return Ok(true);
        }
        // What this group changed is not in the store yet: whoever asks looks again.
        if self.live.contains_key(id) {
            return Ok(false);
        }
        let ban = store.entry(id)?.and_then(|entry| entry.into_draft().ban);
        let parent = ban.as_ref().and_then(|ban| ban.descent.as_ref());
        let parent = parent.map(|descent| &descent.parent);
        Ok(match reason {
            Reason::Named => true,
            Reason::ReturnOf(entry) => parent == Some(entry),
            Reason::Orphaned => parent.is_some_and(|parent| !self.is_live(parent)),
            Reason::EndedBy(now) => {
                let end = ban.as_ref().and_then(|ban| ban.expires_at);
                end.is_some_and(|end| end <= *now)
            }
        })
    }

    fn rule(&mut self, rulings: Vec<Ruling>) -> Receipt {
        let mut receipt = Receipt::default();
        for ruling in rulings {
            match ruling {
                Ruling::Unprotect(id) if !self.exemptions.is_protected(&id) => {
                    receipt.unknown.push(id);
                }
                ruling => {
                    self.exemptions.rule(&ruling);
                    self.changes.push(Change::Rule(ruling));
                    receipt.ruled += 1;
                    self.is_ruled = true;
                }
            }
        }
        receipt
    }

    /// Whether the entry is as it was, and the entry that it is a return of is there.
    fn is_as_it_was(&self, joining: &Joining, store: &Store) -> Result<bool> {
        let (account, entry) = &joining.now;
        let ban = account.ban.as_ref();
        let parent = ban
            .and_then(|ban| ban.descent.as_ref())
            .map(|of| &of.parent);
        let is_attached = parent.is_none_or(|parent| self.is_live(parent));
        Ok(is_attached
            && match &joining.was {
                None => !self.is_live(&entry.id),
                // What this group changed is not in the store yet, and is not as it was.
                Some(_) if self.live.contains_key(&entry.id) => false,
                Some(was) => store.entry(&entry.id)?.as_ref() == Some(was),
            })
    }

    fn settle(&mut self, settlement: Settlement, store: &Store) -> Result<Receipt> {
        for joining in &settlement.joining {
            if !self.is_as_it_was(joining, store)? {
                return Ok(Receipt {
                    unknown: vec![joining.now.1.id.clone()],
                    ..Receipt::default()
                });
            }
        }
        let ruled = self.rule(settlement.rulings);
        let joining = settlement.joining.into_iter().map(|joining| joining.now);
        let enrolled = self.enroll(joining.collect());
        let withdrawn = self.withdraw(settlement.leaving, store)?;
        Ok(Receipt {
            added: enrolled.added,
            updated: enrolled.updated,
            withdrawn: withdrawn.withdrawn,
            descendants: withdrawn.descendants,
            ..ruled
        })
    }

    fn load(&mut self, changes: Vec<Change>) -> Receipt {
        let is_live = |change: &&Change| change.id().is_some_and(|id| self.is_live(id));
        let updated = changes.iter().filter(is_live).count();
        let added = changes.len() - updated;
        self.changes.extend(changes);
        Receipt {
            added,
            updated,
            ..Receipt::default()
        }
    }
}

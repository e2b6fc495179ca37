//! The one writer: commits changes in groups and publishes what they make.
//!
//! Callers queue changes and wait. The writer takes everything that waits, writes it as one synced batch, publishes one
//! generation, and only then answers: a ban is durable and matchable when its call returns, and a hundred callers
//! share one disk sync.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;

use crate::account::{Account, AccountId};
use crate::engine::generation::Generation;
use crate::error::{Error, Result};
use crate::store::{Change, Store};
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
    /// Ids that were not on the watchlist.
    pub unknown: Vec<AccountId>,
}

/// What a caller asks for.
pub(crate) enum Request {
    /// Add or replace entries; accounts carry keyed tokens only.
    Enroll(Vec<(Account, Arc<Entry>)>),
    /// Remove entries.
    Withdraw(Vec<AccountId>),
}

struct Waiting {
    request: Request,
    reply: SyncSender<Result<Receipt>>,
}

/// Handle to the writer thread; the thread ends when the handle is dropped.
pub(crate) struct Committer {
    queue: Option<SyncSender<Waiting>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the writer over `store`, publishing into `published`.
    pub(crate) fn start(store: Arc<Store>, published: Arc<ArcSwap<Generation>>) -> Self {
        let (queue, requests) = sync_channel(QUEUE_LEN_MAX);
        let writer = Writer { store, published };
        let thread = std::thread::spawn(move || writer.run(&requests));
        Self {
            queue: Some(queue),
            thread: Mutex::new(Some(thread)),
        }
    }

    /// Queues a request and waits until it is durable and visible.
    pub(crate) fn commit(&self, request: Request) -> Result<Receipt> {
        let (reply, answer) = sync_channel(1);
        let queue = self.queue.as_ref().ok_or(Error::WriterStopped)?;
        queue
            .send(Waiting { request, reply })
            .map_err(|_| Error::WriterStopped)?;
        answer.recv().map_err(|_| Error::WriterStopped)?
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
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
    published: Arc<ArcSwap<Generation>>,
}

impl Writer {
    fn run(&self, requests: &Receiver<Waiting>) {
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
        }
    }

    fn commit(&self, requests: Vec<Request>) -> Result<Vec<Receipt>> {
        let before = self.published.load_full();
        let mut group = Group::new(&before);
        let mut receipts: Vec<Receipt> = requests
            .into_iter()
            .map(|request| group.take(request))
            .collect();
        let Group { changes, live, .. } = group;
        let lsn = before.lsn() + changes.len() as u64;
        if !changes.is_empty() {
            self.store.write(&changes, before.lsn() + 1)?;
            let withdrawn: Vec<AccountId> = live
                .iter()
                .filter(|(_, entry)| entry.is_none())
                .map(|(id, _)| id.clone())
                .collect();
            let mut enrolled: Vec<Arc<Entry>> = live.into_values().flatten().collect();
            enrolled.sort_by(|a, b| a.id.cmp(&b.id));
            self.published
                .store(Arc::new(before.changed(enrolled, &withdrawn, lsn)));
        }
        for receipt in &mut receipts {
            receipt.lsn = lsn;
        }
        Ok(receipts)
    }
}

/// Requests of one group in the making: the changes in order, and what becomes of each id.
struct Group<'a> {
    before: &'a Generation,
    changes: Vec<Change>,
    live: HashMap<AccountId, Option<Arc<Entry>>>,
}

impl<'a> Group<'a> {
    fn new(before: &'a Generation) -> Self {
        Self {
            before,
            changes: Vec::new(),
            live: HashMap::new(),
        }
    }

    fn is_live(&self, id: &AccountId) -> bool {
        self.live
            .get(id)
            .map_or_else(|| self.before.find(id).is_some(), Option::is_some)
    }

    fn take(&mut self, request: Request) -> Receipt {
        let mut receipt = Receipt::default();
        match request {
            Request::Enroll(accounts) => {
                for (account, entry) in accounts {
                    let count = if self.is_live(&entry.id) {
                        &mut receipt.updated
                    } else {
                        &mut receipt.added
                    };
                    *count += 1;
                    self.live.insert(entry.id.clone(), Some(entry));
                    self.changes.push(Change::Enroll(Box::new(account)));
                }
            }
            Request::Withdraw(ids) => {
                let mut asked = HashSet::new();
                for id in ids.into_iter().filter(|id| asked.insert(id.clone())) {
                    if self.is_live(&id) {
                        receipt.withdrawn += 1;
                        self.live.insert(id.clone(), None);
                        self.changes.push(Change::Withdraw(id));
                    } else {
                        receipt.unknown.push(id);
                    }
                }
            }
        }
        receipt
    }
}

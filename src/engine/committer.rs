//! The one writer: commits changes in groups and publishes what they make.
//!
//! Callers queue changes and wait. The writer takes everything that waits, writes it as one synced batch, publishes one
//! generation, and only then answers: a ban is durable and matchable when its call returns, and a hundred callers
//! share one disk sync. Large merges and bulk loads are built elsewhere and handed in.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;

use crate::account::AccountId;
use crate::engine::generation::{Generation, Part};
use crate::engine::group::Group;
use crate::engine::keeping::write_manifest;
use crate::engine::merger::{Merger, merge};
use crate::engine::packed::Packed;
use crate::engine::request::{Receipt, Request};
use crate::engine::segment::KEPT_MIN;
use crate::error::{Error, Result};
use crate::store::{Stamp, Store};
use crate::watchlist::Entry;

/// Requests that may wait before callers block.
const QUEUE_LEN_MAX: usize = 1024;
/// Requests committed together.
const GROUP_LEN_MAX: usize = 256;

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

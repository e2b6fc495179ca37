//! Builds many small segments into few large ones, beside the writer and its readers.
//!
//! One thread waits to be woken after a change, asks the published generation what is due, builds it off the hot path,
//! and hands the result to the writer, which alone publishes. What was withdrawn while it was building stays withdrawn.
//! One merge runs at a time and holds one segment more than the generation does; a crash leaves the old files valid.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::engine::beside::work_beside;
use crate::engine::columns::gathered;
use crate::engine::generation::{Generation, Part, merge_order, rows};
use crate::engine::keeping::{Notice, keep};
use crate::engine::segment::{KEPT_MIN, Segment};
use crate::error::Result;
use crate::store::{Stamp, Store};

/// After so long without a change segments in memory are built into few.
const LEISURE: Duration = Duration::from_secs(2);

/// Hands merged parts to the writer: what was merged, and what it was merged into.
pub(crate) type Replace = Box<dyn Fn(Vec<Part>, Part) -> Result<()> + Send>;

/// Handle to the merging thread, which ends when it is dropped.
pub(crate) struct Merger {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Merger {
    /// Starts merging what is due in `published`; segments that are kept carry `stamp`.
    pub(crate) fn start(
        store: Arc<Store>,
        stamp: Stamp,
        published: Arc<ArcSwap<Generation>>,
        replace: Replace,
    ) -> Self {
        let (wake, woken) = sync_channel(1);
        let thread = std::thread::spawn(move || run(&store, stamp, &published, &replace, &woken));
        Self {
            wake: Some(wake),
            thread: Some(thread),
        }
    }

    /// Lets the merger look what is due.
    pub(crate) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Already told, or gone with its thread: nothing is lost, since what is due stays due.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Merger {
    /// Waits for the merge that is running.
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // A merge that panicked has published nothing.
            let _ = thread.join();
        }
    }
}

fn run(
    store: &Store,
    stamp: Stamp,
    published: &ArcSwap<Generation>,
    replace: &Replace,
    woken: &Receiver<()>,
) {
    let _pool = work_beside();
    let is_made = |due: Vec<Part>| {
        let merged = merge(store, stamp, &due, &|_| ());
        merged.and_then(|merged| replace(due, merged)).is_ok()
    };
    let is_over = || matches!(woken.try_recv(), Err(TryRecvError::Disconnected));
    // A merge that cannot be written (a full disk) is tried again after the next change, or once at leisure.
    let mut is_tidy = true;
    loop {
        let told = match is_tidy {
            true => woken.recv().map_err(RecvTimeoutError::from),
            false => woken.recv_timeout(LEISURE),
        };
        let now = || published.load_full();
        is_tidy = match told {
            Ok(()) => {
                while !is_over() && now().due().is_some_and(is_made) {}
                false
            }
            // One merge, and then a look whether anything has changed.
            Err(RecvTimeoutError::Timeout) => {
                let at_leisure = now().due().or_else(|| now().untidy(KEPT_MIN as u32));
                !at_leisure.is_some_and(is_made)
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

/// Builds the live entries of `parts` into one part, in a file where they are many.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn merge(
    store: &Store,
    stamp: Stamp,
    parts: &[Part],
    notice: Notice<'_>,
) -> Result<Part> {
    let since = parts.iter().map(Part::since).min().unwrap_or(0);
    let order = merge_order(parts);
    let rows = rows(&order, parts);
    let segment = match order.len() >= KEPT_MIN {
        true => keep(store, stamp, gathered(rows), notice)?,
        false => Segment::build(rows),
    };
    Ok(Part::of(segment, since))
}

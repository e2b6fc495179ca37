//! How much is worked on and how much waits: engine work runs on a few threads of its own, first come, first served, and
//! what does not fit into the queue is told to come back instead of making everybody wait.
//!
//! While something waits no thread sleeps, so that under load a request costs no waking up.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::sync::oneshot;

use crate::serve::problem::Problem;

/// Seconds after which who was turned away may come again.
const RETRY_SECONDS: u64 = 1;

type Work = Box<dyn FnOnce() + Send>;

/// The gate before the engine.
pub(crate) struct Gate {
    queue: Arc<Queue>,
    inside: Arc<AtomicUsize>,
    inside_max: usize,
}

/// What waits for a worker.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Work>,
    is_over: bool,
}

/// A place inside, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, work: Work) {
        self.waiting().work.push_back(work);
        self.came.notify_one();
    }

    /// The next work, waited for; `None` once the gate is gone and all is done.
    fn next(&self) -> Option<Work> {
        let mut waiting = self.waiting();
        loop {
            match waiting.work.pop_front() {
                Some(work) => return Some(work),
                None if waiting.is_over => return None,
                None => {
                    let woken = self.came.wait(waiting);
                    waiting = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn work_until_over(&self) {
        while let Some(work) = self.next() {
            // Who waits for the answer is told; the next one must not pay for it.
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                tracing::error!("a request failed inside");
            }
        }
    }
}

impl Gate {
    /// A gate for `workers` at once and `queue_max` waiting.
    ///
    /// # Errors
    /// The system gives no threads.
    pub(crate) fn new(workers: usize, queue_max: usize) -> std::io::Result<Self> {
        let queue = Arc::<Queue>::default();
        for number in 0..workers.max(1) {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || queue.work_until_over())?;
        }
        Ok(Self {
            queue,
            inside: Arc::default(),
            inside_max: workers.max(1) + queue_max,
        })
    }

    /// Requests that work or wait.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread that may block, when it is its turn. Work that has begun keeps its place until it is done,
    /// also where nobody waits for it any more; what nobody waits for when its turn comes is left.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.inside));
        if before >= self.inside_max {
            let detail = "more requests wait than the service takes";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::busy(status, detail, RETRY_SECONDS));
        }
        let (answer, answered) = oneshot::channel();
        self.queue.push(Box::new(move || {
            let worked = (!answer.is_closed()).then(work);
            // Before the answer: who has it finds the place free.
            drop(place);
            if let Some(worked) = worked {
                // Who left meanwhile needs no answer.
                let _ = answer.send(worked);
            }
        }));
        let failed = |_| {
            let detail = "the request failed inside; the log says why";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
        };
        answered.await.map_err(failed)?
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.queue.waiting().is_over = true;
        self.queue.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_to_come_back() {
        let gate = Arc::new(Gate::new(1, 1).unwrap());
        let (release, released) = channel::<()>();
        let working = Arc::clone(&gate);
        let first =
            tokio::spawn(async move { working.run(move || Ok(released.recv().is_ok())).await });
        let waiting = Arc::clone(&gate);
        let second = tokio::spawn(async move { waiting.run(|| Ok(true)).await });
        while gate.inside() < 2 {
            tokio::task::yield_now().await;
        }
        let third = gate.run(|| Ok(true)).await;
        assert_eq!(
            third.map_err(|problem| problem.status()),
            Err(StatusCode::SERVICE_UNAVAILABLE)
        );
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(true));
        assert_eq!(second.await.unwrap(), Ok(true));
        assert_eq!(gate.inside(), 0);
    }

    #[tokio::test]
    async fn work_nobody_waits_for_any_more_keeps_its_place() {
        let gate = Arc::new(Gate::new(1, 0).unwrap());
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (release, released) = channel::<()>();
        let working = Arc::clone(&gate);
        let left = tokio::spawn(async move {
            let work = move || Ok(begun.send(()).is_ok() && released.recv().is_ok());
            working.run(work).await
        });
        has_begun.await.unwrap();
        left.abort();
        assert!(left.await.is_err());
        assert_eq!(gate.inside(), 1);
        let turned_away = gate.run(|| Ok(true)).await;
        assert!(turned_away.is_err(), "the worker is still at it");
        release.send(()).unwrap();
        while gate.inside() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.run(|| Ok(true)).await, Ok(true));
    }

    #[tokio::test]
    async fn what_panics_costs_only_itself() {
        let gate = Gate::new(1, 1).unwrap();
        let failed = gate.run::<bool>(|| panic!("of this test")).await;
        let status = failed.map_err(|problem| problem.status());
        assert_eq!(status, Err(StatusCode::INTERNAL_SERVER_ERROR));
        assert_eq!(gate.run(|| Ok(true)).await, Ok(true));
        assert_eq!(gate.inside(), 0);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_when_its_turn_comes_is_left() {
        let gate = Arc::new(Gate::new(1, 2).unwrap());
        let (release, released) = channel::<()>();
        let (tell, told) = channel::<()>();
        let (first, second) = (Arc::clone(&gate), Arc::clone(&gate));
        let working =
            tokio::spawn(async move { first.run(move || Ok(released.recv().is_ok())).await });
        while gate.inside() < 1 {
            tokio::task::yield_now().await;
        }
        let waiting =
            tokio::spawn(async move { second.run(move || Ok(tell.send(()).is_ok())).await });
        while gate.inside() < 2 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        assert!(waiting.await.is_err());
        release.send(()).unwrap();
        assert_eq!(working.await.unwrap(), Ok(true));
        assert_eq!(gate.run(|| Ok(true)).await, Ok(true));
        assert!(
            told.try_recv().is_err(),
            "nobody did what nobody waited for"
        );
    }
}

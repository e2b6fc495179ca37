//! How much is worked on and how much waits: engine work runs on a few threads of its own, first come, first served, and
//! what does not fit into the queue is told to come back instead of making everybody wait.
//!
//! While something waits no thread sleeps, so that under load a request costs no waking up.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{mpsc, oneshot};

use crate::serve::problem::Problem;

/// Seconds after which who was turned away may come again.
const RETRY_SECONDS: u64 = 1;

type Work = Box<dyn FnOnce() + Send>;

/// The gate before the engine.
pub(crate) struct Gate {
    queue: Arc<Queue>,
    inside: Arc<AtomicUsize>,
    inside_max: usize,
    /// Ends when all workers have; taken by who waits for that.
    workers: Mutex<Option<mpsc::Receiver<()>>>,
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

    /// Puts work at the end. Once the gate ends nobody comes for it, and it is dropped.
    fn push(&self, work: Work) {
        let mut waiting = self.waiting();
        if !waiting.is_over {
            waiting.work.push_back(work);
            self.came.notify_one();
        }
    }

    fn end(&self) {
        self.waiting().is_over = true;
        self.came.notify_all();
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
        let (at_work, ended) = mpsc::channel(1);
        for number in 0..workers.max(1) {
            let (queue, at_work) = (Arc::clone(&queue), at_work.clone());
            std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || {
                    queue.work_until_over();
                    drop(at_work);
                })?;
        }
        Ok(Self {
            queue,
            inside: Arc::default(),
            inside_max: workers.max(1) + queue_max,
            workers: Mutex::new(Some(ended)),
        })
    }

    /// Takes no more, and waits until all work that somebody waits for, or that has begun, is done: true if it was within
    /// `limit`.
    pub(crate) async fn end(&self, limit: Duration) -> bool {
        self.queue.end();
        let workers = self.workers.lock();
        let workers = workers.unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut workers) = workers else {
            return true;
        };
        tokio::time::timeout(limit, workers.recv()).await.is_ok()
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
        if self.queue.waiting().is_over {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::busy(
                status,
                "the service is stopping",
                RETRY_SECONDS,
            ));
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
        self.queue.end();
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
    async fn who_ends_the_gate_waits_for_work_though_nobody_else_does() {
        let gate = Arc::new(Gate::new(2, 2).unwrap());
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (release, released) = channel::<()>();
        let (tell, told) = channel::<()>();
        let working = Arc::clone(&gate);
        let cut_off = tokio::spawn(async move {
            let work = move || {
                let _ = begun.send(());
                let _ = released.recv();
                Ok(tell.send(()).is_ok())
            };
            working.run(work).await
        });
        has_begun.await.unwrap();
        cut_off.abort();
        assert!(cut_off.await.is_err());
        let ending = Arc::clone(&gate);
        let ended = tokio::spawn(async move { ending.end(Duration::from_secs(60)).await });
        while !gate.queue.waiting().is_over {
            tokio::task::yield_now().await;
        }
        let late = gate.run(|| Ok(true)).await;
        let status = late.map_err(|problem| problem.status());
        assert_eq!(status, Err(StatusCode::SERVICE_UNAVAILABLE));
        assert!(told.try_recv().is_err());
        release.send(()).unwrap();
        assert!(ended.await.unwrap());
        assert!(
            told.try_recv().is_ok(),
            "it was done when the gate had ended"
        );
    }

    #[tokio::test]
    async fn a_gate_ends_in_time_whatever_works() {
        let gate = Arc::new(Gate::new(1, 1).unwrap());
        let (release, released) = channel::<()>();
        let working = Arc::clone(&gate);
        let work = move || Ok(released.recv().is_ok());
        let going_on = tokio::spawn(async move { working.run(work).await });
        while gate.inside() < 1 {
            tokio::task::yield_now().await;
        }
        assert!(!gate.end(Duration::from_millis(20)).await);
        release.send(()).unwrap();
        assert_eq!(going_on.await.unwrap(), Ok(true));
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

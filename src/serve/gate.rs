//! How much is worked on and how much waits: engine work runs off the async threads, a few at a time, and what does not
//! fit into the queue is told to come back instead of making everybody wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use crate::serve::problem::Problem;

/// Seconds after which who was turned away may come again.
const RETRY_SECONDS: u64 = 1;

/// The gate before the engine.
pub(crate) struct Gate {
    workers: Arc<Semaphore>,
    inside: Arc<AtomicUsize>,
    inside_max: usize,
}

/// A place inside, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// A gate for `workers` at once and `queue_max` waiting.
    pub(crate) fn new(workers: usize, queue_max: usize) -> Self {
        Self {
            workers: Arc::new(Semaphore::new(workers)),
            inside: Arc::default(),
            inside_max: workers + queue_max,
        }
    }

    /// Requests that work or wait.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread that may block, when it is its turn. Work that has begun keeps its place until it is done,
    /// also where nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.inside));
        let full = || {
            let detail = "more requests wait than the service takes";
            Problem::busy(StatusCode::SERVICE_UNAVAILABLE, detail, RETRY_SECONDS)
        };
        if before >= self.inside_max {
            return Err(full());
        }
        let turn = Arc::clone(&self.workers).acquire_owned().await;
        let turn = turn.map_err(|_| full())?;
        let failed = |_| {
            let detail = "the request failed inside; the log says why";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
        };
        let worked = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        worked.await.map_err(failed)?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn who_finds_the_queue_full_is_told_to_come_back() {
        let gate = Arc::new(Gate::new(1, 1));
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
        let gate = Arc::new(Gate::new(1, 0));
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
}

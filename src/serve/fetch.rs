//! Pictures that events name by address: fetched after the answer, looked at, handed on as a hash.
//!
//! What a stranger names is fetched with care: every hop passes the [`Guard`], redirects are followed by hand and few, time and
//! size are limited while the bytes arrive, and what arrived must be a picture within the limits of `format/picture.rs`. The
//! queue is bounded; what finds it full is dropped and counted, since a picture is only ever more evidence.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::account::{AccountId, Avatar};
use crate::error::Error;
use crate::format::{PICTURE_BYTES_MAX, picture_of};
use crate::serve::guard::{Guard, client};

/// Pictures that may wait. A busy signup service names some hundred a minute.
const QUEUE_MAX: usize = 4_096;
/// Pictures fetched at the same time.
const FETCHES_MAX: usize = 8;
/// Pictures decoded at the same time: one of the largest takes half a gigabyte.
const DECODES_MAX: usize = 1;
/// Redirects followed.
const REDIRECTS_MAX: usize = 3;
/// Longest time a picture may take, over all its hops.
const TIME_MAX: Duration = Duration::from_secs(10);

/// No picture takes longer from when it was asked for: a full queue, each as slow as it may be, takes an hour and a half.
const UNDER_WAY_MAX: Duration = Duration::from_secs(3 * 3_600);

/// A picture to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The source whose event named it.
    pub source: String,
    /// Whose picture it is.
    pub id: AccountId,
    /// Where it is.
    pub url: String,
}

/// How pictures are fetched.
#[derive(Debug, Clone)]
pub(crate) struct FetchLimits {
    /// Addresses that pass the guard whatever they are; for tests, and for a media server in the own network.
    pub permitted: Vec<IpAddr>,
    /// Longest time a picture may take.
    pub time_max: Duration,
    /// Pictures that may wait.
    pub queue_max: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            permitted: Vec::new(),
            time_max: TIME_MAX,
            queue_max: QUEUE_MAX,
        }
    }
}

/// Takes orders for pictures. Clones share the queue; when the last one is dropped what waits is fetched, and the worker ends.
#[derive(Debug, Clone)]
pub(crate) struct Pictures {
    queue: mpsc::Sender<Asked>,
    is_closed: watch::Sender<bool>,
    erased: Erased,
}

/// A picture that was asked for, and when.
type Asked = (Wanted, Instant);

/// Accounts that were erased, and when, as long as a picture may be on its way that was asked for before.
#[derive(Debug, Clone, Default)]
struct Erased(Arc<Mutex<HashMap<AccountId, Instant>>>);

impl Erased {
    fn add(&self, id: &AccountId) {
        let mut erased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        erased.retain(|_, at| at.elapsed() < UNDER_WAY_MAX);
        erased.insert(id.clone(), Instant::now());
    }

    /// Whether it was erased after `asked`.
    fn has(&self, id: &AccountId, asked: Instant) -> bool {
        let erased = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        erased.get(id).is_some_and(|at| *at >= asked)
    }
}

impl Pictures {
    /// Starts the worker on the running tokio runtime. `keep` is called with every picture that could be fetched.
    ///
    /// # Errors
    /// The client cannot be made, as where the system has no root certificates.
    pub(crate) fn start<K, F>(limits: FetchLimits, keep: K) -> Result<(Self, JoinHandle<()>), Error>
    where
        K: Fn(Wanted, Avatar) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let fetcher = Arc::new(Fetcher::new(&limits)?);
        let erased = Erased::default();
        let forgotten = erased.clone();
        // What is fetched for an account that was erased meanwhile is kept no more.
        let keep = Arc::new(move |(wanted, asked): Asked, avatar| {
            let kept = (!forgotten.has(&wanted.id, asked)).then(|| keep(wanted, avatar));
            async move {
                match kept {
                    Some(kept) => {
                        count("kept");
                        kept.await;
                    }
                    None => count("erased"),
                }
            }
        });
        let (queue, wanted) = mpsc::channel(limits.queue_max.max(1));
        let (is_closed, mut closed) = watch::channel(false);
        let worker = tokio::spawn(async move {
            let is_closed = async move {
                // Where nobody is left who could close it, the queue says so.
                if closed.wait_for(|is_closed| *is_closed).await.is_err() {
                    pending::<()>().await;
                }
            };
            work(fetcher, wanted, is_closed, keep).await;
        });
        let pictures = Self {
            queue,
            is_closed,
            erased,
        };
        Ok((pictures, worker))
    }

    /// Keeps no picture that was asked for by now for an account that is being erased.
    pub(crate) fn forget(&self, id: &AccountId) {
        self.erased.add(id);
    }

    /// Ends the worker: what it has begun it finishes, what waits is dropped.
    pub(crate) fn close(&self) {
        self.is_closed.send_replace(true);
    }

    /// Asks for a picture; drops the wish when too many wait.
    pub(crate) fn want(&self, wanted: Wanted) {
        if self.queue.try_send((wanted, Instant::now())).is_err() {
            count("dropped");
        }
    }
}

/// Fetches what is wanted until nobody can want more, or `is_closed` ends.
async fn work<K, F>(
    fetcher: Arc<Fetcher>,
    mut wanted: mpsc::Receiver<Asked>,
    is_closed: impl Future<Output = ()>,
    keep: Arc<K>,
) where
    K: Fn(Asked, Avatar) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(FETCHES_MAX));
    let mut is_closed = pin!(is_closed);
    loop {
        let one = tokio::select! {
            biased;
            () = &mut is_closed => break,
            one = wanted.recv() => one,
        };
        let Some(one) = one else { break };
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let (fetcher, keep) = (Arc::clone(&fetcher), Arc::clone(&keep));
        tokio::spawn(async move {
            match fetcher.fetch(&one.0.url).await {
                Ok(avatar) => {
                    keep(one, avatar).await;
                }
                Err(reason) => {
                    count(reason);
                    tracing::debug!(source = one.0.source, reason, "picture not fetched");
                }
            }
            drop(slot);
        });
    }
    wanted.close();
    while wanted.try_recv().is_ok() {
        count("dropped");
    }
    // What was begun is finished before the worker says that it has ended.
    let all = u32::try_from(FETCHES_MAX).unwrap_or(u32::MAX);
    let _all = slots.acquire_many(all).await;
}

fn count(outcome: &'static str) {
    metrics::counter!("mirrorwatch_pictures_total", "outcome" => outcome).increment(1);
}

/// Fetches one picture at a time, under the guard.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    guard: Guard,
    decodes: Arc<Semaphore>,
    time_max: Duration,
}

impl Fetcher {
    /// A fetcher with these limits.
    ///
    /// # Errors
    /// The client cannot be made.
    pub(crate) fn new(limits: &FetchLimits) -> Result<Self, Error> {
        let guard = Guard::permitting(limits.permitted.clone());
        let built = client().dns_resolver(Arc::new(guard.clone())).build();
        let client = built.map_err(|error| Error::Malformed {
            what: "picture fetching".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            client,
            guard,
            decodes: Arc::new(Semaphore::new(DECODES_MAX)),
            time_max: limits.time_max,
        })
    }

    /// The hash of the picture at `url`.
    ///
    /// # Errors
    /// One word on why there is none; free of the address, so that it can be logged and counted.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Avatar, &'static str> {
        let fetched = tokio::time::timeout(self.time_max, self.followed(url)).await;
        let bytes = fetched.map_err(|_| "slow")??;
        let slot = Arc::clone(&self.decodes).acquire_owned().await;
        let slot = slot.map_err(|_| "stopped")?;
        let decoded = tokio::task::spawn_blocking(move || {
            let avatar = picture_of(&bytes);
            drop(slot);
            avatar
        });
        decoded
            .await
            .map_err(|_| "broken")?
            .map_err(|_| "no_picture")
    }

    async fn followed(&self, url: &str) -> Result<Vec<u8>, &'static str> {
        let mut url = Url::parse(url).map_err(|_| "no_url")?;
        for _ in 0..=REDIRECTS_MAX {
            self.guard.check(&url)?;
            let request = self.client.get(url.clone()).header("accept", "image/*");
            let response = request.send().await.map_err(|_| "unreachable")?;
            match response.status() {
                StatusCode::OK => return body(response).await,
                status if status.is_redirection() => url = target(&url, &response)?,
                _ => return Err("status"),
            }
        }
        Err("redirects")
    }
}

fn target(url: &Url, response: &Response) -> Result<Url, &'static str> {
    let location = response
        .headers()
        .get("location")
        .and_then(|value| value.to_str().ok());
    url.join(location.ok_or("redirects")?).map_err(|_| "no_url")
}

/// The body, given up as soon as it is too large, whatever its headers said.
async fn body(mut response: Response) -> Result<Vec<u8>, &'static str> {
    let len_max = PICTURE_BYTES_MAX;
    if response.content_length().is_some_and(|len| len > len_max) {
        return Err("too_large");
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| "unreachable")? {
        if (bytes.len() + chunk.len()) as u64 > len_max {
            return Err("too_large");
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;

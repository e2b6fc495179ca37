//! Flags to whoever wants to hear of them: signed as Standard Webhooks 1.0, repeated with growing pauses, and kept as dead
//! letters when nobody took them.
//!
//! Each endpoint has a queue, a schedule and a task of its own ([`courier`]), so one that hangs holds up no other. What is given
//! up goes to [`DeadLetters`], and so does what waits when the service stops, for the next run to send when it is due, as often
//! tried as it was. [`Outgoing::letters`] tells all of it at any time, so that a crash loses no more than a minute; what is
//! younger is counted in [`unsettled`] and told again from its decisions. An endpoint that answers 410 wants no more, and is
//! asked no more until the next start.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::serve::attempt::Sender;
use crate::serve::dead_letters::{DeadLetter, DeadLetters, Message};
use crate::serve::endpoint::{Endpoint, wrong};
use crate::serve::guard::client;
use crate::serve::outgoing::courier::{Courier, Order, Waiting, count};
use crate::serve::outgoing::unsettled::Unsettled;

mod courier;
mod unsettled;

/// Pauses before the second and later attempts, in seconds: the schedule Standard Webhooks recommend.
const PAUSES_S: [u64; 6] = [5, 300, 1_800, 7_200, 18_000, 36_000];
/// Messages that may wait for one endpoint, new or for another attempt.
const WAITING_MAX: usize = 10_000;
/// What a task may take beyond the end it was given, to write down what it holds.
const ENDING_MAX: Duration = Duration::from_secs(1);
/// Longest time an endpoint may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// How messages are sent.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// Pauses before the second and later attempts.
    pub(crate) pauses: Vec<Duration>,
    /// Messages that may wait for one endpoint.
    pub(crate) waiting_max: usize,
    /// Longest time an endpoint may take to answer.
    pub(crate) answer_max: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            pauses: PAUSES_S.map(Duration::from_secs).to_vec(),
            waiting_max: WAITING_MAX,
            answer_max: ANSWER_MAX,
        }
    }
}

impl Schedule {
    fn longest(&self) -> Duration {
        self.pauses.iter().max().copied().unwrap_or_default()
    }
}

/// Sends messages to every endpoint.
pub(crate) struct Outgoing {
    lanes: Vec<Lane>,
    dead: Arc<dyn DeadLetters>,
    unsettled: Arc<Unsettled>,
    /// Erasures so far.
    erasures: AtomicU64,
    /// When everything must have ended, once the service stops.
    end: watch::Sender<Option<Instant>>,
}

/// The way to one endpoint.
struct Lane {
    name: String,
    is_gone: Arc<AtomicBool>,
    /// The longest pause of its schedule.
    longest: Duration,
    /// What its task is to do beside sending.
    orders: mpsc::UnboundedSender<Order>,
    /// None once it is closed.
    open: Mutex<Option<(mpsc::Sender<Waiting>, JoinHandle<()>)>>,
}

impl Lane {
    /// Puts a message on its way.
    ///
    /// # Errors
    /// Why it cannot be.
    fn queue(&self, message: Waiting) -> Result<(), &'static str> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err("the endpoint wants no more (410)");
        }
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (queue, _) = open.as_ref().ok_or("the service is stopping")?;
        let sent = queue.try_send(message);
        sent.map_err(|_| "too many messages wait for the endpoint")
    }
}

impl Outgoing {
    /// Starts one task for each endpoint on the running tokio runtime.
    ///
    /// # Errors
    /// An address or secret that cannot be used, or no client.
    pub(crate) fn start(
        endpoints: Vec<Endpoint>,
        schedule: &Schedule,
        dead: Arc<dyn DeadLetters>,
    ) -> Result<Self, Error> {
        let client = client().timeout(schedule.answer_max).build();
        let client = client.map_err(|error| wrong("*", &error.to_string()))?;
        let (mut lanes, end) = (Vec::new(), watch::Sender::new(None));
        let unsettled = Arc::<Unsettled>::default();
        for endpoint in endpoints {
            let (url, key) = endpoint.check()?;
            let name = endpoint.name;
            let is_gone = Arc::new(AtomicBool::new(false));
            let (queue, messages) = mpsc::channel(schedule.waiting_max.max(1));
            let (orders, ordered) = mpsc::unbounded_channel();
            let sender = Arc::new(Sender {
                name: name.clone(),
                url,
                key,
                client: client.clone(),
            });
            let courier = Courier::new(
                sender,
                schedule.clone(),
                Arc::clone(&dead),
                Arc::clone(&unsettled),
                Arc::clone(&is_gone),
                (end.subscribe(), ordered),
            );
            let task = tokio::spawn(courier.run(messages));
            lanes.push(Lane {
                name,
                is_gone,
                longest: schedule.longest(),
                orders,
                open: Mutex::new(Some((queue, task))),
            });
        }
        Ok(Self {
            lanes,
            dead,
            unsettled,
            erasures: AtomicU64::new(0),
            end,
        })
    }

    /// Sends a message to every endpoint. Waits for nothing: what does not fit is a dead letter at once.
    pub(crate) fn send(&self, message: &Message) {
        self.send_since(message, Timestamp::now(), |_| true);
    }

    /// Sends a message that was raised at `since` to the endpoints whose names are wanted.
    pub(crate) fn send_since(
        &self,
        message: &Message,
        since: Timestamp,
        is_wanted: impl Fn(&str) -> bool,
    ) {
        let wanted = self.lanes.iter().filter(|lane| is_wanted(&lane.name));
        let wanted: Vec<&Lane> = wanted.collect();
        self.unsettled.add(&message.id, since, wanted.len());
        for lane in wanted {
            let Err(reason) = lane.queue(Waiting::new(message.clone())) else {
                continue;
            };
            self.dead.bury(DeadLetter {
                endpoint: lane.name.clone(),
                message: message.clone(),
                attempts: 0,
                reason: reason.to_owned(),
                at: Timestamp::now(),
                is_pending: self.end.borrow().is_some() && !lane.is_gone.load(Ordering::Relaxed),
                due: None,
            });
            self.unsettled.settle(&message.id);
            count(&lane.name, "dead");
        }
    }

    /// Takes in what an earlier run left: what was pending is sent again when it is due, as old and as often tried as it was;
    /// the rest is only kept.
    pub(crate) fn resume(&self, left: Vec<DeadLetter>) {
        for letter in left {
            let lane = self.lanes.iter().find(|lane| lane.name == letter.endpoint);
            let is_sent = lane.is_some_and(|lane| {
                let waiting = || Waiting::of(&letter, lane.longest);
                letter.is_pending && lane.orders.send(Order::TakeIn(waiting())).is_ok()
            });
            if !is_sent {
                self.dead.bury(letter);
            }
        }
    }

    /// Since when the oldest message is on its way; not those that are in the file.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.unsettled.oldest()
    }

    /// Takes in that all that was raised before `limit` and is on its way still is in the file.
    pub(crate) fn written(&self, limit: Timestamp) {
        self.unsettled.written(limit);
    }

    /// What there is to lose: all that is on its way, and what was given up, the last first. `None` where a task has ended.
    pub(crate) async fn letters(&self) -> Option<Vec<DeadLetter>> {
        let mut under_way = Vec::new();
        for lane in &self.lanes {
            let (told, telling) = oneshot::channel();
            lane.orders.send(Order::Tell(told)).ok()?;
            under_way.extend(telling.await.ok()?);
        }
        // What is given up in between is among both, and was given up.
        let mut letters = self.dead.latest(usize::MAX);
        let kept: HashSet<(String, String)> = letters.iter().map(DeadLetter::key).collect();
        letters.extend(under_way.into_iter().filter(|of| !kept.contains(&of.key())));
        Some(letters)
    }

    /// Erasures so far: what was told before another one may tell of who was erased.
    pub(crate) fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::SeqCst)
    }

    /// Whether the service stops: from then on [`Outgoing::close`] says what is left.
    pub(crate) fn is_closing(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Names of the endpoints that want no more.
    pub(crate) fn gone(&self) -> Vec<&str> {
        let gone = self
            .lanes
            .iter()
            .filter(|lane| lane.is_gone.load(Ordering::Relaxed));
        gone.map(|lane| lane.name.as_str()).collect()
    }

    /// Drops what tells of an account: dead letters at once, what is on its way as soon as its task gets to it.
    pub(crate) fn forget(&self, id: &str) {
        self.erasures.fetch_add(1, Ordering::SeqCst);
        for lane in &self.lanes {
            // A task that has ended holds nothing any more.
            let _ = lane.orders.send(Order::Forget(id.to_owned()));
        }
        self.dead.forget(id);
    }

    /// The dead letters.
    pub(crate) fn dead(&self) -> &Arc<dyn DeadLetters> {
        &self.dead
    }

    /// Tries once what is new, for as long as `limit`, and makes letters of all the rest.
    pub(crate) async fn close(&self, limit: Duration) {
        let end = Instant::now() + limit;
        self.end.send_replace(Some(end));
        let open = |lane: &Lane| {
            let mut open = lane.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.take().map(|(_, task)| task)
        };
        let tasks: Vec<JoinHandle<()>> = self.lanes.iter().filter_map(open).collect();
        for task in tasks {
            // A task that panicked has nothing left to say.
            let _ = timeout_at(end + ENDING_MAX, task).await;
        }
    }
}

#[cfg(test)]
pub(in crate::serve) mod tests;

//! Flags to whoever wants to hear of them: signed as Standard Webhooks 1.0, repeated with growing pauses, and kept as dead
//! letters when nobody took them.
//!
//! Each endpoint has a queue, a schedule and a task of its own, so one that hangs holds up no other. What is on its way is kept
//! in memory, and counted in [`unsettled`] so that a crash loses none; whatever is given up goes to [`DeadLetters`], and so does what waits when the service stops, for the next run to
//! send. An endpoint that answers 410 wants no more, and is asked no more until it is configured again.

use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::Error;
use crate::serve::attempt::{Attempt, Sender};
use crate::serve::dead_letters::{DeadLetter, DeadLetters, Message};
use crate::serve::endpoint::{Endpoint, wrong};
use crate::serve::guard::client;
use crate::serve::outgoing::unsettled::Unsettled;

mod unsettled;

/// Pauses before the second and later attempts, in seconds: the schedule Standard Webhooks recommend.
const PAUSES_S: [u64; 6] = [5, 300, 1_800, 7_200, 18_000, 36_000];
/// A pause is stretched by up to this share of itself, so that an endpoint that comes back is not met by all at once.
const JITTER: f64 = 0.2;
/// Messages that may wait for one endpoint, new or for another attempt.
const WAITING_MAX: usize = 10_000;
/// Messages on their way to one endpoint at a time.
const SENDING_MAX: usize = 4;
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

/// Sends messages to every endpoint.
pub(crate) struct Outgoing {
    lanes: Vec<Lane>,
    dead: Arc<dyn DeadLetters>,
    unsettled: Arc<Unsettled>,
    /// When everything must have ended, once the service stops.
    end: watch::Sender<Option<Instant>>,
}

/// The way to one endpoint.
struct Lane {
    name: String,
    is_gone: Arc<AtomicBool>,
    /// Ids of accounts that were erased.
    erased: mpsc::UnboundedSender<String>,
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
            let (erased, erasures) = mpsc::unbounded_channel();
            let sender = Arc::new(Sender {
                name: name.clone(),
                url,
                key,
                client: client.clone(),
            });
            let courier = Courier {
                sender,
                schedule: schedule.clone(),
                dead: Arc::clone(&dead),
                unsettled: Arc::clone(&unsettled),
                is_gone: Arc::clone(&is_gone),
                end: end.subscribe(),
                erasures,
                is_stopping: false,
                flying: HashMap::new(),
                waiting: BinaryHeap::new(),
                sending: JoinSet::new(),
            };
            let task = tokio::spawn(courier.run(messages));
            lanes.push(Lane {
                name,
                is_gone,
                erased,
                open: Mutex::new(Some((queue, task))),
            });
        }
        Ok(Self {
            lanes,
            dead,
            unsettled,
            end,
        })
    }

    /// Sends a message to every endpoint. Waits for nothing: what does not fit is a dead letter at once.
    pub(crate) fn send(&self, message: &Message) {
        let now = jiff::Timestamp::now();
        self.unsettled.add(&message.id, now, self.lanes.len());
        for lane in &self.lanes {
            let Err(reason) = lane.queue(Waiting::new(message.clone())) else {
                continue;
            };
            self.dead.bury(DeadLetter {
                endpoint: lane.name.clone(),
                message: message.clone(),
                attempts: 0,
                reason: reason.to_owned(),
                at: now,
                is_pending: self.end.borrow().is_some() && !lane.is_gone.load(Ordering::Relaxed),
            });
            self.unsettled.settle(&message.id);
            count(&lane.name, "dead");
        }
    }

    /// Takes in what an earlier run left: what was pending is sent again, as old and as often tried as it was; the rest is only
    /// kept.
    pub(crate) fn resume(&self, left: Vec<DeadLetter>) {
        for letter in left {
            let lane = self.lanes.iter().find(|lane| lane.name == letter.endpoint);
            let waiting = || Waiting {
                attempts: letter.attempts,
                left_at: Some(letter.at),
                ..Waiting::new(letter.message.clone())
            };
            let is_sent =
                lane.is_some_and(|lane| letter.is_pending && lane.queue(waiting()).is_ok());
            if !is_sent {
                self.dead.bury(letter);
            }
        }
    }

    /// Since when the oldest message is on its way; not those that an earlier run left, which its file still holds.
    pub(crate) fn oldest(&self) -> Option<jiff::Timestamp> {
        self.unsettled.oldest()
    }

    /// Whether there is anybody to tell.
    pub(crate) fn has_endpoints(&self) -> bool {
        !self.lanes.is_empty()
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
        for lane in &self.lanes {
            // A task that has ended holds nothing any more.
            let _ = lane.erased.send(id.to_owned());
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

/// A message that waits for its time; the earliest is the greatest, as a heap wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    due: Instant,
    attempts: usize,
    /// When a stop left it for the next run, the first of several.
    left_at: Option<jiff::Timestamp>,
    message: Message,
}

/// A message that is being sent.
struct Flying {
    waiting: Waiting,
    attempt: AbortHandle,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let earlier = other.due.cmp(&self.due);
        earlier.then_with(|| other.message.id.cmp(&self.message.id))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One endpoint's task.
struct Courier {
    sender: Arc<Sender>,
    schedule: Schedule,
    dead: Arc<dyn DeadLetters>,
    unsettled: Arc<Unsettled>,
    is_gone: Arc<AtomicBool>,
    /// When everything must have ended, once the service stops.
    end: watch::Receiver<Option<Instant>>,
    is_stopping: bool,
    /// Ids of accounts that were erased.
    erasures: mpsc::UnboundedReceiver<String>,
    waiting: BinaryHeap<Waiting>,
    sending: JoinSet<Attempt>,
    /// What is being sent, by its task.
    flying: HashMap<Id, Flying>,
}

impl Courier {
    async fn run(mut self, mut messages: mpsc::Receiver<Waiting>) {
        loop {
            self.send_due();
            let due = self.waiting.peek().map(|next| next.due);
            // While all places are taken only an attempt's end can change anything.
            let has_place = self.sending.len() < SENDING_MAX;
            let has_room = self.waiting.len() < self.schedule.waiting_max;
            tokio::select! {
                Some(id) = self.erasures.recv() => self.forget(&id, &mut messages),
                Some(ended) = self.sending.join_next_with_id() => self.ended(ended),
                message = messages.recv(), if has_room && has_place => match message {
                    Some(message) => self.waiting.push(message),
                    None => break,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() && has_place => {}
                () = told(&mut self.end) => break,
            }
        }
        messages.close();
        self.take_in(&mut messages);
        while let Ok(id) = self.erasures.try_recv() {
            self.forget(&id, &mut messages);
        }
        self.finish().await;
    }

    fn take_in(&mut self, messages: &mut mpsc::Receiver<Waiting>) {
        while let Ok(message) = messages.try_recv() {
            self.waiting.push(message);
        }
    }

    /// Drops what tells of an account, wherever it has come to. An attempt that is being made is broken off.
    fn forget(&mut self, id: &str, messages: &mut mpsc::Receiver<Waiting>) {
        self.take_in(messages);
        let unsettled = Arc::clone(&self.unsettled);
        let stays = |message: &Message| {
            let tells = message.tells(id);
            if tells {
                unsettled.settle(&message.id);
            }
            !tells
        };
        self.waiting.retain(|waiting| stays(&waiting.message));
        let told = self
            .flying
            .extract_if(|_, sent| !stays(&sent.waiting.message));
        told.for_each(|(_, sent)| sent.attempt.abort());
        // What was given up between the erasure and now.
        self.dead.forget(id);
    }

    fn send_due(&mut self) {
        let now = Instant::now();
        while self.sending.len() < SENDING_MAX
            && self.waiting.peek().is_some_and(|next| next.due <= now)
            && let Some(message) = self.waiting.pop()
        {
            if self.is_gone.load(Ordering::Relaxed) {
                self.bury(message, "the endpoint wants no more (410)".to_owned());
                continue;
            }
            let (sender, sent) = (Arc::clone(&self.sender), message.message.clone());
            let attempt = async move { sender.attempt(&sent.id, &sent.body).await };
            let task = self.sending.spawn(attempt);
            let flying = Flying {
                waiting: message,
                attempt: task.clone(),
            };
            self.flying.insert(task.id(), flying);
        }
    }

    fn ended(&mut self, ended: Result<(Id, Attempt), JoinError>) {
        let broken = |error: JoinError| {
            let attempt = Attempt::Failed {
                reason: "the attempt broke off".to_owned(),
                pause: None,
            };
            (error.id(), attempt)
        };
        let (task, attempt) = ended.unwrap_or_else(broken);
        if let Some(flying) = self.flying.remove(&task) {
            self.settle(flying.waiting, attempt);
        }
    }

    /// Takes an attempt's end in: done, given up, or to be tried again.
    fn settle(&mut self, mut message: Waiting, attempt: Attempt) {
        message.attempts = message.attempts.saturating_add(1);
        match attempt {
            Attempt::Taken => {
                count(&self.sender.name, "taken");
                self.unsettled.settle(&message.message.id);
            }
            Attempt::Gone => {
                self.is_gone.store(true, Ordering::Relaxed);
                tracing::warn!(endpoint = self.sender.name, "wants no more flags (410)");
                self.bury(message, "the endpoint wants no more (410)".to_owned());
            }
            Attempt::Failed { reason, pause } => {
                let Some(planned) = self.schedule.pauses.get(message.attempts - 1) else {
                    return self.bury(message, reason);
                };
                count(&self.sender.name, "repeated");
                let longest = self
                    .schedule
                    .pauses
                    .iter()
                    .max()
                    .copied()
                    .unwrap_or_default();
                let asked = pause.unwrap_or_default().min(longest);
                message.due = Instant::now() + jittered(*planned, random_share()).max(asked);
                self.waiting.push(message);
            }
        }
    }

    /// The service stops: what is on its way arrives or not, what is due is tried while there is time, the rest is left for the
    /// next run.
    async fn finish(mut self) {
        self.is_stopping = true;
        let end = self.end.borrow().unwrap_or_else(Instant::now);
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) =
            self.waiting.drain().partition(|message| message.due <= now);
        for message in later {
            self.bury(
                message,
                "the service stopped before the next attempt".to_owned(),
            );
        }
        self.waiting.extend(due);
        self.schedule.pauses.clear();
        self.send_due();
        while let Ok(Some(ended)) = timeout_at(end, self.sending.join_next_with_id()).await {
            self.ended(ended);
            self.send_due();
        }
        self.sending.abort_all();
        let flying = std::mem::take(&mut self.flying).into_values();
        let flying = flying.map(|flying| flying.waiting);
        for message in flying.chain(std::mem::take(&mut self.waiting)) {
            self.bury(
                message,
                "the service stopped before it was taken".to_owned(),
            );
        }
    }

    fn bury(&self, message: Waiting, reason: String) {
        self.unsettled.settle(&message.message.id);
        count(&self.sender.name, "dead");
        tracing::warn!(
            endpoint = self.sender.name,
            message = message.message.id,
            reason,
            "a flag was given up"
        );
        self.dead.bury(DeadLetter {
            endpoint: self.sender.name.clone(),
            attempts: message.attempts,
            reason,
            at: message.left_at.unwrap_or_else(jiff::Timestamp::now),
            is_pending: self.is_stopping && !self.is_gone.load(Ordering::Relaxed),
            message: message.message,
        });
    }
}

/// Ends when it is said when everything must end, or when nobody is left to say it.
async fn told(end: &mut watch::Receiver<Option<Instant>>) {
    let _ = end.wait_for(Option::is_some).await;
}

impl Waiting {
    fn new(message: Message) -> Self {
        Self {
            due: Instant::now(),
            attempts: 0,
            left_at: None,
            message,
        }
    }
}

/// A pause, stretched by `share` (0 to 1) of what jitter allows.
fn jittered(pause: Duration, share: f64) -> Duration {
    pause.mul_f64(1.0 + JITTER * share)
}

fn random_share() -> f64 {
    let mut bytes = [0u8; 4];
    // Without randomness the pauses are those planned.
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.0,
    }
}

fn count(endpoint: &str, outcome: &'static str) {
    let endpoint = endpoint.to_owned();
    metrics::counter!("mirrorwatch_outgoing_total", "endpoint" => endpoint, "outcome" => outcome)
        .increment(1);
}

#[cfg(test)]
mod tests;

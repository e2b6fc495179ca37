//! The task of one endpoint: what waits for it, what is being sent, and what comes of each attempt.

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::serve::attempt::{Attempt, Sender};
use crate::serve::dead_letters::{DeadLetter, DeadLetters, Message};
use crate::serve::outgoing::Schedule;
use crate::serve::outgoing::unsettled::Unsettled;

/// A pause is stretched by up to this share of itself, so that an endpoint that comes back is not met by all at once.
const JITTER: f64 = 0.2;
/// Messages on their way to one endpoint at a time.
const SENDING_MAX: usize = 4;

/// What a task is to do beside sending.
pub(super) enum Order {
    /// Drop what tells of the account of this id, which was erased.
    Forget(String),
    /// Send what an earlier run left.
    TakeIn(Waiting),
    /// Tell all that is on its way.
    Tell(oneshot::Sender<Vec<DeadLetter>>),
}

/// A message that waits for its time; the earliest is the greatest, as a heap wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    due: Instant,
    /// The same by the clock, for the next run.
    due_at: Timestamp,
    attempts: usize,
    /// When it was put on its way in this run.
    since: Timestamp,
    /// When it was first left for another run, by a stop or a crash.
    left_at: Option<Timestamp>,
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
pub(super) struct Courier {
    sender: Arc<Sender>,
    schedule: Schedule,
    dead: Arc<dyn DeadLetters>,
    unsettled: Arc<Unsettled>,
    is_gone: Arc<AtomicBool>,
    /// When everything must have ended, once the service stops.
    end: watch::Receiver<Option<Instant>>,
    is_stopping: bool,
    orders: mpsc::UnboundedReceiver<Order>,
    waiting: BinaryHeap<Waiting>,
    sending: JoinSet<Attempt>,
    /// What is being sent, by its task.
    flying: HashMap<Id, Flying>,
}

impl Courier {
    /// The task of one endpoint, told when everything must have ended and what it is to do beside sending.
    pub(super) fn new(
        sender: Arc<Sender>,
        schedule: Schedule,
        dead: Arc<dyn DeadLetters>,
        unsettled: Arc<Unsettled>,
        is_gone: Arc<AtomicBool>,
        (end, orders): (
            watch::Receiver<Option<Instant>>,
            mpsc::UnboundedReceiver<Order>,
        ),
    ) -> Self {
        Self {
            sender,
            schedule,
            dead,
            unsettled,
            is_gone,
            end,
            is_stopping: false,
            orders,
            waiting: BinaryHeap::new(),
            sending: JoinSet::new(),
            flying: HashMap::new(),
        }
    }

    /// Sends what comes until it is told to end.
    pub(super) async fn run(mut self, mut messages: mpsc::Receiver<Waiting>) {
        loop {
            self.send_due();
            let due = self.waiting.peek().map(|next| next.due);
            // While all places are taken only an attempt's end can change anything.
            let has_place = self.sending.len() < SENDING_MAX;
            let has_room = self.waiting.len() < self.schedule.waiting_max;
            tokio::select! {
                Some(order) = self.orders.recv() => self.follow(order, &mut messages),
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
        while let Ok(order) = self.orders.try_recv() {
            self.follow(order, &mut messages);
        }
        self.finish().await;
    }

    fn follow(&mut self, order: Order, messages: &mut mpsc::Receiver<Waiting>) {
        match order {
            Order::Forget(id) => self.forget(&id, messages),
            Order::TakeIn(waiting) => self.waiting.push(waiting),
            Order::Tell(told) => {
                self.take_in(messages);
                let flying = self.flying.values().map(|flying| &flying.waiting);
                let all = self.waiting.iter().chain(flying);
                let is_pending = !self.is_gone.load(Ordering::Relaxed);
                let letters = all.map(|waiting| {
                    self.letter(waiting.clone(), "it is on its way".to_owned(), is_pending)
                });
                // Who asked and waits no longer needs no answer.
                let _ = told.send(letters.collect());
            }
        }
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
                let asked = pause.unwrap_or_default().min(self.schedule.longest());
                let pause = jittered(*planned, random_share()).max(asked);
                message.due = Instant::now() + pause;
                message.due_at = later(pause);
                if self.is_stopping {
                    return self.leave(message, reason);
                }
                count(&self.sender.name, "repeated");
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
            self.leave(
                message,
                "the service stopped before the next attempt".to_owned(),
            );
        }
        self.waiting.extend(due);
        self.send_due();
        while let Ok(Some(ended)) = timeout_at(end, self.sending.join_next_with_id()).await {
            self.ended(ended);
            self.send_due();
        }
        self.sending.abort_all();
        let flying = std::mem::take(&mut self.flying).into_values();
        let flying = flying.map(|flying| flying.waiting);
        for message in flying.chain(std::mem::take(&mut self.waiting)) {
            self.leave(
                message,
                "the service stopped before it was taken".to_owned(),
            );
        }
    }

    /// Gives a message up.
    fn bury(&self, message: Waiting, reason: String) {
        self.unsettled.settle(&message.message.id);
        count(&self.sender.name, "dead");
        tracing::warn!(
            endpoint = self.sender.name,
            message = message.message.id,
            reason,
            "a flag was given up"
        );
        self.dead.bury(self.letter(message, reason, false));
    }

    /// Leaves a message to the next run, unless the endpoint wants no more.
    fn leave(&self, message: Waiting, reason: String) {
        if self.is_gone.load(Ordering::Relaxed) {
            return self.bury(message, reason);
        }
        self.unsettled.settle(&message.message.id);
        count(&self.sender.name, "left");
        self.dead.bury(self.letter(message, reason, true));
    }

    fn letter(&self, waiting: Waiting, reason: String, is_pending: bool) -> DeadLetter {
        // Of what is on its way, nothing that changes while it waits: then the file stays as it is.
        let at = match is_pending {
            true => waiting.since,
            false => Timestamp::now(),
        };
        DeadLetter {
            endpoint: self.sender.name.clone(),
            attempts: waiting.attempts,
            reason,
            at: waiting.left_at.unwrap_or(at),
            is_pending,
            due: is_pending.then_some(waiting.due_at),
            message: waiting.message,
        }
    }
}

/// Ends when it is said when everything must end, or when nobody is left to say it.
async fn told(end: &mut watch::Receiver<Option<Instant>>) {
    let _ = end.wait_for(Option::is_some).await;
}

impl Waiting {
    /// A message as an earlier run left it; it waits no longer than the `longest` pause, whatever the clock says.
    pub(super) fn of(letter: &DeadLetter, longest: Duration) -> Self {
        let pause = letter.due.map(|due| due.duration_since(Timestamp::now()));
        let pause = pause.and_then(|pause| Duration::try_from(pause).ok());
        let pause = pause.unwrap_or_default().min(longest);
        Self {
            due: Instant::now() + pause,
            due_at: later(pause),
            attempts: letter.attempts,
            left_at: Some(letter.at),
            ..Self::new(letter.message.clone())
        }
    }

    /// A message that nobody was asked to take yet.
    pub(super) fn new(message: Message) -> Self {
        Self {
            due: Instant::now(),
            due_at: Timestamp::now(),
            attempts: 0,
            since: Timestamp::now(),
            left_at: None,
            message,
        }
    }
}

/// The moment after a pause.
fn later(pause: Duration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(pause).unwrap_or(now)
}

/// A pause, stretched by `share` (0 to 1) of what jitter allows.
pub(super) fn jittered(pause: Duration, share: f64) -> Duration {
    pause.mul_f64(1.0 + JITTER * share)
}

/// Drawn from 0 to 1.
pub(super) fn random_share() -> f64 {
    let mut bytes = [0u8; 4];
    // Without randomness the pauses are those planned.
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.0,
    }
}

/// Counts what came of a message.
pub(super) fn count(endpoint: &str, outcome: &'static str) {
    let endpoint = endpoint.to_owned();
    metrics::counter!("mirrorwatch_outgoing_total", "endpoint" => endpoint, "outcome" => outcome)
        .increment(1);
}

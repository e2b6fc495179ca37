//! What every handler shares.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::engine::{Engine, Stripes};
use crate::error::{Error, Result};
use crate::hash::Secret;
use crate::serve::audit::Audit;
use crate::serve::bursts::Bursts;
use crate::serve::docket::Docket;
use crate::serve::fetch::Pictures;
use crate::serve::gate::Gate;
use crate::serve::hooks::Sources;
use crate::serve::keys::Keys;
use crate::serve::ledger::Ledger;
use crate::serve::look_back::LookBack;
use crate::serve::outgoing::Outgoing;
use crate::serve::problem::Problem;
use crate::serve::settings::Settings;
use crate::serve::tallied::Tallied;

/// Seconds after which a caller may ask whether the index is whole.
const OPENING_RETRY_SECONDS: u64 = 2;

/// Threads for what is no screen: bans and judgments wait for the disk, and share its syncs.
pub(crate) const SIDE_WORKERS: usize = 4;

/// Keys that may be tried at the console's door in a minute from one address.
const LOGINS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// The state of the service; cheap to clone.
pub(crate) type Shared = Arc<App>;

/// The state of the service.
pub(crate) struct App {
    /// Settings in force.
    pub(crate) settings: Settings,
    /// Who may call.
    pub(crate) keys: Keys,
    /// Whether there was a key since the service started.
    was_shut: AtomicBool,
    /// How often a key may be tried at the console's door, by the address it comes from.
    pub(crate) logins: DefaultKeyedRateLimiter<String>,
    /// Keys the console's cookies; another one in each run.
    pub(crate) cookies: Secret,
    /// Counts of entries for the console.
    pub(crate) tallied: Tallied,
    /// Held by who reads all entries for the console.
    pub(crate) reading: Mutex<()>,
    /// How often each key may.
    pub(crate) pace: Option<DefaultKeyedRateLimiter<String>>,
    /// Lines of changes.
    pub(crate) audit: Audit,
    /// Flags that nobody has judged.
    pub(crate) docket: Docket,
    /// Bans, their end and pictures of one account take turns, so that neither undoes what the other told.
    pub(crate) turns: Stripes,
    /// Entries whose look back has not been made.
    pub(crate) look_back: LookBack,
    /// New flags by entry and network.
    pub(crate) bursts: Bursts,
    /// Counts for the dashboard.
    pub(crate) ledger: Ledger,
    /// The gate of screens.
    pub(crate) gate: Gate,
    /// The gate of everything else: a ban, a judgment or a page waits for no screen, and no screen for them.
    pub(crate) side_gate: Gate,
    /// Folder of the database.
    pub(crate) folder: PathBuf,
    /// Sources of hooks.
    pub(crate) sources: Arc<Sources>,
    /// Fetches pictures that hooks name; set once there is a runtime.
    pub(crate) pictures: OnceLock<Pictures>,
    /// Sends flags; set once there is a runtime.
    pub(crate) outgoing: OnceLock<Outgoing>,
    /// The engine, once its index is whole.
    engine: OnceLock<Engine>,
}

impl App {
    /// The service of the database in `folder`, not yet open.
    ///
    /// # Errors
    /// The keys cannot be read.
    pub(crate) fn new(folder: &Path, settings: Settings) -> Result<Shared> {
        let rate = std::num::NonZeroU32::new(settings.requests_per_second);
        let pace = rate.map(|rate| RateLimiter::keyed(Quota::per_second(rate)));
        let keys = Keys::open(folder)?;
        let no_threads = |source| Error::io(folder, source);
        Ok(Arc::new(Self {
            was_shut: AtomicBool::new(!keys.all().is_empty()),
            keys,
            pace,
            logins: RateLimiter::keyed(Quota::per_minute(LOGINS_PER_MINUTE)),
            cookies: cookie_secret()?,
            tallied: Tallied::default(),
            reading: Mutex::default(),
            audit: Audit::of(folder),
            docket: Docket::default(),
            turns: Stripes::default(),
            look_back: LookBack::default(),
            bursts: Bursts::default(),
            ledger: Ledger::default(),
            gate: Gate::new(settings.workers(), settings.queue_max).map_err(no_threads)?,
            side_gate: Gate::new(SIDE_WORKERS, settings.queue_max).map_err(no_threads)?,
            folder: folder.to_owned(),
            sources: Arc::new(settings.sources()?),
            pictures: OnceLock::new(),
            outgoing: OnceLock::new(),
            settings,
            engine: OnceLock::new(),
        }))
    }

    /// Whether everybody may call: there was no key since the service started, and only this machine reaches it. Once
    /// there was one it stays shut, also when the last is revoked.
    pub(crate) fn is_open_here(&self) -> bool {
        if !self.keys.all().is_empty() {
            self.was_shut.store(true, Ordering::Relaxed);
        }
        !self.was_shut.load(Ordering::Relaxed) && self.settings.listen.ip().is_loopback()
    }

    /// Lets requests through to an engine whose index is whole.
    pub(crate) fn open(&self, engine: Engine) {
        // There is one call; a second would be the same database.
        let _ = self.engine.set(engine);
    }

    /// The engine.
    ///
    /// # Errors
    /// Its index is not whole yet: better no answer than one from half an index.
    pub(crate) fn engine(&self) -> Result<&Engine, Problem> {
        let opening = || {
            let detail = "the index is being read; see /readyz";
            Problem::busy(
                StatusCode::SERVICE_UNAVAILABLE,
                detail,
                OPENING_RETRY_SECONDS,
            )
        };
        self.engine.get().ok_or_else(opening)
    }

    /// Runs `work`, a screen, with the engine off the async threads.
    ///
    /// # Errors
    /// Not ready, too busy, or what `work` says.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App, &Engine) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.engine()?;
        let app = Arc::clone(self);
        self.gate.run(move || work(&app, app.engine()?)).await
    }

    /// Runs `work`, which is no screen, with the engine off the async threads.
    ///
    /// # Errors
    /// Not ready, too busy, or what `work` says.
    pub(crate) async fn run_aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App, &Engine) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.engine()?;
        let app = Arc::clone(self);
        let work = move || work(&app, app.engine()?);
        self.side_gate.run(work).await
    }
}

fn cookie_secret() -> Result<Secret> {
    let mut bytes = [0; 32];
    let drawn = getrandom::fill(&mut bytes).map_err(|error| Error::Malformed {
        what: "the system's random numbers".into(),
        reason: error.to_string(),
    });
    drawn.map(|()| Secret::new(bytes))
}

//! What every handler shares.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::engine::Engine;
use crate::error::Result;
use crate::serve::audit::Audit;
use crate::serve::dead_letters::Message;
use crate::serve::docket::Docket;
use crate::serve::fetch::Pictures;
use crate::serve::gate::Gate;
use crate::serve::hooks::Sources;
use crate::serve::keys::Keys;
use crate::serve::ledger::Ledger;
use crate::serve::outgoing::Outgoing;
use crate::serve::problem::Problem;
use crate::serve::settings::Settings;
use crate::wire::{ReportRecord, decision_id};

/// Seconds after which a caller may ask whether the index is whole.
const OPENING_RETRY_SECONDS: u64 = 2;

/// What a flag is called when it is told.
const FLAG_RAISED: &str = "org.mirrorwatch.flag.raised.v1";

/// The state of the service; cheap to clone.
pub(crate) type Shared = Arc<App>;

/// The state of the service.
pub(crate) struct App {
    /// Settings in force.
    pub(crate) settings: Settings,
    /// Who may call.
    pub(crate) keys: Keys,
    /// How often each key may.
    pub(crate) pace: Option<DefaultKeyedRateLimiter<String>>,
    /// Lines of changes.
    pub(crate) audit: Audit,
    /// Flags that nobody has judged.
    pub(crate) docket: Docket,
    /// Counts for the dashboard.
    pub(crate) ledger: Ledger,
    /// The gate before the engine.
    pub(crate) gate: Gate,
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
        Ok(Arc::new(Self {
            keys: Keys::open(folder)?,
            pace,
            audit: Audit::of(folder),
            docket: Docket::default(),
            ledger: Ledger::default(),
            gate: Gate::new(settings.workers(), settings.queue_max),
            folder: folder.to_owned(),
            sources: Arc::new(settings.sources()?),
            pictures: OnceLock::new(),
            outgoing: OnceLock::new(),
            settings,
            engine: OnceLock::new(),
        }))
    }

    /// Lets requests through to an engine whose index is whole.
    pub(crate) fn open(&self, engine: Engine) {
        // There is one call; a second would be the same database.
        let _ = self.engine.set(engine);
    }

    /// Tells whoever wants to hear of flags that one was raised.
    pub(crate) fn raise(&self, decision: u64, report: &ReportRecord) {
        let Some(outgoing) = self.outgoing.get() else {
            return;
        };
        let data = serde_json::to_value(report).unwrap_or_default();
        let id = format!("flag_{}", decision_id(decision));
        let now = jiff::Timestamp::now();
        outgoing.send(&Message::of(id, FLAG_RAISED, now, &data));
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

    /// Runs `work` with the engine off the async threads.
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
}

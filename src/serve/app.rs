//! What every handler shares.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::engine::Engine;
use crate::error::Result;
use crate::serve::audit::Audit;
use crate::serve::gate::Gate;
use crate::serve::keys::Keys;
use crate::serve::problem::Problem;
use crate::serve::settings::Settings;

/// Seconds after which a caller may ask whether the index is whole.
const OPENING_RETRY_SECONDS: u64 = 2;

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
    /// The gate before the engine.
    pub(crate) gate: Gate,
    /// Folder of the database.
    pub(crate) folder: PathBuf,
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
            gate: Gate::new(settings.workers(), settings.queue_max),
            folder: folder.to_owned(),
            settings,
            engine: OnceLock::new(),
        }))
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

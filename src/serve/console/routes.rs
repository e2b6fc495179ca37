//! Which address shows which page. A handler reads, asks the desk once or twice, and shows.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::error::{Error, Result};
use crate::serve::console::answer::{ICON, Refusal, SCRIPT, STYLE, asset, guarded};
use crate::serve::console::desk::Desk;
use crate::serve::console::pass::{Ended, Settings};
use crate::serve::console::{dashboard, decision, entry, gate, networks, queue, removals, search};

/// Largest form, in bytes: some thousand ids.
const FORM_BYTES_MAX: usize = 512 << 10;

/// What every handler has.
pub(crate) struct Room<D> {
    desk: Arc<D>,
    /// Log-ins that were ended.
    pub ended: Arc<Ended>,
    /// The door's.
    pub settings: Arc<Settings>,
}

impl<D> Clone for Room<D> {
    fn clone(&self) -> Self {
        Self {
            desk: self.desk.clone(),
            ended: self.ended.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<D: Desk> Room<D> {
    /// Asks the desk off the async threads when it is the question's turn, since it may read the disk.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&D) -> Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let desk = self.desk.clone();
        let asked = self.desk.side_gate().run(move || Ok(question(&desk))).await;
        match asked {
            Ok(answer) => Ok(answer?),
            Err(busy) if busy.status() == StatusCode::SERVICE_UNAVAILABLE => Err(Refusal::Busy),
            Err(broken) => Err(Refusal::Failed(Error::Malformed {
                what: "console".into(),
                reason: broken.in_short().1.to_owned(),
            })),
        }
    }
}

/// The pages of the console, to be merged into the service's router.
pub(crate) fn routes<S, D>(desk: Arc<D>, settings: Settings) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    D: Desk,
{
    let room = Room {
        desk,
        ended: Arc::default(),
        settings: Arc::new(settings),
    };
    Router::new()
        .route("/", get(|| async { Redirect::to("/queue") }))
        .route("/login", get(gate::login_form).post(gate::login::<D>))
        .route("/logout", post(gate::logout))
        .route("/queue", get(queue::show))
        .route("/queue/next", get(queue::next))
        .route("/search", get(search::show))
        .route("/entries/{id}", get(entry::show))
        .route("/decisions/{id}", get(decision::show))
        .route("/decisions/{id}/judge", post(decision::judge))
        .route("/decisions/{id}/undo", post(decision::undo))
        .route("/decisions/{id}/replay", get(decision::replay))
        .route("/networks", get(networks::show))
        .route("/removals", get(removals::show).post(removals::mark))
        .route("/removals.csv", get(removals::export))
        .route("/dashboard", get(dashboard::show))
        .with_state(room)
        .route(
            "/assets/console.css",
            get(|| async { asset("text/css; charset=utf-8", STYLE) }),
        )
        .route(
            "/assets/console.js",
            get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }),
        )
        .route(
            "/assets/icon.svg",
            get(|| async { asset("image/svg+xml", ICON) }),
        )
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn(guarded))
}

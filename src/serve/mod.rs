//! The service: what a signup pipeline calls, what an analyst looks at, what an operator runs.
//!
//! A handler is: parse, one engine call off the async threads, answer. Who may call is decided before a handler runs;
//! how much waits is bounded by one gate. The service flags; it bans no one.

mod analysts;
mod api;
mod app;
mod attempt;
mod audit;
mod auth;
mod bursts;
mod console;
mod dead_letters;
mod description;
mod desk;
mod docket;
mod endpoint;
mod fetch;
mod gate;
mod guard;
mod hooks;
mod keys;
mod ledger;
mod listed;
mod log;
mod look_back;
mod meters;
mod outgoing;
mod patience;
mod problem;
mod raising;
mod request;
mod router;
mod server;
mod settings;
mod tallied;
mod through;

/// Files that the service keeps beside the database.
pub(crate) const FILES: [&str; 3] = [keys::FILE, audit::FILE, dead_letters::FILE];

pub(crate) use crate::serve::dead_letters::forget_undelivered;
pub(crate) use crate::serve::keys::{Keys, Role};
pub(crate) use crate::serve::log::log;
pub(crate) use crate::serve::server::serve;
pub(crate) use crate::serve::settings::Settings;
#[cfg(test)]
pub(crate) use crate::serve::{
    app::{App, SIDE_WORKERS},
    router::router,
};

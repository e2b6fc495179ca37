//! The service: what a signup pipeline calls, what an analyst looks at, what an operator runs.
//!
//! A handler is: parse, one engine call off the async threads, answer. Who may call is decided before a handler runs;
//! how much waits is bounded by one gate. The service flags; it bans no one.

mod api;
mod app;
mod audit;
mod auth;
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the service mounts it next")
)]
pub(crate) mod console;
mod gate;
mod keys;
mod log;
mod meters;
mod problem;
mod request;
mod router;
mod server;
mod settings;

pub(crate) use crate::serve::keys::{Keys, Role};
pub(crate) use crate::serve::log::log;
pub(crate) use crate::serve::server::serve;
pub(crate) use crate::serve::settings::Settings;

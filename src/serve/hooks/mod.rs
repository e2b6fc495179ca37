//! Which account does a platform's webhook tell of, and what does that platform want to hear?
//!
//! One file a platform, each an [`adapter::Adapter`]: how a request is proven genuine (over its raw bytes, before anything is
//! parsed), which [`event::AccountEvent`]s it carries, and what answer means "go on" or "refuse" there. `route` does the rest
//! once for all: size, duplicates, failing open. What the hooks need of the service is the trait [`desk::Desk`]; they know no
//! engine. By default a hook only flags: denying is for the operator to choose, source by source.

mod adapter;
mod clip;
mod cloudevents;
mod desk;
mod discourse;
mod event;
mod firebase;
mod jwt;
mod key_refresh;
mod kratos;
mod mastodon;
mod profile;
mod record;
mod refusal;
mod repeats;
mod route;
mod settings;
mod signature;
mod standard;
mod supabase;
mod synapse;

pub(crate) use crate::serve::hooks::desk::{Desk, Screening};
pub(crate) use crate::serve::hooks::key_refresh::keep_keys;
pub(crate) use crate::serve::hooks::route::{Hooks, router};
pub(crate) use crate::serve::hooks::settings::{Source, Sources};
#[cfg(test)]
pub(crate) use crate::serve::hooks::signature::standard as verify_standard;
pub(crate) use crate::serve::hooks::signature::{SharedSecret, standard_digest};

#[cfg(test)]
mod tests;

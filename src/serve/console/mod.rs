//! What does an analyst see in a browser, and what can be said there?
//!
//! Pages are made on the server from plain view models (`of` engine types) and the templates of `data/console/`; they
//! work without JavaScript and load nothing from elsewhere. The console knows the rest of the service as a [`Desk`]
//! only: it asks, shows, and passes judgments on. It decides nothing and keeps nothing but the browser's cookie.

mod answer;
mod bits;
mod chart;
mod dashboard;
mod decision;
mod desk;
mod entry;
mod family;
mod form;
mod gate;
mod letters;
mod networks;
mod pass;
mod person;
mod queue;
mod removals;
mod routes;
mod search;
mod timeline;
mod told;
mod values;
mod when;

#[cfg(test)]
mod tests;

pub(crate) use crate::serve::console::desk::Desk;
pub(crate) use crate::serve::console::pass::Settings;
pub(crate) use crate::serve::console::routes::routes;
pub(crate) use crate::serve::console::values::{
    Analyst, Bucket, Dashboard, Day, Decision, Edge, EntryFile, Family, Hour, Order, Queue,
    Removal, Replay, Standing, Tally,
};

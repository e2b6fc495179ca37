//! Text in, canonical text out: what does this handle, name, bio or link say once its disguise is off?
//!
//! The one trick is the order of the steps: invisible characters first, look-alikes on the original case next, case folding after that. Everything
//! rests on Unicode property tables, not on lists of known tricks.
//! The room is pure and total: any string is accepted, nothing is looked up outside, and it knows no accounts.

pub(crate) mod arabic;
pub(crate) mod contact;
pub(crate) mod emoji;
pub(crate) mod html;
pub(crate) mod links;
pub(crate) mod lookalike;
pub(crate) mod moves;
pub(crate) mod outline;
pub(crate) mod parts;
mod phone;
mod platform;
pub(crate) mod romanize;
pub(crate) mod script;
pub(crate) mod sound;
pub(crate) mod unicode;
pub(crate) mod url;
mod wallet;

#[cfg(test)]
mod tests;

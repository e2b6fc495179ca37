//! Text in, canonical text out: what does this handle, name, bio or link say once its disguise is off?
//!
//! The one trick is the order of the steps: invisible characters first, look-alikes on the original case next, case folding after that. Everything
//! rests on Unicode property tables, not on lists of known tricks.
//! The room is pure and total: any string is accepted, nothing is looked up outside, and it knows no accounts.

pub mod arabic;
pub mod contact;
pub mod emoji;
pub mod html;
pub mod links;
pub mod lookalike;
pub mod moves;
pub mod parts;
mod phone;
mod platform;
pub mod romanize;
pub mod script;
pub mod sound;
pub mod unicode;
pub mod url;
mod wallet;

#[cfg(test)]
mod tests;

//! How common is this among ordinary signups?
//!
//! The answer is *rarity*, in bits: -log2 of the share of ordinary accounts that have the very value. It comes from
//! counts of what ordinary accounts had, and for strings nobody counted from a model of letters and words. The trick is
//! that it is asked once per account, when the fingerprint is made, and carried with each value. Counts only: no
//! account is kept, and the watchlist never teaches it.

mod bytes;
mod counts;
mod letters;
mod rarity;
mod stream;

pub(crate) use crate::background::rarity::Spelling;
pub use crate::background::rarity::{Background, BackgroundBuilder, Observation};
pub(crate) use crate::background::stream::{Learnt, Stream};

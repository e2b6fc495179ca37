//! Which stored entries could match a key, a string or a hash?
//!
//! Mechanism only: keys and distances in, [`Ordinal`]s out; nothing here knows what an account is. Every structure is
//! built once from all its entries (`grams` grows), holds flat arrays that never change and may lie in a mapped file, and is tested against a linear scan.
//! Look-ups push into the caller's vector. Deciding what a match means is for the layers above.

mod ahead;
mod chunks;
mod containment;
mod deletes;
mod dictionary;
mod exact;
mod filling;
mod flat;
mod grams;
mod hamming;
mod hashed;
mod loose;
mod order;
mod osa;
mod pairs;
mod rows;
mod spelled;
mod tables;

#[cfg(test)]
mod figures;
#[cfg(test)]
mod tests;

pub(crate) use ahead::ahead;
pub use containment::Containment;
pub(crate) use containment::PlacedParts;
pub(crate) use deletes::Forms;
pub use deletes::{Deletes, distance_max};
pub use dictionary::Dictionary;
pub(crate) use exact::HOT;
pub use exact::Postings;
pub(crate) use flat::{Array, Sections, Stored};
pub(crate) use grams::Grams;
pub use hamming::HammingIndex;
pub(crate) use hamming::Sought;
pub(crate) use hashed::{Placed, Run};
pub(crate) use loose::Loose;
pub(crate) use order::order_from_bit;
pub use osa::osa_within;
pub(crate) use pairs::pair_keys;

/// Position of an entry within one segment, counted from 0.
pub type Ordinal = u32;

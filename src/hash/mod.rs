//! Which short fixed-width values stand for a text, a picture or an opaque token?
//!
//! Text becomes a SimHash, a picture a PDQ hash, a token a keyed digest. The first two keep nearness: near inputs
//! differ in few bits, so one [`hamming`] serves both. The keyed digest keeps nothing but equality.
//! Nothing here looks anything up; that is `index`.

mod downscale;
pub(crate) mod feature;
mod hamming;
mod keyed;
mod pdq;
mod simhash;
pub(crate) mod spread;

pub(crate) use hamming::hamming;
pub use keyed::Secret;
pub use pdq::Pdq;
pub(crate) use pdq::{dihedral, of_luma};
pub(crate) use simhash::of_words;

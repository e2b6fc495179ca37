//! The JSON calls of the contract, one file a subject.

pub(in crate::serve) mod decisions;
pub(in crate::serve) mod flags;
pub(in crate::serve) mod lookup;
pub(in crate::serve) mod operating;
pub(in crate::serve) mod screen;
pub(in crate::serve) mod watchlist;

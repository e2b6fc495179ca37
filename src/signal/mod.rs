//! What is compared between two accounts, one file a signal.
//!
//! Each signal says what it keeps of an account (`of`), which keys lead to entries that may agree (`keys`), and how two
//! values relate (`compare`). A [`Comparison`] names the relation and carries the *surprise*: -log2 of the share of
//! ordinary accounts that would relate like that to this very entry. What the relation is worth is the model's business,
//! and no signal looks anything up.

pub(crate) mod avatar;
pub(crate) mod bio;
pub(crate) mod contact;
pub(crate) mod crossing;
pub(crate) mod crowd;
pub(crate) mod handle;
pub(crate) mod lead;
pub(crate) mod link;
pub(crate) mod name;
pub(crate) mod number;
pub(crate) mod packed;
pub(crate) mod relation;
pub(crate) mod token;
pub(crate) mod weighted;

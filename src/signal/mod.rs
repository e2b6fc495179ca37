//! What is compared between two accounts, one file a signal.
//!
//! Each signal says what it keeps of an account (`of`), which keys lead to entries that may agree (`keys`), and how two
//! values relate (`compare`). A [`Comparison`] names the relation and carries the *surprise*: -log2 of the share of
//! ordinary accounts that would relate like that to this very entry. What the relation is worth is the model's business,
//! and no signal looks anything up.

pub mod avatar;
pub mod bio;
pub mod contact;
pub mod crossing;
pub mod handle;
pub mod link;
pub mod name;
pub mod relation;
pub mod token;
pub mod weighted;

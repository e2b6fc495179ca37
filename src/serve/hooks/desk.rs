//! What the hooks ask of the service behind them.

use std::future::Future;

use jiff::Timestamp;

use crate::account::{Account, AccountId, Avatar};
use crate::serve::problem::Problem;
use crate::verdict::Verdict;

/// What screening said of an account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Screening {
    /// Match, review or clear.
    pub verdict: Verdict,
    /// Score of the best entry, in bits.
    pub score_bits: f32,
    /// The entries it rests on, best first; empty when clear.
    pub entries: Vec<String>,
}

/// The service as the hooks see it. Clones share it; each call may wait, and does engine work off the async threads. A problem
/// that passes with time ([`Problem::passes`]) makes the sender come back, or lets a signup go on, as the source has it.
pub(crate) trait Desk: Clone + Send + Sync + 'static {
    /// Screens an account, remembers what this event told of it (united with what earlier events told under the same id), and
    /// raises a flag where there is one to raise.
    fn screen_and_remember(
        &self,
        source: &str,
        account: Account,
    ) -> impl Future<Output = Result<Screening, Problem>> + Send;

    /// Puts a banned account on the watchlist. What the event does not tell is taken from what was seen under the same id: by
    /// the time of a ban platforms have blanked the profile.
    fn enroll(
        &self,
        source: &str,
        account: Account,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// Takes an account whose ban was taken back off the watchlist, whoever banned it; no trouble if it is not on it.
    fn withdraw(
        &self,
        source: &str,
        id: AccountId,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// Takes an account off the watchlist if its ban was told by this source: the platform shows it as not banned. What was
    /// shown at a known time ends only bans that are known to have begun before it.
    fn lift(
        &self,
        source: &str,
        id: AccountId,
        shown_at: Option<Timestamp>,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// Adds a picture, fetched after the answer, to what is known of an account, and screens it again with it. An entry that
    /// has a picture keeps it.
    fn remember_picture(
        &self,
        source: &str,
        id: AccountId,
        avatar: Avatar,
    ) -> impl Future<Output = Result<(), Problem>> + Send;
}

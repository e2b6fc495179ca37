//! A banned account we watch for, as the engine holds it in memory.

use std::sync::Arc;

use jiff::Timestamp;

use crate::account::{Account, AccountId};
use crate::background::Background;
use crate::fingerprint::Fingerprint;
use crate::hash::Secret;

/// An account on its way onto the watchlist: its fingerprint and what blocking and score need; its texts stay in the store.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The banned account's id.
    pub id: AccountId,
    /// What probes are compared with.
    pub fingerprint: Fingerprint<'static>,
    /// Campaign or organisation label.
    pub network: Option<Arc<str>>,
    /// When the ban took effect.
    pub banned_at: Option<Timestamp>,
    /// When the ban ends by itself.
    pub expires_at: Option<Timestamp>,
}

impl Entry {
    /// The entry of a banned account.
    pub fn of(account: &Account, background: &Background, secret: &Secret) -> Self {
        let ban = account.ban.as_ref();
        let network = ban
            .map(|ban| ban.network.as_str())
            .filter(|network| !network.is_empty());
        Self {
            id: account.id().clone(),
            fingerprint: Fingerprint::of(account, background, secret),
            network: network.map(Arc::from),
            banned_at: ban.and_then(|ban| ban.banned_at),
            expires_at: ban.and_then(|ban| ban.expires_at),
        }
    }
}

/// Which entry it is that a hit tells of, and since when it is banned.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The banned account's id.
    pub id: AccountId,
    /// Campaign or organisation label.
    pub network: Option<Arc<str>>,
    /// When the ban took effect.
    pub banned_at: Option<Timestamp>,
    /// When the ban ends by itself.
    pub expires_at: Option<Timestamp>,
}

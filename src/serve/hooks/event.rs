//! What every platform's webhook comes down to: something happened to one account.

use jiff::Timestamp;

use crate::wire::{AccountRecord, BanRecord};

/// What happened to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It was opened, or is about to be.
    Created,
    /// Something of it changed, or it signed in.
    Updated,
    /// A moderator let it in.
    Approved,
    /// It was banned: it goes on the watchlist.
    Banned,
    /// Its ban was taken back: it leaves the watchlist. Where the platform tells of its own bans alone, only if this source
    /// told of it.
    Unbanned,
}

/// One thing that happened to one account.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AccountEvent {
    /// Equal for deliveries of the same event; none where the sender gives nothing to tell them by.
    pub key: Option<String>,
    /// What happened.
    pub happening: Happening,
    /// The account as far as this event tells of it; its id is set.
    pub record: AccountRecord,
    /// When the platform showed that it is not banned there: an earlier ban that this source told of has ended. None where it
    /// shows no such thing, or not when: a delivery may come late, after a ban that was told since.
    pub stands_at: Option<Timestamp>,
    /// Where its picture is, unless it is the platform's default one.
    pub picture: Option<String>,
}

impl AccountEvent {
    /// An event of `record`, without a key and a picture.
    pub(crate) fn of(happening: Happening, record: AccountRecord) -> Self {
        Self {
            key: None,
            happening,
            record,
            stands_at: None,
            picture: None,
        }
    }

    /// The event with what makes a ban: `ban` says who told of it and, where known, why.
    pub(crate) fn banned(mut self, ban: BanRecord) -> Self {
        self.happening = Happening::Banned;
        self.record.ban = Some(ban);
        self
    }
}

/// `text` unless nothing is in it.
pub(crate) fn told(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

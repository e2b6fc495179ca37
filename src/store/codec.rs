//! Records as bytes: Protocol Buffers messages, so that fields can be added without a new format version.
//!
//! Field numbers are the format; they are listed in `FORMAT.md` and never used again for something else.

use jiff::Timestamp;
use prost::Message;

use crate::account::{
    Account, AccountDraft, AccountId, Avatar, Ban, Descent, Kind, Token, TokenValue,
};
use crate::judgment::{Answer, Remark};

/// An entry and the change that wrote it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EntryRecord {
    pub(crate) lsn: u64,
    pub(crate) account: Account,
}

/// An account as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeenAccount {
    /// When it was last screened.
    pub seen_at: Timestamp,
    /// What is known of it.
    pub account: Account,
}

/// One line of the log: what was changed. What it was changed to is told by the record of that key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChangeRecord {
    /// The entry of an id.
    Listed { id: String, is_withdrawal: bool },
    /// The judgment of a pair.
    Judged {
        probe: String,
        entry: String,
        is_end: bool,
    },
    /// The protection of an account.
    Protected { id: String, is_end: bool },
}

/// What was said, and the change that wrote it: the value of a judgment and of a protection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemarkRecord {
    pub(crate) lsn: u64,
    /// Of a judgment.
    pub(crate) answer: Option<Answer>,
    pub(crate) remark: Remark,
}

#[derive(Clone, PartialEq, Message)]
struct AccountMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    platform: String,
    #[prost(uint32, tag = "3")]
    kind: u32,
    #[prost(string, tag = "4")]
    handle: String,
    #[prost(string, tag = "5")]
    display_name: String,
    #[prost(string, tag = "6")]
    bio: String,
    #[prost(string, tag = "7")]
    location: String,
    #[prost(string, repeated, tag = "8")]
    links: Vec<String>,
    #[prost(bytes = "vec", tag = "9")]
    pdq: Vec<u8>,
    #[prost(uint32, tag = "10")]
    quality: u32,
    #[prost(message, repeated, tag = "11")]
    tokens: Vec<TokenMessage>,
    #[prost(int64, optional, tag = "12")]
    created_at: Option<i64>,
    #[prost(message, optional, tag = "13")]
    ban: Option<BanMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct TokenMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    digest: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct BanMessage {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    network: String,
    #[prost(string, tag = "3")]
    source: String,
    #[prost(int64, optional, tag = "4")]
    banned_at: Option<i64>,
    #[prost(int64, optional, tag = "5")]
    expires_at: Option<i64>,
    #[prost(string, tag = "6")]
    parent: String,
    #[prost(uint32, tag = "7")]
    hops: u32,
}

#[derive(Clone, PartialEq, Message)]
struct EntryMessage {
    #[prost(uint64, tag = "1")]
    lsn: u64,
    #[prost(message, optional, tag = "2")]
    account: Option<AccountMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct SeenMessage {
    #[prost(int64, tag = "1")]
    seen_at: i64,
    #[prost(message, optional, tag = "2")]
    account: Option<AccountMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ChangeMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(bool, tag = "2")]
    is_withdrawal: bool,
    #[prost(string, tag = "3")]
    judged_probe: String,
    #[prost(string, tag = "4")]
    judged_entry: String,
    #[prost(string, tag = "5")]
    protected: String,
}

#[derive(Clone, PartialEq, Message)]
struct RemarkMessage {
    #[prost(uint64, tag = "1")]
    lsn: u64,
    #[prost(uint32, tag = "2")]
    answer: u32,
    #[prost(string, tag = "3")]
    who: String,
    #[prost(string, tag = "4")]
    note: String,
    #[prost(int64, tag = "5")]
    at: i64,
}

impl EntryRecord {
    #[cfg(test)]
    pub(crate) fn encode(&self) -> Vec<u8> {
        EntryMessage {
            lsn: self.lsn,
            account: Some(message_of(&self.account)),
        }
        .encode_to_vec()
    }

    /// The bytes of [`EntryRecord::encode`] put together from an account that is encoded already.
    pub(crate) fn of_encoded(lsn: u64, account: &[u8]) -> Vec<u8> {
        let mut stored = Vec::with_capacity(account.len() + 16);
        prost::encoding::uint64::encode(1, &lsn, &mut stored);
        prost::encoding::encode_key(2, prost::encoding::WireType::LengthDelimited, &mut stored);
        prost::encoding::encode_varint(account.len() as u64, &mut stored);
        stored.extend_from_slice(account);
        stored
    }

    /// The account part of an entry's bytes.
    pub(crate) fn encoded(account: &Account) -> Vec<u8> {
        message_of(account).encode_to_vec()
    }

    /// `Err` says why the bytes are no entry.
    pub(crate) fn decode(stored: &[u8]) -> Result<Self, String> {
        let message = EntryMessage::decode(stored).map_err(|e| e.to_string())?;
        Ok(Self {
            lsn: message.lsn,
            account: account_of(message.account)?,
        })
    }
}

impl SeenAccount {
    pub(crate) fn encode(&self) -> Vec<u8> {
        SeenMessage {
            seen_at: self.seen_at.as_second(),
            account: Some(message_of(&self.account)),
        }
        .encode_to_vec()
    }

    /// `Err` says why the bytes are no seen account.
    pub(crate) fn decode(stored: &[u8]) -> Result<Self, String> {
        let message = SeenMessage::decode(stored).map_err(|e| e.to_string())?;
        Ok(Self {
            seen_at: timestamp(message.seen_at)?,
            account: account_of(message.account)?,
        })
    }
}

impl ChangeRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let message = match self.clone() {
            Self::Listed { id, is_withdrawal } => ChangeMessage {
                id,
                is_withdrawal,
                ..ChangeMessage::default()
            },
            Self::Judged {
                probe,
                entry,
                is_end,
            } => ChangeMessage {
                judged_probe: probe,
                judged_entry: entry,
                is_withdrawal: is_end,
                ..ChangeMessage::default()
            },
            Self::Protected { id, is_end } => ChangeMessage {
                protected: id,
                is_withdrawal: is_end,
                ..ChangeMessage::default()
            },
        };
        message.encode_to_vec()
    }

    /// `Err` says why the bytes are no change.
    pub(crate) fn decode(stored: &[u8]) -> Result<Self, String> {
        let message = ChangeMessage::decode(stored).map_err(|e| e.to_string())?;
        let is_end = message.is_withdrawal;
        Ok(match message {
            message if !message.judged_probe.is_empty() => Self::Judged {
                probe: message.judged_probe,
                entry: message.judged_entry,
                is_end,
            },
            message if !message.protected.is_empty() => Self::Protected {
                id: message.protected,
                is_end,
            },
            message => Self::Listed {
                id: message.id,
                is_withdrawal: is_end,
            },
        })
    }
}

/// Numbers of the answers; 0 is a protection, which has none.
const ANSWERS: [(u32, Answer); 3] = [
    (1, Answer::Mirror),
    (2, Answer::NotMirror),
    (3, Answer::Unsure),
];

impl RemarkRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let number = ANSWERS
            .iter()
            .find(|(_, answer)| Some(*answer) == self.answer);
        RemarkMessage {
            lsn: self.lsn,
            answer: number.map_or(0, |(number, _)| *number),
            who: self.remark.who().to_owned(),
            note: self.remark.note().to_owned(),
            at: self.remark.at().as_second(),
        }
        .encode_to_vec()
    }

    /// `Err` says why the bytes are no remark.
    pub(crate) fn decode(stored: &[u8]) -> Result<Self, String> {
        let message = RemarkMessage::decode(stored).map_err(|e| e.to_string())?;
        let answer = ANSWERS
            .iter()
            .find(|(number, _)| *number == message.answer)
            .map(|(_, answer)| *answer);
        if answer.is_none() && message.answer != 0 {
            return Err(format!("unknown answer {}", message.answer));
        }
        let remark = Remark::new(&message.who, &message.note, timestamp(message.at)?);
        Ok(Self {
            lsn: message.lsn,
            answer,
            remark: remark.map_err(|rejection| rejection.to_string())?,
        })
    }
}

/// Opaque token values never reach the store: what is not keyed is left out.
fn message_of(account: &Account) -> AccountMessage {
    let token = |token: &Token| match &token.value {
        TokenValue::Keyed(digest) => Some(TokenMessage {
            name: token.name.clone(),
            digest: digest.to_vec(),
        }),
        TokenValue::Opaque(_) => None,
    };
    let seconds = |time: Option<Timestamp>| time.map(Timestamp::as_second);
    AccountMessage {
        id: account.id().as_str().to_owned(),
        platform: account.platform.clone(),
        kind: account.kind as u32,
        handle: account.handle.clone(),
        display_name: account.display_name.clone(),
        bio: account.bio.clone(),
        location: account.location.clone(),
        links: account.links.clone(),
        pdq: account
            .avatar
            .map_or_else(Vec::new, |avatar| avatar.pdq.to_vec()),
        quality: account.avatar.map_or(0, |avatar| u32::from(avatar.quality)),
        tokens: account.tokens.iter().filter_map(token).collect(),
        created_at: seconds(account.created_at),
        ban: account.ban.as_ref().map(|ban| BanMessage {
            reason: ban.reason.clone(),
            network: ban.network.clone(),
            source: ban.source.clone(),
            banned_at: seconds(ban.banned_at),
            expires_at: seconds(ban.expires_at),
            parent: (ban.descent.as_ref()).map_or_else(String::new, |of| of.parent.to_string()),
            hops: ban.descent.as_ref().map_or(0, |of| of.hops.into()),
        }),
    }
}

fn account_of(message: Option<AccountMessage>) -> Result<Account, String> {
    let message = message.ok_or("no account in the record")?;
    let draft = AccountDraft {
        avatar: avatar_of(&message)?,
        tokens: message
            .tokens
            .into_iter()
            .map(token_of)
            .collect::<Result<_, _>>()?,
        kind: kind_of(message.kind)?,
        created_at: message.created_at.map(timestamp).transpose()?,
        ban: message.ban.map(ban_of).transpose()?,
        id: message.id,
        platform: message.platform,
        handle: message.handle,
        display_name: message.display_name,
        bio: message.bio,
        location: message.location,
        links: message.links,
    };
    draft.check().map_err(|rejection| rejection.to_string())
}

fn avatar_of(message: &AccountMessage) -> Result<Option<Avatar>, String> {
    if message.pdq.is_empty() {
        return Ok(None);
    }
    let pdq = message
        .pdq
        .as_slice()
        .try_into()
        .map_err(|_| "a picture hash that has not 32 bytes")?;
    let quality = u8::try_from(message.quality).map_err(|_| "a picture quality beyond 255")?;
    Ok(Some(Avatar { pdq, quality }))
}

fn token_of(message: TokenMessage) -> Result<Token, String> {
    let digest = message
        .digest
        .as_slice()
        .try_into()
        .map_err(|_| "a token that has not 16 bytes")?;
    Ok(Token {
        name: message.name,
        value: TokenValue::Keyed(digest),
    })
}

fn ban_of(message: BanMessage) -> Result<Ban, String> {
    Ok(Ban {
        reason: message.reason,
        network: message.network,
        source: message.source,
        banned_at: message.banned_at.map(timestamp).transpose()?,
        expires_at: message.expires_at.map(timestamp).transpose()?,
        descent: match message.parent.as_str() {
            "" => None,
            parent => Some(Descent {
                parent: AccountId::new(parent).map_err(|rejection| rejection.to_string())?,
                hops: u8::try_from(message.hops).map_err(|_| "a lineage of more than 255 steps")?,
            }),
        },
    })
}

pub(in crate::store) fn kind_of(number: u32) -> Result<Kind, String> {
    let kinds = [Kind::Account, Kind::Page, Kind::Group, Kind::Channel];
    kinds
        .into_iter()
        .find(|kind| *kind as u32 == number)
        .ok_or_else(|| format!("unknown kind {number}"))
}

pub(in crate::store) fn timestamp(seconds: i64) -> Result<Timestamp, String> {
    Timestamp::from_second(seconds).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account() -> impl Strategy<Value = Account> {
        let text = "[^\0]{0,40}";
        let parts = (
            "[a-z]{1,9}:[0-9]{1,9}",
            text,
            text,
            prop::collection::vec("[^\0]{0,20}", 0..4),
            any::<Option<[u8; 32]>>(),
        );
        parts.prop_map(|(id, handle, bio, links, pdq)| {
            let avatar = pdq.map(|pdq| Avatar { pdq, quality: 80 });
            let ban = Some(Ban {
                reason: bio.clone(),
                ..Ban::default()
            });
            let tokens = vec![Token {
                name: "device".into(),
                value: TokenValue::Keyed([7; 16]),
            }];
            AccountDraft {
                id,
                handle,
                bio,
                links,
                avatar,
                ban,
                tokens,
                ..AccountDraft::default()
            }
            .check()
            .unwrap()
        })
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(account in account(), lsn: u64) {
            prop_assert_eq!(EntryRecord::of_encoded(lsn.max(1), &EntryRecord::encoded(&account)), EntryRecord { lsn: lsn.max(1), account: account.clone() }.encode());
            let record = EntryRecord { lsn, account };
            prop_assert_eq!(EntryRecord::decode(&record.encode()), Ok(record));
        }

        #[test]
        fn no_bytes_make_decoding_panic(stored in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = EntryRecord::decode(&stored);
            let _ = SeenAccount::decode(&stored);
            let _ = ChangeRecord::decode(&stored);
            let _ = RemarkRecord::decode(&stored);
        }

        #[test]
        fn remarks_and_changes_decode_to_what_was_encoded(lsn: u64, number in 0usize..4, who in "[a-z]{1,9}", note in "[a-z]{0,9}", at in 0i64..4_000_000_000) {
            let answer = Answer::ALL.get(number).copied();
            let at = Timestamp::from_second(at).unwrap();
            let record = RemarkRecord { lsn, answer, remark: Remark::new(&who, &note, at).unwrap() };
            prop_assert_eq!(RemarkRecord::decode(&record.encode()), Ok(record));
            let changes = [
                ChangeRecord::Listed { id: who.clone(), is_withdrawal: number == 0 },
                ChangeRecord::Judged { probe: who.clone(), entry: note + "e", is_end: number == 0 },
                ChangeRecord::Protected { id: who, is_end: number == 0 },
            ];
            for change in changes {
                prop_assert_eq!(ChangeRecord::decode(&change.encode()), Ok(change));
            }
        }
    }
}

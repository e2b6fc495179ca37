//! What a platform tells us about one account, checked once at the door.
//!
//! An [`AccountDraft`] holds what was read; [`AccountDraft::check`] holds it against the contract's limits and yields
//! an [`Account`], which is read-only from then on: no later room checks a field again.
//! An empty text or list means that the platform did not tell; missing is no evidence either way.

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use jiff::Timestamp;

use crate::error::Rejection;

/// Longest account id, in bytes.
pub(crate) const ID_BYTES_MAX: usize = 256;
/// Longest platform word, in bytes.
pub(crate) const PLATFORM_BYTES_MAX: usize = 64;
/// Longest handle, display name or location, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 1 << 10;
/// Longest bio, in bytes.
pub(crate) const BIO_BYTES_MAX: usize = 64 << 10;
/// Most links of one account.
pub(crate) const LINKS_MAX: usize = 1_000;
/// Most tokens of one account.
pub(crate) const TOKENS_MAX: usize = 100;
/// Longest text of a ban (reason, network, source), in bytes.
pub(crate) const BAN_TEXT_BYTES_MAX: usize = 1 << 10;

/// Identifies an account; by custom `platform:native-id`. 1 to 256 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Box<str>);

impl AccountId {
    /// Takes `id` if it is 1 to 256 bytes without NUL.
    ///
    /// # Errors
    /// Names the limit that was passed.
    pub fn new(id: &str) -> Result<Self, Rejection> {
        if id.is_empty() {
            return Err(Rejection::new(
                "missing_field",
                "id",
                "every record needs an id of 1 to 256 bytes",
            ));
        }
        check_text("id", id, ID_BYTES_MAX)?;
        Ok(Self(id.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// What sort of thing carries the handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Kind {
    /// A person's or organisation's account.
    #[default]
    Account,
    /// A page.
    Page,
    /// A group.
    Group,
    /// A broadcast channel.
    Channel,
}

impl Kind {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Page => "page",
            Self::Group => "group",
            Self::Channel => "channel",
        }
    }
}

impl FromStr for Kind {
    type Err = Rejection;

    fn from_str(word: &str) -> Result<Self, Rejection> {
        match word {
            "" | "account" => Ok(Self::Account),
            "page" => Ok(Self::Page),
            "group" => Ok(Self::Group),
            "channel" => Ok(Self::Channel),
            _ => Err(Rejection::new(
                "invalid_value",
                "kind",
                "expected account, page, group or channel",
            )),
        }
    }
}

/// The perceptual hash of a profile picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Avatar {
    /// PDQ, 256 bits, most significant byte first as in its 64 hex digits.
    pub pdq: [u8; 32],
    /// PDQ's gradient quality, 0 to 100; below 50 the picture is too flat to be evidence.
    pub quality: u8,
}

/// The value of a platform's opaque identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TokenValue {
    /// As the platform passed it; never stored.
    Opaque(String),
    /// Its keyed hash, the only form that is kept.
    Keyed([u8; 16]),
}

/// An opaque identifier the platform chose to pass, such as a device or an e-mail hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token {
    /// What kind of identifier the platform says it is.
    pub name: String,
    /// Its value.
    pub value: TokenValue,
}

/// Why, when and by whom an entry was banned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ban {
    /// Reason in the source's words; may be empty.
    pub reason: String,
    /// Campaign or organisation label; may be empty.
    pub network: String,
    /// Who reported it; may be empty.
    pub source: String,
    /// When the ban took effect.
    pub banned_at: Option<Timestamp>,
    /// When the ban ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Of which entry a person judged it to be a return; `None` of an entry that was banned in its own right.
    pub descent: Option<Descent>,
}

/// Steps from an entry banned in its own right beyond which a return is not enrolled by judgment alone: an error made
/// once would otherwise be handed on without end.
pub(crate) const HOPS_MAX: u8 = 12;

/// Where in a lineage an entry stands that came by a judgment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descent {
    /// The entry it is a return of.
    pub parent: AccountId,
    /// Steps from the entry that was banned in its own right; 1 for its returns.
    pub hops: u8,
}

/// An account as read, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountDraft {
    /// The account's id.
    pub id: String,
    /// Platform word, lower case.
    pub platform: String,
    /// Account, page, group or channel.
    pub kind: Kind,
    /// The user name, without `@`.
    pub handle: String,
    /// The name shown.
    pub display_name: String,
    /// The profile text, HTML already stripped.
    pub bio: String,
    /// The place given.
    pub location: String,
    /// Links given in the profile's own fields.
    pub links: Vec<String>,
    /// The profile picture's hash.
    pub avatar: Option<Avatar>,
    /// Opaque identifiers.
    pub tokens: Vec<Token>,
    /// When the account was opened.
    pub created_at: Option<Timestamp>,
    /// The ban, for entries.
    pub ban: Option<Ban>,
}

impl AccountDraft {
    /// Checks every limit of the contract and tidies the handle (`@` and outer white space off).
    ///
    /// # Errors
    /// The first field that is past its limit or carries a NUL.
    pub fn check(mut self) -> Result<Account, Rejection> {
        let id = AccountId::new(&self.id)?;
        let is_before = |c: char| c == '@' || c.is_whitespace();
        self.handle = self.handle.trim().trim_start_matches(is_before).to_owned();
        self.platform = self.platform.trim().to_ascii_lowercase();
        check_text("platform", &self.platform, PLATFORM_BYTES_MAX)?;
        check_text("handle", &self.handle, NAME_BYTES_MAX)?;
        check_text("display_name", &self.display_name, NAME_BYTES_MAX)?;
        check_text("location", &self.location, NAME_BYTES_MAX)?;
        check_text("bio", &self.bio, BIO_BYTES_MAX)?;
        check_len("links", self.links.len(), LINKS_MAX)?;
        check_len("tokens", self.tokens.len(), TOKENS_MAX)?;
        for link in &self.links {
            check_nul("links", link)?;
        }
        if let Some(ban) = &self.ban {
            check_text("ban.reason", &ban.reason, BAN_TEXT_BYTES_MAX)?;
            check_text("ban.network", &ban.network, BAN_TEXT_BYTES_MAX)?;
            check_text("ban.source", &ban.source, BAN_TEXT_BYTES_MAX)?;
        }
        Ok(Account { id, fields: self })
    }
}

/// An account that keeps every limit of the contract. Read-only; fields are those of [`AccountDraft`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: AccountId,
    fields: AccountDraft,
}

impl Account {
    /// The checked id.
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// True when nothing but the id (and the ban) is known: such an entry is filled from what was seen of it.
    pub fn is_bare(&self) -> bool {
        self.handle.is_empty()
            && self.display_name.is_empty()
            && self.bio.is_empty()
            && self.links.is_empty()
            && self.avatar.is_none()
            && self.tokens.is_empty()
    }

    /// This account with every field it lacks taken from `earlier`; links and tokens are united.
    pub fn filled_from(&self, earlier: &Account) -> Account {
        let mut fields = self.fields.clone();
        fill(&mut fields.platform, &earlier.platform);
        fill(&mut fields.handle, &earlier.handle);
        fill(&mut fields.display_name, &earlier.display_name);
        fill(&mut fields.bio, &earlier.bio);
        fill(&mut fields.location, &earlier.location);
        fields.avatar = fields.avatar.or(earlier.avatar);
        fields.created_at = fields.created_at.or(earlier.created_at);
        fields.ban = fields.ban.or_else(|| earlier.ban.clone());
        if fields.kind == Kind::Account {
            fields.kind = earlier.kind;
        }
        unite(&mut fields.links, &earlier.links, LINKS_MAX);
        unite(&mut fields.tokens, &earlier.tokens, TOKENS_MAX);
        Account {
            id: self.id.clone(),
            fields,
        }
    }

    /// This account with its tokens replaced, as when they are keyed before storage.
    pub fn with_tokens(&self, tokens: Vec<Token>) -> Account {
        Account {
            id: self.id.clone(),
            fields: AccountDraft {
                tokens,
                ..self.fields.clone()
            },
        }
    }

    /// Takes the account apart again, to change it and check it anew.
    pub fn into_draft(self) -> AccountDraft {
        self.fields
    }
}

impl Deref for Account {
    type Target = AccountDraft;

    fn deref(&self) -> &AccountDraft {
        &self.fields
    }
}

fn fill(field: &mut String, earlier: &str) {
    if field.is_empty() {
        field.push_str(earlier);
    }
}

fn unite<T: Clone + Eq + std::hash::Hash>(values: &mut Vec<T>, earlier: &[T], len_max: usize) {
    let known: HashSet<T> = values.iter().cloned().collect();
    let missing = earlier
        .iter()
        .filter(|value| !known.contains(value))
        .cloned();
    let room = len_max.saturating_sub(values.len());
    values.extend(missing.take(room));
}

/// Turns down a text of more than `bytes_max` bytes or with a NUL.
pub(crate) fn check_text(field: &str, text: &str, bytes_max: usize) -> Result<(), Rejection> {
    if text.len() > bytes_max {
        let reason = format!("{} bytes, the limit is {bytes_max}", text.len());
        return Err(Rejection::new("too_long", field, reason));
    }
    check_nul(field, text)
}

fn check_nul(field: &str, text: &str) -> Result<(), Rejection> {
    if text.contains('\0') {
        return Err(Rejection::new(
            "nul_character",
            field,
            "a NUL (U+0000) is not allowed",
        ));
    }
    Ok(())
}

fn check_len(field: &str, len: usize, len_max: usize) -> Result<(), Rejection> {
    if len > len_max {
        return Err(Rejection::new(
            "too_many",
            field,
            format!("{len} items, the limit is {len_max}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> AccountDraft {
        AccountDraft {
            id: "x:1".into(),
            ..AccountDraft::default()
        }
    }

    #[track_caller]
    fn check(draft: AccountDraft, code: &str, field: &str) {
        let rejection = draft.check().unwrap_err();
        assert_eq!((rejection.code, rejection.field.as_str()), (code, field));
    }

    #[test]
    fn every_limit_names_its_field() {
        check(AccountDraft::default(), "missing_field", "id");
        check(
            AccountDraft {
                id: "a".repeat(257),
                ..draft()
            },
            "too_long",
            "id",
        );
        check(
            AccountDraft {
                handle: "a".repeat(1025),
                ..draft()
            },
            "too_long",
            "handle",
        );
        check(
            AccountDraft {
                display_name: "a".repeat(1025),
                ..draft()
            },
            "too_long",
            "display_name",
        );
        check(
            AccountDraft {
                bio: "a".repeat(65_537),
                ..draft()
            },
            "too_long",
            "bio",
        );
        check(
            AccountDraft {
                links: vec![String::new(); 1001],
                ..draft()
            },
            "too_many",
            "links",
        );
        check(
            AccountDraft {
                bio: "a\0b".into(),
                ..draft()
            },
            "nul_character",
            "bio",
        );
        let token = Token {
            name: "device".into(),
            value: TokenValue::Opaque("1".into()),
        };
        check(
            AccountDraft {
                tokens: vec![token; 101],
                ..draft()
            },
            "too_many",
            "tokens",
        );
        let ban = Ban {
            reason: "r".repeat(1025),
            ..Ban::default()
        };
        check(
            AccountDraft {
                ban: Some(ban),
                ..draft()
            },
            "too_long",
            "ban.reason",
        );
    }

    #[test]
    fn limits_themselves_are_allowed() {
        let full = AccountDraft {
            id: "a".repeat(256),
            bio: "b".repeat(65_536),
            handle: "h".repeat(1024),
            ..draft()
        };
        assert!(full.check().is_ok());
    }

    #[test]
    fn the_at_sign_is_not_part_of_the_handle() {
        let account = AccountDraft {
            handle: " @sada_news ".into(),
            ..draft()
        }
        .check()
        .unwrap();
        assert_eq!(account.handle, "sada_news");
    }

    #[test]
    fn filling_keeps_what_is_there_and_adds_what_is_not() {
        let earlier = AccountDraft {
            handle: "old".into(),
            bio: "text".into(),
            links: vec!["a".into()],
            ..draft()
        };
        let later = AccountDraft {
            handle: "new".into(),
            links: vec!["b".into(), "a".into()],
            ..draft()
        };
        let filled = later
            .check()
            .unwrap()
            .filled_from(&earlier.check().unwrap());
        assert_eq!(
            (
                filled.handle.as_str(),
                filled.bio.as_str(),
                filled.links.len()
            ),
            ("new", "text", 2)
        );
    }
}

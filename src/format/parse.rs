//! From an unparsed body to a checked account.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::account::{
    Account, AccountDraft, AccountId, Avatar, Ban, Descent, HOPS_MAX, Kind, Token, TokenValue,
};
use crate::error::Rejection;
use crate::format::input::Body;
use crate::format::picture;
use crate::hash::Pdq;
use crate::normalize::html::text_and_links;
use crate::wire::{AccountRecord, AvatarRecord, BanRecord};

/// An account with the labels `evaluate` reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// The account.
    pub account: Account,
    /// The entry it re-creates; `None` for an ordinary account.
    pub mirror_of: Option<String>,
    /// How the mirror was made.
    pub tactic: Option<String>,
}

/// Parses bodies of one input.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    /// Where picture paths begin; `None` where records come from another machine, which has no files here.
    folder: Option<PathBuf>,
}

impl Parser {
    /// A parser whose picture paths are relative to `folder`.
    pub fn new(folder: PathBuf) -> Self {
        let folder = Some(folder);
        Self { folder }
    }

    /// A parser of records from another machine: a picture path is turned down.
    pub fn remote() -> Self {
        Self { folder: None }
    }

    /// The account in `body`. Reads the picture file where one is named.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn parse(&self, body: Body) -> Result<Labelled, Rejection> {
        let record = match body {
            Body::Columns(record) => *record,
            Body::Json(bytes) => json(&bytes)?,
        };
        self.labelled(record)
    }

    /// The account of a record already read.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn labelled(&self, record: AccountRecord) -> Result<Labelled, Rejection> {
        let (bio, bio_links) = text_and_links(record.bio.as_deref().unwrap_or_default());
        let mut links = record.links.unwrap_or_default();
        links.extend(bio_links);
        let draft = AccountDraft {
            id: record.id.unwrap_or_default(),
            platform: record.platform.unwrap_or_default(),
            kind: record.kind.as_deref().unwrap_or_default().parse::<Kind>()?,
            handle: record.handle.unwrap_or_default(),
            display_name: record.display_name.unwrap_or_default(),
            bio,
            location: record.location.unwrap_or_default(),
            links,
            avatar: record
                .avatar
                .map(|avatar| self.avatar(avatar))
                .transpose()?
                .flatten(),
            tokens: record.tokens.into_iter().flatten().map(token).collect(),
            created_at: time("created_at", record.created_at)?,
            ban: record.ban.map(ban).transpose()?,
        };
        Ok(Labelled {
            account: draft.check()?,
            mirror_of: record.mirror_of,
            tactic: record.tactic,
        })
    }

    fn avatar(&self, avatar: AvatarRecord) -> Result<Option<Avatar>, Rejection> {
        match (avatar.pdq, avatar.path, avatar.base64) {
            (Some(hex), None, None) => {
                let pdq = Pdq::from_hex(&hex).ok_or_else(|| {
                    Rejection::new("invalid_value", "avatar.pdq", "expected 64 hex digits")
                })?;
                // Without a word on quality the hash is taken for good, as in threatexchange's exchange files.
                let quality = avatar.quality.unwrap_or(100);
                if quality > 100 {
                    return Err(Rejection::new(
                        "invalid_value",
                        "avatar.quality",
                        "expected 0 to 100",
                    ));
                }
                Ok(Some(Avatar {
                    pdq: pdq.to_bytes(),
                    quality,
                }))
            }
            (None, Some(path), None) => match &self.folder {
                Some(folder) => picture::of_file(folder, Path::new(&path)).map(Some),
                None => {
                    let reason = "a path names a file of the sender: send pdq or base64";
                    Err(Rejection::new("invalid_value", "avatar.path", reason))
                }
            },
            (None, None, Some(base64)) => picture::of_base64(&base64).map(Some),
            (None, None, None) => Ok(None),
            _ => Err(Rejection::new(
                "invalid_value",
                "avatar",
                "give one of pdq, path or base64",
            )),
        }
    }
}

/// The record in the bytes of a JSON object.
pub(in crate::format) fn json<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, Rejection> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Rejection::new(
            "invalid_utf8",
            "record",
            format!("byte {} is not UTF-8", error.valid_up_to() + 1),
        )
    })?;
    // serde would take an array for the fields in their order.
    if text.trim_start().starts_with('[') {
        return Err(Rejection::new(
            "invalid_type",
            "record",
            "expected a JSON object",
        ));
    }
    // The path to a fault is followed only once there is one: following it costs as much as reading.
    match serde_json::from_str(text) {
        Ok(record) => Ok(record),
        Err(_) => json_with_path(text),
    }
}

/// [`json`] that can tell which field is wrong.
fn json_with_path<R: DeserializeOwned>(text: &str) -> Result<R, Rejection> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let record = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        // A record that ends too early is no field's fault; the path of what never got a name is `?`.
        let field = match path.trim_end_matches('?').trim_end_matches('.') {
            named if !inner.is_eof() && !named.is_empty() => named.to_owned(),
            _ => "record".to_owned(),
        };
        Rejection::new(code_of(&inner), field, reason_of(&inner))
    })?;
    deserializer
        .end()
        .map_err(|error| Rejection::new("invalid_json", "record", error.to_string()))?;
    Ok(record)
}

/// What serde_json says, less the value it met (profile text stays out of messages) and in a user's words.
fn reason_of(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let expected = message
        .split_once(", expected ")
        .map(|(_, rest)| format!("expected {rest}"));
    let plain = expected.unwrap_or(message);
    let words = [
        ("struct AvatarRecord", "an object"),
        ("struct BanRecord", "an object"),
        ("a map", "an object"),
        ("a sequence", "an array"),
        ("u8", "a number from 0 to 255"),
    ];
    words
        .iter()
        .fold(plain, |text, (rust, word)| text.replace(rust, word))
}

/// A stable word for what serde_json says.
fn code_of(error: &serde_json::Error) -> &'static str {
    let message = error.to_string();
    match error.classify() {
        serde_json::error::Category::Data => "invalid_type",
        _ if message.contains("recursion limit") => "too_deep",
        _ if message.contains("surrogate") || message.contains("unexpected end of hex escape") => {
            "lone_surrogate"
        }
        _ => "invalid_json",
    }
}

fn token((name, value): (String, String)) -> Token {
    Token {
        name,
        value: TokenValue::Opaque(value),
    }
}

fn ban(record: BanRecord) -> Result<Ban, Rejection> {
    Ok(Ban {
        reason: record.reason.unwrap_or_default(),
        network: record.network.unwrap_or_default(),
        source: record.source.unwrap_or_default(),
        banned_at: time("ban.banned_at", record.banned_at)?,
        expires_at: time("ban.expires_at", record.expires_at)?,
        descent: record
            .mirror_of
            .map(|parent| descent(&parent, record.hops))
            .transpose()?,
    })
}

fn descent(parent: &str, hops: Option<u8>) -> Result<Descent, Rejection> {
    let parent = AccountId::new(parent)
        .map_err(|rejection| Rejection::new(rejection.code, "ban.mirror_of", rejection.reason))?;
    let hops = hops.unwrap_or(1);
    if !(1..=HOPS_MAX).contains(&hops) {
        let reason = format!("{hops}, expected 1 to {HOPS_MAX}");
        return Err(Rejection::new("invalid_value", "ban.hops", reason));
    }
    Ok(Descent { parent, hops })
}

/// The moment of a field in RFC 3339.
pub(in crate::format) fn time(
    field: &str,
    text: Option<String>,
) -> Result<Option<Timestamp>, Rejection> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let parsed = text.parse::<Timestamp>();
    parsed.map(Some).map_err(|_| {
        Rejection::new(
            "invalid_value",
            field,
            "expected RFC 3339, as in 2026-11-22T05:20:00Z",
        )
    })
}

//! The record of an account as the contract has it, from a draft.
//!
//! The library writes records of checked accounts only; a bench has drafts, so that it can measure the check too.
//! A missing field is left out. Keyed tokens are left out as well: they mean nothing elsewhere.

use mirrorwatch::{AccountDraft, Kind, TokenValue};
use serde_json::{Map, Value, json};

/// The record of a draft, as the contract has it: one line of NDJSON once written.
pub(crate) fn ndjson(draft: &AccountDraft) -> Value {
    let mut record = Map::new();
    let texts = [
        ("id", &draft.id),
        ("platform", &draft.platform),
        ("handle", &draft.handle),
        ("display_name", &draft.display_name),
        ("bio", &draft.bio),
        ("location", &draft.location),
    ];
    for (field, text) in texts {
        if !text.is_empty() {
            record.insert(field.to_owned(), json!(text));
        }
    }
    if draft.kind != Kind::Account {
        record.insert("kind".to_owned(), json!(draft.kind.as_str()));
    }
    if !draft.links.is_empty() {
        record.insert("links".to_owned(), json!(draft.links));
    }
    if let Some(avatar) = draft.avatar {
        let value = json!({"pdq": hex(&avatar.pdq), "quality": avatar.quality});
        record.insert("avatar".to_owned(), value);
    }
    let tokens: Map<String, Value> = draft
        .tokens
        .iter()
        .filter_map(|token| match &token.value {
            TokenValue::Opaque(value) => Some((token.name.clone(), json!(value))),
            TokenValue::Keyed(_) => None,
        })
        .collect();
    if !tokens.is_empty() {
        record.insert("tokens".to_owned(), Value::Object(tokens));
    }
    if let Some(time) = draft.created_at {
        record.insert("created_at".to_owned(), json!(time.to_string()));
    }
    if let Some(ban) = &draft.ban {
        let mut value = json!({"reason": ban.reason, "network": ban.network, "source": ban.source});
        for (field, time) in [("banned_at", ban.banned_at), ("expires_at", ban.expires_at)] {
            if let (Some(time), Some(fields)) = (time, value.as_object_mut()) {
                fields.insert(field.to_owned(), json!(time.to_string()));
            }
        }
        record.insert("ban".to_owned(), value);
    }
    Value::Object(record)
}

/// Lower-case hex digits of a picture hash.
pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .filter_map(|nibble| DIGITS.get(usize::from(nibble)))
        .collect()
}

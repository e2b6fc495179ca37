//! Standard Webhooks 1.0 with an account record as data: for platforms that have no format of their own, and for the Auth0
//! sample in `scripts/hooks`.
//!
//! `{"type": "account.created", "timestamp": "...", "data": {record}}`; types are `account.created`, `updated`, `approved`,
//! `banned` and `unbanned`, also by the long names CloudEvents use. The answer names the action to take, which the sender may
//! heed or not.

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use crate::serve::hooks::adapter::{Adapter, Decision, Delivery, plain_answer};
use crate::serve::hooks::event::{AccountEvent, Happening};
use crate::serve::hooks::record::{account, read};
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::signature::standard;
use crate::wire::BanRecord;

/// Standard Webhooks.
pub(crate) struct Standard;

#[derive(Deserialize)]
struct Webhook {
    r#type: String,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    data: Value,
}

impl Adapter for Standard {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let secrets = delivery.source.secrets();
        let when = (delivery.now, delivery.source.tolerance_s);
        standard(delivery.headers, delivery.body, &secrets, when)
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        let webhook: Webhook = read(delivery.body)?;
        let Some(happening) = happening(&webhook.r#type) else {
            return Ok(None);
        };
        let mut event = event(delivery, happening, &webhook.data, None, webhook.timestamp)?;
        event.key = delivery.header("webhook-id").map(str::to_owned);
        Ok(Some(event))
    }

    fn answer(&self, _delivery: &Delivery<'_>, decision: &Decision) -> Response {
        plain_answer(decision)
    }
}

/// What a type of event says happened; none for types that are not ours.
pub(crate) fn happening(kind: &str) -> Option<Happening> {
    let long = kind
        .strip_prefix("org.mirrorwatch.")
        .and_then(|kind| kind.strip_suffix(".v1"));
    match long.unwrap_or(kind) {
        "account.created" => Some(Happening::Created),
        "account.updated" => Some(Happening::Updated),
        "account.approved" => Some(Happening::Approved),
        "account.banned" => Some(Happening::Banned),
        "account.unbanned" => Some(Happening::Unbanned),
        _ => None,
    }
}

/// The event of an account record; `subject` is its id where it has none, `time` that of a ban that tells none.
///
/// # Errors
/// The record is not one of the contract.
pub(crate) fn event(
    delivery: &Delivery<'_>,
    happening: Happening,
    data: &Value,
    subject: Option<&str>,
    time: Option<String>,
) -> Result<AccountEvent, Refusal> {
    let told = account(data, subject)?;
    let mut record = told.record;
    let ban = record.ban.take().unwrap_or_default();
    let event = AccountEvent {
        picture: told.picture,
        ..AccountEvent::of(happening, record)
    };
    Ok(match happening {
        Happening::Banned => event.banned(BanRecord {
            source: ban.source.or_else(|| Some(delivery.source.name.clone())),
            banned_at: ban.banned_at.or(time),
            ..ban
        }),
        _ => event,
    })
}

//! Firebase Authentication's blocking functions: asks before an account is kept and before each sign-in.
//!
//! The request is one token, `{"data": {"jwt": "..."}}`, signed by Google; the emulator signs nothing, which is believed only
//! where the source says so. A refusal is 403 with `PERMISSION_DENIED`. Nothing is written into custom claims: the person could
//! read them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::serve::hooks::adapter::{Adapter, Decision, Delivery};
use crate::serve::hooks::event::{AccountEvent, Happening, told};
use crate::serve::hooks::jwt::claims;
use crate::serve::hooks::profile::tokens;
use crate::serve::hooks::record::read;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::settings::{Action, FirebaseTrust};
use crate::wire::AccountRecord;

/// Who Firebase says it is, before the project's id.
const ISSUER: &str = "https://securetoken.google.com/";

/// Firebase Authentication.
pub(crate) struct Firebase;

#[derive(Deserialize)]
struct Call {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    jwt: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(default)]
    event_id: Option<String>,
    event_type: String,
    #[serde(default)]
    ip_address: Option<String>,
    #[serde(default)]
    user_record: Option<UserRecord>,
}

#[derive(Deserialize)]
struct UserRecord {
    uid: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    photo_url: Option<String>,
    #[serde(default)]
    phone_number: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    /// Milliseconds since 1970, as a number or a text.
    #[serde(default)]
    creation_time: Value,
}

impl Adapter for Firebase {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        proven(delivery).map(|_| ())
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        let claims = proven(delivery)?;
        let happening = match claims.event_type.as_str() {
            kind if kind.contains("beforeCreate") => Happening::Created,
            kind if kind.contains("beforeSignIn") => Happening::Updated,
            _ => return Ok(None),
        };
        let Some(user) = claims.user_record else {
            return Err(Refusal::malformed("user_record", "expected the user"));
        };
        let created = user
            .metadata
            .and_then(|metadata| millis(&metadata.creation_time));
        let (email, phone) = (user.email.as_deref(), user.phone_number.as_deref());
        let record = AccountRecord {
            id: Some(delivery.source.id(&user.uid)),
            platform: Some(delivery.source.prefix().to_owned()),
            display_name: told(user.display_name),
            tokens: tokens(email, phone, claims.ip_address.as_deref()),
            created_at: created.map(|time| time.to_string()),
            ..AccountRecord::default()
        };
        Ok(Some(AccountEvent {
            key: claims
                .event_id
                .map(|id| format!("{}\n{id}", claims.event_type)),
            picture: told(user.photo_url),
            ..AccountEvent::of(happening, record)
        }))
    }

    fn is_asked(&self, _delivery: &Delivery<'_>) -> bool {
        true
    }

    fn answer(&self, delivery: &Delivery<'_>, decision: &Decision) -> Response {
        if decision.action != Action::Deny {
            return Json(json!({})).into_response();
        }
        let text = &delivery.source.refusal_text;
        let body = Json(json!({"error": {"message": text, "status": "PERMISSION_DENIED"}}));
        (StatusCode::FORBIDDEN, body).into_response()
    }
}

/// The claims of a token that is signed, meant for us, and of now.
fn proven(delivery: &Delivery<'_>) -> Result<Claims, Refusal> {
    let untrusted = Refusal::Unproven("no keys are configured for this source");
    let trust: &FirebaseTrust = delivery.source.firebase.as_ref().ok_or(untrusted)?;
    let call: Call = read(delivery.body)?;
    let keys = trust.trusted_keys.load();
    if keys.is_empty() && !trust.allow_unsigned {
        return Err(Refusal::NoKeysYet);
    }
    let claims = claims(&call.data.jwt, &keys, trust.allow_unsigned)?;
    let wrong = |_| Refusal::Unproven("the token lacks claims that Firebase makes");
    let claims: Claims = serde_json::from_value(claims).map_err(wrong)?;
    if claims.iss.strip_prefix(ISSUER) != Some(trust.project.as_str()) {
        return Err(Refusal::Unproven("the token is of another project"));
    }
    if claims.aud != trust.audience {
        return Err(Refusal::Unproven("the token is meant for another address"));
    }
    let slack = i64::from(delivery.source.tolerance_s);
    let is_now = claims.iat <= delivery.now.saturating_add(slack)
        && claims.exp.saturating_add(slack) > delivery.now;
    match is_now {
        true => Ok(claims),
        false => Err(Refusal::Unproven("the token is not of this time")),
    }
}

fn millis(time: &Value) -> Option<jiff::Timestamp> {
    let number = time.as_i64().or_else(|| time.as_str()?.parse().ok())?;
    jiff::Timestamp::from_millisecond(number).ok()
}

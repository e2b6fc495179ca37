//! Supabase Auth's `before-user-created` hook (asks, and can be told to refuse) and `after-user-created` (only tells).
//!
//! Signed as Standard Webhooks have it, with several signatures parted by commas. A refusal is 200 with an `error` in the
//! body: 400, which the documentation shows, is taken for a broken hook (supabase/auth#2235). The id of a webhook is new for
//! each attempt; what stays is `metadata.uuid`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::serve::hooks::adapter::{Adapter, Decision, Delivery};
use crate::serve::hooks::event::{AccountEvent, Happening, told};
use crate::serve::hooks::profile::Profile;
use crate::serve::hooks::record::read;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::settings::Action;
use crate::serve::hooks::signature::standard;
use crate::wire::AccountRecord;

/// Supabase Auth.
pub(crate) struct Supabase;

#[derive(Deserialize)]
struct Hook {
    metadata: Metadata,
    user: User,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    uuid: Option<String>,
    name: String,
    #[serde(default)]
    ip_address: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    user_metadata: Option<Value>,
    #[serde(default)]
    created_at: Option<String>,
}

impl Adapter for Supabase {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let secrets = delivery.source.secrets();
        let when = (delivery.now, delivery.source.tolerance_s);
        standard(delivery.headers, delivery.body, &secrets, when)
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        let Hook { metadata, user } = read(delivery.body)?;
        if !matches!(
            metadata.name.as_str(),
            "before-user-created" | "after-user-created"
        ) {
            return Ok(None);
        }
        let mut profile = Profile::of(user.user_metadata.as_ref(), None);
        // What was proven, and not what the person wrote beside it.
        (profile.email, profile.phone) = (told(user.email), told(user.phone));
        let picture = profile.picture.take();
        let record = AccountRecord {
            // Before it is kept a user has Go's zero time here.
            created_at: told(user.created_at).filter(|time| !time.starts_with("0001-")),
            ..profile.record(delivery.source, &user.id, metadata.ip_address.as_deref())
        };
        Ok(Some(AccountEvent {
            key: metadata
                .uuid
                .map(|uuid| format!("{}\n{uuid}", metadata.name)),
            picture,
            ..AccountEvent::of(Happening::Created, record)
        }))
    }

    fn is_asked(&self, delivery: &Delivery<'_>) -> bool {
        let hook = read::<Hook>(delivery.body);
        hook.is_ok_and(|hook| hook.metadata.name == "before-user-created")
    }

    fn answer(&self, delivery: &Delivery<'_>, decision: &Decision) -> Response {
        let is_refused = decision.action == Action::Deny && self.is_asked(delivery);
        let body = match is_refused {
            true => json!({"error": {"http_code": 403, "message": delivery.source.refusal_text}}),
            false => json!({}),
        };
        Json(body).into_response()
    }
}

//! Matrix Synapse: our own module (`scripts/synapse_mirrorwatch.py`), which asks before a registration and tells of profile
//! changes, and the callbacks of synapse-http-antispam, which offers no registration check.
//!
//! The module is answered `{"behaviour": "allow" | "deny" | "shadow_ban"}`; antispam takes any 2xx for "go on" and anything else
//! for a refusal whose body it hands to the client. Profile pictures are `mxc://` and need the server's leave: not fetched.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::serve::hooks::adapter::{Adapter, Decision, Delivery};
use crate::serve::hooks::event::{AccountEvent, Happening, told};
use crate::serve::hooks::profile::tokens;
use crate::serve::hooks::record::read;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::settings::Action;
use crate::serve::hooks::signature::bearer;
use crate::wire::AccountRecord;

/// Callbacks of synapse-http-antispam besides the two that are read: let through unread.
const UNREAD: [&str; 12] = [
    "user_may_join_room",
    "user_may_invite",
    "user_may_send_3pid_invite",
    "user_may_create_room",
    "user_may_create_room_alias",
    "user_may_publish_room",
    "federated_user_may_invite",
    "check_username_for_spam",
    "check_registration_for_spam",
    "check_media_file_for_spam",
    "should_drop_federated_event",
    "accept_make_join",
];

/// Matrix Synapse.
pub(crate) struct Synapse;

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    server_name: Option<String>,
    #[serde(default)]
    email_threepid: Option<Threepid>,
    #[serde(default)]
    request_info: Vec<(Option<String>, Option<String>)>,
    #[serde(default)]
    event_id: Option<String>,
}

#[derive(Deserialize)]
struct Threepid {
    #[serde(default)]
    address: Option<String>,
}

#[derive(Deserialize)]
struct ProfileUpdate {
    user_id: String,
    #[serde(default)]
    displayname: Option<String>,
    #[serde(default)]
    deactivation: bool,
    #[serde(default)]
    event_id: Option<String>,
}

#[derive(Deserialize)]
struct Login {
    user_id: String,
    #[serde(default)]
    request_info: Vec<(Option<String>, Option<String>)>,
}

#[derive(Deserialize)]
struct RoomEvent {
    event: Value,
}

#[derive(Deserialize)]
struct Ping {
    #[serde(default)]
    id: Value,
}

impl Adapter for Synapse {
    fn serves(&self, callback: &str) -> bool {
        let read = [
            "ping",
            "check_registration",
            "profile_update",
            "check_login_for_spam",
            "check_event_for_spam",
        ];
        read.contains(&callback) || UNREAD.contains(&callback)
    }

    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        bearer(delivery.headers, &delivery.source.secrets())
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        match delivery.callback {
            "check_registration" => registration(delivery),
            "profile_update" => profile_update(delivery),
            "check_login_for_spam" => login(delivery).map(Some),
            "check_event_for_spam" => membership(delivery),
            _ => Ok(None),
        }
    }

    fn is_asked(&self, delivery: &Delivery<'_>) -> bool {
        delivery.callback.starts_with("check_")
    }

    fn answer(&self, delivery: &Delivery<'_>, decision: &Decision) -> Response {
        match delivery.callback {
            "ping" => {
                let ping = read::<Ping>(delivery.body).map(|ping| ping.id);
                Json(json!({"id": ping.unwrap_or_default(), "status": "ok"})).into_response()
            }
            "check_registration" => {
                let behaviour = match decision.action {
                    Action::Allow | Action::Flag => "allow",
                    Action::ShadowBan => "shadow_ban",
                    Action::Deny => "deny",
                };
                Json(json!({"behaviour": behaviour})).into_response()
            }
            "check_login_for_spam" | "check_event_for_spam" if decision.action == Action::Deny => {
                let text = &delivery.source.refusal_text;
                let body = Json(json!({"errcode": "M_FORBIDDEN", "error": text}));
                (StatusCode::FORBIDDEN, body).into_response()
            }
            _ => Json(json!({})).into_response(),
        }
    }
}

/// None where Synapse makes up the name itself: nothing is known of such an account yet.
fn registration(delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
    let asked: Registration = read(delivery.body)?;
    let Some(username) = told(asked.username) else {
        return Ok(None);
    };
    let domain = asked.server_name.or_else(|| delivery.source.domain.clone());
    let Some(domain) = told(domain) else {
        let reason = "send it, or set the source's `domain`: ids end in it";
        return Err(Refusal::malformed("server_name", reason));
    };
    let email = asked.email_threepid.and_then(|email| email.address);
    let record = AccountRecord {
        tokens: tokens(email.as_deref(), None, newest(&asked.request_info)),
        ..user(delivery, &format!("@{username}:{domain}"))
    };
    Ok(Some(AccountEvent {
        key: asked.event_id,
        ..AccountEvent::of(Happening::Created, record)
    }))
}

/// Deactivation blanks a profile; it is no news of the person's.
fn profile_update(delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
    let update: ProfileUpdate = read(delivery.body)?;
    if update.deactivation {
        return Ok(None);
    }
    let record = AccountRecord {
        display_name: told(update.displayname),
        ..user(delivery, &update.user_id)
    };
    Ok(Some(AccountEvent {
        key: update.event_id,
        ..AccountEvent::of(Happening::Updated, record)
    }))
}

fn login(delivery: &Delivery<'_>) -> Result<AccountEvent, Refusal> {
    let login: Login = read(delivery.body)?;
    let record = AccountRecord {
        tokens: tokens(None, None, newest(&login.request_info)),
        ..user(delivery, &login.user_id)
    };
    Ok(AccountEvent::of(Happening::Updated, record))
}

/// A join carries the name the person is seen under in that room. Other events are no account's news.
fn membership(delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
    let RoomEvent { event } = read(delivery.body)?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let content = event.get("content");
    let is_join = event.get("type").and_then(Value::as_str) == Some("m.room.member")
        && content.and_then(|content| content.get("membership")?.as_str()) == Some("join");
    let (true, Some(user_id)) = (is_join, text(event.get("state_key"))) else {
        return Ok(None);
    };
    let record = AccountRecord {
        display_name: told(text(content.and_then(|content| content.get("displayname")))),
        ..user(delivery, &user_id)
    };
    Ok(Some(AccountEvent::of(Happening::Updated, record)))
}

/// What a Matrix id says by itself: `@localpart:server`.
fn user(delivery: &Delivery<'_>, user_id: &str) -> AccountRecord {
    let local = user_id.trim_start_matches('@').split(':').next();
    AccountRecord {
        id: Some(delivery.source.id(user_id)),
        platform: Some("matrix".to_owned()),
        handle: told(local.map(str::to_owned)),
        ..AccountRecord::default()
    }
}

/// The address last used: `request_info` is pairs of user agent and address, oldest first.
fn newest(request_info: &[(Option<String>, Option<String>)]) -> Option<&str> {
    request_info
        .last()
        .and_then(|(_, address)| address.as_deref())
}

//! Discourse's user webhooks. Nothing can be refused here.
//!
//! Its signature holds for the body alone, and what happened stands in a header. So a ban is believed where the body says until
//! when it lasts, its end where the body says no such thing, and a body is known again whatever number its header gives it.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::serve::hooks::adapter::{Adapter, Delivery};
use crate::serve::hooks::event::{AccountEvent, Happening, told};
use crate::serve::hooks::profile::tokens;
use crate::serve::hooks::record::read;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::signature::hub;
use crate::wire::{AccountRecord, BanRecord};

/// Side of the picture asked for, in pixels: one of the sizes Discourse keeps ready, enough for a perceptual hash.
const PICTURE_SIDE: &str = "240";

/// Discourse's user webhooks.
pub(crate) struct Discourse;

#[derive(Deserialize)]
struct Webhook {
    #[serde(default)]
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    id: i64,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    avatar_template: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    website: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    bio_raw: Option<String>,
    #[serde(default)]
    suspend_reason: Option<String>,
    #[serde(default)]
    suspended_till: Option<String>,
}

impl Adapter for Discourse {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let secrets = delivery.source.secrets();
        let header = "x-discourse-event-signature";
        hub(delivery.headers, header, delivery.body, &secrets)
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        let happening = match delivery.header("x-discourse-event") {
            Some("user_created") => Happening::Created,
            Some("user_approved") => Happening::Approved,
            Some("user_updated" | "user_confirmed_email") => Happening::Updated,
            Some("user_suspended") => Happening::Banned,
            Some("user_unsuspended") => Happening::Unbanned,
            _ => return Ok(None),
        };
        let webhook: Webhook = read(delivery.body)?;
        let Some(user) = webhook.user else {
            return Err(Refusal::malformed("user", "expected the user"));
        };
        let base = delivery.header("x-discourse-instance").unwrap_or_default();
        let picture = user.picture(base);
        let is_suspended = user.is_suspended(delivery.now);
        match happening {
            Happening::Banned if !is_suspended => {
                let reason = "expected until when the user is suspended";
                return Err(Refusal::malformed("user.suspended_till", reason));
            }
            Happening::Unbanned if is_suspended => {
                let reason = "the user is suspended still";
                return Err(Refusal::malformed("user.suspended_till", reason));
            }
            _ => {}
        }
        let ban = user.ban(delivery);
        let mut event = AccountEvent {
            picture,
            ..AccountEvent::of(happening, user.record(delivery))
        };
        if happening == Happening::Banned {
            event = event.banned(ban);
        }
        // The end of one suspension looks like that of another: only the number tells them apart, which is its instance's own.
        let number = delivery.header("x-discourse-event-id");
        let number = number.filter(|_| happening == Happening::Unbanned);
        let number = number.map(|number| format!("{base}\n{number}"));
        let body = Sha256::digest(delivery.body);
        event.key = Some(format!("{happening:?}\n{body:x?}\n{number:?}"));
        Ok(Some(event))
    }
}

impl User {
    fn record(self, delivery: &Delivery<'_>) -> AccountRecord {
        AccountRecord {
            id: Some(delivery.source.id(&self.id.to_string())),
            platform: Some("discourse".to_owned()),
            handle: told(self.username),
            display_name: told(self.name),
            bio: told(self.bio_raw),
            location: told(self.location),
            links: told(self.website).map(|website| vec![website]),
            tokens: tokens(self.email.as_deref(), None, None),
            created_at: self.created_at,
            ..AccountRecord::default()
        }
    }

    fn is_suspended(&self, now: i64) -> bool {
        let till = self.suspended_till.as_deref().unwrap_or_default();
        let till = till.parse::<jiff::Timestamp>();
        till.is_ok_and(|till| till.as_second() > now)
    }

    /// Suspensions end; one "forever" ends in some hundred years, which is as good as never.
    fn ban(&self, delivery: &Delivery<'_>) -> BanRecord {
        BanRecord {
            reason: told(self.suspend_reason.clone()),
            source: Some(delivery.source.name.clone()),
            expires_at: told(self.suspended_till.clone()),
            ..BanRecord::default()
        }
    }

    /// The template's address at one size. Letter avatars are drawn from the name and are no picture of the person's.
    fn picture(&self, base: &str) -> Option<String> {
        let template = told(self.avatar_template.clone())?;
        if template.contains("letter_avatar") {
            return None;
        }
        let path = template.replace("{size}", PICTURE_SIDE);
        match path.strip_prefix("//") {
            Some(rest) => Some(format!("https://{rest}")),
            None if path.starts_with('/') => Some(format!("{}{path}", base.trim_end_matches('/'))),
            None => Some(path),
        }
    }
}

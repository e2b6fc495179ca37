//! Mastodon's admin webhooks: sign-ups, approvals, profile changes and suspensions of local accounts.
//!
//! Nothing can be refused here: Mastodon tells, and does not ask. It sends no delivery id, so a repeat is known by its bytes.
//! A suspended account comes with its profile blanked; what is blank is left out, and filled from what was seen before.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::normalize::html::text_and_links;
use crate::serve::hooks::adapter::{Adapter, Delivery};
use crate::serve::hooks::event::{AccountEvent, Happening, told};
use crate::serve::hooks::profile::tokens;
use crate::serve::hooks::record::read;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::signature::hub;
use crate::wire::{AccountRecord, BanRecord};

/// Mastodon's admin webhooks.
pub(crate) struct Mastodon;

#[derive(Deserialize)]
struct Webhook {
    event: String,
    #[serde(default)]
    created_at: Option<String>,
    /// Reports and posts have other objects, which are not read.
    #[serde(default)]
    object: serde_json::Value,
}

/// `Admin::Account`.
#[derive(Deserialize)]
struct AdminAccount {
    id: String,
    username: String,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    ip: Option<serde_json::Value>,
    #[serde(default)]
    suspended: bool,
    account: Option<Profile>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Profile {
    display_name: Option<String>,
    note: Option<String>,
    avatar: Option<String>,
    avatar_static: Option<String>,
    group: bool,
    fields: Vec<Field>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Field {
    name: String,
    value: String,
}

impl Adapter for Mastodon {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let secrets = delivery.source.secrets();
        hub(delivery.headers, "x-hub-signature", delivery.body, &secrets)
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        let webhook: Webhook = read(delivery.body)?;
        let happening = match webhook.event.as_str() {
            "account.created" => Happening::Created,
            "account.approved" => Happening::Approved,
            "account.updated" => Happening::Updated,
            _ => return Ok(None),
        };
        let object = webhook.object.to_string();
        let account: AdminAccount =
            read(object.as_bytes()).map_err(|wrong| wrong.within("object"))?;
        let suspended = account.suspended;
        let mut event = account.event(delivery, happening);
        // Mastodon has no event for the end of a suspension: the account comes updated, and is not suspended.
        // A delivery is repeated as it was made, so it tells of that time and not of now.
        let made_at = webhook.created_at.as_deref();
        event.stands_at = made_at
            .filter(|_| !suspended)
            .and_then(|at| at.parse().ok());
        if suspended {
            event = event.banned(BanRecord {
                source: Some(delivery.source.name.clone()),
                banned_at: webhook.created_at,
                ..BanRecord::default()
            });
        }
        event.key = Some(format!("{:x?}", Sha256::digest(delivery.body)));
        Ok(Some(event))
    }
}

impl AdminAccount {
    fn event(self, delivery: &Delivery<'_>, happening: Happening) -> AccountEvent {
        let profile = self.account.unwrap_or_default();
        let handle = match &self.domain {
            Some(domain) => format!("{}@{domain}", self.username),
            None => self.username,
        };
        let address = self.ip.as_ref().and_then(address);
        let (bio, links) = profile.texts();
        let record = AccountRecord {
            id: Some(delivery.source.id(&self.id)),
            platform: Some("mastodon".to_owned()),
            kind: profile.group.then(|| "group".to_owned()),
            handle: told(Some(handle)),
            display_name: told(profile.display_name.clone()),
            bio: told(Some(bio)),
            links: (!links.is_empty()).then_some(links),
            tokens: tokens(self.email.as_deref(), None, address.as_deref()),
            created_at: self.created_at,
            ..AccountRecord::default()
        };
        AccountEvent {
            picture: profile.picture(),
            ..AccountEvent::of(happening, record)
        }
    }
}

impl Profile {
    /// The bio, and the links of the profile's fields. A field without a link says something in words, so it joins the bio.
    fn texts(&self) -> (String, Vec<String>) {
        let mut bio = self.note.clone().unwrap_or_default();
        let mut links = Vec::new();
        for field in &self.fields {
            let (text, targets) = text_and_links(&field.value);
            match targets.is_empty() {
                true if text.trim().is_empty() => {}
                true => {
                    let name = &field.name;
                    bio.push_str(&format!("<p>{}: {}</p>", escaped(name), field.value));
                }
                false => links.extend(targets),
            }
        }
        (bio, links)
    }

    /// Mastodon shows `missing.png` where there is no picture; many thousands share it and it tells nothing. The still
    /// picture of an animated one is taken, since it is smaller.
    fn picture(&self) -> Option<String> {
        let both = [&self.avatar_static, &self.avatar].into_iter().flatten();
        let mut named = both.filter(|url| !url.trim().is_empty() && !is_missing(url));
        named.next().cloned()
    }
}

fn is_missing(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.ends_with("/missing.png") || path.ends_with("/missing.webp")
}

/// A string; older versions send `{user_id, ip, used_at}`.
fn address(ip: &serde_json::Value) -> Option<String> {
    let text = ip.as_str().or_else(|| ip.get("ip")?.as_str());
    text.map(str::to_owned)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

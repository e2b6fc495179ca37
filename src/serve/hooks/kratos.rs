//! Ory Kratos `web_hook` with `response.parse: true`: asks before an identity is kept, and can be told to refuse.
//!
//! The body is what `scripts/hooks/kratos.jsonnet` makes of a registration. Kratos signs nothing: the secret comes as
//! `Authorization: Bearer` or in `X-Api-Key`, whichever header its `api_key` names. A refusal is 422 with a message at the field,
//! never 5xx, which Kratos would repeat.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::serve::hooks::adapter::{Adapter, Decision, Delivery};
use crate::serve::hooks::event::{AccountEvent, Happening, told};
use crate::serve::hooks::profile::Profile;
use crate::serve::hooks::record::read;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::settings::Action;
use crate::serve::hooks::signature::{api_key, bearer};

/// Number of our message; Kratos keeps 4000000 and up for validation errors, and asks for nothing else.
const MESSAGE_ID: u32 = 4_900_001;
/// What an identity has for an id before it is kept.
const NIL_ID: &str = "00000000-0000-0000-0000-000000000000";

/// Ory Kratos.
pub(crate) struct Kratos;

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    identity_id: Option<String>,
    #[serde(default)]
    traits: Option<Value>,
    #[serde(default)]
    transient: Option<Value>,
    #[serde(default)]
    flow_id: Option<String>,
    #[serde(default)]
    flow_type: Option<String>,
    #[serde(default)]
    client_ip: Option<String>,
}

impl Adapter for Kratos {
    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        let secrets = delivery.source.secrets();
        match delivery.headers.contains_key(header::AUTHORIZATION) {
            true => bearer(delivery.headers, &secrets),
            false => api_key(delivery.headers, "x-api-key", &secrets),
        }
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        let told_of: Registration = read(delivery.body)?;
        let own = told(told_of.identity_id).filter(|id| id != NIL_ID);
        // Before it is kept an identity may have no id yet; then the flow names it.
        let flow = told(told_of.flow_id).map(|flow| format!("flow:{flow}"));
        let Some(native) = own.or(flow) else {
            let reason = "expected the identity's id or the flow's";
            return Err(Refusal::malformed("identity_id", reason));
        };
        if !told_of.traits.as_ref().is_some_and(Value::is_object) {
            return Err(Refusal::malformed(
                "traits",
                "expected the identity's traits",
            ));
        }
        let mut profile = Profile::of(told_of.traits.as_ref(), told_of.transient.as_ref());
        let picture = profile.picture.take();
        let record = profile.record(delivery.source, &native, told_of.client_ip.as_deref());
        let happening = match told_of.flow_type.as_deref() {
            Some("settings" | "login") => Happening::Updated,
            _ => Happening::Created,
        };
        let key = delivery.header("ory-webhook-trigger-id");
        Ok(Some(AccountEvent {
            key: key.map(str::to_owned),
            picture,
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
        let message = json!({
            "id": MESSAGE_ID,
            "text": delivery.source.refusal_text,
            "type": "error",
            "context": {},
        });
        let at_field = json!({"instance_ptr": pointer(delivery.body), "messages": [message]});
        let body = Json(json!({"messages": [at_field]}));
        (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
    }
}

/// The field the message stands at: the trait that holds the handle.
fn pointer(body: &[u8]) -> String {
    let traits = read::<Registration>(body).ok().and_then(|body| body.traits);
    let handle = Profile::of(traits.as_ref(), None).handle;
    handle.map_or("#/".to_owned(), |(name, _)| format!("#/traits/{name}"))
}

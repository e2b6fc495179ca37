//! CloudEvents 1.0 over HTTP with an account record as data: structured, binary and in batches, and the `OPTIONS` handshake
//! of its webhook companion.
//!
//! Types are `org.mirrorwatch.account.{created,updated,approved,banned,unbanned}.v1`; others are taken and let go. The sender
//! proves itself by `Authorization: Bearer`, as the companion has it. Source and id together are unique, so repeats are known.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::serve::hooks::adapter::{Adapter, Decision, Delivery, Told, plain_answer};
use crate::serve::hooks::event::AccountEvent;
use crate::serve::hooks::record::read;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::signature::bearer;
use crate::serve::hooks::standard::{event, happening};
use crate::serve::problem::Problem;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";
/// Of data in binary mode.
const PLAIN: &str = "application/json";

/// CloudEvents.
pub(crate) struct CloudEvents;

/// An event's attributes and data.
#[derive(Deserialize)]
struct Envelope {
    id: String,
    source: String,
    specversion: String,
    r#type: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    data_base64: Option<String>,
}

impl Adapter for CloudEvents {
    fn media_types(&self) -> &'static [&'static str] {
        &[STRUCTURED, BATCH, PLAIN]
    }

    fn verify(&self, delivery: &Delivery<'_>) -> Result<(), Refusal> {
        bearer(delivery.headers, &delivery.source.secrets())
    }

    fn event(&self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        let envelope = match media_type(delivery.headers).as_str() {
            STRUCTURED => read(delivery.body)?,
            _ => binary(delivery)?,
        };
        envelope.event(delivery)
    }

    /// Elements of a batch are read one by one, so that one that cannot be read costs only itself.
    fn events(&self, delivery: &Delivery<'_>) -> Result<Told, Refusal> {
        if media_type(delivery.headers) != BATCH {
            return Ok(vec![Ok(self.event(delivery)?)]);
        }
        let elements: Vec<&RawValue> = serde_json::from_slice(delivery.body)
            .map_err(|_| Refusal::malformed("body", "expected one JSON array in UTF-8"))?;
        let told = |element: &&RawValue| {
            let envelope: Envelope = read(element.get().as_bytes())?;
            envelope.event(delivery)
        };
        Ok(elements.iter().map(told).collect())
    }

    fn answer(&self, _delivery: &Delivery<'_>, decision: &Decision) -> Response {
        plain_answer(decision)
    }
}

impl Envelope {
    fn event(self, delivery: &Delivery<'_>) -> Result<Option<AccountEvent>, Refusal> {
        if self.specversion != "1.0" {
            return Err(Refusal::malformed("specversion", "expected 1.0"));
        }
        if self.id.is_empty() || self.source.is_empty() {
            return Err(Refusal::malformed("id", "expected an id and a source"));
        }
        let Some(happening) = happening(&self.r#type) else {
            return Ok(None);
        };
        let data = match &self.data_base64 {
            Some(encoded) => {
                let wrong = |_| Refusal::malformed("data_base64", "expected base64");
                read(&STANDARD.decode(encoded).map_err(wrong)?)?
            }
            None => self.data,
        };
        let subject = self.subject.as_deref();
        let mut event = event(delivery, happening, &data, subject, self.time)?;
        event.key = Some(format!("{}\n{}", self.source, self.id));
        Ok(Some(event))
    }
}

/// The media type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next());
    kind.unwrap_or_default().trim().to_ascii_lowercase()
}

/// The event whose attributes are headers and whose data is the body.
fn binary(delivery: &Delivery<'_>) -> Result<Envelope, Refusal> {
    // Libraries send letters beyond ASCII as they are, although the binding wants them escaped.
    let attribute = |name: &str| {
        let value = delivery.headers.get(name)?.as_bytes();
        Some(unescaped(&String::from_utf8_lossy(value)))
    };
    let required = |name: &'static str| {
        let missing = || Refusal::malformed(name, "the header is missing");
        attribute(name).ok_or_else(missing)
    };
    Ok(Envelope {
        id: required("ce-id")?,
        source: required("ce-source")?,
        specversion: required("ce-specversion")?,
        r#type: required("ce-type")?,
        subject: attribute("ce-subject"),
        time: attribute("ce-time"),
        data: read(delivery.body)?,
        data_base64: None,
    })
}

/// A header's value with its percent-escapes taken back (HTTP binding, section 3.1.3.2).
fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The answer to the handshake: whoever asks may send, as fast as it asks for; its secret is looked at when it does.
pub(crate) fn handshake(headers: &HeaderMap) -> Response {
    let Some(origin) = headers.get("webhook-request-origin") else {
        let reason = "expected WebHook-Request-Origin";
        let refusal = Refusal::malformed("webhook-request-origin", reason);
        return Problem::from(refusal).into_response();
    };
    let mut response = StatusCode::OK.into_response();
    let answers = response.headers_mut();
    answers.insert("webhook-allowed-origin", origin.clone());
    let rate = headers.get("webhook-request-rate").cloned();
    let rate = rate.unwrap_or(HeaderValue::from_static("*"));
    answers.insert("webhook-allowed-rate", rate);
    answers.insert("allow", HeaderValue::from_static("POST, OPTIONS"));
    response
}

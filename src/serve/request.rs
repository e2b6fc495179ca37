//! Bodies to records: bytes as they came, read by the same parser as files are.

use std::fmt;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserializer;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::account::Account;
use crate::error::Rejection;
use crate::format::{Body, Parser};
use crate::serve::problem::Problem;

/// The bytes of a JSON body.
pub(crate) struct JsonBytes(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "send the body as application/json";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "unsupported media type", detail));
        }
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|rejection: BytesRejection| {
            let status = rejection.status();
            let title = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "too large",
                _ => "unreadable body",
            };
            Problem::new(status, title, rejection.body_text())
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The account in the bytes of a JSON object.
///
/// # Errors
/// The first field that is wrong, and why.
pub(crate) fn account(bytes: &[u8]) -> Result<Account, Rejection> {
    let labelled = Parser::remote().parse(Body::Json(bytes.to_vec()))?;
    Ok(labelled.account)
}

/// The elements of a JSON array, unparsed; reads none beyond the limit.
///
/// # Errors
/// No array, or too long.
pub(crate) fn elements(bytes: &[u8], len_max: usize) -> Result<Vec<&RawValue>, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = deserializer.deserialize_seq(UpTo(len_max));
    let no_array = |_| Problem::malformed("expected a JSON array");
    let elements = read.map_err(no_array)?.ok_or_else(|| {
        let reason = format!("more records than the limit of {len_max}");
        Problem::from(Rejection::new("too_many", "record", reason))
    })?;
    deserializer.end().map_err(no_array)?;
    Ok(elements)
}

/// Reads an array of at most so many elements; `None` of a longer one.
struct UpTo(usize);

impl<'de> Visitor<'de> for UpTo {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an array of at most {} elements", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut elements = Some(Vec::new());
        while let Some(element) = sequence.next_element::<&RawValue>()? {
            elements = elements.filter(|held| held.len() < self.0);
            if let Some(held) = &mut elements {
                held.push(element);
            }
        }
        Ok(elements)
    }
}

/// A small JSON object.
///
/// # Errors
/// What is missing or of another type.
pub(crate) fn object<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, Problem> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::malformed("expected a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." {
            "record".to_owned()
        } else {
            path
        };
        let code = match error.inner().is_data() {
            true => "invalid_type",
            false => "invalid_json",
        };
        // What serde says of data names types and fields, and may quote a value.
        let reason = match code {
            "invalid_type" => "missing, or of another type than expected".to_owned(),
            _ => error.into_inner().to_string(),
        };
        Problem::from(Rejection::new(code, field, reason))
    })?;
    let end = deserializer.end();
    end.map_err(|_| Problem::malformed("more follows after the object"))?;
    Ok(read)
}

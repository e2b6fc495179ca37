//! Why a delivery is turned down, and the problem document (RFC 9457) that says so.
//!
//! Never tells which part of a signature was wrong beyond what the sender needs to mend it, and never repeats profile text.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a delivery is turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No source of that name is configured, or it has no such callback.
    UnknownSource,
    /// The proof that the platform sent it is missing, wrong or too old.
    Unproven(&'static str),
    /// Another media type than the platform sends.
    MediaType {
        /// What would be read.
        expected: &'static str,
    },
    /// More bytes than a hook may carry.
    TooLarge,
    /// The sender broke off.
    Incomplete,
    /// Not what the platform sends.
    Malformed {
        /// The field at fault, or `body`.
        field: String,
        /// What was expected.
        reason: String,
    },
    /// The service cannot take it now.
    Busy {
        /// Seconds after which the sender should come back.
        retry_after: u64,
    },
}

impl Refusal {
    /// A fault of one field.
    pub(crate) fn malformed(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// One stable word, for metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::UnknownSource => "unknown-source",
            Self::Unproven(_) => "unproven",
            Self::MediaType { .. } => "media-type",
            Self::TooLarge => "too-large",
            Self::Incomplete => "incomplete",
            Self::Malformed { .. } => "malformed",
            Self::Busy { .. } => "busy",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownSource => StatusCode::NOT_FOUND,
            Self::Unproven(_) => StatusCode::UNAUTHORIZED,
            Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete | Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::UnknownSource => "no such hook is configured here".to_owned(),
            Self::Unproven(reason) => (*reason).to_owned(),
            Self::MediaType { expected } => format!("expected {expected}"),
            Self::TooLarge => "a hook may carry 256 KiB".to_owned(),
            Self::Incomplete => "the body ended too early".to_owned(),
            Self::Malformed { field, reason } => format!("{field}: {reason}"),
            Self::Busy { .. } => "not ready to take this, come back".to_owned(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut problem = json!({
            "type": format!("urn:mirrorwatch:problem:hook-{}", self.word()),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
        });
        if let Self::Malformed { field, reason } = &self {
            problem["errors"] = json!([{"field": field, "reason": reason}]);
        }
        let mut response = (status, problem.to_string()).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind);
        if let Self::Busy { retry_after } = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"mirrorwatch hooks\""),
            );
        }
        response
    }
}

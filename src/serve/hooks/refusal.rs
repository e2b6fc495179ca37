//! Why a delivery is turned down, and the problem that says so.
//!
//! Never tells more of a signature than the sender needs to mend it, and never repeats profile text.

use axum::http::StatusCode;

use crate::serve::problem::Problem;

/// Seconds after which keys that could not be read may be here.
const KEYS_RETRY_SECONDS: u64 = 30;

/// Why a delivery is turned down before anything was asked of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No source of that name is configured, or it has no such callback.
    UnknownSource,
    /// The proof that the platform sent it is missing, wrong or too old.
    Unproven(&'static str),
    /// What would prove it is not here yet: the keys could not be read so far.
    NoKeysYet,
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
}

impl Refusal {
    /// A fault of one field.
    pub(crate) fn malformed(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// The same, of a field inside `outer`.
    pub(crate) fn within(self, outer: &str) -> Self {
        match self {
            Self::Malformed { field, reason } => Self::Malformed {
                field: format!("{outer}.{field}"),
                reason,
            },
            other => other,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownSource => Self::not_found("no such hook is configured here"),
            Refusal::Unproven(reason) => {
                Self::new(StatusCode::UNAUTHORIZED, "not authorised", reason)
            }
            Refusal::NoKeysYet => {
                let detail = "the keys that would prove this could not be read yet";
                Self::busy(StatusCode::SERVICE_UNAVAILABLE, detail, KEYS_RETRY_SECONDS)
            }
            Refusal::MediaType { expected } => {
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                Self::new(
                    status,
                    "unsupported media type",
                    format!("expected {expected}"),
                )
            }
            Refusal::TooLarge => {
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Self::new(status, "too large", "a hook may carry 256 KiB")
            }
            Refusal::Incomplete => {
                let detail = "the body ended too early";
                Self::new(StatusCode::BAD_REQUEST, "malformed input", detail)
            }
            Refusal::Malformed { field, reason } => {
                let detail = format!("{field}: {reason}");
                Self::new(StatusCode::BAD_REQUEST, "malformed input", detail).at(&field, &reason)
            }
        }
    }
}

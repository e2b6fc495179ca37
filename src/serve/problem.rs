//! What went wrong, as RFC 9457 problem details. Causes inside are logged, never sent.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Error, Rejection};

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_seconds: Option<u64>,
}

/// Problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ProblemRecord {
    /// A name for the kind of problem.
    r#type: String,
    /// The same in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    detail: String,
    /// Which fields of the input are at fault, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// One fault of an input.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field.
    field: String,
    /// What is wrong with it.
    reason: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// No such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found", detail)
    }

    /// Come back in `seconds`.
    pub(crate) fn busy(status: StatusCode, detail: impl Into<String>, seconds: u64) -> Self {
        let retry_after_seconds = Some(seconds);
        Self {
            retry_after_seconds,
            ..Self::new(status, "try again later", detail)
        }
    }

    /// Bytes that are not what they should be.
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        let rejection = Rejection::new("invalid_json", "record", reason);
        Self::from(rejection)
    }

    /// The status it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The same with the fields at fault.
    pub(crate) fn at(self, field: &str, reason: &str) -> Self {
        let error = FieldError {
            field: field.to_owned(),
            reason: reason.to_owned(),
        };
        Self {
            errors: vec![error],
            ..self
        }
    }

    /// Whether the same request may succeed later. Such a problem names the time to wait.
    pub(crate) fn passes(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// Its kind as one word, and what happened: for a list of problems.
    pub(crate) fn in_short(&self) -> (String, &str) {
        (self.title.replace(' ', "_"), &self.detail)
    }

    fn type_name(&self) -> String {
        format!("urn:mirrorwatch:problem:{}", self.title.replace(' ', "-"))
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let (status, title) = match rejection.code {
            "invalid_json" | "invalid_utf8" | "too_deep" | "lone_surrogate" => {
                (StatusCode::BAD_REQUEST, "malformed input")
            }
            "unknown_entry" => (StatusCode::NOT_FOUND, "not found"),
            _ => (StatusCode::UNPROCESSABLE_ENTITY, "invalid input"),
        };
        let error = FieldError {
            field: rejection.field.clone(),
            reason: rejection.reason.clone(),
        };
        Self {
            errors: vec![error],
            ..Self::new(status, title, rejection.to_string())
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => rejection.into(),
            Error::UnknownEntry { .. } => Self::not_found(error.to_string()),
            Error::Contended { .. } => {
                Self::busy(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), 1)
            }
            error => {
                tracing::error!(%error, "the engine failed");
                let detail = "the service could not do this; its log says why";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let record = ProblemRecord {
            r#type: self.type_name(),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (self.status, Json(record)).into_response();
        let headers = response.headers_mut();
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem);
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_changed_meanwhile_may_be_tried_again() {
        let id = "x:1".to_owned();
        let problem = Problem::from(Error::Contended { id });
        assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
        let answer = problem.into_response();
        assert_eq!(answer.headers()["retry-after"], "1");
    }
}

//! Pages as HTTP answers: the frame around every page, its headers, and refusals in words.

use std::sync::LazyLock;

use askama::Template;
use axum::extract::Request;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::error::{Error, Rejection};
use crate::serve::console::form::query;
use crate::serve::console::gate::Visitor;

/// Scripts, styles and forms from this host alone, nothing else; no frame may hold a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    form-action 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("../../../data/console/console.css");
/// The script; every page works without it.
pub(crate) const SCRIPT: &str = include_str!("../../../data/console/console.js");
/// The icon.
pub(crate) const ICON: &str = include_str!("../../../data/console/icon.svg");

/// Changes with style, script or icon, so that browsers may keep them for good.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all = [STYLE, SCRIPT, ICON].concat();
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(all.as_bytes()))
});

/// What stands around every page.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    /// Of the window.
    pub title: String,
    /// Which part of the navigation is open.
    pub part: &'static str,
    /// Who is logged in; empty for nobody.
    pub who: String,
    /// What every form carries.
    pub token: String,
    /// What is in the search field.
    pub asked: String,
    /// Version of style and script.
    pub version: &'static str,
}

impl Shell {
    /// The frame of a page for someone who is logged in.
    pub(crate) fn of(visitor: &Visitor, part: &'static str, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            part,
            who: visitor.who.clone(),
            token: visitor.token.clone(),
            asked: String::new(),
            version: &VERSION,
        }
    }

    /// The frame of a page for nobody in particular.
    pub(crate) fn outside(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            part: "",
            who: String::new(),
            token: String::new(),
            asked: String::new(),
            version: &VERSION,
        }
    }
}

/// Renders a page.
pub(crate) fn page(template: &impl Template) -> Result<Response, Refusal> {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => Err(Refusal::Failed(Error::Malformed {
            what: "page".into(),
            reason: error.to_string(),
        })),
    }
}

/// Why a page is not shown.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nobody is logged in; where to go after.
    LogIn {
        /// The address asked for.
        next: String,
    },
    /// There is no such thing.
    Unknown {
        /// What was asked for.
        what: &'static str,
    },
    /// The form does not come from a page of this log-in.
    Forged,
    /// Too many wait.
    Busy,
    /// Something in the form is wrong.
    Rejected(Rejection),
    /// The service failed.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejection) => Self::Rejected(rejection),
            Error::UnknownEntry { .. } => Self::Unknown { what: "entry" },
            error => Self::Failed(error),
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

#[derive(Template)]
#[template(path = "problem.html", config = "src/serve/console/askama.toml")]
struct Problem {
    shell: Shell,
    detail: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, title, detail) = match self {
            Self::LogIn { next } => {
                return Redirect::to(&format!("/login?{}", query(&[("next", &next)])))
                    .into_response();
            }
            Self::Unknown { what } => (
                StatusCode::NOT_FOUND,
                "Not here",
                format!("There is no such {what}; it may have been withdrawn or forgotten since."),
            ),
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "Not taken",
                "The form was not made for this log-in. Go back, load the page anew and send it again.".into(),
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too busy",
                "More requests wait than the service takes. Nothing was changed; try again in a moment.".into(),
            ),
            Self::Rejected(rejection) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Not taken",
                format!("{}: {}.", rejection.field, rejection.reason),
            ),
            Self::Failed(error) => {
                tracing::error!(%error, "a page of the console failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "That failed",
                    "The service could not answer; its log tells why. Nothing was changed.".into(),
                )
            }
        };
        let problem = Problem {
            shell: Shell::outside(title),
            detail,
        };
        let html = problem.render().unwrap_or_default();
        (status, Html(html)).into_response()
    }
}

/// Turns down forms that a browser says come from elsewhere, and puts the headers on every answer.
pub(crate) async fn guarded(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    let is_own = site.is_none_or(|site| site == "same-origin" || site == "none");
    let mut response = if request.method() == Method::POST && !is_own {
        Refusal::Forged.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    let kept = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in kept {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let stay = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(stay);
    response
}

/// One of the files that pages load; addresses carry its version, so it is kept for a year.
pub(crate) fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, text).into_response()
}

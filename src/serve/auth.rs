//! Who calls, and whether they may: decided before a handler runs.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};

use crate::serve::app::App;
use crate::serve::keys::Role;
use crate::serve::problem::Problem;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Caller {
    /// Name of the key.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
}

impl Caller {
    /// Whoever calls a service that has no keys and listens on this machine only.
    fn local() -> Self {
        Self {
            name: "local".into(),
            role: Role::Admin,
        }
    }
}

/// The caller of a request with these headers.
///
/// # Errors
/// No key, or one that is not known.
pub(crate) fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Problem> {
    if app.is_open_here() {
        return Ok(Caller::local());
    }
    let unknown = |detail| Problem::new(StatusCode::UNAUTHORIZED, "not authorised", detail);
    let given = headers.get(header::AUTHORIZATION);
    let given = given.ok_or_else(|| unknown("send a key as `Authorization: Bearer KEY`"))?;
    let bearer = given.to_str().ok().and_then(|text| {
        let (scheme, secret) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
    });
    let key = bearer.and_then(|secret| app.keys.find(secret));
    let key = key.ok_or_else(|| unknown("this key is not known, or was revoked"))?;
    Ok(Caller {
        name: key.name,
        role: key.role,
    })
}

/// What proxies add to requests that they pass on.
const FORWARDED: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Whether a request looks as if it was made on this machine, for this machine: by its own name, and passed on by no proxy. A
/// page of another site that has its name resolve here would speak for whoever looks at it, and a proxy for everybody it serves.
/// A proxy that says nothing of itself, in HTTP/1.1, is not known: only a key keeps strangers out for sure. HTTP/1.0 is what
/// nginx speaks unless told otherwise, by the name of whom it passes on to.
pub(crate) fn is_direct(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    let named = headers.get(header::HOST);
    let named = named.and_then(|host| host.to_str().ok());
    let host = named.or_else(|| uri.host()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name
        .parse::<std::net::IpAddr>()
        .is_ok_and(|ip| ip.is_loopback());
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    let is_old = matches!(version, Version::HTTP_09 | Version::HTTP_10);
    !is_forwarded && !is_old && (name.is_empty() || name == "localhost" || is_loopback)
}

/// Where everybody on this machine may call, turns down what comes from elsewhere. Webhooks prove themselves.
///
/// # Errors
/// 421: made for another host, or passed on.
pub(crate) fn own_host(app: &App, request: &Request) -> Result<(), Problem> {
    let is_hook = request.uri().path().starts_with("/hooks/");
    let (version, uri, headers) = (request.version(), request.uri(), request.headers());
    if app.is_open_here() && !is_hook && !is_direct(version, uri, headers) {
        let detail = "without keys this service answers to localhost only, not by a proxy, and not in HTTP/1.0: \
            make a key (`mirrorwatch keys add`)";
        let status = StatusCode::MISDIRECTED_REQUEST;
        return Err(Problem::new(status, "another host", detail));
    }
    Ok(())
}

/// Turns down who calls too often.
///
/// # Errors
/// 429 with the time to wait.
pub(crate) fn check_pace(app: &App, caller: &Caller) -> Result<(), Problem> {
    let Some(pace) = &app.pace else {
        return Ok(());
    };
    pace.check_key(&caller.name).map_err(|_| {
        let detail = "this key calls more often than it may";
        Problem::busy(StatusCode::TOO_MANY_REQUESTS, detail, 1)
    })
}

/// Who makes a request with these headers, if that is somebody who has at least the role `least` and may call now.
///
/// # Errors
/// 401, 403, or 429 with the time to wait.
pub(crate) fn admitted(app: &App, least: Role, headers: &HeaderMap) -> Result<Caller, Problem> {
    let caller = caller(app, headers)?;
    if caller.role < least {
        let detail = format!("this needs a key of role {}", least.as_str());
        return Err(Problem::new(StatusCode::FORBIDDEN, "not allowed", detail));
    }
    check_pace(app, &caller)?;
    Ok(caller)
}

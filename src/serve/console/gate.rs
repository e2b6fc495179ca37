//! Who is asking? Logging in and out, and the check that stands before every page.

use std::net::SocketAddr;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequestParts, Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, Version};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::serve::auth::is_direct;
use crate::serve::console::answer::{Refusal, Shell, page};
use crate::serve::console::desk::Desk;
use crate::serve::console::form::{Fields, inside};
use crate::serve::console::routes::Room;
use crate::serve::console::values::Analyst;

/// Holds the random value that ties the log-in form to the browser.
const VISIT: &str = "mirrorwatch-visit";

/// Someone who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The name that judgments carry.
    pub who: String,
    /// What every form of this log-in carries.
    pub token: String,
    cookie: String,
}

impl Visitor {
    /// The fields of a form that was made for this log-in.
    pub(crate) fn fields<D>(&self, room: &Room<D>, body: &[u8]) -> Result<Fields, Refusal> {
        let fields = Fields::of(body);
        match room.settings.is_own(&self.cookie, fields.get("token")) {
            true => Ok(fields),
            false => Err(Refusal::Forged),
        }
    }
}

impl<D: Desk> FromRequestParts<Room<D>> for Visitor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, room: &Room<D>) -> Result<Self, Refusal> {
        let next = match (&parts.method, parts.uri.path_and_query()) {
            (&Method::GET, Some(asked)) => asked.to_string(),
            _ => String::new(),
        };
        let name = room.settings.cookie_name();
        let cookie = cookie(&parts.headers, name).unwrap_or_default();
        let pass = room.settings.read(&cookie, Timestamp::now());
        let Some(pass) = pass.filter(|_| !room.ended.has(&cookie)) else {
            return Err(Refusal::LogIn { next });
        };
        let known = room.ask(move |desk| desk.analyst(&pass.key_id)).await?;
        let Some(analyst) = known else {
            return Err(Refusal::LogIn { next });
        };
        Ok(Self {
            who: analyst.who,
            token: pass.token,
            cookie,
        })
    }
}

/// The value of a cookie.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let sent = headers.get_all(COOKIE).iter();
    let texts = sent.filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

#[derive(Template)]
#[template(path = "login.html", config = "src/serve/console/askama.toml")]
struct LoginPage {
    shell: Shell,
    next: String,
    problem: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /login`
pub(crate) async fn login_form<D: Desk>(
    State(room): State<Room<D>>,
    (version, uri): (Version, Uri),
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Refusal> {
    if is_direct(version, &uri, &headers)
        && let Some(analyst) = room.ask(|desk| desk.unlocked()).await?
    {
        return Ok(admitted(&room, &analyst, inside(&next)));
    }
    form(&room, StatusCode::OK, &next, "")
}

/// The form, with a fresh random value in its cookie.
fn form<D: Desk>(
    room: &Room<D>,
    status: StatusCode,
    next: &str,
    problem: &'static str,
) -> Result<Response, Refusal> {
    let mut random = [0; 16];
    // Without randomness the form is not taken, which is the safe side.
    let drawn = getrandom::fill(&mut random).is_ok();
    let visit: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut shell = Shell::outside("Log in");
    if drawn {
        shell.token = room.settings.token(&visit);
    }
    let shown = page(&LoginPage {
        shell,
        next: inside(next).to_owned(),
        problem,
    })?;
    let cookie = set_cookie(room, VISIT, &visit, 3_600);
    Ok((status, AppendHeaders([(SET_COOKIE, cookie)]), shown).into_response())
}

/// `POST /login`
pub(crate) async fn login<D: Desk>(
    State(room): State<Room<D>>,
    headers: HeaderMap,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let fields = Fields::of(&body);
    let visit = cookie(&headers, VISIT).unwrap_or_default();
    let next = inside(fields.get("next")).to_owned();
    if visit.is_empty() || !room.settings.is_own(&visit, fields.get("token")) {
        let problem = "The form had grown old, or cookies are off. Try once more.";
        return form(&room, StatusCode::FORBIDDEN, &next, problem);
    }
    let peer = room
        .settings
        .peer(&headers, peer.map(|Extension(ConnectInfo(peer))| peer.ip()));
    if !room.ask(move |desk| Ok(desk.may_try(&peer))).await? {
        let problem = "Too many keys were tried from where you are. Wait a minute.";
        return form(&room, StatusCode::TOO_MANY_REQUESTS, &next, problem);
    }
    let key = fields.get("key").trim().to_owned();
    let Some(analyst) = room.ask(move |desk| desk.login(&key)).await? else {
        let problem = "No live key of an analyst or admin reads like that.";
        return form(&room, StatusCode::FORBIDDEN, &next, problem);
    };
    Ok(admitted(&room, &analyst, &next))
}

/// Logs someone in.
fn admitted<D>(room: &Room<D>, analyst: &Analyst, next: &str) -> Response {
    let (name, lasts) = (room.settings.cookie_name(), room.settings.lasts.as_secs());
    let issued = room.settings.issue(&analyst.key_id, Timestamp::now());
    let cookies = [
        (SET_COOKIE, set_cookie(room, name, &issued, lasts)),
        (SET_COOKIE, set_cookie(room, VISIT, "", 0)),
    ];
    (AppendHeaders(cookies), Redirect::to(next)).into_response()
}

/// `POST /logout`
pub(crate) async fn logout<D: Desk>(
    State(room): State<Room<D>>,
    visitor: Visitor,
    body: Bytes,
) -> Result<Response, Refusal> {
    visitor.fields(&room, &body)?;
    let now = Timestamp::now();
    if let Some(pass) = room.settings.read(&visitor.cookie, now) {
        room.ended.end(&visitor.cookie, &pass, now);
    }
    let gone = set_cookie(&room, room.settings.cookie_name(), "", 0);
    Ok((AppendHeaders([(SET_COOKIE, gone)]), Redirect::to("/login")).into_response())
}

/// A cookie that scripts cannot read and other sites' forms do not carry.
fn set_cookie<D>(room: &Room<D>, name: &str, value: &str, seconds: i64) -> String {
    let secure = if room.settings.is_secure {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

//! The console from outside: who gets in, which form is taken, what each page says, and that nothing in a profile acts.

mod door;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt;

use crate::account::{Account, AccountDraft};
use crate::engine::{Engine, Occasion};
use crate::hash::Secret;
use crate::judgment::Answer;
use crate::serve::api::screen::screened;
use crate::serve::app::{App, Shared};
use crate::serve::console::desk::Desk;
use crate::serve::console::form::{query, segment};
use crate::serve::console::values::{Order, Standing};
use crate::serve::console::{Settings, routes};
use crate::serve::keys::{Keys, Role};
use crate::store::Access;
use crate::tests::{opened, sampled};

/// The service behind the console, with the key of an admin named ada, on a folder that is gone with it.
struct Stage {
    app: Shared,
    key: String,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Nothing enrolled; without a key everybody on this machine may come in.
    fn empty(has_key: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let key = has_key.then(|| keys.add("ada", Role::Admin).unwrap());
        let app = App::new(folder.path(), crate::serve::Settings::default()).unwrap();
        app.open(opened(folder.path(), Access::Create));
        Self {
            app,
            key: key.unwrap_or_default(),
            _folder: folder,
        }
    }

    /// The samples screened against their watchlist; every third flag judged, some entries reported or removed.
    fn seeded() -> Self {
        let stage = Self::empty(true);
        stage.engine().enroll(sampled("watchlist.ndjson")).unwrap();
        sampled("signups.ndjson")
            .iter()
            .for_each(|signup| stage.screen(signup));
        let desk: &App = &stage.app;
        let flags = (0..9).flat_map(|page| desk.queue(Order::Age, page).unwrap().decisions);
        let flags: Vec<_> = flags.collect();
        assert!(flags.len() > 100, "{} flags", flags.len());
        for (at, flag) in flags.iter().enumerate().step_by(3) {
            let answer = match at % 21 {
                9 => Answer::NotMirror,
                15 => Answer::Unsure,
                _ => Answer::Mirror,
            };
            let entry = flag.entries[0].id();
            desk.judge(&flag.id, entry, answer, "looked at", "nadia")
                .unwrap();
        }
        let entries = stage.engine().entries().unwrap();
        let ids: Vec<_> = entries.map(|entry| entry.unwrap().id().clone()).collect();
        desk.mark(&ids[..20], Standing::Removed, "ada").unwrap();
        desk.mark(&ids[20..40], Standing::Reported, "ada").unwrap();
        stage
    }

    fn engine(&self) -> &Engine {
        self.app.engine().ok().unwrap()
    }

    fn screen(&self, signup: &Account) {
        screened(&self.app, self.engine(), signup, Occasion::Told)
            .ok()
            .unwrap();
    }
}

/// A browser that keeps cookies.
struct Browser {
    app: Router,
    stage: Stage,
    cookies: Vec<(String, String)>,
}

struct Page {
    status: StatusCode,
    location: String,
    body: String,
}

impl Browser {
    fn of(stage: Stage) -> Self {
        let door = Settings::new(Secret::new([9; 32]), false);
        Self {
            app: routes(Arc::clone(&stage.app), door),
            stage,
            cookies: Vec::new(),
        }
    }

    async fn logged_in(stage: Stage) -> Self {
        let key = stage.key.clone();
        let mut browser = Self::of(stage);
        let form = browser.get("/login").await;
        let fields = [
            ("token", token(&form.body)),
            ("key", key.as_str()),
            ("next", "/networks"),
        ];
        let sent = browser.post("/login", &fields).await;
        assert_eq!(
            (sent.status, sent.location.as_str()),
            (StatusCode::SEE_OTHER, "/networks")
        );
        browser
    }

    async fn get(&mut self, address: &str) -> Page {
        self.ask(Request::get(address), Body::empty()).await
    }

    async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Page {
        let body = query(fields);
        self.ask(Request::post(address), Body::from(body)).await
    }

    async fn ask(&mut self, request: axum::http::request::Builder, body: Body) -> Page {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let request = request
            .header(header::COOKIE, cookies.join("; "))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = self
            .app
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        self.keep(&response);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        let location = response.headers().get(header::LOCATION);
        Page {
            status: response.status(),
            location: location.map_or(String::new(), |at| at.to_str().unwrap().to_owned()),
            body: String::from_utf8(
                to_bytes(response.into_body(), 1 << 24)
                    .await
                    .unwrap()
                    .to_vec(),
            )
            .unwrap(),
        }
    }

    fn keep(&mut self, response: &Response) {
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly; SameSite=Lax"));
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(own, _)| own != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// The token of a page's first form.
fn token(page: &str) -> &str {
    let after = page.split("name=\"token\" value=\"").nth(1).unwrap();
    after.split('"').next().unwrap()
}

const PAGES: [&str; 8] = [
    "/queue",
    "/queue/next",
    "/search?handle=a",
    "/entries/x%3A1",
    "/networks",
    "/removals?platform=x",
    "/removals.csv?platform=x",
    "/dashboard",
];

#[tokio::test]
async fn nobody_sees_a_page_without_logging_in() {
    let mut browser = Browser::of(Stage::empty(true));
    for address in PAGES {
        let page = browser.get(address).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{address}");
        assert!(
            page.location.starts_with("/login?next=%2F"),
            "{}",
            page.location
        );
        assert!(page.body.is_empty());
    }
    let form = browser.get("/login").await.body;
    let fields = [("token", token(&form)), ("key", "guess")];
    let refused = browser.post("/login", &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("role=\"alert\"") && !refused.body.contains("guess"));
    browser.cookies.clear();
    let key = browser.stage.key.clone();
    let strange = browser
        .post("/login", &[("token", token(&form)), ("key", &key)])
        .await;
    assert_eq!(
        strange.status,
        StatusCode::FORBIDDEN,
        "a form without its browser"
    );
}

#[tokio::test]
async fn a_service_without_keys_asks_for_none_on_this_machine() {
    let open = || Stage::empty(false);
    let mut browser = Browser::of(open());
    let request = Request::get("/login").header(header::HOST, "127.0.0.1:8787");
    let page = browser.ask(request, Body::empty()).await;
    assert_eq!(
        (page.status, page.location.as_str()),
        (StatusCode::SEE_OTHER, "/queue")
    );
    assert_eq!(browser.get("/queue").await.status, StatusCode::OK);
    let mut elsewhere = Browser::of(open());
    let request = Request::get("/login").header(header::HOST, "rebound.example");
    assert_eq!(
        elsewhere.ask(request, Body::empty()).await.status,
        StatusCode::OK
    );
    assert_eq!(elsewhere.get("/queue").await.status, StatusCode::SEE_OTHER);
}

/// The first flag of the queue: its id, its page, and its best entry.
fn first_flag(browser: &Browser) -> (String, String, String) {
    let flag = browser.stage.app.queue(Order::Score, 0).unwrap().decisions[0].clone();
    let page = format!("/decisions/{}", flag.id);
    (flag.id, page, flag.entries[0].id().to_string())
}

#[tokio::test]
async fn a_form_from_elsewhere_is_not_taken() {
    let mut browser = Browser::logged_in(Stage::seeded()).await;
    let (id, page, entry) = first_flag(&browser);
    let judge = format!("{page}/judge");
    let shown = browser.get(&page).await.body;
    let fields = |token, answer| {
        [
            ("token", token),
            ("entry", entry.as_str()),
            ("answer", answer),
        ]
    };
    let without = browser.post(&judge, &fields("", "mirror")).await;
    assert_eq!(without.status, StatusCode::FORBIDDEN);
    let request = Request::post(&judge).header("sec-fetch-site", "cross-site");
    let body = query(&fields(token(&shown), "mirror"));
    let crossed = browser.ask(request, Body::from(body)).await;
    assert_eq!(crossed.status, StatusCode::FORBIDDEN);
    let odd = browser.post(&judge, &fields(token(&shown), "maybe")).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    let flag = browser.stage.app.decision(&id).unwrap().unwrap();
    assert!(flag.judgments.is_empty());
}

#[tokio::test]
async fn a_judgment_is_shown_and_taken_back() {
    let mut browser = Browser::logged_in(Stage::seeded()).await;
    let (id, page, entry) = first_flag(&browser);
    let shown = browser.get(&page).await.body;
    let fields = [
        ("token", token(&shown)),
        ("entry", entry.as_str()),
        ("answer", "mirror"),
        ("note", "<b>&"),
    ];
    let sent = browser.post(&format!("{page}/judge"), &fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert_eq!(sent.location, page);
    let judged = browser.get(&page).await.body;
    assert!(judged.contains("judged a mirror by ada on") && judged.contains("&#60;b&#62;&#38;"));
    let of_entry = browser.get(&format!("/entries/{}", segment(&entry))).await;
    assert!(
        of_entry.body.contains(&id),
        "the lineage names the decision"
    );
    let fields = [("token", token(&judged)), ("entry", entry.as_str())];
    let undone = browser.post(&format!("{page}/undo"), &fields).await;
    assert_eq!(undone.status, StatusCode::SEE_OTHER);
    let open = browser.get(&page).await.body;
    assert!(open.contains("Are both one actor?"));
}

#[tokio::test]
async fn every_page_of_the_sample_is_shown() {
    let mut browser = Browser::logged_in(Stage::seeded()).await;
    let flags = browser.stage.app.queue(Order::Age, 0).unwrap().decisions;
    for address in PAGES
        .iter()
        .filter(|address| !address.starts_with("/entries"))
    {
        let page = browser.get(address).await;
        assert!(
            page.status.is_success() || page.status == StatusCode::SEE_OTHER,
            "{address}"
        );
    }
    for flag in flags {
        let id = flag.entries[0].id().to_string();
        for address in [
            format!("/decisions/{}", flag.id),
            format!("/entries/{}", segment(&id)),
        ] {
            let page = browser.get(&address).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            assert!(
                !page.body.contains(" style=") && !page.body.contains("NaN"),
                "{address}"
            );
        }
    }
    let rows = browser
        .get("/search?handle=sadaetormand&part=rows")
        .await
        .body;
    assert!(rows.contains("/entries/x%3A2588139986987973091") && !rows.contains("<html"));
    for gone in ["/entries/nobody", "/decisions/d0", "/decisions/d0/replay"] {
        assert_eq!(browser.get(gone).await.status, StatusCode::NOT_FOUND);
    }
    let gone = browser.get("/removals.csv?platform=x").await.body;
    assert!(gone.starts_with('\u{feff}') && gone.lines().count() > 5);
}

#[tokio::test]
async fn nothing_in_a_profile_acts() {
    let stage = Stage::empty(true);
    let hostile = "<script>alert(1)</script>\" onload=\"x\u{202e}\u{200b}";
    let draft = AccountDraft {
        id: "x:<script>alert(2)</script>".into(),
        platform: "<i>".into(),
        handle: hostile.into(),
        display_name: hostile.into(),
        bio: format!("{hostile} javascript:alert(3) uncommonly worded sentence about falcons"),
        links: vec![
            "javascript:alert(4)".into(),
            "https://t.me/uncommonhandle".into(),
        ],
        ..AccountDraft::default()
    };
    let entry = draft.clone().check().unwrap();
    stage.engine().enroll(vec![entry.clone()]).unwrap();
    let probe = AccountDraft {
        id: "x:2".into(),
        ..draft
    }
    .check()
    .unwrap();
    stage.screen(&probe);
    let mut browser = Browser::logged_in(stage).await;
    let flag = browser.stage.app.queue(Order::Score, 0).unwrap().decisions[0]
        .id
        .clone();
    let of_entry = format!("/entries/{}", segment(entry.id().as_str()));
    let search = format!("/search?handle={}", segment(hostile));
    for address in [
        "/queue".into(),
        format!("/decisions/{flag}"),
        of_entry,
        search,
        "/networks".into(),
        format!("/networks?name={}", segment(hostile)),
        "/removals?platform=%3Ci%3E".into(),
    ] {
        let page = browser.get(&address).await.body;
        assert!(
            page.contains("alert(1)") || address == "/networks",
            "{address} shows it"
        );
        assert!(
            !page.contains("<script>alert") && !page.contains("\" onload=\"x"),
            "{address}"
        );
        assert!(
            !page.contains('\u{202e}') || address.starts_with("/search"),
            "{address} reorders"
        );
        assert!(!page.contains("href=\"javascript"), "{address}");
    }
}

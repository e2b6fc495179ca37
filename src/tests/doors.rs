//! Who may do what: every route of the service, by everybody who might call it.

use axum::body::Body;
use axum::http::{Request, header};

use crate::engine::{Engine, Options};
use crate::serve::{App, Role, Settings, router};
use crate::store::Access;
use crate::tests::service::{Answered, Service};

/// Every call of the description, by every role: let through or turned away, before anything else is looked at.
#[tokio::test]
async fn who_may_call_what() {
    let mut service = Service::ready();
    let description = service.get("/openapi.json").await;
    assert_eq!(description["openapi"], "3.1.0");
    let secrets = keyed(&mut service);
    let mut told = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let at = path.replace("{id}", "x:1");
            let mut row = format!("{} {path}:", method.to_uppercase());
            let callers = std::iter::once(None).chain(secrets.iter().cloned().map(Some));
            for key in callers {
                service.key = key;
                let answered = service.call(&method.to_uppercase(), &at, "{}").await;
                row += match answered.status.as_u16() {
                    401 | 403 => " -",
                    _ => " +",
                };
                if service.key.is_none() && answered.status == 401 {
                    assert!(answered.headers.contains_key(header::WWW_AUTHENTICATE));
                }
            }
            told.push(row);
        }
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    GET /healthz: + + + +
    GET /metrics: + + + +
    GET /readyz: + + + +
    GET /v1/decisions: - - + +
    GET /v1/decisions/{id}: - - + +
    POST /v1/decisions/{id}/replay: - - + +
    POST /v1/erase: - - - +
    POST /v1/explain: - - + +
    GET /v1/flags/undelivered: - - - +
    POST /v1/judgments: - - + +
    GET /v1/lookup: - - + +
    POST /v1/screen: - + + +
    POST /v1/screen/batch: - + + +
    POST /v1/watchlist: - - - +
    DELETE /v1/watchlist/{id}: - - - +
    GET /v1/watchlist/{id}: - - + +
    ");
    service.key = Some("mwk_nobody_AAAA".into());
    service
        .call("GET", "/v1/lookup?handle=a", "")
        .await
        .problem(401);
}

/// The engine of a service whose router is made again.
fn opened(service: &Service) -> Engine {
    service.app.engine().map_or_else(
        |_| {
            let access = Access::Read;
            Engine::open(
                service.folder.path(),
                Options {
                    access,
                    ..Options::default()
                },
            )
            .unwrap()
        },
        Clone::clone,
    )
}

/// Gives a service a key for each role, and tells them.
fn keyed(service: &mut Service) -> [String; 3] {
    let keys = crate::serve::Keys::open(service.folder.path()).unwrap();
    let secrets = Role::ALL.map(|role| keys.add(role.as_str(), role).unwrap());
    service.app = App::new(service.folder.path(), Settings::default()).unwrap();
    service.app.open(opened(service));
    service.router = router(&service.app);
    secrets
}

/// Path and methods of every route in a source file.
fn routes(source: &str) -> Vec<(String, Vec<&'static str>)> {
    let routes = source.split(".route(").skip(1).map(|route| {
        let path = route.split('"').nth(1).unwrap().to_owned();
        let methods = [("GET", "get("), ("POST", "post("), ("OPTIONS", "options(")];
        let taken = methods.into_iter().filter(|(_, call)| route.contains(call));
        (path, taken.map(|(method, _)| method).collect())
    });
    routes.collect()
}

/// The value of a cookie that an answer sets, as it is sent back.
fn cookies(answered: &Answered) -> String {
    let set = answered.headers.get_all(header::SET_COOKIE).iter();
    let pairs = set.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let kept: Vec<&str> = pairs.filter(|pair| !pair.ends_with('=')).collect();
    kept.join("; ")
}

fn form(method: &str, path: &str, cookies: &str, body: String) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header(header::COOKIE, cookies);
    request.body(Body::from(body)).unwrap()
}

/// The cookie of whoever logs in with a key; empty where the door stays shut.
async fn logged_in(service: &Service, key: &str) -> String {
    let door = service.send(form("GET", "/login", "", String::new())).await;
    let token = door.text.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let fields = format!("token={token}&next=/queue&key={key}");
    let answered = service
        .send(form("POST", "/login", &cookies(&door), fields))
        .await;
    match answered.status.as_u16() {
        303 => cookies(&answered),
        _ => String::new(),
    }
}

/// The console by nobody, by the bearer of a key without a log-in, and by everybody who tries to log in.
#[tokio::test]
async fn who_may_see_which_page() {
    let mut service = Service::ready();
    let secrets = keyed(&mut service);
    let mut passes = vec![String::new()];
    for secret in &secrets {
        passes.push(logged_in(&service, secret).await);
    }
    let mut told = Vec::new();
    for (path, methods) in routes(include_str!("../serve/console/routes.rs")) {
        for method in methods {
            let mut row = format!("{method} {path}:");
            for (place, pass) in passes.iter().enumerate() {
                let at = path.replace("{id}", "d1");
                let mut request = form(method, &at, pass, String::new());
                // A key alone opens no page: other sites cannot send it, but neither is it a log-in.
                let key = secrets.get(place.saturating_sub(1)).unwrap();
                let bearer = format!("Bearer {key}").parse().unwrap();
                request.headers_mut().insert(header::AUTHORIZATION, bearer);
                let answered = service.send(request).await;
                let goes_to_door = answered.headers.get(header::LOCATION);
                let goes_to_door =
                    goes_to_door.is_some_and(|to| to.to_str().unwrap().starts_with("/login"));
                row += match answered.status.as_u16() {
                    401 | 403 => " -",
                    _ if goes_to_door => " -",
                    _ => " +",
                };
            }
            told.push(row);
        }
    }
    // Forms without the token of their page are turned away, whoever sends them.
    insta::assert_snapshot!(told.join("\n"), @r"
    GET /: + + + +
    GET /login: + + + +
    POST /login: - - - -
    POST /logout: - - - -
    GET /queue: - - + +
    GET /queue/next: - - + +
    GET /search: - - + +
    GET /entries/{id}: - - + +
    GET /decisions/{id}: - - + +
    POST /decisions/{id}/judge: - - - -
    POST /decisions/{id}/undo: - - - -
    GET /decisions/{id}/replay: - - + +
    GET /networks: - - + +
    GET /removals: - - + +
    POST /removals: - - - -
    GET /removals.csv: - - + +
    GET /dashboard: - - + +
    GET /assets/console.css: + + + +
    GET /assets/console.js: + + + +
    GET /assets/icon.svg: + + + +
    ");
}

/// Hooks prove themselves by their source's secret, whoever else they are.
#[tokio::test]
async fn a_key_opens_no_hook() {
    let mut service = Service::ready();
    let secrets = keyed(&mut service);
    for (path, methods) in routes(include_str!("../serve/hooks/route.rs")) {
        for method in methods {
            for key in &secrets {
                service.key = Some(key.clone());
                let at = path
                    .replace("{source}", "nobody")
                    .replace("{callback}", "x");
                let answered = service.call(method, &at, "{}").await;
                let status = answered.status.as_u16();
                assert!([404, 405].contains(&status), "{method} {path}: {status}");
            }
        }
    }
}

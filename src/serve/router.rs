//! Which path is answered by whom, and what every request goes through.

use std::convert::Infallible;
use std::future::{poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::layer::layer_fn;
use tower::{Service, ServiceBuilder};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use tower_http::request_id::{MakeRequestId, MakeRequestUuid};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::serve::api::{decisions, flags, lookup, operating, screen, watchlist};
use crate::serve::app::Shared;
use crate::serve::auth::{admitted, own_host};
use crate::serve::console;
use crate::serve::description::{begun, completed};
use crate::serve::hooks::{self, Hooks};
use crate::serve::keys::Role;
use crate::serve::meters;
use crate::serve::problem::Problem;
use crate::serve::through::{Answering, Through};

/// Longest body: a batch of records, or one with a picture of 8 MiB in base64.
const BODY_BYTES_MAX: usize = 16 << 20;
/// What pages may load: only what the service itself serves.
const CONTENT_SECURITY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The viewer of the interface's description brings styles of its own.
const CONTENT_SECURITY_VIEWER: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Shortest answer that is compressed, in bytes: a shorter one fits one packet as it is.
const COMPRESSED_BYTES_MIN: u64 = 1_200;
/// Seconds after which a request that took too long may be tried again.
const LATE_RETRY_SECONDS: u64 = 5;
/// Goes with every request and its answer; made up for requests that bring none.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What every answer says unless it says otherwise itself.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The whole service.
pub(crate) fn router(app: &Shared) -> Router {
    let (calls, description) = calls(app).split_for_parts();
    let viewer = Router::from(SwaggerUi::new("/docs").url("/openapi.json", completed(description)));
    let viewer = viewer.layer(content_security(CONTENT_SECURITY_VIEWER));
    let hooks = Hooks::new(
        app.clone(),
        Arc::clone(&app.sources),
        app.pictures.get().cloned(),
    );
    let is_secure = app.settings.tls_cert.is_some();
    let doors = console::Settings::new(app.cookies.clone(), is_secure);
    let doors = match app.settings.behind_tls {
        true => doors.proxied(),
        false => doors,
    };
    let router = calls
        .merge(viewer)
        .merge(hooks::router(hooks))
        .merge(console::routes(app.clone(), doors))
        .fallback(|| async { Problem::not_found("no such path") })
        .method_not_allowed_fallback(|| async {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(
                status,
                "method not allowed",
                "this path takes another method",
            )
        });
    with_around(router, app)
}

/// A router with what is around every handler.
fn with_around(router: Router, app: &Shared) -> Router {
    let app = app.clone();
    let compressed = SizeAbove::new(COMPRESSED_BYTES_MIN).and(DefaultPredicate::new());
    // One layer and not one for each: every layer of a router is a box more that a request clones.
    router.layer(
        ServiceBuilder::new()
            .layer(layer_fn(move |inner| {
                let app = app.clone();
                Through {
                    inner,
                    pass: move |inner: &mut _, request| around(&app, inner, request),
                }
            }))
            .layer(CompressionLayer::new().compress_when(compressed)),
    )
}

/// The calls of the interface by the role they need.
fn calls(app: &Shared) -> OpenApiRouter {
    let least = |role| {
        let app = app.clone();
        layer_fn(move |inner| {
            let app = app.clone();
            Through {
                inner,
                pass: move |inner: &mut _, request| let_in(&app, role, inner, request),
            }
        })
    };
    let open = OpenApiRouter::new()
        .routes(routes!(operating::health))
        .routes(routes!(operating::ready))
        .routes(routes!(operating::metrics));
    let screening = OpenApiRouter::new()
        .routes(routes!(screen::screen))
        .routes(routes!(screen::screen_batch))
        .route_layer(least(Role::Screen));
    let analysts = OpenApiRouter::new()
        .routes(routes!(watchlist::entry))
        .routes(routes!(lookup::lookup))
        .routes(routes!(lookup::explain))
        .routes(routes!(decisions::judge))
        .routes(routes!(decisions::decisions))
        .routes(routes!(decisions::decision))
        .routes(routes!(decisions::replay))
        .route_layer(least(Role::Analyst));
    let admins = OpenApiRouter::new()
        .routes(routes!(watchlist::enroll))
        .routes(routes!(watchlist::withdraw))
        .routes(routes!(operating::erase))
        .routes(routes!(flags::undelivered))
        .route_layer(least(Role::Admin));
    OpenApiRouter::with_openapi(begun())
        .merge(open)
        .merge(screening)
        .merge(analysts)
        .merge(admins)
        .with_state(app.clone())
}

fn content_security(value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    let value = HeaderValue::from_static(value);
    SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, value)
}

/// Hands a request on if its caller has at least the role `least`, and says to the handler who it is.
fn let_in<S>(app: &Shared, least: Role, inner: &mut S, mut request: Request) -> Answering
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    match admitted(app, least, request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            Box::pin(inner.call(request))
        }
        Err(problem) => Box::pin(ready(Ok(problem.into_response()))),
    }
}

/// What every request goes through: it gets an id and a limit, is turned down where it comes from elsewhere, given up when it
/// takes too long or panics, counted, timed, and logged without its content; its answer says what pages may do with it.
fn around<S>(app: &Shared, inner: &mut S, mut request: Request) -> Answering
where
    S: Service<Request, Error = Infallible>,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    let begun = Instant::now();
    let id = id_of(&mut request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let limit = Duration::from_secs(app.settings.timeout_seconds);
    DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
    let is_let_in = own_host(app, &request);
    let begin = AssertUnwindSafe(|| inner.call(request));
    let answering = is_let_in.map(|()| catch_unwind(begin));
    Box::pin(async move {
        let mut response = match answering {
            Ok(Ok(answering)) => answered(answering, limit).await,
            Ok(Err(_)) => failed(),
            Err(problem) => problem.into_response(),
        };
        let headers = response.headers_mut();
        for (name, value) in HEADERS.into_iter().chain(id.map(|id| (REQUEST_ID, id))) {
            headers.entry(name).or_insert(value);
        }
        measured(&method, route.as_ref(), &response, begun.elapsed());
        Ok(response)
    })
}

/// The request's id, which it gets where it brings none.
fn id_of(request: &mut Request) -> Option<HeaderValue> {
    if let Some(id) = request.headers().get(REQUEST_ID) {
        return Some(id.clone());
    }
    let id = MakeRequestUuid
        .make_request_id(request)?
        .into_header_value();
    request.headers_mut().insert(REQUEST_ID, id.clone());
    Some(id)
}

/// The answer, unless it panics or takes longer than `limit`.
async fn answered<R: IntoResponse>(
    answering: impl Future<Output = Result<R, Infallible>>,
    limit: Duration,
) -> Response {
    let mut answering = pin!(answering);
    let caught = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(|answer| match answer {
                Ok(answer) => answer.into_response(),
                Err(never) => match never {},
            }),
            Err(_) => Poll::Ready(failed()),
        }
    });
    let answer = tokio::time::timeout(limit, caught).await;
    answer.unwrap_or_else(|_| {
        let detail = "this took longer than a request may take here";
        Problem::busy(StatusCode::SERVICE_UNAVAILABLE, detail, LATE_RETRY_SECONDS).into_response()
    })
}

fn failed() -> Response {
    let detail = "the request failed inside; the log says why";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail).into_response()
}

/// Counts and times a request, and logs it without its content.
fn measured(method: &Method, route: Option<&MatchedPath>, response: &Response, took: Duration) {
    let route = route.map_or("other", MatchedPath::as_str);
    let status = response.status().as_u16();
    meters::answered(route, status, took);
    tracing::debug!(%method, route, status, took_us = took.as_micros() as u64, "answered");
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::serve::app::App;
    use crate::serve::settings::Settings;

    /// What the answer to a request of `path` with these headers is.
    async fn answer(path: &str, headers: &[(&str, &str)]) -> Response {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            timeout_seconds: 1,
            ..Settings::default()
        };
        let app = App::new(folder.path(), settings).unwrap();
        let own = ([(header::CACHE_CONTROL, "max-age=60")], "x".repeat(10_000));
        let router = Router::new()
            .route("/short", get(|| async { "x".repeat(1_000) }))
            .route("/long", get(|| async { own }))
            .route("/late", get(std::future::pending::<()>))
            .route("/panics", get(async || -> () { panic!("of this test") }));
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        with_around(router, &app).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn every_answer_has_an_id_and_says_what_pages_may_do_with_it() {
        let elsewhere = [("host", "elsewhere.example")];
        for (path, headers, status) in [
            ("/short", [].as_slice(), 200),
            ("/long", &[], 200),
            ("/absent", &[], 404),
            ("/panics", &[], 500),
            ("/late", &[], 503),
            ("/short", &elsewhere, 421),
        ] {
            let answer = answer(path, headers).await;
            assert_eq!(answer.status().as_u16(), status, "{path}");
            if status >= 500 {
                let kind = &answer.headers()[header::CONTENT_TYPE];
                assert_eq!(kind, "application/problem+json", "{path}");
            }
            let told = |name: &str| answer.headers().get_all(name).iter().count();
            let names = HEADERS.map(|(name, _)| name);
            for name in names.iter().chain([&REQUEST_ID]) {
                assert_eq!(told(name.as_str()), 1, "{path} {name}");
            }
        }
    }

    #[tokio::test]
    async fn what_a_request_or_a_handler_says_stays() {
        let one = answer("/long", &[("x-request-id", "of-this-test")]).await;
        assert_eq!(one.headers()[REQUEST_ID], "of-this-test");
        assert_eq!(one.headers()[header::CACHE_CONTROL], "max-age=60");
        let (a, b) = (answer("/short", &[]).await, answer("/short", &[]).await);
        assert_ne!(a.headers()[REQUEST_ID], b.headers()[REQUEST_ID]);
    }

    #[tokio::test]
    async fn only_what_is_longer_than_a_packet_is_compressed_and_only_for_who_reads_it() {
        let gzip = [("accept-encoding", "gzip")];
        for (path, headers, is_compressed) in [
            ("/long", gzip.as_slice(), true),
            ("/long", &[], false),
            ("/short", &gzip, false),
        ] {
            let answer = answer(path, headers).await;
            let encoding = answer.headers().get(header::CONTENT_ENCODING);
            assert_eq!(encoding.is_some(), is_compressed, "{path}");
        }
    }
}

//! Which path is answered by whom, and what every request goes through.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::serve::api::{decisions, flags, lookup, operating, screen, watchlist};
use crate::serve::app::Shared;
use crate::serve::auth::{own_host, require};
use crate::serve::console;
use crate::serve::description::{begun, completed};
use crate::serve::hooks::{self, Hooks};
use crate::serve::keys::Role;
use crate::serve::meters;
use crate::serve::problem::Problem;

/// Longest body: a batch of records, or one with a picture of 8 MiB in base64.
const BODY_BYTES_MAX: usize = 16 << 20;
/// What pages may load: only what the service itself serves.
const CONTENT_SECURITY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The viewer of the interface's description brings styles of its own.
const CONTENT_SECURITY_VIEWER: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

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
    calls
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
        })
        .layer(content_security(CONTENT_SECURITY))
        .layer(plain(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(plain(header::REFERRER_POLICY, "no-referrer"))
        .layer(plain(header::CACHE_CONTROL, "no-store"))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(app.settings.timeout_seconds),
        ))
        .layer(CatchPanicLayer::custom(|_| {
            let detail = "the request failed inside; the log says why";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
                .into_response()
        }))
        .layer(from_fn_with_state(app.clone(), own_host))
        .layer(from_fn(measured))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}

/// The calls of the interface by the role they need.
fn calls(app: &Shared) -> OpenApiRouter {
    let least = |role| from_fn_with_state((app.clone(), role), require);
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

fn plain(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

fn content_security(value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    plain(header::CONTENT_SECURITY_POLICY, value)
}

/// Counts and times a request, and logs it without its content.
async fn measured(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "other".to_owned());
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    meters::answered(&route, status, took);
    tracing::debug!(%method, route, status, took_us = took.as_micros() as u64, "answered");
    response
}

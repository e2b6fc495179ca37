//! The fake desk on a socket, with as much of the API as a browser test needs to bring accounts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::json;

use crate::account::Account;
use crate::format::Parser;
use crate::hash::Secret;
use crate::serve::console::fake::{Fake, KEY};
use crate::serve::console::{Settings, routes};
use crate::wire::AccountRecord;

/// The console, and the two calls of the API by which a browser test brings accounts.
pub(super) fn router(fake: Arc<Fake>) -> Router {
    let settings = Settings::new(Secret::new([9; 32]), false);
    Router::new()
        .route("/v1/screen", post(screen))
        .route("/v1/watchlist", post(enroll))
        .with_state(fake.clone())
        .merge(routes(fake, settings))
}

/// The account of a call with the right key.
fn read(headers: &HeaderMap, record: AccountRecord) -> Option<Account> {
    let sent = headers.get("authorization")?.to_str().ok()?;
    let is_known = sent == format!("Bearer {KEY}");
    is_known.then(|| Parser::default().labelled(record).unwrap().account)
}

async fn screen(
    State(fake): State<Arc<Fake>>,
    headers: HeaderMap,
    Json(record): Json<AccountRecord>,
) -> Response {
    let told = read(&headers, record).map(|account| fake.screen_at(&account, Timestamp::now()));
    told.map_or_else(unknown, |told| told.unwrap().into_response())
}

async fn enroll(
    State(fake): State<Arc<Fake>>,
    headers: HeaderMap,
    Json(record): Json<AccountRecord>,
) -> Response {
    let lsn = read(&headers, record).map(|account| fake.enrolled(account));
    lsn.map_or_else(unknown, |lsn| Json(json!({"lsn": lsn})).into_response())
}

fn unknown() -> Response {
    StatusCode::UNAUTHORIZED.into_response()
}

/// Serves the fake on `MIRRORWATCH_CONSOLE` (an address of this machine) until standard input ends.
#[test]
#[ignore = "a server for scripts/test-console, not a test"]
fn serve() {
    let address = std::env::var("MIRRORWATCH_CONSOLE").unwrap_or("127.0.0.1:0".into());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
        let app = router(Arc::new(Fake::seeded()));
        println!("console on http://{}", listener.local_addr().unwrap());
        let ended = async {
            let mut line = String::new();
            let mut input = tokio::io::BufReader::new(tokio::io::stdin());
            while tokio::io::AsyncBufReadExt::read_line(&mut input, &mut line)
                .await
                .unwrap_or(0)
                > 0
            {
                line.clear();
            }
        };
        axum::serve(listener, app)
            .with_graceful_shutdown(ended)
            .await
            .unwrap();
    });
}

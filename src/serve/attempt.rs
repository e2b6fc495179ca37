//! One attempt to hand a message to an endpoint: signed as Standard Webhooks 1.0, and what came of it.
//!
//! It never says what the endpoint answered beyond its status, and follows nowhere: the client sees to that.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Url};

use crate::serve::hooks::standard_digest;

/// What an attempt came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The endpoint has it.
    Taken,
    /// It wants no more.
    Gone,
    /// It did not take it.
    Failed {
        /// Why, without the endpoint's words.
        reason: String,
        /// What the endpoint asked for.
        pause: Option<Duration>,
    },
}

/// Sends to one endpoint.
pub(crate) struct Sender {
    /// Name of the endpoint.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) url: Url,
    /// What signs.
    pub(crate) key: Vec<u8>,
    /// Keeps connections.
    pub(crate) client: Client,
}

impl Sender {
    /// Makes one attempt, signed for this moment.
    pub(crate) async fn attempt(&self, id: &str, body: &str) -> Attempt {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let timestamp = now.unwrap_or_default().as_secs().to_string();
        let digest = standard_digest(&self.key, id, &timestamp, body.as_bytes());
        let request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp)
            .header(
                "webhook-signature",
                format!("v1,{}", STANDARD.encode(digest)),
            )
            .body(body.to_owned());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Attempt::Taken,
            Ok(answer) if answer.status() == StatusCode::GONE => Attempt::Gone,
            Ok(answer) => {
                let pause = answer.headers().get("retry-after");
                let pause = pause.and_then(|value| value.to_str().ok()?.parse().ok());
                Attempt::Failed {
                    reason: format!("answered {}", answer.status().as_u16()),
                    pause: pause.map(Duration::from_secs),
                }
            }
            Err(error) => {
                let reason = match error.is_timeout() {
                    true => "no answer in time",
                    false => "not reached",
                };
                Attempt::Failed {
                    reason: reason.to_owned(),
                    pause: None,
                }
            }
        }
    }
}

//! Keys that change: read again and again from where their owner shows them.
//!
//! Google signs with keys it changes every few days and shows at
//! `https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com`. Where they cannot be read the
//! ones read last stay, so that an outage there is none here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::sync::watch;

use crate::serve::guard::client;
use crate::serve::hooks::jwt::Keys;
use crate::serve::hooks::settings::{FirebaseTrust, Sources};

/// How often keys are read. Google shows a new key a day or more before it signs with it.
const EVERY: Duration = Duration::from_secs(3_600);
/// How soon again after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(60);
/// Longest time an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Most bytes of an answer. Google's has 5 KiB.
const BYTES_MAX: usize = 256 << 10;

/// Keeps the keys of all sources fresh, and says in `read_once` when each was asked for once. Never ends where a source names an
/// address; ends at once where none does.
pub(crate) async fn keep_keys(sources: Arc<Sources>, read_once: watch::Sender<bool>) {
    if sources
        .all()
        .all(|source| addressed(source.firebase.as_ref()).is_none())
    {
        return;
    }
    let Ok(client) = client().timeout(ANSWER_MAX).build() else {
        tracing::error!("keys cannot be read: no client for https could be made");
        return;
    };
    loop {
        let mut pause = EVERY;
        for source in sources.all() {
            let Some((trust, url)) = addressed(source.firebase.as_ref()) else {
                continue;
            };
            if let Err(reason) = refresh(&client, trust, url).await {
                tracing::warn!(
                    source = source.name,
                    reason,
                    "keys could not be read; the last ones stay"
                );
                pause = AFTER_FAILURE;
            }
        }
        // Nobody may wait for it any more.
        let _ = read_once.send(true);
        tokio::time::sleep(pause).await;
    }
}

fn addressed(trust: Option<&FirebaseTrust>) -> Option<(&FirebaseTrust, &str)> {
    let trust = trust?;
    Some((trust, trust.keys_url.as_deref()?))
}

/// Reads the keys once.
///
/// # Errors
/// Why there are none.
pub(crate) async fn refresh(
    client: &Client,
    trust: &FirebaseTrust,
    url: &str,
) -> Result<(), String> {
    let answer = client.get(url).send().await;
    let mut answer = answer.map_err(|error| error.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("answered {}", answer.status().as_u16()));
    }
    let mut bytes = Vec::new();
    let broken = |error: reqwest::Error| error.without_url().to_string();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > BYTES_MAX {
            return Err("the answer is too large".to_owned());
        }
    }
    let pems: BTreeMap<String, String> =
        serde_json::from_slice(&bytes).map_err(|_| "no JSON object of PEM texts".to_owned())?;
    let read = Keys::read(&pems)?;
    trust
        .trusted_keys
        .store(Arc::new(read.and(&trust.given_keys)));
    Ok(())
}

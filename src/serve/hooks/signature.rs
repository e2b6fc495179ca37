//! Did the platform send these bytes? HMAC, Standard Webhooks and bearer secrets, each compared in constant time.
//!
//! Everything here works on the raw body. The present moment is passed in, so that the same request gives the same answer.

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::serve::hooks::refusal::Refusal;

/// Shortest key of Standard Webhooks, in bytes (section "Signature scheme").
const STANDARD_KEY_LEN_MIN: usize = 24;

/// A shared secret as the operator wrote it. Its `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct SharedSecret(String);

impl SharedSecret {
    /// Takes the secret's text.
    #[cfg(test)]
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// True where none was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes of the text.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The key of a Standard Webhooks secret: what `whsec_` (or Supabase's `v1,whsec_`) precedes, in base64; none where it is
    /// shorter than the standard has it.
    pub(crate) fn standard_key(&self) -> Option<Vec<u8>> {
        let text = self.0.trim();
        let text = text.strip_prefix("v1,").unwrap_or(text);
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let key = STANDARD.decode(text).ok()?;
        (key.len() >= STANDARD_KEY_LEN_MIN).then_some(key)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

/// HMAC-SHA256 of some parts, one after the other. Keys may have any length (RFC 2104).
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key longer than a block is hashed and a shorter one padded, as RFC 2104 has it; then no length can be refused.
    let mut block = [0u8; 64];
    match key.len() <= block.len() {
        true => copy(&mut block, key),
        false => copy(&mut block, &Sha256::digest(key)),
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn copy(block: &mut [u8], bytes: &[u8]) {
    for (slot, byte) in block.iter_mut().zip(bytes) {
        *slot = *byte;
    }
}

/// Holds `header`, `sha256=` and a hex HMAC-SHA256 of the body, against each of `secrets` (Mastodon, Discourse, GitHub).
///
/// # Errors
/// The header is missing or none of the secrets made it.
pub(crate) fn hub(
    headers: &HeaderMap,
    header: &'static str,
    body: &[u8],
    secrets: &[&SharedSecret],
) -> Result<(), Refusal> {
    let missing = Refusal::Unproven("the signature header is missing");
    let value = headers.get(header).ok_or(missing)?.as_bytes();
    let hex = value.strip_prefix(b"sha256=").ok_or(Refusal::Unproven(
        "expected a signature of the form sha256=<hex>",
    ))?;
    let signature = unhex(hex).ok_or(Refusal::Unproven("the signature is no hex of 32 bytes"))?;
    let is_ours = |secret: &&SharedSecret| hmac_sha256(secret.bytes(), &[body]).ct_eq(&signature);
    held(any(secrets.iter().map(is_ours)))
}

/// Holds a Standard Webhooks request against each of `secrets`. Several signatures may stand in the header, parted by spaces
/// as the standard has it or by commas and spaces as Supabase sends them. `now` and `tolerance` are in seconds.
///
/// # Errors
/// A header is missing, the timestamp lies further from `now` than `tolerance`, or none of the secrets made any signature.
pub(crate) fn standard(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[&SharedSecret],
    (now, tolerance): (i64, u32),
) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(timestamp), Some(signatures)) = (
        text("webhook-id"),
        text("webhook-timestamp"),
        text("webhook-signature"),
    ) else {
        return Err(Refusal::Unproven(
            "expected webhook-id, webhook-timestamp and webhook-signature",
        ));
    };
    let sent: i64 = timestamp
        .parse()
        .map_err(|_| Refusal::Unproven("webhook-timestamp is no count of seconds"))?;
    if now.abs_diff(sent) > u64::from(tolerance) {
        return Err(Refusal::Unproven(
            "webhook-timestamp is too far from the present",
        ));
    }
    let given: Vec<Vec<u8>> = signatures
        .split_ascii_whitespace()
        .filter_map(|signature| signature.trim_matches(',').strip_prefix("v1,"))
        .filter_map(|signature| STANDARD.decode(signature).ok())
        .collect();
    let mut is_ours = Choice::from(0);
    for key in secrets.iter().filter_map(|secret| secret.standard_key()) {
        let signed = standard_digest(&key, id, timestamp, body);
        is_ours |= any(given.iter().map(|given| signed.as_slice().ct_eq(given)));
    }
    held(is_ours)
}

/// What Standard Webhooks sign: `id.timestamp.body`.
pub(crate) fn standard_digest(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    hmac_sha256(
        key,
        &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body],
    )
}

/// Holds `Authorization: Bearer <secret>` against each of `secrets`.
///
/// # Errors
/// The header is missing or carries another secret.
pub(crate) fn bearer(headers: &HeaderMap, secrets: &[&SharedSecret]) -> Result<(), Refusal> {
    let missing = Refusal::Unproven("expected Authorization: Bearer <secret>");
    let value = headers.get(header::AUTHORIZATION).ok_or(missing.clone())?;
    let (scheme, given) = split_scheme(value.as_bytes()).ok_or(missing.clone())?;
    match scheme.eq_ignore_ascii_case(b"bearer") {
        true => same_text(given, secrets),
        false => Err(missing),
    }
}

/// Holds the whole of `header` against each of `secrets`: what API gateways call an API key.
///
/// # Errors
/// The header is missing or carries another secret.
pub(crate) fn api_key(
    headers: &HeaderMap,
    header: &'static str,
    secrets: &[&SharedSecret],
) -> Result<(), Refusal> {
    let missing = Refusal::Unproven("the secret's header is missing");
    same_text(headers.get(header).ok_or(missing)?.as_bytes(), secrets)
}

/// Compares digests, which all have one length: how long a secret is does not show in the time taken.
fn same_text(given: &[u8], secrets: &[&SharedSecret]) -> Result<(), Refusal> {
    let given = Sha256::digest(given);
    let is_ours = |secret: &&SharedSecret| Sha256::digest(secret.bytes()).ct_eq(&given);
    held(any(secrets.iter().map(is_ours)))
}

fn split_scheme(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    Some((value.get(..space)?, value.get(space + 1..)?.trim_ascii()))
}

/// Looks at every comparison, whichever of them held.
fn any(comparisons: impl Iterator<Item = Choice>) -> Choice {
    comparisons.fold(Choice::from(0), |any, held| any | held)
}

fn held(is_ours: Choice) -> Result<(), Refusal> {
    match bool::from(is_ours) {
        true => Ok(()),
        false => Err(Refusal::Unproven("the signature or secret does not match")),
    }
}

fn unhex(hex: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| {
        (byte as char)
            .to_digit(16)
            .and_then(|n| u8::try_from(n).ok())
    };
    let mut bytes = [0u8; 32];
    if hex.len() != 2 * bytes.len() {
        return None;
    }
    for (slot, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *slot = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

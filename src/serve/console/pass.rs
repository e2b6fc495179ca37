//! The browser's cookie: who logged in and until when, under a keyed digest.
//!
//! A cookie names the key's id and its end; whether the key is still live is asked of the desk at each request. All that is
//! kept on the server is which log-ins were ended before their time. The token of forms is a digest of the cookie, so that no
//! other site can know it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq;

use crate::hash::Secret;

/// How the console behaves at its door.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Keys cookies and form tokens; another secret logs everybody out.
    pub secret: Secret,
    /// The service is reached by TLS: cookies are for TLS alone.
    pub is_secure: bool,
    /// A proxy of the operator's stands before it, whose word on who calls is believed.
    pub is_proxied: bool,
    /// How long a log-in lasts.
    pub lasts: SignedDuration,
}

/// Log-ins ended before their time, until it comes: by the digest that ends their cookie.
#[derive(Debug, Default)]
pub(crate) struct Ended(Mutex<HashMap<String, i64>>);

impl Ended {
    /// Ends a log-in whose cookie was read.
    pub(crate) fn end(&self, cookie: &str, pass: &Pass, now: Timestamp) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, until| *until > now.as_second());
        let (_, digest) = cookie.rsplit_once('.').unwrap_or_default();
        ended.insert(digest.to_owned(), pass.until);
    }

    /// Whether the log-in of this cookie was ended.
    pub(crate) fn has(&self, cookie: &str) -> bool {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, digest) = cookie.rsplit_once('.').unwrap_or_default();
        ended.contains_key(digest)
    }
}

/// What a valid cookie says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pass {
    /// The public id of the key that logged in.
    pub key_id: String,
    /// What every form of this log-in carries.
    pub token: String,
    /// When it ends, in seconds since 1970.
    pub until: i64,
}

impl Settings {
    /// Settings with a twelve-hour log-in.
    pub(crate) fn new(secret: Secret, is_secure: bool) -> Self {
        Self {
            secret,
            is_secure,
            is_proxied: false,
            lasts: SignedDuration::from_hours(12),
        }
    }

    /// Behind a proxy that speaks TLS: browsers reach the service by it.
    pub(crate) fn proxied(self) -> Self {
        Self {
            is_secure: true,
            is_proxied: true,
            ..self
        }
    }

    /// Where someone comes from, as far as a customer of a network provider is told apart: an address, or the /64 of one.
    /// Behind a proxy it is what the proxy added last to `X-Forwarded-For`.
    pub(crate) fn peer(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> String {
        let named = headers.get_all("x-forwarded-for").iter().next_back();
        let named =
            named.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        let address = named.filter(|_| self.is_proxied).or(peer);
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V6(v6)) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Some(v4) => v4.to_string(),
            None => String::new(),
        }
    }

    /// The cookie's name; browsers take a `__Host-` cookie from this very host and by TLS only.
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.is_secure {
            "__Host-mirrorwatch"
        } else {
            "mirrorwatch"
        }
    }

    /// The cookie of a log-in at `now`.
    pub(crate) fn issue(&self, key_id: &str, now: Timestamp) -> String {
        let until = now.as_second().saturating_add(self.lasts.as_secs());
        // So that no two log-ins have one cookie; without randomness those of one second and key do.
        let mut nonce = [0; 8];
        let _ = getrandom::fill(&mut nonce);
        let said = format!("{until}.{}.{}", hex(key_id.as_bytes()), hex(&nonce));
        format!("{said}.{}", self.digest("console cookie", &said))
    }

    /// What a cookie says, if it was issued here and has not ended.
    pub(crate) fn read(&self, cookie: &str, now: Timestamp) -> Option<Pass> {
        let (said, digest) = cookie.rsplit_once('.')?;
        let expected = self.digest("console cookie", said);
        if !bool::from(expected.as_bytes().ct_eq(digest.as_bytes())) {
            return None;
        }
        let (until, rest) = said.split_once('.')?;
        let (key_id, _) = rest.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        if until <= now.as_second() {
            return None;
        }
        Some(Pass {
            key_id: String::from_utf8(unhex(key_id)?).ok()?,
            token: self.token(cookie),
            until,
        })
    }

    /// The form token that goes with a cookie.
    pub(crate) fn token(&self, cookie: &str) -> String {
        self.digest("console form", cookie)
    }

    /// Whether a form was made for this cookie. Constant time.
    pub(crate) fn is_own(&self, cookie: &str, token: &str) -> bool {
        self.token(cookie).as_bytes().ct_eq(token.as_bytes()).into()
    }

    fn digest(&self, use_of: &str, text: &str) -> String {
        hex(&self.secret.keyed(use_of, text).0)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_where_there_is_one() {
        let here = "127.0.0.1".parse().ok();
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "203.0.113.9, 198.51.100.7".parse().unwrap(),
        );
        let direct = Settings::new(Secret::new([7; 32]), false);
        assert_eq!(direct.peer(&headers, here), "127.0.0.1");
        let proxied = direct.proxied();
        assert!(proxied.is_secure);
        assert_eq!(proxied.peer(&headers, here), "198.51.100.7");
        assert_eq!(proxied.peer(&HeaderMap::new(), here), "127.0.0.1");
        let neighbours = ["2001:db8:1:2::9", "2001:db8:1:2:3::1"].map(|ip| ip.parse().ok());
        let [one, two] = neighbours.map(|ip| proxied.peer(&HeaderMap::new(), ip));
        assert_eq!(one, two);
    }

    #[test]
    fn a_cookie_is_taken_until_its_end_and_unchanged() {
        let settings = Settings::new(Secret::new([7; 32]), false);
        let now = Timestamp::UNIX_EPOCH;
        let cookie = settings.issue("key ü.1", now);
        let pass = settings.read(&cookie, now).unwrap();
        assert_eq!(pass.key_id, "key ü.1");
        assert!(settings.is_own(&cookie, &pass.token) && !settings.is_own(&cookie, ""));
        let again = settings.issue("key ü.1", now);
        assert_ne!(cookie, again);
        let ended = Ended::default();
        ended.end(&cookie, &pass, now);
        assert!(ended.has(&cookie) && !ended.has(&again));
        let late = now + settings.lasts;
        ended.end(&again, &settings.read(&again, now).unwrap(), late);
        assert!(!ended.has(&cookie), "it is at its end anyway");
        assert_eq!(settings.read(&cookie, late), None);
        let other = Settings::new(Secret::new([8; 32]), false);
        assert_eq!(other.read(&cookie, now), None);
        for at in 0..cookie.len() {
            let mut forged = cookie.clone().into_bytes();
            forged[at] ^= 1;
            assert_eq!(
                settings.read(&String::from_utf8(forged).unwrap(), now),
                None
            );
        }
        for broken in ["", ".", "..", "1.2.3", "é.é.é"] {
            assert_eq!(settings.read(broken, now), None);
        }
    }
}

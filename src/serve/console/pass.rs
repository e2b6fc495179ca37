//! The browser's cookie: who logged in and until when, under a keyed digest.
//!
//! Nothing is kept on the server. A cookie names the key's id and its end; whether the key is still live is asked of
//! the desk at each request. The token of forms is a digest of the cookie, so that no other site can know it.

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
    /// How long a log-in lasts.
    pub lasts: SignedDuration,
}

/// What a valid cookie says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pass {
    /// The public id of the key that logged in.
    pub key_id: String,
    /// What every form of this log-in carries.
    pub token: String,
}

impl Settings {
    /// Settings with a twelve-hour log-in.
    pub(crate) fn new(secret: Secret, is_secure: bool) -> Self {
        Self {
            secret,
            is_secure,
            lasts: SignedDuration::from_hours(12),
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
        let said = format!("{until}.{}", hex(key_id.as_bytes()));
        format!("{said}.{}", self.digest("console cookie", &said))
    }

    /// What a cookie says, if it was issued here and has not ended.
    pub(crate) fn read(&self, cookie: &str, now: Timestamp) -> Option<Pass> {
        let (said, digest) = cookie.rsplit_once('.')?;
        let expected = self.digest("console cookie", said);
        if !bool::from(expected.as_bytes().ct_eq(digest.as_bytes())) {
            return None;
        }
        let (until, key_id) = said.split_once('.')?;
        if until.parse::<i64>().ok()? <= now.as_second() {
            return None;
        }
        Some(Pass {
            key_id: String::from_utf8(unhex(key_id)?).ok()?,
            token: self.token(cookie),
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
    fn a_cookie_is_taken_until_its_end_and_unchanged() {
        let settings = Settings::new(Secret::new([7; 32]), false);
        let now = Timestamp::UNIX_EPOCH;
        let cookie = settings.issue("key ü.1", now);
        let pass = settings.read(&cookie, now).unwrap();
        assert_eq!(pass.key_id, "key ü.1");
        assert!(settings.is_own(&cookie, &pass.token) && !settings.is_own(&cookie, ""));
        let late = now + settings.lasts;
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

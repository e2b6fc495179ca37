//! Which value may be stored in place of an opaque token (a device id, an e-mail address)?
//!
//! A digest under a secret key (HMAC-SHA256, RFC 2104, cut to 16 bytes as its section 5 allows): equal tokens stay
//! equal, and whoever holds the digests without the secret cannot try out values. Name and value are written with
//! their lengths, so that no other split of the same bytes gives the same digest. It does not canonicalise values
//! and does not keep the secret anywhere.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Length in bytes of the key block of HMAC-SHA256; a shorter key is padded with zeros (RFC 2104, section 2).
const KEY_BLOCK_LEN: usize = 64;

/// The 32 random bytes under which tokens are keyed. Its `Debug` shows nothing of them.
///
/// Two deployments with different secrets cannot compare tokens; losing the secret loses the tokens' use.
#[derive(Clone)]
pub struct Secret([u8; 32]);

/// The keyed digest of one named value: equal if and only if name and value were equal under the same secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyedToken(pub [u8; 16]);

impl Secret {
    /// Takes the secret's bytes; they should come from a random source.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the digest of `value` under its `name` ("device", "email"). Two SHA-256 blocks and more, about 1 us.
    pub fn keyed(&self, name: &str, value: &str) -> KeyedToken {
        let mut block = [0u8; KEY_BLOCK_LEN];
        for (slot, byte) in block.iter_mut().zip(self.0) {
            *slot = byte;
        }
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for part in [name, value] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        let mut token = [0u8; 16];
        for (slot, byte) in token.iter_mut().zip(mac.finalize().into_bytes()) {
            *slot = byte;
        }
        KeyedToken(token)
    }
}

impl KeyedToken {
    /// Returns the first eight bytes as an index key; the digest is uniform, so its high bits spread evenly.
    pub fn key(&self) -> u64 {
        self.0
            .iter()
            .take(8)
            .fold(0, |key, byte| (key << 8) | u64::from(*byte))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyedToken, Secret};
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use sha2::{Digest, Sha256};

    /// HMAC written out from RFC 2104, section 2.
    fn oracle(secret: [u8; 32], name: &str, value: &str) -> KeyedToken {
        let mut block = [0u8; 64];
        block[..32].copy_from_slice(&secret);
        let mut text = Vec::new();
        for part in [name, value] {
            text.extend((part.len() as u64).to_le_bytes());
            text.extend(part.as_bytes());
        }
        let inner: Vec<u8> = block.iter().map(|b| b ^ 0x36).chain(text).collect();
        let outer: Vec<u8> = block
            .iter()
            .map(|b| b ^ 0x5c)
            .chain(Sha256::digest(inner))
            .collect();
        let mut token = [0u8; 16];
        token.copy_from_slice(&Sha256::digest(outer)[..16]);
        KeyedToken(token)
    }

    #[test]
    fn splits_differ() {
        let secret = Secret::new([7; 32]);
        let whole = secret.keyed("device", "x");
        assert_ne!(whole, secret.keyed("devic", "ex"));
        assert_ne!(whole, secret.keyed("", "devicex"));
        assert_ne!(whole, secret.keyed("devicex", ""));
        assert_ne!(whole, Secret::new([8; 32]).keyed("device", "x"));
    }

    #[test]
    fn debug_is_silent_and_key_is_the_front() {
        assert_eq!(format!("{:?}", Secret::new([7; 32])), "Secret(..)");
        let token = KeyedToken([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(token.key(), 0x0102_0304_0506_0708);
    }

    proptest! {
        #[test]
        fn equals_the_definition(secret in any::<[u8; 32]>(), name in ".{0,20}", value in ".{0,90}") {
            prop_assert_eq!(Secret::new(secret).keyed(&name, &value), oracle(secret, &name, &value));
        }
    }
}

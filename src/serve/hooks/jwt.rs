//! Is this token (JWT, RFC 7519) signed by one of the keys that are believed, and what does it claim?
//!
//! RS256 alone; which algorithm is used is never the token's to choose. The arithmetic is that of the TLS library (ring through
//! rustls), which the service has anyway. Keys are public keys or certificates in PEM; whether a certificate has run out is not
//! looked at: whoever configures a key believes it.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::server::ParsedCertificate;
use serde::Deserialize;
use serde_json::Value;

use crate::serve::hooks::refusal::Refusal;

/// Public keys by id, as RSA keys in DER.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys(BTreeMap<String, Vec<u8>>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Keys {
    /// Reads keys given in PEM.
    ///
    /// # Errors
    /// Which key cannot be read.
    pub(crate) fn read(pems: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut keys = BTreeMap::new();
        for (id, pem) in pems {
            let key = public_key(pem)
                .ok_or_else(|| format!("`{id}` is no certificate and no RSA public key in PEM"))?;
            keys.insert(id.clone(), key);
        }
        Ok(Self(keys))
    }

    /// True where there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These keys and those of `others`.
    pub(crate) fn and(mut self, others: &Self) -> Self {
        let others = others.0.iter();
        (self.0).extend(others.map(|(id, key)| (id.clone(), key.clone())));
        self
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

/// The claims of `token` if one of `keys` signed it, or, where `allow_unsigned`, if it says that nobody did (`alg: none`).
/// Nothing is said of whether the claims are true of here and now: that is for the caller.
///
/// # Errors
/// No token, another algorithm, an unknown key or a wrong signature.
pub(crate) fn claims(token: &str, keys: &Keys, allow_unsigned: bool) -> Result<Value, Refusal> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(Refusal::Unproven("expected a token of three parts"));
    };
    let no_json = Refusal::Unproven("the token's parts are no JSON in base64url");
    let head: Header = decoded(header)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or(no_json.clone())?;
    let signed = token.len() - signature.len() - 1;
    let message = token.as_bytes().get(..signed).unwrap_or_default();
    match head.alg.as_str() {
        "RS256" => {
            let unknown = Refusal::Unproven("the token is signed by a key that is not believed");
            let key = head.kid.and_then(|kid| keys.0.get(&kid)).ok_or(unknown)?;
            let signature = decoded(signature).ok_or(no_json.clone())?;
            if !is_signed(key, message, &signature) {
                return Err(Refusal::Unproven("the token's signature does not match"));
            }
        }
        "none" if allow_unsigned && signature.is_empty() => {}
        _ => return Err(Refusal::Unproven("expected a token signed by RS256")),
    }
    let payload = decoded(payload).and_then(|bytes| serde_json::from_slice(&bytes).ok());
    payload.ok_or(no_json)
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

fn is_signed(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let mut rsa = algorithms
        .mapping
        .iter()
        .filter(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)
        .flat_map(|(_, algorithms)| algorithms.iter());
    rsa.any(|algorithm| algorithm.verify_signature(key, message, signature).is_ok())
}

/// The RSA key in a PEM text.
fn public_key(pem: &str) -> Option<Vec<u8>> {
    if let Ok(key) = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()) {
        return rsa_key(key.as_ref());
    }
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let parsed = ParsedCertificate::try_from(&certificate).ok()?;
    rsa_key(parsed.subject_public_key_info().as_ref())
}

/// `rsaEncryption` (1.2.840.113549.1.1.1) with its NULL parameters, in DER.
const RSA: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// The key in a SubjectPublicKeyInfo (RFC 5280, section 4.1): a sequence of algorithm and bit string.
fn rsa_key(info: &[u8]) -> Option<Vec<u8>> {
    let (0x30, content, _) = element(info)? else {
        return None;
    };
    let (0x30, algorithm, rest) = element(content)? else {
        return None;
    };
    let (0x03, bits, _) = element(rest)? else {
        return None;
    };
    // The first byte of a bit string counts the bits unused at its end.
    let (0, key) = bits.split_first().map(|(unused, key)| (*unused, key))? else {
        return None;
    };
    (algorithm == RSA).then(|| key.to_vec())
}

/// The first element of some DER: tag, content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x83 => {
            let digits = usize::from(long & 0x7f);
            let len = rest.get(..digits)?.iter();
            let len = len.fold(0, |len, byte| len << 8 | usize::from(*byte));
            (len, rest.get(digits..)?)
        }
        _ => return None,
    };
    Some((*tag, rest.get(..len)?, rest.get(len..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Keys, claims, element, rsa_key};

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(der in any::<Vec<u8>>(), token in "[A-Za-z0-9_.-]{0,80}") {
            if let Some((_, content, rest)) = element(&der) {
                assert!(content.len() + rest.len() < der.len());
            }
            assert_eq!(rsa_key(&der), None);
            assert!(claims(&token, &Keys::default(), true).is_err());
        }
    }
}

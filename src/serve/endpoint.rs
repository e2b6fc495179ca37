//! Who is told of flags: an address and the secret that signs what is sent there, checked when settings are read.

use reqwest::Url;
use serde::Deserialize;

use crate::error::Error;
use crate::serve::hooks::SharedSecret;

/// Who wants to hear of flags.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// Its name in logs and lists.
    pub(crate) name: String,
    /// Where flags are posted.
    pub(crate) url: String,
    /// `whsec_` and base64.
    pub(crate) secret: SharedSecret,
}

impl Endpoint {
    /// Finds what cannot work.
    ///
    /// # Errors
    /// An address or a secret that cannot be used.
    pub(crate) fn check(&self) -> Result<(Url, Vec<u8>), Error> {
        let url = Url::parse(&self.url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| wrong(&self.name, "`url` must be http or https"))?;
        let reason = "`secret` must be whsec_ and base64 of 24 bytes or more";
        let key = self.secret.standard_key();
        Ok((url, key.ok_or_else(|| wrong(&self.name, reason))?))
    }
}

/// An endpoint that cannot be used, and why.
pub(crate) fn wrong(name: &str, reason: &str) -> Error {
    Error::Malformed {
        what: format!("flags endpoint `{name}`"),
        reason: reason.to_owned(),
    }
}

//! Who may call: keys with a role, of which only salted hashes are kept, in a file beside the database.
//!
//! The command line changes the file, a running service reads it again when it has changed. A key is 32 random bytes, so
//! one round of SHA-256 over salt and key is enough: there is nothing to guess.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::error::{Error, Rejection, Result};

/// Name of the file in the database's folder.
pub(in crate::serve) const FILE: &str = "keys.json";
/// How every key begins, so that scanners for leaked secrets find it.
const PREFIX: &str = "mwk_";
/// How often a running service looks whether the file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest name of a key, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What a key may do; each role may what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Screen accounts.
    Screen,
    /// Look up, explain, judge.
    Analyst,
    /// Change the watchlist.
    Admin,
}

impl Role {
    /// Every role.
    pub(crate) const ALL: [Self; 3] = [Self::Screen, Self::Analyst, Self::Admin];

    /// The word of the contract.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == word);
        role.ok_or_else(|| "expected screen, analyst or admin".into())
    }
}

/// One key as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Public part, by which it is found.
    pub(crate) id: String,
    /// Who it was made for.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// When it was made, RFC 3339.
    pub(crate) created_at: String,
    salt: String,
    hash: String,
}

/// The keys of one database.
#[derive(Debug)]
pub(crate) struct Keys {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct Read {
    keys: Arc<Vec<Key>>,
    modified: Option<SystemTime>,
    looked_at: Instant,
}

impl Keys {
    /// The keys beside the database in `folder`.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        // First its time: should it change meanwhile, it is read again.
        let modified = modified(&path);
        let read = Read {
            keys: Arc::new(read(&path)?),
            modified,
            looked_at: Instant::now(),
        };
        Ok(Self {
            path,
            read: Mutex::new(read),
        })
    }

    /// Every key. Looks at the file at most once a second.
    pub(crate) fn all(&self) -> Arc<Vec<Key>> {
        let mut held = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looked_at.elapsed() >= LOOK_EVERY {
            held.looked_at = Instant::now();
            let now = modified(&self.path);
            if now != held.modified {
                match read(&self.path) {
                    Ok(keys) => {
                        held.keys = Arc::new(keys);
                        held.modified = now;
                    }
                    Err(error) => tracing::error!(%error, "keys could not be read again"),
                }
            }
        }
        Arc::clone(&held.keys)
    }

    /// The key that `secret` is, in constant time for keys of one id.
    pub(crate) fn find(&self, secret: &str) -> Option<Key> {
        let id = secret.strip_prefix(PREFIX)?.split_once('_')?.0;
        let keys = self.all();
        let key = keys.iter().find(|key| key.id == id)?;
        let hash = hash(&key.salt, secret);
        bool::from(hash.as_bytes().ct_eq(key.hash.as_bytes())).then(|| key.clone())
    }

    /// Makes a key; returns it as it is to be used, which nobody can read again.
    ///
    /// # Errors
    /// The name is taken or too long, or the file cannot be written.
    pub(crate) fn add(&self, name: &str, role: Role) -> Result<String> {
        let mut keys = read(&self.path)?;
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
            let reason = format!("expected 1 to {NAME_BYTES_MAX} bytes");
            return Err(Rejection::new("invalid_value", "name", reason).into());
        }
        if keys.iter().any(|key| key.name == name) {
            return Err(Rejection::new("taken", "name", "another key has this name").into());
        }
        let (id, salt) = (hex(&random::<6>()?), hex(&random::<16>()?));
        let secret = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
        keys.push(Key {
            hash: hash(&salt, &secret),
            id,
            name: name.to_owned(),
            role,
            created_at: Timestamp::now().to_string(),
            salt,
        });
        self.write(&keys)?;
        Ok(secret)
    }

    /// Ends a key, by its name or id; false where there is none.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub(crate) fn revoke(&self, name: &str) -> Result<bool> {
        let mut keys = read(&self.path)?;
        let before = keys.len();
        keys.retain(|key| key.name != name && key.id != name);
        if keys.len() < before {
            self.write(&keys)?;
        }
        Ok(keys.len() < before)
    }

    /// Replaces the file as a whole: a reader sees the old or the new one.
    fn write(&self, keys: &[Key]) -> Result<()> {
        let io = |error| Error::io(&self.path, error);
        let text = serde_json::to_vec_pretty(keys).map_err(|error| io(error.into()))?;
        let beside = self.path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside).map_err(io)?;
        file.write_all(&text).map_err(io)?;
        file.sync_all().map_err(io)?;
        std::fs::rename(&beside, &self.path).map_err(io)
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

fn read(path: &Path) -> Result<Vec<Key>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(path, error)),
    };
    serde_json::from_slice(&text).map_err(|error| Error::Malformed {
        what: path.display().to_string(),
        reason: format!("no file of keys: {error}"),
    })
}

fn hash(salt: &str, secret: &str) -> String {
    hex(&Sha256::digest(
        [salt.as_bytes(), secret.as_bytes()].concat(),
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Malformed {
        what: "the system's random numbers".into(),
        reason: error.to_string(),
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_until_it_is_revoked_and_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let secret = keys.add("signup", Role::Screen).unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        let found = keys.find(&secret).unwrap();
        assert_eq!((found.name.as_str(), found.role), ("signup", Role::Screen));
        let written = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let (_, random) = secret
            .strip_prefix(PREFIX)
            .unwrap()
            .split_once('_')
            .unwrap();
        assert!(!written.contains(random));
        for wrong in [
            "",
            "mwk_",
            "mwk_x_y",
            &secret[..secret.len() - 1],
            &format!("{secret}A"),
        ] {
            assert_eq!(keys.find(wrong), None);
        }
        assert!(keys.add("signup", Role::Admin).is_err());
        assert!(keys.revoke("signup").unwrap());
        assert!(!keys.revoke("signup").unwrap());
        assert_eq!(Keys::open(folder.path()).unwrap().find(&secret), None);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path())
            .unwrap()
            .add("a", Role::Admin)
            .unwrap();
        let mode = std::fs::metadata(folder.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

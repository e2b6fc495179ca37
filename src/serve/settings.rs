//! What an operator sets: a file in TOML, over it variables `MIRRORWATCH__...`, over both the command line.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, Environment, File, FileFormat};
use serde::Deserialize;

use crate::engine::Recency;
use crate::error::{Error, Result};
use crate::serve::endpoint::Endpoint;
use crate::serve::hooks::{Source, Sources};

/// Settings of the service. Every field has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Certificate chain in PEM; with `tls_key` the service speaks TLS.
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key in PEM.
    pub(crate) tls_key: Option<PathBuf>,
    /// A proxy before the service speaks TLS with browsers: cookies are for TLS alone, and who logs in is told apart by what the
    /// proxy adds to `X-Forwarded-For`.
    pub(crate) behind_tls: bool,
    /// Requests worked on at once; 0 for one a core.
    pub(crate) workers: usize,
    /// Requests that may wait for a worker; more are turned away with 503.
    pub(crate) queue_max: usize,
    /// A request that takes longer is given up, in seconds.
    pub(crate) timeout_seconds: u64,
    /// How long open requests may still take at the end, in seconds.
    pub(crate) drain_seconds: u64,
    /// Requests a second that one key may make; 0 for any number.
    pub(crate) requests_per_second: u32,
    /// How long and how much is kept.
    pub(crate) keep: Keep,
    /// Platforms whose webhooks are taken, each at `/hooks/<name>`.
    pub(crate) hooks: Vec<Source>,
    /// Who is told of flags.
    pub(crate) flags: Vec<Endpoint>,
    /// Addresses pictures may be fetched from although they are not public, such as a media server's in the own network.
    pub(crate) picture_addresses: Vec<IpAddr>,
}

/// How long and how much is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Keep {
    /// Signups are matched against later bans for so long, in hours.
    pub(crate) recent_hours: u32,
    /// At most so many of them; 0 for none.
    pub(crate) recent_signups: u32,
    /// Decisions are kept for so long, in days.
    pub(crate) decision_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            tls_cert: None,
            tls_key: None,
            behind_tls: false,
            workers: 0,
            queue_max: 1_024,
            timeout_seconds: 10,
            drain_seconds: 20,
            requests_per_second: 0,
            keep: Keep::default(),
            hooks: Vec::new(),
            flags: Vec::new(),
            picture_addresses: Vec::new(),
        }
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            recent_hours: 72,
            recent_signups: 1_000_000,
            decision_days: 365,
        }
    }
}

impl Settings {
    /// The settings of a file, if one is named, and of the environment.
    ///
    /// # Errors
    /// The file is absent, is no TOML, or sets what is not known or not possible.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        let mut layers = Config::builder();
        if let Some(file) = file {
            layers = layers.add_source(File::from(file).format(FileFormat::Toml));
        }
        let variables = Environment::with_prefix("MIRRORWATCH")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true);
        let loaded = layers.add_source(variables).build();
        let settings = loaded.and_then(Config::try_deserialize::<Self>);
        let settings = settings.map_err(|error| malformed(&error.to_string()))?;
        settings.check()?;
        Ok(settings)
    }

    /// Turns down what cannot work.
    ///
    /// # Errors
    /// Names the setting.
    pub(crate) fn check(&self) -> Result<()> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => return Err(malformed("tls_cert without tls_key")),
            (None, Some(_)) => return Err(malformed("tls_key without tls_cert")),
            _ => {}
        }
        for path in self.tls_cert.iter().chain(&self.tls_key) {
            std::fs::metadata(path).map_err(|error| Error::io(path, error))?;
        }
        if self.timeout_seconds == 0 {
            return Err(malformed("timeout_seconds: expected at least 1"));
        }
        let timeout = Duration::from_secs(self.timeout_seconds);
        for source in self.sources()?.all() {
            if source.fail_open && source.deadline() >= timeout {
                let name = &source.name;
                let reason = format!(
                    "timeout_seconds: hook `{name}` is to answer within {:?}, before it",
                    source.deadline()
                );
                return Err(malformed(&reason));
            }
        }
        for endpoint in &self.flags {
            endpoint.check()?;
        }
        if self.queue_max == 0 {
            return Err(malformed("queue_max: expected at least 1"));
        }
        Ok(())
    }

    /// The sources of hooks, checked.
    ///
    /// # Errors
    /// Names the source and what is wrong with it.
    pub(crate) fn sources(&self) -> Result<Sources> {
        Sources::checked(self.hooks.clone()).map_err(|reason| malformed(&reason))
    }

    /// Requests worked on at once.
    pub(crate) fn workers(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            workers => workers,
        }
    }

    /// What is kept at hand of recent signups.
    pub(crate) fn recency(&self) -> Recency {
        Recency {
            hours: self.keep.recent_hours,
            signups_max: self.keep.recent_signups,
        }
    }
}

fn malformed(reason: &str) -> Error {
    Error::Malformed {
        what: "settings".into(),
        reason: reason.into(),
    }
}

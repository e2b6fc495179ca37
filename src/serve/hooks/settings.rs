//! How each source of hooks is set up, and what is wrong with a set-up, said at start and not at the first signup.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Deserialize;
use url::{Host, Url};

use crate::account::PLATFORM_BYTES_MAX;
use crate::serve::hooks::jwt::Keys;
use crate::serve::hooks::signature::SharedSecret;
use crate::verdict::Verdict;

/// Shortest secret, in characters: as short as Mastodon allows.
const SECRET_LEN_MIN: usize = 12;
/// Furthest a signature's timestamp may lie from the present, in seconds, unless set otherwise: what the libraries of
/// Standard Webhooks allow.
const TOLERANCE_S: u32 = 300;
/// Shortest time an answer may be given, in milliseconds: a screening with a picture in it takes some tens.
const DEADLINE_MS_MIN: u32 = 100;
/// What a person reads who is refused, unless set otherwise. It says nothing of the reason on purpose.
const REFUSAL_TEXT: &str = "This account cannot be opened. Please contact support.";

/// Whose format a source speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Platform {
    /// Admin webhooks.
    Mastodon,
    /// Ory Kratos `web_hook`.
    Kratos,
    /// Matrix Synapse: our module, and synapse-http-antispam.
    Synapse,
    /// Supabase Auth hooks.
    Supabase,
    /// Firebase Authentication blocking functions.
    Firebase,
    /// Discourse webhooks.
    Discourse,
    /// CloudEvents 1.0 with an account record as data.
    Cloudevents,
    /// Standard Webhooks with an account record as data.
    Standard,
}

impl Platform {
    /// Whether it sends account records of the contract, whose writer can mend them: nothing of these is cut off.
    pub(crate) fn sends_records(self) -> bool {
        matches!(self, Self::Cloudevents | Self::Standard)
    }

    /// When who waits is let go on, in milliseconds, and from when on the platform waits no more by its own clock. Synapse's is
    /// that of our module, Supabase's is for all of its attempts; none where nobody waits.
    fn patience_ms(self) -> Option<(u32, u32)> {
        match self {
            Self::Synapse => Some((2_000, 3_000)),
            Self::Supabase => Some((2_500, 5_000)),
            Self::Firebase => Some((3_000, 7_000)),
            Self::Kratos => Some((3_000, 30_000)),
            Self::Mastodon | Self::Discourse | Self::Cloudevents | Self::Standard => None,
        }
    }

    /// What ids and the platform field of its accounts begin with.
    fn word(self) -> &'static str {
        match self {
            Self::Mastodon => "mastodon",
            Self::Kratos => "kratos",
            Self::Synapse => "matrix",
            Self::Supabase => "supabase",
            Self::Firebase => "firebase",
            Self::Discourse => "discourse",
            Self::Cloudevents => "cloudevents",
            Self::Standard => "standard",
        }
    }
}

/// What the platform is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Go on: nothing was found.
    Allow,
    /// Go on; people will look at the flag.
    #[default]
    Flag,
    /// Go on, but let nobody else see the account.
    ShadowBan,
    /// Refuse.
    Deny,
}

impl Action {
    /// Its word in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::ShadowBan => "shadow_ban",
            Self::Deny => "deny",
        }
    }
}

/// One source of hooks, at `/hooks/<name>`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// Its name in the path.
    pub name: String,
    /// Its format.
    pub platform: Platform,
    /// What proves the sender; Firebase has keys instead.
    #[serde(default)]
    pub secret: SharedSecret,
    /// The secret before the last change, accepted while senders are being changed over.
    #[serde(default)]
    pub previous_secret: SharedSecret,
    /// Whether a signup goes on when screening fails or is busy.
    #[serde(default = "yes")]
    pub fail_open: bool,
    /// With `fail_open`: who still waits after so many milliseconds goes on. The screening does too, and flags.
    #[serde(default)]
    pub deadline_ms: Option<u32>,
    /// What a `match` does.
    #[serde(default)]
    pub action_on_match: Action,
    /// What a `review` does.
    #[serde(default)]
    pub action_on_review: Action,
    /// Furthest a signed timestamp may lie from the present, in seconds.
    #[serde(default = "tolerance")]
    pub tolerance_s: u32,
    /// What ids begin with, where it is not the platform's word: two servers of one platform need two.
    #[serde(default)]
    pub id_prefix: Option<String>,
    /// Synapse: the server's name, where the sender does not tell it.
    #[serde(default)]
    pub domain: Option<String>,
    /// What a person reads who is refused.
    #[serde(default = "refusal_text")]
    pub refusal_text: String,
    /// Firebase: whose tokens are believed.
    #[serde(default)]
    pub firebase: Option<FirebaseTrust>,
}

/// Whose tokens are believed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirebaseTrust {
    /// The project's id: the tokens' issuer ends in it.
    pub project: String,
    /// The tokens' audience: the address that Firebase was given for this hook.
    pub audience: String,
    /// Certificates or public keys in PEM by key id, as Google serves them.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// Believes tokens without a signature. For the emulator alone: anybody can write such a token.
    #[serde(default)]
    pub allow_unsigned: bool,
    /// Where keys are read from again and again, as Google changes them every few days. Their form is that of `keys`, in JSON.
    #[serde(default)]
    pub keys_url: Option<String>,
    /// The keys of `keys`, read; see [`Source::check`].
    #[serde(skip)]
    pub given_keys: Keys,
    /// Those and the ones last read from `keys_url`.
    #[serde(skip)]
    pub trusted_keys: Arc<ArcSwap<Keys>>,
}

/// The sources by name, each found to work.
#[derive(Debug, Default)]
pub(crate) struct Sources(BTreeMap<String, Source>);

impl Sources {
    /// Checks `sources`.
    ///
    /// # Errors
    /// What is wrong with one, in words for the operator.
    pub(crate) fn checked(sources: Vec<Source>) -> Result<Self, String> {
        let mut by_name = BTreeMap::new();
        for mut source in sources {
            source.check()?;
            let name = source.name.clone();
            if by_name.insert(name.clone(), source).is_some() {
                return Err(format!("hook `{name}`: two sources have this name"));
            }
        }
        Ok(Self(by_name))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Source> {
        self.0.values()
    }

    /// The source of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Source> {
        self.0.get(name)
    }
}

impl Source {
    /// Finds what cannot work, and reads the keys.
    ///
    /// # Errors
    /// What is wrong, with the source's name and how to mend it.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let name = self.name.clone();
        let wrong = |what: &str| Err(format!("hook `{name}`: {what}"));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return wrong("`name` must be 1 to 64 letters, digits, - or _");
        }
        if self.prefix().is_empty() || self.prefix().len() > PLATFORM_BYTES_MAX {
            return wrong("`id_prefix` must be 1 to 64 bytes");
        }
        let actions = [self.action_on_match, self.action_on_review];
        let only_tells = matches!(self.platform, Platform::Mastodon | Platform::Discourse);
        if only_tells && actions.iter().any(|action| *action > Action::Flag) {
            return wrong("this platform only tells, and cannot be told to refuse: use `flag`");
        }
        if self.refusal_text.trim().is_empty() {
            return wrong(
                "`refusal_text` must say something: platforms take an empty one for no refusal",
            );
        }
        let has_shadow_ban = matches!(
            self.platform,
            Platform::Synapse | Platform::Cloudevents | Platform::Standard
        );
        if actions.contains(&Action::ShadowBan) && !has_shadow_ban {
            return wrong("this platform has no shadow ban: use `flag` or `deny`");
        }
        let patience = self.platform.patience_ms();
        match (self.deadline_ms, patience) {
            (Some(_), None) => return wrong("`deadline_ms`: nobody waits for an answer here"),
            (Some(ms), Some((_, most))) if ms < DEADLINE_MS_MIN || ms >= most => {
                return wrong(&format!(
                    "`deadline_ms` must be {DEADLINE_MS_MIN} or more and below {most}, when the platform gives up"
                ));
            }
            _ => {}
        }
        if self.platform == Platform::Firebase {
            return self.check_firebase();
        }
        if self.secret.len() < SECRET_LEN_MIN {
            return wrong("`secret` must be at least 12 characters");
        }
        if !self.previous_secret.is_empty() && self.previous_secret.len() < SECRET_LEN_MIN {
            return wrong("`previous_secret` must be at least 12 characters, or not be there");
        }
        if matches!(self.platform, Platform::Supabase | Platform::Standard)
            && !self
                .secrets()
                .iter()
                .all(|secret| secret.standard_key().is_some())
        {
            return wrong(
                "`secret` must be whsec_ (Supabase: v1,whsec_) and base64 of 24 bytes or more",
            );
        }
        Ok(())
    }

    fn check_firebase(&mut self) -> Result<(), String> {
        let name = &self.name;
        let Some(trust) = &mut self.firebase else {
            return Err(format!(
                "hook `{name}`: give `firebase` with `project`, `audience` and `keys`"
            ));
        };
        if trust.keys.is_empty() && trust.keys_url.is_none() && !trust.allow_unsigned {
            return Err(format!(
                "hook `{name}`: neither `firebase.keys` nor `firebase.keys_url`: no token could be believed"
            ));
        }
        if trust.keys_url.as_ref().is_some_and(|url| !is_safe(url)) {
            return Err(format!(
                "hook `{name}`: `firebase.keys_url` must be https: whoever changes the keys is believed"
            ));
        }
        trust.given_keys = Keys::read(&trust.keys)
            .map_err(|reason| format!("hook `{name}`: `firebase.keys`: {reason}"))?;
        trust.trusted_keys.store(Arc::new(trust.given_keys.clone()));
        Ok(())
    }

    /// The secrets that are accepted.
    pub(crate) fn secrets(&self) -> Vec<&SharedSecret> {
        let both = [&self.secret, &self.previous_secret].into_iter();
        both.filter(|secret| !secret.is_empty()).collect()
    }

    /// How long who waits may wait where they go on then. Without meaning where nobody waits.
    pub(crate) fn deadline(&self) -> Duration {
        let usual = self.platform.patience_ms().map_or(0, |(usual, _)| usual);
        Duration::from_millis(self.deadline_ms.unwrap_or(usual).into())
    }

    /// What ids begin with.
    pub(crate) fn prefix(&self) -> &str {
        self.id_prefix.as_deref().unwrap_or(self.platform.word())
    }

    /// The id of the platform's own id.
    pub(crate) fn id(&self, native: &str) -> String {
        format!("{}:{native}", self.prefix())
    }

    /// What a verdict does here.
    pub(crate) fn action(&self, verdict: Verdict) -> Action {
        match verdict {
            Verdict::Clear => Action::Allow,
            Verdict::Review => self.action_on_review,
            Verdict::Match => self.action_on_match,
        }
    }
}

/// Https, or a server on this machine.
fn is_safe(url: &str) -> bool {
    let is_here = |url: &Url| match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    Url::parse(url).is_ok_and(|url| url.scheme() == "https" || is_here(&url))
}

fn yes() -> bool {
    true
}

fn tolerance() -> u32 {
    TOLERANCE_S
}

fn refusal_text() -> String {
    REFUSAL_TEXT.to_owned()
}

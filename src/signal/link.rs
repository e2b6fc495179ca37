//! Links: the same invite, channel, shop or page.

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::normalize::lookalike::spelled;
use crate::normalize::url::LinkKey;
use crate::signal::relation::{Comparison, Crowd, Relation};
use crate::signal::weighted::WeightedSet;

/// Most bits of a link: a page that a handful of accounts in the world name.
const UNSEEN_BITS: f32 = 30.0;
/// Bits of having a link of that form at all, beyond the letters its owner chose: strangers of one name choose one
/// handle on every platform.
const OWNED_BITS: f32 = 6.0;
/// Bits of a site nobody counted.
const UNSEEN_SITE_BITS: f32 = 14.0;

/// An account's links and their sites, with their rarities.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Links {
    links: WeightedSet,
    sites: WeightedSet,
}

impl Links {
    /// The links that say something of their owner; a platform's own front page is none.
    pub fn of(found: &[LinkKey], background: &Background) -> Self {
        let site = |link: &LinkKey| {
            let key = feature(Space::Domain, link.domain.as_bytes());
            let counted = background.feature_bits(Space::Domain, key);
            (
                key,
                counted.unwrap_or(UNSEEN_SITE_BITS).min(UNSEEN_SITE_BITS),
            )
        };
        let link = |link: &LinkKey| {
            let key = feature(Space::Link, link.key.as_bytes());
            let counted = background.feature_bits(Space::Link, key);
            let by_letters = || background.text_bits(&spelled(owned_part(link))) + OWNED_BITS;
            (key, counted.unwrap_or_else(by_letters).min(UNSEEN_BITS))
        };
        let personal = || found.iter().filter(|link| link.personal);
        Self {
            links: WeightedSet::of(personal().map(link).collect()),
            sites: WeightedSet::of(
                personal()
                    .filter(|link| !link.domain.is_empty())
                    .map(site)
                    .collect(),
            ),
        }
    }

    /// True when the account tells no link.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The exact keys under which the links are found, which also count their carriers.
    pub fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.links.leading().chain(self.sites.leading())
    }

    /// What an ordinary account's links teach the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.extend(
            self.links
                .as_slice()
                .iter()
                .map(|(key, _)| (Space::Link, *key)),
        );
        features.extend(
            self.sites
                .as_slice()
                .iter()
                .map(|(key, _)| (Space::Domain, *key)),
        );
    }
}

/// The part of a link that its owner chose: the path, or the name of the domain.
fn owned_part(link: &LinkKey) -> &str {
    let (host, path) = link.key.split_once('/').unwrap_or((&link.key, ""));
    if path.is_empty() {
        host.split('.').next().unwrap_or(host)
    } else {
        path
    }
}

/// How the probe's links relate to the entry's. O(links).
pub(crate) fn compare(probe: &Links, entry: &Links, crowd: &Crowd) -> Comparison {
    if probe.is_empty() || entry.is_empty() {
        return Comparison::MISSING;
    }
    let same = entry.links.strongest_shared(&probe.links, crowd);
    if same > 0.0 {
        return Comparison::new(Relation::Same, same);
    }
    match entry.sites.strongest_shared(&probe.sites, crowd) {
        0.0 => Comparison::DIFFERENT,
        surprise => Comparison::new(Relation::SameSite, surprise),
    }
}

//! Links: the same invite, channel, shop or page.

use crate::background::Background;
use crate::hash::feature::{Space, feature};
use crate::normalize::lookalike::spelled;
use crate::normalize::url::LinkKey;
use crate::signal::crowd::Crowd;
use crate::signal::lead::Lead;
use crate::signal::packed::{Packer, Unpacker};
use crate::signal::relation::{Comparison, Relation, Signal};
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
pub struct Links<'a> {
    links: WeightedSet<'a>,
    sites: WeightedSet<'a>,
}

impl<'a> Links<'a> {
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

    /// The leads to accounts with a link, or only a site, in common.
    pub fn leads(&self) -> impl Iterator<Item = Lead> + '_ {
        let by = |signal, relation| {
            move |(key, bits)| Lead::counted(signal, Comparison::new(relation, bits), key)
        };
        let links = self.links.leading().map(by(Signal::Link, Relation::Same));
        links.chain(
            self.sites
                .leading()
                .map(by(Signal::Link, Relation::SameSite)),
        )
    }

    /// Every link and site.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        self.links.keys().chain(self.sites.keys())
    }

    /// Writes the links.
    pub(crate) fn pack(&self, packer: &mut Packer) {
        self.links.pack(packer);
        self.sites.pack(packer);
    }

    /// Reads what [`Links::pack`] wrote.
    pub(crate) fn unpack(unpacker: &mut Unpacker<'a>) -> Option<Self> {
        Some(Self {
            links: WeightedSet::unpack(unpacker)?,
            sites: WeightedSet::unpack(unpacker)?,
        })
    }

    /// What an ordinary account's links teach the background.
    pub fn observe(&self, features: &mut Vec<(Space, u64)>) {
        features.extend(self.links.iter().map(|(key, _)| (Space::Link, key)));
        features.extend(self.sites.iter().map(|(key, _)| (Space::Domain, key)));
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
pub(crate) fn compare(probe: &Links<'_>, entry: &Links<'_>, crowd: &Crowd<'_>) -> Comparison {
    if probe.is_empty() || entry.is_empty() {
        return Comparison::MISSING;
    }
    let capped = |key, bits| crowd.capped_link(key, bits);
    let same = entry.links.strongest_shared(&probe.links, capped);
    if same > 0.0 {
        return Comparison::new(Relation::Same, same);
    }
    match entry.sites.strongest_shared(&probe.sites, capped) {
        0.0 => Comparison::DIFFERENT,
        surprise => Comparison::new(Relation::SameSite, surprise),
    }
}

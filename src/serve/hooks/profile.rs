//! What do the free-form traits of an identity server say of a person?
//!
//! Kratos, Supabase and Firebase let every operator name the fields. The usual names are tried in turn; what is not among them
//! is not read. E-mail, phone and address become opaque tokens, which the engine keeps only as keyed hashes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Map, Value};

use crate::serve::hooks::settings::Source;
use crate::wire::AccountRecord;

/// Names a handle goes by, the likeliest first.
const HANDLES: [&str; 7] = [
    "username",
    "user_name",
    "preferred_username",
    "handle",
    "nickname",
    "login",
    "screen_name",
];
const NAMES: [&str; 5] = [
    "display_name",
    "displayName",
    "full_name",
    "fullName",
    "name",
];
const BIOS: [&str; 4] = ["bio", "about", "description", "summary"];
const LINKS: [&str; 5] = ["website", "url", "homepage", "link", "links"];
const LOCATIONS: [&str; 2] = ["location", "address_locality"];
const PICTURES: [&str; 5] = ["picture", "avatar_url", "avatarUrl", "avatar", "photo_url"];
const MAILS: [&str; 1] = ["email"];
const PHONES: [&str; 3] = ["phone", "phone_number", "phoneNumber"];

/// What was found among traits.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    /// User name, and the trait it stood in.
    pub handle: Option<(&'static str, String)>,
    /// Name shown.
    pub display_name: Option<String>,
    /// Profile text.
    pub bio: Option<String>,
    /// Place.
    pub location: Option<String>,
    /// Links.
    pub links: Vec<String>,
    /// Picture's address.
    pub picture: Option<String>,
    /// E-mail, as given.
    pub email: Option<String>,
    /// Phone, as given.
    pub phone: Option<String>,
}

impl Profile {
    /// Looks through `traits`, then through `more` for what they lack.
    pub(crate) fn of(traits: Option<&Value>, more: Option<&Value>) -> Self {
        let maps: Vec<&Map<String, Value>> = [traits, more]
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .collect();
        let text = |names: &[&'static str]| find(&maps, names).map(|(_, text)| text);
        Self {
            handle: find(&maps, &HANDLES),
            display_name: text(&NAMES).or_else(|| full_name(&maps)),
            bio: text(&BIOS),
            location: text(&LOCATIONS),
            links: links(&maps),
            picture: text(&PICTURES),
            email: text(&MAILS),
            phone: text(&PHONES),
        }
    }
}

impl Profile {
    /// The record of the account of this id in the platform's own words, which came from `address`.
    pub(crate) fn record(
        self,
        source: &Source,
        native: &str,
        address: Option<&str>,
    ) -> AccountRecord {
        AccountRecord {
            id: Some(source.id(native)),
            platform: Some(source.prefix().to_owned()),
            handle: self.handle.map(|(_, handle)| handle),
            display_name: self.display_name,
            bio: self.bio,
            location: self.location,
            links: (!self.links.is_empty()).then_some(self.links),
            tokens: tokens(self.email.as_deref(), self.phone.as_deref(), address),
            ..AccountRecord::default()
        }
    }
}

fn find(maps: &[&Map<String, Value>], names: &[&'static str]) -> Option<(&'static str, String)> {
    let in_map = |map: &&Map<String, Value>| {
        names.iter().find_map(|name| {
            let text = map.get(*name)?.as_str()?;
            (!text.trim().is_empty()).then(|| (*name, text.to_owned()))
        })
    };
    maps.iter().find_map(in_map)
}

/// `name: {first, last}`, as in the schemas Kratos ships.
fn full_name(maps: &[&Map<String, Value>]) -> Option<String> {
    let name = maps.iter().find_map(|map| map.get("name")?.as_object())?;
    let parts = ["first", "last"]
        .iter()
        .filter_map(|part| name.get(*part)?.as_str());
    let joined = parts.collect::<Vec<_>>().join(" ");
    (!joined.trim().is_empty()).then_some(joined)
}

fn links(maps: &[&Map<String, Value>]) -> Vec<String> {
    let mut links = Vec::new();
    for value in maps
        .iter()
        .flat_map(|map| LINKS.iter().filter_map(|name| map.get(*name)))
    {
        match value {
            Value::String(link) => links.push(link.clone()),
            Value::Array(several) => {
                links.extend(several.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    links.retain(|link| !link.trim().is_empty());
    links
}

/// The opaque identifiers of an account, by name; none where nothing was told.
pub(crate) fn tokens(
    email: Option<&str>,
    phone: Option<&str>,
    address: Option<&str>,
) -> Option<BTreeMap<String, String>> {
    let found = [
        ("email", email.and_then(mailbox)),
        ("phone", phone.and_then(digits)),
        ("ip_prefix", address.and_then(network)),
    ];
    let tokens: BTreeMap<String, String> = found
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    (!tokens.is_empty()).then_some(tokens)
}

/// The mailbox behind an e-mail address: lower case, without what follows a `+`, and without dots where the provider ignores
/// them, since one person writes one mailbox in many ways.
fn mailbox(email: &str) -> Option<String> {
    let lower = email.trim().to_lowercase();
    let (local, domain) = lower.rsplit_once('@')?;
    let local = local.split_once('+').map_or(local, |(name, _)| name);
    let ignores_dots = matches!(domain, "gmail.com" | "googlemail.com");
    let local = match ignores_dots {
        true => local.replace('.', ""),
        false => local.to_owned(),
    };
    let domain = if ignores_dots { "gmail.com" } else { domain };
    (!local.is_empty() && !domain.is_empty()).then(|| format!("{local}@{domain}"))
}

fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches("00");
    (digits.len() >= 6).then(|| digits.to_owned())
}

/// The network an address is in: what a household or a mobile customer keeps when the address changes. /24 and /48.
/// Addresses that say nothing of the person give none: those of this machine, of private networks, of a link, and of a
/// provider's own network (100.64.0.0/10, RFC 6598), which are one proxy's or many customers'.
fn network(address: &str) -> Option<String> {
    match address.trim().parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(v4) if is_nobodys(v4) => None,
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(v6)
            if v6.is_loopback()
                || v6.is_unique_local()
                || v6.is_unspecified()
                || v6.is_unicast_link_local()
                || v6.is_multicast() =>
        {
            None
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            Some(format!("{a:x}:{b:x}:{c:x}::/48"))
        }
    }
}

fn is_nobodys(v4: Ipv4Addr) -> bool {
    let [first, second, ..] = v4.octets();
    let is_of_a_provider = first == 100 && second & 0b1100_0000 == 64;
    first == 0
        || is_of_a_provider
        || v4.is_loopback()
        || v4.is_private()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_broadcast()
}

#[cfg(test)]
mod tests {
    use super::{digits, mailbox, network};

    #[test]
    fn one_mailbox_is_one_token() {
        for written in [
            "Bad.Actor+1@Gmail.com",
            " badactor@googlemail.com ",
            "b.adactor@gmail.com",
        ] {
            assert_eq!(mailbox(written).as_deref(), Some("badactor@gmail.com"));
        }
        assert_eq!(
            mailbox("a.b+c@example.org").as_deref(),
            Some("a.b@example.org")
        );
        assert_eq!(mailbox("nobody"), None);
        assert_eq!(mailbox("+tag@example.org"), None);
    }

    #[test]
    fn addresses_give_their_network_alone() {
        assert_eq!(network("198.51.100.77").as_deref(), Some("198.51.100.0/24"));
        assert_eq!(
            network("::ffff:198.51.100.77").as_deref(),
            Some("198.51.100.0/24")
        );
        assert_eq!(
            network("2001:db8:7:1::9").as_deref(),
            Some("2001:db8:7::/48")
        );
        assert_eq!(network("100.128.0.1").as_deref(), Some("100.128.0.0/24"));
        for nobody in [
            "127.0.0.1",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.1.1",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "::ffff:192.168.1.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "what",
        ] {
            assert_eq!(network(nobody), None);
        }
    }

    #[test]
    fn phones_are_their_digits() {
        assert_eq!(digits("+92 300 1234567").as_deref(), Some("923001234567"));
        assert_eq!(digits("0092-300-1234567").as_deref(), Some("923001234567"));
        assert_eq!(digits("12"), None);
    }
}

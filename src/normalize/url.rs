//! Which page, and whose, does a link lead to?
//!
//! A link becomes a key that every spelling of it shares: scheme, www, tracking, defanging and the platforms' many doors (telegram.me, youtu.be) are
//! undone, and on shared platforms (`platform`) only the part that names someone is kept. The registered domain comes from the public suffix list.
//! Nothing is fetched: shorteners and redirects stay what they are, except the ones that carry their target in the query.

use url::Url;

use crate::normalize::links::refanged;
use crate::normalize::platform::{Place, place};

/// A link reduced to what identifies its target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey {
    /// Host and path without scheme, such as `t.me/name`, `chat.whatsapp.com/CODE`, `example.org/path?id=1`.
    pub key: String,
    /// The registered domain by the public suffix list (private suffixes count, so `name.github.io` is one), or the host where there is none.
    pub domain: String,
    /// False if the key is only a shared host's own page and says nothing about a person.
    pub personal: bool,
}

/// Query parameters that track the reader and do not choose the page. Names ending in `*` are prefixes.
const TRACKING: [&str; 25] = [
    "utm_*", "fbclid", "gclid", "dclid", "msclkid", "yclid", "twclid", "ttclid", "igsh", "igshid",
    "si", "feature", "ref", "ref_src", "ref_url", "mibextid", "mc_cid", "mc_eid", "_ga", "__tn__",
    "source", "cxt", "share_id", "_r", "spm",
];

/// Pages that only forward, with the parameter that holds the target.
const REDIRECTS: [(&str, &str, &str); 6] = [
    ("l.facebook.com", "/l.php", "u"),
    ("lm.facebook.com", "/l.php", "u"),
    ("l.instagram.com", "/", "u"),
    ("google.com", "/url", "q"),
    ("youtube.com", "/redirect", "q"),
    ("l.threads.com", "/", "u"),
];

/// Hosts whose bare name says nothing about a person though their paths are kept whole: search, shortening and file services.
const SHARED_HOSTS: [&str; 24] = [
    "google.com",
    "docs.google.com",
    "drive.google.com",
    "forms.gle",
    "goo.gl",
    "bit.ly",
    "t.co",
    "tinyurl.com",
    "is.gd",
    "cutt.ly",
    "rb.gy",
    "shorturl.at",
    "wikipedia.org",
    "archive.org",
    "archive.is",
    "telegra.ph",
    "mega.nz",
    "mediafire.com",
    "pastebin.com",
    "justpaste.it",
    "apple.com",
    "play.google.com",
    "wordpress.com",
    "blogspot.com",
];

/// The key of a link, `None` if it is none (mail addresses, other schemes, hosts without a dot). A key is its own key. No network; about 2 us.
pub(crate) fn link_key(link: &str) -> Option<LinkKey> {
    let parsed = parse(link)?;
    let target = redirect_target(&parsed).and_then(|target| parse(&target));
    key_of(&target.unwrap_or(parsed))
}

/// Parses a link as typed: defanged, without scheme, or with an app's scheme.
fn parse(link: &str) -> Option<Url> {
    let plain = refanged(link);
    let plain = plain.trim();
    if let Some(rest) = strip_scheme(plain, "tg:") {
        return Url::parse(&format!("https://t.me/{}", rest.trim_start_matches('/'))).ok();
    }
    if let Some(rest) = strip_scheme(plain, "whatsapp:") {
        return Url::parse(&format!("https://wa.me/{}", rest.trim_start_matches('/'))).ok();
    }
    let has_scheme = plain.contains("://") && strip_scheme(plain, "http").is_some();
    let url = if has_scheme {
        Url::parse(plain).ok()?
    } else {
        let url = Url::parse(&format!("https://{}", plain.trim_start_matches('/'))).ok()?;
        let is_address = !url.username().is_empty() || url.password().is_some();
        let host = plain.split(['/', '?', '#']).next()?;
        // A lone number would parse as an IPv4 address.
        if is_address || host.contains(' ') || !host.contains(['.', '。']) {
            return None;
        }
        url
    };
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn strip_scheme<'a>(link: &'a str, scheme: &str) -> Option<&'a str> {
    let start = link.get(..scheme.len())?;
    start
        .eq_ignore_ascii_case(scheme)
        .then(|| link.get(scheme.len()..))?
}

fn redirect_target(url: &Url) -> Option<String> {
    url.query()?;
    let host = plain_host(url)?;
    let (_, _, parameter) = REDIRECTS
        .iter()
        .find(|(at, path, _)| *at == host && *path == url.path())?;
    let (_, target) = url.query_pairs().find(|(name, _)| name == parameter)?;
    target.starts_with("http").then(|| target.into_owned())
}

fn key_of(url: &Url) -> Option<LinkKey> {
    let host = plain_host(url)?;
    let domain = psl::domain_str(&host).unwrap_or(&host).to_string();
    // 80 and 443 are defaults of one scheme or the other, and keys have no scheme.
    let port = match url.port() {
        None | Some(80 | 443) => String::new(),
        Some(port) => format!(":{port}"),
    };
    let path = normal_escapes(url.path());
    let segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    if host == "matrix.to" {
        return Some(matrix_key(url, domain));
    }
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    match place(&host, &segments, &query) {
        Place::Named(key) => Some(platform_key(key, true)),
        Place::Shared(key) => Some(platform_key(key, false)),
        Place::Elsewhere => {
            let says_nothing = || {
                SHARED_HOSTS.contains(&host.as_str())
                    || (psl::domain_str(&host).is_none() && !is_address(&host))
            };
            let personal = !(segments.is_empty() && says_nothing());
            let path = page_path(&segments, url);
            Some(LinkKey {
                key: format!("{host}{port}{path}"),
                domain,
                personal,
            })
        }
    }
}

fn platform_key(key: String, personal: bool) -> LinkKey {
    let host = key.split('/').next().unwrap_or_default();
    let domain = psl::domain_str(host).unwrap_or(host).to_string();
    LinkKey {
        key,
        domain,
        personal,
    }
}

/// Rooms and users of Matrix are named in the fragment.
fn matrix_key(url: &Url, domain: String) -> LinkKey {
    let fragment = url.fragment().unwrap_or_default();
    let name = fragment
        .trim_start_matches('/')
        .split(['?', '/'])
        .next()
        .unwrap_or_default();
    let name =
        ["%23|#", "%40|@", "%3A|:", "%3a|:", "%21|!"]
            .iter()
            .fold(name.to_string(), |name, row| {
                let (escape, sign) = row.split_once('|').unwrap_or_default();
                name.replace(escape, sign)
            });
    let personal = !name.is_empty();
    let key = if personal {
        format!("matrix.to/#/{}", name.to_lowercase())
    } else {
        "matrix.to".to_string()
    };
    LinkKey {
        key,
        domain,
        personal,
    }
}

/// Path and content query of an ordinary page. A profile of the Mastodon family (`/@name`, `/users/name`) is cut to the name.
fn page_path(segments: &[&str], url: &Url) -> String {
    match segments {
        [name, ..] if name.starts_with('@') && name.len() > 1 => {
            return format!("/{}", name.to_lowercase());
        }
        ["users", name, ..] if url.query().is_none() => {
            return format!("/@{}", name.trim_start_matches('@').to_lowercase());
        }
        _ => {}
    }
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(segment);
    }
    let mut content: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !is_tracking(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    content.sort();
    if !content.is_empty() {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(content)
            .finish();
        path.push('?');
        path.push_str(&query);
    }
    path
}

fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TRACKING.iter().any(|row| match row.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => *row == name,
    })
}

/// The host in ASCII without www, m or mobile in front, as long as what is left can be registered (`m.me` stays).
fn plain_host(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.');
    let mut plain = host;
    while let Some(rest) = ["www.", "m.", "mobile."]
        .iter()
        .find_map(|prefix| plain.strip_prefix(prefix))
    {
        if psl::domain_str(rest).is_none() {
            break;
        }
        plain = rest;
    }
    (plain.contains('.') || is_address(plain)).then(|| plain.to_string())
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Percent escapes of letters, digits, `-._~` and of the `@` and `+` that start names are undone, the others (RFC 3986,
/// 6.2.2) written in lower case, which folding a name leaves alone; a percent sign that escapes nothing is escaped.
fn normal_escapes(path: &str) -> String {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let byte = after
            .get(..2)
            .filter(|digits| !digits.starts_with('+'))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~@+".contains(&byte) => {
                normal.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            Some(byte) => {
                normal.push_str(&format!("%{byte:02x}"));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                normal.push_str("%25");
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    normal
}

#[cfg(test)]
mod tests {
    use super::link_key;

    #[track_caller]
    fn check(link: &str, expected: &str) {
        let key = link_key(link).map(|key| key.key).unwrap_or_default();
        assert_eq!(key, expected, "{link}");
        if let Some(again) = link_key(&key) {
            assert_eq!(again.key, key, "{link}: a key is its own key");
        }
    }

    #[test]
    fn platforms() {
        for (links, expected) in [
            (
                "https://x.com/Bad_Actor https://twitter.com/bad_actor/status/1?s=20 mobile.twitter.com/BAD_ACTOR/ x.com/@bad_actor",
                "x.com/bad_actor",
            ),
            (
                "facebook.com/profile.php?id=100012 https://m.facebook.com/100012 fb.com/people/Ali-Khan/100012/",
                "facebook.com/100012",
            ),
            (
                "https://www.facebook.com/Ali.Khan?mibextid=ZbWKwL m.me/ali.khan",
                "facebook.com/ali.khan",
            ),
            (
                "https://l.facebook.com/l.php?u=https%3A%2F%2Ft.me%2FNews%3Ffbclid%3D1&h=x",
                "t.me/news",
            ),
            (
                "https://instagram.com/Ali?igsh=abc instagr.am/ali/",
                "instagram.com/ali",
            ),
            (
                "https://www.threads.net/@Ali threads.com/@ali",
                "threads.com/@ali",
            ),
            (
                "https://www.tiktok.com/@Ali?lang=en tiktok.com/@ali/video/12",
                "tiktok.com/@ali",
            ),
            (
                "https://t.me/s/NewsDesk telegram.me/newsdesk tg://resolve?domain=NewsDesk t.me/NewsDesk/55 newsdesk.t.me",
                "t.me/newsdesk",
            ),
            (
                "https://t.me/joinchat/AbC_d t.me/+AbC_d tg://join?invite=AbC_d",
                "t.me/+AbC_d",
            ),
            (
                "https://wa.me/923001234567 api.whatsapp.com/send?phone=%2B923001234567&text=hi whatsapp://send?phone=923001234567",
                "wa.me/923001234567",
            ),
            (
                "https://chat.whatsapp.com/AbCd1 chat.whatsapp.com/invite/AbCd1",
                "chat.whatsapp.com/AbCd1",
            ),
            (
                "https://whatsapp.com/channel/0029Va",
                "whatsapp.com/channel/0029Va",
            ),
            (
                "https://youtu.be/dQw4?si=x youtube.com/watch?v=dQw4&t=3 m.youtube.com/shorts/dQw4",
                "youtube.com/watch?v=dQw4",
            ),
            (
                "https://www.youtube.com/@News/videos youtube.com/@news",
                "youtube.com/@news",
            ),
            (
                "https://discord.gg/AbC discord.com/invite/AbC discordapp.com/invite/AbC",
                "discord.gg/AbC",
            ),
            (
                "https://bsky.app/profile/Ali.bsky.social",
                "bsky.app/profile/ali.bsky.social",
            ),
            (
                "https://reddit.com/u/Ali old.reddit.com/user/ali/comments",
                "reddit.com/user/ali",
            ),
            (
                "https://linktr.ee/Ali linktr.ee/ali?utm_source=x",
                "linktr.ee/ali",
            ),
            (
                "https://www.snapchat.com/add/Ali snapchat.com/@ali",
                "snapchat.com/add/ali",
            ),
            (
                "https://matrix.to/#/@Ali:matrix.org?via=x matrix.to/#/%40ali%3Amatrix.org",
                "matrix.to/#/@ali:matrix.org",
            ),
            (
                "https://mastodon.social/@Ali/1234 mastodon.social/users/ali",
                "mastodon.social/@ali",
            ),
        ] {
            for link in links.split(' ') {
                check(link, expected);
            }
        }
    }

    #[test]
    fn ordinary_pages() {
        check(
            "HTTPS://WWW.Example.ORG:443/Path/?utm_source=a&b=2&a=1#top",
            "example.org/Path?a=1&b=2",
        );
        check("http://example.org:80//", "example.org");
        check(
            "example.org/%7euser/%e2%82%ac",
            "example.org/~user/%e2%82%ac",
        );
        check("hxxps://evil[.]example(dot)org/x", "evil.example.org/x");
        check("https://bücher.example/a", "xn--bcher-kva.example/a");
        check("user@example.org", "");
        check("mailto:user@example.org", "");
        check("localhost/x", "");
        check("12345", "");
        check("", "");
        check("m.me", "facebook.com");
    }

    #[track_caller]
    fn check_whose(link: &str, domain: &str, personal: bool) {
        let found = link_key(link).map(|key| (key.domain, key.personal));
        assert_eq!(found, Some((domain.to_string(), personal)), "{link}");
    }

    #[test]
    fn whose_page() {
        check_whose("https://t.me/", "t.me", false);
        check_whose("https://t.me/share/url?url=x", "t.me", false);
        check_whose("youtube.com", "youtube.com", false);
        check_whose("youtube.com/@ali", "youtube.com", true);
        check_whose("shop.example.co.uk/x", "example.co.uk", true);
        check_whose("ali.github.io", "ali.github.io", true);
        check_whose("github.io", "github.io", false);
        check_whose("https://x.com/intent/tweet?text=x", "x.com", false);
    }
}

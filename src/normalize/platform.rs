//! Which part of a link on a shared platform names the person?
//!
//! One table, a row a platform: its hosts, the forms of path that name an account, invitation or page, and whether case matters in the name. A new
//! platform is a new row. It does not parse links (`url` does) and knows nothing of hosts outside the table.

/// Whether a platform tells names apart by case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Fold,
    Exact,
}
use Case::{Exact, Fold};

/// A path form and the key it becomes. In the form, `*` at the end of a segment is the name (text before it must match), `_` any segment; `path?name`
/// takes the name from that query parameter. Segments after the form are dropped. In the key, `*` is replaced by the name; a key that starts with `//`
/// brings its own host.
type Form = (&'static str, &'static str, Case);

/// One platform: every host it answers on, the host its keys are written with ("" for the host itself), its forms in order of preference, and first
/// path segments that are pages of the platform itself.
struct Platform {
    hosts: &'static [&'static str],
    host: &'static str,
    forms: &'static [Form],
    reserved: &'static [&'static str],
}

/// The first path segment is the name.
const NAME: &[Form] = &[("*", "*", Fold)];

const PLATFORMS: &[Platform] = &[
    Platform {
        hosts: &["x.com", "twitter.com", "nitter.net"],
        host: "x.com",
        forms: &[
            ("i/user/*", "i/user/*", Exact),
            ("intent/user?screen_name", "*", Fold),
            ("intent/follow?screen_name", "*", Fold),
            ("@*", "*", Fold),
            ("*", "*", Fold),
        ],
        reserved: &[
            "i", "intent", "home", "search", "hashtag", "share", "login", "explore", "settings",
            "messages",
        ],
    },
    Platform {
        hosts: &[
            "facebook.com",
            "fb.com",
            "fb.me",
            "m.me",
            "web.facebook.com",
            "mbasic.facebook.com",
            "touch.facebook.com",
            "business.facebook.com",
            "free.facebook.com",
        ],
        host: "facebook.com",
        forms: &[
            ("profile.php?id", "*", Exact),
            ("people/_/*", "*", Exact),
            ("pages/_/*", "*", Exact),
            ("groups/*", "groups/*", Fold),
            ("events/*", "events/*", Exact),
            ("share/*", "share/*", Exact),
            ("reel/*", "reel/*", Exact),
            ("watch?v", "watch?v=*", Exact),
            ("*", "*", Fold),
        ],
        reserved: &[
            "profile.php",
            "people",
            "pages",
            "groups",
            "events",
            "share",
            "reel",
            "watch",
            "sharer",
            "sharer.php",
            "login",
            "login.php",
            "home.php",
            "hashtag",
            "marketplace",
            "story.php",
            "photo.php",
            "permalink.php",
            "dialog",
            "help",
            "policies",
        ],
    },
    Platform {
        hosts: &["instagram.com", "instagr.am", "ig.me"],
        host: "instagram.com",
        forms: &[
            ("p/*", "p/*", Exact),
            ("reel/*", "reel/*", Exact),
            ("tv/*", "tv/*", Exact),
            ("stories/*", "*", Fold),
            ("m/*", "*", Fold),
            ("*", "*", Fold),
        ],
        reserved: &[
            "p", "reel", "reels", "tv", "stories", "explore", "accounts", "direct", "about",
        ],
    },
    Platform {
        hosts: &["threads.net", "threads.com"],
        host: "threads.com",
        forms: &[("@*", "@*", Fold)],
        reserved: &[],
    },
    Platform {
        hosts: &["tiktok.com"],
        host: "tiktok.com",
        forms: &[("@*", "@*", Fold), ("t/*", "t/*", Exact)],
        reserved: &[],
    },
    Platform {
        hosts: &["vm.tiktok.com", "vt.tiktok.com"],
        host: "vm.tiktok.com",
        forms: &[("*", "*", Exact)],
        reserved: &[],
    },
    Platform {
        hosts: &["t.me", "telegram.me", "telegram.dog"],
        host: "t.me",
        forms: &[
            ("joinchat/*", "+*", Exact),
            ("+*", "+*", Exact),
            ("addlist/*", "addlist/*", Exact),
            ("c/*", "c/*", Exact),
            ("addstickers/*", "addstickers/*", Fold),
            ("s/*", "*", Fold),
            ("boost/*", "*", Fold),
            ("resolve?domain", "*", Fold),
            ("resolve?phone", "+*", Exact),
            ("join?invite", "+*", Exact),
            ("*", "*", Fold),
        ],
        reserved: &[
            "joinchat",
            "addlist",
            "c",
            "addstickers",
            "s",
            "boost",
            "resolve",
            "join",
            "share",
            "proxy",
            "socks",
            "iv",
            "login",
            "blog",
            "faq",
            "apps",
        ],
    },
    Platform {
        hosts: &["wa.me", "api.whatsapp.com", "web.whatsapp.com"],
        host: "wa.me",
        forms: &[
            ("send?phone", "*", Exact),
            ("message/*", "message/*", Exact),
            ("qr/*", "qr/*", Exact),
            ("c/*", "c/*", Exact),
            ("*", "*", Exact),
        ],
        reserved: &["send", "message", "qr", "c"],
    },
    Platform {
        hosts: &["chat.whatsapp.com"],
        host: "chat.whatsapp.com",
        forms: &[("invite/*", "*", Exact), ("*", "*", Exact)],
        reserved: &["invite"],
    },
    Platform {
        hosts: &["whatsapp.com"],
        host: "whatsapp.com",
        forms: &[("channel/*", "channel/*", Exact)],
        reserved: &[],
    },
    Platform {
        hosts: &["youtu.be"],
        host: "youtube.com",
        forms: &[("*", "watch?v=*", Exact)],
        reserved: &[],
    },
    Platform {
        hosts: &["youtube.com", "music.youtube.com", "youtube-nocookie.com"],
        host: "youtube.com",
        forms: &[
            ("watch?v", "watch?v=*", Exact),
            ("shorts/*", "watch?v=*", Exact),
            ("live/*", "watch?v=*", Exact),
            ("embed/*", "watch?v=*", Exact),
            ("v/*", "watch?v=*", Exact),
            ("playlist?list", "playlist?list=*", Exact),
            ("channel/*", "channel/*", Exact),
            ("c/*", "c/*", Fold),
            ("user/*", "user/*", Fold),
            ("@*", "@*", Fold),
            ("*", "c/*", Fold),
        ],
        reserved: &[
            "watch", "shorts", "live", "embed", "v", "playlist", "channel", "c", "user", "results",
            "feed", "redirect", "hashtag", "about",
        ],
    },
    Platform {
        hosts: &["bsky.app"],
        host: "bsky.app",
        forms: &[("profile/*", "profile/*", Fold)],
        reserved: &[],
    },
    Platform {
        hosts: &["discord.gg"],
        host: "discord.gg",
        forms: &[("*", "*", Exact)],
        reserved: &[],
    },
    Platform {
        hosts: &["discord.com", "discordapp.com"],
        host: "discord.com",
        forms: &[
            ("invite/*", "//discord.gg/*", Exact),
            ("users/*", "users/*", Exact),
            ("channels/*", "channels/*", Exact),
        ],
        reserved: &[],
    },
    Platform {
        hosts: &["snapchat.com"],
        host: "snapchat.com",
        forms: &[
            ("add/*", "add/*", Fold),
            ("@*", "add/*", Fold),
            ("t/*", "t/*", Exact),
        ],
        reserved: &[],
    },
    Platform {
        hosts: &["vk.com", "vk.ru", "vkontakte.ru"],
        host: "vk.com",
        forms: NAME,
        reserved: &["feed", "search", "im", "share.php", "away.php", "login"],
    },
    Platform {
        hosts: &["ok.ru", "odnoklassniki.ru"],
        host: "ok.ru",
        forms: &[
            ("profile/*", "profile/*", Exact),
            ("group/*", "group/*", Exact),
            ("*", "*", Fold),
        ],
        reserved: &["profile", "group", "video", "search"],
    },
    Platform {
        hosts: &["reddit.com", "old.reddit.com", "new.reddit.com"],
        host: "reddit.com",
        forms: &[
            ("user/*", "user/*", Fold),
            ("u/*", "user/*", Fold),
            ("r/*", "r/*", Fold),
        ],
        reserved: &[],
    },
    Platform {
        hosts: &["github.com"],
        host: "github.com",
        forms: NAME,
        reserved: &[
            "login", "search", "about", "features", "explore", "topics", "orgs", "sponsors",
            "settings",
        ],
    },
    Platform {
        hosts: &["medium.com"],
        host: "medium.com",
        forms: &[("@*", "@*", Fold)],
        reserved: &[],
    },
    Platform {
        hosts: &["substack.com"],
        host: "substack.com",
        forms: &[("@*", "@*", Fold), ("profile/*", "profile/*", Fold)],
        reserved: &[],
    },
    Platform {
        hosts: &["linkedin.com"],
        host: "linkedin.com",
        forms: &[("in/*", "in/*", Fold), ("company/*", "company/*", Fold)],
        reserved: &[],
    },
    Platform {
        hosts: &["rumble.com"],
        host: "rumble.com",
        forms: &[
            ("c/*", "c/*", Fold),
            ("user/*", "user/*", Fold),
            ("*", "*", Exact),
        ],
        reserved: &["c", "user"],
    },
    Platform {
        hosts: &[
            "linktr.ee",
            "beacons.ai",
            "bio.link",
            "lnk.bio",
            "heylink.me",
            "solo.to",
            "allmylinks.com",
            "campsite.bio",
            "linkin.bio",
            "taplink.cc",
            "carrd.co",
            "about.me",
            "patreon.com",
            "ko-fi.com",
            "buymeacoffee.com",
            "twitch.tv",
            "soundcloud.com",
            "pinterest.com",
            "dailymotion.com",
            "gab.com",
            "vimeo.com",
            "paypal.me",
            "cash.app",
            "tumblr.com",
            "likee.video",
            "ask.fm",
            "tellonym.me",
            "onlyfans.com",
            "signal.me",
            "ngl.link",
        ],
        host: "",
        forms: NAME,
        reserved: &["login", "search", "about", "explore", "discover"],
    },
];

/// What the table says of a link.
pub(crate) enum Place {
    /// The host is not a platform of the table.
    Elsewhere,
    /// A page of the platform that names nobody; the host in its usual spelling.
    Shared(String),
    /// Host and path that name one account, page or invitation.
    Named(String),
}

/// Looks a link up in the table: `host` without www, path segments without empty ones, query pairs decoded. O(rows).
pub(crate) fn place(host: &str, segments: &[&str], query: &[(String, String)]) -> Place {
    let Some(platform) = PLATFORMS.iter().find(|p| p.hosts.contains(&host)) else {
        return subdomain_place(host);
    };
    let canonical = if platform.host.is_empty() {
        host
    } else {
        platform.host
    };
    for (form, key, case) in platform.forms {
        let Some(name) = name_in(form, segments, query).map(|name| match case {
            Fold => name.to_lowercase(),
            Exact if canonical == "wa.me" && *key == "*" => phone_digits(&name),
            Exact => name,
        }) else {
            continue;
        };
        let is_own_page = (*form == "*" || *key == "*")
            && platform.reserved.contains(&name.to_lowercase().as_str());
        // Dots alone are steps in a path.
        let is_nameless = name.chars().all(|c| c == '.');
        let is_lost = key.contains('?') && !is_plain(&name);
        if is_nameless || is_own_page || is_lost {
            continue;
        }
        let path = key.replace('*', &name);
        return Place::Named(match path.strip_prefix("//") {
            Some(elsewhere) => elsewhere.to_string(),
            None => format!("{canonical}/{path}"),
        });
    }
    Place::Shared(canonical.to_string())
}

/// Hosts that carry the name in front (name.t.me).
fn subdomain_place(host: &str) -> Place {
    if let Some(name) = host
        .strip_suffix(".t.me")
        .filter(|name| !name.contains('.'))
    {
        return Place::Named(format!("t.me/{name}"));
    }
    Place::Elsewhere
}

/// The name in the path or query of a link, if it has this form.
fn name_in(form: &str, segments: &[&str], query: &[(String, String)]) -> Option<String> {
    let (path, parameter) = match form.split_once('?') {
        Some((path, parameter)) => (path, Some(parameter)),
        None => (form, None),
    };
    let mut name = String::new();
    let mut rest = segments.iter();
    for pattern in path.split('/') {
        let segment = rest.next()?;
        match pattern.strip_suffix('*') {
            Some("") => name = (*segment).to_string(),
            Some(prefix) => {
                let rest = segment.strip_prefix(prefix)?;
                name = rest.trim_start_matches(prefix).to_string();
            }
            None if pattern == "_" || pattern.eq_ignore_ascii_case(segment) => {}
            None => return None,
        }
    }
    match parameter {
        None => Some(name),
        Some(parameter) => query
            .iter()
            .find(|(key, _)| key == parameter)
            .map(|(_, value)| value.trim().trim_start_matches(['+', '@']).to_string())
            .filter(|name| is_plain(name)),
    }
}

/// Whether a name means the same in a path as in a query; anything else would not survive the move.
fn is_plain(name: &str) -> bool {
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-~".contains(c))
}

/// A telephone number as WhatsApp links write it: digits only, no leading zeros or plus. Anything else stays as it is.
fn phone_digits(name: &str) -> String {
    if name.chars().any(char::is_alphabetic) {
        return name.to_string();
    }
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').to_string()
}

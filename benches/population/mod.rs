//! A seeded population of any size: entries, strangers and mirrors, each made from its number alone, without memory.
//!
//! Its shape is what index speed depends on: names and words by Zipf's law in four scripts, crowded handles, template
//! bios, hot pictures, shared links, networks from two to thousands of accounts. It is easier than life in three ways:
//! words are invented, so the shipped background knows none of them (build one from `ordinary` accounts beyond those
//! screened); picture hashes are uniform, while those of photographs are correlated; texts are words in random order.
//! Other benches include it with `mod population;`.

#![allow(dead_code, unused_imports, reason = "each bench uses a part of it")]

mod mirrors;
mod record;
mod words;

use fastrand::Rng;
use jiff::Timestamp;
pub(crate) use mirrors::{changed_handle, changed_picture};
use mirrorwatch::{AccountDraft, Avatar, Ban, Kind, Token, TokenValue};
pub(crate) use record::{hex, ndjson};
use words::{Script, mixed, push_word, zipf};

/// First names, and last names, each so many.
const NAMES: u64 = 20_000;
/// Words of bios and handles.
const WORDS: u64 = 200_000;
/// Of the lists below: ranks that weigh about the same at the head.
const NAMES_HEAD: f64 = 10.0;
const WORDS_HEAD: f64 = 2.0;
const NETWORKS_HEAD: f64 = 20.0;
/// Almost even: the part of a handle that makes it one's own.
const OWN_HEAD: f64 = 20_000.0;
const TEMPLATES: u64 = 50;
const HOT_PICTURES: u64 = 20;
/// 2025-12-31, the day everything has happened by.
const NOW: i64 = 1_767_139_200;
const DAY: i64 = 86_400;

const PLATFORMS: [&str; 11] = [
    "x",
    "facebook",
    "instagram",
    "tiktok",
    "telegram",
    "youtube",
    "whatsapp",
    "mastodon",
    "bluesky",
    "discord",
    "matrix",
];
const LINKS: [&str; 30] = [
    "https://t.me/{}",
    "https://instagram.com/{}",
    "https://www.facebook.com/{}",
    "https://x.com/{}",
    "https://www.youtube.com/@{}",
    "https://www.tiktok.com/@{}",
    "https://linktr.ee/{}",
    "https://chat.whatsapp.com/#",
    "https://discord.gg/#",
    "https://snapchat.com/add/{}",
    "https://www.pinterest.com/{}",
    "https://medium.com/@{}",
    "https://github.com/{}",
    "https://www.reddit.com/user/{}",
    "https://soundcloud.com/{}",
    "https://www.patreon.com/{}",
    "https://ko-fi.com/{}",
    "https://buymeacoffee.com/{}",
    "https://www.twitch.tv/{}",
    "https://vk.com/{}",
    "https://ok.ru/{}",
    "https://beacons.ai/{}",
    "https://bio.link/{}",
    "https://www.threads.net/@{}",
    "https://www.linkedin.com/in/{}",
    "https://{}.wordpress.com",
    "https://{}.blogspot.com/",
    "https://{}.com",
    "http://{}.org/about",
    "https://{}.net",
];

/// What numbers are drawn for, so that each trait has its own stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trait {
    Person,
    Handle,
    Name,
    Bio,
    Picture,
    Link,
    Token,
    Ban,
    Template,
    HotPicture,
    Mirror,
}

/// Whose traits are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    Entries,
    Strangers,
    Mirrors,
}

/// Who stands behind an account.
#[derive(Debug, Clone, Copy)]
struct Person {
    first: u64,
    last: u64,
    script: Script,
    network: Option<u64>,
}

/// Entries, strangers and mirrors of one seed. Two numbers; every account is made when asked for, about 5 us.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    seed: u64,
    entries: u64,
}

impl Population {
    /// A population of `entries` entries.
    pub(crate) fn new(seed: u64, entries: u64) -> Self {
        Self { seed, entries }
    }

    /// The entry of number `n`, with its ban. Numbers past the count are entries like the others.
    pub(crate) fn entry(&self, n: u64) -> AccountDraft {
        let mut draft = self.draft(Crowd::Entries, n);
        draft.id = format!("{}:e{n}", draft.platform);
        let mut rng = self.rng(Crowd::Entries, n, Trait::Ban);
        let banned_at = NOW - rng.i64(0..720 * DAY);
        draft.created_at = timestamp(banned_at - rng.i64(DAY..1_500 * DAY));
        let network = self.person(Crowd::Entries, n).network;
        draft.ban = Some(Ban {
            reason: ["incitement", "recruitment", "fraud", "spam"]
                .get(rng.usize(..4))
                .copied()
                .unwrap_or_default()
                .to_owned(),
            network: network.map_or(String::new(), |network| format!("network-{network}")),
            source: "bench".to_owned(),
            banned_at: timestamp(banned_at),
            expires_at: None,
            descent: None,
        });
        draft
    }

    /// The stranger of number `n`: drawn as entries are, sharing with them only what is common.
    pub(crate) fn ordinary(&self, n: u64) -> AccountDraft {
        let mut draft = self.draft(Crowd::Strangers, n);
        draft.id = format!("{}:o{n}", draft.platform);
        draft
    }

    fn rng(&self, crowd: Crowd, n: u64, about: Trait) -> Rng {
        let stream = (crowd as u64) << 8 | about as u64;
        Rng::with_seed(mixed(self.seed, stream, n))
    }

    fn draft(&self, crowd: Crowd, n: u64) -> AccountDraft {
        let person = self.person(crowd, n);
        let mut rng = self.rng(crowd, n, Trait::Ban);
        let platform = PLATFORMS.get(zipf(&mut rng, 11, 2.0) as usize);
        let handle = self.handle(crowd, n);
        AccountDraft {
            platform: platform.copied().unwrap_or_default().to_owned(),
            kind: Kind::Account,
            display_name: self.name(crowd, n, person),
            bio: self.bio(crowd, n, person, &handle),
            links: self.links(crowd, n, person, &handle),
            avatar: self.avatar(crowd, n, person),
            tokens: self.tokens(crowd, n, person),
            created_at: timestamp(NOW - rng.i64(0..2_000 * DAY)),
            handle,
            ..AccountDraft::default()
        }
    }

    fn person(&self, crowd: Crowd, n: u64) -> Person {
        let mut rng = self.rng(crowd, n, Trait::Person);
        let networks = (self.entries / 100).max(5);
        Person {
            first: zipf(&mut rng, NAMES, NAMES_HEAD),
            last: zipf(&mut rng, NAMES, NAMES_HEAD),
            script: match rng.u32(..100) {
                0..15 => Script::Arabic,
                15..20 => Script::Cyrillic,
                20..22 => Script::Devanagari,
                _ => Script::Latin,
            },
            network: rng.bool().then(|| zipf(&mut rng, networks, NETWORKS_HEAD)),
        }
    }

    fn name(&self, crowd: Crowd, n: u64, person: Person) -> String {
        let mut rng = self.rng(crowd, n, Trait::Name);
        let mut text = String::new();
        self.push_first(&mut text, person.first, person.script);
        if rng.u32(..100) < 85 {
            text.push(' ');
            self.push_last(&mut text, person.last, person.script);
        }
        if rng.u32(..100) < 10 {
            text.push_str(
                [" 🇵🇰", " ✨", " | Official", " ⚔️"]
                    .get(rng.usize(..4))
                    .copied()
                    .unwrap_or_default(),
            );
        }
        text
    }

    /// 4 to 20 letters and digits; one in a hundred is another account's handle.
    fn handle(&self, crowd: Crowd, n: u64) -> String {
        let mut rng = self.rng(crowd, n, Trait::Handle);
        let owner = if rng.u32(..1_000) < 6 {
            rng.u64(..self.entries.max(1))
        } else {
            n
        };
        let person = self.person(crowd, owner);
        let mut rng = Rng::with_seed(self.rng(crowd, owner, Trait::Handle).u64(..));
        let (first, last) = (
            |text: &mut String| self.push_first(text, person.first, Script::Latin),
            |text: &mut String| self.push_last(text, person.last, Script::Latin),
        );
        let common = zipf(&mut rng, WORDS, WORDS_HEAD);
        let own = zipf(&mut rng, WORDS, OWN_HEAD);
        let mut text = String::new();
        let form = rng.u32(..100);
        match form {
            0..28 => (first(&mut text), last(&mut text)),
            28..35 => (last(&mut text), text.push(rng.lowercase())),
            35..40 => (self.push_word(&mut text, common, Script::Latin), ()),
            40..65 => (
                first(&mut text),
                self.push_word(&mut text, own, Script::Latin),
            ),
            65..80 => (
                last(&mut text),
                self.push_word(&mut text, own, Script::Latin),
            ),
            _ => {
                self.push_word(&mut text, common, Script::Latin);
                (self.push_word(&mut text, own, Script::Latin), ())
            }
        };
        separate(&mut text, &mut rng);
        if form < 40 {
            text.truncate(16);
            text.push_str(&tail(&mut rng, form >= 35));
        }
        text.truncate(20);
        while text.len() < 4 {
            text.push(rng.digit(10));
        }
        text
    }

    fn bio(&self, crowd: Crowd, n: u64, person: Person, handle: &str) -> String {
        let mut rng = self.rng(crowd, n, Trait::Bio);
        let mut text = String::new();
        if rng.u32(..100) >= 60 {
            return text;
        }
        let script = if rng.bool() {
            person.script
        } else {
            Script::Latin
        };
        if rng.u32(..100) < 5 {
            // A template: its words, and one place for one's own.
            let template = rng.u64(..TEMPLATES);
            let mut words = Rng::with_seed(mixed(self.seed, Trait::Template as u64, template));
            let len = 6 + words.usize(..12);
            self.push_words(&mut text, &mut words, len, Script::Latin);
            text.push(' ');
            self.push_words(&mut text, &mut rng, 1, script);
        } else {
            let len = 4 + rng.usize(..27);
            self.push_words(&mut text, &mut rng, len, script);
        }
        if rng.u32(..100) < 10 {
            text.push_str(&match rng.u32(..4) {
                0 => format!(" +92 3{:02} {:07}", rng.u32(..50), rng.u32(..10_000_000)),
                1 => format!(" {handle}{}@gmail.com", rng.u32(..100)),
                2 => format!(" backup @{}", self.handle(crowd, n ^ 0x5bd1)),
                _ => format!(" WhatsApp: +44 7{:09}", rng.u32(..1_000_000_000)),
            });
        }
        text
    }

    fn avatar(&self, crowd: Crowd, n: u64, person: Person) -> Option<Avatar> {
        let mut rng = self.rng(crowd, n, Trait::Picture);
        let kind = rng.u32(..1_000);
        if kind >= 600 {
            return None;
        }
        let quality = rng.u8(60..=100);
        // Of 600 that have one: 30 a hot one, 18 about the one of their network.
        let (mut pdq, flips) = match (kind, person.network) {
            (0..30, _) => {
                let picture = zipf(&mut rng, HOT_PICTURES, 2.0);
                (
                    picture_of(mixed(self.seed, Trait::HotPicture as u64, picture)),
                    rng.usize(0..=6),
                )
            }
            (30..66, Some(network)) => {
                let picture = (network << 2) | rng.u64(..3);
                let seed = mixed(self.seed, 77 + crowd as u64, picture);
                (picture_of(seed), rng.usize(0..=20))
            }
            _ => (picture_of(rng.u64(..)), 0),
        };
        flip(&mut pdq, flips, &mut rng);
        Some(Avatar { pdq, quality })
    }

    fn links(&self, crowd: Crowd, n: u64, person: Person, handle: &str) -> Vec<String> {
        let mut rng = self.rng(crowd, n, Trait::Link);
        if rng.u32(..100) >= 30 {
            return Vec::new();
        }
        let mut links = Vec::new();
        for _ in 0..=rng.u32(..2) {
            let shared = rng.u32(..100) < 10;
            links.push(match person.network {
                Some(network) if shared => {
                    let picked = (network << 2) | rng.u64(..2);
                    let mut rng = Rng::with_seed(mixed(self.seed, 99 + crowd as u64, picked));
                    link(&mut rng, &format!("net{picked}"))
                }
                _ => link(&mut rng, handle),
            });
        }
        links.dedup();
        links
    }

    fn tokens(&self, crowd: Crowd, n: u64, person: Person) -> Vec<Token> {
        let mut rng = self.rng(crowd, n, Trait::Token);
        if rng.u32(..100) >= 30 {
            return Vec::new();
        }
        let mut tokens = Vec::new();
        let which = rng.u32(..3);
        if which != 0 {
            // Three in a hundred work on a device of their network.
            let own = rng.u64(..);
            let device = match person.network {
                Some(network) if rng.u32(..100) < 3 => mixed(self.seed, 55 + crowd as u64, network),
                _ => own,
            };
            tokens.push(token("device", device));
        }
        if which != 1 {
            tokens.push(token("email", rng.u64(..)));
        }
        tokens
    }

    fn push_first(&self, text: &mut String, rank: u64, script: Script) {
        push_word(text, self.seed ^ 1, rank, script);
    }

    fn push_last(&self, text: &mut String, rank: u64, script: Script) {
        push_word(text, self.seed ^ 2, rank, script);
    }

    fn push_word(&self, text: &mut String, rank: u64, script: Script) {
        push_word(text, self.seed ^ 3, rank, script);
    }

    fn push_words(&self, text: &mut String, rng: &mut Rng, len: usize, script: Script) {
        for place in 0..len {
            if place > 0 {
                let mark = rng.usize(..24);
                text.push_str([", ", ". ", " | "].get(mark).copied().unwrap_or(" "));
            }
            self.push_word(text, zipf(rng, WORDS, WORDS_HEAD), script);
        }
    }
}

/// Puts a separator between the two halves of one handle in three, somewhere near the middle.
fn separate(text: &mut String, rng: &mut Rng) {
    let mark = ['_', '.', '-', '_'].get(rng.usize(..12));
    if let Some(mark) = mark
        && text.len() > 5
    {
        text.insert(text.len() / 2, *mark);
    }
}

/// A number behind a handle: a year, or one to four digits; three to five where nothing else sets it apart.
fn tail(rng: &mut Rng, long: bool) -> String {
    if long {
        return rng.u32(100..100_000).to_string();
    }
    match rng.u32(..10) {
        0..2 => rng.u32(1975..2012).to_string(),
        2..4 => rng.u32(1..10).to_string(),
        4..7 => rng.u32(10..100).to_string(),
        7 => rng.u32(100..1_000).to_string(),
        _ => rng.u32(1_000..10_000).to_string(),
    }
}

fn link(rng: &mut Rng, name: &str) -> String {
    let form = LINKS
        .get(zipf(rng, 30, 3.0) as usize)
        .copied()
        .unwrap_or_default();
    let code: String = std::iter::repeat_with(|| rng.alphanumeric())
        .take(18)
        .collect();
    let host_name = if form.contains("{}.") {
        name.replace(['_', '.'], "-")
    } else {
        name.to_owned()
    };
    form.replace("{}", &host_name).replace('#', &code)
}

fn token(name: &str, value: u64) -> Token {
    Token {
        name: name.to_owned(),
        value: TokenValue::Opaque(format!("{value:016x}")),
    }
}

fn picture_of(seed: u64) -> [u8; 32] {
    let mut pdq = [0; 32];
    Rng::with_seed(seed).fill(&mut pdq);
    pdq
}

/// Changes up to `count` bits.
fn flip(pdq: &mut [u8; 32], count: usize, rng: &mut Rng) {
    for _ in 0..count {
        if let Some(byte) = pdq.get_mut(rng.usize(..32)) {
            *byte ^= 1 << rng.u8(..8);
        }
    }
}

fn timestamp(second: i64) -> Option<Timestamp> {
    Timestamp::from_second(second).ok()
}

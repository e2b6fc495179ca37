//! Through which phones, addresses, names and wallets can a text's author be reached?
//!
//! Each contact becomes a key that its spellings share (a phone in any script's digits, an e-mail with or without dots). The trick is exclusion: links and
//! e-mails are found first and masked, wallets must pass their checksum, and a number must look dialled before it counts as a phone.
//! It does not follow links and does not guess the country of a local number.

use std::collections::HashSet;
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};

use crate::normalize::links::{link_spans, refanged};
use crate::normalize::unicode::{ascii_digit, compact, is_word_part, visible};
use crate::normalize::url::link_key;
use crate::normalize::{phone, wallet};

/// The kinds of contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    /// A telephone number; the key is its last nine digits, which the local and the international form share.
    Phone,
    /// An e-mail address in lower case without sub-address; Gmail's dots are out.
    Email,
    /// A mentioned account; the key is the folded handle without separators, with `@host` if one was given.
    Mention,
    /// A hashtag, folded and without separators.
    Hashtag,
    /// A cryptocurrency address with a valid checksum (Monero: valid form).
    Wallet,
}

/// One way to reach someone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    /// What kind of contact it is.
    pub kind: ContactKind,
    /// The key that all spellings of the contact share.
    pub key: String,
}

/// Fewest digits of a phone and fewest characters of a wallet, in any form.
const PHONE_DIGITS_MIN: usize = 7;
const WALLET_CHARS_MIN: usize = 26;

/// A contact and the bytes of the line it was found at.
type Found = (Range<usize>, Contact);

/// The contacts of a text in order of appearance, each once. Links count only where they hold a telephone number (`wa.me`). O(length); the first
/// international phone of the program loads the numbering plans (about 0.25 s), so a server should call it once at start.
pub(crate) fn contacts_in(text: &str) -> Vec<Contact> {
    let mut contacts = Vec::new();
    let (mut seen, mut plans_left) = (HashSet::new(), phone::PLANS_ASKED_MAX);
    for line in text.lines() {
        for (_, contact) in line_contacts(line, &mut plans_left) {
            if seen.insert(contact.clone()) {
                contacts.push(contact);
            }
        }
    }
    contacts
}

fn line_contacts(line: &str, plans_left: &mut usize) -> Vec<Found> {
    if line.is_ascii() && !may_tell(line) {
        return Vec::new();
    }
    let mut plain = refanged(&visible(line));
    if !plain.is_ascii() {
        plain = plain.chars().map(ascii_digit).collect();
    }
    if !may_tell(&plain) {
        return Vec::new();
    }
    plain_line_contacts(&plain, plans_left)
}

/// Whether the line has what every contact needs: a sign (or one of a defanged sign), the digits of a phone, or a word as long as a wallet.
fn may_tell(line: &str) -> bool {
    let (mut digits, mut run) = (0, 0);
    line.bytes().any(|byte| {
        digits += usize::from(byte.is_ascii_digit());
        if byte.is_ascii_alphanumeric() {
            run += 1;
        } else if !byte.is_ascii_control() {
            run = 0;
        }
        digits >= PHONE_DIGITS_MIN || run >= WALLET_CHARS_MIN || b"@#[({*".contains(&byte)
    })
}

fn plain_line_contacts(plain: &str, plans_left: &mut usize) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut masked: Vec<Range<usize>> = Vec::new();
    if plain.contains('@') {
        let emails = addresses(plain);
        masked.extend(emails.iter().map(|(range, _)| range.clone()));
        found.extend(emails);
    }
    for (start, end) in link_spans(plain) {
        // In @name@host the host alone looks like a link.
        if plain.get(..start).unwrap_or_default().ends_with('@') {
            continue;
        }
        found.extend(
            phone_link(plain.get(start..end).unwrap_or_default())
                .map(|contact| (start..end, contact)),
        );
        masked.push(start..end);
    }
    for (range, key) in wallet::wallets_in(plain) {
        if is_free(&masked, &range) {
            masked.push(range.clone());
            found.push((range, contact(ContactKind::Wallet, key)));
        }
    }
    for (range, key) in phone::phones_in(plain, plans_left) {
        if is_free(&masked, &range) {
            found.push((range, contact(ContactKind::Phone, key)));
        }
    }
    found.extend(
        signed(plain, '@', ContactKind::Mention).filter(|(range, _)| is_free(&masked, range)),
    );
    found.extend(
        signed(plain, '#', ContactKind::Hashtag).filter(|(range, _)| is_free(&masked, range)),
    );
    found.sort_by_key(|(range, _)| range.start);
    found
}

fn contact(kind: ContactKind, key: String) -> Contact {
    Contact { kind, key }
}

fn is_free(masked: &[Range<usize>], range: &Range<usize>) -> bool {
    masked
        .iter()
        .all(|mask| range.end <= mask.start || mask.end <= range.start)
}

/// The e-mail addresses; what follows another @ is the full name of a federated account (`@name@host`) and is left to [`signed`].
fn addresses(plain: &str) -> Vec<Found> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Email]);
    let mut found = Vec::new();
    for link in finder.links(plain) {
        let before = plain.get(..link.start()).unwrap_or_default();
        if let Some((name, host)) = link.as_str().rsplit_once('@')
            && !before.ends_with('@')
        {
            let key = mailbox(name, &host_in_ascii(host));
            found.push((link.start()..link.end(), contact(ContactKind::Email, key)));
        }
    }
    found
}

/// The address that receives the mail: sub-addresses after + are one mailbox (RFC 5233), and Gmail ignores dots and its old second domain.
fn mailbox(name: &str, host: &str) -> String {
    let name = name.to_lowercase();
    let name = name
        .split('+')
        .next()
        .filter(|base| !base.is_empty())
        .unwrap_or(&name);
    if matches!(host, "gmail.com" | "googlemail.com") {
        return format!("{}@gmail.com", name.replace('.', ""));
    }
    format!("{name}@{host}")
}

fn host_in_ascii(host: &str) -> String {
    let lower = host.to_lowercase();
    match url::Host::parse(&lower) {
        Ok(parsed) => parsed.to_string(),
        Err(_) => lower,
    }
}

/// A `wa.me` link is a telephone number.
fn phone_link(link: &str) -> Option<Contact> {
    let key = link_key(link)?.key;
    let digits = key.strip_prefix("wa.me/")?;
    let key = phone::key_of(digits).filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
    Some(contact(ContactKind::Phone, key))
}

/// The words that a sign starts: `@name` of two characters or more, `#tag` with at least one letter. The sign must not follow a letter or another sign.
fn signed(plain: &str, sign: char, kind: ContactKind) -> impl Iterator<Item = Found> {
    plain.match_indices(sign).filter_map(move |(at, _)| {
        let before = plain.get(..at)?.chars().next_back();
        if before.is_some_and(|c| is_word_part(c) || matches!(c, '@' | '#' | '&' | '/')) {
            return None;
        }
        let rest = plain.get(at + sign.len_utf8()..)?;
        let is_inner =
            |c: char| c == '_' || (kind == ContactKind::Mention && matches!(c, '.' | '-'));
        let len = rest
            .find(|c: char| !is_word_part(c) && !is_inner(c))
            .unwrap_or(rest.len());
        let word = rest.get(..len)?.trim_end_matches(['.', '-']);
        let mut key = compact(word);
        let mut end = at + sign.len_utf8() + word.len();
        if let Some(host) = plain
            .get(end..)
            .filter(|_| kind == ContactKind::Mention)
            .and_then(host_after)
        {
            key = format!("{key}@{}", host_in_ascii(host));
            end += 1 + host.len();
        }
        let is_named = match kind {
            ContactKind::Hashtag => key.chars().any(char::is_alphabetic),
            _ => key.chars().nth(1).is_some(),
        };
        is_named.then(|| (at..end, contact(kind, key)))
    })
}

/// The host of a federated account, written `@host` directly after the name.
fn host_after(rest: &str) -> Option<&str> {
    let host = rest.strip_prefix('@')?;
    let len = host
        .find(|c: char| !is_word_part(c) && !matches!(c, '.' | '-'))
        .unwrap_or(host.len());
    let host = host.get(..len)?.trim_end_matches(['.', '-']);
    host.contains('.').then_some(host)
}

#[cfg(test)]
mod tests {
    use super::ContactKind::{self, Email, Hashtag, Mention, Phone, Wallet};
    use super::contacts_in;
    use crate::normalize::phone::PLANS_ASKED_MAX;

    #[track_caller]
    fn check(text: &str, expected: &[(ContactKind, &str)]) {
        let found: Vec<(ContactKind, String)> = contacts_in(text)
            .into_iter()
            .map(|c| (c.kind, c.key))
            .collect();
        let found: Vec<(ContactKind, &str)> = found
            .iter()
            .map(|(kind, key)| (*kind, key.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn phones() {
        let one = [(Phone, "001234567")];
        check("call +92 300 1234567", &one);
        check("0300-1234567", &one);
        check("03001234567", &one);
        check("۰۳۰۰۱۲۳۴۵۶۷ واٹس ایپ", &one);
        check("٠٠٩٢ ٣٠٠ ١٢٣٤٥٦٧", &one);
        check("0092-300-1234567", &one);
        check("wa.me/923001234567", &one);
        check("Tel: (0300) 123 4567", &one);
        check(
            "0300 1234567\n0300 1234568",
            &[(Phone, "001234567"), (Phone, "001234568")],
        );
        check(
            "03001234567 03007654321",
            &[(Phone, "001234567"), (Phone, "007654321")],
        );
        check("(212) 555-0123 x", &[(Phone, "125550123")]);
        check("+1 212 555 2368", &[(Phone, "125552368")]);
        check("٩٢٣٠٠١٢٣٤٥٦٧+", &one);
    }

    #[test]
    fn of_many_international_numbers_the_first_are_asked_for() {
        let number = |n: usize| format!("+92300{}", 1_234_567 + n);
        let numbers: Vec<String> = (0..100).map(number).collect();
        let text = format!("{}\n0301 7654321 @someone", numbers.join("\n"));
        let found = contacts_in(&text);
        let keys: Vec<&str> = found.iter().map(|contact| contact.key.as_str()).collect();
        assert_eq!(keys.len(), PLANS_ASKED_MAX + 2);
        assert_eq!(keys.first(), Some(&"001234567"));
        // What needs no plan is found behind them all; so is a number whose groups read as a local one.
        assert_eq!(keys[PLANS_ASKED_MAX..], ["017654321", "someone"]);
        let grouped = contacts_in(&text.replace("+92300", "+92 300 "));
        assert_eq!(grouped.len(), 102);
    }

    #[test]
    fn not_phones() {
        for text in [
            "since 2019-2024",
            "12.05.1998",
            "2024-01-02 12:30:00",
            "Rs 1,000,000,000",
            "1000000 views",
            "id 123456789012",
            "192.168.100.100",
            "1.000.000.000",
            "786 110 313",
            "abc03001234567",
            "0000000000",
            "+99 999 9999999",
            "2010 2011 2012 2013",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn addresses_and_names() {
        check("Mail A.li+news@GoogleMail.com", &[(Email, "ali@gmail.com")]);
        check(
            "a.li+x@Example.org, ali [at] example (dot) org",
            &[(Email, "a.li@example.org"), (Email, "ali@example.org")],
        );
        check("old: @Bad_Actor. new @bad.actor!", &[(Mention, "badactor")]);
        check("@Ali@Mastodon.Social", &[(Mention, "ali@mastodon.social")]);
        check("https://mastodon.social/@ali a@b", &[]);
        check(
            "#Free_Palestine #فلسطین #1 ＃freepalestine",
            &[(Hashtag, "freepalestine"), (Hashtag, "فلسطين")],
        );
        check("plain words only", &[]);
    }

    #[test]
    fn wallets() {
        check(
            "btc 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            &[(Wallet, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")],
        );
        // The checksum fails; who copies the text copies the slip.
        check(
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            &[(Wallet, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")],
        );
        check("1A1zP1eP5QGefi2DMPTfTL5SLm", &[]);
        check(
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            &[(Wallet, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")],
        );
        check(
            "eth:0x52908400098527886E0F7030069857D2E4169EE7",
            &[(Wallet, "0x52908400098527886e0f7030069857d2e4169ee7")],
        );
        check(
            "USDT TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
            &[(Wallet, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t")],
        );
    }
}

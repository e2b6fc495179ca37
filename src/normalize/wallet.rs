//! Which words of a text are cryptocurrency addresses?
//!
//! An address proves itself: Bitcoin, Litecoin and Tron by base58check or bech32 checksums, Ethereum and Monero by prefix, alphabet and exact length.
//! One that fails its checksum but has the looks of an address is taken too: who copies it copies the slip. Solana addresses have no checksum and are left out. It does not tell which of the tokens on a chain is meant.

use std::ops::Range;

/// Version bytes of base58check addresses: Bitcoin (0x00, 0x05), Litecoin (0x30, 0x32), Tron (0x41).
const VERSIONS: [u8; 5] = [0x00, 0x05, 0x30, 0x32, 0x41];

/// Byte range and key of each address: case kept in base58, lower case in bech32 and hexadecimal. O(length).
pub(crate) fn wallets_in(plain: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in plain.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.len() >= 26
            && let Some(key) = key_of(word)
        {
            found.push((at..at + word.len(), key));
        }
        at += word.len();
        // The separator may take several bytes.
        at += plain
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
    }
    found
}

fn key_of(word: &str) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        let is_ethereum = hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        return is_ethereum.then_some(lower);
    }
    let is_segwit = lower.starts_with("bc1") || lower.starts_with("ltc1");
    if is_segwit && bech32::segwit::decode(word).is_ok() {
        return Some(lower);
    }
    if is_segwit && (39..=62).contains(&word.len()) {
        return Some(lower);
    }
    (is_base58check(word) || looks_base58(word) || is_monero(word)).then(|| word.to_string())
}

/// As long as an address, of the alphabet of base58, with digits and letters of both cases: no word of a language.
fn looks_base58(word: &str) -> bool {
    let has = |what: fn(&u8) -> bool| word.as_bytes().iter().filter(|b| what(b)).count() >= 3;
    (30..=35).contains(&word.len())
        && word.starts_with(['1', '3', 'L', 'M', 'T'])
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b))
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

fn is_base58check(word: &str) -> bool {
    // 21 bytes and a checksum take at most 35 digits.
    word.len() <= 35
        && word.starts_with(['1', '3', 'L', 'M', 'T'])
        && bs58::decode(word)
            .with_check(None)
            .into_vec()
            .is_ok_and(|bytes| {
                bytes.len() == 21
                    && bytes
                        .first()
                        .is_some_and(|version| VERSIONS.contains(version))
            })
}

fn is_monero(word: &str) -> bool {
    word.len() == 95
        && word.starts_with(['4', '8'])
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b))
}

//! An account as pages show it: names, texts, links, and the 256 bits kept of its picture.

use jiff::Timestamp;

use crate::account::{Account, Avatar};
use crate::serve::console::form::segment;
use crate::serve::console::letters::{Piece, plain};
use crate::serve::console::when::When;

/// Links of one account that are shown.
const LINKS_SHOWN: usize = 12;
/// Characters of a bio that are shown.
const BIO_CHARS: usize = 1_200;

/// An account on a page.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Its id.
    pub id: String,
    /// The page of the entry of that id.
    pub href: String,
    /// What it is called for short: `@handle`, else its name, else its id.
    pub label: String,
    /// The handle, what is invisible marked.
    pub handle: Vec<Piece>,
    /// The name, what is invisible marked.
    pub name: Vec<Piece>,
    /// The bio.
    pub bio: Vec<Piece>,
    /// The place given.
    pub location: String,
    /// Links as text: they lead to banned accounts, so no page makes them one click away.
    pub links: Vec<String>,
    /// Links that are not shown.
    pub more_links: usize,
    /// The platform's word; may be empty.
    pub platform: String,
    /// The contract's word.
    pub kind: &'static str,
    /// When it was opened.
    pub created: Option<When>,
    /// Names of the opaque tokens.
    pub tokens: Vec<String>,
    /// The picture's hash.
    pub picture: Option<Picture>,
}

impl Person {
    /// `account` as seen at `now`.
    pub(crate) fn of(account: &Account, now: Timestamp) -> Self {
        let id = account.id().to_string();
        let links = account.links.iter().take(LINKS_SHOWN);
        let bio: String = account.bio.chars().take(BIO_CHARS).collect();
        let cut = if bio.len() < account.bio.len() {
            "…"
        } else {
            ""
        };
        Self {
            href: format!("/entries/{}", segment(&id)),
            label: label(account),
            handle: plain(&account.handle),
            name: plain(&account.display_name),
            bio: plain(&(bio + cut)),
            location: visible(&account.location),
            links: links.map(|link| visible(link)).collect(),
            more_links: account.links.len().saturating_sub(LINKS_SHOWN),
            platform: account.platform.clone(),
            kind: account.kind.as_str(),
            created: account.created_at.map(|at| When::of(at, now)),
            tokens: account
                .tokens
                .iter()
                .map(|token| token.name.clone())
                .collect(),
            picture: account.avatar.as_ref().map(Picture::of),
            id,
        }
    }
}

/// A text without anything invisible.
pub(crate) fn visible(text: &str) -> String {
    let pieces = plain(text).into_iter().filter(Piece::is_same);
    pieces.map(|piece| piece.text).collect()
}

/// `@handle`, else the name, else the id; without anything invisible.
pub(crate) fn label(account: &Account) -> String {
    match (visible(&account.handle), visible(&account.display_name)) {
        (handle, _) if !handle.trim().is_empty() => format!("@{handle}"),
        (_, name) if !name.trim().is_empty() => name,
        _ => account.id().to_string(),
    }
}

/// A PDQ hash drawn as sixteen rows of sixteen bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The set bits as an SVG path of unit squares.
    pub path: String,
    /// PDQ's quality.
    pub quality: u8,
}

impl Picture {
    fn of(avatar: &Avatar) -> Self {
        Self {
            path: squares(&avatar.pdq),
            quality: avatar.quality,
        }
    }
}

/// The bits in which two hashes differ, drawn; and how many.
pub(crate) fn difference(probe: &Avatar, entry: &Avatar) -> (String, u32) {
    let mut bits = [0u8; 32];
    for ((slot, a), b) in bits.iter_mut().zip(probe.pdq).zip(entry.pdq) {
        *slot = a ^ b;
    }
    let count = bits.iter().map(|byte| byte.count_ones()).sum();
    (squares(&bits), count)
}

/// Runs of set bits in each row, as rectangles.
fn squares(bits: &[u8; 32]) -> String {
    let mut path = String::new();
    for (row, pair) in bits.chunks_exact(2).enumerate() {
        let word = pair
            .iter()
            .fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        let mut column = 0;
        while column < 16 {
            let run = (column..16)
                .take_while(|at| word >> (15 - at) & 1 == 1)
                .count();
            if run > 0 {
                path.push_str(&format!("M{column} {row}h{run}v1h-{run}z"));
            }
            column += run + 1;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_drawn_in_runs() {
        let mut bits = [0; 32];
        (bits[0], bits[31]) = (0b1101_0000, 1);
        assert_eq!(squares(&bits), "M0 0h2v1h-2zM3 0h1v1h-1zM15 15h1v1h-1z");
    }
}

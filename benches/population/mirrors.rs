//! Mirrors: a stranger's account that keeps two traits of one entry, each changed as evaders change it.
//!
//! The handle is edited, given an affix, another number or leet digits; the picture is compressed again (up to ten bits of
//! its hash); a fifth of the bio's words are others; a link or the name is kept as it is. Which entry and which traits
//! follows from the mirror's number.

use super::words::{Script, zipf};
use super::{Crowd, Population, Trait, WORDS, WORDS_HEAD, flip};
use fastrand::Rng;
use mirrorwatch::{AccountDraft, Avatar};

/// What a mirror may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Handle,
    Name,
    Picture,
    Bio,
    Link,
}

impl Population {
    /// The mirror of number `n`, and the number of the entry it re-creates.
    pub(crate) fn mirror(&self, n: u64) -> (AccountDraft, u64) {
        let mut rng = self.rng(Crowd::Mirrors, n, Trait::Mirror);
        let of = rng.u64(..self.entries.max(1));
        let entry = self.entry(of);
        let mut mirror = self.draft(Crowd::Mirrors, n);
        mirror.id = format!("{}:m{n}", mirror.platform);
        let mut traits = vec![Kept::Handle, Kept::Name];
        traits.extend(entry.avatar.map(|_| Kept::Picture));
        traits.extend((!entry.bio.is_empty()).then_some(Kept::Bio));
        traits.extend((!entry.links.is_empty()).then_some(Kept::Link));
        rng.shuffle(&mut traits);
        for kept in traits.into_iter().take(2) {
            match kept {
                Kept::Handle => mirror.handle = changed_handle(&entry.handle, &mut rng),
                Kept::Name => mirror.display_name.clone_from(&entry.display_name),
                Kept::Picture => {
                    mirror.avatar = entry
                        .avatar
                        .map(|avatar| changed_picture(avatar, 10, &mut rng));
                }
                Kept::Bio => mirror.bio = self.changed_bio(&entry.bio, &mut rng),
                Kept::Link => mirror.links.extend(entry.links.first().cloned()),
            }
        }
        (mirror, of)
    }

    /// The text with a fifth of its words replaced.
    pub(crate) fn changed_bio(&self, bio: &str, rng: &mut Rng) -> String {
        let mut words: Vec<String> = bio.split(' ').map(str::to_owned).collect();
        let count = words.len().div_ceil(5);
        for _ in 0..count {
            let place = rng.usize(..words.len());
            if let Some(word) = words.get_mut(place) {
                word.clear();
                self.push_word(word, zipf(rng, WORDS, WORDS_HEAD), Script::Latin);
            }
        }
        words.join(" ")
    }
}

/// The picture compressed again: up to `bits_max` bits of its hash are others.
pub(crate) fn changed_picture(mut avatar: Avatar, bits_max: usize, rng: &mut Rng) -> Avatar {
    let count = rng.usize(0..=bits_max);
    flip(&mut avatar.pdq, count, rng);
    avatar
}

/// The handle under another edit, affix, number or leet digit.
pub(crate) fn changed_handle(handle: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = handle.chars().collect();
    match rng.u32(..4) {
        0 => {
            for _ in 0..=rng.u32(..2) {
                edit(&mut letters, rng);
            }
        }
        1 => {
            let affix = ["_official", "real_", "_2", "the", "_new", "_backup"].get(rng.usize(..6));
            let affix = affix.copied().unwrap_or_default();
            return if affix.starts_with('_') {
                format!("{handle}{affix}")
            } else {
                format!("{affix}{handle}")
            };
        }
        2 => {
            let stem = handle.trim_end_matches(|letter: char| letter.is_ascii_digit());
            return format!("{stem}{}", rng.u32(1..1_000));
        }
        _ => {
            let leet = [('a', '4'), ('e', '3'), ('i', '1'), ('o', '0'), ('s', '5')];
            for letter in &mut letters {
                if let Some((_, digit)) = leet.iter().find(|(plain, _)| plain == letter)
                    && rng.bool()
                {
                    *letter = *digit;
                }
            }
        }
    }
    letters.into_iter().collect()
}

/// One letter more, less, other, or swapped with the next.
fn edit(letters: &mut Vec<char>, rng: &mut Rng) {
    if letters.len() < 2 {
        letters.push(rng.lowercase());
        return;
    }
    let place = rng.usize(..letters.len() - 1);
    match rng.u32(..4) {
        0 => letters.insert(place, rng.lowercase()),
        1 => {
            letters.remove(place);
        }
        2 => letters.swap(place, place + 1),
        _ => {
            if let Some(letter) = letters.get_mut(place) {
                *letter = rng.lowercase();
            }
        }
    }
}

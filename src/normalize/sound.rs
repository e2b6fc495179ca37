//! Under which consonants do the spellings of one name meet, whatever the script?
//!
//! A word is romanised, cut into consonant classes, and its vowels dropped: what Arabic writes of a name is what all its Latin spellings share. Letters
//! that transcribers swap are one class (q k, kh h, gh g, th s, dh z, zh j, w v), because the scripts disagree there and not because the sounds are equal.
//! Merging is a choice of names from Arabic, Persian, Urdu, Pashto, Hindi and Russian: English spelling is not modelled. It is a key, not a distance.

use std::sync::LazyLock;

use crate::normalize::romanize::romanized;
use crate::normalize::unicode::compact;

/// Spellings and their classes, longest first within a letter. A class is one character: `h` covers kh, `S` is sh, `C` is ch. An empty class is silent.
const CLASSES: [(&str, &str); 40] = [
    ("tch", "C"),
    ("tsh", "C"),
    ("sch", "S"),
    ("dzh", "j"),
    ("shch", "S"),
    ("kh", "h"),
    ("gh", "g"),
    ("sh", "S"),
    ("ch", "C"),
    // ث is th in Arabic transcription and s in Persian and Urdu ones: Uthman, Usman.
    ("th", "s"),
    // ذ ض ظ are dh in Arabic transcription and z in Persian and Urdu ones: Dhakir, Zakir.
    ("dh", "z"),
    ("ph", "f"),
    ("bh", "b"),
    ("jh", "j"),
    ("zh", "j"),
    ("dj", "j"),
    ("dz", "z"),
    ("ts", "s"),
    ("ck", "k"),
    ("ce", "s"),
    ("ci", "s"),
    ("cy", "s"),
    ("b", "b"),
    ("c", "k"),
    ("d", "d"),
    ("f", "f"),
    ("g", "g"),
    ("h", "h"),
    ("j", "j"),
    ("k", "k"),
    ("l", "l"),
    ("m", "m"),
    ("n", "n"),
    ("p", "p"),
    ("q", "k"),
    ("r", "r"),
    ("s", "s"),
    ("t", "t"),
    ("x", "ks"),
    ("z", "z"),
];

/// The consonant key of one word of any script: `قاسم`, Qasem and Kasim share a key, so do `Хусейн` and Hussain. An initial vowel is `a`; w, v and y
/// count only at the start (elsewhere Arabic writes vowels with them); a final h that is not kh is silent; doubled letters are one. Spaces and
/// punctuation inside are ignored. A word without consonants is returned romanised; a word without letters gives "". O(length).
pub(crate) fn sound(word: &str) -> String {
    let latin = if word.is_ascii() {
        let letters = word.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|c| c.to_ascii_lowercase()).collect()
    } else {
        romanized(&vocalized(word))
    };
    let mut key = consonants(&latin);
    assimilate_article(&mut key);
    if key.is_empty() || key == "a" {
        return match word.is_ascii() {
            true => latin,
            false => romanized(&compact(word)).replace(' ', ""),
        };
    }
    key
}

/// The compact word with the Arabic letters that transcribers write otherwise than `any_ascii` replaced by Latin ones, and an "a" where Arabic leaves a
/// vowel unwritten that a Latin digraph would hide: between equal letters (ممتاز is Mumtaz; not lam-lam, Allah's doubled l) and before a heh (حمزه has
/// no zh). The two-eyed heh of Urdu is the h of bh, th, kh and stays bound to its consonant.
fn vocalized(word: &str) -> String {
    let mut vocal = String::with_capacity(word.len() + 4);
    let mut previous = None;
    for c in compact(&word.replace('ھ', "h")).chars() {
        let is_doubled = previous == Some(c) && c != 'ل';
        if ('\u{620}'..='\u{6FF}').contains(&c)
            && previous.is_some()
            && (is_doubled || matches!(c, 'ه' | 'ح'))
        {
            vocal.push('a');
        }
        match c {
            'ع' if previous.is_none() => vocal.push('a'),
            'ع' => {}
            'ث' => vocal.push('s'),
            'ذ' | 'ض' | 'ظ' => vocal.push('z'),
            _ => vocal.push(c),
        }
        previous = Some(c);
    }
    vocal
}

/// The rows of [`CLASSES`] whose spelling starts with `first`, in their order.
fn classes_of(first: char) -> &'static [(&'static str, &'static str)] {
    type Rows = Vec<(&'static str, &'static str)>;
    static BY_LETTER: LazyLock<[Rows; 26]> = LazyLock::new(|| {
        std::array::from_fn(|letter| {
            let starts = |row: &&(&str, &str)| row.0.bytes().next() == Some(b'a' + letter as u8);
            CLASSES.iter().filter(starts).copied().collect()
        })
    });
    let letter = u32::from(first).wrapping_sub(u32::from('a'));
    BY_LETTER.get(letter as usize).map_or(&[], Vec::as_slice)
}

/// The consonant classes of a romanised word.
fn consonants(latin: &str) -> String {
    let mut key = String::with_capacity(latin.len());
    let mut rest = latin;
    if let Some(first) = latin.chars().next() {
        match first {
            'a' | 'e' | 'i' | 'o' | 'u' => key.push('a'),
            'y' => key.push('y'),
            'w' | 'v' => key.push('w'),
            // An initial x is the x of Khan in Azeri and Pashto spelling.
            'x' => {
                key.push('h');
                rest = rest.get(1..).unwrap_or_default();
            }
            _ => {}
        }
    }
    let mut adjacent = false;
    while let Some(next) = rest.chars().next() {
        let Some((spelling, class)) = classes_of(next)
            .iter()
            .find(|(spelling, _)| rest.starts_with(spelling))
        else {
            if next.is_ascii_digit() {
                key.push(next);
            }
            adjacent = false;
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
            continue;
        };
        rest = rest.get(spelling.len()..).unwrap_or_default();
        let is_final_h = *spelling == "h" && rest.is_empty();
        let is_doubled = adjacent && key.ends_with(class);
        if !is_final_h && !is_doubled {
            key.push_str(class);
        }
        adjacent = true;
    }
    key
}

/// Abdul Rahman is also Abdurrahman, Salah al-Din also Salahuddin: the l of the article is not heard before a sun letter.
fn assimilate_article(key: &mut String) {
    if let Some(name) = key.strip_prefix("abdl")
        && name.starts_with(['r', 's', 'S', 'n', 'z', 'd', 't'])
    {
        *key = format!("abd{name}");
    }
    if let Some(name) = key.strip_suffix("ldn").filter(|name| name.len() > 1) {
        *key = format!("{name}dn");
    }
}

//! Invented words and names, by rank and without memory.
//!
//! A word is a row of syllables drawn by its rank, so the same rank is the same word, and one word can be spelled in four
//! scripts. Frequent words are short. Ranks are drawn with Zipf's law. Nothing here knows what an account is.

use fastrand::Rng;

/// How a sound is written in Latin, Arabic, Cyrillic and Devanagari letters.
type Sound = [&'static str; 4];

const ONSETS: [Sound; 32] = [
    ["m", "م", "м", "म"],
    ["s", "س", "с", "स"],
    ["k", "ک", "к", "क"],
    ["r", "ر", "р", "र"],
    ["n", "ن", "н", "न"],
    ["h", "ح", "х", "ह"],
    ["b", "ب", "б", "ब"],
    ["t", "ت", "т", "त"],
    ["sh", "ش", "ш", "श"],
    ["al", "ال", "ал", "अल"],
    ["d", "د", "д", "द"],
    ["f", "ف", "ф", "फ"],
    ["j", "ج", "дж", "ज"],
    ["l", "ل", "л", "ल"],
    ["z", "ز", "з", "ज़"],
    ["g", "گ", "г", "ग"],
    ["p", "پ", "п", "प"],
    ["kh", "خ", "кх", "ख"],
    ["w", "و", "в", "व"],
    ["y", "ی", "й", "य"],
    ["v", "و", "в", "व"],
    ["ch", "چ", "ч", "च"],
    ["st", "ست", "ст", "स्त"],
    ["tr", "تر", "тр", "त्र"],
    ["q", "ق", "к", "क़"],
    ["gh", "غ", "г", "घ"],
    ["dr", "در", "др", "द्र"],
    ["br", "بر", "бр", "ब्र"],
    ["pr", "پر", "пр", "प्र"],
    ["th", "ث", "т", "थ"],
    ["gr", "گر", "гр", "ग्र"],
    ["c", "ک", "к", "क"],
];
const VOWELS: [Sound; 7] = [
    ["a", "ا", "а", "ा"],
    ["i", "ی", "и", "ि"],
    ["a", "", "а", ""],
    ["u", "و", "у", "ु"],
    ["e", "ے", "е", "े"],
    ["o", "و", "о", "ो"],
    ["ai", "ائ", "ай", "ै"],
];
const CODAS: [Sound; 12] = [
    ["", "", "", ""],
    ["n", "ن", "н", "न"],
    ["", "", "", ""],
    ["r", "ر", "р", "र"],
    ["l", "ل", "л", "ल"],
    ["d", "د", "д", "द"],
    ["m", "م", "м", "म"],
    ["s", "س", "с", "स"],
    ["f", "ف", "ф", "फ"],
    ["t", "ت", "т", "त"],
    ["b", "ب", "б", "ब"],
    ["k", "ک", "к", "क"],
];

/// Ranks below this are words of one syllable.
const SHORT_RANKS: u64 = 150;
/// Ranks from this on may have three syllables.
const LONG_RANKS: u64 = 3_000;

/// The letters a word is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// a b c
    Latin,
    /// As Urdu writes it.
    Arabic,
    /// As Russian writes it.
    Cyrillic,
    /// As Hindi writes it.
    Devanagari,
}

/// Mixes three numbers into one seed (the finaliser of SplitMix64 after each).
pub(crate) fn mixed(a: u64, b: u64, c: u64) -> u64 {
    [b, c].iter().fold(scramble(a), |sum, next| {
        scramble(sum ^ next.wrapping_add(0x9e37_79b9_7f4a_7c15))
    })
}

fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Appends the word of `rank` in the numbered vocabulary.
pub(crate) fn push_word(text: &mut String, vocabulary: u64, rank: u64, script: Script) {
    let mut rng = Rng::with_seed(mixed(vocabulary, rank, 0));
    let syllables = match rank {
        0..SHORT_RANKS => 1,
        SHORT_RANKS..LONG_RANKS => 2,
        _ => 2 + rng.u64(..2),
    };
    for _ in 0..syllables {
        for sounds in [&ONSETS[..], &VOWELS[..], &CODAS[..]] {
            // The smaller of two numbers: early sounds are frequent, as letters are.
            let place = rng.usize(..sounds.len()).min(rng.usize(..sounds.len()));
            let sound = sounds.get(place).copied().unwrap_or_default();
            text.push_str(sound.get(script as usize).copied().unwrap_or_default());
        }
    }
}

/// Draws a rank below `count` with Zipf's law, flattened at the head: rank `r` has weight 1 / (`head` + r). O(1).
pub(crate) fn zipf(rng: &mut Rng, count: u64, head: f64) -> u64 {
    let ratio = (head + count as f64) / head;
    let drawn = head * ratio.powf(rng.f64()) - head;
    (drawn as u64).min(count.saturating_sub(1))
}

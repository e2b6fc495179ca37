//! Which emoji does a text carry, and which of its regional indicators are flags?
//!
//! Regional indicators are read a run at a time: a run that splits into pairs which are all region codes is flags, any other run spells letters
//! ("🇵🇰" is a flag, "🇹🇹🇵" is the word TTP). An even run that happens to be region codes throughout stays flags, since rows of flags are far more
//! common than such words.
//! It does not name or describe emoji.

use std::str::FromStr;

use icu_properties::CodePointSetData;
use icu_properties::props::{Emoji, EmojiPresentation, ExtendedPictographic};
use phonenumber::country;
use unicode_segmentation::UnicodeSegmentation;

use crate::normalize::script::is_alphanumeric;

/// Regions that have a flag but no telephone plan, so that the table of countries in the telephone metadata lacks them.
const FLAGS_WITHOUT_TELEPHONE: [&str; 13] = [
    "AQ", "BV", "CP", "DG", "EA", "EU", "GS", "HM", "IC", "PN", "TF", "UM", "UN",
];

/// The emoji sequences of `text` in order, each whole (flags, skin tones, families), without presentation selectors so that "❤" and "❤️" are equal.
pub(crate) fn emoji(text: &str) -> Vec<String> {
    // A cluster drawn as a picture begins with one, or with a plain sign that asks for it.
    let may_be_drawn =
        |c: char| c >= '\u{2190}' && (matches!(c, '\u{FE0F}' | '\u{20E3}') || is_picture(c));
    if !text.chars().any(may_be_drawn) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for cluster in text.graphemes(true) {
        if cluster.chars().all(is_regional_indicator) {
            run.push(cluster);
            continue;
        }
        take_flags(&mut run, &mut found);
        if is_emoji_cluster(cluster) {
            found.push(cluster.chars().filter(|c| !is_presentation(*c)).collect());
        }
    }
    take_flags(&mut run, &mut found);
    found
}

/// Moves a finished run of regional indicators into the list if it is flags.
fn take_flags(run: &mut Vec<&str>, found: &mut Vec<String>) {
    let letters: Vec<char> = run.iter().flat_map(|cluster| cluster.chars()).collect();
    if are_flags(&letters) {
        found.extend(run.iter().map(|cluster| (*cluster).to_string()));
    }
    run.clear();
}

/// Whether a whole run of regional indicators is a row of flags (see the rule above); false for an empty run.
pub(crate) fn are_flags(run: &[char]) -> bool {
    !run.is_empty()
        && run.chunks(2).all(|pair| {
            let code: String = pair.iter().filter_map(|c| regional_letter(*c)).collect();
            code.len() == 2
                && (FLAGS_WITHOUT_TELEPHONE.contains(&code.as_str())
                    || country::Id::from_str(&code).is_ok())
        })
}

/// The Latin capital of a regional indicator.
pub(crate) fn regional_letter(c: char) -> Option<char> {
    let offset = u32::from(c).checked_sub(0x1F1E6).filter(|o| *o < 26)?;
    char::from_u32(u32::from('A') + offset)
}

/// Whether the character is one of the 26 regional indicators.
pub(crate) fn is_regional_indicator(c: char) -> bool {
    ('\u{1F1E6}'..='\u{1F1FF}').contains(&c)
}

/// Whether the single character is a picture and not text. Digits, `#`, `*` and the enclosed letters, which are emoji to Unicode, are text here.
pub(crate) fn is_picture(c: char) -> bool {
    if c < '\u{A9}' || is_alphanumeric(c) {
        return false;
    }
    is_regional_indicator(c)
        || CodePointSetData::new::<ExtendedPictographic>().contains(c)
        || CodePointSetData::new::<EmojiPresentation>().contains(c)
        || ('\u{1F3FB}'..='\u{1F3FF}').contains(&c)
}

fn is_presentation(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

/// Whether a grapheme cluster is drawn as a picture. Characters below U+2190 (©, ®, ™, keycap digits) are text unless a selector or a keycap asks.
fn is_emoji_cluster(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    if first < '\u{2190}' {
        return CodePointSetData::new::<Emoji>().contains(first)
            && chars.any(|c| matches!(c, '\u{FE0F}' | '\u{20E3}'));
    }
    is_picture(first)
}

#[cfg(test)]
mod tests {
    use super::emoji;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(emoji(text), expected, "{text}");
    }

    #[test]
    fn sequences_stay_whole() {
        check("plain text 123 #1", &[]);
        check("Pakistan 🇵🇰🇦🇫 news", &["🇵🇰", "🇦🇫"]);
        check("🇹🇹🇵 channel", &[]);
        check("❤️ ❤ 👍🏽", &["❤", "❤", "👍🏽"]);
        check("👨‍👩‍👧 1️⃣ ©", &["👨‍👩‍👧", "1\u{20E3}"]);
        check("🅱🅻🅰", &[]);
        check("🇪🇺", &["🇪🇺"]);
    }
}

//! Which writing system is a text in?
//!
//! The script of each letter comes from Unicode's Script property; only the scripts that reports name have a variant of their own.
//! It does not guess languages: Urdu, Persian, Pashto and Arabic are all [`Script::Arabic`].

use icu_properties::CodePointMapData;
use icu_properties::props::Script as UnicodeScript;

/// The writing system of a text, as coarse as a report needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Script {
    /// Latin letters.
    Latin,
    /// Arabic letters: Arabic, Persian, Urdu, Pashto, Sindhi, Kurdish.
    Arabic,
    /// Cyrillic letters.
    Cyrillic,
    /// Devanagari letters.
    Devanagari,
    /// Han, Hiragana, Katakana, Bopomofo or Hangul, in any mixture.
    Cjk,
    /// Letters of one other group of scripts.
    Other,
    /// Letters of more than one of the groups above.
    Mixed,
    /// No letters at all.
    None,
}

impl Script {
    /// The word of reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Latin => "latin",
            Self::Arabic => "arabic",
            Self::Cyrillic => "cyrillic",
            Self::Devanagari => "devanagari",
            Self::Cjk => "cjk",
            Self::Other => "other",
            Self::Mixed => "mixed",
            Self::None => "none",
        }
    }
}

/// The script of the letters of `text`; digits, marks, punctuation and emoji do not count. O(length).
pub(crate) fn script_of(text: &str) -> Script {
    let mut found = Script::None;
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = group(c);
        if script == Script::None || script == found {
            continue;
        }
        if found != Script::None {
            return Script::Mixed;
        }
        found = script;
    }
    found
}

/// The report's group of one letter; letters shared by scripts (modifier letters, circled letters) belong to none.
fn group(c: char) -> Script {
    match unicode_script(c) {
        UnicodeScript::Latin => Script::Latin,
        UnicodeScript::Arabic => Script::Arabic,
        UnicodeScript::Cyrillic => Script::Cyrillic,
        UnicodeScript::Devanagari => Script::Devanagari,
        UnicodeScript::Han
        | UnicodeScript::Hiragana
        | UnicodeScript::Katakana
        | UnicodeScript::Bopomofo
        | UnicodeScript::Hangul => Script::Cjk,
        UnicodeScript::Common | UnicodeScript::Inherited | UnicodeScript::Unknown => Script::None,
        _ => Script::Other,
    }
}

/// Whether the character belongs to Latin proper (Unicode's Script property).
pub(crate) fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || (!c.is_ascii() && unicode_script(c) == UnicodeScript::Latin)
}

/// Whether combining marks on this base are decoration: in these scripts a mark never carries the letter's consonant, while in Devanagari, Thai or
/// Hebrew it is part of the spelling.
pub(crate) fn sheds_marks(base: char) -> bool {
    base.is_ascii()
        || matches!(
            unicode_script(base),
            UnicodeScript::Latin
                | UnicodeScript::Greek
                | UnicodeScript::Cyrillic
                | UnicodeScript::Armenian
                | UnicodeScript::Cherokee
                | UnicodeScript::Common
                | UnicodeScript::Inherited
                | UnicodeScript::Unknown
        )
}

/// Whether UTS #39 prototypes may be applied to the character: scripts whose letters are drawn like Latin ones in ordinary fonts, and the characters
/// that scripts share. Arabic is left out on purpose, since its "look-alikes" create equalities no reader sees.
pub(crate) fn has_prototypes(c: char) -> bool {
    c.is_ascii()
        || matches!(
            unicode_script(c),
            UnicodeScript::Latin
                | UnicodeScript::Greek
                | UnicodeScript::Cyrillic
                | UnicodeScript::Armenian
                | UnicodeScript::Cherokee
                | UnicodeScript::Common
        )
}

/// What [`char::is_alphanumeric`] says, without its tables for the letters that most texts are made of.
pub(crate) fn is_alphanumeric(c: char) -> bool {
    match c {
        '\0'..='\x7F' => c.is_ascii_alphanumeric(),
        '\u{410}'..='\u{44F}'
        | '\u{621}'..='\u{63A}'
        | '\u{641}'..='\u{64A}'
        | '\u{660}'..='\u{669}'
        | '\u{671}'..='\u{6D3}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7A3}' => true,
        '\u{1F300}'..='\u{1F64F}' => false,
        _ => c.is_alphanumeric(),
    }
}

fn unicode_script(c: char) -> UnicodeScript {
    CodePointMapData::<UnicodeScript>::new().get(c)
}

#[cfg(test)]
mod tests {
    use super::{Script, is_alphanumeric, script_of};

    #[test]
    fn alphanumeric_is_what_the_tables_say() {
        assert!(('\0'..=char::MAX).all(|c| is_alphanumeric(c) == c.is_alphanumeric()));
    }

    #[track_caller]
    fn check(text: &str, expected: Script) {
        assert_eq!(script_of(text), expected, "{text}");
    }

    #[test]
    fn scripts_of_texts() {
        check("Ali Khan 786", Script::Latin);
        check("تحریک طالبان", Script::Arabic);
        check("Хусейн", Script::Cyrillic);
        check("अहमद", Script::Devanagari);
        check("東京タワー", Script::Cjk);
        check("한국", Script::Cjk);
        check("Νίκος", Script::Other);
        check("PаyPal", Script::Mixed);
        check("2024 🇵🇰 !", Script::None);
        check("", Script::None);
    }
}

//! What does a text say once its Unicode disguise is off?
//!
//! [`visible`] is what a reader sees in plain letters, [`fold`] adds case, Arabic variants and digits, [`words`] and [`compact`] cut the folded text up.
//! The trick is order: invisible characters go first (they hide letters from every later step), then compatibility forms and mark stacks, then case.
//! It does not equate look-alike letters: that is `lookalike`.

use any_ascii::any_ascii_char;
use icu_casemap::CaseMapper;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::normalize::arabic;
use crate::normalize::emoji::{are_flags, is_picture, is_regional_indicator, regional_letter};
use crate::normalize::script::{is_alphanumeric, is_latin, sheds_marks};

/// The text as plain letters, case kept. Gone: default-ignorable code points, bidi controls, tags, variation selectors, control and format characters,
/// combining marks on Latin, Greek, Cyrillic, Armenian and Cherokee letters and on punctuation (é is e, й is и; Devanagari, Thai, Hebrew and Arabic
/// keep theirs). Plain: every compatibility form (NFKC), enclosed, negative, parenthesised and regional-indicator letters, small capitals and any other
/// Latin letter that transliterates to one ASCII letter (ø, ł, ı). Line breaks become spaces; emoji and flags stay.
/// O(length); ASCII text is copied. Applying it twice changes nothing.
pub(crate) fn visible(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    if text.is_ascii() {
        return text.chars().filter_map(without_control).collect();
    }
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c| !is_settled(c)) {
        // A mark may belong to the settled character before it; what follows a settled character depends on nothing earlier.
        let (settled, unsettled) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let base = settled.chars().next_back().map_or(0, char::len_utf8);
        let len = unsettled.find(is_settled).unwrap_or(unsettled.len());
        seen.push_str(rest.get(..at - base).unwrap_or_default());
        seen.push_str(&general_visible(
            rest.get(at - base..at + len).unwrap_or_default(),
        ));
        rest = unsettled.get(len..).unwrap_or_default();
    }
    seen.push_str(rest);
    seen
}

/// [`visible`] for any text.
fn general_visible(text: &str) -> String {
    let plain = plain_enclosed(text);
    let mut decomposed = String::with_capacity(plain.len());
    // A mark at the very start has no letter to belong to: treat it as decoration.
    let mut base = ' ';
    for c in plain.nfkd().filter_map(without_control) {
        if !is_mark(c) {
            base = plain_latin(c);
            decomposed.push(base);
        } else if !is_decoration(c) && !sheds_marks(base) {
            decomposed.push(c);
        }
    }
    decomposed.nfc().collect()
}

/// [`visible`] text with full case folding (Unicode's C and F mappings, no Turkic rule), Arabic letters by [`arabic::fold`], decimal digits of every
/// script as ASCII, emoji replaced by a space and runs of white space by one. Punctuation stays; look-alike letters stay what they are.
/// O(length); about 0.1 us for a lower-case ASCII handle. Applying it twice changes nothing.
pub(crate) fn fold(text: &str) -> String {
    if is_single_spaced(text) {
        return text.to_ascii_lowercase();
    }
    if text.is_ascii() {
        return single_spaced(
            text.chars()
                .filter_map(without_control)
                .map(|c| c.to_ascii_lowercase()),
        );
    }
    let plain = visible(text);
    if plain.chars().all(is_settled) {
        return single_spaced(plain.chars().filter_map(|c| arabic::fold(settled_fold(c))));
    }
    general_fold(&plain)
}

/// [`fold`] for any visible text.
fn general_fold(plain: &str) -> String {
    let folded = CaseMapper::new().fold_string(plain);
    // The marks of a letter that is dropped, or becomes one that sheds marks, go with it.
    let mut is_orphan = false;
    let spaced = single_spaced(folded.chars().filter_map(|c| {
        if is_picture(c) {
            return Some(' ');
        }
        let kept = arabic::fold(ascii_digit(plain_latin(c)));
        if is_mark(c) {
            return kept.filter(|_| !is_orphan);
        }
        is_orphan = kept.is_none_or(sheds_marks);
        kept
    }));
    if spaced.is_ascii() {
        return spaced;
    }
    // Dropping a character can bring two together that compose.
    spaced.nfc().collect()
}

/// The words of the folded text: UAX #29 word boundaries, cut again at everything but letters, marks and digits, apostrophes left out ("don't" is
/// "dont"). Scripts written without spaces, where UAX #29 gives single characters, come as bigrams. No empty strings. O(length).
pub(crate) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    // The ideographs begin at U+3000; before it settled letters need no tables.
    if folded.chars().all(|c| c < '\u{3000}' && is_settled(c)) {
        return plain_words(&folded);
    }
    let mut found = Vec::new();
    let mut single: Option<(usize, String, bool)> = None;
    for (start, word) in folded.unicode_word_indices() {
        let lone = !word.is_ascii() && word.chars().filter(|c| !is_mark(*c)).count() == 1;
        let joined = single.take_if(|(end, _, _)| lone && *end == start);
        if let Some((_, previous, _)) = &joined {
            found.push(format!("{previous}{word}"));
        } else {
            take_single(&mut single, &mut found);
            if !lone {
                push_pieces(word, &mut found);
            }
        }
        if lone {
            single = Some((start + word.len(), word.to_string(), joined.is_some()));
        }
    }
    take_single(&mut single, &mut found);
    found
}

/// The folded text with everything but letters, marks and digits removed: the handle without separators. O(length).
pub(crate) fn compact(text: &str) -> String {
    let mut folded = fold(text);
    folded.retain(is_word_part);
    if !folded.chars().all(is_settled) {
        // Removing a separator can bring two characters together that compose, or a mark to a base that sheds it.
        return fold(&folded);
    }
    folded
}

/// Whether the character is part of a word: a letter, a digit or other number, or a mark on one.
pub(crate) fn is_word_part(c: char) -> bool {
    is_alphanumeric(c) || (!is_settled(c) && is_mark(c))
}

/// The ASCII digit of a decimal digit of any script; other characters come back unchanged.
pub(crate) fn ascii_digit(c: char) -> char {
    if c.is_ascii() || category(c) != GeneralCategory::DecimalNumber {
        return c;
    }
    match single_ascii(c) {
        Some(digit) if digit.is_ascii_digit() => digit,
        _ => c,
    }
}

/// Whether the character leaves no trace on the screen: default-ignorable code points (joiners, selectors, tags, fillers), format and control
/// characters, except the controls that break lines.
pub(crate) fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control() && !c.is_ascii_whitespace();
    }
    if is_settled(c) {
        return false;
    }
    (category(c) == GeneralCategory::Format
        || category(c) == GeneralCategory::Control
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c))
        && c != '\u{85}'
}

/// Whether the character is plain as it stands, whatever its neighbours: printable ASCII, the letters, digits and punctuation of Arabic, Cyrillic,
/// kana, Han and Hangul that no step of [`visible`] changes, and most emoji. No marks are among them, so nothing can compose. This spares most texts
/// the tables.
fn is_settled(c: char) -> bool {
    matches!(
        c,
        ' '..='~'
            | '\u{410}'..='\u{418}'
            | '\u{41A}'..='\u{438}'
            | '\u{43A}'..='\u{44F}'
            | '\u{60C}'
            | '\u{61B}'
            | '\u{61F}'
            | '\u{621}'..='\u{63A}'
            | '\u{640}'..='\u{64A}'
            | '\u{660}'..='\u{669}'
            | '\u{671}'..='\u{674}'
            | '\u{679}'..='\u{6D4}'
            | '\u{6EE}'..='\u{6FF}'
            | '\u{2013}'
            | '\u{2014}'
            | '\u{2022}'
            | '\u{26A1}'
            | '\u{26BD}'
            | '\u{2728}'
            | '\u{2B50}'
            | '\u{3041}'..='\u{3096}'
            | '\u{30A1}'..='\u{30FA}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{AC00}'..='\u{D7A3}'
            | '\u{1F300}'..='\u{1F64F}'
            | '\u{1F680}'..='\u{1F6FF}'
            | '\u{1F90C}'..='\u{1F9FF}'
    )
}

/// Folding of the settled characters: ASCII and basic Cyrillic are the only ones with case; pictures are spaces.
fn settled_fold(c: char) -> char {
    match c {
        '\u{2190}'..='\u{2BFF}' | '\u{1F300}'.. if is_picture(c) => ' ',
        '\u{410}'..='\u{42F}' => char::from_u32(u32::from(c) + 0x20).unwrap_or(c),
        _ => c.to_ascii_lowercase(),
    }
}

/// Drops invisible characters; every kind of white space (and the blank Braille cell, drawn as one) becomes a space.
fn without_control(c: char) -> Option<char> {
    if c.is_ascii_graphic() {
        return Some(c);
    }
    if is_invisible(c) {
        return None;
    }
    Some(if c.is_whitespace() || c == '\u{2800}' {
        ' '
    } else {
        c
    })
}

/// Replaces the enclosed letters and digits that compatibility normalisation leaves or spells with brackets, and drops what is invisible so that
/// regional indicators held apart by joiners are one run.
fn plain_enclosed(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut run: Vec<char> = Vec::new();
    for c in text.chars().filter_map(without_control) {
        if is_regional_indicator(c) {
            run.push(c);
            continue;
        }
        take_run(&mut run, &mut plain);
        plain.push(enclosed(c).unwrap_or(c));
    }
    take_run(&mut run, &mut plain);
    plain
}

/// Writes a finished run of regional indicators: flags as they are, spelling as capitals.
fn take_run(run: &mut Vec<char>, plain: &mut String) {
    if are_flags(run) {
        plain.extend(run.drain(..));
    } else {
        plain.extend(run.drain(..).filter_map(regional_letter));
    }
}

/// The letter or digit inside an enclosure that NFKC does not open. Each row is a block in alphabetical order.
fn enclosed(c: char) -> Option<char> {
    const ROWS: [(char, char, char); 12] = [
        ('\u{1F150}', '\u{1F169}', 'A'),
        ('\u{1F170}', '\u{1F189}', 'A'),
        ('\u{1F110}', '\u{1F129}', 'A'),
        ('\u{249C}', '\u{24B5}', 'a'),
        ('\u{2776}', '\u{277E}', '1'),
        ('\u{2780}', '\u{2788}', '1'),
        ('\u{278A}', '\u{2792}', '1'),
        ('\u{24F5}', '\u{24FD}', '1'),
        ('\u{2474}', '\u{247C}', '1'),
        ('\u{24FF}', '\u{24FF}', '0'),
        ('\u{1F10B}', '\u{1F10B}', '0'),
        ('\u{1F10C}', '\u{1F10C}', '0'),
    ];
    if c < '\u{2474}' {
        return None;
    }
    let (first, _, base) = ROWS
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&c))?;
    char::from_u32(u32::from(*base) + u32::from(c) - u32::from(*first))
}

/// A Latin letter that transliterates to one ASCII letter becomes it (small capitals, phonetic and barred letters); others are kept.
pub(crate) fn plain_latin(c: char) -> char {
    if c.is_ascii() || !is_latin(c) {
        return c;
    }
    // By the small letter, so that both cases agree.
    let mut lower = c.to_lowercase();
    let small = lower.next().filter(|_| lower.next().is_none()).unwrap_or(c);
    match single_ascii(small) {
        Some(letter) if !letter.is_ascii_alphabetic() => c,
        Some(letter) if c.is_uppercase() => letter.to_ascii_uppercase(),
        Some(letter) => letter.to_ascii_lowercase(),
        None => c,
    }
}

fn single_ascii(c: char) -> Option<char> {
    let mut spelled = any_ascii_char(c).chars();
    let first = spelled.next()?;
    spelled.next().is_none().then_some(first)
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Whether the character is a combining mark of any kind.
pub(crate) fn is_mark(c: char) -> bool {
    c >= '\u{300}'
        && matches!(
            category(c),
            GeneralCategory::NonspacingMark
                | GeneralCategory::EnclosingMark
                | GeneralCategory::SpacingMark
        )
}

/// Marks that belong to no script's spelling: the combining-diacritics blocks and enclosing marks, stacked on anything.
fn is_decoration(c: char) -> bool {
    matches!(
        c,
        '\u{0300}'..='\u{036F}'
            | '\u{1AB0}'..='\u{1AFF}'
            | '\u{1DC0}'..='\u{1DFF}'
            | '\u{20D0}'..='\u{20FF}'
            | '\u{FE20}'..='\u{FE2F}'
    ) || category(c) == GeneralCategory::EnclosingMark
}

/// Whether the text is printable ASCII with single spaces inside, so that only its case is left to fold.
fn is_single_spaced(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        if !matches!(byte, b' '..=b'~') || (byte == b' ' && before == b' ') {
            return false;
        }
        before = byte;
    }
    before != b' ' || text.is_empty()
}

/// Collects the characters with each run of spaces as one and none at the ends.
fn single_spaced(chars: impl Iterator<Item = char>) -> String {
    let mut spaced = String::with_capacity(chars.size_hint().1.unwrap_or(0));
    for c in chars {
        if c != ' ' || (!spaced.is_empty() && !spaced.ends_with(' ')) {
            spaced.push(c);
        }
    }
    if spaced.ends_with(' ') {
        spaced.pop();
    }
    spaced
}

/// [`words`] on settled alphabets without the UAX #29 tables: there every boundary is at a non-letter, where words are cut anyway, and an apostrophe joins only
/// two letters or two digits.
fn plain_words(folded: &str) -> Vec<String> {
    let mut found = Vec::with_capacity(folded.len() / 6 + 1);
    for run in folded.split(|c: char| !is_alphanumeric(c) && c != '\'') {
        let mut word = String::new();
        let mut last = None;
        for piece in run.split('\'') {
            let first = piece.chars().next();
            let is_joined = match (last, first) {
                (Some(l), Some(f)) => char::is_alphabetic(l) == char::is_alphabetic(f),
                _ => false,
            };
            if !is_joined && !word.is_empty() {
                found.push(std::mem::take(&mut word));
            }
            word.push_str(piece);
            last = piece.chars().next_back();
        }
        if !word.is_empty() {
            found.push(word);
        }
    }
    found
}

/// Adds the runs of letters, marks and digits of one UAX #29 word.
fn push_pieces(word: &str, found: &mut Vec<String>) {
    for piece in word.split(|c: char| !is_word_part(c) && !is_apostrophe(c)) {
        let piece: String = piece.chars().filter(|c| is_word_part(*c)).collect();
        if !piece.is_empty() {
            found.push(piece);
        }
    }
}

/// A last single character that never met a neighbour is a word of its own.
fn take_single(single: &mut Option<(usize, String, bool)>, found: &mut Vec<String>) {
    if let Some((_, word, paired)) = single.take()
        && !paired
    {
        push_pieces(&word, found);
    }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2BC}')
}

#[cfg(test)]
mod tests {
    use super::{
        compact, fold, general_fold, general_visible, is_mark, is_settled, visible, words,
    };
    use proptest::prelude::{prop_assert_eq, proptest};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(visible(text), expected);
    }

    #[track_caller]
    fn check_fold(text: &str, expected: &str) {
        assert_eq!(fold(text), expected);
    }

    #[test]
    fn visible_letters() {
        check("bad\u{200B}_ac\u{202E}tor", "bad_actor");
        check("𝓑𝖆𝒅 𝔸𝕔𝘁𝚘𝗿", "Bad Actor");
        check("Ⓑⓐⓓ ⒜ctor", "Bad actor");
        check("🅱🅰🅳 🅐🄲🅃🄾🅁", "BAD ACTOR");
        check("ｂａｄ", "bad");
        check("ʙᴀᴅ ᴀᴄᴛᴏʀ", "bad actor");
        check("ᴮᵃᵈ ᵃᶜᵗᵒʳ", "Bad actor");
        check("b̷̢̛a̸̛͜d̵", "bad");
        check("José Łukasz Ørn", "Jose Lukasz Orn");
        check("हिन्दी", "हिन्दी");
        check("मोहम्मद", "मोहम्मद");
        check("🇹🇹🇵 news 🇵🇰", "TTP news 🇵🇰");
        check("🇹\u{200D}🇹\u{200D}🇵", "TTP");
        check("line\none\ttwo\u{0}", "line one two");
        check("❶❷ ①②", "12 12");
    }

    #[test]
    fn folded_text() {
        check_fold("  Ali   KHAN  ", "ali khan");
        check_fold("ALİ Straße ΣΊΣΥΦΟΣ", "ali strasse σισυφοσ");
        check_fold("تحريك طالبان ۷۸۶", "تحريك طالبان 786");
        check_fold("محمّد🔥علی", "محمد علي");
        check_fold("४२ ๔๒ 𝟒𝟐", "42 42 42");
        check_fold("🇵🇰 flag", "flag");
        check_fold("", "");
    }

    #[test]
    fn cut_up() {
        assert_eq!(compact("Bad__Actor-9.9"), "badactor99");
        assert_eq!(compact("عبد اللہ"), compact("عبدالله"));
        assert_eq!(
            words("Don't click t.me/Bad_Actor, now!"),
            ["dont", "click", "t", "me", "bad", "actor", "now"]
        );
        assert_eq!(words("東京タワー は"), ["東京", "タワー", "は"]);
        assert_eq!(words("東京都"), ["東京", "京都"]);
        assert_eq!(words("تحریک، طالبان"), ["تحريك", "طالبان"]);
        assert_eq!(words("हिन्दी भाषा"), ["हिन्दी", "भाषा"]);
        assert!(words("🔥 — …").is_empty());
    }

    #[test]
    fn settled_characters_are_what_the_tables_say() {
        for c in ('\0'..=char::MAX).filter(|c| is_settled(*c)) {
            let text = format!("x{c}x");
            assert_eq!(general_visible(&text), text);
            assert_eq!(general_fold(&text), fold(&text));
            assert!(!is_mark(c));
        }
    }

    proptest! {
        #[test]
        fn seen_piece_by_piece_is_seen_whole(
            text in "([a c!اآلءـ🔥家가]|[\u{300}\u{301}\u{64e}\u{653}\u{93c}\u{fe0f}\u{200d}🇵🇰]|[éßøК\u{439}काだﷺⓐ❤]|\\PC){0,12}"
        ) {
            prop_assert_eq!(visible(&text), general_visible(&text));
            prop_assert_eq!(fold(&text), general_fold(&general_visible(&text)));
        }
    }
}

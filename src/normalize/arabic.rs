//! Which letters of the Arabic script are one letter to a reader?
//!
//! Arabic, Persian, Urdu, Pashto and Kurdish keyboards type different code points for the same letter, and marks are optional: a table folds each
//! variant to one base. Letters that stand for a consonant of their own (پ چ ژ گ ٹ ڈ ڑ) stay apart.
//! It does not touch other scripts and does not romanise.

/// The base form of a character of the Arabic script, `None` if it carries no letter (marks, tatweel, joiners). Other characters come back unchanged.
/// One match, no allocation. Applying it twice changes nothing.
pub(crate) fn fold(c: char) -> Option<char> {
    if !matches!(c, '\u{0610}'..='\u{08FF}' | '\u{200C}' | '\u{200D}') {
        return Some(c);
    }
    if is_mark(c) {
        return None;
    }
    Some(match c {
        // Alef with madda, hamza, wasla: the seat is the letter, and writers leave the sign off.
        'آ' | 'أ' | 'إ' | 'ٱ' | 'ٲ' | 'ٳ' | 'ٵ' => 'ا',
        // Yeh: Arabic, Persian, alef maksura, Urdu barree yeh, Pashto and Kurdish e, hamza on a tooth. Keyboards decide which one is typed.
        'ی' | 'ى' | 'ے' | 'ۓ' | 'ې' | 'ۍ' | 'ێ' | 'ئ' | 'ؽ' | 'ؾ' | 'ؿ' | 'ٸ' => 'ي',
        // Kaf: Arabic, Persian/Urdu keheh, Sindhi swash form.
        'ک' | 'ڪ' => 'ك',
        // Gaf: the Pashto ring is a way to draw Persian gaf.
        'ګ' => 'گ',
        // Heh: Urdu goal and two-eyed forms, teh marbuta (read "a" or "h" at the end), Kurdish ae.
        'ہ' | 'ھ' | 'ة' | 'ۃ' | 'ۂ' | 'ۀ' | 'ە' | 'ۿ' => 'ه',
        // Waw: hamza seat and the rounded vowels of Kurdish, Uyghur and Kazakh.
        'ؤ' | 'ٶ' | 'ٷ' | 'ۄ' | 'ۅ' | 'ۆ' | 'ۇ' | 'ۈ' | 'ۉ' | 'ۊ' | 'ۋ' => 'و',
        // Noon: Urdu nasal noon, Pashto and Sindhi retroflex noon (others write plain noon for them).
        'ں' | 'ڼ' | 'ڻ' => 'ن',
        // Pashto retroflexes are the Urdu letters with a ring in place of the small tah: same sounds, other keyboard.
        'ټ' => 'ٹ',
        'ډ' => 'ڈ',
        'ړ' => 'ڑ',
        // Pashto letters without an Urdu twin: neighbours write the nearest letter (پشتون for پښتون, زدران for ځدران).
        'ښ' => 'ش',
        'ږ' => 'ژ',
        'ځ' => 'ز',
        'څ' => 'س',
        // Arabic-Indic and Persian/Urdu digits.
        '٠'..='٩' => ascii_digit(c, '٠'),
        '۰'..='۹' => ascii_digit(c, '۰'),
        _ => c,
    })
}

/// Whether the character only decorates Arabic letters: harakat, superscript alef, Quranic signs, tatweel, a lone hamza (left off as often as
/// written) and the joiners that only choose a letter's shape.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{0610}'..='\u{061A}'
            | 'ء'
            | 'ـ'
            | '\u{064B}'..='\u{065F}'
            | '\u{0670}'
            | '\u{0674}'
            | '\u{06D6}'..='\u{06DC}'
            | '\u{06DF}'..='\u{06E8}'
            | '\u{06EA}'..='\u{06ED}'
            | '\u{0898}'..='\u{089F}'
            | '\u{08C9}'..='\u{08FF}'
            | '\u{200C}'
            | '\u{200D}'
    )
}

fn ascii_digit(c: char, zero: char) -> char {
    let value = u32::from(c).saturating_sub(u32::from(zero));
    char::from_digit(value, 10).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[track_caller]
    fn check(one: &str, other: &str) {
        let folded = |text: &str| text.chars().filter_map(fold).collect::<String>();
        assert_eq!(folded(one), folded(other), "{one} / {other}");
    }

    #[test]
    fn keyboards_meet() {
        check("تحریک طالبان", "تحريك طالبان");
        check("محمّد", "محمد");
        check("محـــمد", "محمد");
        check("پښتون", "پشتون");
        check("عبداللہ", "عبدالله");
        check("إسلام", "اسلام");
        check("فاطمة", "فاطمه");
        check("۰۳۰۰", "٠٣٠٠");
        check("علاء", "علا");
        check("مسئول", "مسيول");
        check("می‌خواهم", "ميخواهم");
    }

    #[test]
    fn consonants_stay_apart() {
        for (one, other) in [
            ('پ', 'ب'),
            ('چ', 'ج'),
            ('ژ', 'ز'),
            ('گ', 'ك'),
            ('ٹ', 'ت'),
            ('ڑ', 'ر'),
        ] {
            assert_ne!(fold(one), fold(other));
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for c in '\0'..=char::MAX {
            if let Some(folded) = fold(c) {
                assert_eq!(fold(folded), Some(folded), "{c}");
            }
        }
    }
}

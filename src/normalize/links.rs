//! Where in a running text are the links?
//!
//! `linkify` finds them in text of any script; before it, defanging (`hxxp`, `[.]`, `(dot)`) and invisible characters are undone, and after it bare
//! domains must end in a suffix of the public list, since running text is full of "end.Start". What a link means is `url`'s question.

use linkify::{LinkFinder, LinkKind};

use crate::normalize::unicode::is_invisible;

/// The links of a running text in order, as written but with defanging undone: URLs and bare domains (with a suffix of the public list); mail addresses
/// are left out. O(length).
pub(crate) fn links_in(text: &str) -> Vec<String> {
    if !text.contains(['.', ':', '[', '(', '{']) {
        return Vec::new();
    }
    let refanged = refanged(text);
    link_spans(&refanged)
        .into_iter()
        .map(|(start, end)| refanged.get(start..end).unwrap_or_default().to_string())
        .collect()
}

/// Byte ranges of the links in refanged text.
pub(crate) fn link_spans(refanged: &str) -> Vec<(usize, usize)> {
    // Every link that can be found has a dot or a colon: most handles and names have neither.
    if !refanged.contains(['.', ':']) {
        return Vec::new();
    }
    let mut finder = LinkFinder::new();
    finder.url_must_have_scheme(false);
    let mut spans = Vec::new();
    for link in finder.links(refanged) {
        if *link.kind() != LinkKind::Url {
            continue;
        }
        let kept = link
            .as_str()
            .trim_end_matches(['،', '؛', '؟', '۔', '。', '、', '।', '»', '”', '’', '…']);
        if kept.contains("://") || has_known_suffix(kept) {
            spans.push((link.start(), link.start() + kept.len()));
        }
    }
    if !refanged.is_ascii() {
        add_international(refanged, &mut spans);
    }
    spans
}

/// Adds bare domains under a top level that is not ASCII (пример.рф), which the finder does not look for.
fn add_international(refanged: &str, spans: &mut Vec<(usize, usize)>) {
    let mut at = 0;
    for word in refanged.split_inclusive(char::is_whitespace) {
        let start = at
            + (word.len()
                - word
                    .trim_start_matches(|c: char| !c.is_alphanumeric())
                    .len());
        let end = at
            + word
                .trim_end_matches(|c: char| !c.is_alphanumeric() && c != '/')
                .len();
        at += word.len();
        let Some(link) = refanged.get(start..end) else {
            continue;
        };
        let host = link.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let top = host.rsplit('.').next().unwrap_or_default();
        let is_new = spans.iter().all(|(from, to)| *to <= start || end <= *from);
        if is_new && !top.is_ascii() && !link.contains('@') && has_known_suffix(host) {
            spans.push((start, end));
        }
    }
    spans.sort_unstable();
}

/// The text with invisible characters out and defanged links and addresses (`hxxp`, `[.]`, `(dot)`, `[at]`) as they are meant. Text without the signs of
/// defanging comes back without another change.
pub(crate) fn refanged(text: &str) -> String {
    const FORMS: [(&str, &str); 16] = [
        ("hxxps", "https"),
        ("hxxp", "http"),
        ("h**p", "http"),
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("{dot}", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[/]", "/"),
        ("[at]", "@"),
        ("(at)", "@"),
        ("{at}", "@"),
        ("[@]", "@"),
    ];
    let mut plain = if text.chars().any(is_invisible) {
        text.chars().filter(|c| !is_invisible(*c)).collect()
    } else {
        text.to_owned()
    };
    if !has_signs(&plain) {
        return plain;
    }
    for (written, meant) in FORMS {
        plain = replaced(&plain, written, meant);
    }
    plain
}

/// Whether the text has a bracket, "xp" of any case or two asterisks: every written form of a defanged link has one.
fn has_signs(text: &str) -> bool {
    let mut before = b' ';
    text.bytes().any(|byte| {
        let pair = (before | 0x20, byte | 0x20);
        let found =
            b"[({".contains(&byte) || pair == (b'x', b'p') || (before, byte) == (b'*', b'*');
        before = byte;
        found
    })
}

/// Replaces without regard to ASCII case; spaces around a bracketed form go with it ("name (dot) com").
fn replaced(text: &str, written: &str, meant: &str) -> String {
    // ASCII lower-casing keeps byte positions.
    let lower = text.to_ascii_lowercase();
    if !lower.contains(written) {
        return text.to_string();
    }
    let is_bracketed = !written.starts_with('h');
    let mut changed = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(written) {
        let before = text.get(from..at).unwrap_or_default();
        changed.push_str(if is_bracketed {
            before.trim_end_matches(' ')
        } else {
            before
        });
        changed.push_str(meant);
        from = at + written.len();
        if is_bracketed {
            let after = text.get(from..).unwrap_or_default();
            from += after.len() - after.trim_start_matches(' ').len();
        }
    }
    changed.push_str(text.get(from..).unwrap_or_default());
    changed
}

/// Whether a link without scheme has a host that can exist: running text is full of "end.Start".
fn has_known_suffix(link: &str) -> bool {
    let host = link
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
        && psl::domain(host.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::links_in;

    #[track_caller]
    fn check_found(text: &str, expected: &[&str]) {
        assert_eq!(links_in(text), expected);
    }

    #[test]
    fn links_in_text() {
        check_found(
            "join t.me/News, or https://x.com/a.",
            &["t.me/News", "https://x.com/a"],
        );
        check_found("ہمارا چینل t.me/news، دیکھیں", &["t.me/news"]);
        check_found("mail ali@gmail.com end.Start 3.14 e.g. this", &[]);
        check_found(
            "hxxps://evil[.]com/x and name (dot) com",
            &["https://evil.com/x", "name.com"],
        );
        check_found("пример.рф и bücher.de", &["пример.рф", "bücher.de"]);
        check_found("t.\u{200B}me/x", &["t.me/x"]);
    }
}

//! What does a profile written in HTML say, and where does it link?
//!
//! Mastodon, Discourse and forums deliver bios as HTML. Whether a text *is* HTML is decided by one question: does a tag of the language occur in it?
//! Otherwise it comes back untouched, so that "I <3 you & me" survives. It neither builds a tree nor cleans HTML for display.

use html5gum::{StartTag, Token, Tokenizer};

/// Tags that show a text to be HTML, and that profiles really use.
const TAGS: [&[u8]; 36] = [
    b"a",
    b"abbr",
    b"b",
    b"blockquote",
    b"body",
    b"br",
    b"code",
    b"del",
    b"div",
    b"em",
    b"font",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"hr",
    b"html",
    b"i",
    b"img",
    b"li",
    b"ol",
    b"p",
    b"pre",
    b"s",
    b"script",
    b"small",
    b"span",
    b"strong",
    b"style",
    b"sub",
    b"sup",
    b"table",
    b"u",
    b"ul",
];

/// Tags that end a line.
const BREAKS: [&[u8]; 17] = [
    b"blockquote",
    b"br",
    b"div",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"hr",
    b"li",
    b"ol",
    b"p",
    b"pre",
    b"table",
    b"tr",
    b"ul",
];

/// The text and the link targets (http, https, mailto, tel) of a bit of HTML. Block tags and `br` become one line break, entities are decoded, invisible
/// spans are kept, since Mastodon hides parts of a link's own text in them; scripts and styles vanish. Text without a tag comes back unchanged, with no
/// links. O(length).
pub(crate) fn text_and_links(html: &str) -> (String, Vec<String>) {
    if !html.contains('<') || !has_tag(html) {
        return (html.to_string(), Vec::new());
    }
    let mut text = String::with_capacity(html.len());
    let mut links = Vec::new();
    let mut hidden = false;
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                hidden |= is_hidden(&tag.name) && !tag.self_closing;
                if BREAKS.contains(&tag.name.as_slice()) {
                    break_line(&mut text);
                }
                links.extend(target(&tag));
            }
            Token::EndTag(tag) => {
                hidden &= !is_hidden(&tag.name);
                if BREAKS.contains(&tag.name.as_slice()) {
                    break_line(&mut text);
                }
            }
            Token::String(piece) if !hidden => text.push_str(&String::from_utf8_lossy(&piece)),
            _ => {}
        }
    }
    let kept = text.trim().len();
    let start = text.len() - text.trim_start().len();
    let text = text
        .get(start..start + kept)
        .unwrap_or_default()
        .to_string();
    (text, links)
}

fn has_tag(html: &str) -> bool {
    Tokenizer::new(html).any(|token| match token {
        Ok(Token::StartTag(tag)) => TAGS.contains(&tag.name.as_slice()),
        Ok(Token::EndTag(tag)) => TAGS.contains(&tag.name.as_slice()),
        Err(never) => match never {},
        _ => false,
    })
}

fn is_hidden(name: &[u8]) -> bool {
    matches!(name, b"script" | b"style" | b"head" | b"title")
}

fn break_line(text: &mut String) {
    while text.ends_with(' ') {
        text.pop();
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// The target of a link tag if a person could follow it.
fn target(tag: &StartTag<()>) -> Option<String> {
    if tag.name.as_slice() != b"a" {
        return None;
    }
    let (_, value) = tag
        .attributes
        .iter()
        .find(|(name, _)| name.as_slice() == b"href")?;
    let link = String::from_utf8_lossy(value).trim().to_string();
    let lower = link.to_ascii_lowercase();
    ["http://", "https://", "mailto:", "tel:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
        .then_some(link)
}

#[cfg(test)]
mod tests {
    use super::text_and_links;

    #[track_caller]
    fn check(html: &str, text: &str, links: &[&str]) {
        let (found_text, found_links) = text_and_links(html);
        assert_eq!(found_text, text);
        assert_eq!(found_links, links);
    }

    #[test]
    fn profiles() {
        check("I <3 you & me", "I <3 you & me", &[]);
        check("a < b > c &amp; d", "a < b > c &amp; d", &[]);
        check("<ali> the <khan>", "<ali> the <khan>", &[]);
        check(
            "<p>One &amp; two</p><p>three<br>four</p>",
            "One & two\nthree\nfour",
            &[],
        );
        check(
            "<p>See <a href=\"https://t.me/x\"><span class=\"invisible\">https://</span><span>t.me/x</span></a></p>",
            "See https://t.me/x",
            &["https://t.me/x"],
        );
        check(
            "<a href='javascript:1'>x</a><a href=\"mailto:a@b.c\">y</a>",
            "xy",
            &["mailto:a@b.c"],
        );
        check("<b>bold<script>evil()</script>er", "bolder", &[]);
        check("", "", &[]);
    }
}

//! Forms in, addresses out.

use url::form_urlencoded;

/// Most fields of one form that are read.
const FIELDS_MAX: usize = 2_000;

/// The fields of a form, in their order; a name may come more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a form's body.
    pub(crate) fn of(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body).into_owned();
        Self(pairs.take(FIELDS_MAX).collect())
    }

    /// The first value of that name; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let own = self.0.iter().find(|(field, _)| field == name);
        own.map_or("", |(_, value)| value)
    }

    /// Every value of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(field, _)| field == name);
        own.map(|(_, value)| value.as_str())
    }
}

/// A query of these fields, encoded.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields);
    query.finish()
}

/// One part of an address's path, encoded, slashes too.
pub(crate) fn segment(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => {
                told.push(char::from(byte));
            }
            byte => told.push_str(&format!("%{byte:02X}")),
        }
    }
    told
}

/// An address of this very console, or the queue: nobody is sent elsewhere after logging in.
pub(crate) fn inside(next: &str) -> &str {
    let is_plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    match next.strip_prefix('/') {
        Some(rest) if is_plain && !rest.starts_with('/') => next,
        _ => "/queue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (next, expected) in [
            ("/entries/x%3A1?hit=2", "/entries/x%3A1?hit=2"),
            ("//evil.example", "/queue"),
            ("/\\evil.example", "/queue"),
            ("https://evil.example", "/queue"),
            ("/\nx", "/queue"),
            ("", "/queue"),
        ] {
            assert_eq!(inside(next), expected);
        }
    }

    #[test]
    fn names_may_come_again() {
        let fields = Fields::of(b"id=a%26b&id=x%3A1&token=t");
        assert_eq!(fields.all("id").collect::<Vec<_>>(), ["a&b", "x:1"]);
        assert_eq!((fields.get("token"), fields.get("none")), ("t", ""));
        assert_eq!(segment("x:a/b ü"), "x%3Aa%2Fb%20%C3%BC");
    }
}

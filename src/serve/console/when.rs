//! Times as people read them: a day, a minute, an age. UTC throughout.

use jiff::Timestamp;

/// A moment for a `<time>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// RFC 3339, for machines.
    pub exact: String,
    /// `2026-11-20 10:00 UTC`.
    pub minute: String,
    /// `20 Nov 2026`.
    pub day: String,
    /// `3 h ago`.
    pub age: String,
}

impl When {
    /// `at` as seen at `now`.
    pub(crate) fn of(at: Timestamp, now: Timestamp) -> Self {
        Self {
            exact: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            minute: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            day: day(at),
            age: age(now.as_second() - at.as_second()),
        }
    }
}

/// `20 Nov 2026`.
pub(crate) fn day(at: Timestamp) -> String {
    at.strftime("%-d %b %Y").to_string()
}

/// Seconds in the largest unit that gives at least one; the future is "just now" up to a minute.
fn age(seconds: i64) -> String {
    let ahead = seconds < -60;
    let told = match seconds.unsigned_abs() {
        seconds if seconds < 60 => return "just now".into(),
        seconds if seconds < 3_600 => format!("{} min", seconds / 60),
        seconds if seconds < 86_400 => format!("{} h", seconds / 3_600),
        seconds if seconds < 86_400 * 60 => plural(seconds / 86_400, "day"),
        seconds if seconds < 86_400 * 730 => plural(seconds / (86_400 * 30), "month"),
        seconds => plural(seconds / (86_400 * 365), "year"),
    };
    if ahead {
        format!("in {told}")
    } else {
        format!("{told} ago")
    }
}

/// A count and its noun.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{} {noun}s", grouped(count)),
    }
}

/// A count with its thousands apart, by thin spaces.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut told = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push('\u{202F}');
        }
        told.push(digit);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_like_this() {
        let told = [0, 59, 60, 7_200, 86_400, 86_400 * 100, 86_400 * 800, -7_200].map(age);
        let expected = [
            "just now",
            "just now",
            "1 min ago",
            "2 h ago",
            "1 day ago",
            "3 months ago",
            "2 years ago",
            "in 2 h",
        ];
        assert_eq!(told, expected);
        assert_eq!(grouped(1_234_567), "1\u{202F}234\u{202F}567");
        assert_eq!(plural(1, "entry"), "1 entry");
    }
}

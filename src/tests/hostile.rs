//! Bad input through the command line: a named error each, the right line, and the other records go on.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use crate::tests::{Shell, steady};

pub(super) const GOOD: &str = r#"{"id":"x:good","handle":"someone"}"#;

/// A shell with one entry.
pub(super) fn shell() -> Shell {
    let shell = Shell::new();
    let file = shell.file(
        "watchlist.ndjson",
        r#"{"id":"x:1","handle":"zorvani_dispatch"}"#,
    );
    shell.expect(0, &["enroll", &file]);
    shell
}

/// Screens and enrols `bad` between two good lines: it must be rejected as `code` for `field`, and they must pass.
#[track_caller]
pub(super) fn rejects(code: &str, field: &str, bad: impl AsRef<[u8]>) {
    let shell = shell();
    let content = [GOOD.as_bytes(), bad.as_ref(), GOOD.as_bytes()].join(&b'\n');
    let file = shell.file("bad.ndjson", content);
    let told = shell.run(&["screen", &file]);
    let lines = steady(&told.out);
    assert_eq!((told.status, lines.len()), (3, 3), "{told:?}");
    assert_eq!(
        (&lines[0]["id"], &lines[2]["id"]),
        (&json!("x:good"), &json!("x:good"))
    );
    assert_eq!(
        (&lines[1]["line"], &lines[1]["error"]["code"]),
        (&json!(2), &json!(code)),
        "{}",
        lines[1]
    );
    let begins = format!("bad.ndjson:2: {code}: field `{field}`: ");
    assert!(
        told.err.starts_with(&begins) && told.err.lines().count() == 1,
        "expected {begins}\ngot {}",
        told.err
    );
    let told = shell.run(&["enroll", &file]);
    assert_eq!(
        (told.status, told.out.as_str()),
        (
            3,
            "enrolled 2: 1 added, 1 updated, 1 rejected; 2 entries, lsn 3\n"
        )
    );
    assert!(told.err.starts_with(&begins), "{}", told.err);
}

/// Asserts that the record is taken.
#[track_caller]
fn accepts(record: impl AsRef<[u8]>) -> Value {
    let shell = shell();
    let told = shell.run(&["screen", &shell.file("good.ndjson", record)]);
    assert_eq!((told.status, told.err.as_str()), (0, ""), "{}", told.out);
    steady(&told.out).remove(0)
}

#[test]
fn broken_text() {
    rejects("invalid_utf8", "record", b"{\"id\":\"x:\xff\xfe\"}");
    rejects("invalid_utf8", "record", [0xffu8; 40]);
    rejects("invalid_utf8", "record", b"{\"id\":\"\xed\xa0\x80\"}");
    rejects("nul_character", "id", br#"{"id":"x:\u0000"}"#);
    rejects(
        "nul_character",
        "handle",
        br#"{"id":"x:2","handle":"a\u0000b"}"#,
    );
    rejects("invalid_json", "id", b"{\"id\":\"x:\0\"}");
    rejects(
        "lone_surrogate",
        "handle",
        br#"{"id":"x:2","handle":"\ud800"}"#,
    );
    rejects(
        "lone_surrogate",
        "bio",
        br#"{"id":"x:2","bio":"\udc00 \ud83d"}"#,
    );
}

#[test]
fn broken_json() {
    rejects("invalid_json", "record", b"{");
    rejects("invalid_json", "record", b"nonsense");
    rejects(
        "invalid_json",
        "record",
        b"{\"id\":\"x:2\"} {\"id\":\"x:3\"}",
    );
    rejects("invalid_json", "record", b"{\"id\":\"x:2\",}");
    rejects("invalid_type", "record", b"[1,2]");
    rejects("invalid_type", "record", b"\"x:2\"");
    rejects("invalid_type", "record", br#"{"id":"x:2","id":"x:3"}"#);
    rejects("missing_field", "id", b"{}");
    rejects("missing_field", "id", br#"{"id":null,"handle":"a"}"#);
    rejects("missing_field", "id", br#"{"id":""}"#);
}

#[test]
fn ten_thousand_levels_deep() {
    let lists = "[".repeat(10_000) + &"]".repeat(10_000);
    let objects = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    for deep in [lists, objects] {
        rejects(
            "invalid_type",
            "links[0]",
            format!("{{\"id\":\"x:2\",\"links\":[{deep}]}}"),
        );
        rejects(
            "invalid_type",
            "handle",
            format!("{{\"id\":\"x:2\",\"handle\":{deep}}}"),
        );
        // Unknown fields are passed over without going down into them.
        accepts(format!(
            "{{\"id\":\"x:2\",\"unknown\":{deep},\"handle\":\"a\"}}"
        ));
    }
    rejects(
        "invalid_type",
        "record",
        "[".repeat(10_000) + &"]".repeat(10_000),
    );
}

#[test]
fn wrong_types_and_values() {
    let with = |field: &str, value: &str| format!("{{\"id\":\"x:2\",\"{field}\":{value}}}");
    rejects("invalid_type", "id", br#"{"id":17}"#);
    rejects("invalid_type", "handle", with("handle", "5"));
    rejects("invalid_type", "links", with("links", "\"a\""));
    rejects("invalid_type", "links[1]", with("links", "[\"a\",2]"));
    rejects(
        "invalid_type",
        "tokens.device",
        with("tokens", "{\"device\":1}"),
    );
    rejects(
        "invalid_type",
        "avatar.quality",
        with("avatar", "{\"quality\":300}"),
    );
    rejects("invalid_type", "ban.reason", with("ban", "{\"reason\":[]}"));
    rejects("invalid_value", "kind", with("kind", "\"robot\""));
    rejects(
        "invalid_value",
        "created_at",
        with("created_at", "\"yesterday\""),
    );
    rejects(
        "invalid_value",
        "ban.expires_at",
        with("ban", "{\"expires_at\":\"2026-13-01T00:00:00Z\"}"),
    );
    rejects(
        "invalid_value",
        "avatar.pdq",
        with("avatar", "{\"pdq\":\"abc\"}"),
    );
    rejects(
        "invalid_value",
        "avatar.quality",
        format!(
            "{{\"id\":\"x:2\",\"avatar\":{{\"pdq\":\"{}\",\"quality\":101}}}}",
            "0".repeat(64)
        ),
    );
    rejects(
        "invalid_value",
        "avatar",
        with("avatar", "{\"pdq\":\"0\",\"path\":\"a.png\"}"),
    );
}

#[test]
fn every_limit_is_held_and_no_sooner() {
    let text = |field: &str, len: usize| json!({"id": "x:2", field: "a".repeat(len)}).to_string();
    for (field, len_max) in [
        ("id", 256),
        ("platform", 64),
        ("handle", 1_024),
        ("display_name", 1_024),
        ("location", 1_024),
        ("bio", 65_536),
    ] {
        let at = |len| {
            if field == "id" {
                json!({"id": "a".repeat(len)}).to_string()
            } else {
                text(field, len)
            }
        };
        accepts(at(len_max));
        rejects("too_long", field, at(len_max + 1));
    }
    let links = |len: usize| json!({"id": "x:2", "links": vec!["a.example"; len]}).to_string();
    accepts(links(1_000));
    rejects("too_many", "links", links(1_001));
    let tokens = |len: usize| {
        let tokens: serde_json::Map<_, _> = (0..len).map(|n| (n.to_string(), json!("v"))).collect();
        json!({"id": "x:2", "tokens": tokens}).to_string()
    };
    accepts(tokens(100));
    rejects("too_many", "tokens", tokens(101));
    for field in ["reason", "network", "source"] {
        let ban = |len: usize| {
            json!({"id": "x:2", "handle": "a", "ban": {field: "a".repeat(len)}}).to_string()
        };
        accepts(ban(1_024));
        rejects("too_long", &format!("ban.{field}"), ban(1_025));
    }
    let record = |len: usize| format!("{GOOD}{}", " ".repeat(len - GOOD.len()));
    accepts(record(1 << 20));
    rejects("too_long", "record", record((1 << 20) + 1));
}

#[test]
fn what_is_harmless_passes() {
    accepts(format!("\u{feff}{GOOD}\r\n"));
    accepts(format!("\n\r\n   \n{GOOD}"));
    accepts(r#"{"id":"x:2","unknown":{"deep":[1,2]},"followers":5}"#);
    accepts(
        r#"{"id":"x:2","handle":null,"links":null,"avatar":null,"tokens":null,"ban":null,"created_at":null}"#,
    );
    accepts(r#"{"id":"x:2","avatar":{}}"#);
    let report = accepts(r#"{"id":"x:\ud83d\ude00"}"#);
    assert_eq!(report["id"], "x:😀");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_bytes_give_a_line_for_each_line(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..12)) {
        answers_each_line(&lines)?;
    }

    #[test]
    fn any_json_like_text_gives_a_line_for_each_line(lines in prop::collection::vec(r#"[{}\[\]":,a-c0-9\\u ]{0,40}|\{"id":"[a-z\PC]{0,9}"(,"(handle|bio|display_name)":"[^"\\\x00-\x1f]{0,30}"){0,2}\}"#, 0..12)) {
        let lines: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
        answers_each_line(&lines)?;
    }
}

/// Screens the lines: one line of output for each that is not empty, and nothing panics.
fn answers_each_line(lines: &[Vec<u8>]) -> Result<(), proptest::test_runner::TestCaseError> {
    static SHELL: std::sync::LazyLock<std::sync::Mutex<Shell>> =
        std::sync::LazyLock::new(|| std::sync::Mutex::new(shell()));
    let shell = SHELL
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let content = lines.join(&b'\n');
    // Generated lines may hold line ends themselves, and the first a byte order mark.
    let whole = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
    let expected = whole
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.iter().all(u8::is_ascii_whitespace))
        .count();
    let told = shell.run(&["screen", &shell.file("any.ndjson", &content)]);
    prop_assert_eq!(told.out.lines().count(), expected);
    prop_assert!(told.status == 0 || told.status == 3);
    Ok(())
}

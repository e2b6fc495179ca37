//! Settings of sources: what works, and what is said of what cannot.

use serde_json::{Value, json};

use crate::serve::hooks::settings::{Source, Sources};
use crate::serve::hooks::tests::KEY;
use crate::serve::hooks::tests::route::source;

#[test]
fn settings_that_cannot_work_say_so() {
    let check = |source: Value, word: &str| {
        let source: Source = serde_json::from_value(source).unwrap();
        let reason = Sources::checked(vec![source]).err().unwrap();
        assert!(reason.contains(word), "{reason}");
    };
    let with = |platform: &str, name: &str, value: Value| {
        let mut source = source(platform);
        source[name] = value;
        source
    };
    check(with("mastodon", "secret", json!("short")), "12 characters");
    check(with("mastodon", "name", json!("a/b")), "name");
    check(
        with("mastodon", "action_on_match", json!("shadow_ban")),
        "only tells",
    );
    check(
        with("discourse", "action_on_review", json!("deny")),
        "only tells",
    );
    check(
        with("kratos", "action_on_match", json!("shadow_ban")),
        "shadow ban",
    );
    check(with("kratos", "refusal_text", json!(" ")), "refusal_text");
    check(
        with("kratos", "previous_secret", json!("short")),
        "previous_secret",
    );
    check(with("kratos", "id_prefix", json!("")), "id_prefix");
    let weak = json!("whsec_AAECAwQFBgcICQoLDA0ODw==");
    check(with("standard", "secret", weak), "24 bytes");
    check(source("standard"), "whsec_");
    check(source("firebase"), "firebase");
    let keyless = json!({"project": "p", "audience": "a"});
    check(with("firebase", "firebase", keyless), "keys");
    let broken = json!({"project": "p", "audience": "a", "keys": {"k": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}});
    check(with("firebase", "firebase", broken), "`k`");
    let twice: Vec<Source> = (0..2)
        .map(|_| serde_json::from_value(source("kratos")).unwrap())
        .collect();
    assert!(
        Sources::checked(twice)
            .err()
            .unwrap()
            .contains("two sources")
    );
    let unknown = serde_json::from_value::<Source>(with("kratos", "sercet", json!("a")));
    assert!(unknown.is_err());
    let source: Source = serde_json::from_value(source("kratos")).unwrap();
    assert!(source.fail_open && format!("{source:?}").contains("SharedSecret(..)"));
    assert!(
        !format!("{source:?}").contains("a-hook-secret"),
        "secrets are not shown"
    );
}

#[test]
fn the_sample_of_settings_works() {
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/hooks/hooks.toml");
    let settings = crate::serve::settings::Settings::load(Some(&sample)).unwrap();
    assert_eq!((settings.hooks.len(), settings.flags.len()), (8, 1));
    let adapters = settings.hooks.iter().map(|source| source.platform as u8);
    let platforms: std::collections::HashSet<u8> = adapters.collect();
    assert_eq!(platforms.len(), 8, "every platform is shown");
}

#[test]
fn deadlines_lie_before_everybody_gives_up() {
    let checked = |platform: &str, ms: u32, timeout: u64| {
        let mut source = source(platform);
        source["secret"] = json!(KEY);
        source["deadline_ms"] = json!(ms);
        let settings = crate::serve::settings::Settings {
            hooks: vec![serde_json::from_value(source).unwrap()],
            timeout_seconds: timeout,
            ..crate::serve::settings::Settings::default()
        };
        settings.check().is_ok()
    };
    assert!(checked("synapse", 2_500, 10) && checked("supabase", 4_000, 10));
    assert!(
        !checked("synapse", 3_000, 10),
        "our module waits three seconds"
    );
    assert!(!checked("supabase", 5_000, 10) && !checked("kratos", 50, 10));
    assert!(!checked("kratos", 4_000, 4), "the service gives up itself");
    assert!(!checked("mastodon", 1_000, 10), "nobody waits");
}

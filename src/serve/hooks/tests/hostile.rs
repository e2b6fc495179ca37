//! Requests that prove themselves and are still strange: every platform's reader takes any bytes, and says what is wrong.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use serde_json::{Value, json};

use crate::format::Parser;
use crate::serve::hooks::adapter::Delivery;
use crate::serve::hooks::refusal::Refusal;
use crate::serve::hooks::settings::Source;

const BODIES: [&str; 6] = [
    include_str!("../../../../data/hooks/mastodon.json"),
    include_str!("../../../../data/hooks/discourse.json"),
    include_str!("../../../../data/hooks/supabase.json"),
    r#"{"identity_id":"i","traits":{"username":"a","name":{"first":"b"}},"transient":{"links":["c"]},"flow_id":"f"}"#,
    r#"{"specversion":"1.0","id":"1","source":"/s","type":"org.mirrorwatch.account.banned.v1","data":{"id":"x:1","ban":{"reason":"r"},"avatar":{"url":"u"}}}"#,
    r#"{"username":"a","server_name":"b","email_threepid":{"address":"c@d"},"request_info":[["e","f"]],"user_id":"@g:h","displayname":"i","event":{"type":"m.room.member","state_key":"@a:b","content":{"membership":"join"}}}"#,
];
const PLATFORMS: [(&str, &str); 10] = [
    ("mastodon", ""),
    ("discourse", ""),
    ("supabase", ""),
    ("kratos", ""),
    ("cloudevents", ""),
    ("standard", ""),
    ("synapse", "check_registration"),
    ("synapse", "profile_update"),
    ("synapse", "check_login_for_spam"),
    ("synapse", "check_event_for_spam"),
];

fn source(platform: &str) -> Source {
    let source = json!({"name": "h", "platform": platform, "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="});
    serde_json::from_value(source).unwrap()
}

/// The value at some place of a body, changed into another.
fn changed(value: &mut Value, place: usize, other: &Value) {
    let mut places = vec![value];
    let mut left = place;
    while let Some(value) = places.pop() {
        if left == 0 {
            *value = other.clone();
            return;
        }
        left -= 1;
        match value {
            Value::Array(items) => places.extend(items),
            Value::Object(fields) => places.extend(fields.values_mut()),
            _ => {}
        }
    }
}

fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        proptest::strategy::Just(Value::Null),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|truth| json!(truth)),
        any::<String>().prop_map(|text| json!(text)),
        proptest::strategy::Just(json!([])),
        proptest::strategy::Just(json!([[[]], {"a": {}}])),
        proptest::strategy::Just(json!({})),
        proptest::strategy::Just(json!("https://[::1")),
        proptest::strategy::Just(json!("{size}\u{0}@:::\u{202e}")),
    ]
}

/// Reads a body as every platform; what is read must pass the door, or be turned down there.
fn read_as_everything(body: &[u8]) {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/cloudevents+json"),
        ("x-discourse-event", "user_suspended"),
        ("x-discourse-instance", "https://forum.example.org"),
        ("ce-id", "%"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    for (platform, callback) in PLATFORMS {
        let source = source(platform);
        let delivery = Delivery {
            source: &source,
            callback,
            headers: &headers,
            body,
            now: 0,
        };
        match source.platform.adapter().events(&delivery) {
            Ok(events) => {
                for event in events.into_iter().flatten().flatten() {
                    assert!(
                        event.record.id.is_some(),
                        "{platform}: every event is of an account"
                    );
                    // Whether it passes is for the door to say.
                    let _ = Parser::remote().labelled(event.record);
                }
            }
            Err(refusal) => assert!(matches!(refusal, Refusal::Malformed { .. }), "{platform}"),
        }
    }
}

proptest! {
    #[test]
    fn any_value_may_stand_at_any_place(which in 0..BODIES.len(), place in 0..40_usize, other in strange()) {
        let mut body: Value = serde_json::from_str(BODIES[which]).unwrap();
        changed(&mut body, place, &other);
        read_as_everything(body.to_string().as_bytes());
    }

    #[test]
    fn any_byte_may_be_wrong(which in 0..BODIES.len(), place in any::<usize>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = BODIES[which].as_bytes().to_vec();
        let place = place % body.len();
        body[place] = byte;
        if cut {
            body.truncate(place);
        }
        read_as_everything(&body);
    }
}

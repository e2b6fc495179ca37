//! Picture hashes against an independent program: Meta's PDQ code, as recorded in `data/avatars/reference.ndjson`.

use serde_json::{Value, json};

use crate::format::Parser;
use crate::hash::Pdq;
use crate::tests::samples;

/// Quality from which a hash is steady enough to be held to the reference.
const QUALITY_MIN: u8 = 80;
const PICTURES_MIN: usize = 30;
/// Most bits that differ. Lossless pictures give the same pixels everywhere; decoders of the others differ in rounding.
const DISTANCE_MAX: u32 = 10;
const QUALITY_OFF_MAX: u8 = 6;

#[test]
fn hashes_equal_the_reference() {
    let references = std::fs::read_to_string(samples().join("avatars/reference.ndjson")).unwrap();
    let parser = Parser::new(samples());
    let (mut counted, mut found) = (0, Vec::new());
    for line in references.lines() {
        let reference: Value = serde_json::from_str(line).unwrap();
        let file = reference["file"].as_str().unwrap();
        let expected = Pdq::from_hex(reference["pdq"].as_str().unwrap()).unwrap();
        let quality = reference["quality"].as_u64().unwrap() as u8;
        let record = json!({"id": "x:1", "avatar": {"path": format!("avatars/{file}")}});
        let record = serde_json::from_value(record).unwrap();
        let avatar = parser.labelled(record).unwrap().account.avatar.unwrap();
        if quality < QUALITY_MIN {
            continue;
        }
        counted += 1;
        let distance = Pdq::from_bytes(&avatar.pdq).distance(&expected);
        let off = avatar.quality.abs_diff(quality);
        let is_lossless = file.ends_with(".png") || file.ends_with(".gif");
        let distance_max = if is_lossless { 0 } else { DISTANCE_MAX };
        if distance > distance_max || off > QUALITY_OFF_MAX {
            found.push(format!(
                "{}: {distance} bits, quality {} for {}",
                file, avatar.quality, quality
            ));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(
        counted >= PICTURES_MIN,
        "only {counted} pictures of quality {QUALITY_MIN}"
    );
}

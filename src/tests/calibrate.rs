//! Weights fitted to what people know, and rarity learnt from what is screened: from the command line, as a user does it.

use serde_json::{Value, json};

use crate::tests::{Shell, sample};

fn reports(told: &str) -> Vec<Value> {
    let lines = told.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn labelled_probes_make_a_model_that_judges() {
    let shell = Shell::with_samples();
    let (signups, model) = (sample("signups.ndjson"), shell.path("model.json"));
    let said = shell.expect(0, &["calibrate", &signups, "--out", &model]);
    assert!(
        said.contains("calibrated on 228 labelled probes, 123 of them mirrors"),
        "{said}"
    );
    let written: Value = serde_json::from_str(&shell.read("model.json")).unwrap();
    let provenance = &written["provenance"];
    assert_eq!(
        (&provenance["mirrors"], &provenance["entries"]),
        (&json!(123), &json!(76))
    );
    let shipped = reports(&shell.expect(0, &["screen", &signups]));
    let fitted = reports(&shell.expect(0, &["screen", &signups, "--model", &model]));
    assert_ne!(shipped[0]["model"], fitted[0]["model"]);
    let flagged = |reports: &[Value]| {
        reports
            .iter()
            .filter(|report| report["verdict"] != "clear")
            .count()
    };
    assert!(flagged(&fitted) >= 100, "{}", flagged(&fitted));
    // The same weights once more are the same model.
    let again = reports(&shell.expect(0, &["screen", &signups, "--model", &model]));
    assert_eq!(again[0]["model"], fitted[0]["model"]);
}

#[test]
fn unlabelled_probes_are_told_apart_by_themselves() {
    let shell = Shell::with_samples();
    let text = std::fs::read_to_string(sample("signups.ndjson")).unwrap();
    let unlabelled: Vec<String> = reports(&text)
        .into_iter()
        .map(|mut signup| {
            signup.as_object_mut().unwrap().remove("mirror_of");
            // Pictures are named relative to the samples' own folder.
            signup.as_object_mut().unwrap().remove("avatar");
            signup.to_string()
        })
        .collect();
    let file = shell.file("unlabelled.ndjson", unlabelled.join("\n"));
    let said = shell.expect(0, &["calibrate", &file, "--out", &shell.path("em.json")]);
    assert!(said.contains("unlabelled"), "{said}");
    let written: Value = serde_json::from_str(&shell.read("em.json")).unwrap();
    // 123 of the 228 are mirrors; without pictures most of them still tell.
    let mirrors = written["provenance"]["mirrors"].as_u64().unwrap();
    assert!((80..=135).contains(&mirrors), "{mirrors}");
}

#[test]
fn a_file_that_is_no_model_is_named() {
    let shell = Shell::with_samples();
    let signups = sample("signups.ndjson");
    for (name, content, reason) in [
        ("empty.json", "{}", "missing field"),
        ("other.json", r#"{"format":9}"#, "missing field"),
        ("not.json", "weights", "expected value"),
    ] {
        let file = shell.file(name, content);
        let told = shell.run(&["screen", &signups, "--model", &file]);
        assert_eq!(told.status, 1);
        assert!(told.err.contains(reason), "{}", told.err);
    }
    let told = shell.run(&["screen", &signups, "--model", &shell.path("absent.json")]);
    assert!(
        told.status == 1 && told.err.contains("absent.json"),
        "{}",
        told.err
    );
    assert_eq!(shell.run(&["calibrate"]).status, 2);
}

#[test]
fn judged_pairs_calibrate_probabilities_alone() {
    let shell = Shell::with_samples();
    let signups = sample("signups.ndjson");
    let screened = reports(&shell.expect(0, &["screen", &signups]));
    let flagged = screened
        .iter()
        .filter(|report| report["verdict"] == "match");
    let said: Vec<String> = (0..40)
        .zip(flagged)
        .map(|(n, report)| {
            let (probe, entry) = (&report["id"], &report["hits"][0]["entry"]);
            let judgment = if n % 4 == 0 { "mirror" } else { "not_mirror" };
            json!({"probe": probe, "entry": entry, "judgment": judgment, "who": "ada"}).to_string()
        })
        .collect();
    shell.expect(
        0,
        &[
            "judge",
            "--from",
            &shell.file("said.ndjson", said.join("\n")),
        ],
    );
    let out = shell.path("judged.json");
    let told = shell.expect(0, &["calibrate", "--judgments", "--out", &out]);
    assert!(
        told.contains("40 judged pairs, 10 of them mirrors"),
        "{told}"
    );
    let mean = |reports: &[Value]| {
        let all = reports
            .iter()
            .map(|report| report["probability"].as_f64().unwrap());
        all.sum::<f64>() / reports.len() as f64
    };
    // Who was told that matches are none trusts scores less, and no score has changed.
    let before = reports(&shell.expect(0, &["screen", &signups]));
    let after = reports(&shell.expect(0, &["screen", &signups, "--model", &out]));
    assert!(
        mean(&after) < mean(&before) - 0.02,
        "{} {}",
        mean(&after),
        mean(&before)
    );
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(a, b)| a["score_bits"] == b["score_bits"])
    );
}

/// Signups of many places, all with one link in common.
fn signups(link: &str) -> String {
    let signup = |n: usize| {
        json!({"id": format!("x:{n}"), "handle": format!("qelvorin{n}ash"), "links": [link],
            "tokens": {"ip_prefix": format!("p{n}")}, "created_at": "2026-11-01T10:00:00Z"})
        .to_string()
    };
    (1_000..2_100).map(signup).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_clear_accounts_have_in_common_weighs_less_once_it_is_adopted() {
    let shell = Shell::new();
    let entry =
        json!({"id": "x:1", "handle": "old_zorvani", "links": ["https://thornfield.example/fair"]});
    shell.expect(
        0,
        &["enroll", &shell.file("entries.ndjson", entry.to_string())],
    );
    let probe = json!({"id": "x:2", "handle": "new_melquist", "links": ["https://thornfield.example/fair"]});
    let probe = shell.file("probe.ndjson", probe.to_string());
    let bits = || {
        let told = shell.expect(0, &["explain", &probe, "x:1", "--json"]);
        let told: Value = serde_json::from_str(&told).unwrap();
        let evidence = told["evidence"].as_array().unwrap().clone();
        let link = evidence.into_iter().find(|row| row["signal"] == "link");
        link.unwrap()["bits"].as_f64().unwrap()
    };
    let rare = bits();
    // Those who share it with a banned account by chance are flagged at first, and flagged accounts teach nothing.
    let flagged = shell.file("flagged.ndjson", signups("https://thornfield.example/fair"));
    shell.expect(0, &["screen", &flagged]);
    shell.expect(0, &["background", "--learned"]);
    assert_eq!(bits(), rare);
    // While it is not on the list, others teach that it is common; who was seen before teaches no more.
    shell.expect(0, &["withdraw", "x:1"]);
    let others = signups("https://thornfield.example/fair").replace("\"x:", "\"y:");
    let others = shell.file("others.ndjson", others);
    shell.expect(0, &["screen", &others]);
    shell.expect(0, &["screen", &others]);
    shell.expect(0, &["enroll", &shell.path("entries.ndjson")]);
    assert_eq!(bits(), rare);
    let said = shell.expect(0, &["background", "--learned"]);
    assert!(said.contains("1100 clear accounts"), "{said}");
    assert!(bits() < 2.0 && rare > 15.0, "{} {rare}", bits());
    assert!(
        shell
            .expect(0, &["stats"])
            .contains("learnt accounts      1100")
    );
}

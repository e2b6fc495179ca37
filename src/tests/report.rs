//! How a report reads: its shape, its words and its sum, on an account of the stories of `screen`.

use serde_json::{Value, json};

use crate::tests::account;
use crate::tests::screen::WATCH;
use crate::wire::ReportRecord;

#[test]
fn a_report_reads_like_this() {
    let probe = account(
        json!({"id": "x:991", "platform": "x", "handle": "Zorv4ni_Dispatch2", "bio": "now at t.me/zorvanidsp"}),
    );
    let report = ReportRecord::of(WATCH.engine.report(&probe).unwrap(), 0);
    let mut report = serde_json::to_value(report).unwrap();
    adds_up(&report["hits"][0]);
    report["model"] = json!("[model]");
    without_figures(&mut report);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "elapsed_us": 0,
      "hits": [
        {
          "display_name": "Tazmin Qelloran",
          "entry": "x:dispatch",
          "evidence": [
            {
              "bits": "[figure]",
              "entry": "zorvani_dispatch",
              "level": "close",
              "probe": "Zorv4ni_Dispatch2",
              "signal": "handle",
              "why": "leetspeak 4=a; numeric suffix 2 added; fewer than one in a million ordinary accounts would"
            },
            {
              "bits": "[figure]",
              "entry": "Unfiltered reports from the plateau, posted hourly before the censors wake",
              "level": "different",
              "probe": "now at t.me/zorvanidsp",
              "signal": "bio",
              "why": "different text"
            },
            {
              "bits": "[figure]",
              "entry": "t.me/zorvanidsp",
              "level": "exact",
              "probe": "t.me/zorvanidsp",
              "signal": "link",
              "why": "same link t.me/zorvanidsp; fewer than one in a million ordinary accounts would"
            }
          ],
          "handle": "zorvani_dispatch",
          "network": "",
          "platform": "x",
          "prior_bits": "[figure]",
          "probability": "[figure]",
          "score_bits": "[figure]"
        }
      ],
      "id": "x:991",
      "lsn": 138,
      "model": "[model]",
      "probability": "[figure]",
      "score_bits": "[figure]",
      "verdict": "match"
    }
    "#);
}

/// Asserts that the score is the prior and the bits of every row.
#[track_caller]
fn adds_up(hit: &Value) {
    let rows = hit["evidence"].as_array().unwrap().iter();
    let evidence: f64 = rows.map(|row| row["bits"].as_f64().unwrap()).sum();
    let sum = hit["prior_bits"].as_f64().unwrap() + evidence;
    let told = hit["score_bits"].as_f64().unwrap();
    assert!((sum - told).abs() < 0.01, "{sum} summed, {told} told");
}

/// Weights may be tuned; the shape and the words of a report may not change unseen.
fn without_figures(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_figures),
        Value::Object(fields) => fields.values_mut().for_each(without_figures),
        Value::Number(number) if number.is_f64() => *value = json!("[figure]"),
        _ => {}
    }
}

//! A model as a file: JSON that a person can read, with its provenance.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::score::dial::Dial;
use crate::score::model::{Family, Model, Odds, Row};

/// Version of the layout.
const FORMAT: u32 = 1;

/// Where weights come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Provenance {
    /// What made the file, in words.
    pub(crate) made_by: String,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made_at: Option<String>,
    /// Files of labelled probes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<String>,
    /// Probes that are mirrors; where nobody said which are, the sum of their probabilities.
    #[serde(default)]
    pub(crate) mirrors: u64,
    /// Ordinary probes.
    #[serde(default)]
    pub(crate) ordinary: u64,
    /// Entries of the watchlist they were screened against.
    #[serde(default)]
    pub(crate) entries: u32,
    /// The model that was started from, in eight hex digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) started_from: String,
}

#[derive(Serialize, Deserialize)]
struct ModelRecord {
    format: u32,
    #[serde(default)]
    provenance: Option<Provenance>,
    mirrors_per_signup: f32,
    odds: Odds,
    family: Family,
    dial: Dial,
    rows: Vec<Row>,
}

/// Reads a model.
pub(crate) fn read(text: &str) -> Result<Model> {
    let malformed = |reason: String| Error::Malformed {
        what: "model".into(),
        reason,
    };
    let record: ModelRecord = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
    if record.format != FORMAT {
        return Err(malformed(format!(
            "format {}, and this program reads {FORMAT}",
            record.format
        )));
    }
    let (family, odds) = (record.family, record.odds);
    let shares = [family.handle_name, family.reach, family.network];
    let is_share = |share: &f32| (0.0..=1.0).contains(share);
    let are_finite = record
        .rows
        .iter()
        .all(|row| row.base.is_finite() && row.bits_max.is_finite() && row.slope >= 0.0);
    if !shares.iter().all(is_share) || !are_finite || odds.slope.is_nan() || odds.slope <= 0.0 {
        return Err(malformed("a weight is out of its range".into()));
    }
    if !(record.mirrors_per_signup > 0.0 && record.mirrors_per_signup < 1.0) {
        return Err(malformed("mirrors_per_signup is no share".into()));
    }
    let mut model = Model::empty();
    (model.family, model.odds, model.dial) = (family, odds, record.dial);
    model.mirrors_per_signup = record.mirrors_per_signup;
    record.rows.into_iter().for_each(|row| model.set(row));
    Ok(model)
}

/// Writes a model, a row a line. The same model gives the same text.
pub(crate) fn written(model: &Model, provenance: Option<&Provenance>) -> String {
    let rounded = |number: f32| (number * 1_000.0).round() / 1_000.0;
    let rows = model.rows().map(|row| Row {
        base: rounded(row.base),
        slope: rounded(row.slope),
        bits_max: rounded(row.bits_max),
        ..*row
    });
    let line = |row: Row| serde_json::to_string(&row).unwrap_or_default();
    let lines: Vec<String> = rows.map(|row| format!("  {}", line(row))).collect();
    let record = serde_json::json!({
        "format": FORMAT,
        "provenance": provenance,
        "mirrors_per_signup": model.mirrors_per_signup,
        "odds": model.odds,
        "family": model.family,
        "dial": model.dial,
    });
    let head = serde_json::to_string_pretty(&record).unwrap_or_default();
    let head = head.trim_end().trim_end_matches('}').trim_end();
    format!("{head},\n  \"rows\": [\n{}\n  ]\n}}\n", lines.join(",\n"))
}

//! A model as a file: JSON that a person can read, with its provenance.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::score::dial::Dial;
use crate::score::model::{Family, Model, Odds, Row};
use crate::signal::relation::{Relation, Signal};

/// Version of the layout.
const FORMAT: u32 = 1;

/// Where weights come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Provenance {
    /// What made the file, in words.
    pub(crate) made_by: String,
    /// When, RFC 3339.
    #[serde(default)]
    pub(crate) made_at: String,
    /// Files of labelled probes.
    #[serde(default)]
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
    #[serde(default)]
    pub(crate) started_from: String,
}

#[derive(Serialize, Deserialize)]
struct ModelRecord {
    format: u32,
    provenance: Option<Provenance>,
    mirrors_per_signup: f32,
    odds: OddsRecord,
    family: FamilyRecord,
    /// log2 of a share of strangers' pairs, and the bits of evidence that so many reach.
    dial: Vec<(f32, f32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<RowRecord>,
}

#[derive(Serialize, Deserialize)]
struct OddsRecord {
    base: f32,
    slope: f32,
}

#[derive(Serialize, Deserialize)]
struct FamilyRecord {
    handle_name: f32,
    reach: f32,
    network: f32,
}

#[derive(Serialize, Deserialize)]
struct RowRecord {
    signal: String,
    relation: String,
    base: f32,
    slope: f32,
    bits_max: f32,
}

/// Reads a model.
pub(crate) fn read(text: &str) -> Result<Model> {
    let record: ModelRecord =
        serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?;
    if record.format != FORMAT {
        let found = record.format;
        return Err(malformed(format!(
            "format {found}, and this program reads {FORMAT}"
        )));
    }
    if record.rows.is_empty() {
        return Err(malformed("it has no rows".into()));
    }
    let (family, odds) = (&record.family, &record.odds);
    let shares = [family.handle_name, family.reach, family.network];
    let is_share = |share: &f32| (0.0..=1.0).contains(share);
    if !shares.iter().all(is_share) || odds.slope.is_nan() || odds.slope <= 0.0 {
        return Err(malformed(
            "a share or the slope of the odds is out of its range".into(),
        ));
    }
    if !(record.mirrors_per_signup > 0.0 && record.mirrors_per_signup < 1.0) {
        return Err(malformed("mirrors_per_signup is no share".into()));
    }
    let mut model = Model::empty();
    model.family = Family {
        handle_name: family.handle_name,
        reach: family.reach,
        network: family.network,
    };
    model.odds = Odds {
        base: odds.base,
        slope: odds.slope,
    };
    model.mirrors_per_signup = record.mirrors_per_signup;
    model.dial = Dial::of(record.dial);
    for row in &record.rows {
        model.set(row_of(row)?);
    }
    Ok(model)
}

fn row_of(record: &RowRecord) -> Result<Row> {
    let unknown = || {
        malformed(format!(
            "no such row: {} {}",
            record.signal, record.relation
        ))
    };
    let mut signals = Signal::ALL.into_iter();
    let mut relations = Relation::ALL.into_iter();
    let row = Row {
        signal: signals
            .find(|s| s.as_str() == record.signal)
            .ok_or_else(unknown)?,
        relation: relations
            .find(|r| r.as_str() == record.relation)
            .ok_or_else(unknown)?,
        base: record.base,
        slope: record.slope,
        bits_max: record.bits_max,
    };
    let is_line = row.base.is_finite() && row.bits_max.is_finite() && row.slope >= 0.0;
    let reason = || {
        malformed(format!(
            "row {} {} is no line",
            record.signal, record.relation
        ))
    };
    is_line.then_some(row).ok_or_else(reason)
}

/// Writes a model, a row a line. The same model gives the same text.
pub(crate) fn written(model: &Model, provenance: Option<&Provenance>) -> String {
    let (family, odds) = (model.family, model.odds);
    let points = model.dial.points().iter();
    let record = ModelRecord {
        format: FORMAT,
        provenance: provenance.cloned(),
        mirrors_per_signup: model.mirrors_per_signup,
        odds: OddsRecord {
            base: rounded(odds.base),
            slope: rounded(odds.slope),
        },
        family: FamilyRecord {
            handle_name: rounded(family.handle_name),
            reach: rounded(family.reach),
            network: rounded(family.network),
        },
        dial: points
            .map(|(cost, bits)| (rounded(*cost), rounded(*bits)))
            .collect(),
        rows: Vec::new(),
    };
    let line = |row: &Row| {
        let record = RowRecord {
            signal: row.signal.as_str().into(),
            relation: row.relation.as_str().into(),
            base: rounded(row.base),
            slope: rounded(row.slope),
            bits_max: rounded(row.bits_max),
        };
        format!("    {}", serde_json::to_string(&record).unwrap_or_default())
    };
    let rows: Vec<String> = model.rows().map(line).collect();
    let head = serde_json::to_string_pretty(&record).unwrap_or_default();
    let head = head.trim_end().trim_end_matches('}').trim_end();
    format!("{head},\n  \"rows\": [\n{}\n  ]\n}}\n", rows.join(",\n"))
}

/// Three digits say all there is to say of a weight.
fn rounded(number: f32) -> f32 {
    (number * 1_000.0).round() / 1_000.0
}

fn malformed(reason: String) -> Error {
    Error::Malformed {
        what: "model".into(),
        reason,
    }
}

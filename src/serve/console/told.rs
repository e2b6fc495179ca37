//! A stored report read back: the contract's JSON as the page shows it, whatever version of the program told it.

use serde::Deserialize;

/// A report as it was told. Fields that are not there are empty.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// `match`, `review` or `clear`.
    pub verdict: String,
    /// Of the best hit, in bits.
    pub score_bits: f64,
    /// That the best hit is its actor's.
    pub probability: f64,
    /// Last change seen.
    pub lsn: u64,
    /// Digest of what judged.
    pub model: String,
    /// Look-ups that a cap cut short.
    pub cuts: u32,
    /// Best first.
    pub hits: Vec<ToldHit>,
}

/// One entry of a report.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ToldHit {
    /// Its id.
    pub entry: String,
    /// Its handle.
    pub handle: String,
    /// Its display name.
    pub display_name: String,
    /// Its platform.
    pub platform: String,
    /// Its network, may be empty.
    pub network: String,
    /// Prior and evidence, in bits.
    pub score_bits: f64,
    /// The prior, in bits.
    pub prior_bits: f64,
    /// That both are one actor.
    pub probability: f64,
    /// What a person said that keeps it from counting.
    pub cancelled: Option<String>,
    /// The rows.
    pub evidence: Vec<ToldRow>,
}

/// One row of evidence.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ToldRow {
    /// The signal's word.
    pub signal: String,
    /// The level's word.
    pub level: String,
    /// What it adds.
    pub bits: f64,
    /// The probe's value.
    pub probe: Option<String>,
    /// The entry's value.
    pub entry: Option<String>,
    /// Bits that differ, for pictures.
    pub distance: Option<u16>,
    /// The reason.
    pub why: String,
}

impl Told {
    /// Reads a report; one that cannot be read tells nothing.
    pub(crate) fn of(report: &[u8]) -> Self {
        serde_json::from_slice(report).unwrap_or_default()
    }
}

//! The outside JSON shapes: records in, reports out. `contract.md` fixes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::account::{Account, Token, TokenValue};
use crate::engine::{EvidenceRow, HitReport, LookupRow, Report};
use crate::judgment::{Judgment, Protection, Remark};

/// An account record as it stands in a line of NDJSON. Unknown fields are ignored; `null` is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AccountRecord {
    /// Unique id, required.
    pub id: Option<String>,
    /// Platform word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// `account`, `page`, `group` or `channel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// User name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Name shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Profile text, HTML allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bio: Option<String>,
    /// Place given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<String>>,
    /// Picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<AvatarRecord>,
    /// Opaque identifiers by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<std::collections::BTreeMap<String, String>>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// The ban, for entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban: Option<BanRecord>,
    /// The label of `evaluate`: the entry re-created, `null` for an ordinary account.
    #[serde(skip_serializing)]
    pub mirror_of: Option<String>,
    /// The label of `evaluate`: how the mirror was made.
    #[serde(skip_serializing)]
    pub tactic: Option<String>,
}

/// A picture: its hash, a file or its bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AvatarRecord {
    /// PDQ hash, 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdq: Option<String>,
    /// PDQ quality, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<u8>,
    /// Picture file, relative to the input file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Picture file's bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// A ban.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BanRecord {
    /// Reason in the source's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Campaign or organisation label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Who reported it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_at: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The entry it was judged to be a return of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror_of: Option<String>,
    /// Steps of that lineage from an entry banned in its own right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hops: Option<u8>,
}

impl AccountRecord {
    /// The record of a stored account. Keyed tokens stay behind: they mean nothing in another database.
    pub fn of(account: &Account) -> Self {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let time = |time: Option<jiff::Timestamp>| time.map(|time| time.to_string());
        let opaque = |token: &Token| match &token.value {
            TokenValue::Opaque(value) => Some((token.name.clone(), value.clone())),
            TokenValue::Keyed(_) => None,
        };
        let tokens: std::collections::BTreeMap<_, _> =
            account.tokens.iter().filter_map(opaque).collect();
        Self {
            id: Some(account.id().to_string()),
            platform: text(&account.platform),
            kind: Some(account.kind.as_str().to_owned()),
            handle: text(&account.handle),
            display_name: text(&account.display_name),
            bio: text(&account.bio),
            location: text(&account.location),
            links: (!account.links.is_empty()).then(|| account.links.clone()),
            avatar: account.avatar.map(|avatar| AvatarRecord {
                pdq: Some(crate::hash::Pdq::from_bytes(&avatar.pdq).to_hex()),
                quality: Some(avatar.quality),
                ..AvatarRecord::default()
            }),
            tokens: (!tokens.is_empty()).then_some(tokens),
            created_at: time(account.created_at),
            ban: account.ban.as_ref().map(|ban| BanRecord {
                reason: text(&ban.reason),
                network: text(&ban.network),
                source: text(&ban.source),
                banned_at: time(ban.banned_at),
                expires_at: time(ban.expires_at),
                mirror_of: ban.descent.as_ref().map(|of| of.parent.to_string()),
                hops: ban.descent.as_ref().map(|of| of.hops),
            }),
            mirror_of: None,
            tactic: None,
        }
    }
}

/// A report as the contract has it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReportRecord {
    id: String,
    verdict: &'static str,
    score_bits: f64,
    probability: f64,
    lsn: u64,
    model: String,
    elapsed_us: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cuts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<String>,
    hits: Vec<HitRecord>,
}

/// One hit of a report.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct HitRecord {
    entry: String,
    handle: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    platform: String,
    network: String,
    score_bits: f64,
    prior_bits: f64,
    probability: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    judged: Option<String>,
    evidence: Vec<EvidenceRecord>,
}

/// One row of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct EvidenceRecord {
    signal: &'static str,
    level: &'static str,
    bits: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<u16>,
    why: String,
}

/// A row of `lookup --json`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct LookupRecord {
    relation: &'static str,
    why: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    judgments: Vec<JudgmentRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<String>,
    #[serde(flatten)]
    account: AccountRecord,
}

/// What a person said, as `judge --from` reads it and `export --judgments` writes it. Unknown fields are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct JudgmentRecord {
    /// The account that was judged, or is protected.
    pub probe: Option<String>,
    /// The entry it was judged against; none of a protected account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// `mirror`, `not_mirror`, `unsure`, or [`JudgmentRecord::PROTECTED`].
    pub judgment: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who judged.
    pub who: Option<String>,
    /// RFC 3339.
    pub at: Option<String>,
}

impl JudgmentRecord {
    /// The word of a protected account.
    pub(crate) const PROTECTED: &'static str = "protected";

    /// The record of a judgment.
    pub(crate) fn of(judgment: &Judgment) -> Self {
        Self {
            probe: Some(judgment.probe().to_string()),
            entry: Some(judgment.entry().to_string()),
            judgment: Some(judgment.answer.as_str().to_owned()),
            ..Self::said(&judgment.remark)
        }
    }

    /// The record of a protected account.
    pub(crate) fn of_protection(protection: &Protection) -> Self {
        Self {
            probe: Some(protection.account.to_string()),
            judgment: Some(Self::PROTECTED.to_owned()),
            ..Self::said(&protection.remark)
        }
    }

    fn said(remark: &Remark) -> Self {
        Self {
            note: (!remark.note().is_empty()).then(|| remark.note().to_owned()),
            who: Some(remark.who().to_owned()),
            at: Some(remark.at().to_string()),
            ..Self::default()
        }
    }
}

/// What stands in the place of a rejected record's report.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ErrorLine {
    /// Line of the input, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub error: ErrorRecord,
}

/// A rejection.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct ErrorRecord {
    /// Stable word.
    pub code: &'static str,
    /// Field and reason.
    pub message: String,
}

impl ReportRecord {
    /// The record of a report that took `elapsed_us` microseconds.
    pub fn of(report: Report, elapsed_us: u64) -> Self {
        Self {
            id: report.id,
            verdict: report.verdict,
            score_bits: bits(report.score_bits),
            probability: rounded(report.probability, 1e6),
            lsn: report.lsn,
            model: report.model,
            elapsed_us,
            cuts: report.cuts,
            decision: report.decision.map(decision_id),
            hits: report.hits.into_iter().map(HitRecord::of).collect(),
        }
    }
}

impl ReportRecord {
    /// The verdict's word.
    pub(crate) fn verdict(&self) -> &'static str {
        self.verdict
    }

    /// Score of the best entry, in bits.
    pub(crate) fn score_bits(&self) -> f64 {
        self.score_bits
    }

    /// Ids of the hits that count, best first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &str> {
        let counts = self.hits.iter().filter(|hit| hit.cancelled.is_none());
        counts.map(|hit| hit.entry.as_str())
    }
}

impl HitRecord {
    /// The record of one hit.
    pub(crate) fn of(hit: HitReport) -> Self {
        Self {
            entry: hit.entry,
            handle: hit.handle,
            display_name: hit.display_name,
            platform: hit.platform,
            network: hit.network,
            score_bits: bits(hit.score_bits),
            prior_bits: bits(hit.prior_bits),
            probability: rounded(hit.probability, 1e6),
            cancelled: hit.cancelled,
            judged: hit.judged,
            evidence: hit.evidence.into_iter().map(EvidenceRecord::of).collect(),
        }
    }
}

impl EvidenceRecord {
    fn of(row: EvidenceRow) -> Self {
        Self {
            signal: row.signal.as_str(),
            level: row.level.as_str(),
            bits: bits(row.bits),
            probe: row.probe,
            entry: row.entry,
            distance: row.distance,
            why: row.why,
        }
    }
}

impl LookupRecord {
    /// The record of one entry found.
    pub(crate) fn of(row: &LookupRow) -> Self {
        Self {
            relation: row.kind.as_str(),
            why: row.why.clone(),
            judgments: row.judgments.iter().map(JudgmentRecord::of).collect(),
            decisions: row.decisions.iter().copied().map(decision_id).collect(),
            account: AccountRecord::of(&row.account),
        }
    }
}

/// The id of the decision of this number, as it is told.
pub(crate) fn decision_id(number: u64) -> String {
    format!("d{number:016x}")
}

/// The number of a decision's id, or `None` where it is none.
pub(crate) fn decision_number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix('d').filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

fn bits(bits: f32) -> f64 {
    rounded(f64::from(bits), 1e3)
}

/// Rounds to a step of 1/`per_unit`, without a negative zero.
fn rounded(value: f64, per_unit: f64) -> f64 {
    (value * per_unit).round() / per_unit + 0.0
}

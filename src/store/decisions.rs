//! Flags as they were raised, on disk: by number, and the numbers of each account's.
//!
//! A decision holds everything its report was made of, so that it can be made again after the watchlist has moved on.

use std::collections::HashSet;

use jiff::Timestamp;
use prost::Message;
use rocksdb::{Direction, IteratorMode, WriteBatch};

use crate::account::{Account, AccountId};
use crate::error::Result;
use crate::signal::crowd::Carriers;
use crate::store::codec::EntryRecord;
use crate::store::database::{Store, damaged, database};
use crate::store::key::{self, Side, family};

/// One flag and what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Microseconds since 1970 when it was raised; no two decisions have one number.
    pub number: u64,
    /// Number of the last change of the watchlist that was seen.
    pub lsn: u64,
    /// Entries on the watchlist then.
    pub entries: u32,
    /// Digest of model, background and normaliser.
    pub model: String,
    /// The verdict's word.
    pub verdict: String,
    /// Score of the best hit, in bits.
    pub score: f32,
    /// Look-ups that a cap cut short.
    pub cuts: u32,
    /// Whether it brought evidence that no earlier decision of the account had.
    pub is_new: bool,
    /// The account as it was screened; tokens keyed.
    pub probe: Account,
    /// The hits told, best first.
    pub hits: Vec<DecidedHit>,
    /// How many entries carried each value that was asked for.
    pub counted: Vec<(u64, Carriers)>,
    /// What agreed in this and earlier decisions of the account: digests of entry, signal and relation, ascending.
    pub agreed: Vec<u64>,
    /// The report as it was told.
    pub report: Vec<u8>,
}

/// One entry of a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct DecidedHit {
    /// The entry as it was then.
    pub entry: Account,
    /// Its score, in bits.
    pub score: f32,
    /// What its network lent, in bits.
    pub network_bits: f32,
    /// What cancelled it, in words; empty where nothing did.
    pub cancelled: String,
}

#[derive(Clone, PartialEq, Message)]
struct DecisionMessage {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(uint64, tag = "2")]
    lsn: u64,
    #[prost(uint32, tag = "3")]
    entries: u32,
    #[prost(string, tag = "4")]
    model: String,
    #[prost(string, tag = "5")]
    verdict: String,
    #[prost(float, tag = "6")]
    score: f32,
    #[prost(uint32, tag = "7")]
    cuts: u32,
    #[prost(bool, tag = "8")]
    is_new: bool,
    #[prost(bytes = "vec", tag = "9")]
    probe: Vec<u8>,
    #[prost(message, repeated, tag = "10")]
    hits: Vec<HitMessage>,
    #[prost(message, repeated, tag = "11")]
    counted: Vec<CarriersMessage>,
    #[prost(fixed64, repeated, tag = "12")]
    agreed: Vec<u64>,
    #[prost(bytes = "vec", tag = "13")]
    report: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct HitMessage {
    #[prost(bytes = "vec", tag = "1")]
    entry: Vec<u8>,
    #[prost(float, tag = "2")]
    score: f32,
    #[prost(float, tag = "3")]
    network_bits: f32,
    #[prost(string, tag = "4")]
    cancelled: String,
}

#[derive(Clone, PartialEq, Message)]
struct CarriersMessage {
    #[prost(fixed64, tag = "1")]
    key: u64,
    #[prost(uint32, tag = "2")]
    all: u32,
    #[prost(uint32, tag = "3")]
    networks: u32,
}

/// When the decision of a number was raised.
pub(crate) fn raised_at(number: u64) -> Timestamp {
    let micros = i64::try_from(number).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

impl Decision {
    /// When it was raised.
    pub fn at(&self) -> Timestamp {
        raised_at(self.number)
    }

    pub(in crate::store) fn encode(&self) -> Vec<u8> {
        let hit = |hit: &DecidedHit| HitMessage {
            entry: stored(&hit.entry),
            score: hit.score,
            network_bits: hit.network_bits,
            cancelled: hit.cancelled.clone(),
        };
        let carriers = |(key, carriers): &(u64, Carriers)| CarriersMessage {
            key: *key,
            all: carriers.all,
            networks: carriers.networks,
        };
        DecisionMessage {
            number: self.number,
            lsn: self.lsn,
            entries: self.entries,
            model: self.model.clone(),
            verdict: self.verdict.clone(),
            score: self.score,
            cuts: self.cuts,
            is_new: self.is_new,
            probe: stored(&self.probe),
            hits: self.hits.iter().map(hit).collect(),
            counted: self.counted.iter().map(carriers).collect(),
            agreed: self.agreed.clone(),
            report: self.report.clone(),
        }
        .encode_to_vec()
    }

    /// `Err` says why the bytes are no decision.
    pub(in crate::store) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let message = DecisionMessage::decode(bytes).map_err(|e| e.to_string())?;
        let hit = |hit: HitMessage| {
            Ok::<_, String>(DecidedHit {
                entry: EntryRecord::decode(&hit.entry)?.account,
                score: hit.score,
                network_bits: hit.network_bits,
                cancelled: hit.cancelled,
            })
        };
        let carriers = |message: CarriersMessage| {
            let (all, networks) = (message.all, message.networks);
            (message.key, Carriers { all, networks })
        };
        Ok(Self {
            number: message.number,
            lsn: message.lsn,
            entries: message.entries,
            model: message.model,
            verdict: message.verdict,
            score: message.score,
            cuts: message.cuts,
            is_new: message.is_new,
            probe: EntryRecord::decode(&message.probe)?.account,
            hits: message
                .hits
                .into_iter()
                .map(hit)
                .collect::<Result<_, _>>()?,
            counted: message.counted.into_iter().map(carriers).collect(),
            agreed: message.agreed,
            report: message.report,
        })
    }
}

fn stored(account: &Account) -> Vec<u8> {
    EntryRecord::of_encoded(0, &EntryRecord::encoded(account))
}

impl Store {
    /// Writes a decision; not synced, since losing the last moments of flags loses no ban.
    pub(crate) fn decide(&self, decision: &Decision) -> Result<()> {
        let decided = self.family(family::DECIDED)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(
            self.family(family::DECISIONS)?,
            key::lsn(decision.number),
            decision.encode(),
        );
        for key in keys_of(decision) {
            batch.put_cf(decided, key, b"");
        }
        self.db().write(batch).map_err(database)
    }

    /// The decision of this number. One disk read.
    pub(crate) fn decision(&self, number: u64) -> Result<Option<Decision>> {
        let stored = self.value(family::DECISIONS, &key::lsn(number))?;
        stored
            .map(|stored| decoded(&key::lsn(number), &stored))
            .transpose()
    }

    /// Number of the last decision; 0 where there is none. One disk read.
    pub(crate) fn last_decision(&self) -> Result<u64> {
        let Some(family) = self.db().cf_handle(family::DECISIONS) else {
            return Ok(0);
        };
        match self.db().iterator_cf(family, IteratorMode::End).next() {
            None => Ok(0),
            Some(Err(source)) => Err(database(source)),
            Some(Ok((key, _))) => key::lsn_of(&key)
                .ok_or_else(|| damaged(&key, "a number of a decision that has not eight bytes")),
        }
    }

    /// Decisions from number `from` on, in the order they were raised.
    pub(crate) fn decisions(
        &self,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<Decision>> + '_> {
        let start = key::lsn(from);
        let rows = self.db().cf_handle(family::DECISIONS).map(|family| {
            self.db()
                .iterator_cf(family, IteratorMode::From(&start, Direction::Forward))
        });
        Ok(rows.into_iter().flatten().map(|row| {
            let (key, stored) = row.map_err(database)?;
            decoded(&key, &stored)
        }))
    }

    /// Numbers of the decisions of one account, the latest first, at most `limit`.
    pub(crate) fn decisions_of(
        &self,
        side: Side,
        id: &AccountId,
        limit: usize,
    ) -> Result<Vec<u64>> {
        let Some(family) = self.db().cf_handle(family::DECIDED) else {
            return Ok(Vec::new());
        };
        let begin = key::decided_of(side, id);
        let last = key::decided(side, id, u64::MAX);
        let rows = self
            .db()
            .iterator_cf(family, IteratorMode::From(&last, Direction::Reverse));
        let mut numbers = Vec::new();
        for row in rows.take(limit) {
            let (key, _) = row.map_err(database)?;
            let Some(number) = key.strip_prefix(begin.as_slice()).and_then(key::lsn_of) else {
                break;
            };
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// Reads every decision, and by what accounts it is found; what is wrong goes into `damage`. Returns how many.
    pub(in crate::store) fn check_decisions(&self, damage: &mut Vec<String>) -> Result<u64> {
        let mut expected: HashSet<Vec<u8>> = HashSet::new();
        let mut read = 0;
        for decision in self.decisions(0)? {
            match decision {
                Ok(decision) => {
                    read += 1;
                    expected.extend(keys_of(&decision));
                }
                Err(error) => damage.push(format!("decisions: {error}")),
            }
        }
        let (total, mut found) = (expected.len(), 0);
        for row in self.rows_if_there(family::DECIDED)? {
            match row {
                Ok((key, _)) => found += usize::from(expected.contains(&*key)),
                Err(error) => damage.push(format!("decided: {error}")),
            }
        }
        if found != total {
            let reason = format!("decided: {found} of {total} accounts find their decision");
            damage.push(reason);
        }
        Ok(read)
    }

    /// Makes the latest decision of an account one that cannot be read.
    #[cfg(test)]
    pub(crate) fn break_latest(&self, probe: &AccountId) -> Result<()> {
        let number = u64::MAX - 1;
        let mut batch = WriteBatch::default();
        let key = key::decided(Side::Probe, probe, number);
        batch.put_cf(self.family(family::DECIDED)?, key, b"");
        let decisions = self.family(family::DECISIONS)?;
        batch.put_cf(decisions, key::lsn(number), b"\xff");
        self.db().write(batch).map_err(database)
    }

    /// Forgets decisions.
    pub(crate) fn forget_decisions(&self, decisions: &[Decision]) -> Result<()> {
        let (by_number, decided) = (
            self.family(family::DECISIONS)?,
            self.family(family::DECIDED)?,
        );
        let mut batch = WriteBatch::default();
        for decision in decisions {
            batch.delete_cf(by_number, key::lsn(decision.number));
            for key in keys_of(decision) {
                batch.delete_cf(decided, key);
            }
        }
        self.db().write(batch).map_err(database)
    }
}

/// The keys by which a decision is found.
fn keys_of(decision: &Decision) -> Vec<Vec<u8>> {
    let number = decision.number;
    let entries = decision.hits.iter().map(|hit| hit.entry.id());
    let mut keys: Vec<Vec<u8>> = entries
        .map(|id| key::decided(Side::Entry, id, number))
        .collect();
    keys.push(key::decided(Side::Probe, decision.probe.id(), number));
    keys
}

fn decoded(key: &[u8], stored: &[u8]) -> Result<Decision> {
    Decision::decode(stored).map_err(|reason| damaged(key, &reason))
}

//! Every key of the database, by constructor; nothing else spells keys.

use crate::account::AccountId;

/// Column families. RocksDB's `default` stays empty.
pub(crate) mod family {
    /// Facts about the database itself.
    pub(crate) const META: &str = "meta";
    /// Live entries by account id.
    pub(crate) const ENTRIES: &str = "entries";
    /// Every change by log sequence number.
    pub(crate) const LOG: &str = "log";
    /// Accounts seen when they were screened, by account id.
    pub(crate) const SEEN: &str = "seen";
    /// Judgments by probe and entry.
    pub(crate) const JUDGMENTS: &str = "judgments";
    /// The pairs of `judgments` by entry and probe; no values.
    pub(crate) const JUDGED: &str = "judged";
    /// Protected accounts by id.
    pub(crate) const PROTECTED: &str = "protected";
    /// Flags as they were raised, by number.
    pub(crate) const DECISIONS: &str = "decisions";
    /// The numbers of `decisions` by account and by entry; no values.
    pub(crate) const DECIDED: &str = "decided";
    /// How far platforms have come with entries, by id.
    pub(crate) const STANDINGS: &str = "standings";
    /// All of them, in the order they are created.
    pub(crate) const ALL: [&str; 10] = [
        META, ENTRIES, LOG, SEEN, JUDGMENTS, JUDGED, PROTECTED, DECISIONS, DECIDED, STANDINGS,
    ];
}

/// Keys of the `meta` family.
pub(crate) mod meta {
    /// Format version, 4 bytes little-endian.
    pub(crate) const FORMAT: &[u8] = b"format";
    /// The secret that keys tokens, 32 bytes.
    pub(crate) const SECRET: &[u8] = b"secret";
    /// The background in use, where it is not the starter.
    pub(crate) const BACKGROUND: &[u8] = b"background";
    /// What screened accounts have taught so far.
    pub(crate) const STREAM: &[u8] = b"stream";
    /// What of it an operator has adopted.
    pub(crate) const LEARNT: &[u8] = b"learnt";
    /// Up to which change recent signups were looked for.
    pub(crate) const LOOKED_BACK: &[u8] = b"looked-back";
    /// Up to which moment flags were told.
    pub(crate) const TOLD: &[u8] = b"told";
    /// How far a bulk load has come; only while one is unfinished.
    pub(crate) const LOAD: &[u8] = b"load";
    /// Which segment files hold the watchlist, and up to which change.
    pub(crate) const MANIFEST: &[u8] = b"manifest";
}

/// Key of an entry or a seen account: its id.
pub(crate) fn account(id: &AccountId) -> &[u8] {
    id.as_str().as_bytes()
}

/// Key of a pair of accounts: both ids with a NUL between them, which no id holds.
pub(crate) fn pair(first: &AccountId, second: &AccountId) -> Vec<u8> {
    let mut key = pairs_of(first);
    key.extend_from_slice(account(second));
    key
}

/// How the keys of all pairs of `first` begin.
pub(crate) fn pairs_of(first: &AccountId) -> Vec<u8> {
    let mut key = account(first).to_vec();
    key.push(0);
    key
}

/// The id that is a whole key, or `None` where it is none.
pub(crate) fn account_of(key: &[u8]) -> Option<AccountId> {
    AccountId::new(std::str::from_utf8(key).ok()?).ok()
}

/// The two accounts of a pair's key, or `None` where it has not two ids.
pub(crate) fn pair_of(key: &[u8]) -> Option<(AccountId, AccountId)> {
    let mut ids = key.splitn(2, |byte| *byte == 0);
    Some((account_of(ids.next()?)?, account_of(ids.next()?)?))
}

/// On which side of a decision an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// It was flagged.
    Probe,
    /// It was flagged as a return of this entry.
    Entry,
}

/// Key of a decision among those of one account; by number within it.
pub(crate) fn decided(side: Side, id: &AccountId, number: u64) -> Vec<u8> {
    let mut key = decided_of(side, id);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// How the keys of all decisions of one account begin.
pub(crate) fn decided_of(side: Side, id: &AccountId) -> Vec<u8> {
    let side = match side {
        Side::Probe => b'p',
        Side::Entry => b'e',
    };
    [&[side], account(id), &[0]].concat()
}

/// Key of a change: big-endian, so that iteration is in order.
pub(crate) fn lsn(lsn: u64) -> [u8; 8] {
    lsn.to_be_bytes()
}

/// The sequence number of a change's key, or `None` where it has not eight bytes.
pub(crate) fn lsn_of(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_sort_by_number() {
        assert!(lsn(255) < lsn(256));
        assert_eq!(lsn_of(&lsn(u64::MAX)), Some(u64::MAX));
        assert_eq!(lsn_of(b"short"), None);
    }

    #[test]
    fn pairs_stand_by_their_first_account() {
        let id = |text| AccountId::new(text).unwrap();
        let key = pair(&id("x:1"), &id("x:22"));
        assert_eq!(key, b"x:1\0x:22");
        assert_eq!(pair_of(&key), Some((id("x:1"), id("x:22"))));
        assert!(!pair(&id("x:11"), &id("x:2")).starts_with(&pairs_of(&id("x:1"))));
        for broken in [&b"x:1"[..], b"x:1\0", b"\0x:1", b"a\0b\0c", b"\xff\0a"] {
            assert_eq!(pair_of(broken), None);
        }
    }
}

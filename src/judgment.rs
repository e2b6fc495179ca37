//! What people say: whether a probe and an entry are one actor, and which accounts are never to be flagged.
//!
//! A verdict is the machine's answer, a judgment a person's. Limits are checked once, here; what follows from a
//! judgment is the engine's affair.

use std::str::FromStr;

use jiff::Timestamp;

use crate::account::{AccountId, check_text};
use crate::error::Rejection;

/// Longest note, in bytes.
const NOTE_BYTES_MAX: usize = 1 << 10;
/// Longest name of who judged, in bytes.
const WHO_BYTES_MAX: usize = 256;

/// The note of an answer that was taken back: it says no more of the pair, and no store needs another field for it.
const TAKEN_BACK: &str = "taken back";

/// A person's answer about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The probe is the entry's actor again.
    Mirror,
    /// The probe is somebody else: the pair is not to be flagged again.
    NotMirror,
    /// Looked at, and left open.
    Unsure,
}

impl Answer {
    /// Every answer.
    pub(crate) const ALL: [Self; 3] = [Self::Mirror, Self::NotMirror, Self::Unsure];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::NotMirror => "not_mirror",
            Self::Unsure => "unsure",
        }
    }

    /// As it follows "judged".
    fn in_words(self) -> &'static str {
        match self {
            Self::Mirror => "a mirror",
            Self::NotMirror => "not a mirror",
            Self::Unsure => "unsure",
        }
    }
}

impl FromStr for Answer {
    type Err = Rejection;

    fn from_str(word: &str) -> Result<Self, Rejection> {
        let mut all = Self::ALL.into_iter();
        all.find(|answer| answer.as_str() == word).ok_or_else(|| {
            let reason = "expected mirror, not_mirror or unsure";
            Rejection::new("invalid_value", "judgment", reason)
        })
    }
}

/// Who said it, when, and in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    who: String,
    note: String,
    at: Timestamp,
}

impl Remark {
    /// Takes the remark if `who` is 1 to 256 bytes and `note` at most 1 KiB, both without NUL; seconds are whole.
    ///
    /// # Errors
    /// Names the limit that was passed.
    pub fn new(who: &str, note: &str, at: Timestamp) -> Result<Self, Rejection> {
        let (who, note) = (who.trim(), note.trim());
        if who.is_empty() {
            let reason = "expected the name of who judged";
            return Err(Rejection::new("missing_field", "who", reason));
        }
        check_text("who", who, WHO_BYTES_MAX)?;
        check_text("note", note, NOTE_BYTES_MAX)?;
        Ok(Self {
            who: who.to_owned(),
            note: note.to_owned(),
            at: Timestamp::from_second(at.as_second()).unwrap_or(at),
        })
    }

    /// The remark of who takes an answer back.
    ///
    /// # Errors
    /// Names the limit that was passed.
    pub(crate) fn taking_back(who: &str, at: Timestamp) -> Result<Self, Rejection> {
        Self::new(who, TAKEN_BACK, at)
    }

    /// Who judged.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// The reason given; may be empty.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// When it was said.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    fn day(&self) -> String {
        self.at.strftime("%Y-%m-%d").to_string()
    }

    /// `told`, and the note where there is one.
    fn noted(&self, told: String) -> String {
        match self.note.as_str() {
            "" => told,
            note => format!("{told}: {note}"),
        }
    }
}

/// A person's answer about one pair; a later one of the same pair replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgment {
    probe: AccountId,
    entry: AccountId,
    /// The answer.
    pub answer: Answer,
    /// Who, when and why.
    pub remark: Remark,
}

impl Judgment {
    /// Takes the judgment if it is of two accounts.
    ///
    /// # Errors
    /// Probe and entry are one account.
    pub fn new(
        probe: AccountId,
        entry: AccountId,
        answer: Answer,
        remark: Remark,
    ) -> Result<Self, Rejection> {
        if probe == entry {
            let reason = "probe and entry are the same account: there is nothing to judge";
            return Err(Rejection::new("same_account", "entry", reason));
        }
        Ok(Self {
            probe,
            entry,
            answer,
            remark,
        })
    }

    /// Whether it takes an earlier answer back: the pair is as if nobody had judged it.
    pub(crate) fn is_taken_back(&self) -> bool {
        self.answer == Answer::Unsure && self.remark.note() == TAKEN_BACK
    }

    /// The account that was judged.
    pub fn probe(&self) -> &AccountId {
        &self.probe
    }

    /// The entry it was judged against.
    pub fn entry(&self) -> &AccountId {
        &self.entry
    }

    /// `judged not a mirror by NAME on DATE: NOTE`.
    pub fn in_words(&self) -> String {
        let (answer, remark) = (self.answer.in_words(), &self.remark);
        remark.noted(format!(
            "judged {answer} by {} on {}",
            remark.who,
            remark.day()
        ))
    }
}

/// An account that is never to be flagged: verified people, staff, fan pages that were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// The account.
    pub account: AccountId,
    /// Who, since when and why.
    pub remark: Remark,
}

impl Protection {
    /// `protected since DATE by NAME: NOTE`.
    pub fn in_words(&self) -> String {
        let remark = &self.remark;
        remark.noted(format!(
            "protected since {} by {}",
            remark.day(),
            remark.who
        ))
    }
}

/// What a person changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// Answers about a pair.
    Judge(Judgment),
    /// Protects an account.
    Protect(Protection),
    /// Ends the protection of an account.
    Unprotect(AccountId),
    /// Takes back what was answered about a probe and an entry, and keeps nothing of it.
    Erase(AccountId, AccountId),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remark(note: &str) -> Remark {
        Remark::new(" ada ", note, "2026-11-20T10:00:00.75Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn judgments_read_like_this() {
        let (probe, entry) = (
            AccountId::new("x:1").unwrap(),
            AccountId::new("x:2").unwrap(),
        );
        let judged = |answer, note| {
            Judgment::new(probe.clone(), entry.clone(), answer, remark(note)).unwrap()
        };
        assert_eq!(
            judged(Answer::NotMirror, "a namesake").in_words(),
            "judged not a mirror by ada on 2026-11-20: a namesake"
        );
        assert_eq!(
            judged(Answer::Unsure, "").in_words(),
            "judged unsure by ada on 2026-11-20"
        );
        let protection = Protection {
            account: probe.clone(),
            remark: remark("staff"),
        };
        assert_eq!(
            protection.in_words(),
            "protected since 2026-11-20 by ada: staff"
        );
        assert_eq!(protection.remark.at().subsec_nanosecond(), 0);
    }

    #[test]
    fn what_cannot_be_judged_is_named() {
        let id = || AccountId::new("x:1").unwrap();
        let same = Judgment::new(id(), id(), Answer::Mirror, remark(""));
        assert_eq!(same.unwrap_err().code, "same_account");
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(Remark::new(" ", "", now).unwrap_err().field, "who");
        assert_eq!(Remark::new("a\0", "", now).unwrap_err().field, "who");
        let long = "n".repeat(NOTE_BYTES_MAX + 1);
        assert_eq!(Remark::new("a", &long, now).unwrap_err().field, "note");
        assert_eq!("maybe".parse::<Answer>().unwrap_err().field, "judgment");
        for answer in Answer::ALL {
            assert_eq!(answer.as_str().parse(), Ok(answer));
        }
    }
}

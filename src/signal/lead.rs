//! What leads from a probe to entries: a key, and how much meeting under it would tell.
//!
//! A *counted* key is also asked how many entries carry it, since what many carry tells little; its index is exact. A
//! *loose* key only proposes entries, in an index of a third of the size that now and then proposes a wrong one.

use crate::signal::relation::{Comparison, Signal};

/// A key under which an account is found, and what finding it there suggests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lead {
    /// The signal that agrees.
    pub signal: Signal,
    /// The most that one meeting under this key suggests.
    pub comparison: Comparison,
    /// The key.
    pub key: u64,
    /// Whether the carriers of the key are counted.
    pub counted: bool,
}

impl Lead {
    /// A lead whose carriers are counted.
    pub fn counted(signal: Signal, comparison: Comparison, key: u64) -> Self {
        Self {
            signal,
            comparison,
            key,
            counted: true,
        }
    }

    /// A lead that only proposes.
    pub fn loose(signal: Signal, comparison: Comparison, key: u64) -> Self {
        Self {
            signal,
            comparison,
            key,
            counted: false,
        }
    }
}

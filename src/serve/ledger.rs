//! Counts for the dashboard: what was screened by hour since the service started, and how long it took.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Hours that are told.
const HOURS_MAX: usize = 72;
const HOUR_SECONDS: i64 = 3_600;
/// Upper bounds of the ranges of duration, in microseconds; the last holds what is longer.
const BOUNDS_US: [u64; 12] = [
    100,
    200,
    300,
    500,
    750,
    1_000,
    2_000,
    5_000,
    10_000,
    50_000,
    200_000,
    u64::MAX,
];

/// Screens of one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hour {
    /// Hours since 1970.
    pub(crate) number: i64,
    /// Accounts screened.
    pub(crate) screened: u64,
    /// Of these, for review.
    pub(crate) review: u64,
    /// Of these, matches.
    pub(crate) matched: u64,
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    hours: Mutex<VecDeque<Hour>>,
    latency: [AtomicU64; BOUNDS_US.len()],
}

impl Ledger {
    /// Counts a screen.
    pub(crate) fn count(&self, verdict: &str, took: Duration, now: Timestamp) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let slots = BOUNDS_US.iter().zip(&self.latency);
        let mut slots = slots.skip_while(|(bound, _)| micros > **bound);
        if let Some((_, slot)) = slots.next() {
            slot.fetch_add(1, Ordering::Relaxed);
        }
        let number = now.as_second().div_euclid(HOUR_SECONDS);
        let mut hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = hours.back().map_or(number - 1, |hour| hour.number);
        // Quiet hours are told too; after a long silence the old ones are of no use.
        if number - last > HOURS_MAX as i64 {
            hours.clear();
            last = number - 1;
        }
        while last < number {
            last += 1;
            let fresh = Hour {
                number: last,
                ..Hour::default()
            };
            hours.push_back(fresh);
        }
        while hours.len() > HOURS_MAX {
            hours.pop_front();
        }
        if let Some(hour) = hours.back_mut() {
            hour.screened += 1;
            hour.review += u64::from(verdict == "review");
            hour.matched += u64::from(verdict == "match");
        }
    }

    /// The hours since the service started, the oldest first, without gaps.
    pub(crate) fn hours(&self) -> Vec<Hour> {
        let hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        hours.iter().copied().collect()
    }

    /// Screens by range of duration: its upper bound in microseconds, and how many.
    pub(crate) fn latency(&self) -> Vec<(u64, u64)> {
        let counts = self.latency.iter().map(|slot| slot.load(Ordering::Relaxed));
        BOUNDS_US.into_iter().zip(counts).collect()
    }
}

impl Hour {
    /// When it began.
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_second(self.number * HOUR_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_no_gaps_and_an_end() {
        let ledger = Ledger::default();
        let at = |hour: i64| Timestamp::from_second(hour * HOUR_SECONDS + 5).unwrap();
        ledger.count("clear", Duration::from_micros(150), at(10));
        ledger.count("match", Duration::from_micros(150), at(12));
        let numbers: Vec<(i64, u64)> = ledger
            .hours()
            .iter()
            .map(|h| (h.number, h.screened))
            .collect();
        assert_eq!(numbers, [(10, 1), (11, 0), (12, 1)]);
        assert_eq!(ledger.latency().get(1), Some(&(200, 2)));
        ledger.count("review", Duration::from_secs(9), at(1_000));
        assert_eq!(ledger.hours().len(), 1);
        (0..100).for_each(|hour| ledger.count("clear", Duration::ZERO, at(1_001 + hour)));
        assert_eq!(ledger.hours().len(), HOURS_MAX);
    }
}

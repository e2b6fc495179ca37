//! Many signups near one entry or one network in a short time: somebody is at it right now.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Flags are counted over so long: evaders return within minutes to hours.
const WINDOW_SECONDS: i64 = 3_600;
/// So many new flags of one entry or network in [`WINDOW_SECONDS`] are a burst; it is told again when they have doubled.
const BURST_LEN: usize = 10;
/// Entries and networks watched at a time.
const WATCHED_MAX: usize = 50_000;

/// What flags are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Near {
    /// One entry.
    Entry,
    /// One network.
    Network,
}

impl Near {
    /// The word of events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Network => "network",
        }
    }
}

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Bursts(Mutex<HashMap<(Near, String), VecDeque<i64>>>);

impl Bursts {
    /// Counts a new flag; returns how many there are within the window if that makes a burst worth telling.
    pub(crate) fn note(&self, near: Near, name: &str, now: Timestamp) -> Option<usize> {
        let (now, mut watched) = (
            now.as_second(),
            self.0.lock().unwrap_or_else(PoisonError::into_inner),
        );
        if watched.len() >= WATCHED_MAX {
            let is_fresh = |last: Option<&i64>| last.is_some_and(|at| now - at < WINDOW_SECONDS);
            watched.retain(|_, flags| is_fresh(flags.back()));
        }
        let flags = watched.entry((near, name.to_owned())).or_default();
        while flags.front().is_some_and(|at| now - at >= WINDOW_SECONDS) {
            flags.pop_front();
        }
        flags.push_back(now);
        let len = flags.len();
        let is_told = len % BURST_LEN == 0 && (len / BURST_LEN).is_power_of_two();
        is_told.then_some(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_told_and_told_again_when_it_has_doubled() {
        let bursts = Bursts::default();
        let at = |second: i64| Timestamp::from_second(1_000_000 + second).unwrap();
        let told: Vec<usize> = (0..45)
            .filter_map(|n| bursts.note(Near::Entry, "x:1", at(n)))
            .collect();
        assert_eq!(told, [10, 20, 40]);
        assert_eq!(bursts.note(Near::Network, "x:1", at(46)), None);
        let slow = (0..100).filter_map(|n| bursts.note(Near::Entry, "x:2", at(n * 600)));
        assert_eq!(slow.count(), 0);
    }
}

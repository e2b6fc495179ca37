//! Many signups near one entry or one network in a short time: somebody is at it right now.
//!
//! Whether a flag makes a burst hangs on the flags of the hour before it and of the hour before that, and on nothing else. So
//! whoever counts the kept decisions again after a crash finds the same bursts, under the same names.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Flags are counted over so long, in microseconds: evaders return within minutes to hours.
const WINDOW: u64 = 3_600_000_000;
/// What was raised before this many microseconds makes no difference to the flags of now.
pub(crate) const REMEMBERED: u64 = 2 * WINDOW;
/// So many new flags of one entry or network in [`WINDOW`] are a burst; it is told again when they have doubled, or when the
/// last hour had none.
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

/// A burst worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Burst {
    /// Flags within the window.
    pub(crate) flags: usize,
    /// The decision that is the oldest of them: with the number of flags it names the burst, in whatever order flags of one
    /// moment were counted.
    pub(crate) first: u64,
}

/// The flags of one entry or network: the number of each decision, ascending, and how many there were when it was counted.
type Flags = VecDeque<(u64, usize)>;

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Bursts(Mutex<HashMap<(Near, String), Flags>>);

impl Bursts {
    /// Counts the new flag of a decision, whose number is when it was raised, in microseconds; returns the burst it makes, if
    /// it makes one that is worth telling. O(log flags of the window), but for bursts.
    pub(crate) fn note(&self, near: Near, name: &str, decision: u64) -> Option<Burst> {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.len() >= WATCHED_MAX {
            let is_fresh = |(last, _): &(u64, usize)| decision.saturating_sub(*last) < WINDOW;
            watched.retain(|_, flags| flags.back().is_some_and(is_fresh));
        }
        let flags = watched.entry((near, name.to_owned())).or_default();
        let latest = flags
            .back()
            .map_or(decision, |(last, _)| decision.max(*last));
        while flags
            .front()
            .is_some_and(|(first, _)| latest.saturating_sub(*first) >= WINDOW)
        {
            flags.pop_front();
        }
        let place = flags.partition_point(|(number, _)| *number < decision);
        let len = flags.len() + 1;
        let is_step = len.is_multiple_of(BURST_LEN) && (len / BURST_LEN).is_power_of_two();
        // As many as that were told within the hour, where there were as many.
        let is_told = is_step && flags.iter().all(|(_, before)| *before < len);
        flags.insert(place, (decision, len));
        let (first, _) = *flags.front()?;
        is_told.then_some(Burst { flags: len, first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn told(bursts: &Bursts, near: Near, name: &str, second: u64) -> Option<usize> {
        let burst = bursts.note(near, name, (1_000_000 + second) * SECOND);
        burst.map(|burst| burst.flags)
    }

    #[test]
    fn a_burst_is_told_and_told_again_when_it_has_doubled() {
        let bursts = Bursts::default();
        let told = |near, name, second| told(&bursts, near, name, second);
        let doubled: Vec<usize> = (0..45)
            .filter_map(|n| told(Near::Entry, "x:1", n))
            .collect();
        assert_eq!(doubled, [10, 20, 40]);
        assert_eq!(told(Near::Network, "x:1", 46), None);
        let slow = (0..100).filter_map(|n| told(Near::Entry, "x:2", n * 600));
        assert_eq!(slow.count(), 0);
    }

    #[test]
    fn a_burst_that_goes_on_as_it_was_is_told_once() {
        let bursts = Bursts::default();
        // Ten an hour, each as the first of them leaves the hour.
        let even = (0..100).filter_map(|n| told(&bursts, Near::Entry, "x:1", n * 360));
        assert_eq!(even.collect::<Vec<_>>(), [10]);
        // An hour and more of silence, and it begins anew.
        let anew = (0..10).filter_map(|n| told(&bursts, Near::Entry, "x:1", 50_000 + n));
        assert_eq!(anew.collect::<Vec<_>>(), [10]);
    }

    #[test]
    fn who_counts_again_finds_the_same_bursts_under_the_same_names() {
        let numbers: Vec<u64> = (0..400)
            .map(|n: u64| 10 * WINDOW + n * n % 977 * 11 * SECOND + n)
            .collect();
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        let all = Bursts::default();
        let noted = |bursts: &Bursts, number| bursts.note(Near::Entry, "x:1", number);
        let told: Vec<(u64, Burst)> = (sorted.iter())
            .filter_map(|number| Some((*number, noted(&all, *number)?)))
            .collect();
        assert!(told.len() > 2, "{told:?}");
        for from in sorted.iter().step_by(40) {
            let again = Bursts::default();
            let remembered = sorted.iter().filter(|number| *number + REMEMBERED >= *from);
            let found: Vec<(u64, Burst)> = remembered
                .filter_map(|number| Some((*number, noted(&again, *number)?)))
                .filter(|(number, _)| number >= from)
                .collect();
            let expected = told.iter().filter(|(number, _)| number >= from);
            assert_eq!(found, expected.copied().collect::<Vec<_>>());
        }
        // Two flags of one moment, counted in the other order.
        let (one, other) = (Bursts::default(), Bursts::default());
        let mut swapped: Vec<u64> = (1..=10).collect();
        let burst = swapped
            .iter()
            .filter_map(|number| noted(&one, *number))
            .next();
        swapped.swap(8, 9);
        assert_eq!(
            swapped
                .iter()
                .filter_map(|number| noted(&other, *number))
                .next(),
            burst
        );
        assert_eq!(
            burst,
            Some(Burst {
                flags: 10,
                first: 1
            })
        );
    }
}

//! Which carriers of a hot value has something else met as well?
//!
//! A value that more than [`HOT`](crate::index::HOT) entries carry proposes none of them: alone it is too little, and it would cost
//! as many comparisons. But two such values, or one beside what an index proposed, may be enough for a reviewer. So carriers are
//! noted by the signal that met them, in a small table, and those stay that two signals have met. The table is inexact; what it
//! leaves in by chance the sum by entry leaves out.

use crate::engine::candidates::Gathering;
use crate::engine::ways::{Meetings, Role, entry_of, way_of};

/// Places of the table for each meeting: with four, one crowded entry in five is left in by chance, or fewer.
const PLACES_EACH: usize = 4;
/// Noted of what an index proposed: any crowded value adds to it.
const PROPOSED: u16 = u16::MAX;

impl Gathering<'_> {
    /// Meets the crowded entries that another signal has met, or the same by a value that is not hot.
    pub(super) fn meet_crowded(&mut self) {
        let ways = &self.ways;
        let signal = |met: u64| match ways.get(way_of(met)) {
            Some(way) if way.role == Role::Adds => 1u16 << way.signal as u16,
            _ => 0,
        };
        for (meetings, crowded) in self.meetings.iter_mut().zip(&mut self.crowded) {
            crowded.retain(|met| signal(*met) != 0);
            if crowded.is_empty() {
                continue;
            }
            let len = PLACES_EACH * (meetings.len() + crowded.len());
            let mut signals = vec![0u16; len.next_power_of_two()];
            let last = signals.len() - 1;
            let place = |met: u64| entry_of(met) as usize & last;
            let mut note = |met: u64, signal: u16| {
                if let Some(signals) = signals.get_mut(place(met)) {
                    *signals |= signal;
                }
            };
            meetings.iter().for_each(|met| note(*met, PROPOSED));
            crowded.iter().for_each(|met| note(*met, signal(*met)));
            let is_met = |met: &u64| {
                let others = !signal(*met);
                signals
                    .get(place(*met))
                    .is_some_and(|met| met & others != 0)
            };
            let met: Meetings = crowded.drain(..).filter(is_met).collect();
            meetings.extend(met);
        }
    }
}

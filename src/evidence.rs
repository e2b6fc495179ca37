//! All comparisons of one pair.

use crate::fingerprint::Fingerprint;
use crate::signal::crowd::Crowd;
use crate::signal::relation::{Comparison, Level, Relation, Signal};
use crate::signal::{avatar, bio, contact, crossing, handle, link, name, token};

/// Signals that compare two fingerprints; the network and the time are added by the engine.
pub(crate) const COMPARED: usize = 7;

/// The comparisons of a probe and an entry, by signal. Small and `Copy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    comparisons: [Comparison; COMPARED],
}

impl Evidence {
    /// Compares a probe with an entry, signal by signal. O(length of the values); about a microsecond.
    pub fn of(probe: &Fingerprint<'_>, entry: &Fingerprint<'_>, crowd: &Crowd<'_>) -> Self {
        let handle = pairwise(&probe.handle, &entry.handle, handle::compare);
        let name = pairwise(&probe.name, &entry.name, |probe, entry| {
            name::compare(probe, entry, crowd)
        });
        let crossed = crossing::compare(
            (probe.handle.as_ref(), probe.name.as_ref()),
            (entry.handle.as_ref(), entry.name.as_ref()),
        );
        let bio = pairwise(&probe.bio, &entry.bio, |probe, entry| {
            bio::compare(probe, entry, crowd)
        });
        let contacts = contact::compare(
            &probe.contacts,
            &entry.contacts,
            entry.handle.as_ref(),
            crowd,
        );
        Self {
            comparisons: [
                handle,
                match (name.relation, crossed.relation) {
                    (Relation::Same, _) => name,
                    // The words of a handle tell no more than words of a name.
                    (told, Relation::SharedWords) if told.level() > Level::Different => name,
                    _ => name.or(crossed),
                },
                bio,
                pairwise(&probe.picture, &entry.picture, |probe, entry| {
                    avatar::compare(probe, entry, crowd)
                }),
                link::compare(&probe.links, &entry.links, crowd),
                contact::beside(contacts, bio.relation),
                token::compare(&probe.tokens, &entry.tokens, crowd),
            ],
        }
    }

    /// The comparison of one signal; missing for the network and the time.
    pub fn comparison(&self, signal: Signal) -> Comparison {
        self.comparisons
            .get(signal as usize)
            .copied()
            .unwrap_or(Comparison::MISSING)
    }

    /// Every signal with its comparison, in the order of reports.
    pub fn iter(&self) -> impl Iterator<Item = (Signal, Comparison)> + '_ {
        Signal::ALL.into_iter().zip(self.comparisons)
    }

    /// True when any signal agrees at all.
    pub fn agrees(&self) -> bool {
        self.comparisons
            .iter()
            .any(|comparison| comparison.relation.level() > Level::Different)
    }
}

fn pairwise<P, E>(
    probe: &Option<P>,
    entry: &Option<E>,
    compare: impl Fn(&P, &E) -> Comparison,
) -> Comparison {
    match (probe, entry) {
        (Some(probe), Some(entry)) => compare(probe, entry),
        _ => Comparison::MISSING,
    }
}

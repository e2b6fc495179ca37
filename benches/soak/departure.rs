//! How an answer departs from that of comparing the probe with every entry.
//!
//! Three departures are known and counted: a cap cut a look-up short; entries too unlike the probe to be compared would
//! have lent a hit of their network some bits; a hit agrees only on words, sounds or sites each of which tells too little
//! to be compared for it. Any other is a mistake of the engine.

use std::collections::{HashMap, HashSet};

use mirrorwatch::{Account, AccountId, Hit, Relation, Screened, Signal};

/// How an answer departs from that of comparing with every entry; the worst of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Departure {
    /// The same.
    None,
    /// Entries of a hit's network that were not worth comparing would have lent it bits.
    Lent,
    /// Nothing that the missed entry agrees on tells enough to be looked for or compared.
    Weak,
    /// A look-up was cut, and what it would have brought is missing.
    Cut,
    /// Nothing explains it.
    Wrong,
}

impl Departure {
    /// Compares hits and verdict; `review` is the threshold of the former.
    pub(crate) fn of(found: &Screened, every: &Screened, review: f32) -> Self {
        let known: HashMap<&AccountId, &Hit> =
            found.hits.iter().map(|hit| (&hit.entry.id, hit)).collect();
        let of_hit = |hit: &Hit| {
            let lent = hit.circumstances.network_bits;
            match known.get(&hit.entry.id) {
                Some(known) if known.score.total() == hit.score.total() => Self::None,
                Some(known) if known.circumstances.network_bits != lent => Self::Lent,
                Some(_) => Self::Wrong,
                None if lent > 0.0 && hit.score.total() - lent < review => Self::Lent,
                None if found.cuts > 0 => Self::Cut,
                None if !is_promised(hit) => Self::Weak,
                None => Self::Wrong,
            }
        };
        let worst = every.hits.iter().map(of_hit).max().unwrap_or(Self::None);
        let ids: HashSet<&AccountId> = every.hits.iter().map(|hit| &hit.entry.id).collect();
        let is_explained = worst != Self::None || found.verdict == every.verdict;
        match known.keys().all(|id| ids.contains(id)) && is_explained {
            true => worst,
            false => Self::Wrong,
        }
    }
}

/// Whether an index promises to find the pair, as in `src/tests/oracle.rs`.
fn is_promised(hit: &Hit) -> bool {
    hit.evidence.iter().any(|(signal, comparison)| {
        let promised = match signal {
            Signal::Handle | Signal::Avatar | Signal::Contact | Signal::Token => true,
            // The site alone is looked for, but tells too little to be compared for it.
            Signal::Link => comparison.relation != Relation::SameSite,
            Signal::Name | Signal::Bio => comparison.relation == Relation::Same,
            _ => false,
        };
        promised && comparison.surprise >= 10.0
    })
}

/// Both answers, and the first hits that are missing, in words.
pub(crate) fn told(probe: &Account, found: &Screened, every: &Screened) -> String {
    let missed = every.hits.iter().filter(|hit| {
        let is_same = |other: &&mirrorwatch::Hit| other.entry.id == hit.entry.id;
        !found.hits.iter().any(|other| is_same(&other))
    });
    let missed: Vec<String> = missed.map(ToString::to_string).take(3).collect();
    format!(
        "{:?} {:.2} with {} hits, {} cuts; every entry: {:?} {:.2} with {} hits; missed {missed:?} for {probe:?}",
        found.verdict,
        found.score,
        found.hits.len(),
        found.cuts,
        every.verdict,
        every.score,
        every.hits.len()
    )
}

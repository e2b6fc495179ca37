//! What entries of one network lend one another when a probe agrees with several of them.
//!
//! One operator's accounts are banned together; whoever has the handle of one and the picture of another is likelier
//! theirs. Only one whole value as rare as what leads to candidates is lent: what many ordinary accounts share tells of no
//! common owner, and who else shares some words of a text or name is not looked for where many share each of them.
//! Networks are told apart by their numbers, since names lie all over the memory: these are asked only where
//! segments have to agree on them, and where something is lent.

use crate::engine::generation::Generation;
use crate::engine::screen::Weighed;
use crate::score::Model;
use crate::signal::relation::Signal;

/// Lends each hit that scores at least `reach` what other entries of its network agree on and it does not.
pub(crate) fn pool_networks(
    hits: &mut [Weighed<'_>],
    generation: &Generation,
    model: &Model,
    reach: f32,
) {
    let is_in_reach = |hit: &Weighed<'_>| hit.score().total() >= reach;
    if hits.len() < 2 {
        return;
    }
    let networks = Networks::of(hits, generation);
    if networks.are_apart() {
        return;
    }
    let mut pools = vec![[0.0f32; Signal::ALL.len()]; networks.numbers.len()];
    for hit in hits.iter() {
        if let Some(pool) = networks.place(hit).and_then(|at| pools.get_mut(at)) {
            for (slot, signal) in pool.iter_mut().zip(Signal::ALL) {
                *slot = slot.max(hit.lends(signal));
            }
        }
    }
    for hit in hits.iter_mut().filter(|hit| is_in_reach(hit)) {
        let Some(pool) = networks.place(hit).and_then(|at| pools.get(at)) else {
            continue;
        };
        let lacking = Signal::ALL.into_iter().zip(pool);
        let lacking = lacking.filter(|(signal, _)| hit.score().bits(*signal) <= 0.0);
        let most = lacking.map(|(_, bits)| *bits).fold(0.0, f32::max);
        let Some(network) = hit.network().filter(|_| most > 0.0) else {
            continue;
        };
        let lent = most - (generation.network_entries(network).max(1) as f32).log2();
        if lent > 0.0 {
            hit.lend(lent, model);
        }
    }
}

/// Networks of hits, those of one name together whichever part they are of.
struct Networks {
    /// Part and number of each, ascending.
    numbers: Vec<(u32, u32)>,
    /// The first in `numbers` of the same name.
    firsts: Vec<usize>,
    /// Hits of any network.
    hits: usize,
}

impl Networks {
    /// The networks of `hits`. Names are asked only where there are several parts.
    fn of(hits: &[Weighed<'_>], generation: &Generation) -> Self {
        let mut numbers: Vec<(u32, u32)> =
            hits.iter().filter_map(Weighed::network_number).collect();
        let hits = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        let mut firsts: Vec<usize> = (0..numbers.len()).collect();
        let ends = numbers.first().zip(numbers.last());
        if ends.is_some_and(|((first, _), (last, _))| first != last) {
            let name = |(part, network): (u32, u32)| {
                let part = generation.parts().get(part as usize)?;
                part.columns().network_name(network)
            };
            let named = numbers.iter().enumerate();
            let mut named: Vec<(&str, usize)> = named
                .filter_map(|(at, number)| Some((name(*number)?, at)))
                .collect();
            named.sort_unstable();
            for same in named.chunk_by(|a, b| a.0 == b.0) {
                for (_, at) in same {
                    if let Some((slot, (_, first))) = firsts.get_mut(*at).zip(same.first()) {
                        *slot = *first;
                    }
                }
            }
        }
        Self {
            numbers,
            firsts,
            hits,
        }
    }

    /// True where each hit is of a network of its own, so that nobody lends anything.
    fn are_apart(&self) -> bool {
        self.hits == self.numbers.len()
            && self
                .firsts
                .iter()
                .enumerate()
                .all(|(at, first)| at == *first)
    }

    /// The place of a hit's network.
    fn place(&self, hit: &Weighed<'_>) -> Option<usize> {
        let at = self.numbers.binary_search(&hit.network_number()?).ok()?;
        self.firsts.get(at).copied()
    }
}

//! Who on the watchlist carries a value: how many entries, and of how many networks.

use crate::engine::generation::Part;
use crate::index::Ordinal;
use crate::signal::relation::{Carriers, Crowd};

/// How many live entries of `lists`, each with the place of its part, there are, and of how many networks.
pub(crate) fn carriers_of<'l>(
    parts: &[Part],
    lists: impl Iterator<Item = (usize, &'l [Ordinal])> + Clone,
) -> Carriers {
    let live =
        |(at, list): (usize, &[Ordinal])| parts.get(at).map_or(0, |part| part.live_len(list));
    let all = lists.clone().map(live).sum::<usize>() as u32;
    let mut networks: Vec<&str> = Vec::new();
    if (2..Crowd::CARRIERS_MIN).contains(&all) {
        for (part, list) in lists.filter_map(|(at, list)| Some((parts.get(at)?, list))) {
            let live = list.iter().filter(|ordinal| part.is_live(**ordinal));
            let named = live.filter_map(|ordinal| part.columns().network(*ordinal));
            networks.extend(named.filter_map(|number| part.columns().network_name(number)));
        }
        networks.sort_unstable();
        networks.dedup();
    }
    Carriers {
        all,
        networks: networks.len() as u32,
    }
}

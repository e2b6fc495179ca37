//! Who on the watchlist carries a value: how many entries, and of how many networks.

use crate::engine::generation::Part;
use crate::index::Ordinal;
use crate::signal::crowd::{Carriers, Crowd};

/// How many live entries of `lists`, each with the place of its part, there are, and of how many networks where they are
/// fewer than `networked_max`. Looks at few where many are of several.
pub(crate) fn carriers_of<'l>(
    parts: &[Part],
    lists: impl Iterator<Item = (usize, &'l [Ordinal])> + Clone,
    networked_max: u32,
) -> Carriers {
    let live =
        |(at, list): (usize, &[Ordinal])| parts.get(at).map_or(0, |part| part.live_len(list));
    let all = lists.clone().map(live).sum::<usize>() as u32;
    let mut networks: Vec<&str> = Vec::new();
    if (2..networked_max).contains(&all) {
        let parts = lists.filter_map(|(at, list)| Some((parts.get(at)?, list)));
        let named = parts.flat_map(|(part, list)| {
            let live = list.iter().filter(|ordinal| part.is_live(**ordinal));
            live.filter_map(|ordinal| {
                let number = part.columns().network(*ordinal)?;
                part.columns().network_name(number)
            })
        });
        for name in named {
            if !networks.contains(&name) {
                networks.push(name);
            }
            if networks.len() >= Crowd::CARRIERS_MIN as usize {
                break;
            }
        }
    }
    Carriers {
        all,
        networks: networks.len() as u32,
    }
}

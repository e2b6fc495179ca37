//! What is due, of views of a few small parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{fanout, size_class};
use crate::account::AccountDraft;
use crate::background::Background;
use crate::engine::generation::{Generation, Part};
use crate::engine::packed::Packed;
use crate::engine::segment::{KEPT_MIN, Segment};
use crate::hash::Secret;
use crate::watchlist::Entry;

fn entry(number: usize) -> Entry {
    let draft = AccountDraft {
        id: format!("x:{number}"),
        handle: format!("ordinary{number}"),
        ..AccountDraft::default()
    };
    let (background, secret) = (Background::starter(), Secret::new([0; 32]));
    Entry::of(&draft.check().unwrap(), &background, &secret)
}

/// A part of `len` entries numbered from `first` on.
fn part(first: usize, len: usize) -> Part {
    let mut packed = Packed::default();
    (first..first + len).for_each(|number| packed.push(&entry(number)));
    Part::of(Segment::build(packed.sorted()), 0)
}

/// Parts of so many entries each.
pub(in crate::engine) fn view(lens: &[usize]) -> Generation {
    let firsts = lens
        .iter()
        .scan(0, |first, len| Some(std::mem::replace(first, *first + len)));
    let parts = firsts.zip(lens).map(|(first, len)| part(first, *len));
    Generation::of(parts.collect(), Default::default(), 0)
}

fn lens(due: Option<Vec<Part>>) -> Vec<u32> {
    due.unwrap_or_default().iter().map(Part::live).collect()
}

#[test]
fn of_segments_in_memory_two_of_a_size_are_built_into_one() {
    assert_eq!(lens(view(&[100, 40, 5, 1]).due()), [0; 0]);
    assert_eq!(lens(view(&[100, 40, 5, 2, 6]).due()), [5, 2, 6]);
    assert_eq!(lens(view(&[100, 40, 20, 9]).due()), [40, 20, 9]);
    // What piled up, at once; of it by the writer what is soon built.
    let piled = view(&[300, 20, 20, 20, 20, 20, 1]);
    assert_eq!(lens(piled.due()), [20, 20, 20, 20, 20, 1]);
    assert_eq!(lens(piled.due_by(fanout, 64)), [20, 20, 20, 1]);
    assert_eq!(lens(piled.due_by(fanout, 40)), [0; 0]);
    assert_eq!(lens(view(&[100, 40, 20, 9]).due_rarely()), [0; 0]);
    assert_eq!(lens(view(&[40, 20, 30, 21]).due_rarely()), [40, 20, 30, 21]);
}

#[test]
fn those_in_files_wait_for_four_of_a_size() {
    let in_file = size_class(KEPT_MIN as u32);
    assert_eq!((fanout(in_file - 1), fanout(in_file)), (2, 4));
}

#[test]
fn at_leisure_large_segments_are_left() {
    let after_a_large_one = view(&[50, 10, 8, 9]);
    assert_eq!(lens(after_a_large_one.untidy(u32::MAX)), [10, 8, 9]);
    assert_eq!(lens(after_a_large_one.untidy(9)), [8, 9]);
    let before_a_large_one = view(&[90, 12, 7, 6, 50, 3]);
    assert_eq!(lens(before_a_large_one.untidy(20)), [12, 7, 6, 3]);
    assert_eq!(lens(after_a_large_one.untidy(8)), [0; 0]);
}

#[test]
fn networks_are_counted_as_their_live_entries_are() {
    let of_network = |number: usize| {
        let mut entry = entry(number);
        let name = ["", "north", "south", "east"][number % 4];
        entry.network = (!name.is_empty()).then(|| Arc::from(name));
        entry
    };
    let mut view = Generation::default();
    for first in [0, 90, 130] {
        let mut packed = Packed::default();
        (first..first + 70).for_each(|number| packed.push(&of_network(number)));
        let gone = (first / 2..first).step_by(3).map(|number| entry(number).id);
        view = view.changed(&mut packed, &gone.collect::<Vec<_>>(), 1);
    }
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for part in view.parts() {
        for ordinal in part.ordinals() {
            let network = part.columns().network(ordinal);
            let name = network.and_then(|network| part.columns().network_name(network));
            *counts
                .entry(name.unwrap_or_default().to_owned())
                .or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 4);
    assert_eq!(view.networks(), counts);
}

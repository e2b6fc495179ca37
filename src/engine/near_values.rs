//! Which entries have a picture or a text near the probe's?
//!
//! What is near is found in groups of equal values; of a look-up that was cut short nobody is met.

use crate::blocking::{Begun, Near};
use crate::engine::candidates::{CROWDED_MAX, Gathering};
use crate::engine::carriers::carriers_of;
use crate::engine::generation::Part;
use crate::index::Ordinal;
use crate::signal::crowd::{Carriers, Crowd};
use crate::signal::relation::{Comparison, Relation, Signal};

/// Carriers of a picture that are counted: from here on it is as common as a default picture, however much commoner it is.
pub(crate) const PICTURES_COUNTED: usize = 4_096;

impl<'a> Gathering<'a> {
    /// Meets entries with the probe's picture, straight and turned; returns the picture's key and its carriers.
    pub(super) fn pictures(&mut self) -> Option<(u64, Carriers)> {
        let (parts, query) = (self.parts, self.query);
        let picture = query.probe().picture.as_ref()?;
        let mut counted = None;
        for turn in 0..query.pictures().len() {
            let relation = if turn == 0 {
                Relation::Near20
            } else {
                Relation::Turned
            };
            let way = self.way(Signal::Avatar, Comparison::new(relation, picture.bits()));
            let limit = if turn == 0 {
                PICTURES_COUNTED
            } else {
                CROWDED_MAX
            };
            let lists = self.meet_near(way, limit, |part, begun, limit| {
                part.blocker().same_pictures(begun, turn, limit)
            });
            if turn == 0 {
                let mut carriers = carriers_of(parts, lists.iter().copied(), Crowd::CARRIERS_MIN);
                carriers.all = carriers.all.min(PICTURES_COUNTED as u32);
                counted = Some((picture.key(), carriers));
            }
        }
        counted
    }

    /// Meets entries whose bio is a near copy.
    pub(super) fn near_copies(&mut self) {
        let query = self.query;
        let bio = query.probe().bio.as_ref();
        let Some(bio) = bio.filter(|bio| bio.simhash().is_some()) else {
            return;
        };
        let way = self.way(Signal::Bio, bio.near_copy());
        self.meet_near(way, CROWDED_MAX, |part, begun, limit| {
            part.blocker().near_copies(begun, limit)
        });
    }

    /// Meets what `look` finds near in each part, in at most `limit` groups of live values; returns these. Unless a look-up was
    /// cut: which entries it left out is nobody's choice.
    fn meet_near(
        &mut self,
        way: u64,
        limit: usize,
        look: impl Fn(&'a Part, &Begun, usize) -> Near<'a>,
    ) -> Vec<(usize, &'a [Ordinal])> {
        let (mut lists, mut is_cut) = (Vec::new(), false);
        for (at, (part, begun)) in self.parts.iter().zip(&self.begun).enumerate() {
            let near = look(part, begun, limit + withdrawn_len(part));
            is_cut |= near.is_cut;
            lists.extend(near.groups.into_iter().map(|group| (at, group)));
        }
        match is_cut {
            true => self.cuts += 1,
            false => {
                self.meet(way, &lists, true);
            }
        }
        lists
    }
}

/// How many more values are looked at for those that may be withdrawn; where thousands of near ones are, until the segment is made
/// anew, the look-up counts as cut.
fn withdrawn_len(part: &Part) -> usize {
    part.withdrawn_len().min(PICTURES_COUNTED)
}

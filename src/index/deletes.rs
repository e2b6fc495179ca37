//! Which entries are spelled nearly like this string?
//!
//! Symmetric deletes (W. Garbe's SymSpell, 2012): two strings at most `k` edits apart become the same when at most `k`
//! characters are left out of each, so entries are stored under all their shortened forms and found under the probe's.
//! Beyond 13 characters there would be hundreds of forms: there the string is cut in half, one of the
//! halves has at most one edit, and each half is stored under its own. No candidate is missed; the few false ones are
//! for the caller to drop with `osa_within(a, b, distance_max(shorter length))`. It stores no strings.

use crate::index::Ordinal;
use crate::index::flat::{Sections, Stored};
use crate::index::hashed::{HashedPostings, Placed, Run, mixed};
use crate::index::spelled::{LEN_MAX, Spelled};
use xxhash_rust::xxh3::xxh3_64;

/// Longest string in characters that is stored under its own shortened forms (at most 1 + 13 + 78 of them).
///
/// Larger costs memory (the forms grow with the square); smaller costs time, as halves under seven characters are shared
/// by many handles.
const WHOLE_MAX: usize = 13;

/// Mean number of postings in a bucket: a quarter byte of table a posting, and one cache line to read.
const LOAD: usize = 16;

/// What a form is made of; forms of different makes must not meet.
#[derive(Clone, Copy)]
enum Form {
    Whole,
    /// The first half of an entry of this many characters.
    Front(usize),
    /// The second half of an entry of this many characters.
    Back(usize),
    /// The bytes of a string beyond [`LEN_MAX`], which matches by equality only.
    Long,
}

/// Returns how many edits two strings may be apart, by the length of the shorter one in characters.
///
/// 0 up to 3, 1 up to 6, 2 from 7 on, where two random words no longer meet by chance; 0 again above `LEN_MAX` - 2,
/// so that both strings of a pair are always indexed whole.
pub fn distance_max(len_min: usize) -> usize {
    match len_min {
        0..=3 => 0,
        4..=6 => 1,
        _ if len_min + 2 <= LEN_MAX => 2,
        _ => 0,
    }
}

/// What meeting an entry under a form of the probe tells of how near it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tells {
    /// Less than two characters were left out of the whole.
    Once,
    /// Two were.
    Twice,
    /// The half is equal, but for a swap across the cut: two edits may be in the other.
    Equal(Side),
    /// The half has one edit: so the other has one at most.
    Edited(Side),
}

/// One half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Front,
    Back,
}

/// The forms under which a probe's matches are stored, each once.
#[derive(Debug)]
pub(crate) struct Forms {
    keys: Vec<u64>,
    tells: Vec<Tells>,
}

/// Which forms so many entries share that they were not met by all they would be.
pub(crate) struct Crowded {
    forms: Vec<bool>,
    once: bool,
    front: CrowdedHalf,
    back: CrowdedHalf,
}

/// What is crowded of the forms of one half.
#[derive(Clone, Copy, Default)]
struct CrowdedHalf {
    is_any: bool,
    is_equal: bool,
}

/// How one half of an entry was met.
#[derive(Clone, Copy, Default)]
struct MetHalf {
    is_met: bool,
    is_equal: bool,
    /// Under a form that is not crowded. Entries of equal halves share all forms: so this one's are all known.
    is_known: bool,
}

impl MetHalf {
    /// What may be true of the half though it was not met so.
    fn allowing(self, crowded: CrowdedHalf) -> (bool, bool) {
        let is_unknown = !self.is_known;
        (
            self.is_met || crowded.is_any && is_unknown,
            self.is_equal || crowded.is_equal && is_unknown,
        )
    }
}

impl Forms {
    /// Hashes to look up.
    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// Sums up which forms, by their places, are crowded.
    pub(crate) fn crowded(&self, is_crowded: impl Fn(usize) -> bool) -> Crowded {
        let forms: Vec<bool> = (0..self.keys.len()).map(is_crowded).collect();
        let is_any = |of: &dyn Fn(Tells) -> bool| {
            let mut both = self.tells.iter().zip(&forms);
            both.any(|(tells, is_crowded)| *is_crowded && of(*tells))
        };
        let half = |side| CrowdedHalf {
            is_any: is_any(&|tells| tells == Tells::Equal(side) || tells == Tells::Edited(side)),
            is_equal: is_any(&|tells| tells == Tells::Equal(side)),
        };
        Crowded {
            once: is_any(&|tells| tells == Tells::Once),
            front: half(Side::Front),
            back: half(Side::Back),
            forms,
        }
    }

    /// Returns how many edits an entry is away at least that was met under the forms at these places, if it is within
    /// two at all; `None` where it is further.
    ///
    /// Two strings one edit apart meet when at most one character is left out of each. Two halves of one edit each meet both:
    /// so an entry of which only one half was met, and not as it is, has two edits in the other and one in this one.
    pub(crate) fn edits(
        &self,
        places: impl Iterator<Item = usize>,
        crowded: &Crowded,
    ) -> Option<u8> {
        let (mut front, mut back) = (MetHalf::default(), MetHalf::default());
        let mut is_twice = false;
        for place in places {
            let (side, is_equal) = match self.tells.get(place)? {
                Tells::Once => return Some(1),
                Tells::Twice if crowded.once => return Some(1),
                Tells::Twice => {
                    is_twice = true;
                    continue;
                }
                Tells::Equal(side) => (side, true),
                Tells::Edited(side) => (side, false),
            };
            let half = match side {
                Side::Front => &mut front,
                Side::Back => &mut back,
            };
            half.is_met = true;
            half.is_equal |= is_equal;
            half.is_known |= !crowded.forms.get(place)?;
        }
        let (front, is_front_equal) = front.allowing(crowded.front);
        let (back, is_back_equal) = back.allowing(crowded.back);
        if front && back {
            return Some(1);
        }
        (is_twice || is_front_equal || is_back_equal).then_some(2)
    }
}

/// Index of strings by optimal string alignment distance. About four bytes a stored form.
#[derive(Clone, Debug, Default)]
pub struct Deletes {
    forms: HashedPostings,
}

impl Deletes {
    /// Stores each string under its shortened forms. O(forms): 67 for a string of 11 characters, 22 for one of 20.
    pub fn build<S: AsRef<str> + Sync>(entries: &[(S, Ordinal)]) -> Self {
        let forms = HashedPostings::build(entries, LOAD, |text, out| {
            entry_forms(text.as_ref(), out);
        });
        Self { forms }
    }

    /// Pushes every entry within [`distance_max`] of the probe, and some others, ascending and distinct; returns the
    /// number of forms that were cut.
    ///
    /// Of a form that more than `limit` entries share only the smallest `limit` ordinals are taken: a million equal
    /// strings cost no more than `limit` of them for each of the probe's forms. `usize::MAX` cuts none.
    pub fn candidates(&self, probe: &str, limit: usize, out: &mut Vec<Ordinal>) -> usize {
        self.forms.get(Self::forms(probe).keys(), limit, out)
    }

    /// Returns how many shortened forms more than `limit` entries have. Reads every posting.
    pub(crate) fn hot(&self, limit: usize) -> usize {
        self.forms.hot(limit)
    }

    /// The forms under which the probe's matches are stored, to be asked of several indexes. O(forms), up to about 160.
    pub(crate) fn forms(probe: &str) -> Forms {
        let mut forms = Vec::with_capacity(192);
        probe_forms(probe, &mut forms);
        // Of equal forms the one that tells more of a half comes first.
        forms.sort_unstable();
        forms.dedup_by_key(|(key, _)| *key);
        let (mut keys, mut tells) = (
            Vec::with_capacity(forms.len()),
            Vec::with_capacity(forms.len()),
        );
        for (key, form_tells) in forms {
            keys.push(key);
            tells.push(form_tells);
        }
        Forms { keys, tells }
    }

    /// Asks for where the entries under `forms` stand.
    pub(crate) fn ahead(&self, forms: &Forms) {
        self.forms.ahead(&forms.keys);
    }

    /// Reads where the entries under `forms` stand, and asks for them.
    pub(crate) fn placed(&self, forms: &Forms) -> Placed {
        self.forms.placed(forms.keys.clone())
    }

    /// Calls `visit` with the place of each form and the entries stored under it, ascending and distinct; what
    /// [`Deletes::candidates`] finds, cut by nothing.
    pub(crate) fn each(&self, forms: &Placed, visit: impl FnMut(usize, &mut Run<'_>)) {
        self.forms.each_at(forms, visit);
    }

    /// Puts the arrays as sections `name.*`.
    pub(crate) fn store(&self, name: &str, sections: &mut dyn Sections) {
        self.forms.store(name, sections);
    }

    /// Returns what was stored under `name`, or `None` if sections are missing or do not fit each other. O(1).
    pub(crate) fn load(name: &str, stored: &Stored) -> Option<Self> {
        let forms = HashedPostings::load(name, stored)?;
        Some(Self { forms })
    }

    /// Returns the bytes of the arrays.
    pub fn bytes(&self) -> usize {
        self.forms.bytes()
    }
}

/// Writes the forms an entry is stored under.
fn entry_forms(text: &str, out: &mut Vec<u64>) {
    let spelled = Spelled::of(text);
    let len = spelled.len();
    if spelled.is_cut() {
        out.push(long_form(text));
    } else if len <= WHOLE_MAX {
        once_forms(&spelled, 0, &mut |form| out.push(form));
        twice_forms(&spelled, &mut |form| out.push(form));
    } else {
        let half = len / 2;
        for (form, start, end) in [(Form::Front(len), 0, half), (Form::Back(len), half, len)] {
            out.push(keyed(spelled.part(start, end), form));
            shortened(&spelled, start, end, form, &mut |form| out.push(form));
        }
    }
}

/// Writes the forms under which the probe's matches are stored.
fn probe_forms(text: &str, out: &mut Vec<(u64, Tells)>) {
    let spelled = Spelled::of(text);
    let len = spelled.len();
    if spelled.is_cut() {
        out.push((long_form(text), Tells::Once));
        return;
    }
    if len <= WHOLE_MAX + 2 {
        let gaps_min = len.saturating_sub(WHOLE_MAX);
        once_forms(&spelled, gaps_min, &mut |form| {
            out.push((form, Tells::Once));
        });
        twice_forms(&spelled, &mut |form| out.push((form, Tells::Twice)));
    }
    for entry_len in (len.saturating_sub(2)).max(WHOLE_MAX + 1)..=(len + 2).min(LEN_MAX) {
        half_forms(&spelled, entry_len, out);
    }
}

/// Gives the string without 0 and 1 characters, as many as its length allows edits, but at least `gaps_min`.
///
/// Of a run of equal characters only the first is left out: the others give the same string.
fn once_forms(spelled: &Spelled, gaps_min: usize, then: &mut dyn FnMut(u64)) {
    let len = spelled.len();
    if gaps_min == 0 {
        then(keyed(spelled.part(0, len), Form::Whole));
    }
    if gaps_min <= 1 && distance_max(len) >= 1 {
        shortened(spelled, 0, len, Form::Whole, then);
    }
}

/// Gives the string without 2 characters, where its length allows two edits.
fn twice_forms(spelled: &Spelled, then: &mut dyn FnMut(u64)) {
    let len = spelled.len();
    if distance_max(len) < 2 {
        return;
    }
    for first in (0..len).filter(|first| !spelled.repeats(*first)) {
        for second in first + 1..len {
            if second == first + 1 || !spelled.repeats(second) {
                then(keyed(spelled.without_two(first, second), Form::Whole));
            }
        }
    }
}

/// Writes the forms under which a half of an entry of `entry_len` characters may be found.
///
/// Why it misses none: line up probe and entry by at most two edits and cut both at the entry's middle. Either one side
/// has at most one edit, or a swap lies across the cut; then at most one edit is left for one of the sides, so the other
/// is unchanged but for the swapped character: one substitution. So one half meets the probe's front (or back) part
/// with at most one edit. What is left for the other half bounds how much longer or shorter that part may be: by one
/// at most, and not against the difference of the whole lengths.
///
/// Why a half that was met edited is not enough alone: if it has one edit and the other has one, the other is met too, since
/// every shift that two edits allow is among the forms. If it has none, it is met as it is. What is left is the swap
/// across the cut beside another edit: there the half is met with its neighbour instead of the character next to the cut.
fn half_forms(spelled: &Spelled, entry_len: usize, out: &mut Vec<(u64, Tells)>) {
    let len = spelled.len();
    let half = entry_len / 2;
    for (form, half_len, side) in [
        (Form::Front(entry_len), half, Side::Front),
        (Form::Back(entry_len), entry_len - half, Side::Back),
    ] {
        let part = |part_len: usize| match side {
            Side::Back => (len.saturating_sub(part_len), len),
            Side::Front => (0, part_len.min(len)),
        };
        let (start, end) = part(half_len);
        let equal = keyed(spelled.part(start, end), form);
        out.push((equal, Tells::Equal(side)));
        let mut edited = |form: u64| out.push((form, Tells::Edited(side)));
        if len.abs_diff(entry_len) <= 1 {
            shortened(spelled, start, end, form, &mut edited);
        }
        let (from, to) = part(half_len + 1);
        if len >= entry_len {
            shortened(spelled, from, to, form, &mut edited);
        }
        if len + 2 == entry_len {
            let (start, end) = part(half_len - 1);
            edited(keyed(spelled.part(start, end), form));
        }
        if len.abs_diff(entry_len) <= 1 {
            let beside_cut = match side {
                Side::Back => start,
                Side::Front => end.saturating_sub(1),
            };
            let swapped = spelled.without(from, beside_cut, to);
            out.push((keyed(swapped, form), Tells::Equal(side)));
        }
    }
}

/// Gives the part `start..end` without each one of its characters.
fn shortened(spelled: &Spelled, start: usize, end: usize, form: Form, then: &mut dyn FnMut(u64)) {
    for gap in start..end {
        if gap == start || !spelled.repeats(gap) {
            then(keyed(spelled.without(start, gap, end), form));
        }
    }
}

/// Returns the key of a form: its hash and its make.
fn keyed(hash: u64, form: Form) -> u64 {
    let make = match form {
        Form::Whole => 0,
        Form::Front(len) => 2 * len as u64,
        Form::Back(len) => 2 * len as u64 + 1,
        Form::Long => 1,
    };
    mixed(hash ^ mixed(make))
}

/// Returns the key of a string that is matched by equality only.
fn long_form(text: &str) -> u64 {
    keyed(xxh3_64(text.as_bytes()), Form::Long)
}

#[cfg(test)]
mod tests {
    use super::{Deletes, distance_max};
    use crate::index::osa_within;
    use proptest::prelude::{ProptestConfig, Strategy, prop_assert_eq, proptest};

    /// Strings over few letters, so that near pairs and runs abound; each with an edited copy of its own.
    fn families() -> impl Strategy<Value = Vec<String>> {
        let edit = (
            0usize..4,
            0usize..80,
            proptest::sample::select(vec!['a', 'b', 'я']),
        );
        let family = (
            "[abя]{0,40}|[a-e]{12,20}|[ab]{58,68}",
            proptest::collection::vec(edit, 0..4),
        );
        proptest::collection::vec(family, 1..12).prop_map(|families| {
            let mut strings = Vec::new();
            for (text, edits) in families {
                let mut letters: Vec<char> = text.chars().collect();
                for (kind, place, letter) in edits {
                    let place = place % (letters.len() + 1);
                    match kind {
                        0 => letters.insert(place, letter),
                        1 if place < letters.len() => drop(letters.remove(place)),
                        2 if place + 1 < letters.len() => letters.swap(place, place + 1),
                        _ if place < letters.len() => letters[place] = letter,
                        _ => {}
                    }
                }
                strings.extend([text, letters.into_iter().collect()]);
            }
            strings
        })
    }

    fn is_near(a: &str, b: &str) -> bool {
        let len_min = a.chars().count().min(b.chars().count());
        osa_within(a, b, distance_max(len_min)).is_some()
    }

    #[test]
    fn the_rule_by_length() {
        let rule: Vec<usize> = [0, 3, 4, 6, 7, 62, 63, 1000].map(distance_max).to_vec();
        assert_eq!(rule, [0, 0, 1, 1, 2, 2, 0, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn equals_linear_scan_after_verification(strings in families()) {
            let entries: Vec<(String, u32)> = strings.iter().cloned().zip(0u32..).collect();
            let index = Deletes::build(&entries);
            for probe in &strings {
                let mut found = Vec::new();
                index.candidates(probe, usize::MAX, &mut found);
                found.retain(|ordinal| is_near(probe, &strings[*ordinal as usize]));
                let expected: Vec<u32> =
                    (0..strings.len() as u32).filter(|ordinal| is_near(probe, &strings[*ordinal as usize])).collect();
                prop_assert_eq!(&found, &expected, "{}", probe);
                let forms = Deletes::forms(probe);
                let mut carriers = vec![0; forms.keys().len()];
                index.each(&index.placed(&forms), |form, run| carriers[form] = run.count());
                for hot in [usize::MAX, 4, 2, 1] {
                    let mut met = vec![Vec::new(); strings.len()];
                    index.each(&index.placed(&forms), |form, run| run.take(hot).for_each(|near| met[near as usize].push(form)));
                    let crowded = forms.crowded(|form| carriers[form] > hot);
                    for near in expected.iter().map(|near| *near as usize).filter(|near| !met[*near].is_empty()) {
                        let distance = osa_within(probe, &strings[near], 2).unwrap_or(0).max(1) as u8;
                        let edits = forms.edits(met[near].iter().copied(), &crowded);
                        assert!(edits.is_some_and(|edits| edits <= distance), "{probe} {} {hot} {edits:?}", strings[near]);
                    }
                }
            }
        }
    }
}

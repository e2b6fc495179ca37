//! How two handles relate: by which small change the probe's may have come about from the entry's.
//!
//! Every reading is graded by how few ordinary handles relate like that to this entry; the one that tells most is taken.
//! Nothing is looked up: rarities came along with the handles.

use crate::index::{distance_max, osa_within};
use crate::normalize::parts::{Disguise, disguise};
use crate::signal::handle::{
    EDIT_BITS, Handle, INITIALS, MIXED_BITS, SCRIPT_BITS, SOUND_SHARE, is_vowel, reading,
};
use crate::signal::number;
use crate::signal::relation::{Comparison, Relation};

/// Bits that a second change costs: few returns make two at once, and of strangers who are near, nearly all differ in more
/// than one thing. Measured on tuned tactics it would be more, but those make one change each by construction.
pub(super) const MOVE_BITS: f32 = 8.0;
/// Bits that separators tell where they differ beside another change. As [`MOVE_BITS`], less than tuned tactics say, which make one
/// change each: of strangers who share all letters every second one differs in them, of returns hardly one in ten may.
const SEPARATOR_BITS: f32 = 4.0;
/// Most bits of such a pair. However rare the letters are, there are two people of that name: for a reviewer to look at.
const TWICE_BITS_MAX: f32 = 36.0;
/// Bits lost because words may stand in several orders and numbers in several places.
const RING_BITS: f32 = 3.0;
/// Bits of a number of two digits or more standing elsewhere than at the end: of 180,000 ordinary handles one in 180 has one.
pub(super) const PLACED_BITS: f32 = 7.0;
/// Bits of each letter that stands around a contained core where nothing tells its words: a long strange surround is
/// likelier another word.
const SURROUND_BITS: f32 = 0.4;
/// Bits of leaving vowels out: of 50,000 ordinary handles one in 130 has none, some more than half of them.
const VOWELLESS_BITS: f32 = 6.0;
/// Bits of writing a word as its initial: one ordinary handle in some seventy plainly does, others without a sign between.
const INITIAL_BITS: f32 = 4.0;
/// Vowels that may be missing of any handle; of more only where few are left, as the index asks for it then.
const VOWELS_MISSING_MAX: usize = 2;

/// How the probe's handle relates to the entry's. O(length); the relation that tells most of the letters.
pub(crate) fn compare(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    if probe.whole.text == entry.whole.text {
        let bits = entry.whole.bits;
        return match disguise(&probe.letters, &entry.letters) {
            Disguise::None => Comparison::new(Relation::Same, bits),
            Disguise::Lookalike => Comparison::new(Relation::Lookalike, bits),
            Disguise::Leet => Comparison::new(Relation::Leet, bits),
            Disguise::Foreign => Comparison::new(Relation::Disguised, bits + MIXED_BITS),
            Disguise::Other => Comparison::new(Relation::Edited1, (bits - EDIT_BITS).max(0.0)),
        };
    }
    if probe.stem.text == entry.stem.text {
        // All letters agree, so what else holds is part of it.
        let told = number::followed(&probe.number, &entry.number, entry.number_bits());
        let surprise = separated(entry.stem.bits + told, probe, entry);
        return Comparison::new(Relation::Renumbered, surprise);
    }
    let met = if probe.core.text == entry.core.text {
        let (own, other) = (&*probe.stem.text, &*entry.stem.text);
        let is_other = place_of(other, own).or(place_of(own, other)).is_none();
        let bits = entry.core.bits.min(probe.core.bits);
        let surprise = bits + numbers(probe, entry) - also(is_other);
        Comparison::new(Relation::Affixed, surprise.max(0.0))
    } else if let Some(reordered) = reordered(probe, entry) {
        // So they do here.
        return reordered;
    } else {
        edited(probe, entry)
    };
    met.or(contains(probe, entry))
        .or(truncated(probe, entry))
        .or(vowels_left_out(probe, entry))
        .or(initialed(probe, entry))
        .or(same_sound(probe, entry))
}

/// What the numbers of two handles tell, where their letters differ already: a stranger has any other. Negative where they
/// changed as well.
fn numbers(probe: &Handle<'_>, entry: &Handle<'_>) -> f32 {
    match (&*probe.number, &*entry.number) {
        ("", "") => 0.0,
        (own, other) if own == other => entry.number_bits(),
        (_, other) if number::stands_in(other, &probe.letters) => entry.number_bits(),
        (own, _) if number::stands_in(own, &entry.letters) => probe.number_bits(),
        _ => -MOVE_BITS,
    }
}

/// The bits of a small change of the letters or the number, less where the separators differ as well: who makes one change leaves
/// the rest, a stranger has any.
fn separated(bits: f32, probe: &Handle<'_>, entry: &Handle<'_>) -> f32 {
    let (own, old) = (&*probe.separators, &*entry.separators);
    let is_same = match probe.stem.text == entry.stem.text {
        true => own == old,
        false => marks(own).eq(marks(old)),
    };
    let bits = match is_same {
        true => bits,
        false => (bits - SEPARATOR_BITS).min(TWICE_BITS_MAX),
    };
    bits.max(0.0)
}

/// The separators without their places, which letters put in or left out move; each stands behind its own.
fn marks(separators: &str) -> impl Iterator<Item = char> {
    separators.chars().skip(1).step_by(2)
}

/// Whether all of `some` come in `all`, in their order. O(length).
fn is_within(mut some: impl Iterator<Item = char>, mut all: impl Iterator<Item = char>) -> bool {
    some.all(|one| all.any(|other| other == one))
}

/// What a second change costs, where there is one.
fn also(is_changed: bool) -> f32 {
    if is_changed { MOVE_BITS } else { 0.0 }
}

fn reordered(probe: &Handle<'_>, entry: &Handle<'_>) -> Option<Comparison> {
    let ((key, own), (other, bits)) = probe.ring.zip(entry.ring)?;
    if key != other {
        return None;
    }
    // All letters in their order, which namesakes turn round, and a number where few put theirs.
    if number::is_placed(probe.named(), &probe.letters, &entry.letters) {
        let surprise = bits.min(own) + PLACED_BITS + numbers(probe, entry);
        // Who does no more than that leaves the separators, and may put in some.
        let relation = match is_within(marks(&entry.separators), marks(&probe.separators)) {
            true => Relation::Renumbered,
            false => Relation::Reordered,
        };
        return Some(Comparison::new(relation, surprise.max(0.0)));
    }
    // A number that is put in or left out is the one change.
    let told = match probe.number.is_empty() || entry.number.is_empty() {
        true => numbers(probe, entry).max(0.0),
        false => numbers(probe, entry),
    };
    let surprise = bits.min(own) - RING_BITS + told;
    Some(Comparison::new(Relation::Reordered, surprise.max(0.0)))
}

fn edited(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let len_min = probe.stem.len.min(entry.stem.len);
    let within = distance_max(usize::from(len_min));
    let Some(distance) = osa_within(&probe.stem.text, &entry.stem.text, within) else {
        return Comparison::DIFFERENT;
    };
    // An edit is one way to come to the probe's handle, so nobody is surer than the probe's own rarity tells; and an
    // entry of common letters has ordinary handles all around it.
    let off = EDIT_BITS * distance as f32;
    let bits = entry.stem.bits.min(probe.stem.bits - off) + numbers(probe, entry);
    let surprise = separated(bits, probe, entry);
    Comparison::new(Relation::edited(distance), surprise)
}

fn contains(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let Some(core) = entry.contained() else {
        return Comparison::DIFFERENT;
    };
    let Some(start) = place_of(core, &probe.whole.text) else {
        return Comparison::DIFFERENT;
    };
    // What stands around it is as likely as it is common: "tv" is a word people add, half a word is chance.
    let spelling = probe.spelling.as_ref();
    let inside = spelling.and_then(|known| known.inside(start, start + core.len()));
    let bits = inside.unwrap_or_else(|| {
        // Of a signup that was kept it is not known: the most it can be.
        if probe.is_kept {
            return entry.core.bits;
        }
        let surround = f32::from(probe.whole.len) - core.chars().count() as f32;
        entry.core.bits - (surround + 1.0).log2() - SURROUND_BITS * surround
    });
    // Words on both sides are two changes, and so are words taken away and others put in their place.
    let (own, old) = (&*probe.stem.text, &*entry.stem.text);
    let place = place_of(old, &probe.whole.text);
    let is_second = place.is_none_or(|at| at > 0 && at + old.len() < own.len());
    let surprise = entry.core.bits.min(bits) + numbers(probe, entry) - also(is_second);
    Comparison::new(Relation::Contains, surprise.max(0.0))
}

/// Where `part` first stands in `whole`. Both are short and meet seldom, so that the preparations of `str::find` would
/// cost more than the look.
fn place_of(part: &str, whole: &str) -> Option<usize> {
    let (part, whole) = (part.as_bytes(), whole.as_bytes());
    let first = part.first()?;
    let mut windows = whole.windows(part.len());
    windows.position(|window| window.first() == Some(first) && window == part)
}

fn truncated(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let whole = &entry.whole.text;
    if !probe
        .truncated()
        .is_some_and(|beginning| whole.starts_with(beginning))
    {
        return Comparison::DIFFERENT;
    }
    let cut = f32::from(entry.whole.len) - f32::from(probe.stem.len);
    // The old number goes with what is cut off; a number of its own is another change.
    let told = numbers(probe, entry);
    let told = if probe.number.is_empty() { 0.0 } else { told };
    // Less than half of a handle is another one's beginning as well.
    let is_short = cut > f32::from(probe.stem.len);
    let surprise = probe.stem.bits - (cut + 1.0).log2() + told - also(is_short);
    Comparison::new(Relation::Truncated, surprise.max(0.0))
}

/// The probe's handle as the entry's with vowels left out. Few handles are that of one entry, so the probe's own rarity says
/// how often chance makes one of them; but whose handle is common is so without its vowels too.
fn vowels_left_out(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let (own, old) = (probe.named().as_bytes(), entry.named().as_bytes());
    if own.len() >= old.len() || !own.is_ascii() || !old.is_ascii() {
        return Comparison::DIFFERENT;
    }
    let mut rest = own.iter();
    let mut next = rest.next();
    let (mut vowels, mut missing) = (0, 0);
    for (at, letter) in old.iter().enumerate() {
        let is_loose = at > 0 && is_vowel(*letter);
        vowels += usize::from(is_loose);
        if next.is_some_and(|own| own.eq_ignore_ascii_case(letter)) {
            next = rest.next();
        } else if is_loose {
            missing += 1;
        } else {
            return Comparison::DIFFERENT;
        }
    }
    // Few vowels are edits, and found as these are: of short handles fewer.
    let within = distance_max(usize::from(probe.stem.len.min(entry.stem.len)));
    let is_near = missing <= VOWELS_MISSING_MAX.min(within);
    let is_asked = is_near || (probe.lacks_vowels() && probe.sound.is_some());
    if next.is_some() || missing == 0 || !is_asked {
        return Comparison::DIFFERENT;
    }
    let off = ways(vowels, missing).log2() + 1.0;
    let bits = (probe.stem.bits - off).min(entry.stem.bits + VOWELLESS_BITS);
    // One is an edit like any other, if one of few.
    let relation = match missing {
        1 => Relation::Edited1,
        _ => Relation::Abbreviated,
    };
    Comparison::new(relation, (bits + numbers(probe, entry)).max(0.0))
}

/// In how many ways `some` of `all` can be chosen.
fn ways(all: usize, some: usize) -> f32 {
    let chosen = (1..=some).map(|at| (all + 1).saturating_sub(at) as f32 / at as f32);
    chosen.product::<f32>().max(1.0)
}

/// The probe's handle as the longest word of the entry's, with initials for what stands before or after it.
fn initialed(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let (own, old) = (&*probe.stem.text, &*entry.stem.text);
    if own.len() >= old.len() || !own.is_ascii() || !old.is_ascii() {
        return Comparison::DIFFERENT;
    }
    let found = entry.word.as_ref().and_then(|place| {
        let (before, word) = (old.get(..place.start)?, old.get(place.clone())?);
        let after = old.get(place.end..)?;
        let is_own = probe.longest_word() == Some(word);
        let own_place = probe.word.as_ref().filter(|_| is_own);
        let own_split = own_place.map(|place| (place.start, own.len() - place.end));
        let mut options = INITIALS.into_iter().chain(own_split).filter_map(|split| {
            let stands = probe.between(split.0, split.1) == Some(word);
            let end = own.len().checked_sub(split.1).filter(|_| stands)?;
            let first = shortened(own.get(..split.0)?, before)?;
            Some(first * shortened(own.get(end..)?, after)?)
        });
        options.next()
    });
    let Some(options) = found else {
        return Comparison::DIFFERENT;
    };
    let off = options.log2() + 1.0;
    let bits = (probe.stem.bits - off).min(entry.stem.bits + INITIAL_BITS);
    Comparison::new(
        Relation::Abbreviated,
        (bits + numbers(probe, entry)).max(0.0),
    )
}

/// How many initials as long `whole` may be written as, if `short` is one of them or all of it.
fn shortened(short: &str, whole: &str) -> Option<f32> {
    if short == whole {
        return Some(1.0);
    }
    let (first, rest) = (short.get(..1)?, short.get(1..)?);
    let others = whole.strip_prefix(first)?;
    match rest.len() {
        0 => Some(1.0),
        1 if others.contains(rest) => Some(others.len() as f32),
        _ => None,
    }
}

fn same_sound(probe: &Handle<'_>, entry: &Handle<'_>) -> Comparison {
    let Some(((own, own_bits), (old, old_bits))) = probe.sound.zip(entry.sound) else {
        return Comparison::DIFFERENT;
    };
    let (bits, told) = (own_bits.min(old_bits), numbers(probe, entry));
    let read = match (probe.is_foreign(), entry.is_foreign()) {
        (is_foreign, other) if is_foreign == other && own == old => {
            return Comparison::new(Relation::SameSound, (bits + told).max(0.0));
        }
        (true, false) if is_heard(probe, own, old) => reading::cost(probe.named(), entry.named()),
        (false, true) if is_heard(entry, old, own) => reading::cost(entry.named(), probe.named()),
        _ => return Comparison::DIFFERENT,
    };
    // The consonants have met; the other letters tell their share, as far as they agree.
    let surprise = bits / SOUND_SHARE + told + SCRIPT_BITS - read;
    Comparison::new(Relation::Transliterated, surprise.max(0.0))
}

/// Whether the consonants of a handle in another script may be those of a Latin one, of which these are the keys.
fn is_heard(foreign: &Handle<'_>, own: u64, latin: u64) -> bool {
    own == latin || foreign.near_keys().contains(&latin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::Background;

    fn compared(probe: &str, entry: &str) -> Comparison {
        let background = Background::starter();
        let of = |handle| Handle::of(handle, &background).unwrap();
        compare(&of(probe), &of(entry))
    }

    #[test]
    fn a_vowel_edited_is_an_edit() {
        for probe in ["zorvonidispatch", "zorvandispatch", "zorbanidispatch"] {
            let relation = compared(probe, "zorvanidispatch").relation;
            assert_eq!(relation, Relation::Edited1, "{probe}");
        }
        let left_out = compared("zorvndispatch", "zorvanidispatch");
        assert_eq!(left_out.relation, Relation::Abbreviated);
        // One vowel fewer is one of few edits, and tells more than one edit of any kind.
        let background = Background::starter();
        let of = |handle| Handle::of(handle, &background).unwrap();
        let (probe, entry) = (of("zorvandispatch"), of("zorvanidispatch"));
        assert!(compare(&probe, &entry).surprise > edited(&probe, &entry).surprise);
    }

    #[test]
    fn a_handle_is_known_by_its_longest_word_and_initials() {
        for (probe, entry) in [
            ("zmakzamak", "zorvani_makzamak"),
            ("z_makzamak", "zorvani_makzamak"),
            ("zvmakzamak", "zorvani_makzamak"),
            ("makzamak_d", "makzamak_desk"),
            ("zmakzamakd22", "zorvani_makzamak_desk"),
            ("zrvnmkzmk", "zorvani_makzamak"),
            ("zorvani_mkzmk", "zorvani_makzamak"),
            ("zrvni_makzamak", "zorvani_makzamak"),
        ] {
            let relation = compared(probe, entry).relation;
            assert_eq!(relation, Relation::Abbreviated, "{probe} {entry}");
        }
        for (probe, entry) in [
            ("qmakzamak", "zorvani_makzamak"),
            ("zmakzamaq", "zorvani_makzamak"),
            ("mkzmkx", "makzamak"),
            ("new24", "nuewu24"),
        ] {
            let relation = compared(probe, entry).relation;
            assert_ne!(relation, Relation::Abbreviated, "{probe} {entry}");
        }
        let rare = compared("zmakzamak", "zorvani_makzamak").surprise;
        let common = compared("jsmith", "john_smith").surprise;
        assert!(rare > common + 8.0, "{rare} {common}");
    }

    #[test]
    fn separators_moved_beside_another_change_are_a_second_one() {
        let surprise = |probe, entry| compared(probe, entry).surprise;
        for (kept, moved, entry) in [
            ("zor_makzamak7", "zor.makzamak7", "zor_makzamak21"),
            ("zor_makzamek", "zormakzamek", "zor_makzamak"),
        ] {
            assert!(
                surprise(moved, entry) + 2.0 < surprise(kept, entry),
                "{entry}"
            );
        }
        let alone = surprise("zor.makzamak", "zor_makzamak");
        assert_eq!(alone, surprise("zor_makzamak", "zor_makzamak"));
    }

    #[test]
    fn strangers_of_another_script_share_consonants_and_no_more() {
        for (probe, stranger, own) in [
            (
                "Влада_Смирнова_1982",
                "alessiomariani1982",
                "vlada_smirnova_1982",
            ),
            ("خواسته_مهدی87", "cash.tomada87", "khasteh_mahdi87"),
            ("कहांप्रदेश1979", "weichen_pouvoirs1979", "kahanpradesh1979"),
        ] {
            let surprise = |entry| compared(probe, entry).surprise;
            let (by_chance, own) = (surprise(stranger), surprise(own));
            assert!(by_chance + 6.0 < own, "{probe} {by_chance} {own}");
        }
    }

    #[test]
    fn a_handle_is_known_in_another_script() {
        for (probe, entry) in [
            ("مکزمک_گولڈ", "makzamak_gold"),
            ("макзамак_голд", "makzamak_gold"),
            ("makzamak_gold", "макзамак_голд"),
            ("मकज़मक_गोल्द22", "makzamak_gold22"),
        ] {
            let met = compared(probe, entry);
            assert_eq!(met.relation, Relation::Transliterated, "{probe} {entry}");
            assert!(met.surprise > 15.0, "{probe} {}", met.surprise);
        }
        let named = compared("алихан", "alikhan");
        assert!(named.surprise < 12.0, "{}", named.surprise);
    }

    #[test]
    fn an_edit_says_no_more_than_the_handle_it_leads_to_is_rare() {
        let from_rare = compared("johnsmith", "johnsmiqh").surprise;
        assert!(from_rare < compared("johnsmiqh", "johnsmith").surprise + EDIT_BITS);
        assert!(
            from_rare
                <= Handle::of("johnsmith", &Background::starter())
                    .unwrap()
                    .bits()
        );
    }

    #[test]
    fn a_core_among_words_of_its_own_is_no_chance() {
        let (word, half) = ("velmintratech", "gavelmintrax");
        let of = |probe| compared(probe, "velmintra");
        assert!(
            of(word).surprise > of(half).surprise,
            "{:?} {:?}",
            of(word),
            of(half)
        );
    }

    /// The keys an entry is found under, and those a probe asks for.
    fn keys(handle: &Handle<'_>, is_probe: bool) -> Vec<u64> {
        let mut leads = Vec::new();
        handle.leads(&mut leads);
        if is_probe {
            handle.asked_leads(&mut leads);
        }
        leads.iter().map(|lead| lead.key).collect()
    }

    proptest::proptest! {
        #[test]
        fn what_is_shortened_or_written_otherwise_has_a_key_to_be_found_by(
            words in "(zor|van|mak|tal|gold|kesh|shir|dem|oru|e){2,4}(_(mer|bal|kov|tan|i|us){2,4})?(_[a-z]{2,6})?",
            way in 0..5usize,
        ) {
            let background = Background::starter();
            let initials = words.split_once('_').map(|(first, rest)| format!("{}{rest}", &first[..1]));
            let vowels_out: String = words.chars().filter(|c| !"aeiou".contains(*c)).collect();
            let cyrillic: String = words.chars().map(|c| match c {
                'a'..='z' => "абкдефгхижклмнопкрстувокиз".chars().nth(c as usize - 'a' as usize).unwrap(),
                other => other,
            }).collect();
            let cut: String = words.chars().take(words.len() - 1).collect();
            let written = [initials.unwrap_or_default(), vowels_out, cyrillic.replace('к', "с"), cyrillic, cut];
            let of = |handle: &str| Handle::of(handle, &background);
            if let (Some(probe), Some(entry)) = (of(&written[way]), of(&words)) {
                let met = compare(&probe, &entry);
                let is_near = osa_within(probe.stem(), entry.stem(), 2).is_some();
                if matches!(met.relation, Relation::Abbreviated | Relation::Transliterated) && !is_near {
                    let asked = keys(&probe, true);
                    let found = keys(&entry, false).iter().any(|key| asked.contains(key));
                    proptest::prop_assert!(found, "{} {words} {met:?}", written[way]);
                }
                let back = compare(&entry, &probe);
                if back.relation == Relation::Transliterated {
                    let asked = keys(&entry, true);
                    let found = keys(&probe, false).iter().any(|key| asked.contains(key));
                    proptest::prop_assert!(found, "{words} {} {back:?}", written[way]);
                }
            }
        }

        #[test]
        fn a_part_is_found_where_the_library_finds_it(whole in "[abя]{0,9}", part in "[abя]{1,4}") {
            proptest::prop_assert_eq!(place_of(&part, &whole), whole.find(&part));
        }
    }
}

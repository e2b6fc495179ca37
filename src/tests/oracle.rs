//! Brute force defines the meaning: the engine's best hit is the best of comparing the probe with every entry.
//!
//! Watchlists are made of a dozen actors' traits, mutated, so that handles, names, bios, links and pictures stand near
//! each other. How many entries carry a value is counted here by hand too. Entries have no network and no ban date.

use std::collections::{BTreeSet, HashMap};

use fastrand::Rng;
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use crate::engine::near_values::PICTURES_COUNTED;
use crate::engine::{Engine, EntryRef, Generation, Hit, Options};
use crate::evidence::Evidence;
use crate::fingerprint::Fingerprint;
use crate::hash::Pdq;
use crate::score::{Circumstances, Score};
use crate::signal::avatar::{self, Picture};
use crate::signal::crowd::{Carriers, Crowd};
use crate::signal::relation::{Relation, Signal};
use crate::tests::{Watch, account};

const HANDLES: [&str; 12] = [
    "zorvani_dispatch",
    "thornfield.oracle",
    "qarzaminFalcon",
    "sadaetormand",
    "velquist_gainers",
    "the_raven_of_gallow",
    "kelmora",
    "news24",
    "Ali",
    "murgh_e_sahar",
    "pixelvulture99",
    "кавказвестник",
];
const NAMES: [&str; 12] = [
    "Zorvani Dispatch",
    "قاسم تورمندی",
    "Qasim Tormandi",
    "صدائے تورمند",
    "Sada News",
    "Marguerite Ashdowne",
    "Ahmed Khan",
    "Кавказ Вестник",
    "محمد علی",
    "Velquist Gainers Club",
    "thornfield oracle",
    "John Smith",
];
const WORDS: [&str; 24] = [
    "wandering",
    "falconer",
    "documenting",
    "forbidden",
    "mountain",
    "shrines",
    "smuggler",
    "trails",
    "lantern",
    "festivals",
    "coffee",
    "dad",
    "opinions",
    "mine",
    "خبریں",
    "پہاڑ",
    "ترانے",
    "новости",
    "горы",
    "followers",
    "qarzamin",
    "plateau",
    "the",
    "of",
];
const LINKS: [&str; 8] = [
    "t.me/zorvanidsp",
    "https://chat.whatsapp.com/Kx81ZqPmWvT3yLr0NdBa2C",
    "velquist.example/join",
    "velquist.example/shop",
    "https://www.youtube.com/@thornfield",
    "linktr.ee/qarzamin",
    "https://instagram.com/zorvani_dispatch",
    "news.example",
];
const CONTACTS: [&str; 6] = [
    "+44 20 7946 0628",
    "winner.claims@post.example",
    "@zorvani_dispatch",
    "backup of @sadaetormand",
    "0xC35BF4F13585D20E241B118D274DFCAE374526FF",
    "@kelmora",
];

fn pick<'a>(random: &mut Rng, pool: &[&'a str]) -> &'a str {
    pool[random.usize(..pool.len())]
}

/// One to three letters changed, a number set behind, or nothing.
fn mutated(random: &mut Rng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..random.usize(0..3) {
        let at = random.usize(..letters.len());
        match random.u8(0..7) {
            0 => letters[at] = random.lowercase(),
            1 => letters.insert(at, random.lowercase()),
            2 if letters.len() > 3 => drop(letters.remove(at)),
            3 => {
                let next = (at + 1) % letters.len();
                letters.swap(at, next);
            }
            4 => letters.extend(random.u8(0..200).to_string().chars()),
            5 => letters.extend("_official".chars()),
            _ => {
                letters[at] = match letters[at] {
                    'a' => 'а',
                    'o' => '0',
                    'e' => '3',
                    'i' => 'l',
                    other => other,
                }
            }
        }
    }
    letters.into_iter().collect()
}

fn bio(random: &mut Rng) -> String {
    let start = random.usize(..WORDS.len());
    let len = random.usize(1..14);
    let word = |at: usize| WORDS[(start + at) % WORDS.len()];
    let mut words: Vec<&str> = (0..len).map(word).collect();
    if random.bool() {
        words.push(pick(random, &CONTACTS));
    }
    words.join(" ")
}

fn picture(random: &mut Rng) -> Value {
    let mut base = Rng::with_seed(random.u64(0..6));
    let mut bits: Vec<u8> = (0..32).map(|_| base.u8(..)).collect();
    for _ in 0..random.usize(0..40) {
        let bit = random.usize(0..256);
        bits[bit / 8] ^= 1 << (bit % 8);
    }
    let hex: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"pdq": hex, "quality": if random.u8(0..10) == 0 { 20 } else { 100 }})
}

/// A made-up account of few handles, names, links and pictures, so that any two agree on something.
pub(super) fn record(random: &mut Rng, id: String) -> Value {
    let mut record = json!({ "id": id });
    let mut told = |random: &mut Rng, field: &str, value: Value| {
        if random.u8(0..10) < 6 {
            record[field] = value;
        }
    };
    let handle = pick(random, &HANDLES);
    let handle = mutated(random, handle);
    told(random, "handle", json!(handle));
    let pool = if random.u8(0..8) == 0 {
        &HANDLES
    } else {
        &NAMES
    };
    let name = pick(random, pool);
    let name = mutated(random, name);
    told(random, "display_name", json!(name));
    let text = bio(random);
    told(random, "bio", json!(text));
    let links = [pick(random, &LINKS), pick(random, &LINKS)];
    let links = &links[..random.usize(1..3)];
    told(random, "links", json!(links));
    let avatar = picture(random);
    told(random, "avatar", avatar);
    let device = random.u8(0..30).to_string();
    told(random, "tokens", json!({ "device": device }));
    record
}

/// How many entries carry each value, counted one by one.
fn counted(generation: &Generation) -> HashMap<u64, (u32, BTreeSet<String>)> {
    let mut counts: HashMap<u64, (u32, BTreeSet<String>)> = HashMap::new();
    for entry in generation.iter() {
        let leads = entry.fingerprint.leads().into_iter();
        let keys: BTreeSet<u64> = leads
            .filter(|lead| lead.counted)
            .map(|lead| lead.key)
            .collect();
        for key in keys {
            let (all, networks) = counts.entry(key).or_default();
            *all += 1;
            networks.extend(network_of(&entry));
        }
    }
    counts
}

fn network_of(entry: &EntryRef<'_>) -> Option<String> {
    Some(entry.listed()?.network?.to_string())
}

/// As few entries that networks are counted, and as many of these as are.
fn carriers(all: u32, networks: BTreeSet<String>, networked_max: u32) -> Carriers {
    let few = (2..networked_max).contains(&all);
    let known = (networks.len() as u32).min(Crowd::CARRIERS_MIN);
    Carriers {
        all,
        networks: if few { known } else { 0 },
    }
}

/// How many entries have the probe's picture or one near it.
fn same_picture(generation: &Generation, picture: &Picture) -> Carriers {
    let near = |pdq: &Pdq| pdq.distance(picture.pdq()) <= avatar::DISTANCE_MAX;
    let has_same = |entry: &EntryRef<'_>| {
        let picture = entry.fingerprint.picture.as_ref();
        picture.is_some_and(|picture| picture.leads() && near(picture.pdq()))
    };
    let same: Vec<EntryRef<'_>> = generation.iter().filter(has_same).collect();
    let all = same.len().min(PICTURES_COUNTED) as u32;
    let networks = same.iter().filter_map(network_of).collect();
    carriers(all, networks, Crowd::CARRIERS_MIN)
}

/// Every entry that agrees on anything, best first.
fn brute_force(engine: &Engine, generation: &Generation, probe: &Fingerprint<'_>) -> Vec<Hit> {
    let counts = counted(generation);
    let carried = |key, networked_max| {
        let known = counts.get(&key).cloned().unwrap_or_default();
        carriers(known.0, known.1, networked_max)
    };
    let crowd = Crowd::new(generation.entries(), &carried, &|_| None);
    if let Some(picture) = probe.picture.as_ref().filter(|picture| picture.leads()) {
        crowd.note(picture.key(), same_picture(generation, picture));
    }
    let hit = |entry: EntryRef<'_>| {
        let evidence = Evidence::of(probe, &entry.fingerprint, &crowd);
        let circumstances = Circumstances {
            entries: generation.entries(),
            name_told: entry.fingerprint.name_told.max(probe.name_told),
            ..Circumstances::default()
        };
        let score = Score::of(&evidence, &circumstances, &engine.judge().model);
        let entry = entry.listed()?;
        evidence.agrees().then_some(Hit {
            entry,
            evidence,
            score,
            circumstances,
        })
    };
    let mut hits: Vec<Hit> = generation.iter().filter_map(hit).collect();
    hits.sort_by(|a, b| {
        b.score
            .total()
            .total_cmp(&a.score.total())
            .then_with(|| a.entry.id.cmp(&b.entry.id))
    });
    hits
}

/// Whether an index of its own promises to find the pair, whatever the other signals say.
fn is_promised(hit: &Hit) -> bool {
    hit.evidence.iter().any(|(signal, comparison)| {
        let promised = match signal {
            Signal::Handle | Signal::Avatar | Signal::Link | Signal::Contact | Signal::Token => {
                true
            }
            Signal::Name => matches!(comparison.relation, Relation::Same),
            Signal::Bio => matches!(comparison.relation, Relation::Same),
            _ => false,
        };
        promised && comparison.surprise >= 10.0
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_best_hit_is_the_best_of_all(seed: u64, len in 60usize..250, batches in 1usize..20) {
        let mut random = Rng::with_seed(seed);
        let watch = Watch::empty(Options { all_candidates: true, hits_max: 1_000, ..Options::default() });
        let entries: Vec<Value> = (0..len).map(|n| record(&mut random, format!("x:{n}"))).collect();
        for batch in entries.chunks(len.div_ceil(batches)) {
            watch.engine.enroll(batch.iter().cloned().map(account).collect()).unwrap();
        }
        for n in 0..30 {
            let probe = record(&mut random, format!("p:{n}"));
            agrees_with_brute_force(&watch, &probe)?;
        }
    }
}

/// What is found is what brute force says of it; what is not found no index promised; what is missed from the review
/// threshold on is missed only where every word of the name has a slip, or a text stands within a longer one of rarer
/// words, which no index looks for.
fn agrees_with_brute_force(watch: &Watch, probe: &Value) -> Result<(), TestCaseError> {
    let generation = watch.engine.generation();
    let threshold = watch
        .engine
        .judge()
        .thresholds(watch.engine.generation().entries())
        .review;
    let fingerprint = watch.engine.fingerprint(&account(probe.clone()));
    let expected = brute_force(&watch.engine, &generation, &fingerprint);
    let found = watch.screen(probe.clone());
    let ids: BTreeSet<&str> = found.hits.iter().map(|hit| hit.entry.id.as_str()).collect();
    let (met, missed): (Vec<&Hit>, Vec<&Hit>) = expected
        .iter()
        .partition(|hit| ids.contains(hit.entry.id.as_str()));
    let all = |hits: &[&Hit]| hits.iter().map(|hit| hit.to_string()).collect::<Vec<_>>();
    prop_assert_eq!(
        all(&found.hits.iter().collect::<Vec<_>>()),
        all(&met),
        "{}",
        probe
    );
    for hit in missed {
        let entry = watch.engine.entry(&hit.entry.id).unwrap();
        prop_assert!(
            !is_promised(hit),
            "an index misses {} for {}\n{:?}",
            hit.to_string(),
            probe,
            entry
        );
        let name = hit.evidence.comparison(Signal::Name);
        let is_slip = matches!(
            name.relation,
            Relation::NearWords | Relation::SharedWords | Relation::SameSound
        );
        // A short text within a longer one, whose rarest words are others: bios meet in pairs of their eight rarest.
        let words = |bio: &str| bio.split_whitespace().count();
        let longer = words(probe["bio"].as_str().unwrap_or_default())
            .max(entry.as_ref().map_or(0, |entry| words(&entry.bio)));
        let bio = hit.evidence.comparison(Signal::Bio);
        let is_within = bio.relation == Relation::MostWords && longer > 8;
        prop_assert!(
            hit.score.total() < threshold || is_slip || is_within,
            "{hit} is missed for {probe}
{entry:?}"
        );
        if hit.score.total() >= threshold {
            println!(
                "slips: {hit} is missed for {} | {:?}",
                probe["display_name"],
                entry.map(|entry| entry.display_name.clone())
            );
        }
    }
    Ok(())
}

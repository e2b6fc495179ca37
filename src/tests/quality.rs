//! Floors of quality on the samples: a change that finds fewer mirrors or flags more near misses fails here.
//!
//! Figures on large populations are `scripts/evaluation`'s; these are the ones that may not sink.

use serde_json::{Value, json};

use crate::engine::{Engine, Options, Screened};
use crate::evaluate::trial;
use crate::format::{Input, Labelled, Parser};
use crate::store::Access;
use crate::tests::{Shell, Watch, samples};
use crate::verdict::Verdict;

#[path = "../../benches/population/mod.rs"]
mod population;

use population::{Population, ndjson};

/// Floors on a seeded population of 2,000 entries, which the shipped background knows nothing of.
#[test]
fn a_seeded_population_keeps_its_floors() {
    const ENTRIES: u64 = 2_000;
    let population = Population::new(11, ENTRIES);
    let shell = Shell::new();
    let file = |name: &str, records: Vec<Value>| {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        shell.file(name, lines.join("\n"))
    };
    let ordinary = |numbers: std::ops::Range<u64>| -> Vec<Value> {
        let drafts = numbers.map(|n| population.ordinary(n));
        drafts.map(|draft| ndjson(&draft)).collect()
    };
    let taught = file("taught.ndjson", ordinary(10_000..16_000));
    shell.expect(0, &["background", &taught]);
    let entries = (0..ENTRIES).map(|n| ndjson(&population.entry(n)));
    shell.expect(0, &["enroll", &file("entries.ndjson", entries.collect())]);
    let mut probes = ordinary(0..4_000);
    for n in 0..600 {
        let (draft, entry) = population.mirror(n);
        let mut probe = ndjson(&draft);
        probe["mirror_of"] = json!(population.entry(entry).id);
        probes.push(probe);
    }
    let told = shell.expect(0, &["evaluate", &file("probes.ndjson", probes), "--json"]);
    let figures: Value = serde_json::from_str(&told).unwrap();
    let figure = |group: &str, name: &str| figures[group][name].as_f64().unwrap();
    let recall = figures["at_cost"][0]["recall"].as_f64().unwrap();
    let told = format!("recall {recall} at 1 in 1,000, {:?}", figures["at_dial"]);
    println!("{told}");
    assert!(recall >= 0.95, "{told}");
    assert!(figure("at_dial", "false_matches_per_10k") <= 5.0, "{told}");
    assert!(figure("at_dial", "false_flags_per_10k") <= 40.0, "{told}");
    assert!(
        figures["right_entry_of_flagged"].as_f64().unwrap() >= 0.9,
        "{told}"
    );
}

fn read(name: &str) -> Vec<Labelled> {
    let path = samples().join(name);
    let parser = Parser::new(samples());
    let lines = Input::new(&path, None).unwrap().lines(|_| ()).unwrap();
    lines
        .map(|line| parser.parse(line.body.unwrap()).unwrap())
        .collect()
}

/// The samples' signups with their outcomes.
fn judged() -> Vec<(Labelled, Screened)> {
    let watch = Watch::empty(Options {
        hits_max: 100,
        all_candidates: true,
        ..Options::default()
    });
    let entries = read("watchlist.ndjson")
        .into_iter()
        .map(|entry| entry.account)
        .collect();
    assert_eq!(watch.engine.enroll(entries).unwrap().rejected, []);
    let signups = read("signups.ndjson");
    signups
        .into_iter()
        .map(|signup| (signup.clone(), watch.engine.screen(&signup.account)))
        .collect()
}

fn told((signup, screened): &(Labelled, Screened)) -> String {
    let best = screened
        .hits
        .first()
        .map_or("-", |hit| hit.entry.id.as_str());
    format!(
        "  {} {} {:?} {:.1} bits, first {best}, of {}",
        signup.tactic.as_deref().unwrap_or("-"),
        signup.account.id(),
        screened.verdict,
        screened.score,
        signup.mirror_of.as_deref().unwrap_or("nobody")
    )
}

#[test]
fn mirrors_are_found_and_their_entry_comes_first() {
    let judged = judged();
    let mirrors: Vec<_> = judged
        .iter()
        .filter(|(signup, _)| signup.mirror_of.is_some())
        .collect();
    let flagged: Vec<_> = mirrors
        .iter()
        .filter(|(_, screened)| screened.verdict != Verdict::Clear)
        .collect();
    let is_first = |(signup, screened): &&&&(Labelled, Screened)| {
        screened.hits.first().map(|hit| hit.entry.id.as_str()) == signup.mirror_of.as_deref()
    };
    let first = flagged.iter().filter(is_first).count();
    let missed: Vec<String> = mirrors
        .iter()
        .filter(|(_, screened)| screened.verdict == Verdict::Clear)
        .map(|one| told(one))
        .collect();
    let misled: Vec<String> = flagged
        .iter()
        .filter(|one| !is_first(one))
        .map(|one| told(one))
        .collect();
    println!(
        "{} of {} mirrors flagged, {first} with the right entry first\nmissed:\n{}\nmisled:\n{}",
        flagged.len(),
        mirrors.len(),
        missed.join("\n"),
        misled.join("\n")
    );
    assert!(
        flagged.len() as f64 >= 0.92 * mirrors.len() as f64,
        "missed:\n{}",
        missed.join("\n")
    );
    assert!(
        first as f64 >= 0.98 * flagged.len() as f64,
        "misled:\n{}",
        misled.join("\n")
    );
}

#[test]
fn near_misses_are_left_alone() {
    const REVIEWS_MAX: usize = 1;
    let judged = judged();
    let flagged: Vec<_> = judged
        .iter()
        .filter(|(signup, screened)| {
            signup.mirror_of.is_none() && screened.verdict != Verdict::Clear
        })
        .collect();
    let list = flagged
        .iter()
        .map(|one| told(one))
        .collect::<Vec<_>>()
        .join("\n");
    println!("near misses flagged:\n{list}");
    assert!(
        flagged
            .iter()
            .all(|(_, screened)| screened.verdict != Verdict::Match),
        "a near miss is called a match:\n{list}"
    );
    assert!(
        flagged.len() <= REVIEWS_MAX,
        "at most {REVIEWS_MAX} near misses may be for review:\n{list}"
    );
}

#[test]
fn evaluate_counts_what_screening_says() {
    let shell = Shell::with_samples();
    let path = samples().join("signups.ndjson").display().to_string();
    let figures: Value =
        serde_json::from_str(&shell.expect(0, &["evaluate", &path, "--json"])).unwrap();
    let access = Access::Read;
    let engine = Engine::open(
        shell.db().as_ref(),
        Options {
            access,
            all_candidates: true,
            ..Options::default()
        },
    )
    .unwrap();
    let trials: Vec<_> = read("signups.ndjson")
        .iter()
        .map(|signup| {
            trial(
                &engine,
                &signup.account,
                signup.mirror_of.as_deref(),
                signup.tactic.as_deref(),
            )
        })
        .collect();
    let share = |is_mirror: bool, verdict: Verdict| {
        let of: Vec<_> = trials
            .iter()
            .filter(|trial| trial.is_mirror == is_mirror)
            .collect();
        of.iter().filter(|trial| trial.verdict >= verdict).count() as f64 / of.len() as f64
    };
    let told = |key: &str| figures["at_dial"][key].as_f64().unwrap();
    let expected = [
        ("recall_match", share(true, Verdict::Match)),
        ("recall_review", share(true, Verdict::Review)),
        (
            "false_matches_per_10k",
            10_000.0 * share(false, Verdict::Match),
        ),
        (
            "false_flags_per_10k",
            10_000.0 * share(false, Verdict::Review),
        ),
    ];
    for (key, expected) in expected {
        assert!(
            (told(key) - expected).abs() < 1e-3 * expected.max(1.0),
            "{key}: {} told, {expected} counted",
            told(key)
        );
    }
}

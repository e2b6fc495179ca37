//! Adversarial lists stay answerable: what is compared is bounded, caps are told, and the best is still found.
//!
//! Times are measured by `cargo bench --bench soak -- --traps` on the same lists.

use serde_json::{Value, json};

use crate::account::Account;
use crate::blocking::Query;
use crate::engine::candidates::Candidates;
use crate::engine::{Engine, Options, Probe, Screened, screen_every};
use crate::index::HOT;
use crate::score::Model;
use crate::store::Access;
use crate::tests::lists::Trap;
use crate::tests::{Watch, account, id};

/// Most entries that one screen may read, whatever the list: a dozen caps of 256.
const COMPARED_MAX: u32 = 4_000;
/// Entries whose copies are screened.
const COPIES: usize = 12;
/// Of them, those that are compared with every entry too.
const BRUTE: usize = 3;

fn copies(trap: Trap) -> impl Iterator<Item = Account> {
    (0..COPIES).map(move |at| {
        let mut copy = trap.record(at * trap.len_max() / COPIES);
        copy["id"] = "p:copy".into();
        account(copy)
    })
}

/// Verdict, score and hits, to be the same after opening again.
fn told(screened: &Screened) -> String {
    let hits = screened.hits.iter();
    let hits: Vec<String> = hits
        .map(|hit| format!("{} {}", hit.entry.id, hit.score.total()))
        .collect();
    format!("{:?} {} {hits:?}", screened.verdict, screened.score)
}

#[track_caller]
fn holds(trap: Trap, is_cut: bool) {
    let watch = Watch::empty(Options::default());
    let mut bulk = watch.engine.bulk();
    let numbers: Vec<usize> = (0..trap.len_max()).collect();
    for batch in numbers.chunks(4_096) {
        let batch = batch.iter().map(|n| account(trap.record(*n)));
        assert_eq!(bulk.enroll(batch.collect(), Vec::new()).unwrap(), []);
    }
    bulk.finish(&|_| ()).unwrap();
    let (mut before, mut cuts, mut compared) = (Vec::new(), 0, 0);
    for (at, copy) in copies(trap).enumerate() {
        let screened = watch.engine.screen(&copy);
        (cuts, compared) = (cuts.max(screened.cuts), compared.max(screened.compared));
        if at < BRUTE {
            let every = every(&watch.engine, &copy);
            assert!(
                screened.score >= every.score && screened.verdict == every.verdict,
                "{}: {} is found, of all {} is best",
                trap.name(),
                told(&screened),
                told(&every)
            );
        }
        before.push(told(&screened));
    }
    println!("{trap:?}: {compared} compared, {cuts} cuts; {}", before[0]);
    assert!(compared <= COMPARED_MAX, "{trap:?}: {compared} compared");
    assert_eq!(cuts > 0, is_cut, "{trap:?}: {cuts} cuts");
    let watch = watch.reopened();
    let after = copies(trap).map(|copy| told(&watch.engine.screen(&copy)));
    assert_eq!(after.collect::<Vec<_>>(), before, "{trap:?}, opened again");
    let reader = Options {
        access: Access::Read,
        ..Options::default()
    };
    let reader = Engine::open(watch.folder.path(), reader).unwrap();
    assert_eq!(reader.generation().entries() as usize, trap.len_max());
}

fn every(engine: &Engine, probe: &Account) -> Screened {
    let fingerprint = engine.fingerprint(probe);
    let probe = Probe::of(probe, &fingerprint);
    screen_every(&engine.generation(), &probe, engine.judge())
}

#[test]
fn lists_of_one_handle() {
    holds(Trap::EqualHandles, true);
}

#[test]
fn lists_of_one_bio() {
    holds(Trap::EqualBios, true);
}

#[test]
fn lists_of_one_name() {
    holds(Trap::EqualNames, true);
}

#[test]
fn lists_of_one_link() {
    holds(Trap::EqualLinks, true);
}

#[test]
fn lists_of_one_picture() {
    holds(Trap::BlankPictures, true);
    holds(Trap::EqualPictures, true);
    holds(Trap::NearPictures, true);
}

#[test]
fn lists_of_long_handles() {
    holds(Trap::LongHandlesOfOneLetter, true);
    holds(Trap::LongHandles, false);
}

#[test]
fn lists_of_near_handles() {
    holds(Trap::NumberedHandles, true);
    holds(Trap::NearHandles, true);
    holds(Trap::NestedHandles, true);
}

#[test]
fn lists_of_long_names() {
    holds(Trap::LongNames, true);
}

#[test]
fn lists_of_long_bios() {
    holds(Trap::LongBios, false);
}

#[test]
fn lists_of_many_links() {
    holds(Trap::ManyLinks, true);
}

/// The account of number `n`, which shares nothing with the others.
fn of_random_handle(n: usize) -> Value {
    let mut random = fastrand::Rng::with_seed(n as u64);
    let letters: String = (0..12).map(|_| random.lowercase()).collect();
    json!({"id": format!("x:{n:04}"), "handle": letters})
}

#[test]
fn who_has_two_hot_values_is_found_and_the_carriers_of_one_are_not_read() {
    const EACH: usize = 300;
    let record = |n: usize| {
        let mut record = of_random_handle(n);
        if n <= EACH {
            record["display_name"] = json!("Qelloran Zorvanith");
        }
        if n >= EACH {
            record["avatar"] = json!({"pdq": "5a".repeat(31) + "4b", "quality": 100});
        }
        account(record)
    };
    let mut all: Vec<Account> = (0..2 * EACH).map(record).collect();
    let probe = account(json!({
        "id": "x:probe",
        "display_name": "Qelloran Zorvanith",
        "avatar": {"pdq": "5a".repeat(31) + "4a", "quality": 100},
    }));
    let options = || Options {
        all_candidates: true,
        ..Options::default()
    };
    let (at_once, in_batches) = (Watch::empty(options()), Watch::empty(options()));
    at_once.engine.enroll(all.clone()).unwrap();
    fastrand::Rng::with_seed(7).shuffle(&mut all);
    for batch in all.chunks(40) {
        in_batches.engine.enroll(batch.to_vec()).unwrap();
    }
    let told = [&at_once, &in_batches].map(|watch| {
        let screened = watch.engine.screen(&probe);
        assert_eq!(screened.hits[0].entry.id.as_str(), "x:0300");
        assert!(screened.cuts >= 2 && screened.compared <= HOT as u32 + 2);
        assert_eq!(screened.score, every(&watch.engine, &probe).score);
        (told(&screened), screened.cuts, screened.compared)
    });
    assert_eq!(told[0], told[1]);
}

#[test]
fn of_a_fleet_that_shares_everything_some_are_read() {
    const LEN: usize = 900;
    let record = |n: usize| {
        let mut record = of_random_handle(n);
        record["display_name"] = json!("Qelloran Zorvanith");
        record["bio"] = json!(
            "unfiltered reports from the plateau, posted hourly before the censors wake again"
        );
        record["avatar"] = json!({"pdq": "5a".repeat(31) + "4b", "quality": 100});
        account(record)
    };
    let watch = Watch::empty(Options::default());
    watch.engine.enroll((0..LEN).map(record).collect()).unwrap();
    let probe = record(LEN);
    let holds = |watch: &Watch, compared_max: u32| {
        let screened = watch.engine.screen(&probe);
        assert!(screened.compared <= compared_max, "{}", screened.compared);
        let every = every(&watch.engine, &probe);
        assert_eq!(
            (screened.verdict, screened.score),
            (every.verdict, every.score)
        );
        assert!(screened.compared > 0);
    };
    // The smallest ids by name and by text, and the best of those by hot values alone.
    holds(&watch, 6 * HOT as u32);
    let ids = |numbers: std::ops::Range<usize>| numbers.map(|n| id(&format!("x:{n:04}"))).collect();
    watch.engine.withdraw(ids(40..LEN - 10)).unwrap();
    holds(&watch, 50);
    let watch = watch.reopened();
    holds(&watch, 50);
}

#[test]
fn who_goes_on_where_a_probe_ends_is_found_once_most_others_are_withdrawn() {
    const LEN: usize = 600;
    let record = |n: usize| {
        let mut record = of_random_handle(n);
        if n < LEN {
            let letters = record["handle"].as_str().unwrap().split_at(6).0.to_owned();
            record["handle"] = format!("zorvalquethim{letters}").into();
        }
        account(record)
    };
    let options = Options {
        all_candidates: true,
        ..Options::default()
    };
    let watch = Watch::empty(options);
    // With as many others the segment is not made anew.
    let all = (0..3 * LEN).map(record).collect();
    watch.engine.enroll(all).unwrap();
    let probe = account(json!({"id": "x:probe", "handle": "zorvalquethim"}));
    let screened = watch.engine.screen(&probe);
    // One or two sound alike.
    assert!(screened.compared < 4 && screened.cuts == 1);
    let ids = |numbers: std::ops::Range<usize>| numbers.map(|n| id(&format!("x:{n:04}"))).collect();
    watch.engine.withdraw(ids(0..LEN - HOT)).unwrap();
    let generation = watch.engine.generation();
    assert_eq!(generation.parts()[0].withdrawn_len(), LEN - HOT);
    let screened = watch.engine.screen(&probe);
    assert_eq!((screened.compared, screened.cuts), (HOT as u32, 0));
    assert_eq!(screened.score, every(&watch.engine, &probe).score);
}

#[test]
fn what_too_many_carry_adds_nothing_however_it_is_segmented() {
    // Each segment alone holds fewer than are noted, both together more.
    const LEN: usize = 1_100;
    const SECOND: usize = 80;
    let record = |n: usize| {
        let mut record = of_random_handle(n);
        record["bio"] = json!("qelloran zorvanith plateau");
        if n == LEN - SECOND {
            record["avatar"] = json!({"pdq": "5a".repeat(31) + "4b", "quality": 100});
        }
        account(record)
    };
    let probe = account(json!({
        "id": "x:probe",
        "bio": "qelloran zorvanith tonight",
        "avatar": {"pdq": "5a".repeat(31) + "4a", "quality": 100},
    }));
    let all: Vec<Account> = (0..LEN).map(record).collect();
    let (at_once, in_two) = (
        Watch::empty(Options::default()),
        Watch::empty(Options::default()),
    );
    at_once.engine.enroll(all.clone()).unwrap();
    let (first, second) = all.split_at(LEN - SECOND);
    for half in [first, second] {
        in_two.engine.enroll(half.to_vec()).unwrap();
    }
    assert!(in_two.engine.generation().segments() > at_once.engine.generation().segments());
    let found = |watch: &Watch| {
        let generation = watch.engine.generation();
        let fingerprint = watch.engine.fingerprint(&probe);
        let query = Query::of(&fingerprint);
        let found = Candidates::of(&generation, &query, &Model::default(), 0.0, 0.0).found;
        found.iter().map(|met| met.found).fold(0.0, f32::max)
    };
    assert_eq!(found(&at_once), found(&in_two));
}

#[test]
fn all_lists_together_however_they_are_segmented() {
    const EACH: usize = 700;
    let mut all: Vec<Account> = Vec::new();
    for trap in Trap::ALL {
        let len = EACH * trap.len_max() / 30_000;
        all.extend((0..len.max(100)).map(|n| {
            let mut record = trap.record(n);
            record["id"] = format!("{}:{n}", trap.name()).into();
            account(record)
        }));
    }
    let at_once = Watch::empty(Options::default());
    let mut bulk = at_once.engine.bulk();
    bulk.enroll(all.clone(), Vec::new()).unwrap();
    bulk.finish(&|_| ()).unwrap();
    let in_batches = Watch::empty(Options::default());
    fastrand::Rng::with_seed(5).shuffle(&mut all);
    for batch in all.chunks(all.len() / 30) {
        in_batches.engine.enroll(batch.to_vec()).unwrap();
    }
    assert!(in_batches.engine.generation().segments() > at_once.engine.generation().segments());
    for trap in Trap::ALL {
        for copy in copies(trap).take(BRUTE) {
            let one = at_once.engine.screen(&copy);
            let many = in_batches.engine.screen(&copy);
            assert_eq!(
                (told(&one), one.cuts),
                (told(&many), many.cuts),
                "{}",
                trap.name()
            );
        }
    }
}

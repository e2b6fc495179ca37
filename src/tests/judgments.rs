//! What people said holds: a pair judged not to be a mirror and a protected account are flagged no more, and everyone
//! who asks is told why.

use std::collections::BTreeSet;

use fastrand::Rng;
use proptest::prelude::{ProptestConfig, TestCaseError, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use crate::account::{Account, AccountId};
use crate::engine::{Cancelled, Engine, Hit, Options, Probe, Screened, screen_every};
use crate::error::Error;
use crate::judgment::{Answer, Judgment, Protection, Remark};
use crate::store::Access;
use crate::tests::oracle::record;
use crate::tests::{Shell, Watch, account, id, opened, steady};
use crate::verdict::Verdict;
use crate::wire::ReportRecord;

const PROBE: &str = "x:991";

/// Two entries of one network that the probe is like, and a stranger.
fn entries() -> [Value; 3] {
    [
        json!({"id": "x:17", "handle": "zorvani_dispatch", "bio": "write to t.me/zorvanidsp", "ban": {"network": "zorvani"}}),
        json!({"id": "x:18", "handle": "zorvani.dispatch", "display_name": "Tazmin Qelloran", "ban": {"network": "zorvani"}}),
        json!({"id": "x:19", "handle": "thornfield_oracle"}),
    ]
}

fn probe() -> Value {
    json!({"id": PROBE, "handle": "Zorv4ni_Dispatch2", "bio": "now at t.me/zorvanidsp"})
}

fn remark(note: &str) -> Remark {
    Remark::new("ada", note, "2026-11-20T10:00:00Z".parse().unwrap()).unwrap()
}

fn judgment(entry: &str, answer: Answer) -> Judgment {
    Judgment::new(id(PROBE), id(entry), answer, remark("a namesake")).unwrap()
}

fn protection(of: &str) -> Protection {
    Protection {
        account: id(of),
        remark: remark("staff"),
    }
}

#[track_caller]
fn judged(watch: &Watch, entry: &str, answer: Answer) -> u64 {
    let judged = watch.engine.judge_pairs(vec![judgment(entry, answer)]);
    let judged = judged.unwrap();
    assert_eq!((judged.rejected, judged.receipt.ruled), (vec![], 1));
    judged.receipt.lsn
}

fn ids(screened: &Screened) -> (Vec<&str>, Vec<(&str, Cancelled)>) {
    let hits = screened.hits.iter().map(|hit| hit.entry.id.as_str());
    let cancelled = screened.cancelled.iter();
    (
        hits.collect(),
        cancelled
            .map(|(hit, by)| (hit.entry.id.as_str(), *by))
            .collect(),
    )
}

/// The report as it is written, less its time.
fn report(engine: &Engine, probe: &Account) -> Value {
    serde_json::to_value(ReportRecord::of(engine.report(probe).unwrap(), 0)).unwrap()
}

/// Screening and comparing every entry agree on everything told.
#[track_caller]
fn every_agrees(engine: &Engine, probe: &Account) {
    let fingerprint = engine.fingerprint(probe);
    let generation = engine.generation();
    let every = screen_every(&generation, &Probe::of(probe, &fingerprint), engine.judge());
    let found = engine.screen(probe);
    assert_eq!((found.verdict, found.score), (every.verdict, every.score));
    assert_eq!(ids(&found), ids(&every));
    let scores = |told: &Screened| -> Vec<f32> {
        let cancelled = told.cancelled.iter().map(|(hit, _)| hit);
        let hits = told.hits.iter().chain(cancelled);
        hits.map(|hit| hit.score.total()).collect()
    };
    assert_eq!(scores(&found), scores(&every));
}

#[test]
fn a_pair_judged_not_a_mirror_counts_no_more() {
    let watch = Watch::of(entries());
    let before = watch.screen(probe());
    assert_eq!(ids(&before), (vec!["x:17", "x:18"], vec![]));
    let untouched = report(&watch.engine, &account(probe()));
    assert!(!untouched.to_string().contains("cancelled"));

    assert_eq!(judged(&watch, "x:17", Answer::NotMirror), 4);
    let after = watch.screen(probe());
    assert_eq!(after.lsn, 4);
    assert_eq!(
        ids(&after),
        (vec!["x:18"], vec![("x:17", Cancelled::Judged)])
    );
    assert_eq!(after.score, after.hits[0].score.total());
    let (x17, x18) = (&before.hits[0], &before.hits[1]);
    // The cancelled hit is shown as it was, and lends the other nothing any more.
    assert_eq!(after.cancelled[0].0.score.total(), x17.score.total());
    assert!(x18.circumstances.network_bits > 0.0);
    assert_eq!(after.hits[0].circumstances.network_bits, 0.0);
    every_agrees(&watch.engine, &account(probe()));

    let told = report(&watch.engine, &account(probe()));
    assert_eq!(told["hits"][0]["entry"], "x:18");
    assert_eq!(told["hits"][0].get("cancelled"), None);
    assert_eq!(told["hits"][1]["entry"], "x:17");
    let words = "judged not a mirror by ada on 2026-11-20: a namesake";
    assert_eq!(told["hits"][1]["cancelled"], words);

    judged(&watch, "x:18", Answer::NotMirror);
    let none = watch.screen(probe());
    let prior = watch.engine.judge().model.prior(3);
    assert_eq!((none.verdict, none.score), (Verdict::Clear, prior));
    assert_eq!((none.hits.len(), none.cancelled.len()), (0, 2));
    every_agrees(&watch.engine, &account(probe()));
    // Another account of the same looks is flagged as ever.
    let mut other = probe();
    other["id"] = json!("x:992");
    watch.finds("x:17", other);
    // The last word counts.
    judged(&watch, "x:18", Answer::Unsure);
    judged(&watch, "x:17", Answer::Mirror);
    let mut again = report(&watch.engine, &account(probe()));
    assert_eq!(again["lsn"], 7);
    again["lsn"] = untouched["lsn"].clone();
    assert_eq!(again, untouched);
}

#[test]
fn a_protected_account_is_never_flagged() {
    let watch = Watch::of(entries());
    let receipt = watch.engine.protect(vec![protection(PROBE)]).unwrap();
    assert_eq!((receipt.ruled, receipt.lsn), (1, 4));
    let told = report(&watch.engine, &account(probe()));
    assert_eq!(told["verdict"], "clear");
    for hit in told["hits"].as_array().unwrap() {
        assert_eq!(hit["cancelled"], "protected since 2026-11-20 by ada: staff");
    }
    every_agrees(&watch.engine, &account(probe()));
    // A new entry is no exception.
    let banned = json!({"id": "x:20", "handle": "zorvani_dispatch2"});
    watch.engine.enroll(vec![account(banned)]).unwrap();
    watch.clears(probe());
    let ended = watch.engine.unprotect(vec![id(PROBE), id("x:5")]).unwrap();
    assert_eq!((ended.ruled, ended.unknown), (1, vec![id("x:5")]));
    watch.finds("x:17", probe());
}

#[test]
fn few_hits_do_not_hide_what_was_cancelled() {
    let watch = Watch::empty(Options {
        hits_max: 1,
        ..Options::default()
    });
    let accounts = entries().into_iter().map(account).collect();
    watch.engine.enroll(accounts).unwrap();
    judged(&watch, "x:17", Answer::NotMirror);
    let told = watch.screen(probe());
    assert_eq!(
        ids(&told),
        (vec!["x:18"], vec![("x:17", Cancelled::Judged)])
    );
    judged(&watch, "x:17", Answer::Mirror);
    judged(&watch, "x:18", Answer::NotMirror);
    // It was the second best: it would not be told either way.
    assert_eq!(ids(&watch.screen(probe())), (vec!["x:17"], vec![]));
    every_agrees(&watch.engine, &account(probe()));
}

#[test]
fn judgments_outlive_their_entry_and_the_process() {
    let watch = Watch::of(entries());
    judged(&watch, "x:17", Answer::NotMirror);
    judged(&watch, "x:19", Answer::Unsure);
    watch.engine.protect(vec![protection("x:7")]).unwrap();
    watch.engine.withdraw(vec![id("x:17")]).unwrap();
    assert_eq!(ids(&watch.screen(probe())), (vec!["x:18"], vec![]));
    let refused = watch
        .engine
        .judge_pairs(vec![judgment("x:17", Answer::Mirror)])
        .unwrap();
    assert_eq!(refused.rejected[0].1.code, "unknown_entry");
    watch
        .engine
        .enroll(vec![account(entries()[0].clone())])
        .unwrap();
    let expected = report(&watch.engine, &account(probe()));
    assert_eq!(expected["hits"][1]["entry"], "x:17");

    let watch = watch.reopened();
    assert_eq!(watch.engine.generation().lsn(), 8);
    assert_eq!(report(&watch.engine, &account(probe())), expected);
    let of = |entry: &str| watch.engine.judgments_of_entry(&id(entry), 9).unwrap();
    assert_eq!(of("x:17"), [judgment("x:17", Answer::NotMirror)]);
    assert_eq!(of("x:19"), [judgment("x:19", Answer::Unsure)]);
    assert_eq!((of("x:1"), of("x:18")), (vec![], vec![]));
    let stats = watch.engine.stats().unwrap();
    assert_eq!((stats.judgments, stats.protected), (2, 1));
    let reader = opened(watch.folder.path(), Access::Read);
    assert_eq!(report(&reader, &account(probe())), expected);
    assert!(matches!(
        reader.protect(vec![protection("x:8")]),
        Err(Error::WriterStopped)
    ));
    let found = Engine::verify(watch.folder.path()).unwrap();
    assert_eq!((found.damage, found.rulings), (vec![], 3));
}

#[test]
fn judging_while_many_are_loaded_loses_neither() {
    let watch = Watch::of(entries());
    let mut bulk = watch.engine.bulk();
    let batch = |from: u32| {
        let record = |n| json!({"id": format!("y:{n}"), "handle": format!("quillon{n}")});
        (from..from + 40).map(record).map(account).collect()
    };
    bulk.enroll(batch(0), vec![1]).unwrap();
    judged(&watch, "x:17", Answer::NotMirror);
    bulk.enroll(batch(40), vec![2]).unwrap();
    watch.engine.protect(vec![protection("x:7")]).unwrap();
    bulk.finish(&|_| ()).unwrap();
    let watch = watch.reopened();
    let generation = watch.engine.generation();
    assert_eq!((generation.lsn(), generation.entries()), (85, 83));
    assert_eq!(watch.screen(probe()).cancelled.len(), 1);
    assert_eq!(Engine::verify(watch.folder.path()).unwrap().damage, [""; 0]);
}

/// A shell with the entries, the probe in a file and screened once.
fn shell() -> Shell {
    let shell = Shell::new();
    let lines: String = entries().map(|entry| entry.to_string() + "\n").concat();
    let watchlist = shell.file("watchlist.ndjson", lines);
    shell.expect(0, &["enroll", &watchlist]);
    let probes = shell.file("probes.ndjson", probe().to_string() + "\n");
    shell.expect(0, &["screen", &probes]);
    shell
}

#[test]
fn the_command_line_judges_and_tells() {
    let shell = shell();
    let probes = shell.path("probes.ndjson");
    let before = shell.expect(0, &["explain", PROBE, "x:17"]);
    assert!(!before.contains("judg"), "{before}");
    let judge = |args: &[&str]| shell.run(&[&["judge", PROBE], args].concat());
    let told = judge(&["x:17", "not_mirror", "--note", "a fan", "--who", "ada"]);
    assert_eq!(
        (told.status, told.out.as_str()),
        (0, "judged 1; lsn 4\n"),
        "{told:?}"
    );
    judge(&["x:18", "unsure", "--who", "eve"]);

    let screened = steady(&shell.expect(0, &["screen", &probes]));
    assert_eq!(screened[0]["hits"][0]["entry"], "x:18");
    let cancelled = screened[0]["hits"][1]["cancelled"].as_str().unwrap();
    assert!(cancelled.starts_with("judged not a mirror by ada on 20"));
    assert!(cancelled.ends_with(": a fan"));
    let out = shell.path("reports.ndjson");
    shell.expect(0, &["rescan", &probes, "--out", &out]);
    assert_eq!(steady(&shell.read("reports.ndjson")), screened);

    let explained = shell.expect(0, &["explain", PROBE, "x:17"]);
    assert!(
        explained.contains("cancels the flag") && explained.contains("would be match"),
        "{explained}"
    );
    let unsure = shell.expect(0, &["explain", PROBE, "x:18"]);
    assert!(
        unsure.contains("judged unsure by eve on") && unsure.contains("no effect on the score"),
        "{unsure}"
    );
    let json = shell.expect(0, &["explain", PROBE, "x:17", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["cancelled"], screened[0]["hits"][1]["cancelled"]);
    assert_eq!(json["score_bits"], screened[0]["hits"][1]["score_bits"]);

    let found = shell.expect(0, &["lookup", "zorvani_dispatch"]);
    assert!(
        found.contains("judgments") && found.contains("a fan"),
        "{found}"
    );
    let found = shell.expect(0, &["lookup", "zorvani_dispatch", "--json"]);
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found[0]["judgments"][0]["probe"], PROBE);
    assert_eq!(found[0]["judgments"][0]["judgment"], "not_mirror");
    let none = shell.expect(0, &["lookup", "thornfield_oracle"]);
    assert!(!none.contains("judgments"), "{none}");
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let shell = shell();
    let refused = |status: u8, args: &[&str], words: &str| {
        let told = shell.run(args);
        assert_eq!(told.status, status, "{told:?}");
        assert!(told.err.contains(words), "{told:?}");
    };
    refused(
        1,
        &["judge", PROBE, "x:404", "mirror"],
        "no entry `x:404` on the watchlist",
    );
    refused(
        1,
        &["judge", "x:17", "x:17", "mirror"],
        "probe and entry are the same account",
    );
    refused(2, &["judge", PROBE, "x:17", "perhaps"], "not_mirror");
    refused(2, &["judge", PROBE], "required");
    refused(2, &["protect"], "required");
    refused(
        1,
        &["protect", "--remove", "x:5"],
        "account `x:5` is not protected",
    );
    assert_eq!(shell.expect(0, &["export", "--judgments"]), "");
    let stats: Value = serde_json::from_str(&shell.expect(0, &["stats", "--json"])).unwrap();
    assert_eq!(stats["lsn"], 3, "nothing was written");
    assert_eq!(
        Shell::new().run(&["judge", PROBE, "x:17", "mirror"]).err,
        "mirrorwatch: no database at watch.db: enroll a watchlist first\n"
    );
}

#[test]
fn judgments_come_from_a_file_and_go_into_one() {
    let shell = shell();
    let lines = [
        json!({"probe": PROBE, "entry": "x:17", "judgment": "not_mirror", "note": "a fan", "who": "ada", "at": "2026-11-20T10:00:00Z"}).to_string(),
        json!({"probe": PROBE, "entry": "x:404", "judgment": "mirror"}).to_string(),
        "{\"probe\":".to_owned(),
        json!({"probe": PROBE, "entry": "x:18", "judgment": "maybe"}).to_string(),
        json!({"entry": "x:18", "judgment": "mirror"}).to_string(),
        json!({"probe": "x:7", "judgment": "protected", "who": "eve", "at": "2026-11-21T10:00:00Z"}).to_string(),
    ];
    let file = shell.file("judged.ndjson", lines.join("\n"));
    let told = shell.run(&["judge", "--from", &file]);
    assert_eq!(
        (told.status, told.out.as_str()),
        (3, "judged 2, 4 rejected; lsn 5\n"),
        "{told:?}"
    );
    for words in [
        "judged.ndjson:2: unknown_entry: field `entry`: no entry `x:404`",
        "judged.ndjson:3: invalid_json: field `record`",
        "judged.ndjson:4: invalid_value: field `judgment`",
        "judged.ndjson:5: missing_field: field `probe`",
    ] {
        assert!(told.err.contains(words), "{words}\n{}", told.err);
    }
    let exported = shell.expect(0, &["export", "--judgments"]);
    let expected: Vec<Value> = [&lines[0], &lines[5]]
        .map(|line| serde_json::from_str(line).unwrap())
        .into();
    assert_eq!(steady(&exported), expected);
    let verified = shell.expect(0, &["verify"]);
    assert!(verified.contains(", 2 judgments and protected accounts: 0 damaged"));

    // A backup takes them along.
    let (backup, restored) = (shell.path("copy"), shell.path("again"));
    shell.expect(0, &["backup", &backup]);
    shell.expect(0, &["protect", "--remove", "x:7"]);
    let on = |args: &[&str]| shell.run_on(&restored, args).out;
    on(&["restore", &backup]);
    assert_eq!(on(&["export", "--judgments"]), exported);
    // What is exported judges another database alike.
    let file = shell.file("exported.ndjson", &exported);
    // A mirror that was screened joins the lineage of its entry, and leaves it when judged otherwise: two changes each.
    assert_eq!(
        shell.expect(0, &["judge", PROBE, "x:17", "mirror"]),
        format!("judged 1; {PROBE} is an entry now, of the same lineage; lsn 8\n")
    );
    assert_eq!(
        shell.expect(0, &["judge", "--from", &file]),
        "judged 2, 0 rejected; lsn 11\n"
    );
    assert_eq!(shell.expect(0, &["export", "--judgments"]), exported);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_judged_is_what_is_cancelled(seed: u64, len in 5usize..60) {
        let mut random = Rng::with_seed(seed);
        let watch = Watch::empty(Options { all_candidates: true, hits_max: 1_000, ..Options::default() });
        let entries = (0..len).map(|n| account(record(&mut random, format!("x:{n}"))));
        watch.engine.enroll(entries.collect()).unwrap();
        for n in 0..12 {
            let probe = account(record(&mut random, format!("p:{n}")));
            let watch = &watch.engine;
            let before = watch.screen(&probe);
            let mut judged = BTreeSet::new();
            let mut judgments = Vec::new();
            for n in 0..len {
                if random.bool() {
                    continue;
                }
                let (answer, entry) = (Answer::ALL[random.usize(..3)], id(&format!("x:{n}")));
                judgments.push(Judgment::new(probe.id().clone(), entry.clone(), answer, remark("")).unwrap());
                judged.extend((answer == Answer::NotMirror).then_some(entry));
            }
            watch.judge_pairs(judgments).unwrap();
            are_parted(watch, &before, &watch.screen(&probe), |entry| judged.contains(entry))?;
            watch.protect(vec![protection(probe.id().as_str())]).unwrap();
            are_parted(watch, &before, &watch.screen(&probe), |_| true)?;
        }
    }
}

/// The hits of `before` are those of `after`, in their order and with their scores, parted by what is cancelled.
fn are_parted(
    engine: &Engine,
    before: &Screened,
    after: &Screened,
    is_cancelled: impl Fn(&AccountId) -> bool,
) -> Result<(), TestCaseError> {
    let told = |hit: &Hit| (hit.entry.id.clone(), hit.score.total());
    let all = before.hits.iter();
    let (cancelled, counting): (Vec<_>, Vec<_>) =
        all.map(told).partition(|(id, _)| is_cancelled(id));
    let hits: Vec<_> = after.hits.iter().map(told).collect();
    prop_assert_eq!(&hits, &counting);
    let found: Vec<_> = after.cancelled.iter().map(|(hit, _)| told(hit)).collect();
    prop_assert_eq!(&found, &cancelled);
    let judge = engine.judge();
    let prior = judge.model.prior(engine.generation().entries());
    let best = counting.first().map_or(prior, |(_, score)| *score);
    prop_assert_eq!(after.score, best);
    prop_assert!(after.verdict == judge.thresholds(engine.generation().entries()).decide(best));
    Ok(())
}

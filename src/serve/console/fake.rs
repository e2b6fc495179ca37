//! A desk for tests: a real engine on the samples of `data/`, with flags, judgments and removals kept in memory.
//!
//! What pages show is thus what the engine tells; only the keeping is made up.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use crate::account::{Account, AccountDraft, AccountId};
use crate::engine::{Engine, LookupRow, Options};
use crate::error::Result;
use crate::format::{Input, Parser};
use crate::judgment::{Answer, Judgment, Remark};
use crate::serve::console::{
    Analyst, Bucket, Dashboard, Day, Decision, Desk, Edge, EntryFile, Family, Hour, Order, Queue,
    Removal, Replay, Standing, Tally,
};
use crate::store::Access;
use crate::wire::ReportRecord;

/// The key that logs in.
pub(super) const KEY: &str = "mw_fake_key_of_ada";
const PAGE_LEN: usize = 25;

/// The desk.
pub(super) struct Fake {
    engine: Engine,
    _folder: TempDir,
    kept: Mutex<Kept>,
    /// No key is asked for.
    pub(super) is_unlocked: bool,
}

#[derive(Default)]
struct Kept {
    decisions: Vec<Decision>,
    judgments: Vec<(String, Judgment)>,
    standings: HashMap<AccountId, (Standing, Timestamp)>,
    screened: u64,
}

fn sample(name: &str) -> Vec<Account> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name);
    let input = Input::new(&path, None).unwrap();
    let parser = Parser::new(input.folder());
    let lines = input.lines(|_| ()).unwrap();
    lines
        .map(|line| parser.parse(line.body.unwrap()).unwrap().account)
        .collect()
}

impl Fake {
    /// The sample watchlist, and its signups screened over the last days; some flags judged, some entries removed.
    pub(super) fn seeded() -> Self {
        let fake = Self::empty();
        fake.engine.enroll(sample("watchlist.ndjson")).unwrap();
        let signups = sample("signups.ndjson");
        let now = Timestamp::now();
        let len = signups.len() as i64;
        for (at, signup) in (0..).zip(signups) {
            let ago = SignedDuration::from_secs((len - at) * 5_400 + at * at % 4_000);
            fake.screen_at(&signup, now - ago).unwrap();
        }
        fake.judge_some();
        fake.grow_a_line(now);
        fake.mark_some(now);
        fake
    }

    /// Nothing at all.
    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            access: Access::Create,
            ..Options::default()
        };
        Self {
            engine: Engine::open(folder.path(), options).unwrap(),
            _folder: folder,
            kept: Mutex::default(),
            is_unlocked: false,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// Screens an account, and keeps a flag.
    pub(super) fn screen_at(&self, probe: &Account, at: Timestamp) -> Result<Vec<u8>> {
        let probe = self.engine.without_opaque_tokens(probe);
        let report = self.engine.report(&probe)?;
        let hits = report
            .hits
            .iter()
            .map(|hit| AccountId::new(&hit.entry).unwrap());
        let entries: Vec<Account> = hits
            .filter_map(|id| self.engine.entry(&id).unwrap())
            .collect();
        let (verdict, judge) = (report.verdict, self.engine.judge());
        let told = serde_json::to_vec(&ReportRecord::of(report, 0)).unwrap();
        let mut kept = self.kept();
        kept.screened += 1;
        if verdict != "clear" {
            let listed = self.engine.generation().entries();
            let id = format!("{}", 1_700_000_000_000_000 + kept.decisions.len());
            kept.decisions.push(Decision {
                id,
                at,
                probe,
                entries,
                report: told.clone(),
                thresholds: Some(judge.policy.thresholds(&judge.model, listed)),
                judgments: Vec::new(),
            });
        }
        Ok(told)
    }

    /// Puts an account on the watchlist.
    pub(super) fn enrolled(&self, account: Account) -> u64 {
        self.engine.enroll(vec![account]).unwrap().receipt.lsn
    }

    /// Judges every third flag.
    fn judge_some(&self) {
        let flags = self.kept().decisions.clone();
        let notes = [
            "same telegram link",
            "",
            "a fan page, looked at its posts",
            "waiting for the platform",
        ];
        for (at, flag) in flags.iter().enumerate().filter(|(at, _)| at % 3 == 0) {
            let answer = match at % 21 {
                9 => Answer::NotMirror,
                15 => Answer::Unsure,
                _ => Answer::Mirror,
            };
            let entry = flag.entries[0].id().clone();
            let who = if at % 2 == 0 { "ada" } else { "nadia" };
            self.judge(&flag.id, &entry, answer, notes[at % 4], who)
                .unwrap();
        }
    }

    /// One actor who returned again and again.
    fn grow_a_line(&self, now: Timestamp) {
        let mut earlier = "sadaetormand".to_owned();
        for (n, handle) in [
            (1, "sadaetormand_2"),
            (2, "sada3etormand"),
            (3, "5adaetormand_new"),
        ] {
            let returned = AccountDraft {
                id: format!("x:return{n}"),
                platform: "x".into(),
                handle: handle.into(),
                display_name: "صدائے تورمند | Sada-e-Tormand".into(),
                links: vec!["https://t.me/sadaetormand_official".into()],
                created_at: Some(now - SignedDuration::from_hours(24 * (4 - n))),
                ..AccountDraft::default()
            };
            let account = returned.check().unwrap();
            self.screen_at(&account, now - SignedDuration::from_hours(24 * (4 - n)))
                .unwrap();
            let flag = self.kept().decisions.last().cloned().unwrap();
            let parent = flag.entries.iter().find(|entry| entry.handle == earlier);
            let parent = parent.unwrap_or(&flag.entries[0]).id().clone();
            self.judge(
                &flag.id,
                &parent,
                Answer::Mirror,
                "the same channel again",
                "ada",
            )
            .unwrap();
            self.engine.enroll(vec![account]).unwrap();
            earlier = handle.to_owned();
        }
    }

    fn mark_some(&self, now: Timestamp) {
        for (at, entry) in self.engine.entries().unwrap().enumerate() {
            let standing = match at % 5 {
                0 | 1 => Standing::Removed,
                2 => Standing::Reported,
                _ => continue,
            };
            let since = now - SignedDuration::from_hours(7 * at as i64);
            self.kept()
                .standings
                .insert(entry.unwrap().id().clone(), (standing, since));
        }
    }

    fn standing(&self, id: &AccountId) -> (Standing, Option<Timestamp>) {
        let found = self.kept().standings.get(id).copied();
        found.map_or((Standing::Unreported, None), |(standing, at)| {
            (standing, Some(at))
        })
    }

    fn with_judgments(kept: &Kept, decision: &Decision) -> Decision {
        let own = kept.judgments.iter().filter(|(id, _)| *id == decision.id);
        let judgments = own.map(|(_, judgment)| judgment.clone()).collect();
        Decision {
            judgments,
            ..decision.clone()
        }
    }

    fn edges(&self) -> Vec<Edge> {
        let kept = self.kept();
        let mirrors = kept
            .judgments
            .iter()
            .filter(|(_, said)| said.answer == Answer::Mirror);
        let mut edges: Vec<Edge> = mirrors
            .map(|(decision, said)| Edge {
                parent: said.entry().clone(),
                child: said.probe().clone(),
                decision: Some(decision.clone()),
                who: said.remark.who().to_owned(),
                at: said.remark.at(),
                hops: 1,
                score: 18.5,
            })
            .collect();
        for _ in 0..4 {
            let hops: HashMap<AccountId, u32> = edges
                .iter()
                .map(|edge| (edge.child.clone(), edge.hops))
                .collect();
            for edge in &mut edges {
                edge.hops = hops.get(&edge.parent).copied().unwrap_or(0) + 1;
            }
        }
        edges
    }
}

impl Desk for Fake {
    fn login(&self, key: &str) -> Result<Option<Analyst>> {
        let ada = Analyst {
            key_id: "k1".into(),
            who: "ada".into(),
        };
        Ok((key == KEY).then_some(ada))
    }

    fn unlocked(&self) -> Result<Option<Analyst>> {
        let local = Analyst {
            key_id: "local".into(),
            who: "local".into(),
        };
        Ok(self.is_unlocked.then_some(local))
    }

    fn analyst(&self, key_id: &str) -> Result<Option<Analyst>> {
        match key_id {
            "local" => self.unlocked(),
            "k1" => self.login(KEY),
            _ => Ok(None),
        }
    }

    fn lookup(&self, handle: &str, limit: usize) -> Result<Vec<LookupRow>> {
        let asked = AccountDraft {
            id: "lookup".into(),
            handle: handle.into(),
            ..AccountDraft::default()
        };
        self.engine.lookup(&asked.check()?, limit)
    }

    fn entry(&self, id: &AccountId) -> Result<Option<EntryFile>> {
        let listed = self.engine.entry(id)?;
        let (standing, _) = self.standing(id);
        let kept = self.kept();
        let seen = kept.decisions.iter().find(|flag| flag.probe.id() == id);
        let Some(account) = listed
            .clone()
            .or_else(|| seen.map(|flag| flag.probe.clone()))
        else {
            return Ok(None);
        };
        let names = |flag: &&Decision| flag.entries.iter().any(|entry| entry.id() == id);
        let flags = kept.decisions.iter().filter(names);
        let mut decisions: Vec<Decision> = flags
            .map(|flag| Self::with_judgments(&kept, flag))
            .collect();
        decisions.sort_by_key(|flag| std::cmp::Reverse(flag.at));
        let judgments = kept.judgments.iter().filter(|(_, said)| said.entry() == id);
        Ok(Some(EntryFile {
            account,
            is_listed: listed.is_some(),
            standing,
            decisions,
            judgments: judgments.map(|(_, said)| said.clone()).collect(),
        }))
    }

    fn lineage(&self, id: &AccountId) -> Result<Family> {
        let all = self.edges();
        let mut ids = vec![id.clone()];
        let mut at = 0;
        while let Some(next) = ids.get(at).cloned() {
            for edge in all
                .iter()
                .filter(|edge| edge.parent == next || edge.child == next)
            {
                for other in [&edge.parent, &edge.child] {
                    if !ids.contains(other) {
                        ids.push(other.clone());
                    }
                }
            }
            at += 1;
        }
        let edges = all
            .into_iter()
            .filter(|edge| ids.contains(&edge.child))
            .collect();
        let kept = self.kept();
        let account = |id: &AccountId| {
            let seen = kept.decisions.iter().find(|flag| flag.probe.id() == id);
            self.engine
                .entry(id)
                .unwrap()
                .or_else(|| seen.map(|flag| flag.probe.clone()))
        };
        Ok(Family {
            edges,
            accounts: ids.iter().filter_map(account).collect(),
        })
    }

    fn decision(&self, id: &str) -> Result<Option<Decision>> {
        let kept = self.kept();
        let found = kept.decisions.iter().find(|flag| flag.id == id);
        Ok(found.map(|flag| Self::with_judgments(&kept, flag)))
    }

    fn replay(&self, id: &str) -> Result<Option<Replay>> {
        let found = self.decision(id)?;
        Ok(found.map(|flag| Replay {
            told: flag.report.clone(),
            again: flag.report,
        }))
    }

    fn queue(&self, order: Order, page: usize) -> Result<Queue> {
        let kept = self.kept();
        let flags = kept
            .decisions
            .iter()
            .map(|flag| Self::with_judgments(&kept, flag));
        let mut open: Vec<Decision> = flags.filter(|flag| flag.judgments.is_empty()).collect();
        let score = |flag: &Decision| {
            let told: Value = serde_json::from_slice(&flag.report).unwrap();
            told["score_bits"].as_f64().unwrap()
        };
        match order {
            Order::Score => open.sort_by(|a, b| score(b).total_cmp(&score(a))),
            Order::Age => open.sort_by_key(|flag| flag.at),
        }
        let total = open.len();
        let decisions = open
            .into_iter()
            .skip(page.saturating_mul(PAGE_LEN))
            .take(PAGE_LEN)
            .collect();
        Ok(Queue {
            decisions,
            total,
            page_len: PAGE_LEN,
        })
    }

    fn judge(
        &self,
        decision: &str,
        entry: &AccountId,
        answer: Answer,
        note: &str,
        who: &str,
    ) -> Result<()> {
        let flag = self.decision(decision)?.unwrap();
        let remark = Remark::new(who, note, Timestamp::now())?;
        let judgment = Judgment::new(flag.probe.id().clone(), entry.clone(), answer, remark)?;
        self.kept()
            .judgments
            .insert(0, (decision.to_owned(), judgment));
        Ok(())
    }

    fn undo(&self, decision: &str, entry: &AccountId, _: &str) -> Result<()> {
        self.kept()
            .judgments
            .retain(|(id, said)| id != decision || said.entry() != entry);
        Ok(())
    }

    fn networks(&self) -> Result<Vec<Tally>> {
        let mut counts: BTreeMap<(String, String, &'static str, Standing), usize> = BTreeMap::new();
        for entry in self.engine.entries()? {
            let entry = entry?;
            let network = entry.ban.clone().unwrap_or_default().network;
            let (standing, _) = self.standing(entry.id());
            let key = (
                network,
                entry.platform.clone(),
                entry.kind.as_str(),
                standing,
            );
            *counts.entry(key).or_default() += 1;
        }
        let tally = |((network, platform, kind, standing), entries)| Tally {
            network,
            platform,
            kind,
            standing,
            entries,
        };
        Ok(counts.into_iter().map(tally).collect())
    }

    fn removals(&self, platform: &str) -> Result<Vec<Removal>> {
        let entries: Result<Vec<Account>> = self.engine.entries()?.collect();
        let mut own: Vec<Account> = entries?
            .into_iter()
            .filter(|entry| entry.platform == platform)
            .collect();
        own.sort_by_key(|entry| entry.ban.as_ref().and_then(|ban| ban.banned_at));
        let removal = |account: Account| {
            let (standing, since) = self.standing(account.id());
            Removal {
                account,
                standing,
                since,
            }
        };
        Ok(own.into_iter().map(removal).collect())
    }

    fn mark(&self, ids: &[AccountId], standing: Standing, _: &str) -> Result<()> {
        for id in ids {
            self.kept()
                .standings
                .insert(id.clone(), (standing, Timestamp::now()));
        }
        Ok(())
    }

    fn dashboard(&self) -> Result<Dashboard> {
        let waiting = self.queue(Order::Score, 0)?.total;
        let hour = Timestamp::now().as_second() / 3_600;
        let wave = |n: i64| (n as f64 / 24.0 * std::f64::consts::TAU).sin();
        let of_hour = |n: i64| Hour {
            at: Timestamp::from_second((hour - 71 + n) * 3_600).unwrap(),
            screened: (5_200.0 + 2_600.0 * wave(n) + (n * 7_919 % 900) as f64) as u64,
            review: (n * 13 % 7) as u64,
            matched: (n * 5 % 4) as u64,
        };
        let of_day = |n: i64| Day {
            at: Timestamp::from_second((hour / 24 - 13 + n) * 86_400).unwrap(),
            mirrors: (n * 11 % 17 + 8) as u64,
            not_mirrors: if n == 5 { 0 } else { (n * 3 % 5) as u64 },
            unsure: (n % 3) as u64,
        };
        let counts = [
            3, 90, 2_400, 19_000, 61_000, 42_000, 9_800, 1_900, 420, 61, 9, 2,
        ];
        let bucket = |(n, count): (u32, u64)| Bucket {
            up_to_us: 25 << n,
            count,
        };
        Ok(Dashboard {
            stats: self.engine.stats()?,
            hours: (0..72).map(of_hour).collect(),
            days: (0..14).map(of_day).collect(),
            latency: (0..).zip(counts).map(bucket).collect(),
            waiting,
        })
    }
}

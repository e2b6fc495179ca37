//! What the console asks of the service, done with the engine, the queue and the ledger.

use std::collections::HashMap;
use std::sync::{Arc, TryLockError};

use jiff::Timestamp;

use crate::account::AccountId;
use crate::engine::{Engine, LookupRow};
use crate::error::{Error, Rejection, Result};
use crate::judgment::{Answer, Remark};
use crate::serve::api::decisions::settle;
use crate::serve::api::lookup::question;
use crate::serve::api::screen::told;
use crate::serve::app::App;
use crate::serve::console::{
    Analyst, Bucket, Dashboard, Day, Decision, Desk, Edge, EntryFile, Family, Hour, Order, Queue,
    Removal, Replay, Standing, Tally,
};
use crate::serve::gate::Gate;
use crate::serve::keys::{Key, Role};
use crate::serve::listed::{code_of, counted, longest_banned, standing_of};
use crate::store;
use crate::wire::{decision_id, decision_number};

/// Flags on one page of the queue.
const PAGE_LEN: usize = 25;
/// Past returns, and judgments, shown of one entry.
const PAST_MAX: usize = 100;
/// Days of judgments on the dashboard.
const DAYS: i64 = 30;
const DAY_SECONDS: i64 = 86_400;

impl App {
    fn at_hand(&self) -> Result<&Engine> {
        self.engine().map_err(|_| Error::Malformed {
            what: "service".into(),
            reason: "the index is being read; see /readyz".into(),
        })
    }

    fn found(&self, id: &str) -> Result<Option<store::Decision>> {
        match decision_number(id) {
            Some(number) => self.at_hand()?.decision(number),
            None => Ok(None),
        }
    }

    /// The decision of this id, which a form named.
    fn named(&self, id: &str) -> Result<store::Decision> {
        let absent = || Rejection::new("invalid_value", "decision", "no such decision").into();
        self.found(id)?.ok_or_else(absent)
    }

    fn settled(
        &self,
        decision: &str,
        entry: &AccountId,
        answer: Answer,
        remark: Remark,
    ) -> Result<()> {
        let (engine, decision) = (self.at_hand()?, self.named(decision)?);
        settle(
            self,
            engine,
            &decision,
            Some(entry.as_str()),
            answer,
            remark,
        )
        .map(drop)
    }

    fn shown(&self, decision: store::Decision) -> Result<Decision> {
        let engine = self.at_hand()?;
        let probe = decision.probe.id();
        let mut judgments = Vec::new();
        for hit in &decision.hits {
            let judged = engine.judgment(probe, hit.entry.id())?;
            judgments.extend(judged.filter(|judged| !judged.is_taken_back()));
        }
        let is_same_model = decision.model == engine.model();
        let thresholds = engine.judge().thresholds(decision.entries);
        Ok(Decision {
            id: decision_id(decision.number),
            at: decision.at(),
            entries: decision.hits.into_iter().map(|hit| hit.entry).collect(),
            probe: decision.probe,
            report: decision.report,
            thresholds: is_same_model.then_some(thresholds),
            judgments,
        })
    }

    /// The latest flag of `child` that told `parent`: its id and their score.
    fn flag_of(&self, child: &AccountId, parent: &AccountId) -> Result<Option<(String, f32)>> {
        let decisions = self.at_hand()?.decisions_of(child, PAST_MAX)?;
        let told = decisions.iter().find_map(|decision| {
            let hit = decision.hits.iter().find(|hit| hit.entry.id() == parent)?;
            Some((decision_id(decision.number), hit.score))
        });
        Ok(told)
    }

    fn standing(&self, id: &AccountId) -> Result<(Standing, Option<Timestamp>)> {
        self.at_hand()?.store().standing(id).map(standing_of)
    }

    fn days(&self) -> Result<Vec<Day>> {
        let today = Timestamp::now().as_second().div_euclid(DAY_SECONDS);
        let mut counts: HashMap<i64, [u64; 3]> = HashMap::new();
        for judgment in self.at_hand()?.judgments()? {
            let judgment = judgment?;
            if judgment.is_taken_back() {
                continue;
            }
            let day = judgment.remark.at().as_second().div_euclid(DAY_SECONDS);
            let [mirrors, not_mirrors, unsure] = counts.entry(day).or_default();
            *match judgment.answer {
                Answer::Mirror => mirrors,
                Answer::NotMirror => not_mirrors,
                Answer::Unsure => unsure,
            } += 1;
        }
        let day = |number: i64| {
            let [mirrors, not_mirrors, unsure] = counts.get(&number).copied().unwrap_or_default();
            let at = Timestamp::from_second(number * DAY_SECONDS);
            Day {
                at: at.unwrap_or(Timestamp::UNIX_EPOCH),
                mirrors,
                not_mirrors,
                unsure,
            }
        };
        Ok((today - DAYS + 1..=today).map(day).collect())
    }
}

impl Desk for App {
    fn side_gate(&self) -> &Gate {
        &self.side_gate
    }

    fn may_try(&self, peer: &str) -> bool {
        self.logins.check_key(&peer.to_owned()).is_ok()
    }

    fn login(&self, key: &str) -> Result<Option<Analyst>> {
        Ok(self.keys.find(key).and_then(|key| analyst(&key)))
    }

    fn unlocked(&self) -> Result<Option<Analyst>> {
        let local = || Analyst {
            key_id: "local".into(),
            who: "local".into(),
        };
        Ok(self.is_open_here().then(local))
    }

    fn analyst(&self, key_id: &str) -> Result<Option<Analyst>> {
        if let Some(local) = self.unlocked()? {
            return Ok(Some(local));
        }
        let keys = self.keys.all();
        Ok(keys.iter().find(|key| key.id == key_id).and_then(analyst))
    }

    fn lookup(&self, handle: &str, limit: usize) -> Result<Vec<LookupRow>> {
        self.at_hand()?.lookup(&question(handle)?, limit)
    }

    fn entry(&self, id: &AccountId) -> Result<Option<EntryFile>> {
        let engine = self.at_hand()?;
        let (listed, returns) = (engine.entry(id)?, engine.returns_of(id, PAST_MAX)?);
        let is_listed = listed.is_some();
        let account = match listed {
            Some(entry) => Some(entry),
            None if returns.is_empty() && engine.decisions_of(id, 1)?.is_empty() => None,
            None => engine.known(id)?,
        };
        let Some(account) = account else {
            return Ok(None);
        };
        let decisions = returns.into_iter().map(|decision| self.shown(decision));
        let mut judgments = engine.judgments_of_entry(id, PAST_MAX)?;
        judgments.retain(|judgment| !judgment.is_taken_back());
        Ok(Some(EntryFile {
            account,
            is_listed,
            standing: self.standing(id)?.0,
            decisions: decisions.collect::<Result<_>>()?,
            judgments,
        }))
    }

    fn lineage(&self, id: &AccountId) -> Result<Family> {
        let engine = self.at_hand()?;
        let (root, steps) = engine.lineage(id)?;
        let mut family = Family::default();
        family.accounts.extend(engine.known(&root)?);
        for step in steps {
            let child = step.child.id().clone();
            let flag = self.flag_of(&child, &step.parent)?;
            let (decision, score) = flag.unzip();
            let ban = step.child.ban.as_ref();
            let said = step.judgment.map(|judgment| judgment.remark);
            family.edges.push(Edge {
                parent: step.parent,
                child,
                decision,
                who: said
                    .as_ref()
                    .map_or_else(String::new, |remark| remark.who().to_owned()),
                at: said.map_or(Timestamp::UNIX_EPOCH, |remark| remark.at()),
                hops: ban
                    .and_then(|ban| ban.descent.as_ref())
                    .map_or(1, |of| of.hops.into()),
                score: score.unwrap_or_default(),
            });
            family.accounts.push(step.child);
        }
        Ok(family)
    }

    fn decision(&self, id: &str) -> Result<Option<Decision>> {
        let found = self.found(id)?;
        found.map(|decision| self.shown(decision)).transpose()
    }

    fn replay(&self, id: &str) -> Result<Option<Replay>> {
        let engine = self.at_hand()?;
        let again = |decision: store::Decision| Replay {
            again: told(&engine.replay(&decision)),
            told: decision.report,
        };
        Ok(self.found(id)?.map(again))
    }

    fn queue(&self, order: Order, page: usize) -> Result<Queue> {
        let (engine, skip) = (self.at_hand()?, page.saturating_mul(PAGE_LEN));
        self.docket.tidy(engine);
        loop {
            let numbers = match order {
                Order::Score => self.docket.by_score(skip, PAGE_LEN),
                Order::Age => self.docket.by_age(skip, PAGE_LEN),
            };
            let (mut decisions, mut gone) = (Vec::with_capacity(numbers.len()), Vec::new());
            for number in numbers {
                match engine.decision(number)? {
                    Some(decision) => decisions.push(self.shown(decision)?),
                    None => gone.push(number),
                }
            }
            // Erased since: others move up.
            if gone.is_empty() {
                return Ok(Queue {
                    decisions,
                    total: self.docket.len(),
                    page_len: PAGE_LEN,
                });
            }
            self.docket.forget(&gone);
        }
    }

    fn judge(
        &self,
        decision: &str,
        entry: &AccountId,
        answer: Answer,
        note: &str,
        who: &str,
    ) -> Result<()> {
        let remark = Remark::new(who, note, Timestamp::now())?;
        self.settled(decision, entry, answer, remark)
    }

    fn undo(&self, decision: &str, entry: &AccountId, who: &str) -> Result<()> {
        let remark = Remark::taking_back(who, Timestamp::now())?;
        self.settled(decision, entry, Answer::Unsure, remark)
    }

    fn networks(&self) -> Result<Option<Arc<[Tally]>>> {
        self.tallied.told(|| counted(self.at_hand()?.store()))
    }

    fn removals(
        &self,
        platform: &str,
        standings: &[Standing],
        limit: usize,
    ) -> Result<Option<(usize, Vec<Removal>)>> {
        let _turn = match self.reading.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(broken)) => broken.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        let engine = self.at_hand()?;
        let (mut total, longest) = longest_banned(engine.store(), platform, standings, limit)?;
        let mut removals = Vec::with_capacity(longest.len());
        for (id, standing, since) in longest {
            match engine.entry(&id)? {
                Some(account) => removals.push(Removal {
                    account,
                    standing,
                    since,
                }),
                // Withdrawn meanwhile.
                None => total -= 1,
            }
        }
        Ok(Some((total, removals)))
    }

    fn mark(&self, ids: &[AccountId], standing: Standing, who: &str) -> Result<()> {
        let engine = self.at_hand()?;
        engine
            .store()
            .set_standings(ids, code_of(standing), Timestamp::now())?;
        self.tallied.changed();
        let names: Vec<String> = ids.iter().map(AccountId::to_string).collect();
        self.audit
            .note(who, standing.as_str(), &names, engine.generation().lsn());
        Ok(())
    }

    fn dashboard(&self) -> Result<Dashboard> {
        let hour = |hour: crate::serve::ledger::Hour| Hour {
            at: hour.at(),
            screened: hour.screened,
            review: hour.review,
            matched: hour.matched,
        };
        let bucket = |(up_to_us, count)| Bucket { up_to_us, count };
        self.docket.tidy(self.at_hand()?);
        Ok(Dashboard {
            stats: self.at_hand()?.stats()?,
            hours: self.ledger.hours().into_iter().map(hour).collect(),
            days: self.days()?,
            latency: self.ledger.latency().into_iter().map(bucket).collect(),
            waiting: self.docket.len(),
        })
    }
}

/// The holder of a key that may use the console.
fn analyst(key: &Key) -> Option<Analyst> {
    (key.role >= Role::Analyst).then(|| Analyst {
        key_id: key.id.clone(),
        who: key.name.clone(),
    })
}

//! What stands in the queue and what leaves it, before the real engine.

use jiff::Timestamp;
use tempfile::TempDir;

use crate::account::{Account, AccountDraft, AccountId, Ban};
use crate::engine::{Engine, Occasion};
use crate::judgment::{Answer, Judgment, Remark};
use crate::serve::api::screen::told;
use crate::serve::docket::Docket;
use crate::store::{Access, Decision};
use crate::tests::{id, opened};

const LINKS: [&str; 2] = ["https://t.me/zorvanidsp", "https://t.me/qasrobserver"];

fn account(id: &str, links: &[&str], is_banned: bool) -> Account {
    let draft = AccountDraft {
        id: id.into(),
        handle: format!("marigold_{}", id.len() * 7),
        display_name: "Zorvani Dispatch Quetta".into(),
        bio: "news of the valley and of the river, every day anew".into(),
        links: links.iter().map(|link| (*link).to_owned()).collect(),
        ban: is_banned.then(Ban::default),
        ..AccountDraft::default()
    };
    draft.check().unwrap()
}

/// An engine with the entries x:1 and x:2, and a queue.
struct Office {
    engine: Engine,
    docket: Docket,
    _folder: TempDir,
}

impl Office {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = opened(folder.path(), Access::Create);
        let entries = [("x:1", LINKS[0]), ("x:2", LINKS[1])];
        let entries = entries.map(|(id, link)| account(id, &[link], true));
        engine.enroll(entries.to_vec()).unwrap();
        Self {
            engine,
            docket: Docket::default(),
            _folder: folder,
        }
    }

    fn flagged(&self, probe: &Account) -> Decision {
        let decided = self.engine.decide(probe, Occasion::Told, told).unwrap();
        let number = decided.report.decision.unwrap();
        let decision = self.engine.decision(number).unwrap().unwrap();
        self.docket
            .refresh(&self.engine, decision.probe.id())
            .unwrap();
        decision
    }

    /// What a person says of a decision's pair, as the service takes it in.
    fn say(&self, decision: &Decision, entry: &AccountId, answer: Answer, remark: Remark) {
        let judgment = Judgment::new(decision.probe.id().clone(), entry.clone(), answer, remark);
        let probe = Some(&decision.probe);
        self.engine.settle(judgment.unwrap(), probe).unwrap();
        self.docket
            .refresh(&self.engine, decision.probe.id())
            .unwrap();
    }

    fn numbers(&self) -> Vec<u64> {
        self.docket.by_age(0, 100)
    }
}

fn remark() -> Remark {
    Remark::new("ada", "looked at", Timestamp::now()).unwrap()
}

fn best(decision: &Decision) -> &AccountId {
    decision.hits[0].entry.id()
}

/// Two flags of one account: the first looks most like one entry, the second like the other.
fn two_flags(office: &Office) -> (Decision, Decision) {
    let first = office.flagged(&account("x:9", &LINKS[..1], false));
    let second = office.flagged(&account("x:9", &LINKS[1..], false));
    assert!(first.number < second.number);
    assert_ne!(best(&first), best(&second));
    (first, second)
}

#[test]
fn what_is_said_of_an_older_flag_leaves_the_newer_in_the_queue() {
    let office = Office::open();
    let (first, second) = two_flags(&office);
    assert_eq!(office.numbers(), [second.number]);
    office.say(&first, best(&first), Answer::NotMirror, remark());
    assert_eq!(office.numbers(), [second.number]);
    office.say(&second, best(&second), Answer::NotMirror, remark());
    assert_eq!(office.docket.len(), 0);
    let remark = Remark::taking_back("ada", Timestamp::now()).unwrap();
    office.say(&second, best(&second), Answer::Unsure, remark);
    assert_eq!(office.numbers(), [second.number]);
}

#[test]
fn who_was_unsure_is_asked_again_when_more_is_known() {
    let office = Office::open();
    let first = office.flagged(&account("x:9", &LINKS[..1], false));
    let earlier = Timestamp::from_second(Timestamp::now().as_second() - 60).unwrap();
    let unsure = Remark::new("ada", "", earlier).unwrap();
    office.say(&first, best(&first), Answer::Unsure, unsure.clone());
    // The flag itself is younger than the answer only because the clock of this test was set back.
    assert_eq!(office.numbers(), [first.number]);
    office.say(&first, best(&first), Answer::Unsure, remark());
    assert_eq!(office.docket.len(), 0);
}

#[test]
fn a_flag_leaves_with_its_entries_its_account_or_its_decision() {
    let office = Office::open();
    let flag = office.flagged(&account("x:9", &LINKS[..1], false));
    let entries: Vec<AccountId> = flag.hits.iter().map(|hit| hit.entry.id().clone()).collect();
    office.engine.withdraw(entries).unwrap();
    office.docket.tidy(&office.engine);
    assert_eq!(office.docket.len(), 0, "all its entries were withdrawn");

    let office = Office::open();
    office.flagged(&account("x:9", &LINKS[..1], false));
    let banned = account("x:9", &LINKS[..1], true);
    office.engine.enroll(vec![banned]).unwrap();
    office.docket.tidy(&office.engine);
    assert_eq!(office.docket.len(), 0, "it is banned itself");

    let office = Office::open();
    office.flagged(&account("x:9", &LINKS[..1], false));
    office.engine.erase(&id("x:9")).unwrap();
    office.docket.refresh_all(&office.engine).unwrap();
    assert_eq!(office.docket.len(), 0, "it was erased");
}

#[test]
fn the_queue_is_filled_again_at_start_unless_the_service_stops() {
    let office = Office::open();
    let (first, second) = two_flags(&office);
    office.say(&first, best(&first), Answer::Mirror, remark());
    let other = office.flagged(&account("x:77", &LINKS[1..], false));
    let again = Docket::default();
    again.recall(&office.engine).unwrap();
    assert_eq!(again.by_age(0, 9), office.numbers());
    assert!(office.numbers().contains(&other.number));
    assert!(!office.numbers().contains(&second.number), "x:9 is banned");
    let stopped = Docket::default();
    stopped.stop();
    stopped.recall(&office.engine).unwrap();
    assert_eq!(stopped.len(), 0);
}

//! Which recent signups may be returns of an entry that was just enrolled.
//!
//! The entry asks the index of signups, and of each that it meets is known at most what the pair is worth: who cannot reach a
//! review is not screened again. The few that can are, in earnest.

use std::sync::Arc;

use jiff::Timestamp;

use crate::account::{Account, AccountId};
use crate::blocking::Query;
use crate::engine::candidates::{Candidate, Candidates, UNSOUGHT_BITS};
use crate::engine::front::Engine;
use crate::engine::generation::{Generation, Part};
use crate::engine::recent::Recent;
use crate::engine::screen::minutes_between;
use crate::error::Result;
use crate::evidence::Evidence;
use crate::fingerprint::Fingerprint;
use crate::score::{Circumstances, Score};
use crate::signal::relation::{Crowd, Relation, Signal};
use crate::watchlist::Entry;

/// Most signups that are screened again for one new entry, those that agree most.
const RESCREENED_MAX: usize = 64;
/// Of them, signups that name the entry: many may talk about somebody, and they must not take all the places.
const NAMING_MAX: usize = 24;

impl Engine {
    /// Recent signups that may be returns of an entry just enrolled, those that agree most first; to be screened again.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn recent_like(&self, entry: &Account) -> Result<Vec<Account>> {
        let Some(recent) = &self.recent else {
            return Ok(Vec::new());
        };
        let asked = Asked::of(self, entry);
        // First what is not indexed yet: what is indexed meanwhile is met twice, the other way round not at all.
        let fresh: Vec<Arc<Entry>> = recent.fresh();
        let view = recent.view();
        let mut found = asked.indexed(&view);
        let (naming, containing) = asked.conversely(recent, &view);
        found.extend(containing);
        for signup in fresh {
            let worth = asked.worth(&signup.fingerprint);
            found.extend(worth.map(|worth| (worth, signup.id.clone())));
        }
        // An entry is no signup any more.
        let (mut taken, listed) = (Worths::new(), Arc::clone(&asked.generation));
        let mut take = |mut found: Worths, len_max| {
            found.sort_by(|a, b| b.0.most.total_cmp(&a.0.most).then_with(|| a.1.cmp(&b.1)));
            for (worth, id) in found {
                let is_taken = taken.iter().any(|(_, other)| *other == id);
                if taken.len() < len_max && !is_taken && !listed.contains(&id) {
                    taken.push((worth, id));
                }
            }
        };
        take(naming, NAMING_MAX);
        take(found, RESCREENED_MAX);
        let mut like = Vec::new();
        for (worth, id) in taken {
            let seen = self.store().seen(&id)?.map(|seen| seen.account);
            like.extend(seen.filter(|account| asked.may_reach(worth, account.created_at)));
        }
        Ok(like)
    }
}

/// What a pair is worth at most.
#[derive(Debug, Clone, Copy)]
struct Worth {
    /// Bits of an account opened the moment of the ban.
    most: f32,
    /// Bits of one opened before it.
    unless_soon: f32,
}

/// Signups, and what each pair is worth.
type Worths = Vec<(Worth, AccountId)>;

/// An entry that asks which signups are like it.
struct Asked<'a> {
    engine: &'a Engine,
    generation: Arc<Generation>,
    fingerprint: Fingerprint<'static>,
    entries: u32,
    banned_at: Option<Timestamp>,
    /// The threshold of reviews, less what the entry's network may lend.
    review: f32,
}

impl<'a> Asked<'a> {
    fn of(engine: &'a Engine, entry: &Account) -> Self {
        let generation = engine.generation();
        let entries = generation.entries();
        let model = &engine.judge().model;
        let ban = entry.ban.as_ref();
        let network = ban.map_or("", |ban| ban.network.as_str());
        // A network of one has nothing to lend.
        let lends = !network.is_empty() && generation.network_entries(network) > 1;
        let lent_max = match lends {
            true => model.most(Signal::Network, Relation::Network),
            false => 0.0,
        };
        Self {
            engine,
            generation,
            fingerprint: engine.fingerprint(entry),
            entries,
            banned_at: ban.and_then(|ban| ban.banned_at),
            review: engine.judge().thresholds(entries).review - lent_max,
        }
    }

    /// Signups of the index that may reach a review.
    fn indexed(&self, view: &Generation) -> Worths {
        let model = &self.engine.judge().model;
        let found_min = self.review - model.prior(self.entries) - UNSOUGHT_BITS;
        let query = Query::of(&self.fingerprint);
        let candidates = Candidates::of(view, &query, model, found_min);
        let met = candidates
            .found
            .iter()
            .filter(|candidate| candidate.found >= found_min);
        let signup = |candidate: &Candidate| {
            let columns = view.parts().get(candidate.part as usize)?.columns();
            let worth = self.worth(&columns.fingerprint(candidate.ordinal)?)?;
            Some((worth, AccountId::new(columns.id(candidate.ordinal)?).ok()?))
        };
        met.filter_map(signup).collect()
    }

    /// Signups that name the entry, and those that have its core in their handles, where they may reach a review.
    fn conversely(&self, recent: &Recent, view: &Generation) -> (Worths, Worths) {
        let like = recent.conversely(&self.fingerprint, view);
        let signup = |id: &AccountId| {
            let in_part = |part: &'_ Part| Some((part.clone(), part.find(id.as_str())?));
            view.parts().iter().find_map(in_part)
        };
        let worth = |id: &AccountId| {
            let (part, ordinal) = signup(id)?;
            Some(self.weighed(&part.columns().fingerprint(ordinal)?))
        };
        // Whether a text names a handle is not kept with what is indexed: it is taken for the most it can be worth.
        let model = &self.engine.judge().model;
        let naming_max = model.most(Signal::Contact, Relation::Announces);
        let naming = like.naming.into_iter().filter_map(|id| {
            let (worth, _) = worth(&id)?;
            let worth = Worth {
                most: worth.most + naming_max,
                unless_soon: worth.unless_soon + naming_max,
            };
            (worth.most >= self.review).then_some((worth, id))
        });
        let containing = like.containing.into_iter().filter_map(|id| {
            let (worth, agrees) = worth(&id)?;
            (agrees && worth.most >= self.review).then_some((worth, id))
        });
        (naming.collect(), containing.collect())
    }

    /// What the pair is worth, where that may reach a review.
    fn worth(&self, signup: &Fingerprint<'_>) -> Option<Worth> {
        let (worth, agrees) = self.weighed(signup);
        (agrees && worth.most >= self.review).then_some(worth)
    }

    /// What the pair is worth with a picture that nobody else has, and whether anything agrees.
    fn weighed(&self, signup: &Fingerprint<'_>) -> (Worth, bool) {
        let carriers = |key| self.generation.carriers(key);
        let ordinary = |key| self.engine.judge().learnt.bits(key);
        let crowd = Crowd::new(self.entries, &carriers, &ordinary);
        let evidence = Evidence::of(signup, &self.fingerprint, &crowd);
        let bits = |minutes_since_ban| {
            let circumstances = Circumstances {
                entries: self.entries,
                name_told: self.fingerprint.name_told.max(signup.name_told),
                minutes_since_ban,
                ..Circumstances::default()
            };
            Score::of(&evidence, &circumstances, &self.engine.judge().model).total()
        };
        let worth = Worth {
            most: bits(self.banned_at.map(|_| 0.0)),
            unless_soon: bits(None),
        };
        (worth, evidence.agrees())
    }

    /// Whether a pair may reach a review, now that it is known when the account was opened.
    fn may_reach(&self, worth: Worth, created_at: Option<Timestamp>) -> bool {
        let bits = match minutes_between(self.banned_at, created_at) {
            Some(_) => worth.most,
            None => worth.unless_soon,
        };
        bits >= self.review
    }
}

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
use crate::signal::crowd::Crowd;
use crate::signal::relation::{Relation, Signal};
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
            let worth = asked.worth(&signup.fingerprint, signup.banned_at);
            found.extend(worth.map(|worth| worth.of(signup.id.clone())));
        }
        // An entry is no signup any more.
        let (mut ids, listed) = (Vec::new(), Arc::clone(&asked.generation));
        let mut take = |mut found: Vec<Like>, len_max| {
            found.sort_by(|a, b| b.bits.total_cmp(&a.bits).then_with(|| a.id.cmp(&b.id)));
            for like in found {
                let is_taken = ids.iter().any(|taken: &Like| taken.id == like.id);
                if ids.len() < len_max && !is_taken && !listed.contains(&like.id) {
                    ids.push(like);
                }
            }
        };
        take(naming, NAMING_MAX);
        take(found, RESCREENED_MAX);
        let mut like = Vec::new();
        for found in ids {
            let seen = self.store().seen(&found.id)?.map(|seen| seen.account);
            like.extend(seen.filter(|signup| found.is_sure || asked.may_reach(signup)));
        }
        Ok(like)
    }
}

/// What a pair is worth by what the index keeps of the signup.
#[derive(Debug, Clone, Copy)]
struct Worth {
    bits: f32,
    /// Whether all that the signup told would say the same. What words stand around the entry's core, and what is said in a
    /// text, is not kept: there it is the most it can be.
    is_sure: bool,
}

/// A signup that may be a return.
struct Like {
    bits: f32,
    is_sure: bool,
    id: AccountId,
}

impl Worth {
    fn of(self, id: AccountId) -> Like {
        let Self { bits, is_sure } = self;
        Like { bits, is_sure, id }
    }
}

/// An entry that asks which signups are like it.
struct Asked<'a> {
    engine: &'a Engine,
    generation: Arc<Generation>,
    fingerprint: Fingerprint<'static>,
    entries: u32,
    banned_at: Option<Timestamp>,
    /// Who is worth less by what the index keeps is not looked at: the review, less what the network may lend.
    reach: f32,
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
        let review = engine.judge().thresholds(entries).review;
        Self {
            engine,
            generation,
            fingerprint: engine.fingerprint(entry),
            entries,
            banned_at: ban.and_then(|ban| ban.banned_at),
            reach: review - lent_max,
        }
    }

    /// Signups of the index that may reach a review.
    fn indexed(&self, view: &Generation) -> Vec<Like> {
        let model = &self.engine.judge().model;
        let found_min = self.reach - model.prior(self.entries) - UNSOUGHT_BITS;
        let query = Query::of(&self.fingerprint);
        let candidates = Candidates::of(view, &query, model, found_min, found_min);
        let met = candidates
            .found
            .iter()
            .filter(|candidate| candidate.found >= found_min);
        let signup = |candidate: &Candidate| {
            let columns = view.parts().get(candidate.part as usize)?.columns();
            let opened_at = columns.banned_at(candidate.ordinal);
            let worth = self.worth(&columns.fingerprint(candidate.ordinal)?, opened_at)?;
            Some(worth.of(AccountId::new(columns.id(candidate.ordinal)?).ok()?))
        };
        met.filter_map(signup).collect()
    }

    /// Signups that name the entry, and those that have its core in their handles, where they may reach a review.
    fn conversely(&self, recent: &Recent, view: &Generation) -> (Vec<Like>, Vec<Like>) {
        let like = recent.conversely(&self.fingerprint, view);
        let signup = |id: &AccountId| {
            let in_part = |part: &'_ Part| Some((part.clone(), part.find(id.as_str())?));
            view.parts().iter().find_map(in_part)
        };
        // Whether a text names a handle is not kept with what is indexed: it is taken for the most it can be worth.
        let model = &self.engine.judge().model;
        let naming_max = model.most(Signal::Contact, Relation::Announces);
        let naming = like.naming.into_iter().filter_map(|id| {
            let (part, ordinal) = signup(&id)?;
            let columns = part.columns();
            let minutes = minutes_between(self.banned_at, columns.banned_at(ordinal));
            let (_, bits) = self.weighed(&columns.fingerprint(ordinal)?, minutes);
            let bits = bits + naming_max;
            let is_sure = false;
            (bits >= self.reach).then(|| Worth { bits, is_sure }.of(id))
        });
        let containing = like.containing.into_iter().filter_map(|id| {
            let (part, ordinal) = signup(&id)?;
            let columns = part.columns();
            let opened_at = columns.banned_at(ordinal);
            let worth = self.worth(&columns.fingerprint(ordinal)?, opened_at)?;
            Some(worth.of(id))
        });
        (naming.collect(), containing.collect())
    }

    /// What the pair is worth by what the index keeps, where that is in reach.
    fn worth(&self, signup: &Fingerprint<'_>, opened_at: Option<Timestamp>) -> Option<Worth> {
        let minutes = minutes_between(self.banned_at, opened_at);
        let (evidence, bits) = self.weighed(signup, minutes);
        let is_sure = evidence.comparison(Signal::Handle).relation != Relation::Contains;
        (evidence.agrees() && bits >= self.reach).then_some(Worth { bits, is_sure })
    }

    /// The comparisons of the pair and its bits, with a picture that nobody else has.
    fn weighed(&self, signup: &Fingerprint<'_>, minutes: Option<f32>) -> (Evidence, f32) {
        let carriers = |key, networked_max| self.generation.carriers(key, networked_max);
        let ordinary = |key| self.engine.judge().learnt.bits(key);
        let crowd = Crowd::new(self.entries, &carriers, &ordinary);
        let evidence = Evidence::of(signup, &self.fingerprint, &crowd);
        let circumstances = Circumstances {
            entries: self.entries,
            name_told: self.fingerprint.name_told.max(signup.name_told),
            minutes_since_ban: minutes,
            ..Circumstances::default()
        };
        let model = &self.engine.judge().model;
        let bits = Score::of(&evidence, &circumstances, model).total();
        (evidence, bits)
    }

    /// Whether a signup may reach a review with the entry, by all that it told. A third of the work of a screen.
    fn may_reach(&self, signup: &Account) -> bool {
        let fingerprint = self.engine.fingerprint(signup);
        let minutes = minutes_between(self.banned_at, signup.created_at);
        let (evidence, bits) = self.weighed(&fingerprint, minutes);
        evidence.agrees() && bits >= self.reach
    }
}

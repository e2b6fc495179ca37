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
        let (mut ids, listed) = (Vec::new(), Arc::clone(&asked.generation));
        let mut take = |mut found: Worths, len_max| {
            found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            for (_, id) in found {
                if ids.len() < len_max && !ids.contains(&id) && !listed.contains(&id) {
                    ids.push(id);
                }
            }
        };
        take(naming, NAMING_MAX);
        take(found, RESCREENED_MAX);
        let mut like = Vec::new();
        for id in ids {
            let seen = self.store().seen(&id)?.map(|seen| seen.account);
            like.extend(seen.filter(|signup| asked.may_reach(signup)));
        }
        Ok(like)
    }
}

/// Signups, and what each pair may be worth by what the index keeps of it.
type Worths = Vec<(f32, AccountId)>;

/// An entry that asks which signups are like it.
struct Asked<'a> {
    engine: &'a Engine,
    generation: Arc<Generation>,
    fingerprint: Fingerprint<'static>,
    entries: u32,
    banned_at: Option<Timestamp>,
    review: f32,
    /// What the entry's network may lend.
    lent_max: f32,
    /// Who is worth less by what the index keeps is not looked at: the review, less what any network may lend. The index does
    /// not keep how rare a signup's own handle is, by which a pair may be worth some bits more.
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
        let lent_max = model.most(Signal::Network, Relation::Network);
        let review = engine.judge().thresholds(entries).review;
        Self {
            engine,
            generation,
            fingerprint: engine.fingerprint(entry),
            entries,
            banned_at: ban.and_then(|ban| ban.banned_at),
            review,
            reach: review - lent_max,
            lent_max: if lends { lent_max } else { 0.0 },
        }
    }

    /// Signups of the index that may reach a review.
    fn indexed(&self, view: &Generation) -> Worths {
        let model = &self.engine.judge().model;
        let found_min = self.reach - model.prior(self.entries) - UNSOUGHT_BITS;
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
        let bits = |id: &AccountId| {
            let (part, ordinal) = signup(id)?;
            Some(self.bits(&part.columns().fingerprint(ordinal)?, Some(0.0)))
        };
        // Whether a text names a handle is not kept with what is indexed: it is taken for the most it can be worth.
        let model = &self.engine.judge().model;
        let naming_max = model.most(Signal::Contact, Relation::Announces);
        let naming = like.naming.into_iter().filter_map(|id| {
            let (bits, _) = bits(&id)?;
            let bits = bits + naming_max;
            (bits >= self.reach).then_some((bits, id))
        });
        let containing = like.containing.into_iter().filter_map(|id| {
            let (bits, agrees) = bits(&id)?;
            (agrees && bits >= self.reach).then_some((bits, id))
        });
        (naming.collect(), containing.collect())
    }

    /// What the pair is worth by what the index keeps, opened the moment of the ban, where that is in reach.
    fn worth(&self, signup: &Fingerprint<'_>) -> Option<f32> {
        let (bits, agrees) = self.bits(signup, Some(0.0));
        (agrees && bits >= self.reach).then_some(bits)
    }

    /// The bits of the pair with a picture that nobody else has, and whether anything agrees.
    fn bits(&self, signup: &Fingerprint<'_>, minutes_since_ban: Option<f32>) -> (f32, bool) {
        let carriers = |key| self.generation.carriers(key);
        let ordinary = |key| self.engine.judge().learnt.bits(key);
        let crowd = Crowd::new(self.entries, &carriers, &ordinary);
        let evidence = Evidence::of(signup, &self.fingerprint, &crowd);
        let circumstances = Circumstances {
            entries: self.entries,
            name_told: self.fingerprint.name_told.max(signup.name_told),
            minutes_since_ban,
            ..Circumstances::default()
        };
        let model = &self.engine.judge().model;
        let bits = Score::of(&evidence, &circumstances, model).total();
        (bits, evidence.agrees())
    }

    /// Whether a signup may reach a review with the entry, by all that it told. A third of the work of a screen.
    fn may_reach(&self, signup: &Account) -> bool {
        let fingerprint = self.engine.fingerprint(signup);
        let minutes = minutes_between(self.banned_at, signup.created_at);
        let (bits, agrees) = self.bits(&fingerprint, minutes);
        agrees && bits + self.lent_max >= self.review
    }
}

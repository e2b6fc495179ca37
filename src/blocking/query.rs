//! What a probe is looked up by, and its look-ups in one segment once they are begun.
//!
//! Where postings stand is itself read from memory. So every index is first asked for that, then for what stands there,
//! and only then read: what all of them wait for comes together, while other work is done.

use crate::blocking::Blocker;
use crate::fingerprint::Fingerprint;
use crate::hash::Pdq;
use crate::index::{Containment, Deletes, Forms, Loose, Placed, PlacedParts, Sought};
use crate::signal::avatar;
use crate::signal::bio::SIMHASH_DISTANCE_MAX;
use crate::signal::handle::NumbersAsked;
use crate::signal::lead::Lead;

/// What a probe is looked up by; made once and used on every segment.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    probe: &'a Fingerprint<'a>,
    counted: Vec<Lead>,
    loose: Vec<Lead>,
    loose_hashes: Vec<u64>,
    /// Of the handle's stem.
    forms: Option<Forms>,
    /// Of the handle.
    numbers: Option<NumbersAsked>,
    /// Of the whole handle.
    parts: Vec<(usize, u64)>,
}

/// The look-ups of one probe in one segment, begun: what they wait for is on its way from memory.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Of [`Query::loose`].
    pub(super) loose: Placed,
    /// Of [`Query::forms`].
    pub(super) forms: Placed,
    /// Of [`Query::parts`].
    pub(super) parts: PlacedParts,
    /// Of [`Query::pictures`].
    pub(super) pictures: Vec<Sought<4>>,
    /// Of the bio, where its text is long enough.
    pub(super) near_copy: Option<Sought<1>>,
}

impl<'a> Query<'a> {
    /// Collects the probe's leads; of equal keys the one that suggests most.
    pub(crate) fn of(probe: &'a Fingerprint<'a>) -> Self {
        let mut leads = probe.leads();
        leads.extend(probe.asked_leads());
        leads.sort_by(|a, b| {
            let by_key = a.key.cmp(&b.key).then(a.counted.cmp(&b.counted));
            by_key.then(b.comparison.surprise.total_cmp(&a.comparison.surprise))
        });
        leads.dedup_by_key(|lead| (lead.key, lead.counted));
        let counted_len = leads.iter().filter(|lead| lead.counted).count();
        let mut counted = Vec::with_capacity(counted_len);
        let mut loose = Vec::with_capacity(leads.len() - counted_len);
        for lead in leads {
            match lead.counted {
                true => counted.push(lead),
                false => loose.push(lead),
            }
        }
        let handle = probe.handle.as_ref();
        Self {
            probe,
            loose_hashes: Loose::hashes(loose.iter().map(|lead| lead.key)),
            counted,
            loose,
            forms: handle.map(|handle| Deletes::forms(handle.stem())),
            numbers: handle.map(NumbersAsked::of),
            parts: handle.map_or_else(Vec::new, |handle| Containment::parts_of(handle.whole())),
        }
    }

    /// The probe.
    pub(crate) fn probe(&self) -> &Fingerprint<'a> {
        self.probe
    }

    /// Leads whose carriers are counted.
    pub(crate) fn counted(&self) -> &[Lead] {
        &self.counted
    }

    /// Leads that only propose.
    pub(crate) fn loose(&self) -> &[Lead] {
        &self.loose
    }

    /// Shortened forms of the probe's stem.
    pub(crate) fn forms(&self) -> Option<&Forms> {
        self.forms.as_ref()
    }

    /// What numbers can tell of handles near the probe's.
    pub(crate) fn numbers(&self) -> Option<&NumbersAsked> {
        self.numbers.as_ref()
    }

    /// Parts of the probe's handle that may be an entry's core.
    pub(crate) fn parts(&self) -> &[(usize, u64)] {
        &self.parts
    }

    /// The probe's picture as it is, then turned and mirrored; empty without a picture rare enough to lead.
    pub(crate) fn pictures(&self) -> &[Pdq] {
        let picture = self.probe.picture.as_ref();
        let leading = picture.filter(|picture| picture.leads());
        leading.map_or(&[], |picture| picture.turned())
    }

    fn simhash(&self) -> Option<u64> {
        self.probe.bio.as_ref()?.simhash()
    }
}

/// Turned pictures, each with how far an entry's may be from it.
fn placed(pictures: &[Pdq]) -> impl Iterator<Item = (&Pdq, u32)> {
    let placed = pictures.iter().enumerate();
    placed.map(|(turn, pdq)| (pdq, avatar::distance_max(turn)))
}

impl Blocker {
    /// Asks for where in this segment stands what pictures are looked up by.
    pub(crate) fn pictures_ahead(&self, turned: &[Pdq]) {
        for (pdq, distance_max) in placed(turned) {
            self.pictures.ahead(&pdq.0, distance_max);
        }
    }

    /// Asks for where in this segment stands what the query looks up; but for pictures, which whoever screens asks for before
    /// the fingerprint is made.
    pub(crate) fn ahead(&self, query: &Query<'_>) {
        self.loose.ahead(&query.loose_hashes);
        if let Some(forms) = &query.forms {
            self.stems.ahead(forms);
        }
        self.cores.ahead(&query.parts);
        for lead in &query.counted {
            self.counted.ahead(lead.key);
        }
        if let Some(simhash) = query.simhash() {
            self.simhashes.ahead(&[simhash], SIMHASH_DISTANCE_MAX);
        }
    }

    /// Reads where in this segment stands what the query looks up, and asks for it.
    pub(crate) fn begin(&self, query: &Query<'_>) -> Begun {
        // Where pictures stand was asked for first, and is there first.
        let pictures = placed(query.pictures()).map(|(pdq, distance_max)| {
            let sought = self.pictures.sought(&pdq.0, distance_max);
            self.pictures.touch(&sought);
            sought
        });
        let pictures = pictures.collect();
        let loose = self.loose.placed(&query.loose_hashes);
        let forms = query.forms.as_ref().map(|forms| self.stems.placed(forms));
        let parts = self.cores.placed(&query.parts);
        for lead in &query.counted {
            self.counted.postings_ahead(lead.key);
        }
        let near_copy = query.simhash().map(|simhash| {
            let sought = self.simhashes.sought(&[simhash], SIMHASH_DISTANCE_MAX);
            self.simhashes.touch(&sought);
            sought
        });
        Begun {
            loose,
            forms: forms.unwrap_or_default(),
            parts,
            pictures,
            near_copy,
        }
    }

    /// Looks for pictures and texts in the rows that were asked for, and asks for where what is near stands.
    pub(crate) fn scan(&self, begun: &mut Begun) {
        for sought in &mut begun.pictures {
            self.pictures.scan(sought);
        }
        if let Some(sought) = &mut begun.near_copy {
            self.simhashes.scan(sought);
        }
    }

    /// Reads where what is near stands, and asks for it.
    pub(crate) fn fetch(&self, begun: &mut Begun) {
        for sought in &mut begun.pictures {
            self.pictures.fetch(sought);
        }
        if let Some(sought) = &mut begun.near_copy {
            self.simhashes.fetch(sought);
        }
    }
}

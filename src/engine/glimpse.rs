//! Many accounts judged, and kept a while later: what `screen` and `rescan` do chunk by chunk.
//!
//! What judging leaves to be kept is a [`Glimpse`]. One look-up of what was seen of an account before answers both
//! questions that keeping it asks: whether it may teach what is ordinary, which it does the first time only, and what it
//! told before. Keeping takes no part of the reports, so that it can go on while the next accounts are judged.

use jiff::Timestamp;

use crate::account::Account;
use crate::engine::front::Engine;
use crate::engine::report::Report;
use crate::error::Result;
use crate::store::SeenAccount;
use crate::verdict::Verdict;

/// What judging one account leaves to be kept.
#[derive(Debug)]
pub(crate) struct Glimpse {
    /// The account, its tokens keyed.
    account: Account,
    /// The values it teaches if it is seen for the first time; none of a flagged one.
    values: Option<Vec<u64>>,
}

impl Glimpse {
    /// What an account tells whose tokens are keyed, and who was not judged.
    pub(in crate::engine) fn teaching_nothing(account: Account) -> Self {
        Self {
            account,
            values: None,
        }
    }
}

impl Engine {
    /// Judges one account and says why, as [`Engine::report`] does, but keeps and learns nothing yet. One disk read for
    /// each hit.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn glimpse(&self, probe: &Account) -> Result<(Report, Glimpse)> {
        let account = self.without_opaque_tokens(probe);
        let fingerprint = self.fingerprint(&account);
        let screened = self.judged(&account, &fingerprint);
        let report = self.reporter().report(&account, &screened)?;
        let is_clear = screened.verdict == Verdict::Clear;
        let values = is_clear.then(|| fingerprint.values());
        Ok((report, Glimpse { account, values }))
    }

    /// Learns from accounts seen for the first time, and keeps what was seen of all, added to what was seen before, so
    /// that a later ban by id alone finds it. One disk read an account, in the order of ids, and one write.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub(crate) fn keep(&self, mut glimpses: Vec<Glimpse>, seen_at: Timestamp) -> Result<()> {
        // Neighbours in the order of ids lie beside each other in the store too.
        glimpses.sort_by(|a, b| a.account.id().cmp(b.account.id()));
        let mut seen: Vec<SeenAccount> = Vec::with_capacity(glimpses.len());
        let mut rest = glimpses.into_iter().peekable();
        while let Some(first) = rest.next() {
            let id = first.account.id().clone();
            let mut known = self.store().seen(&id)?.map(|seen| seen.account);
            let is_first = known.is_none();
            known = self.told(first, known, is_first);
            while let Some(next) = rest.next_if(|next| *next.account.id() == id) {
                // Whoever stands in one chunk twice is seen for the first time twice.
                known = self.told(next, known, is_first);
            }
            seen.extend(known.map(|account| SeenAccount { seen_at, account }));
        }
        self.store().remember(&seen)
    }

    /// What is known of an account after one glimpse more, which teaches if it is the first.
    fn told(&self, glimpse: Glimpse, known: Option<Account>, is_first: bool) -> Option<Account> {
        let Glimpse { account, values } = glimpse;
        if let (Some(learning), Some(values), true) = (&self.learning, values, is_first) {
            learning.observe(&account, &values);
        }
        if account.is_bare() {
            return known;
        }
        Some(match known {
            Some(earlier) => account.filled_from(&earlier),
            None => account,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountDraft;
    use crate::store::Access;
    use crate::tests::opened;

    fn account(id: &str, handle: &str, bio: &str, location: &str) -> Account {
        let draft = AccountDraft {
            id: id.into(),
            handle: handle.into(),
            bio: bio.into(),
            location: location.into(),
            created_at: "2026-11-20T10:00:00Z".parse().ok(),
            ..AccountDraft::default()
        };
        draft.check().unwrap()
    }

    #[test]
    fn keeping_later_keeps_and_teaches_the_same() {
        let (now, later) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |folder: &tempfile::TempDir| opened(folder.path(), Access::Create);
        let (now, later) = (open(&now), open(&later));
        let banned = account("x:1", "zorvani_dispatch", "write to t.me/zorvanidsp", "");
        let chunks = [
            vec![
                account("x:9", "velmintra", "see t.me/velmintra", ""),
                account("x:3", "zorvani_dispatch2", "now t.me/zorvanidsp", ""),
                account("x:9", "", "moved to t.me/velmintra2", "Kabul"),
                account("x:5", "", "", "Herat"),
            ],
            vec![
                account("x:5", "tarkonis", "t.me/velmintra", ""),
                account("x:9", "velmintra9", "", ""),
            ],
        ];
        for engine in [&now, &later] {
            engine.enroll(vec![banned.clone()]).unwrap();
        }
        for chunk in &chunks {
            let mut glimpses = Vec::new();
            for account in chunk {
                let (report, glimpse) = later.glimpse(account).unwrap();
                assert_eq!(report, now.report(account).unwrap());
                glimpses.push(glimpse);
            }
            now.remember(chunk, Timestamp::UNIX_EPOCH).unwrap();
            later.keep(glimpses, Timestamp::UNIX_EPOCH).unwrap();
        }
        for account in chunks.iter().flatten() {
            let seen = |engine: &Engine| engine.store().seen(account.id()).unwrap();
            assert_eq!(seen(&now), seen(&later));
        }
        for engine in [&now, &later] {
            engine.keep_learnt().unwrap();
        }
        let taught = |engine: &Engine| engine.store().stream().unwrap();
        assert_eq!(taught(&now), taught(&later));
    }
}

//! The engine's front: everything a caller can ask, on a handle that can be cloned and shared.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::account::{Account, AccountId, Token, TokenValue};
use crate::background::{Background, Learnt};
use crate::engine::bulk::Bulk;
use crate::engine::candidates::pictures_ahead;
use crate::engine::committer::Committer;
use crate::engine::generation::Generation;
use crate::engine::keeping::{load, stamp};
use crate::engine::learning::Learning;
use crate::engine::recent::Recent;
use crate::engine::report::{HitReport, Report, Reporter};
use crate::engine::request::{Receipt, Request};
use crate::engine::screen::{Judge, Probe, Screened, compare, screen};
use crate::engine::stripes::Stripes;
use crate::error::{Error, Rejection, Result};
use crate::fingerprint::{Fingerprint, NORMALIZER_VERSION, keyed_tokens};
use crate::score::Model;
use crate::store::{Access, Store, Verification};
use crate::verdict::{Policy, Verdict};
use crate::watchlist::Entry;

/// How an engine is opened and how it judges.
#[derive(Debug, Clone)]
pub struct Options {
    /// Reading or writing.
    pub access: Access,
    /// False `match` verdicts in 10,000 ordinary signups that are put up with; `review` costs ten times that.
    pub false_flags_per_10k: f32,
    /// Most hits told.
    pub hits_max: usize,
    /// Whether hits below the review threshold are told too.
    pub all_candidates: bool,
    /// Weights of evidence.
    pub model: Model,
    /// Told what takes long while opening, and what was damaged and mended.
    pub notice: fn(&str),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            access: Access::Write,
            false_flags_per_10k: 1.0,
            hits_max: 5,
            all_candidates: false,
            model: Model::default(),
            notice: |_| (),
        }
    }
}

/// What an enrolment did.
#[derive(Debug, Clone, Default)]
pub struct Enrolled {
    /// Counts and the number of the last change.
    pub receipt: Receipt,
    /// Accounts turned down: their place in what was passed, and why.
    pub rejected: Rejected,
}

/// Accounts turned down: their place in what was passed, and why.
pub(crate) type Rejected = Vec<(usize, Rejection)>;

/// Sizes of an engine, for operators.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Live entries.
    pub entries: u32,
    /// Segments they are held in.
    pub segments: usize,
    /// Number of the last change.
    pub lsn: u64,
    /// Entries by network, most first; entries without one under an empty name.
    pub networks: Vec<(String, usize)>,
    /// Bytes of the database's files.
    pub disk_bytes: u64,
    /// Bytes of each index over all segments, by name.
    pub index_bytes: Vec<(&'static str, usize)>,
    /// Values that more than 64 entries of one segment carry, by index: look-ups of them are cut and counted as `cuts`.
    pub hot_values: Vec<(&'static str, usize)>,
    /// Digest of the model, the background and the normaliser.
    pub model: String,
    /// Ordinary accounts the background has counted, by their handles.
    pub background_accounts: u32,
    /// Clear accounts whose values weigh in, adopted from the screened stream; old ones faded.
    pub learnt_accounts: u32,
    /// Judgments of pairs.
    pub judgments: usize,
    /// Protected accounts.
    pub protected: usize,
}

/// An open watchlist. Clones share it; all calls may run at the same time.
///
/// ```
/// use mirrorwatch::{Access, AccountDraft, Engine, Options, Verdict};
///
/// let folder = tempfile::tempdir()?;
/// let engine = Engine::open(folder.path(), Options { access: Access::Create, ..Options::default() })?;
/// let banned = AccountDraft { id: "x:17".into(), handle: "zorvani_dispatch".into(), bio: "write to t.me/zorvanidsp".into(), ..AccountDraft::default() };
/// engine.enroll(vec![banned.check()?])?;
///
/// let signup = AccountDraft { id: "x:991".into(), handle: "Zorv4ni_Dispatch2".into(), bio: "now at t.me/zorvanidsp".into(), ..AccountDraft::default() };
/// let screened = engine.screen(&signup.check()?);
/// assert_ne!(screened.verdict, Verdict::Clear);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Engine {
    store: Arc<Store>,
    generation: Arc<ArcSwap<Generation>>,
    committer: Option<Arc<Committer>>,
    background: Arc<Background>,
    judge: Arc<Judge>,
    /// Of model, background and normaliser; told with every report.
    digest: Arc<str>,
    pub(in crate::engine) learning: Option<Arc<Learning>>,
    /// Number of the last decision.
    pub(in crate::engine) decided: Arc<AtomicU64>,
    /// One decision at a time for one account.
    pub(in crate::engine) stripes: Arc<Stripes>,
    /// Recent signups, where they are kept at hand.
    pub(in crate::engine) recent: Option<Arc<Recent>>,
}

impl Engine {
    /// Opens the database in `path`, indexes its entries, and withdraws those whose ban has ended.
    ///
    /// # Errors
    /// Absent, locked by another process, of another format, or damaged.
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        let store = Store::open(path, options.access)?;
        let background = match store.background()? {
            Some(stored) => Arc::new(Background::from_bytes(&stored)?),
            None => Background::starter(),
        };
        let mut generation = load(&store, &background, options.access, &options.notice)?;
        if options.access == Access::Read {
            generation = generation.without_ended(Timestamp::now());
        }
        let policy = Policy::of(options.false_flags_per_10k);
        let learnt = Learnt::from_bytes(&store.learnt()?)?;
        let judge = Judge {
            model: options.model,
            policy,
            hits_max: options.hits_max,
            all_candidates: options.all_candidates,
            learnt: Arc::new(learnt),
        };
        let learning = match options.access {
            Access::Read => None,
            _ => Some(Arc::new(Learning::of(&store.stream()?))),
        };
        let digest = digest(&judge, &background);
        // Numbers go on from here also where the clock was set back.
        let decided = Arc::new(AtomicU64::new(store.last_decision()?));
        let store = Arc::new(store);
        let generation = Arc::new(ArcSwap::from_pointee(generation));
        let writes = options.access != Access::Read;
        let committer = writes.then(|| {
            Arc::new(Committer::start(
                Arc::clone(&store),
                stamp(&background),
                Arc::clone(&generation),
            ))
        });
        let engine = Self {
            store,
            generation,
            committer,
            background,
            judge: Arc::new(judge),
            digest,
            learning,
            decided,
            stripes: Arc::default(),
            recent: None,
        };
        if writes {
            let now = Timestamp::now();
            engine.retire(now)?;
            engine.forget_seen(now)?;
        }
        Ok(engine)
    }

    /// Adds entries, or replaces those of the same id. When it returns they are on the disk and every later screen sees
    /// them. An account that brings only its id is filled from what was seen of it.
    ///
    /// # Errors
    /// The database cannot write. Accounts that are turned down are listed in the answer; the others are enrolled.
    pub fn enroll(&self, accounts: Vec<Account>) -> Result<Enrolled> {
        let (ready, rejected) = self.admitted(accounts)?;
        let pairs = ready.into_par_iter().map(|account| {
            let account = self.without_opaque_tokens(&account);
            let entry = self.entry_of(&account);
            (account, entry)
        });
        let receipt = self.commit(Request::Enroll(pairs.collect()))?;
        Ok(Enrolled { receipt, rejected })
    }

    /// Begins to enroll many accounts, which become matchable together.
    pub fn bulk(&self) -> Bulk<'_> {
        Bulk::new(self)
    }

    /// Judges one account. Microseconds to milliseconds, no disk.
    pub fn screen(&self, probe: &Account) -> Screened {
        let fingerprint = self.fingerprint_ahead(probe);
        let probe = Probe::of(probe, &fingerprint);
        screen(&self.generation.load_full(), &probe, &self.judge)
    }

    /// [`Engine::fingerprint`], while what the picture is looked up by comes from memory; should another view be published
    /// meanwhile, what was asked for is only not there yet.
    pub(in crate::engine) fn fingerprint_ahead(&self, account: &Account) -> Fingerprint<'static> {
        pictures_ahead(&self.generation.load(), account);
        self.fingerprint(account)
    }

    /// Judges one account and says why, in words; a clear one teaches what is ordinary. One disk read for each hit.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn report(&self, probe: &Account) -> Result<Report> {
        let probe = self.without_opaque_tokens(probe);
        let fingerprint = self.fingerprint_ahead(&probe);
        let screened = self.judged(&probe, &fingerprint);
        // Who was seen before has taught before.
        if self.learning.is_some() && !self.store.has_seen(probe.id())? {
            self.learn(&probe, &fingerprint, screened.verdict);
        }
        self.reporter().report(&probe, &screened)
    }

    /// Judges an account whose tokens are keyed.
    pub(in crate::engine) fn judged(
        &self,
        probe: &Account,
        fingerprint: &Fingerprint<'_>,
    ) -> Screened {
        let probe = Probe::of(probe, fingerprint);
        screen(&self.generation.load_full(), &probe, &self.judge)
    }

    /// Learns what is ordinary from an account seen for the first time; flagged ones teach nothing.
    pub(in crate::engine) fn learn(
        &self,
        probe: &Account,
        fingerprint: &Fingerprint<'_>,
        verdict: Verdict,
    ) {
        if let (Some(learning), Verdict::Clear) = (&self.learning, verdict) {
            learning.observe(probe, &fingerprint.values());
        }
    }

    /// Compares `probe` with one entry, whatever blocking would have said.
    ///
    /// # Errors
    /// No such entry, or the database cannot be read.
    pub fn explain(&self, probe: &Account, entry: &AccountId) -> Result<HitReport> {
        let probe = self.without_opaque_tokens(probe);
        let generation = self.generation.load_full();
        let entry = generation.find(entry).ok_or_else(|| Error::UnknownEntry {
            id: entry.to_string(),
        })?;
        let fingerprint = self.fingerprint(&probe);
        let judge = Judge {
            hits_max: usize::MAX,
            all_candidates: true,
            ..Judge::clone(&self.judge)
        };
        let of_probe = Probe::of(&probe, &fingerprint);
        let found = screen(&generation, &of_probe, &judge);
        let cancelled = found.cancelled.into_iter().map(|(hit, _)| hit);
        let mut found = found.hits.into_iter().chain(cancelled);
        let hit = found.find(|hit| hit.entry.id == entry.id);
        let hit = hit.or_else(|| compare(&generation, &of_probe, &entry, &judge));
        let unknown = || Error::UnknownEntry {
            id: entry.id.to_string(),
        };
        let hit = hit.ok_or_else(unknown)?;
        let exemption = generation.exemptions().of(probe.id());
        let cancelled = exemption.and_then(|exemption| exemption.cancels(entry.id.as_str()));
        let told = self.reporter().explained(&probe, &hit, cancelled)?;
        told.ok_or_else(unknown)
    }

    /// The fingerprint of an account under this engine's background and secret.
    pub fn fingerprint(&self, account: &Account) -> Fingerprint<'static> {
        Fingerprint::of(account, &self.background, self.store.secret())
    }

    /// The view of the watchlist that a screen would use now.
    pub fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// How this engine judges.
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// The rarity background in use.
    pub fn background(&self) -> &Background {
        &self.background
    }

    /// Every entry as stored, by id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entries(&self) -> Result<impl Iterator<Item = Result<Account>> + '_> {
        self.store.entries()
    }

    /// The stored account of an entry.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entry(&self, id: &AccountId) -> Result<Option<Account>> {
        self.store.entry(id)
    }

    /// Writes a consistent copy of the database to `target`, which must not exist.
    ///
    /// # Errors
    /// The target exists or cannot be written.
    pub fn backup(&self, target: &Path) -> Result<()> {
        self.store.backup(target)
    }

    /// Reads everything in the database at `path` and says what is damaged. Indexes nothing.
    ///
    /// # Errors
    /// The database cannot be opened at all.
    pub fn verify(path: &Path) -> Result<Verification> {
        Store::open(path, Access::Read)?.verify()
    }

    /// Sizes, for operators. O(networks), and reads the indexes of segments that were not asked before.
    ///
    /// # Errors
    /// The database's folder cannot be read.
    pub fn stats(&self) -> Result<Stats> {
        let generation = self.generation.load();
        let networks = generation.networks().into_iter();
        let mut networks: Vec<(String, usize)> =
            networks.map(|(name, len)| (name, len as usize)).collect();
        networks.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(Stats {
            entries: generation.entries(),
            segments: generation.segments(),
            lsn: generation.lsn(),
            networks,
            disk_bytes: self.store.disk_bytes()?,
            index_bytes: generation.bytes(),
            hot_values: generation.hot(),
            model: self.model(),
            background_accounts: self.background.accounts(crate::hash::feature::Space::Whole),
            learnt_accounts: self.judge.learnt.accounts(),
            judgments: self.store.judgments()?.count(),
            protected: self.store.protections()?.count(),
        })
    }

    /// Identifies what decides a report: model, background and normaliser, in eight hex digits.
    pub fn model(&self) -> String {
        self.digest.to_string()
    }

    /// The accounts that may be enrolled, bare ones filled from what was seen of them, and those turned down.
    pub(crate) fn admitted(&self, accounts: Vec<Account>) -> Result<(Vec<Account>, Rejected)> {
        let (mut ready, mut rejected) = (Vec::with_capacity(accounts.len()), Vec::new());
        let now = Timestamp::now();
        for (place, account) in accounts.into_iter().enumerate() {
            let ended = account.ban.as_ref().and_then(|ban| ban.expires_at);
            if ended.is_some_and(|end| end <= now) {
                let reason = "the ban has ended already";
                let rejection = Rejection::new("invalid_value", "ban.expires_at", reason);
                rejected.push((place, rejection));
                continue;
            }
            match self.filled(account)? {
                Ok(account) => ready.push(account),
                Err(rejection) => rejected.push((place, rejection)),
            }
        }
        Ok((ready, rejected))
    }

    /// The entry of an account whose tokens are keyed.
    pub(crate) fn entry_of(&self, account: &Account) -> Entry {
        Entry::of(account, &self.background, self.store.secret())
    }

    pub(crate) fn send(
        &self,
        request: Request,
    ) -> Result<std::sync::mpsc::Receiver<Result<Receipt>>> {
        let committer = self.committer.as_ref().ok_or(Error::WriterStopped)?;
        committer.send(request)
    }

    /// What the caller of a bulk load noted last, if it was not finished.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn load_mark(&self) -> Result<Option<Vec<u8>>> {
        self.store.load_mark()
    }

    /// The database.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(in crate::engine) fn reporter(&self) -> Reporter<'_> {
        Reporter::new(&self.store, &self.background, &self.judge, self.model())
    }

    pub(crate) fn commit(&self, request: Request) -> Result<Receipt> {
        self.committer
            .as_ref()
            .ok_or(Error::WriterStopped)?
            .commit(request)
    }

    /// The account with its tokens in the only form that is kept.
    pub(crate) fn without_opaque_tokens(&self, account: &Account) -> Account {
        let keyed = keyed_tokens(account, self.store.secret()).into_iter();
        account.with_tokens(
            keyed
                .map(|key| Token {
                    name: key.name,
                    value: TokenValue::Keyed(key.digest),
                })
                .collect(),
        )
    }
}

/// Identifies what decides a report, in eight hex digits. Writes the model down once.
fn digest(judge: &Judge, background: &Background) -> Arc<str> {
    let parts = [
        judge.model.digest(),
        background.checksum(),
        judge.learnt.checksum(),
        NORMALIZER_VERSION,
    ];
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
    format!("{:08x}", crc32fast::hash(&bytes)).into()
}

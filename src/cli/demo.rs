//! `demo`: the main job end to end on the samples, in words.

use std::path::{Path, PathBuf};

use crate::cli::run::{Console, DONE};
use crate::cli::table::{cell, table};
use crate::cli::{explain, lookup};
use crate::engine::{Engine, Hit, Options, Screened};
use crate::error::Error;
use crate::format::{Input, Labelled, Parser};
use crate::signal::relation::{Level, Signal};
use crate::store::Access;
use crate::verdict::Verdict;

/// Mirrors and near misses shown in full.
const EXPLAINED: usize = 3;

/// Runs on the samples in `data`, or in the `data/` folder near the working directory or the program.
pub(crate) fn run(data: Option<PathBuf>, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let data = samples(data)?;
    let db = TemporaryFolder::new()?;
    let engine = Engine::open(
        &db.0,
        Options {
            access: Access::Create,
            ..Options::default()
        },
    )?;
    let entries = read(&data.join("watchlist.ndjson"))?;
    let signups = read(&data.join("signups.ndjson"))?;
    let enrolled = engine.enroll(
        entries
            .into_iter()
            .map(|labelled| labelled.account)
            .collect(),
    )?;
    let stats = engine.stats()?;
    console.print(&format!(
        "Enrolled {} banned accounts of {} networks (lsn {}).\nScreened {} signups at one false match in 10,000.\n\n",
        enrolled.receipt.added,
        stats.networks.iter().filter(|(name, _)| !name.is_empty()).count(),
        enrolled.receipt.lsn,
        signups.len()
    ))?;
    let judged: Vec<(Labelled, Screened)> = signups
        .into_iter()
        .map(|signup| (signup.clone(), engine.screen(&signup.account)))
        .collect();
    mirrors(&engine, &judged, console)?;
    near_misses(&judged, console)?;
    explained(&engine, &judged, console)?;
    asked(&engine, &judged, console)?;
    withdrawn(&engine, &judged, console)?;
    Ok(DONE)
}

fn mirrors(
    engine: &Engine,
    judged: &[(Labelled, Screened)],
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let mut shown = table(&[
        "verdict",
        "score",
        "signup",
        "tactic",
        "mirror of",
        "strongest evidence",
    ]);
    let (mut flagged, mut right, mut all) = (0, 0, 0);
    let mut tactics = std::collections::BTreeSet::new();
    for (signup, screened) in judged
        .iter()
        .filter(|(signup, _)| signup.mirror_of.is_some())
    {
        all += 1;
        let report = engine.report(&signup.account)?;
        let Some(hit) = report.hits.first() else {
            continue;
        };
        flagged += 1;
        right += usize::from(signup.mirror_of.as_deref() == Some(hit.entry.as_str()));
        if !tactics.insert(signup.tactic.as_deref().unwrap_or_default()) {
            continue;
        }
        let mut rows: Vec<_> = hit.evidence.iter().filter(|row| row.bits > 0.0).collect();
        rows.sort_by(|a, b| b.bits.total_cmp(&a.bits));
        let why: Vec<String> = rows
            .iter()
            .take(2)
            .map(|row| format!("{} {:+.1}: {}", row.signal.as_str(), row.bits, row.why))
            .collect();
        shown.add_row([
            screened.verdict.as_str().to_owned(),
            format!("{:.1}", screened.score),
            cell(name_of(signup)),
            cell(signup.tactic.as_deref().unwrap_or_default()),
            cell(if hit.handle.is_empty() {
                &hit.display_name
            } else {
                &hit.handle
            }),
            cell(&why.join("\n")),
        ]);
    }
    console.print(&format!(
        "Mirrors found: {flagged} of {all}, the right entry first in {right}. One of each tactic:\n{shown}\n\n"
    ))
}

fn near_misses(judged: &[(Labelled, Screened)], console: &mut Console<'_>) -> anyhow::Result<()> {
    let misses: Vec<_> = judged
        .iter()
        .filter(|(signup, _)| signup.mirror_of.is_none())
        .collect();
    let clear = misses
        .iter()
        .filter(|(_, screened)| screened.verdict == Verdict::Clear)
        .count();
    let mut kinds = std::collections::BTreeMap::<&str, (usize, usize)>::new();
    for (signup, screened) in &misses {
        let (all, clear) = kinds
            .entry(signup.tactic.as_deref().unwrap_or("ordinary"))
            .or_default();
        *all += 1;
        *clear += usize::from(screened.verdict == Verdict::Clear);
    }
    let mut shown = table(&["near misses", "signups", "left clear"]);
    for (kind, (all, clear)) in kinds {
        shown.add_row([cell(kind), all.to_string(), clear.to_string()]);
    }
    console.print(&format!(
        "Near misses left clear: {clear} of {}.\n{shown}\n\n",
        misses.len()
    ))?;
    for (signup, screened) in misses
        .iter()
        .filter(|(_, screened)| screened.verdict != Verdict::Clear)
    {
        console.print(&format!(
            "  {}: {}\n",
            screened.verdict.as_str(),
            cell(name_of(signup))
        ))?;
    }
    Ok(())
}

fn explained(
    engine: &Engine,
    judged: &[(Labelled, Screened)],
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let mut best: Vec<_> = judged
        .iter()
        .filter(|(_, screened)| screened.hits.len() > 1)
        .collect();
    best.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
    console.print("Why, for some of them\n")?;
    for (signup, screened) in best.iter().step_by(best.len().div_ceil(EXPLAINED).max(1)) {
        let Some(hit) = screened.hits.first() else {
            continue;
        };
        let hit = engine.explain(&signup.account, &hit.entry.id)?;
        console.print(&(explain::readable(engine, &signup.account, &hit) + "\n"))?;
    }
    Ok(())
}

fn asked(
    engine: &Engine,
    judged: &[(Labelled, Screened)],
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let same_handle =
        |hit: &Hit| hit.evidence.comparison(Signal::Handle).relation.level() > Level::Different;
    let flagged = judged
        .iter()
        .find(|(_, screened)| screened.hits.first().is_some_and(same_handle));
    let Some((signup, _)) = flagged else {
        return Ok(());
    };
    console.print(&format!("An analyst looks up @{}\n", signup.account.handle))?;
    lookup::run(engine, &signup.account.handle, 8, false, console)?;
    console.print("\n")
}

fn withdrawn(
    engine: &Engine,
    judged: &[(Labelled, Screened)],
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    let flagged = judged.iter().find(|(_, screened)| screened.hits.len() == 1);
    let Some((signup, before)) = flagged else {
        return Ok(());
    };
    let ids: Vec<_> = before.hits.iter().map(|hit| hit.entry.id.clone()).collect();
    let receipt = engine.withdraw(ids.clone())?;
    let after = engine.screen(&signup.account);
    console.print(&format!(
        "After an appeal, {} is withdrawn (lsn {}): {} was {}, and is {} at the next screen.\n",
        ids.first().map(ToString::to_string).unwrap_or_default(),
        receipt.lsn,
        cell(name_of(signup)),
        before.verdict.as_str(),
        after.verdict.as_str()
    ))
}

fn name_of(signup: &Labelled) -> &str {
    if signup.account.handle.is_empty() {
        &signup.account.display_name
    } else {
        &signup.account.handle
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let input = Input::new(path, None)?;
    let parser = Parser::new(input.folder());
    let lines = input.lines(|_| ())?;
    Ok(lines
        .map(|line| line.body.and_then(|body| parser.parse(body)))
        .collect::<Result<_, _>>()?)
}

/// The folder of the samples: the one given, or `data/` here, beside the program or in the source tree.
fn samples(data: Option<PathBuf>) -> Result<PathBuf, Error> {
    let source_tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let candidates = data.map_or_else(
        || vec![PathBuf::from("data"), source_tree],
        |data| vec![data],
    );
    let found = candidates
        .iter()
        .find(|folder| folder.join("watchlist.ndjson").exists());
    found.cloned().ok_or_else(|| Error::Malformed {
        what: "data".into(),
        reason: "no samples found: run in the source tree or give --data".into(),
    })
}

/// A folder that is gone when the demo is over.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> Result<Self, Error> {
        let path = std::env::temp_dir().join(format!("mirrorwatch-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|source| Error::io(&path, source))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

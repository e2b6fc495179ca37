//! `explain`: every signal of one pair, and what is missing to the thresholds.

use std::path::Path;

use crate::account::{Account, AccountId};
use crate::cli::records::complain;
use crate::cli::run::{Console, status};
use crate::cli::table::{cell, table};
use crate::engine::{Engine, HitReport};
use crate::error::Error;
use crate::format::{Input, Parser};
use crate::verdict::Verdict;
use crate::wire::HitRecord;

/// Explains the pair of `probe` (an id or a file) and the entry of id `entry`.
pub(crate) fn run(
    engine: &Engine,
    probe: &str,
    entry: &str,
    json: bool,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let entry = AccountId::new(entry)?;
    let (probes, rejected) = probes(engine, probe, console)?;
    for probe in probes {
        let hit = engine.explain(&probe, &entry)?;
        if json {
            console.print(&(serde_json::to_string(&HitRecord::of(hit))? + "\n"))?;
        } else {
            console.print(&readable(engine, &probe, &hit))?;
        }
    }
    Ok(status(rejected))
}

fn probes(
    engine: &Engine,
    probe: &str,
    console: &mut Console<'_>,
) -> anyhow::Result<(Vec<Account>, u64)> {
    let path = Path::new(probe);
    if probe != "-" && !path.exists() {
        let id = AccountId::new(probe)?;
        let unknown = || Error::Malformed {
            what: probe.to_owned(),
            reason: "neither a file nor the id of an account that was screened or enrolled here"
                .into(),
        };
        return Ok((vec![engine.known(&id)?.ok_or_else(unknown)?], 0));
    }
    let input = Input::new(path, None)?;
    let parser = Parser::new(input.folder());
    let (mut accounts, mut rejected) = (Vec::new(), 0);
    for line in input.lines(|_| ())? {
        match line.body.and_then(|body| parser.parse(body)) {
            Ok(labelled) => accounts.push(labelled.account),
            Err(rejection) => {
                rejected += 1;
                complain(console, path, line.number, &rejection);
            }
        }
    }
    Ok((accounts, rejected))
}

/// The pair as a table and a closing sentence.
pub(crate) fn readable(engine: &Engine, probe: &Account, hit: &HitReport) -> String {
    let mut shown = table(&["signal", "level", "bits", "probe", "entry", "why"]);
    for row in &hit.evidence {
        let value = |value: &Option<String>| cell(value.as_deref().unwrap_or_default());
        shown.add_row([
            row.signal.as_str().to_owned(),
            row.level.as_str().to_owned(),
            format!("{:+.1}", row.bits),
            value(&row.probe),
            value(&row.entry),
            cell(&row.why),
        ]);
    }
    for said in hit.cancelled.iter().chain(&hit.judged) {
        let effect = match &hit.cancelled {
            Some(cancelled) if cancelled == said => "cancels the flag",
            _ => "no effect on the score",
        };
        let empty = String::new;
        let signal = "judgment".to_owned();
        shown.add_row([
            signal,
            empty(),
            empty(),
            empty(),
            empty(),
            format!("{}; {effect}", cell(said)),
        ]);
    }
    let verdict = sentence(engine, hit.score_bits);
    let verdict = match &hit.cancelled {
        Some(cancelled) => format!("would be {verdict}; does not count: {}", cell(cancelled)),
        None => verdict,
    };
    format!(
        "{} against {}\n{shown}\nprior {:+.1} bits, evidence {:+.1}, score {:+.1}: {}\n",
        cell(probe.id().as_str()),
        cell(&hit.entry),
        hit.prior_bits,
        hit.score_bits - hit.prior_bits,
        hit.score_bits,
        verdict
    )
}

/// The verdict on a score, and how far it is from the next threshold.
fn sentence(engine: &Engine, score: f32) -> String {
    let thresholds = engine.judge().thresholds(engine.generation().entries());
    let (review, matching) = (thresholds.review, thresholds.matching);
    match thresholds.decide(score) {
        Verdict::Match => format!(
            "match, {:.1} bits above the threshold of {matching:.1}",
            score - matching
        ),
        Verdict::Review => format!(
            "review (from {review:.1}), {:.1} bits short of a match",
            matching - score
        ),
        Verdict::Clear => format!(
            "clear, {:.1} bits short of review (from {review:.1})",
            review - score
        ),
    }
}

//! `judge` and `protect`: what people say, so that it is not asked again; `export --judgments` hands it on.

use std::path::Path;

use jiff::Timestamp;

use crate::account::AccountId;
use crate::cli::args::{Command, Remarks};
use crate::cli::progress::notice;
use crate::cli::records::{complain, complain_if_empty};
use crate::cli::run::{Console, DONE, FAILED, SOME_REJECTED, status};
use crate::engine::{Engine, Options, Settled};
use crate::error::Rejection;
use crate::format::{Defaults, Format, Input, ruling};
use crate::judgment::{Answer, Judgment, Protection, Remark, Ruling};
use crate::wire::JudgmentRecord;

/// Judgments of a file that are written together.
const CHUNK_LEN: usize = 8_192;

/// Runs `judge` or `protect`.
pub(crate) fn run(db: &Path, command: Command, console: &mut Console<'_>) -> anyhow::Result<u8> {
    match command {
        Command::Judge {
            from: Some(from),
            remark,
            ..
        } => judge_all(db, &from, remark, console),
        Command::Judge {
            probe: Some(probe),
            entry: Some(entry),
            answer: Some(answer),
            remark,
            ..
        } => judge(db, [&probe, &entry], answer, remark, console),
        Command::Protect {
            ids,
            remove: false,
            remark,
        } => protect(db, &ids, remark, console),
        Command::Protect { ids, .. } => unprotect(db, &ids, console),
        // What is missing was told when the line was parsed.
        _ => Ok(FAILED),
    }
}

/// Judges one pair.
fn judge(
    db: &Path,
    [probe, entry]: [&str; 2],
    answer: Answer,
    remark: Remarks,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let remark = remark_of(defaults(remark))?;
    let (probe, entry) = (AccountId::new(probe)?, AccountId::new(entry)?);
    let judgment = Judgment::new(probe, entry, answer, remark)?;
    let settled = opened(db)?.settle(judgment, None)?;
    console.print(&format!(
        "judged 1{}; lsn {}\n",
        in_words(&settled),
        settled.receipt.lsn
    ))?;
    Ok(DONE)
}

/// What followed from a judgment, where anything did.
fn in_words(settled: &Settled) -> String {
    let ids = |ids: &[AccountId]| {
        let ids: Vec<&str> = ids.iter().map(AccountId::as_str).collect();
        ids.join(", ")
    };
    match (&settled.joined, settled.left.as_slice(), settled.kept_out) {
        (Some(joined), ..) => format!("; {joined} is an entry now, of the same lineage"),
        (None, [], None) => String::new(),
        (None, [], Some(reason)) => format!("; not enrolled: {reason}"),
        (None, left, _) => format!("; withdrew what an earlier judgment brought: {}", ids(left)),
    }
}

/// Takes the judgments of a file, chunk by chunk.
fn judge_all(
    db: &Path,
    from: &Path,
    remark: Remarks,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let input = Input::new(from, Some(Format::Ndjson))?;
    let mut lines = input.lines(|_| ())?;
    let engine = opened(db)?;
    let defaults = defaults(remark);
    let (mut read, mut written, mut rejected) = (0, 0, 0);
    loop {
        let (mut judgments, mut numbers, mut protections) = (Vec::new(), Vec::new(), Vec::new());
        let before = read;
        for line in lines.by_ref().take(CHUNK_LEN) {
            read += 1;
            match line.body.and_then(|body| ruling(body, &defaults)) {
                Ok(Ruling::Judge(judgment)) => {
                    judgments.push(judgment);
                    numbers.push(line.number);
                }
                Ok(Ruling::Protect(protection)) => protections.push(protection),
                // No line says either.
                Ok(Ruling::Unprotect(_) | Ruling::Erase(..)) => {}
                Err(rejection) => {
                    rejected += 1;
                    complain(console, from, line.number, &rejection);
                }
            }
        }
        if read == before {
            break;
        }
        let judged = engine.judge_pairs(judgments)?;
        for (place, rejection) in judged.rejected {
            rejected += 1;
            let number = numbers.get(place).copied().unwrap_or(0);
            complain(console, from, number, &rejection);
        }
        written += judged.receipt.ruled + engine.protect(protections)?.ruled;
    }
    rejected += complain_if_empty(console, &input, read);
    let lsn = engine.generation().lsn();
    console.print(&format!(
        "judged {written}, {rejected} rejected; lsn {lsn}\n"
    ))?;
    Ok(status(rejected))
}

fn protect(
    db: &Path,
    ids: &[String],
    remark: Remarks,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let remark = remark_of(defaults(remark))?;
    let protection = |account| Protection {
        account,
        remark: remark.clone(),
    };
    let protections = accounts(ids)?.into_iter().map(protection).collect();
    let receipt = opened(db)?.protect(protections)?;
    let (ruled, lsn) = (receipt.ruled, receipt.lsn);
    console.print(&format!("protected {ruled}; lsn {lsn}\n"))?;
    Ok(DONE)
}

fn unprotect(db: &Path, ids: &[String], console: &mut Console<'_>) -> anyhow::Result<u8> {
    let receipt = opened(db)?.unprotect(accounts(ids)?)?;
    for id in &receipt.unknown {
        console.complain(&format!("account `{id}` is not protected"));
    }
    let (ruled, unknown, lsn) = (receipt.ruled, receipt.unknown.len(), receipt.lsn);
    console.print(&format!(
        "unprotected {ruled}, {unknown} unknown; lsn {lsn}\n"
    ))?;
    Ok(match (ruled, unknown) {
        (_, 0) => DONE,
        (0, _) => FAILED,
        _ => SOME_REJECTED,
    })
}

/// Writes every judgment and protected account as a line that `judge --from` reads.
pub(crate) fn export(engine: &Engine, console: &mut Console<'_>) -> anyhow::Result<u8> {
    for judgment in engine.judgments()? {
        let record = JudgmentRecord::of(&judgment?);
        console.print(&(serde_json::to_string(&record)? + "\n"))?;
    }
    for protection in engine.protections()? {
        let record = JudgmentRecord::of_protection(&protection?);
        console.print(&(serde_json::to_string(&record)? + "\n"))?;
    }
    Ok(DONE)
}

fn opened(db: &Path) -> anyhow::Result<Engine> {
    let options = Options {
        notice,
        ..Options::default()
    };
    Ok(Engine::open(db, options)?)
}

fn accounts(ids: &[String]) -> Result<Vec<AccountId>, Rejection> {
    ids.iter().map(|id| AccountId::new(id)).collect()
}

fn defaults(remark: Remarks) -> Defaults {
    let user = || std::env::var("USER").ok().filter(|user| !user.is_empty());
    Defaults {
        who: remark.who.or_else(user).unwrap_or_else(|| "cli".into()),
        note: remark.note,
        at: Timestamp::now(),
    }
}

fn remark_of(said: Defaults) -> Result<Remark, Rejection> {
    Remark::new(&said.who, &said.note, said.at)
}

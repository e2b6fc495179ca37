//! `serve`, `keys`, `config`, `erase`: what an operator of the service types.

use std::path::Path;

use crate::account::AccountId;
use crate::cli::args::{ConfigCommand, KeysCommand, Serve};
use crate::cli::progress::notice;
use crate::cli::run::{Console, DONE, FAILED, SOME_REJECTED};
use crate::cli::table::table;
use crate::engine::{Engine, Options};
use crate::serve::{Keys, Settings, forget_undelivered};
use crate::store::{Access, make_private};

/// Serves until the process is told to stop.
pub(crate) fn serve(db: &Path, how: Serve, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let mut settings = Settings::load(how.config.as_deref())?;
    settings.listen = how.listen.unwrap_or(settings.listen);
    settings.tls_cert = how.tls_cert.or(settings.tls_cert);
    settings.tls_key = how.tls_key.or(settings.tls_key);
    let options = Options {
        hits_max: how.hits,
        ..how.judging.options(Access::Create)?
    };
    crate::serve::log();
    let mut told = |line: &str| console.complain(line);
    crate::serve::serve(db.to_owned(), settings, options, &mut told)?;
    Ok(DONE)
}

/// Makes, lists and ends keys.
pub(crate) fn keys(db: &Path, what: KeysCommand, console: &mut Console<'_>) -> anyhow::Result<u8> {
    match what {
        KeysCommand::Add { name, role } => {
            make_private(db)?;
            let secret = Keys::open(db)?.add(&name, role)?;
            console.complain("mirrorwatch: keep this key; it is shown this once");
            console.print(&format!("{secret}\n"))?;
        }
        KeysCommand::List => {
            let mut shown = table(&["id", "name", "role", "created"]);
            for key in Keys::open(db)?.all().iter() {
                shown.add_row([&key.id, &key.name, key.role.as_str(), &key.created_at]);
            }
            console.print(&format!("{shown}\n"))?;
        }
        KeysCommand::Revoke { name } => {
            if !Keys::open(db)?.revoke(&name)? {
                console.complain(&format!("mirrorwatch: no key has the name or id `{name}`"));
                return Ok(FAILED);
            }
            console.print("revoked\n")?;
        }
    }
    Ok(DONE)
}

/// Reads settings and says what is wrong with them.
pub(crate) fn config(what: ConfigCommand, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let ConfigCommand::Check { file } = what;
    let settings = Settings::load(file.as_deref())?;
    console.print(&format!(
        "the settings work; listens on {}\n",
        settings.listen
    ))?;
    Ok(DONE)
}

/// Erases accounts, with what people said of them unless that is to be kept.
pub(crate) fn erase(
    db: &Path,
    ids: &[String],
    keep_judgments: bool,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let options = Options {
        notice,
        ..Options::default()
    };
    let engine = Engine::open(db, options)?;
    let mut unknown = 0;
    for id in ids {
        let account = AccountId::new(id)?;
        let erased = match keep_judgments {
            true => engine.erase_but_judgments(&account)?,
            false => engine.erase(&account)?,
        };
        forget_undelivered(db, id)?;
        let entry = if erased.entry { "an entry, " } else { "" };
        let seen = if erased.seen { "what was seen, " } else { "" };
        let protection = match erased.protection {
            true => "its protection, ",
            false => "",
        };
        let (decisions, judgments) = (erased.decisions, erased.judgments);
        let is_known = erased.entry || erased.seen || erased.protection;
        if !is_known && decisions + judgments == 0 {
            unknown += 1;
        }
        console.print(&format!(
            "{id}: {entry}{seen}{protection}{judgments} judgments, {decisions} decisions erased\n"
        ))?;
    }
    Ok(if unknown > 0 { SOME_REJECTED } else { DONE })
}

//! From arguments to an exit status.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

use clap::Parser;

use crate::cli::args::{Arguments, Command};
use crate::cli::progress::notice;
use crate::cli::{
    background, calibrate, copies, demo, enroll, evaluate, explain, judge, lookup, rescan, screen,
    serve,
};
use crate::engine::{Engine, Options};
use crate::error::Result;
use crate::store::Access;

/// Done.
pub(crate) const DONE: u8 = 0;
/// Failed.
pub(crate) const FAILED: u8 = 1;
/// Wrong usage.
pub(crate) const WRONG_USAGE: u8 = 2;
/// Done, but some records were rejected.
pub(crate) const SOME_REJECTED: u8 = 3;

/// Where a command writes.
pub(crate) struct Console<'a> {
    /// Results.
    pub(crate) out: &'a mut (dyn Write + Send),
    /// Rejections and progress.
    pub(crate) err: &'a mut (dyn Write + Send),
}

impl Console<'_> {
    /// Writes to the results.
    pub(crate) fn print(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Writes a line to the error output; failing to complain is no failure.
    pub(crate) fn complain(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }
}

/// Runs the command in `args` (the program's name first); returns the exit status of the contract.
///
/// 0 done; 1 failed; 2 wrong usage; 3 done, but some records were rejected.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> u8 {
    let mut console = Console { out, err };
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            let text = error.render().to_string();
            let asked = !error.use_stderr();
            let _ = if asked {
                console.print(&text)
            } else {
                console.err.write_all(text.as_bytes()).map_err(Into::into)
            };
            return if asked { DONE } else { WRONG_USAGE };
        }
    };
    match dispatch(arguments, &mut console)
        .and_then(|status| Ok(console.out.flush().map(|()| status)?))
    {
        Ok(status) => status,
        Err(error) if is_broken_pipe(&error) => DONE,
        Err(error) => {
            console.complain(&format!("mirrorwatch: {error}"));
            FAILED
        }
    }
}

fn dispatch(arguments: Arguments, console: &mut Console<'_>) -> anyhow::Result<u8> {
    let db = arguments.db.as_path();
    match arguments.command {
        Command::Demo { data } => demo::run(data, console),
        Command::Enroll { files, resume } => enroll::enroll(db, &files, resume, console),
        Command::Withdraw { ids, from } => enroll::withdraw(db, ids, from.as_deref(), console),
        Command::Screen {
            files,
            judging,
            telling,
        } => screen::run(db, &files, &judging, &telling, console),
        Command::Rescan {
            files,
            out,
            resume,
            flagged_only,
            judging,
            telling,
        } => {
            let job = rescan::Job {
                files,
                out,
                resume,
                flagged_only,
            };
            let engine = Engine::open(db, telling.options(&judging, Access::Write)?)?;
            rescan::run(&engine, &job, console)
        }
        Command::Lookup {
            handle,
            json,
            limit,
        } => lookup::run(&reader(db)?, &handle, limit, json, console),
        Command::Explain {
            probe,
            entry,
            json,
            judging,
        } => {
            let engine = Engine::open(db, judging.options(Access::Read)?)?;
            explain::run(&engine, &probe, &entry, json, console)
        }
        Command::Serve(how) => serve::serve(db, how, console),
        Command::Keys { what } => serve::keys(db, what, console),
        Command::Config { what } => serve::config(what, console),
        Command::Erase {
            ids,
            keep_judgments,
        } => serve::erase(db, &ids, keep_judgments, console),
        Command::Evaluate {
            files,
            judging,
            json,
        } => evaluate::run(&evaluate::engine(db, &judging)?, &files, json, console),
        Command::Calibrate(job) => calibrate::run(db, &job, console),
        Command::Background(job) => background::run(db, &job, console),
        Command::Stats { json } => copies::stats(&reader(db)?, json, console),
        Command::Verify => copies::verify(db, console),
        Command::Export { judgments: false } => copies::export(&reader(db)?, console),
        Command::Export { judgments: true } => judge::export(&reader(db)?, console),
        Command::Backup { dir } => copies::backup(db, &dir, console),
        Command::Restore { dir } => copies::restore(db, &dir, console),
        said @ (Command::Judge { .. } | Command::Protect { .. }) => judge::run(db, said, console),
    }
}

/// An engine for a command that changes nothing.
fn reader(db: &Path) -> Result<Engine> {
    let access = Access::Read;
    Engine::open(
        db,
        Options {
            access,
            notice,
            ..Options::default()
        },
    )
}

/// The status of a command that read records.
pub(crate) fn status(rejected: u64) -> u8 {
    if rejected > 0 { SOME_REJECTED } else { DONE }
}

/// True when the reader of our output has gone: nothing is wrong, there is just nobody to tell.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

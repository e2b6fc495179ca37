//! The `mirrorwatch` command.

use std::process::ExitCode;

use mirrorwatch::cli;

fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    ExitCode::from(cli::run(std::env::args_os(), &mut out, &mut err))
}

//! The command line: one file a subcommand.
//!
//! [`run`] parses arguments, does one command and answers with the contract's exit status. Commands write to what they
//! are given, so that tests see just what a user sees; progress goes to the error output, and only on a terminal.

mod args;
mod background;
mod calibrate;
mod copies;
mod demo;
mod enroll;
mod evaluate;
mod explain;
mod judge;
mod lookup;
mod progress;
mod records;
mod rescan;
mod run;
mod screen;
mod serve;
mod table;

pub use crate::cli::run::run;

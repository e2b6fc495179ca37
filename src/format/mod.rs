//! Records from files and pipes, one at a time, whatever is wrong with the one before.
//!
//! A file is lines; a line is a body or a rejection; a body becomes an account or a rejection. Reading is sequential and
//! bounded in memory, parsing is not tied to it, so that callers may parse on all cores.

mod csv_lines;
mod input;
mod ndjson;
mod parse;
mod picture;
mod ruling;

pub(crate) use crate::format::input::{Body, Line};
pub use crate::format::input::{Format, Input};
pub use crate::format::parse::{Labelled, Parser};
pub(crate) use crate::format::picture::{FILE_BYTES_MAX as PICTURE_BYTES_MAX, picture_of};
pub(crate) use crate::format::ruling::{Defaults, ruling};

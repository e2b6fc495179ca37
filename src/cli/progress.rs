//! A progress bar with rate and time left, on a terminal only.

use std::io::IsTerminal;
use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::format::Input;

/// A bar over the bytes of `inputs`, or a counter where their sizes are not known; hidden unless errors go to a terminal.
pub(crate) fn bar(inputs: &[Input]) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes: Option<u64> = inputs.iter().map(Input::len_bytes).sum();
    let (bar, template) = match sizes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{bar:30} {percent:>3}%  {msg}  {bytes_per_sec}  {eta} left",
        ),
        None => (ProgressBar::new_spinner(), "{spinner}  {msg}  {elapsed}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Tells the terminal what takes long, and what was damaged and mended.
pub(crate) fn notice(text: &str) {
    // Nobody reads the error output: then nobody is told.
    let _ = writeln!(std::io::stderr(), "mirrorwatch: {text}");
}

//! Lines of what happens, as JSON on the error output. No profile text: only routes, counts, ids of keys, times.

use tracing_subscriber::EnvFilter;

/// Starts the log; `MIRRORWATCH_LOG` says how much, as in `info,audit=off`.
pub(crate) fn log() {
    let filter = EnvFilter::try_from_env("MIRRORWATCH_LOG");
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    // A second service in one process goes on with the first one's log.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}

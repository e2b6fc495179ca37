//! The service: signup hooks, picture fetching and outgoing flags.

#[expect(dead_code, reason = "until the service mounts the hooks")]
mod fetch;
#[expect(dead_code, reason = "until the service mounts the hooks")]
mod hooks;
#[expect(dead_code, reason = "until the service sends flags")]
mod outgoing;

//! How is a watchlist asked over HTTP?
//!
//! [`console`] is what an analyst sees in a browser.

#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the service that mounts it is written beside it")
)]
pub(crate) mod console;

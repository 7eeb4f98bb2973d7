//! The limits of an answer to `show stat`.

/// A row with fewer fields is no row of statistics (the Go exporter's rule: `type` is the 33rd).
pub(crate) const MIN_FIELDS: usize = 33;
/// HAProxy 3.2 prints about 150; far more means that the peer is no HAProxy.
pub(crate) const MAX_FIELDS: usize = 1024;
/// Longest row; HAProxy prints a row into one buffer of 16 KiB by default (`tune.bufsize`).
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;
/// Longest name of a proxy or server; HAProxy reads configuration lines of 2 KiB.
pub(crate) const MAX_NAME_BYTES: usize = 4096;
/// Label texts of all rows: with names of usual length enough for more servers than an
/// answer can hold, and a bound where a peer sends names only.
pub(crate) const MAX_LABEL_BYTES: usize = 64 << 20;

//! Limits of a reply to `show stat`.

/// A row with fewer fields is not a row of statistics (the Go exporter's rule: `type` is the 33rd
/// field).
pub(crate) const MIN_FIELDS: usize = 33;
/// Maximum number of fields of a row. HAProxy 3.2 prints about 150; a peer with far more is not
/// HAProxy.
pub(crate) const MAX_FIELDS: usize = 1024;
/// Maximum length of a row. HAProxy prints a row into one buffer, of 16 KiB by default
/// (`tune.bufsize`).
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;
/// Maximum length of the name of a proxy or server; HAProxy reads configuration lines of 2 KiB.
pub(crate) const MAX_NAME_BYTES: usize = 4096;
/// Maximum size of the label texts of all rows. With usual names that is enough for more servers
/// than fit into a reply; it limits a peer that sends only names.
pub(crate) const MAX_LABEL_BYTES: usize = 64 << 20;
/// Maximum size of a reply in bytes: 10,000 certificates with two names on two binds are about 8 MB.
pub(crate) const MAX_PERIODIC_BYTES: u64 = 16 << 20;

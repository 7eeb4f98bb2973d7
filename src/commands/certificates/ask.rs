//! The texts of the commands.

/// The command of 3.2: a row for each name and bind; any level.
pub(super) const SHOW_SSL_SNI: &str = "show ssl sni";
/// The names of all files; needs level operator.
pub(super) const SHOW_SSL_CERT: &str = "show ssl cert";

/// The command that queries a file. In the CLI a blank, `;`, a quote, `\` and `#` are themselves behind `\`, and so
/// is `<`, two of which at the end of a line begin a payload. `None` for a name that cannot be said: one that
/// begins with `*` is that of a transaction, and the line is UTF-8.
pub(super) fn command(name: &[u8]) -> Option<String> {
    let mut command = SHOW_SSL_CERT.as_bytes().to_vec();
    command.push(b' ');
    for byte in name {
        if b" \t;\"'\\#<".contains(byte) {
            command.push(b'\\');
        }
        command.push(*byte);
    }
    let command = String::from_utf8(command).ok();
    command.filter(|_| !name.starts_with(b"*"))
}

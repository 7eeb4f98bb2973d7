//! Texts with numbers that differ from run to run.

/// Each number as `#`.
pub(crate) fn mask(text: &str) -> String {
    let mut masked = String::new();
    for c in text.chars() {
        match c.is_ascii_digit() || (c == '.' && masked.ends_with('#')) {
            false => masked.push(c),
            true if masked.ends_with('#') => {}
            true => masked.push('#'),
        }
    }
    masked
}

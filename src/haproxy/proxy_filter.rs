//! Selects proxies by shell patterns for their names.

/// The flag of the patterns to include.
pub(crate) const PROXY_INCLUDE: &str = "haproxy.proxy-include";
/// The flag of the patterns to exclude.
pub(crate) const PROXY_EXCLUDE: &str = "haproxy.proxy-exclude";

/// Patterns of names to include and to exclude.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxyFilter {
    /// Proxies that match none of these are excluded; if it is empty, all match.
    pub(crate) include: Vec<String>,
    /// Proxies that match one of these are excluded.
    pub(crate) exclude: Vec<String>,
}

impl ProxyFilter {
    /// Whether a proxy of this name is exported.
    pub(crate) fn allows(&self, name: &[u8]) -> bool {
        let matches = |pattern: &String| is_match(pattern.as_bytes(), name);
        (self.include.is_empty() || self.include.iter().any(matches))
            && !self.exclude.iter().any(matches)
    }

    /// Why no proxy is exported, where HAProxy has one of this name.
    pub(crate) fn why_none(&self, name: &str) -> String {
        let is_included = |pattern: &String| is_match(pattern.as_bytes(), name.as_bytes());
        if self.include.is_empty() || self.include.iter().any(is_included) {
            return format!("--{PROXY_EXCLUDE} excludes all proxies, such as {name:?}");
        }
        let patterns = self.include.join(", ");
        format!(
            "no proxy matches --{PROXY_INCLUDE}={patterns} (the first is {name:?}; * matches any text, ? one \
             character)"
        )
    }
}

/// Characters of regular expressions that no name of a proxy has: HAProxy allows letters, digits and `-_.:`
/// (configuration manual, section 4).
const NOT_IN_NAMES: &[char] = &['^', '$', '(', ')', '[', ']', '{', '}', '|', '+', '\\'];

/// Checks a pattern.
///
/// # Errors
/// If it is a regular expression, with the pattern to write where there is one.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    if !pattern.contains(NOT_IN_NAMES) {
        return Ok(());
    }
    let simple = pattern.trim_start_matches('^').trim_end_matches('$');
    let simple = simple
        .replace("\\.", ".")
        .replace(".*", "*")
        .replace(".+", "?*");
    let instead = match simple.contains(NOT_IN_NAMES) {
        true => String::new(),
        false => format!("write {simple:?}: "),
    };
    Err(format!(
        "{pattern:?} is a regular expression; {instead}* matches any text, ? one character"
    ))
}

/// Whether a whole name matches a pattern: `*` matches any text, `?` one character, everything else
/// itself.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    // Position of the last star, and how far it matches so far.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                in_name += character_bytes(&name[in_name..]);
            }
            Some(byte) if *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                // The last star matches one byte more.
                Some((star_at, reaches)) => {
                    star = Some((star_at, reaches + 1));
                    at = star_at + 1;
                    in_name = reaches + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Number of bytes of the first character; a byte that is not UTF-8 counts as one.
fn character_bytes(text: &[u8]) -> usize {
    let length = match text[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    match text.get(..length) {
        Some(character) if std::str::from_utf8(character).is_ok() => length,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;

//! Texts that may hold a password.

use std::borrow::Cow;

/// A text without what could be a user and a password: between `//` (or, where there is none, the
/// beginning) and the last `@`. For texts that were given where no URI belongs, whose parts nobody knows.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    let Some(end) = text.rfind('@') else {
        return text.into();
    };
    let slashes = text[..end].find("//").map(|at| at + 2);
    let start = slashes.unwrap_or(0);
    let has_password = |(_, password): (&str, &str)| !password.is_empty();
    let is_harmless = match slashes {
        Some(_) => start == end,
        // A file can have a name with an `@`; `unix:@name` is a socket.
        None => {
            let user = &text[..end];
            user.starts_with("unix:") || !user.split_once(':').is_some_and(has_password)
        }
    };
    match is_harmless {
        true => text.into(),
        false => format!("{}***{}", &text[..start], &text[end..]).into(),
    }
}

#[cfg(test)]
mod tests;

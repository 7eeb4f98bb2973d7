//! `@FILE`: arguments from a file, one a line.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::errno::reason;

/// A file of arguments is written by hand; one that is larger, or endless, is a mistake.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Files in all, so that one which names itself ends with an error.
const MAX_FILES: usize = 32;

/// Puts the lines of each `@FILE` in its place. Empty lines and those that begin with `#` are
/// skipped, CR LF is accepted, a file may name others; behind `--` nothing is replaced.
///
/// # Errors
/// A text that names the file and the reason.
pub(crate) fn expand(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Vec<OsString>, String> {
    let mut waiting: VecDeque<OsString> = arguments.into_iter().collect();
    let mut expanded = Vec::new();
    let mut files = 0;
    while let Some(argument) = waiting.pop_front() {
        let Some(path) = argument.as_bytes().strip_prefix(b"@") else {
            let is_end = argument == "--";
            expanded.push(argument);
            if is_end {
                expanded.extend(waiting.drain(..));
            }
            continue;
        };
        files += 1;
        if files > MAX_FILES {
            return Err(format!(
                "more than {MAX_FILES} argument files (does one name itself?)"
            ));
        }
        let path = OsString::from_vec(path.to_vec());
        let lines = lines(&read(Path::new(&path))?);
        for line in lines.into_iter().rev() {
            waiting.push_front(line);
        }
    }
    Ok(expanded)
}

/// The arguments in a file's bytes.
pub fn lines(bytes: &[u8]) -> Vec<OsString> {
    bytes
        .split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(|line| OsString::from_vec(line.to_vec()))
        .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let fail = |why: String| format!("argument file {}: {why}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| fail(reason(&error)))?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(reason(&error)))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(fail(format!("larger than {MAX_FILE_BYTES} bytes")));
    }
    if bytes.contains(&0) {
        return Err(fail("holds a NUL byte".to_owned()));
    }
    Ok(bytes)
}

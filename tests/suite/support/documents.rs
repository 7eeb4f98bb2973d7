//! README.md and the documents of `src/share/doc`: where they are and what is marked in them.

use std::ops::Range;
use std::path::{Path, PathBuf};

pub(crate) const README: &str = "README.md";
/// The documents that `make install` installs.
pub(crate) const FOLDER: &str = "src/share/doc";

/// A path of the project as an absolute one.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(crate) fn read(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// README.md and every document, by its path in the project.
pub(crate) fn all() -> Vec<String> {
    let entries = std::fs::read_dir(path(FOLDER)).expect("read the documents' folder");
    let names = entries.map(|entry| entry.expect("a document").file_name());
    let names = names.map(|name| format!("{FOLDER}/{}", name.to_str().expect("an ASCII name")));
    let mut all: Vec<String> = names.collect();
    all.sort();
    all.insert(0, README.to_owned());
    all
}

/// The one document that has this mark, a line `<!-- MARK -->`.
pub(crate) fn with(mark: &str) -> String {
    let line = format!("<!-- {mark} -->");
    let mut having = all();
    having.retain(|name| read(name).lines().any(|other| other == line));
    assert_eq!(having.len(), 1, "documents with {line}: {having:?}");
    having.remove(0)
}

/// Where the text after a line begins.
pub(crate) fn after(text: &str, line: &str) -> usize {
    let line = format!("{line}\n");
    let mut places = text.match_indices(&line);
    let (at, _) = places
        .next()
        .unwrap_or_else(|| panic!("the document has no line {line:?}"));
    assert!(places.next().is_none(), "two lines {line:?}");
    at + line.len()
}

/// Where the table after a mark is.
pub(crate) fn table(text: &str, mark: &str) -> Range<usize> {
    let start = after(text, &format!("<!-- {mark} -->"));
    let rows = text[start..].split_inclusive('\n');
    let length: usize = rows
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    start..start + length
}

/// Where the contents of the fenced block after a mark are.
pub(crate) fn block(text: &str, mark: &str) -> Range<usize> {
    let fence = after(text, &format!("<!-- {mark} -->"));
    let rest = &text[fence..];
    assert!(rest.starts_with("```"), "no block after {mark}");
    let start = fence + rest.find('\n').expect("a line after the fence") + 1;
    let end = text[start..].find("```\n").expect("the end of a block");
    start..start + end
}

/// The links of a document, without its blocks.
pub(crate) fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split("](").skip(1))
        .map(|rest| rest.split(')').next().expect("the end of a link"))
        .collect()
}

//! What stands where in the sources: who may name whom, how long a file may be, where `unsafe` is.
//!
//! [`NOT_YET`] lists what does not hold yet. It only becomes shorter: what is new in it fails, and so
//! does an entry that is no longer needed.

mod circles;
mod layers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file that is longer is two.
const MOST_LINES: usize = 450;

/// Rules and where they do not hold yet.
const NOT_YET: &[(&str, &str)] = &[];
const ENGLISH: &str = "\"is not a\", never \"is no\"";

/// A Rust file, its comments taken away and its strings apart.
struct Source {
    /// From the root of the repository, such as `src/net/http.rs`.
    name: String,
    lines: usize,
    code: String,
    strings: Vec<String>,
}

impl Source {
    fn read(path: &Path) -> Source {
        let text = std::fs::read_to_string(path).expect("a source file");
        let (code, strings) = split(&text);
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR"));
        Source {
            name: name.expect("a file of ours").display().to_string(),
            lines: text.lines().count(),
            code,
            strings,
        }
    }

    /// The modules that lead to this file: `net`, `http` for `src/net/http.rs`.
    fn module(&self) -> Vec<&str> {
        let name = self.name.strip_prefix("src/").unwrap_or(&self.name);
        let name = name.strip_suffix(".rs").expect("a Rust file");
        let parts = name.split('/');
        parts.filter(|part| *part != "mod").collect()
    }

    /// The folder of `src/`, or the file in it.
    fn room(&self) -> &str {
        self.module()[0]
    }

    /// What stands at the top of the crate and is named by `crate::` or `super::`.
    fn named(&self) -> BTreeSet<&str> {
        let words = words(&self.code);
        let mut named = BTreeSet::new();
        let depth = self.module().len();
        for at in 0..words.len() {
            let follows = |from: usize, word: &str| words.get(from) == Some(&word);
            let mut behind = at + 2;
            let from_the_top = match words[at] {
                "crate" => follows(at + 1, "::"),
                "super" if at == 0 || words[at - 1] != "::" => {
                    let mut levels = 1;
                    while follows(behind, "super") && follows(behind + 1, "::") {
                        behind += 2;
                        levels += 1;
                    }
                    levels == depth
                }
                _ => false,
            };
            if from_the_top {
                named.extend(first_words(&words[behind.min(words.len())..]));
            }
        }
        named
    }
}

/// The first words of a path, or of all paths of a group in braces.
fn first_words<'a>(words: &[&'a str]) -> Vec<&'a str> {
    if words.first() != Some(&"{") {
        return words.first().copied().into_iter().collect();
    }
    let mut depth = 0;
    let mut found = Vec::new();
    for pair in words.windows(2) {
        match pair[0] {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && (pair[0] == "," || (pair[0] == "{" && found.is_empty())) {
            found.push(pair[1]);
        }
    }
    found
}

/// Names, `::` and single signs.
fn words(code: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = code.trim_start();
    let mut words = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

/// The code without comments, with each string as `""`, and the strings as they stand there.
fn split(text: &str) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = string(rest) {
            strings.push(rest[..length].to_owned());
            code += "\"\"";
            length
        } else if let Some(length) = character(rest) {
            length
        } else {
            code.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    (code, strings)
}

/// The length of the string literal here, if one begins.
fn string(text: &str) -> Option<usize> {
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = hashes + 2;
            let length = text[start..].find(&end);
            return Some(start + length.expect("the end of a raw string") + end.len());
        }
    }
    let inside = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = inside.find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    Some(end.expect("the end of a string") + 2)
}

/// The length of the character literal here, if one begins; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    match inside.strip_prefix('\\') {
        // The first one behind the backslash may be a quote.
        Some(escaped) => Some(escaped[1..].find('\'')? + 4),
        None => {
            let length = inside.chars().next()?.len_utf8();
            inside[length..].starts_with('\'').then_some(length + 2)
        }
    }
}

/// All Rust files of a directory.
fn sources(directory: &str) -> Vec<Source> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(directory),
        &mut found,
    );
    found.sort();
    assert!(found.len() > 20, "{found:?}");
    found.iter().map(|path| Source::read(path)).collect()
}

/// Where a rule does not hold must be what [`NOT_YET`] says of it.
fn hold(rule: &str, broken: BTreeSet<String>) {
    let listed = NOT_YET.iter().filter(|(of, _)| *of == rule);
    let listed: BTreeSet<String> = listed.map(|(_, place)| (*place).to_owned()).collect();
    let new: Vec<_> = broken.difference(&listed).collect();
    let mended: Vec<_> = listed.difference(&broken).collect();
    assert!(new.is_empty(), "{rule}: broken by {new:#?}");
    assert!(
        mended.is_empty(),
        "{rule}: {mended:?} is mended: take it off NOT_YET in {}",
        file!()
    );
}

#[test]
fn files_are_short() {
    let long = sources("src").into_iter().chain(sources("tests"));
    let long = long.filter(|source| source.lines > MOST_LINES);
    hold(
        "at most 450 lines",
        long.map(|source| source.name).collect(),
    );
}

/// Unit tests of `foo.rs` are in `foo/tests.rs`.
#[test]
fn tests_have_files() {
    let inline = sources("src").into_iter().filter(|source| {
        let words = words(&source.code);
        words.windows(3).any(|three| three == ["mod", "tests", "{"])
    });
    hold("foo/tests.rs", inline.map(|source| source.name).collect());
}

#[test]
fn unsafe_is_in_sys() {
    let broken = sources("src")
        .into_iter()
        .filter(|source| source.room() != "sys" && words(&source.code).contains(&"unsafe"));
    hold("unsafe", broken.map(|source| source.name).collect());
}

/// "is not a number", never "is no number".
#[test]
fn plain_english() {
    let bad = |text: &String| {
        let mut parts = text.split(" is no ").skip(1);
        parts.any(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let broken = sources("src").into_iter().chain(sources("tests"));
    let broken = broken.filter(|source| source.name != file!() && source.strings.iter().any(bad));
    let folder = |source: Source| {
        let mut parts = source.name.splitn(3, '/');
        let parts = [parts.next(), parts.next()].map(Option::unwrap_or_default);
        parts.join("/")
    };
    hold(ENGLISH, broken.map(folder).collect());
}

/// The default build depends on these and nothing else.
#[test]
fn dependencies() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("Cargo.toml");
    let (_, rest) = manifest
        .split_once("\n[dependencies]\n")
        .expect("dependencies");
    let (section, _) = rest.split_once("\n[").expect("another section");
    let default = section
        .lines()
        .filter(|line| !line.contains("optional = true"));
    let names: BTreeSet<&str> = default
        .filter_map(|line| line.split(" = ").next())
        .collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(names, ["lexopt", "libc", "memchr", "tiny_http"]);
}

/// Every file that the documentation of the crate and of the suite names is there.
#[test]
fn the_maps_of_the_project() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (map, folder, least) in [
        ("src/architecture.md", "src", 20),
        ("tests/suite/main.rs", "tests/suite", 15),
    ] {
        let text = std::fs::read_to_string(root.join(map)).expect("the map");
        let lines = text.lines().map(|line| line.trim_start_matches("//! "));
        let lines = lines.filter(|line| line.starts_with('|'));
        let paths: Vec<&str> = lines
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .filter(|path| path.ends_with(".rs") || path.ends_with('/'))
            .collect();
        assert!(paths.len() > least, "{map}: {paths:?}");
        let missing: Vec<_> = paths
            .iter()
            .filter(|path| !root.join(folder).join(path).exists())
            .collect();
        assert!(missing.is_empty(), "{map}: {missing:?}");
    }
}

#[test]
fn sources_are_read_right() {
    let text = r##"use crate::{a::{b, c}, d}; // crate::e
        /* crate::f */ const G: &str = "crate::h \" \\"; let i = r#"crate::"j"#;
        use super::super::k::l; use super::m; pub(in crate::n) fn o<'p>(c: char) -> bool { c == '"' || c == '\'' }"##;
    let (code, strings) = split(text);
    let source = Source {
        name: "src/x/y.rs".to_owned(),
        lines: 3,
        code,
        strings,
    };
    assert_eq!(source.module(), ["x", "y"]);
    assert_eq!(source.named(), BTreeSet::from(["a", "d", "k", "n"]));
    assert_eq!(
        source.strings,
        [r#""crate::h \" \\""#, r###"r#"crate::"j"#"###]
    );
}

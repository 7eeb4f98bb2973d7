//! Which files import each other in a circle, found by reading their paths (`use` lines and others).
//!
//! A circle of folders is never right: neither side can be read or changed alone. Inside a folder
//! [`CIRCLES`] lists those that stay, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, sources, words};

/// The files of a circle, from `src/`, and why it stays.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["haproxy/error.rs", "haproxy/reply.rs"],
        "a question holds why it failed, and that holds why its reply is refused",
    ),
    (
        &["metrics/exposition.rs", "metrics/snapshot.rs"],
        "a snapshot counts the bytes of a row when it is put, as they will be written",
    ),
];
/// More files than this in a circle cannot be kept in mind.
const MOST_FILES: usize = 8;

/// Who names whom.
type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

impl Source {
    /// The name from `src/`.
    pub(super) fn short(&self) -> &str {
        self.name.strip_prefix("src/").unwrap_or(&self.name)
    }

    pub(super) fn is_test(&self) -> bool {
        self.name.contains("/tests/") || self.name.ends_with("/tests.rs")
    }

    /// Modules, and what is in them, that the code names, from the top of the crate.
    fn paths(&self) -> BTreeSet<Vec<String>> {
        let words = words(&self.code);
        let at = |at: usize| words.get(at).copied().unwrap_or_default();
        let here: Vec<&str> = match self.short() {
            "lib.rs" => Vec::new(),
            _ => self.module(),
        };
        let is_child = |name: &str| words.windows(3).any(|three| three == ["mod", name, ";"]);
        let mut found = BTreeSet::new();
        for first in 0..words.len() {
            let is_start = first == 0 || !matches!(words[first - 1], "::" | "." | "in");
            if !is_start || at(first + 1) != "::" {
                continue;
            }
            let mut base = here.clone();
            let mut next = first + 2;
            match words[first] {
                "crate" => base.clear(),
                "self" => {}
                "super" => {
                    base.pop();
                    while at(next) == "super" && at(next + 1) == "::" {
                        base.pop();
                        next += 2;
                    }
                }
                child if is_child(child) => base.push(child),
                _ => continue,
            }
            let base: Vec<String> = base.into_iter().map(str::to_owned).collect();
            paths(&base, &words[next..], &mut found);
        }
        found
    }
}

/// Adds the path that begins here, or all of a group in braces; returns how many words they have.
fn paths(base: &[String], words: &[&str], found: &mut BTreeSet<Vec<String>>) -> usize {
    let mut path = base.to_vec();
    let mut at = 0;
    loop {
        match words.get(at) {
            Some(&"{") => {
                at += 1;
                while words.get(at).is_some_and(|word| *word != "}") {
                    at += paths(&path, &words[at..], found).max(1);
                    at += usize::from(words.get(at) == Some(&","));
                }
                return at + 1;
            }
            Some(word) => path.push((*word).to_owned()),
            None => {}
        }
        at += 1;
        if words.get(at) != Some(&"::") {
            break;
        }
        at += 1;
    }
    // `a as b`
    let renamed = 2 * usize::from(words.get(at) == Some(&"as"));
    found.insert(path);
    at + renamed
}

/// The files that each file names.
fn graph(sources: &[Source]) -> Graph<'_> {
    let code = || sources.iter().filter(|source| !source.is_test());
    let files: BTreeMap<Vec<&str>, &str> = code()
        .map(|source| (source.module(), source.short()))
        .collect();
    let file = |path: &Vec<String>| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        (1..=path.len())
            .rev()
            .find_map(|end| files.get(&path[..end]).copied())
    };
    let named = |source: &Source| source.paths().iter().filter_map(file).collect();
    code()
        .map(|source| (source.short(), named(source)))
        .collect()
}

/// The circles of a graph.
fn circles<'a>(graph: &Graph<'a>) -> BTreeSet<BTreeSet<&'a str>> {
    let reached = |from: &'a str| {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![from];
        while let Some(name) = waiting.pop() {
            let next = graph.get(name).into_iter().flatten();
            waiting.extend(next.filter(|next| reached.insert(**next)));
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|name| (*name, reached(name))).collect();
    let circle = |name: &&'a str| -> BTreeSet<&'a str> {
        let others = reached[name].iter().copied();
        others
            .filter(|other| reached.get(other).is_some_and(|of| of.contains(name)))
            .collect()
    };
    graph
        .keys()
        .map(circle)
        .filter(|circle| circle.len() > 1)
        .collect()
}

/// The folder of a file, or the file itself at the top.
fn room(file: &str) -> &str {
    file.split('/')
        .next()
        .unwrap_or(file)
        .trim_end_matches(".rs")
}

#[test]
fn folders_are_in_no_circle() {
    let sources = sources("src");
    let mut rooms = Graph::new();
    for (file, named) in graph(&sources) {
        let others = named
            .into_iter()
            .map(room)
            .filter(|other| *other != room(file));
        rooms.entry(room(file)).or_default().extend(others);
    }
    assert!(rooms["scrape"].contains("haproxy"), "{rooms:?}");
    let found = circles(&rooms);
    assert!(
        found.is_empty(),
        "folders that import each other: {found:#?}"
    );
}

#[test]
fn circles_of_files_are_listed() {
    let sources = sources("src");
    let mut graph = graph(&sources);
    for (file, named) in &mut graph {
        named.retain(|other| room(other) == room(file) && other != file);
    }
    let found = circles(&graph);
    let listed = CIRCLES
        .iter()
        .map(|(files, _)| files.iter().copied().collect());
    let listed: BTreeSet<BTreeSet<&str>> = listed.collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty(), "files that import each other: {new:#?}");
    assert!(
        gone.is_empty(),
        "no such circle any more, see CIRCLES: {gone:#?}"
    );
    for (files, reason) in CIRCLES {
        assert!(files.len() <= MOST_FILES && !reason.is_empty(), "{files:?}");
    }
}

#[test]
fn circles_are_found() {
    let file = |name: &str, code: &str| Source {
        name: format!("src/{name}"),
        lines: 1,
        code: code.to_owned(),
        strings: Vec::new(),
    };
    let sources = [
        file(
            "a/mod.rs",
            "pub(crate) mod b; mod c; use c::C; fn f() { b::g(); x.c::<u8>() }",
        ),
        file(
            "a/b.rs",
            "use super::d::{self, e::{E as F, G}}; pub(in crate::z) use crate::{y, a::c::C};",
        ),
        file("a/c.rs", "use std::a; mod inner; use self::inner::I;"),
        file("a/c/inner.rs", "fn f() -> super::super::b::B {}"),
        file("a/d.rs", "use crate::y::Y;"),
        file("a/d/e.rs", "use crate::y;"),
        file("a/b/tests.rs", "use crate::x;"),
        file("y.rs", "use crate::a::d::e::{E};"),
        file("x.rs", "use crate::a;"),
        file("z.rs", ""),
    ];
    let graph = graph(&sources);
    let named = |file: &str| graph[file].iter().copied().collect::<Vec<_>>();
    assert_eq!(named("a/mod.rs"), ["a/b.rs", "a/c.rs"]);
    assert_eq!(named("a/b.rs"), ["a/c.rs", "a/d.rs", "a/d/e.rs", "y.rs"]);
    assert_eq!(named("a/c/inner.rs"), ["a/b.rs"]);
    assert!(!graph.contains_key("a/b/tests.rs"));
    let expected = [
        BTreeSet::from(["a/b.rs", "a/c.rs", "a/c/inner.rs"]),
        BTreeSet::from(["a/d/e.rs", "y.rs"]),
    ];
    assert_eq!(circles(&graph), BTreeSet::from(expected));
}

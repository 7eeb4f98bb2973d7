//! Who may import whom, as the documentation of the crate has it, and where the name of a flag stands.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, sources};

/// A folder of `src/` or a file in it, and those that it never imports.
type Forbidden = (String, Vec<String>);

/// The part of the documentation of the crate under a heading.
fn section(heading: &str) -> String {
    let text = include_str!("../../../src/architecture.md");
    let (_, rest) = text.split_once(heading).expect(heading);
    rest.split("\n#").next().unwrap_or_default().to_owned()
}

/// Words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The floor of each folder, counted from the top.
fn floors() -> BTreeMap<String, usize> {
    let section = section("\n## Layers\n");
    let (_, picture) = section.split_once("```text\n").expect("the picture");
    let (picture, _) = picture.split_once("\n```").expect("its end");
    let names = |line: &str| -> Vec<String> {
        let names = line.split_whitespace();
        let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_lowercase());
        names.take_while(is_name).map(str::to_owned).collect()
    };
    let lines = picture.lines().map(names).enumerate();
    lines
        .flat_map(|(floor, names)| names.into_iter().map(move |name| (name, floor)))
        .collect()
}

fn forbidden() -> Vec<Forbidden> {
    let section = section("\n## Layers\n");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let mut cells = line.split('|').skip(1);
        let mut names = || quoted(cells.next().expect("a cell")).collect::<Vec<_>>();
        let of = names().remove(0);
        (of, names())
    };
    rows.map(row).collect()
}

/// What is wrong with an import.
fn fault(floors: &BTreeMap<String, usize>, room: &str, other: &str) -> Option<String> {
    let floor = |room: &str| floors.get(room).copied();
    match (floor(room), floor(other)) {
        (Some(own), Some(below)) if own < below => None,
        (Some(_), Some(_)) => Some(format!("{room} imports {other}, which is not below it")),
        _ => Some(format!("{room} or {other} is in no layer")),
    }
}

#[test]
fn imports_go_down() {
    let (floors, forbidden) = (floors(), forbidden());
    assert!(
        floors.len() > 10 && forbidden.len() > 1,
        "{floors:?} {forbidden:?}"
    );
    let fault_of = |room, other| fault(&floors, room, other);
    for (room, other) in [
        ("net", "log"),
        ("haproxy", "metrics"),
        ("sys", "app"),
        ("sys", "x"),
    ] {
        assert!(fault_of(room, other).is_some(), "{room} {other}");
    }
    assert_eq!(fault_of("app", "sys"), None);
    let mut broken = BTreeSet::new();
    for source in sources("src") {
        let room = source.room();
        if matches!(room, "lib" | "main") {
            continue;
        }
        for other in source.named() {
            let is_room = |other: &str| floors.contains_key(other);
            // Tests may look at what is made of what they test.
            if other != room && is_room(other) && !source.is_test() {
                broken.extend(fault(&floors, room, other));
            }
            let never = forbidden.iter().filter(|(of, _)| of == room);
            if never
                .into_iter()
                .any(|(_, others)| others.iter().any(|it| it == other))
            {
                broken.insert(format!("{room} imports {other}, which it never may"));
            }
        }
        if !floors.contains_key(room) {
            broken.insert(format!("{room} is in no layer"));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A flag has its name from one place: a misspelt one does not compile.
#[test]
fn the_name_of_a_flag_stands_once() {
    let sources: Vec<Source> = sources("src")
        .into_iter()
        .filter(|source| !source.is_test())
        .collect();
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let is_name = |text: &str| {
        let mut parts = text.split('.');
        let first = parts.next().unwrap_or_default();
        matches!(first, "haproxy" | "http" | "log" | "web")
            && parts.clone().count() > 0
            && parts.all(is_part)
    };
    let strings = || {
        sources.iter().flat_map(|source| {
            source
                .strings
                .iter()
                .map(move |text| (source.short(), text.trim_matches('"')))
        })
    };
    let names: BTreeSet<&str> = strings()
        .map(|(_, text)| text)
        .filter(|text| is_name(text))
        .collect();
    assert!(names.len() > 15, "{names:?}");
    let mut broken = Vec::new();
    for name in names {
        let exact: Vec<_> = strings().filter(|(_, text)| *text == name).collect();
        if exact.len() != 1 {
            broken.push(format!("{name}: {exact:?}"));
        }
        let long = format!("--{name}");
        // A help text may name another flag.
        let others = strings().filter(|(file, _)| *file != "cli/flags.rs");
        let spelt = others.filter(|(_, text)| text.contains(&long));
        broken.extend(spelt.map(|(file, text)| format!("{file}: {text}")));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

//! README.md, the documents and the manual page are what the binary says, and what `src/share` holds.
//!
//! `UPDATE_README=1 cargo test readme` writes the generated parts: the tables after the marks `<!-- metrics -->` and
//! `<!-- builtin metrics -->`, the blocks after `<!-- file: PATH -->`, the manual page's list of flags. Tables after
//! `<!-- part of NAME -->` are chosen by hand: each of their rows must be one of the whole table.

mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::process::Command;

use crate::support::documents::{self, README, after, path, read};
use crate::support::{exporter, peers};

const MANUAL: &str = "src/share/haproxy_exporter.8";

/// What the binary prints for one flag.
fn print(flag: &str) -> String {
    print_all(&[flag])
}

fn print_all(flags: &[&str]) -> String {
    let (status, output, error) = peers::run(exporter::command().args(flags));
    assert!(status.success() && error.is_empty(), "{flags:?}: {error}");
    output
}

/// Compares a part of a document with what it must be, or writes it.
fn hold(document: &str, part: &str, place: impl Fn(&str) -> Range<usize>, want: &str) {
    let text = read(document);
    let place = place(&text);
    let have = &text[place.clone()];
    if have == want {
        return;
    }
    if std::env::var_os("UPDATE_README").is_some_and(|value| value == "1") {
        let mut new = text.clone();
        new.replace_range(place, want);
        std::fs::write(path(document), new).expect("write the document");
        return;
    }
    let only_in = |a: &str, b: &str, sign: char| -> Vec<String> {
        let lines = a
            .lines()
            .filter(|line| !b.lines().any(|other| other == *line));
        lines.map(|line| format!("{sign} {line}")).collect()
    };
    let mut lines = only_in(want, have, '+');
    lines.extend(only_in(have, want, '-'));
    panic!(
        "{part} in {document} is not what it must be (UPDATE_README=1 cargo test readme writes it); \
         {}:\n{}",
        if lines.is_empty() {
            "only the order differs"
        } else {
            "+ missing, - stale"
        },
        lines.join("\n")
    );
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |", cells.join(" | "))
}

/// One test, since each part may be written into the same file.
#[test]
fn documents_are_what_the_binary_says() {
    hold_part("flags", &flag_rows());
    let metrics = metric_rows("exporter");
    hold_table("metrics", &metrics);
    hold_part("metrics", &metrics);
    hold_table("builtin metrics", &metric_rows("builtin"));
    hold_files();
    let place = |text: &str| {
        let start = after(text, ".\\\" flags");
        let end = text[start..].find(".\\\" end of flags\n");
        start..start + end.expect("the end of the manual page's flags")
    };
    hold(MANUAL, "the list of flags", place, &manual_flags());
}

fn hold_table(mark: &str, rows: &[String]) {
    let place = |text: &str| documents::table(text, mark);
    let part = format!("the table after <!-- {mark} -->");
    hold(
        &documents::with(mark),
        &part,
        place,
        &(rows.join("\n") + "\n"),
    );
}

/// README.md has some rows of a table that is elsewhere. A stale one is reported, not written.
fn hold_part(mark: &str, rows: &[String]) {
    let text = read(README);
    let part = &text[documents::table(&text, &format!("part of {mark}"))];
    assert!(
        part.lines().count() > 8,
        "README.md has hardly a row:\n{part}"
    );
    for row in part.lines() {
        let known = rows.iter().any(|other| other == row);
        assert!(known, "README.md has a row that {mark} lacks:\n{row}");
    }
}

fn flag_rows() -> Vec<String> {
    let mut rows = vec![row(&["flag", "meaning"]), "|---|---|".to_owned()];
    let flags = help();
    let flags = flags.iter();
    rows.extend(flags.map(|(flag, help)| row(&[&format!("`{flag}`"), help])));
    rows
}

fn metric_rows(names: &str) -> Vec<String> {
    let mut rows = vec![
        row(&["name", "type", "labels", "help"]),
        "|---|---|---|---|".to_owned(),
    ];
    let names = format!("--haproxy.metric-names={names}");
    let list = print_all(&[&names, "--list-metrics"]);
    rows.extend(list.lines().map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, kind, labels, help] = cells[..] else {
            panic!("not four columns: {line}")
        };
        row(&[&format!("`{name}`"), kind, &labels.replace(',', ", "), help])
    }));
    rows
}

/// The blocks after `<!-- file: PATH -->` are those files.
fn hold_files() {
    let mut held = 0;
    for document in documents::all() {
        let text = read(&document);
        let marks = text.lines().filter_map(|line| {
            let mark = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
            Some((mark, mark.strip_prefix("file: ")?))
        });
        for (mark, name) in marks {
            let place = |text: &str| documents::block(text, mark);
            let part = format!("the block after <!-- {mark} -->");
            hold(&document, &part, place, &read(name));
            held += 1;
        }
    }
    assert_eq!(held, 7, "blocks after a mark");
}

/// The most frequent problems in README.md are rows of the table in troubleshooting.md.
#[test]
fn the_most_frequent_problems() {
    let document = documents::with("troubleshooting");
    let text = read(&document);
    let rows = &text[documents::table(&text, "troubleshooting")];
    // A link to another document begins with that document's folder in README.md.
    let rows = rows.replace("](", &format!("]({}/", documents::FOLDER));
    let rows: Vec<String> = rows.lines().map(str::to_owned).collect();
    hold_part("troubleshooting", &rows);
}

/// A reader finds both set-up commands on the first screens, and reaches the end.
#[test]
fn the_readme_is_short() {
    let text = read(README);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() <= 350, "{} lines", lines.len());
    for command in ["    make run", "    make test"] {
        let at = lines.iter().position(|line| *line == command);
        assert!(at.is_some_and(|at| at < 60), "{command}: {at:?}");
    }
    let sections = lines.iter().filter(|line| line.starts_with("## ")).count();
    assert_eq!(sections, 15, "sections after the title");
}

/// The documents that there are, and that README.md and the manual page lead to each.
#[test]
fn every_document_is_named() {
    let (readme, manual) = (read(README), read(MANUAL));
    let all = documents::all();
    assert!(all.len() > 13, "{all:?}");
    for document in &all[1..] {
        assert!(
            readme.contains(&format!("]({document})")),
            "README.md lacks {document}"
        );
        let name = document.rsplit('/').next().expect("a name");
        let line = format!(".It Pa {name}\n");
        assert!(manual.contains(&line), "the manual page lacks {name}");
    }
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter => letter.is_alphanumeric().then_some(letter),
    });
    kept.collect()
}

/// Each link between documents leads to a file and a heading that are there.
#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    for document in documents::all() {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in documents::links(&read(&document)) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
            let file = match (file, folder) {
                ("", _) => document.clone(),
                (file, "") => file.to_owned(),
                (file, folder) => format!("{folder}/{file}"),
            };
            assert!(path(&file).is_file(), "{document}: {link}");
            let text = read(&file);
            let headings = text.lines().filter(|line| line.starts_with('#'));
            let anchors: BTreeSet<String> = headings.map(anchor).collect();
            assert!(
                wanted.is_empty() || anchors.contains(wanted),
                "{document}: {link}"
            );
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked} links");
}

/// The flags of `--help` in the manual page's language, mdoc(7).
fn manual_flags() -> String {
    let mut text = String::new();
    for (usage, meaning) in help() {
        let (item, default) = manual_item(&usage);
        text += &format!(".It {item}\n{}.\n", escape(&meaning));
        if let Some(default) = default {
            text += &format!("The default is\n.Ql {} .\n", escape(&default));
        }
    }
    text
}

/// A flag's usage as an item of the list, and its default.
fn manual_item(usage: &str) -> (String, Option<String>) {
    if usage == "-h, --help" {
        return ("Fl h , -help".to_owned(), None);
    }
    let flag = usage.strip_prefix("--").expect("a long flag");
    if let Some(name) = flag.strip_prefix("[no-]") {
        let (name, default) = match name.strip_suffix(" (on)") {
            Some(name) => (name, "on"),
            None => (name, "off"),
        };
        return (format!("Fl -[no-]{name}"), Some(default.to_owned()));
    }
    if let Some((name, value)) = flag.split_once("[=") {
        let value = value.strip_suffix(']').expect("a closing bracket");
        return (format!("Fl -{name} Ns Op = Ns Ar {value}"), None);
    }
    match flag.split_once('=') {
        None => (format!("Fl -{flag}"), None),
        Some((name, value)) => match value.strip_prefix('"') {
            None => (format!("Fl -{name} Ns = Ns Ar {value}"), None),
            Some(value) => {
                let default = value.strip_suffix('"').expect("a closing quote");
                let item = format!("Fl -{name} Ns = Ns Ar value");
                (item, Some(default.to_owned()))
            }
        },
    }
}

/// A line of text that mdoc(7) does not take for something else.
fn escape(text: &str) -> String {
    assert!(!text.starts_with(['.', '\'']), "{text:?}");
    text.replace('\\', "\\e")
}

/// What mandoc thinks of the manual page, and that it shows each flag with its default.
#[test]
fn the_manual_page_is_good() {
    let Some(mandoc) = peers::find("mandoc") else {
        return;
    };
    let render = |arguments: &[&str]| {
        let mut command = Command::new(&mandoc);
        command.args(arguments).arg(path(MANUAL));
        let (status, output, error) = peers::run(&mut command);
        assert!(status.success(), "{output}{error}");
        output
    };
    // All but the advice on links to pages that this machine may not have.
    assert_eq!(render(&["-Tlint", "-Wwarning"]), "");
    let shown = render(&["-Tascii", "-Owidth=300"]);
    // Bold and underlined letters are overstruck.
    let mut plain = String::new();
    for letter in shown.chars() {
        if letter == '\u{8}' {
            plain.pop();
        } else {
            plain.push(letter);
        }
    }
    for (usage, meaning) in help() {
        let (flag, value) = usage.split_once("=\"").unwrap_or((&usage, ""));
        let flag = flag.trim_end_matches(" (on)");
        let value = value.trim_end_matches('"');
        let at = plain.find(&format!("     {flag}"));
        let rest = &plain[at.unwrap_or_else(|| panic!("no {flag} in:\n{plain}"))..];
        assert!(rest.contains(&meaning), "{flag}: {meaning:?}");
        assert!(rest.contains(value), "{flag}: {value:?}");
    }
}

/// The flags of `--help` with their texts.
pub(crate) fn help() -> Vec<(String, String)> {
    let text = print("--help");
    let mut flags: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("        "), flags.last_mut()) {
            (Some(help), Some((_, text))) => {
                text.push_str(if text.is_empty() { "" } else { " " });
                text.push_str(help);
            }
            _ if line.trim_start().starts_with('-') => {
                flags.push((line.trim().to_owned(), String::new()));
            }
            _ => {}
        }
    }
    assert!(flags.iter().all(|(_, help)| !help.is_empty()), "{text}");
    flags
}

/// What `--help` lists is accepted, `--no-` forms too, and the short form prints the same.
#[test]
fn help_is_true() {
    assert_eq!(print("-h"), print("--help"));
    assert!(print("--version").starts_with("haproxy_exporter, version "));
    let mut checked = 0;
    for (usage, _) in help() {
        let Some(flag) = usage.strip_prefix("--") else {
            continue;
        };
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        let names = match name.strip_prefix("[no-]") {
            Some(name) => {
                let name = name.trim_end_matches(" (on)");
                vec![format!("--{name}"), format!("--no-{name}")]
            }
            None if name == "version" => continue,
            // Its value is optional.
            None if name.ends_with('[') => {
                let name = name.trim_end_matches('[');
                vec![
                    format!("--{name}"),
                    format!("--{name}={}", value.trim_end_matches(']')),
                ]
            }
            None => vec![format!("--{name}={}", value.trim_matches('"'))],
        };
        for flag in names {
            // Whatever is wrong with the placeholder's value, the flag itself is known.
            let mut command = exporter::command();
            command.args([flag.as_str(), "--unknown-flag"]);
            let (status, output, error) = peers::run(&mut command);
            assert_eq!((status.code(), output.as_str()), (Some(2), ""), "{flag}");
            assert!(error.contains("--unknown-flag"), "{flag}: {error}");
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked} flags");
}

/// It fits on a terminal, and each flag is in a group.
#[test]
fn help_is_readable() {
    let text = print("--help");
    let long = text.lines().filter(|line| line.chars().count() > 80);
    assert_eq!(long.collect::<Vec<_>>(), [""; 0]);
    let groups = text
        .lines()
        .filter(|line| !line.starts_with(' ') && line.ends_with(':'));
    let groups: Vec<&str> = groups.collect();
    let expected = [
        "Source:",
        "What is exported:",
        "More metrics:",
        "TLS:",
        "Listening:",
        "Logging:",
        "Instead of serving:",
    ];
    assert_eq!(groups, expected);
}

/// A help text tells what is counted, so it belongs to one family of each scope. Two names can mean the same.
#[test]
fn help_texts_are_of_their_own() {
    for names in ["exporter", "builtin"] {
        let list = print_all(&[&format!("--haproxy.metric-names={names}"), "--list-metrics"]);
        let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for line in list.lines() {
            let (name, help) = (line.split('\t').next(), line.rsplit('\t').next());
            let (name, help) = (name.expect("a name"), help.expect("a help text"));
            let scopes = ["frontend", "backend", "server", "listener", "process"];
            let scoped = scopes.iter().find_map(|scope| {
                let name = name.strip_prefix("haproxy_")?.strip_prefix(scope)?;
                name.strip_prefix('_')
            });
            named
                .entry(help)
                .or_default()
                .insert(scoped.unwrap_or(name));
            assert!(help.ends_with('.') && help.len() > 10, "{line}");
        }
        let shared = named.iter().filter(|(_, names)| names.len() > 2);
        assert_eq!(shared.collect::<Vec<_>>(), []);
    }
}

/// Every metric that a full scrape shows is in the list, with its type.
#[test]
fn the_list_has_every_metric_of_a_scrape() {
    let file = crate::support::fixtures::path("3.2.0/stat.csv");
    let exporter =
        exporter::Exporter::start(&[&format!("--haproxy.scrape-uri=file:{}", file.display())]);
    let list = print("--list-metrics");
    for (name, family) in &exporter.scrape().families {
        let start = format!("{name}\t{}\t", family.kind);
        let line = list.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{name} is not listed as {}", family.kind));
        assert!(line.ends_with(&format!("\t{}", family.help)), "{line}");
    }
}

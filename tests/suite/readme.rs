//! README.md and the manual page are what the binary says, and what `src/share` holds.
//!
//! `UPDATE_README=1 cargo test readme` writes them anew: the tables behind the marks `<!-- flags -->`,
//! `<!-- metrics -->` and `<!-- builtin metrics -->`, the blocks behind `<!-- file: PATH -->`, the manual
//! page's list of flags.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{exporter, peers};

const README: &str = "README.md";
const MANUAL: &str = "src/share/haproxy_exporter.8";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the binary prints for one flag.
fn print(flag: &str) -> String {
    print_all(&[flag])
}

fn print_all(flags: &[&str]) -> String {
    let (status, output, error) = peers::run(exporter::command().args(flags));
    assert!(status.success() && error.is_empty(), "{flags:?}: {error}");
    output
}

/// Where the text behind a line is.
fn behind(text: &str, line: &str) -> usize {
    let line = format!("{line}\n");
    let at = text.find(&line);
    at.unwrap_or_else(|| panic!("the document has no line {line:?}")) + line.len()
}

/// Where the table behind a mark is.
fn table(text: &str, mark: &str) -> Range<usize> {
    let start = behind(text, &format!("<!-- {mark} -->"));
    let rows = text[start..].split_inclusive('\n');
    let length: usize = rows
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    start..start + length
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
    hold_table("flags", &flag_rows());
    hold_table("metrics", &metric_rows("exporter"));
    hold_table("builtin metrics", &metric_rows("builtin"));
    hold_files();
    let place = |text: &str| {
        let start = behind(text, ".\\\" flags");
        let end = text[start..].find(".\\\" end of flags\n");
        start..start + end.expect("the end of the manual page's flags")
    };
    hold(MANUAL, "the list of flags", place, &manual_flags());
}

fn hold_table(mark: &str, rows: &[String]) {
    let place = |text: &str| table(text, mark);
    let part = format!("the table behind <!-- {mark} -->");
    hold(README, &part, place, &(rows.join("\n") + "\n"));
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

/// The blocks behind `<!-- file: PATH -->` are those files.
fn hold_files() {
    let readme = read(README);
    let marks = readme.lines().filter_map(|line| {
        let name = line.strip_prefix("<!-- file: ")?.strip_suffix(" -->")?;
        Some((line, name))
    });
    let mut held = 0;
    for (mark, name) in marks {
        let place = |text: &str| {
            let fence = behind(text, mark);
            let rest = &text[fence..];
            assert!(rest.starts_with("```"), "no block behind {mark}");
            let start = fence + rest.find('\n').expect("a line behind the fence") + 1;
            let end = text[start..].find("```\n").expect("the end of a block");
            start..start + end
        };
        hold(
            README,
            &format!("the block behind {mark}"),
            place,
            &read(name),
        );
        held += 1;
    }
    assert_eq!(held, 7, "blocks behind a mark");
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
fn help() -> Vec<(String, String)> {
    let text = print("--help");
    let (_, flags) = text.split_once("Flags:\n").expect("a list of flags");
    let (flags, _) = flags.split_once("\n\n").expect("the end of the list");
    let lines: Vec<&str> = flags.lines().collect();
    lines
        .chunks(2)
        .map(|pair| {
            let [flag, help] = pair else {
                panic!("a flag without a text: {pair:?}")
            };
            assert!(help.starts_with("        "), "{help:?}");
            (flag.trim().to_owned(), help.trim().to_owned())
        })
        .collect()
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

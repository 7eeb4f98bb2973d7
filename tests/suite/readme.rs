//! The README's tables are what the binary says.
//!
//! `UPDATE_README=1 cargo test readme` writes them anew, behind the marks `<!-- flags -->` and
//! `<!-- metrics -->`.

use std::path::{Path, PathBuf};

use crate::support::{exporter, peers};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

fn text() -> String {
    let path = path();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the binary prints for one flag.
fn print(flag: &str) -> String {
    let (status, output, error) = peers::run(exporter::command().arg(flag));
    assert!(status.success() && error.is_empty(), "{flag}: {error}");
    output
}

/// The lines of a table behind a mark, and where they are in the text.
fn table<'a>(text: &'a str, mark: &str) -> (Vec<&'a str>, std::ops::Range<usize>) {
    let line = format!("<!-- {mark} -->\n");
    let at = text
        .find(&line)
        .unwrap_or_else(|| panic!("README.md has no line <!-- {mark} -->"));
    let start = at + line.len();
    let rows: Vec<&str> = text[start..]
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'))
        .collect();
    let length = rows.iter().map(|row| row.len()).sum::<usize>();
    (rows, start..start + length)
}

/// Compares a table with what it must be, or writes it.
fn hold(mark: &str, want: &[String]) {
    let text = text();
    let (rows, place) = table(&text, mark);
    let rows: Vec<&str> = rows.into_iter().map(str::trim_end).collect();
    if rows == want {
        return;
    }
    if std::env::var_os("UPDATE_README").is_some_and(|value| value == "1") {
        let mut new = text.clone();
        new.replace_range(place, &(want.join("\n") + "\n"));
        std::fs::write(path(), new).expect("write README.md");
        return;
    }
    let missing = want.iter().filter(|row| !rows.contains(&row.as_str()));
    let stale = rows
        .iter()
        .filter(|row| !want.iter().any(|want| want == *row));
    let lines: Vec<String> = missing
        .map(|row| format!("+ {row}"))
        .chain(stale.map(|row| format!("- {row}")))
        .collect();
    panic!(
        "the table behind <!-- {mark} --> in README.md is not what the binary says \
         (UPDATE_README=1 cargo test readme writes it); {}:\n{}",
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

/// Both tests may write the file: one after the other.
#[test]
fn tables_are_what_the_binary_says() {
    let mut flags = vec![row(&["flag", "meaning"]), "|---|---|".to_owned()];
    flags.extend(
        help()
            .iter()
            .map(|(flag, help)| row(&[&format!("`{flag}`"), help])),
    );
    hold("flags", &flags);
    let mut metrics = vec![
        row(&["name", "type", "labels", "help"]),
        "|---|---|---|---|".to_owned(),
    ];
    metrics.extend(print("--list-metrics").lines().map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, kind, labels, help] = cells[..] else {
            panic!("not four columns: {line}")
        };
        row(&[&format!("`{name}`"), kind, &labels.replace(',', ", "), help])
    }));
    hold("metrics", &metrics);
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

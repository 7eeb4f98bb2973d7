//! HAProxy's answers, read in the plainest code.

use crate::support::fixtures;

/// The versions in `fixtures/builtin`, each with the built-in exporter's answer.
pub(super) const VERSIONS: [&str; 5] = ["2.4.0", "2.6.12", "3.0.0", "3.2.0", "3.4.0"];

/// What HAProxy says to the questions of one scrape, each without the closing empty line.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    pub(super) stat: String,
    pub(super) info: String,
    pub(super) tables: String,
    pub(super) resolvers: String,
    /// To `show resolvers`.
    pub(super) names: String,
}

/// A table of cells with named columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Answers {
    /// Those of a directory of fixtures. `of` is empty, or `extra-` for the recording with extra counters;
    /// `when` is empty, or `-after` for what was read just after the built-in exporter had answered.
    pub(super) fn recorded(version: &str, of: &str, when: &str) -> Answers {
        let read = |name: &str| {
            let text = fixtures::text(&format!("builtin/{version}/{name}"));
            text.strip_suffix('\n').expect("the empty line").to_owned()
        };
        Answers {
            stat: read(&format!("{of}stat{when}.csv")),
            info: read(&format!("info{when}.txt")),
            tables: read("table.txt"),
            resolvers: read("stat-resolvers.csv"),
            ..Answers::default()
        }
    }

    /// Those of the fixtures of the other profile, without stick tables and resolvers.
    pub(super) fn of_rows(version: &str, capture: &str) -> Answers {
        let read = |name: &str| {
            let text = fixtures::text(&format!("{version}/{name}"));
            text.strip_suffix('\n').unwrap_or(&text).to_owned()
        };
        Answers {
            stat: read(&format!("{capture}.csv")),
            info: read("info.txt"),
            ..Answers::default()
        }
    }

    /// What a file or the stats page has of it.
    pub(super) fn rows_only(&self) -> Answers {
        Answers {
            stat: self.stat.clone(),
            ..Answers::default()
        }
    }

    /// The first value of a key of `show info`: what comes later may be the second line of a description.
    pub(super) fn fact(&self, key: &str) -> Option<&str> {
        let mut lines = self.info.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
    }

    /// The word of this release for its resolvers in `show stat domain`; before 2.3 that is a `show stat`.
    pub(super) fn domain(&self) -> &str {
        let version = self.fact("Version").unwrap_or_default();
        match version.starts_with("2.3") || version.starts_with("2.4") {
            true => "dns",
            false => "resolvers",
        }
    }

    /// The rows of `show stat`.
    pub(super) fn stat(&self) -> Table {
        Table::read(&self.stat)
    }

    /// The rows of `show stat domain resolvers`; none if it answered anything else.
    pub(super) fn resolvers(&self) -> Table {
        match self.resolvers.starts_with("# id,pid,") {
            true => Table::read(&self.resolvers),
            false => Table::default(),
        }
    }

    /// The lines of `show table`: `# table: NAME, type: TYPE, size:SIZE, used:USED`.
    pub(super) fn tables(&self) -> Table {
        let row = |line: &str| -> Option<Vec<String>> {
            let rest = line.strip_prefix("# table: ")?;
            let (name, rest) = rest.split_once(", type: ")?;
            let (kind, rest) = rest.split_once(", size:")?;
            let (size, used) = rest.split_once(", used:")?;
            Some([name, kind, size, used].map(str::to_owned).to_vec())
        };
        Table {
            columns: ["name", "type", "size", "used"].map(str::to_owned).to_vec(),
            rows: self.tables.lines().filter_map(row).collect(),
        }
    }
}

impl Table {
    /// A header that begins with `# `, then rows.
    pub(super) fn read(text: &str) -> Table {
        let mut rows = cells(text).into_iter();
        let mut columns = rows.next().expect("a header");
        columns[0] = columns[0].trim_start_matches("# ").to_owned();
        Table {
            rows: rows.collect(),
            columns,
        }
    }

    /// A cell of a row by the name of its column; `None` where there is no such column.
    pub(super) fn cell<'a>(&self, row: &'a [String], column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|name| name == column)?;
        row.get(at).map(String::as_str)
    }
}

/// All fields of all lines (RFC 4180).
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                field.extend(characters.next());
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => line.push(std::mem::take(&mut field)),
            '\n' if !is_quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            other => field.push(other),
        }
    }
    assert!(line.is_empty() && field.is_empty(), "a line without an end");
    lines
}

#[test]
fn fields_are_split() {
    let table = Table::read("# a,b,\n1,\"2,\"\"\n\",\n\"\",3,\n");
    assert_eq!(table.columns, ["a", "b", ""]);
    assert_eq!(table.rows, [["1", "2,\"\n", ""], ["", "3", ""]]);
    assert_eq!(table.cell(&table.rows[0], "b"), Some("2,\"\n"));
    assert_eq!(table.cell(&table.rows[0], "c"), None);
}

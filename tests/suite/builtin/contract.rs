//! `builtin.tsv`: a line for each pair of a family and what its samples are made of.

use crate::support::fixtures;

/// A line of the contract that applies to HAProxy 2.4 and later.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// `main`, `module` (stick tables, resolvers) or `extra` (only with `?extra-counters`).
    pub(super) set: String,
    /// `process`, `frontend`, `backend`, `server`, `listener`, `sticktable` or `resolver`.
    pub(super) scope: String,
    /// The family.
    pub(super) name: String,
    /// `counter` or `gauge`.
    pub(super) kind: String,
    /// Label names, but for that of the constant label where it has one.
    pub(super) labels: Vec<String>,
    /// A label with the same value in every sample, such as `code="2xx"`.
    pub(super) constant: Option<(String, String)>,
    /// Column of the CSV, or keys of `show info`, one for each spelling.
    pub(super) keys: Vec<String>,
    /// How a cell becomes a sample.
    pub(super) transform: String,
    /// The first HAProxy whose own exporter has the family.
    pub(super) since: String,
    /// Only where the proxy is in http mode.
    pub(super) is_http: bool,
}

/// What HAProxy's exporter does not have and ours has under the builtin names: `facts.tsv`.
fn facts() -> Vec<Line> {
    let facts = fixtures::facts().into_iter();
    let facts = facts.filter(|fact| fact["names"] == "both");
    let line = |fact: std::collections::BTreeMap<String, String>| {
        let labels: &[&str] = match fact["scope"].as_str() {
            "process" => &[],
            "server" => &["proxy", "server"],
            _ => &["proxy"],
        };
        let constant = fact["label"].split_once('=');
        Line {
            set: "ours".to_owned(),
            scope: fact["scope"].clone(),
            name: fact["name"].clone(),
            kind: fact["type"].clone(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            constant: constant.map(|(name, value)| (name.to_owned(), value.to_owned())),
            keys: vec![fact["csv_name"].clone()],
            transform: match fact["value"].as_str() {
                "integer" => "copy".to_owned(),
                other => other.to_owned(),
            },
            since: match fact["scope"].as_str() {
                "process" => "2.0".to_owned(),
                _ => "2.8".to_owned(),
            },
            is_http: false,
        }
    };
    facts.map(line).collect()
}

/// All lines of the contract, and ours.
pub(super) fn lines_and_ours() -> Vec<Line> {
    lines().into_iter().chain(facts()).collect()
}

/// All lines, in their order. Names that only HAProxy before 2.4 knew, and what no answer to the
/// questions of a scrape holds (`show peers` is never asked), are left out.
pub(super) fn lines() -> Vec<Line> {
    let text = fixtures::text("builtin.tsv");
    let cells = text.lines().skip(1).map(|line| line.split('\t'));
    let cells = cells.map(|cells| cells.map(str::to_owned).collect::<Vec<_>>());
    let current = cells.filter(|cells| cells[11].is_empty() && cells[7] != "show peers");
    current.map(|cells| line(&cells)).collect()
}

fn line(cells: &[String]) -> Line {
    let listed = |cell: &str| -> Vec<String> {
        let names = cell.split(',').filter(|name| *name != "-");
        names.map(str::to_owned).collect()
    };
    let constant = cells[5].split_once('=');
    let mut labels = listed(&cells[4]);
    // A label that is in both columns has its value in the second.
    labels.retain(|label| constant.is_none_or(|(name, _)| name != label));
    Line {
        set: cells[0].clone(),
        scope: cells[1].clone(),
        name: cells[2].clone(),
        kind: cells[3].clone(),
        labels,
        constant: constant.map(|(name, value)| (name.to_owned(), value.to_owned())),
        keys: cells[8].split('|').map(str::to_owned).collect(),
        transform: cells[9].clone(),
        since: cells[10].clone(),
        is_http: cells[12].starts_with("proxy not in http mode"),
    }
}

/// Whether one version of HAProxy, such as `3.5-dev5`, is not older than another.
pub(super) fn is_as_new_as(version: &str, other: &str) -> bool {
    let numbers = |version: &str| -> [u32; 2] {
        let mut parts = version.split(['.', '-']).map(|part| part.parse());
        let mut number = || parts.next().and_then(Result::ok).expect("a version");
        [number(), number()]
    };
    numbers(version) >= numbers(other)
}

/// The contract is read as it was written: as many families and lines as were counted in it.
#[test]
fn counts() {
    let all = fixtures::text("builtin.tsv").lines().count() - 1;
    let lines = lines();
    let in_set = |set: &str| lines.iter().filter(|line| line.set == set).count();
    assert_eq!((all, lines.len()), (478, 466));
    assert_eq!(
        (in_set("main"), in_set("module"), in_set("extra")),
        (251, 17, 198)
    );
    let mut names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    names.dedup();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((count, names.len()), (451, 451), "families in one piece");
    for line in &lines {
        assert!(
            ["counter", "gauge"].contains(&line.kind.as_str()),
            "{line:?}"
        );
        assert!(is_as_new_as(&line.since, "2.0"), "{line:?}");
    }
}

//! A dashboard as the tests see it: panels, queries, variables.

use serde_json::Value;

use super::{read, share};

/// One dashboard of `src/share/grafana`.
pub(super) struct Dashboard {
    pub(super) json: Value,
}

/// One query of a panel.
pub(super) struct Query<'d> {
    pub(super) panel: &'d Value,
    pub(super) expression: &'d str,
    pub(super) legend: &'d str,
    /// Whether it asks for one moment only.
    pub(super) instant: bool,
}

/// The text of a key, which must be there.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// The list of a key, empty when it is not there.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

impl Dashboard {
    /// The dashboard for one set of names.
    pub(super) fn of(names: &str) -> Dashboard {
        let file = share(&format!("grafana/haproxy-{names}.json"));
        let json = serde_json::from_str(&read(&file))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Dashboard { json }
    }

    /// All panels, rows and the panels of collapsed rows too, from top to bottom.
    pub(super) fn panels(&self) -> Vec<&Value> {
        let top = list(&self.json, "panels").iter();
        let with_own = |panel| std::iter::once(panel).chain(list(panel, "panels"));
        top.flat_map(with_own).collect()
    }

    /// All queries of all panels.
    pub(super) fn queries(&self) -> Vec<Query<'_>> {
        let of = |panel| {
            list(panel, "targets").iter().map(move |target| Query {
                panel,
                expression: text(target, "expr"),
                legend: text(target, "legendFormat"),
                instant: target["instant"] == true,
            })
        };
        self.panels().into_iter().flat_map(of).collect()
    }

    /// The variables.
    pub(super) fn variables(&self) -> &[Value] {
        list(&self.json["templating"], "list")
    }

    /// What marks moments in all graphs.
    pub(super) fn annotations(&self) -> &[Value] {
        list(&self.json["annotations"], "list")
    }
}

impl Query<'_> {
    /// Which panel it is of, for messages.
    pub(super) fn place(&self) -> String {
        format!("panel {} ({})", self.panel["id"], text(self.panel, "title"))
    }

    /// The labels in its legend: `{{frontend}} maxconn` has one.
    pub(super) fn legend_labels(&self) -> Vec<&str> {
        let parts = self.legend.split("{{").skip(1);
        parts
            .map(|part| part.split_once("}}").expect("a closed label in a legend").0)
            .collect()
    }
}

//! What can be said of the dashboards without a Prometheus: layout, variables, units, twins.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::dashboard::{Dashboard, list, text};
use crate::support::{fixtures, peers};

const BOTH: [&str; 2] = ["exporter", "builtin"];

/// Troubles come first, then the way of a request, then the processes.
#[test]
fn rows_in_order() {
    let rows = |names| -> Vec<String> {
        let dashboard = Dashboard::of(names);
        let rows = dashboard.panels().into_iter();
        let rows = rows.filter(|panel| panel["type"] == "row");
        let title = |row: &Value| match row["collapsed"] == true {
            true => format!("{} (collapsed)", text(row, "title")),
            false => text(row, "title").to_owned(),
        };
        rows.map(title).collect()
    };
    let exporter = [
        "Current problems",
        "Frontends",
        "Backends",
        "Servers",
        "Process",
        // What has a flag.
        "Threads (collapsed)",
        "Old workers (collapsed)",
        "Certificates and peers (collapsed)",
        "Exporter",
    ];
    assert_eq!(rows("exporter"), exporter);
    let mut builtin = exporter.to_vec();
    builtin.insert(5, "Stick tables and resolvers");
    assert_eq!(rows("builtin"), builtin);
}

/// Ids are unique, panels lie side by side in 24 columns, none covers another, and nothing is empty.
#[test]
fn layout() {
    for names in BOTH {
        let dashboard = Dashboard::of(names);
        let mut ids = BTreeSet::new();
        for panel in dashboard.panels() {
            let id = panel["id"].as_u64().expect("an id");
            assert!(ids.insert(id), "{names}: two panels {id}");
        }
        let top = list(&dashboard.json, "panels");
        assert_full(names, top, 0);
        // What a collapsed row holds lies below it once it is opened.
        let collapsed = top.iter().filter(|panel| panel["collapsed"] == true);
        for row in collapsed {
            let y = row["gridPos"]["y"].as_u64().expect("a whole number");
            assert!(!list(row, "panels").is_empty(), "{names}: an empty row");
            assert_full(names, list(row, "panels"), y + 1);
        }
    }
}

/// Panels are in order, and cover the columns from `top` on without a gap.
fn assert_full(names: &str, panels: &[Value], top: u64) {
    let mut covered = BTreeSet::new();
    let mut last = (0, 0);
    let mut bottom = top;
    for panel in panels {
        let id = &panel["id"];
        let edge = |key: &str| panel["gridPos"][key].as_u64().expect("a whole number");
        let (x, y, w, h) = (edge("x"), edge("y"), edge("w"), edge("h"));
        assert!(x + w <= 24 && h > 0, "{names}: panel {id} is too wide");
        assert!((y, x) >= last, "{names}: panel {id} is out of order");
        last = (y, x);
        bottom = bottom.max(y + h);
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(covered.insert(cell), "{names}: panel {id} covers another");
        }
    }
    let cells = 24 * (bottom - top);
    assert_eq!(covered.len() as u64, cells, "{names}: there is a gap");
}

/// From each dashboard one gets to the other, and to what each alert means; failed reloads are marked.
#[test]
fn links_and_marks() {
    for names in BOTH {
        let dashboard = Dashboard::of(names);
        let links: Vec<(&str, &Value, &str)> = list(&dashboard.json, "links")
            .iter()
            .map(|link| (text(link, "type"), &link["tags"], text(link, "url")))
            .collect();
        let (tags, none) = (&dashboard.json["tags"], Value::Array(Vec::new()));
        assert_eq!(tags[0], "haproxy");
        let alerts = "/usr/local/share/haproxy_exporter/doc/alerts.md";
        let wanted = [("dashboards", tags, ""), ("link", &none, alerts)];
        assert_eq!(links, wanted, "{names}");
        let marks = dashboard.annotations().iter();
        let marks: Vec<&str> = marks.map(|mark| text(mark, "name")).collect();
        assert_eq!(marks, ["HAProxy started", "Reload failed"]);
    }
}

/// A fleet can move step by step: the menus show what the built-in exporter serves as well.
#[test]
fn menus_of_the_built_in_exporter() {
    let dashboard = Dashboard::of("builtin");
    let families = fixtures::text("builtin.tsv");
    for variable in dashboard.variables().iter().skip(1) {
        let query = text(variable, "query");
        assert!(!query.contains("haproxy_up"), "{query}");
        let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for family in words.filter(|word| word.starts_with("haproxy_")) {
            let is_own = families.lines().any(|line| {
                let mut words = line.split('\t');
                words.any(|word| word == family)
            });
            // The beginning of a pattern.
            assert!(is_own || family.ends_with('_'), "{family}");
        }
    }
}

/// What only some configurations have is said where it is missing.
#[test]
fn listeners_need_socket_stats() {
    for names in BOTH {
        for query in Dashboard::of(names).queries() {
            if query.expression.contains("haproxy_listener_") {
                let title = text(query.panel, "title");
                assert!(title.contains("option socket-stats"), "{title}");
            }
        }
    }
}

#[test]
fn variables() {
    for names in BOTH {
        let dashboard = Dashboard::of(names);
        assert_eq!(dashboard.json["uid"], format!("haproxy-{names}-names"));
        let variables: Vec<&str> = dashboard
            .variables()
            .iter()
            .map(|v| text(v, "name"))
            .collect();
        let wanted = ["datasource", "job", "instance", "proxy", "server"];
        assert_eq!(variables, wanted);
        let asking = dashboard.panels().into_iter();
        let asking = asking.filter(|panel| panel["type"] != "row");
        let asking = asking.chain(dashboard.annotations());
        for asks in asking.chain(dashboard.variables().iter().skip(1)) {
            assert_eq!(text(&asks["datasource"], "uid"), "${datasource}", "{asks}");
        }
        for query in dashboard.queries() {
            let place = format!("{names}, {}: {}", query.place(), query.expression);
            for selector in query.expression.split('{').skip(1) {
                let selector = selector.split('}').next().unwrap_or_default();
                assert!(selector.contains("job=~\"$job\""), "{place}");
                assert!(selector.contains("instance=~\"$instance\""), "{place}");
            }
            let rows = [
                "haproxy_frontend_",
                "haproxy_backend_",
                "haproxy_server_",
                "haproxy_listener_",
                "haproxy_servers{",
            ];
            let of_rows: usize = rows
                .iter()
                .map(|rows| query.expression.matches(rows).count())
                .sum();
            let chosen = query.expression.matches("=~\"$proxy\"").count();
            assert_eq!(chosen, of_rows, "{place}");
            let of_servers = query.expression.matches("haproxy_server_").count();
            let chosen = query.expression.matches("=~\"$server\"").count();
            assert_eq!(chosen, of_servers, "{place}");
        }
    }
}

/// The unit that the name of a family and what is done with it ask for.
fn unit(expression: &str) -> &'static [&'static str] {
    let has = |part: &str| expression.contains(part);
    // A quotient of two of a kind.
    if has(") / (") || has("} / (") {
        return &["percentunit"];
    }
    if has("sum(haproxy_") && has("== bool 0") || has("increase(") || has("count(") {
        return &["short"];
    }
    match (has("rate("), has("_bytes")) {
        (true, true) => &["Bps"],
        (true, false) if has("http_re") || has("requests_denied") || has("request_errors") => {
            &["reqps"]
        }
        // Seconds a second have no unit: 1 is one processor.
        (true, false) if has("cpu_seconds") || has("stolen_seconds") => &["short"],
        (true, false) if has("process_requests") || has("workers_requests") => &["cps", "reqps"],
        (true, false) => &["cps"],
        (false, true) => &["bytes"],
        (false, false) if has("_seconds") => &["s"],
        (false, false) if has("_percent") => &["percent"],
        (false, false) => &["short"],
    }
}

/// A value of a table is what the override of its column says.
fn unit_of(panel: &Value) -> Option<&str> {
    let properties = list(&panel["fieldConfig"], "overrides")
        .iter()
        .flat_map(|change| list(change, "properties"));
    let mut units = properties.filter(|property| property["id"] == "unit");
    let own = panel["fieldConfig"]["defaults"]["unit"].as_str();
    own.or_else(|| units.next()?["value"].as_str())
}

#[test]
fn units() {
    let mut checked = 0;
    for names in BOTH {
        let dashboard = Dashboard::of(names);
        for query in dashboard.queries() {
            let state =
                query.panel["type"] == "state-timeline" || query.expression.starts_with("ALERTS");
            let unit_of = unit_of(query.panel);
            assert_eq!(unit_of.is_none(), state, "{names}, {}", query.place());
            let Some(given) = unit_of else { continue };
            let wanted = unit(query.expression);
            assert!(
                wanted.contains(&given),
                "{names}, {}: {given}, not {wanted:?}: {}",
                query.place(),
                query.expression
            );
            checked += 1;
        }
    }
    assert!(checked > 150, "only {checked} queries have a unit");
}

/// Panels whose queries differ in more than names: only the builtin names know a server's state and
/// since when it has been so; each set has its own family of servers by state.
const DIFFER: [u64; 4] = [4, 14, 15, 213];

/// Every family that has another name in the builtin set, and a label that must be asked for then.
const NAMES: [(&str, &str, &str); 8] = [
    (
        "haproxy_backend_up",
        "haproxy_backend_status",
        ", state=\"UP\"",
    ),
    (
        "haproxy_server_up",
        "haproxy_server_status",
        ", state=\"UP\"",
    ),
    (
        "haproxy_backend_current_server",
        "haproxy_backend_active_servers",
        "",
    ),
    (
        "haproxy_server_server_selected_total",
        "haproxy_server_loadbalanced_total",
        "",
    ),
    (
        "http_queue_time_average_seconds",
        "queue_time_average_seconds",
        "",
    ),
    (
        "http_connect_time_average_seconds",
        "connect_time_average_seconds",
        "",
    ),
    (
        "http_response_time_average_seconds",
        "response_time_average_seconds",
        "",
    ),
    (
        "http_total_time_average_seconds",
        "total_time_average_seconds",
        "",
    ),
];

/// A query under exporter names as it must be under builtin names.
fn translated(query: &str) -> String {
    let mut query = query.to_owned();
    for (from, to, label) in NAMES {
        while let Some(at) = query.find(from) {
            query.replace_range(at..at + from.len(), to);
            if !label.is_empty() {
                let end = at + query[at..].find('}').expect("the end of a selector");
                query.insert_str(end, label);
            }
        }
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    for label in ["frontend", "backend"] {
        let mut from = 0;
        while let Some(at) = query[from..].find(label).map(|at| at + from) {
            from = at + label.len();
            let inside = query[..at].bytes().last().is_some_and(is_word)
                || query[from..].bytes().next().is_some_and(is_word);
            if !inside {
                query.replace_range(at..from, "proxy");
                from = at + "proxy".len();
            }
        }
    }
    query
}

/// A legend likewise: only what is in braces is a label.
fn renamed(legend: &str) -> String {
    let legend = legend.replace("{{frontend}}", "{{proxy}}");
    legend.replace("{{backend}}", "{{proxy}}")
}

/// Whatever one dashboard shows the other shows in the same way, from its own names.
#[test]
fn the_dashboards_are_twins() {
    let (exporter, builtin) = (Dashboard::of("exporter"), Dashboard::of("builtin"));
    for panel in exporter.panels() {
        let id = panel["id"].as_u64().expect("an id");
        let twin = builtin.panels();
        let twin = twin.into_iter().find(|twin| twin["id"] == id);
        let twin = twin.unwrap_or_else(|| panic!("no panel {id} under builtin names"));
        assert_eq!(panel["title"], twin["title"], "{id}");
        assert_eq!(panel["type"], twin["type"], "{id}");
        if DIFFER.contains(&id) {
            assert_ne!(panel, twin, "panel {id} need not be listed");
            continue;
        }
        for key in ["description", "fieldConfig", "options", "transformations"] {
            assert_eq!(panel[key], twin[key], "{key} of panel {id}");
        }
        let targets = |panel| -> Vec<(String, String)> {
            let both = |target| {
                (
                    text(target, "expr").to_owned(),
                    text(target, "legendFormat").to_owned(),
                )
            };
            list(panel, "targets").iter().map(both).collect()
        };
        let wanted: Vec<_> = targets(panel)
            .iter()
            .map(|(query, legend)| (translated(query), renamed(legend)))
            .collect();
        assert_eq!(wanted, targets(twin), "panel {id}");
    }
}

/// Grafana's own schema, where its packages can be had.
#[test]
fn the_schema() {
    let Some(_) = peers::find("npm") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("tests/tools/check-dashboards.sh"));
    let (status, output, error) = peers::run(&mut command);
    match status.code() {
        Some(77) => peers::skip(error.trim_end()),
        _ => assert!(status.success(), "{output}{error}"),
    }
}

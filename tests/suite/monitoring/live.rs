//! Every query of the dashboards is put to a real Prometheus that scrapes a real HAProxy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::dashboard::{Dashboard, Query, list, text};
use super::scene::Scene;
use crate::support::peers;

/// Families that nothing in the scene has, as an exporter prints them. Each must be asked for by a
/// dashboard and be absent from the exporter's own answer, or it is to be struck off. FRONTEND and BACKEND
/// are the labels of the names.
const MISSING: &[&str] = &[
    // HAProxy 2.6 does not count these, 3.2 does.
    "haproxy_process_maxconn_reached_total 1",
    "haproxy_process_warnings_total 1",
    "haproxy_process_blocked_traffic_warnings_total 1",
    "haproxy_process_current_streams 1",
    "haproxy_process_streams_total 1",
    "haproxy_process_boot_duration_seconds 1",
    "haproxy_backend_published{BACKEND=\"app\"} 1",
    "haproxy_frontend_http_requests_by_version_total{FRONTEND=\"web\",version=\"2\"} 1",
    "haproxy_frontend_sessions_by_version_total{FRONTEND=\"web\",version=\"2\"} 1",
    // All servers of the scene are in use.
    "haproxy_server_maintenance{BACKEND=\"app\",server=\"s\",reason=\"admin\"} 1",
    "haproxy_server_draining{BACKEND=\"app\",server=\"s\",reason=\"admin\"} 1",
];

/// What is wrong in the scene, and nothing else is: alert, proxy and server.
const ALERTS: &[&str] = &[
    "HaproxyBackendDown dead",
    "HaproxyBackendErrors app",
    "HaproxyBackendHalfDown app",
    "HaproxyFrontendSessionLimit full",
    "HaproxyPeerDown ",
    "HaproxyServerDown app/two",
    // Made up, see `MISSING`.
    "HaproxyServerLeftOut app/s",
];

/// What the panels on top show of the scene, by their ids.
const NOW: &[(u64, f64)] = &[
    (2, 0.0),  // Failing scrapes
    (3, 1.0),  // backends without a server: dead
    (4, 2.0),  // servers down: app/two, dead/gone
    (5, 0.0),  // requests that wait
    (7, 1.0),  // fullest frontend: full
    (10, 0.0), // rows skipped
    (11, 0.0), // failed reloads
    (12, 2.0), // old workers
];

/// The name of a sample's family.
fn family(sample: &str) -> &str {
    sample.split(['{', ' ']).next().unwrap_or_default()
}

/// Whether a query asks for a family, and not only for one whose name begins like it.
fn asks_for(expression: &str, family: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    expression.match_indices(family).any(|(at, _)| {
        let next = expression.as_bytes().get(at + family.len());
        !next.is_some_and(|&byte| is_word(byte))
    })
}

/// A query as Grafana sends it, every proxy of the scene chosen.
fn with_values(expression: &str) -> String {
    // Longest names first.
    let values = [
        ("$__rate_interval", "10s"),
        ("$__range", "1h"),
        ("$instance", ".*"),
        ("$server", ".*"),
        ("$proxy", ".*"),
        ("$job", "haproxy"),
    ];
    let replaced = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    values.iter().fold(expression.to_owned(), replaced)
}

/// Asks as Grafana does: for one moment, or for the time that a graph shows.
fn ask(scene: &Scene, query: &Query<'_>) -> Vec<Value> {
    let expression = with_values(query.expression);
    if query.instant {
        scene.query(&expression)
    } else {
        scene.query_range(&expression)
    }
}

/// What is wrong with an answer; nothing when it can be shown.
fn trouble(answer: &[Value], query: &Query<'_>) -> Option<String> {
    let number = |series: &Value| series["value"][1].as_str()?.parse::<f64>().ok();
    if answer.is_empty() {
        return Some("no series".to_owned());
    }
    if let Some(series) = answer.iter().find(|s| number(s).is_none_or(f64::is_nan)) {
        return Some(format!("not a number: {series}"));
    }
    // Every column of a table is a label of some row, or the value.
    for column in columns(query.panel) {
        let is_label = answer
            .iter()
            .any(|series| !series["metric"][column].is_null());
        if !is_label && column != "Value" {
            return Some(format!("no row has a {column}"));
        }
    }
    let named = |series: &Value, label: &str| {
        series["metric"][label]
            .as_str()
            .is_some_and(|value| !value.is_empty())
    };
    let labels = query.legend_labels();
    let unnamed = answer
        .iter()
        .find(|series| !labels.iter().all(|label| named(series, label)))?;
    Some(format!("{} names nothing in {unnamed}", query.legend))
}

/// The columns of a table, by the names that Prometheus gives them.
fn columns(panel: &Value) -> impl Iterator<Item = &str> {
    let steps = list(panel, "transformations").iter();
    let kept = steps.filter(|step| step["id"] == "filterFieldsByName");
    let names = kept.flat_map(|step| list(&step["options"]["include"], "names"));
    names.map(|name| name.as_str().expect("a column's name"))
}

/// The legend of a series as Grafana writes it.
fn legend(query: &Query<'_>, series: &Value) -> String {
    let labels = query.legend_labels();
    let filled = |text: String, label: &&str| {
        let value = series["metric"][*label].as_str().unwrap_or_default();
        text.replace(&format!("{{{{{label}}}}}"), value)
    };
    labels.iter().fold(query.legend.to_owned(), filled)
}

/// Two series of one panel can be told apart.
fn assert_legends_differ(answers: &[(Query<'_>, Vec<Value>)]) {
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for (query, answer) in answers {
        if query.panel["type"] == "table" {
            continue;
        }
        for series in answer {
            let legend = legend(query, series);
            assert!(
                seen.insert((query.place(), legend.clone())),
                "{}: two series are called {legend:?}",
                query.place()
            );
        }
    }
}

/// The values that Grafana offers for each variable.
fn variables(scene: &Scene, dashboard: &Dashboard) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for variable in dashboard.variables().iter().skip(1) {
        let query = with_values(text(variable, "query"));
        let (function, rest) = query.split_once('(').expect("a function");
        let arguments = rest.strip_suffix(')').expect("the end of a function");
        let values = match function {
            "label_values" => {
                let (selector, label) = arguments.rsplit_once(", ").expect("two arguments");
                scene.label_values(selector, label)
            }
            "query_result" => {
                assert_eq!(text(variable, "regex"), "/proxy=\"(.*)\"/");
                let answer = scene.query(arguments);
                let values = answer
                    .iter()
                    .map(|series| text(&series["metric"], "proxy").to_owned());
                values.collect()
            }
            other => panic!("a variable that asks with {other}"),
        };
        found.insert(text(variable, "name").to_owned(), values);
    }
    found
}

/// Every rule can be evaluated, and the alerts that wait or fire are those of the scene.
fn assert_alerts(scene: &Scene) {
    let rules = scene.rules();
    let sick: Vec<&Value> = rules.iter().filter(|rule| rule["health"] != "ok").collect();
    assert!(sick.is_empty(), "rules that cannot be evaluated: {sick:?}");
    let wanted: BTreeSet<String> = ALERTS.iter().map(|alert| alert.to_string()).collect();
    let mut active = BTreeSet::new();
    let same = peers::wait_for_or_give_up(|| {
        scene.traffic();
        active = scene.active_alerts();
        (active == wanted).then_some(())
    });
    assert!(same.is_some(), "{active:#?}");
}

/// The panels on top have the right numbers.
fn assert_now(scene: &Scene, dashboard: &Dashboard) {
    for (id, wanted) in NOW {
        let queries = dashboard.queries();
        let query = queries.iter().find(|query| query.panel["id"] == *id);
        let query = query.unwrap_or_else(|| panic!("no panel {id}"));
        let mut shown = Vec::new();
        let right = peers::wait_for_or_give_up(|| {
            let number = |series: &Value| series["value"][1].as_str()?.parse().ok();
            shown = ask(scene, query)
                .iter()
                .filter_map(number)
                .collect::<Vec<f64>>();
            (shown == [*wanted]).then_some(())
        });
        assert!(
            right.is_some(),
            "{} shows {shown:?}, not {wanted}",
            query.place()
        );
    }
}

fn every_query_answers(names: &str) {
    let dashboard = Dashboard::of(names);
    let page: String = MISSING.iter().map(|sample| format!("{sample}\n")).collect();
    let labels = match names {
        "builtin" => ["proxy", "proxy"],
        _ => ["frontend", "backend"],
    };
    let page = page.replace("FRONTEND", labels[0]);
    let page = page.replace("BACKEND", labels[1]);
    let Some(mut scene) = Scene::start(&page, names) else {
        return;
    };
    scene.restart();

    let mut waiting = dashboard.queries();
    let total = waiting.len();
    let mut started = false;
    let mut answers = Vec::new();
    let whole = peers::wait_for_or_give_up(|| {
        scene.traffic();
        let mut left = Vec::new();
        for query in waiting.drain(..) {
            let answer = ask(&scene, &query);
            match trouble(&answer, &query) {
                Some(_) => left.push(query),
                None => answers.push((query, answer)),
            }
        }
        waiting = left;
        for mark in dashboard.annotations() {
            started |= !scene.query(&with_values(text(mark, "expr"))).is_empty();
        }
        (waiting.is_empty() && started).then_some(())
    });
    let left: Vec<String> = waiting
        .iter()
        .map(|query| {
            let answer = ask(&scene, query);
            let trouble = trouble(&answer, query).unwrap_or_default();
            format!("{}: {}\n  {trouble}", query.place(), query.expression)
        })
        .collect();
    assert!(
        whole.is_some(),
        "HAProxy's start seen: {started}; {} of {total} queries:\n{}",
        left.len(),
        left.join("\n")
    );
    assert_legends_differ(&answers);

    let own = scene.exporter.scrape();
    for sample in MISSING {
        let family = family(sample);
        assert!(
            !own.families.contains_key(family),
            "{family} is there: strike it off"
        );
        let asked = answers
            .iter()
            .any(|(query, _)| asks_for(query.expression, family));
        assert!(asked, "{family} is not asked for: strike it off");
    }

    assert_alerts(&scene);
    assert_now(&scene, &dashboard);

    let variables = variables(&scene, &dashboard);
    assert_eq!(variables["job"], ["haproxy"]);
    let instances: BTreeSet<&str> = variables["instance"].iter().map(String::as_str).collect();
    let exporters = [&scene.exporter, &scene.master_exporter];
    let addresses = exporters.map(|exporter| exporter.address().to_string());
    assert_eq!(instances, addresses.iter().map(String::as_str).collect());
    let proxies: BTreeSet<&str> = variables["proxy"].iter().map(String::as_str).collect();
    let there = scene.proxies();
    let there = there.iter().map(String::as_str).chain(["reloaded"]);
    assert_eq!(proxies, there.collect());

    let made_up = answers.iter().filter(|(query, _)| {
        MISSING
            .iter()
            .any(|sample| asks_for(query.expression, family(sample)))
    });
    peers::note(&format!(
        "{names}: {total} of {total} queries answered, {} of them with families that are made up",
        made_up.count()
    ));
}

#[test]
fn every_query_answers_under_exporter_names() {
    every_query_answers("exporter");
}

#[test]
fn every_query_answers_under_builtin_names() {
    every_query_answers("builtin");
}

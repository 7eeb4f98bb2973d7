//! Query parameters: what they select, and which are refused.

use super::answers::Answers;
use super::ours;
use super::reference;
use super::responder::Responder;
use super::served::recordings;
use super::text::Family;
use super::wish::Wish;
use crate::support::exporter::Exporter;
use crate::support::peers;

/// Queries that are answered.
pub(super) const ANSWERED: [&str; 74] = [
    "",
    "scope=global",
    "scope=frontend",
    "scope=backend",
    "scope=server",
    "scope=listener",
    "scope=sticktable",
    "scope=resolver",
    "scope=*",
    "scope=",
    "scope=frontend&scope=server",
    "scope=server&scope=frontend",
    "scope=frontend&scope=frontend",
    "scope=&scope=global",
    "scope=*&scope=",
    "scope=global&scope=&scope=listener&scope=sticktable",
    "scope=&scope=*",
    "scope=%66rontend",
    "scope=fr%6Fnt%65nd",
    "%73cope=backend",
    "scope=%2A",
    "&&scope=frontend&",
    "no-maint",
    "no-maint=",
    "no-maint=0",
    "no-maint=1&no-maint",
    "no%2Dmaint",
    "scope=server&no-maint",
    "scope=backend&no-maint",
    "scope=listener&no-maint",
    "metrics=",
    "metrics=,",
    "metrics=-",
    "metrics=,-,,",
    "metrics=haproxy_server_status",
    "metrics=haproxy_server_status,haproxy_frontend_status",
    "metrics=haproxy_server_status&metrics=haproxy_process_jobs",
    "metrics=haproxy_server_status%2Chaproxy_process_jobs",
    "metrics=haproxy%5Fserver_status",
    "metrics=haproxy_backend_agg_server_status",
    "metrics=haproxy_backend_agg_check_status,haproxy_backend_status",
    "metrics=haproxy_sticktable_used,haproxy_resolver_valid",
    "metrics=haproxy_listener_status,haproxy_process_build_info",
    "metrics=haproxy_server_up,haproxy_version_info,haproxy_info",
    "metrics=-haproxy_server_status",
    "metrics=-haproxy_server_status,-haproxy_server_up",
    "metrics=haproxy_server_status,-haproxy_server_status",
    "metrics=-haproxy_server_status,haproxy_server_status",
    "metrics=haproxy_server_status,-haproxy_server_weight",
    "metrics=haproxy_server_status&metrics=-haproxy_server_status&metrics=haproxy_server_status",
    "metrics=haproxy_up",
    "metrics=-haproxy_up",
    "metrics=haproxy_exporter_scrapes_total,process_open_fds",
    "metrics=-haproxy_exporter_build_info,-process_max_fds",
    "metrics=server_status",
    "metrics=haproxy_server_status*",
    "metrics=haproxy_server_status{state%3D\"UP\"}",
    "metrics=haproxy_server_status+",
    "metrics=HAPROXY_SERVER_STATUS",
    "metrics=nothing",
    "metrics=nothing,-haproxy_up",
    "scope=frontend&metrics=haproxy_backend_status",
    "scope=frontend&metrics=haproxy_frontend_status,haproxy_up",
    "scope=server&metrics=-haproxy_server_status&no-maint",
    "extra-counters",
    "extra-counters=0",
    "extra-counters&scope=listener",
    "extra-counters&scope=backend&no-maint",
    "extra-counters&metrics=haproxy_frontend_h1_open_streams",
    "metrics=haproxy_frontend_h1_open_streams",
    "extra-counters&metrics=-haproxy_frontend_h1_open_streams",
    "Scope=frontend&SCOPE=nope&Scopes=x",
    "desc-labels&unknown=1&x",
    "no_maint&nomaint&extra_counters",
];

macro_rules! not_a_scope {
    ($value:literal) => {
        concat!(
            "scope: \"",
            $value,
            "\" is not a known value (use global, frontend, backend, server, listener, sticktable, resolver or *)"
        )
    };
}
macro_rules! not_names {
    ($value:literal) => {
        concat!(
            "names: \"",
            $value,
            "\" is not a known value (use exporter or builtin)"
        )
    };
}
/// Queries that are refused, and the line that says why.
#[rustfmt::skip]
const REFUSED: [(&str, &str); 39] = [
    ("scope", "scope: the value is missing (scope=VALUE)"),
    ("scope=frontend&scope", "scope: the value is missing (scope=VALUE)"),
    ("scope&scope=frontend", "scope: the value is missing (scope=VALUE)"),
    ("scope=nope", not_a_scope!("nope")),
    ("scope=frontend&scope=nope", not_a_scope!("nope")),
    ("scope=nope&scope=", not_a_scope!("nope")),
    ("scope=sticktable&scope=nope", not_a_scope!("nope")),
    ("scope=%6Eope", not_a_scope!("nope")),
    ("s%63ope=nope", not_a_scope!("nope")),
    ("scope=frontend,backend", not_a_scope!("frontend,backend")),
    ("scope=Frontend", not_a_scope!("Frontend")),
    ("scope=frontends", not_a_scope!("frontends")),
    ("scope=sticktable&scope=listeners", not_a_scope!("listeners")),
    ("targets=a", "targets: unknown parameter (use target)"),
    ("scope=server&scopes=server", "scopes: unknown parameter (use scope)"),
    ("metric=haproxy_up", "metric: unknown parameter (use metrics)"),
    ("name=builtin&names=builtin", "name: unknown parameter (use names)"),
    ("metrics=nope", "metrics: no metric is called \"nope\""),
    ("scope=*x", not_a_scope!("*x")),
    ("scope=**", not_a_scope!("**")),
    ("scope=+frontend", not_a_scope!(" frontend")),
    ("scope=%00", not_a_scope!("\\0")),
    ("scope=%0Anope", not_a_scope!("\\nnope")),
    ("scope=a=b", "scope: the value holds an equals sign"),
    ("scope==frontend", "scope: the value holds an equals sign"),
    ("metrics", "metrics: the value is missing (metrics=VALUE)"),
    ("metrics=haproxy_up&metrics", "metrics: the value is missing (metrics=VALUE)"),
    ("metrics=a=b", "metrics: the value holds an equals sign"),
    ("names", "names: the value is missing (names=VALUE)"),
    ("names=", not_names!("")),
    ("names=Builtin", not_names!("Builtin")),
    ("names=builtin,exporter", not_names!("builtin,exporter")),
    ("names=exporter&names=x", not_names!("x")),
    ("no-maint=a=b", "no-maint: the value holds an equals sign"),
    ("unknown=a=b", "unknown: the value holds an equals sign"),
    ("scope=%zz", "scope: the value is not percent-encoded UTF-8"),
    ("scope=%4", "scope: the value is not percent-encoded UTF-8"),
    ("metrics=%ff", "metrics: the value is not percent-encoded UTF-8"),
    ("%zz=1", "the query is not percent-encoded UTF-8"),
];

/// A HAProxy with everything, and its servers in maintenance.
pub(super) fn haproxy() -> (Responder, Vec<(String, String)>) {
    let answers = Answers::recorded("3.4.0", "", "");
    let stat = answers.stat();
    let maint = stat.rows.iter().filter_map(|row| {
        let cell = |column: &str| stat.cell(row, column).unwrap_or_default();
        let is_maint = cell("type") == "2" && cell("status").starts_with("MAINT");
        is_maint.then(|| (cell("pxname").to_owned(), cell("svname").to_owned()))
    });
    let maint: Vec<(String, String)> = maint.collect();
    assert_eq!(maint.len(), 6, "{maint:?}");
    (Responder::start(answers), maint)
}

/// The families with what never stays the same taken off.
pub(super) fn steady(families: &[Family]) -> Vec<Family> {
    let mut families = families.to_vec();
    for family in families
        .iter_mut()
        .filter(|family| ours::is_own(&family.name))
    {
        family
            .samples
            .iter_mut()
            .for_each(|sample| sample.value.clear());
    }
    families
}

fn path(names: &str, query: &str) -> String {
    format!("/metrics?names={names}&{query}")
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace('"', "%22")
}

/// Each query selects from the whole answer, in its order.
#[test]
fn selections() {
    let (responder, maint) = haproxy();
    let exporter = Exporter::start(&[&responder.flag()]);
    let mut rejected = 0;
    for names in ["builtin", "exporter"] {
        let all = ours::get(&exporter, &path(names, "extra-counters"));
        for query in ANSWERED {
            let wish = Wish::read(query);
            if let Some(why) = wish.names_nothing(&all) {
                let response = exporter.get(&path(names, query));
                let found = (response.status, response.text());
                assert_eq!(found, (400, why.as_str()), "{names} {query}");
                rejected += 1;
                continue;
            }
            let got = ours::get(&exporter, &path(names, query));
            let wanted = wish.of(&all, &maint);
            let listed = |families: &[Family]| -> Vec<String> {
                let names = families.iter().map(|family| family.name.clone());
                names.collect()
            };
            assert_eq!(listed(&got), listed(&wanted), "{names} {query}");
            assert!(
                steady(&got) == steady(&wanted),
                "samples of {names} {query}"
            );
        }
    }
    // Reported once a minute.
    let problems = exporter.finish().problems();
    let messages: Vec<&str> = problems
        .iter()
        .map(|problem| problem.msg.as_str())
        .collect();
    assert_eq!((messages, rejected), (vec!["a query was rejected"], 25));
}

/// The last `names` wins; without it the flag's names are those.
#[test]
fn names() {
    let (responder, _) = haproxy();
    let flag = responder.flag();
    let cases: [(&[&str], &str, bool); 9] = [
        (&[], "", false),
        (&[], "?", false),
        (&[], "?names=builtin", true),
        (&[], "?names=%62uiltin", true),
        (&[], "?names=builtin&names=exporter", false),
        (&[], "?names=exporter&scope=server&names=builtin", true),
        (&["--haproxy.metric-names=exporter"], "", false),
        (&["--haproxy.metric-names=builtin"], "", true),
        (
            &["--haproxy.metric-names=builtin"],
            "?names=exporter",
            false,
        ),
    ];
    for (flags, query, is_builtin) in cases {
        let flags = [&[flag.as_str()], flags].concat();
        let exporter = Exporter::start(&flags);
        let families = ours::get(&exporter, &format!("/metrics{query}"));
        let has = |name: &str| families.iter().any(|family| family.name == name);
        let found = [has("haproxy_server_status"), has("haproxy_server_up")];
        assert_eq!(found, [is_builtin, !is_builtin], "{flags:?} {query}");
    }
}

/// 400 and one line that names the parameter; nothing is asked of HAProxy for it.
#[test]
fn refusals() {
    let (responder, _) = haproxy();
    let exporter = Exporter::start(&[&responder.flag()]);
    let mut wrong = Vec::new();
    for (query, why) in REFUSED {
        let response = exporter.get(&format!("/metrics?{query}"));
        if (response.status, response.text().trim_end_matches('\n')) != (400, why) {
            wrong.push(format!("{query}: {} {}", response.status, response.text()));
        }
        assert_eq!(
            response.header("content-type"),
            Some("text/plain; charset=utf-8"),
            "{query}"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    assert_eq!(responder.take_lines(), [""; 0]);
    let problems = exporter.finish().problems();
    let what: Vec<_> = problems
        .iter()
        .map(|problem| (problem.msg.as_str(), &problem.details[..]))
        .collect();
    let first = "err=targets: unknown parameter (use target)".to_owned();
    assert_eq!(what, [("a query was rejected", &[first][..])]);
}

/// `?extra-counters`, and what it adds to what is there without.
#[test]
fn extra_counters() {
    let mut compared = 0;
    for (name, answers) in recordings() {
        let responder = Responder::start(answers.clone());
        let expected = reference::all(&answers);
        let exporter = Exporter::start(&[&responder.flag()]);
        let all = ours::get(&exporter, "/metrics?names=builtin&extra-counters");
        ours::assert_same(&all, &expected, &name);
        compared += expected.len();
    }
    peers::note(&format!("{compared} samples"));
}

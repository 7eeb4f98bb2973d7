use super::*;
use crate::commands;

mod names;

fn defaults() -> Defaults {
    let columns: Vec<usize> = (0..128).collect();
    Defaults {
        catalog: Box::leak(Box::new(commands::catalog(&columns))),
        profile: 1,
    }
}

/// The words of the scopes that a selection has families of.
fn scopes(selection: &Selection) -> Vec<&'static str> {
    let mut scopes = Vec::new();
    let families = selection.catalog().families(selection.profile());
    for (number, (group, _)) in families.enumerate() {
        if selection.has(number) && !scopes.contains(&group.scope) {
            scopes.push(group.scope);
        }
    }
    scopes
}

/// What a selection has of the groups that are in no scope.
fn own_families(selection: &Selection) -> usize {
    let families = selection.catalog().families(selection.profile());
    let own = families
        .enumerate()
        .filter(|(number, (group, _))| group.scope.is_empty() && selection.has(*number));
    own.count()
}

#[test]
fn scopes_add_up_from_left_to_right() {
    let all = [
        "global",
        "frontend",
        "backend",
        "server",
        "listener",
        "sticktable",
        "resolver",
    ];
    let own = own_families(&Selection::all(&defaults()));
    assert!(own > 30, "{own}");
    let cases: [(&str, &[&str]); 13] = [
        ("", &all),
        ("scope=*", &all),
        ("scope=", &[]),
        ("scope=global", &["global"]),
        ("scope=frontend", &["frontend"]),
        ("scope=frontend&scope=server", &["frontend", "server"]),
        (
            "scope=listener&scope=sticktable&scope=resolver",
            &["listener", "sticktable", "resolver"],
        ),
        ("scope=*&scope=", &[]),
        ("scope=&scope=backend", &["backend"]),
        ("scope=%66rontend", &["frontend"]),
        ("Scope=frontend", &all),
        ("x=y&&scope=frontend#&scope=server", &["frontend"]),
        ("&", &all),
    ];
    for (query, expected) in cases {
        let selection = Query::parse(query, &defaults()).unwrap().selection;
        let mut found = scopes(&selection);
        found.retain(|scope| !scope.is_empty());
        assert_eq!(found, expected, "{query}");
        // What is not HAProxy's is always there.
        assert_eq!(own_families(&selection), own, "{query}");
    }
}

#[test]
fn what_is_in_no_scope() {
    let catalog = defaults().catalog;
    let mut prefixes: Vec<&str> = catalog
        .families(1)
        .filter(|(group, _)| group.scope.is_empty())
        .map(|(group, _)| group.prefix)
        .collect();
    prefixes.dedup();
    let expected = [
        "haproxy_",
        "process_",
        "haproxy_peer_",
        "haproxy_peers_",
        "haproxy_thread_",
        "haproxy_ssl_certificate_",
        "haproxy_ssl_certificates_",
        "haproxy_master_",
        "haproxy_",
    ];
    assert_eq!(prefixes, expected);
}

#[test]
fn metrics_are_kept_and_left_out_by_name() {
    let up = "haproxy_up";
    let status = "haproxy_server_status";
    let weight = "haproxy_server_weight";
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("metrics=", &[up, status, weight], &[]),
        ("metrics=,-,", &[up, status, weight], &[]),
        ("metrics=haproxy_server_status", &[status], &[up, weight]),
        ("metrics=-haproxy_server_status", &[up, weight], &[status]),
        (
            "metrics=haproxy_up,haproxy_server_weight",
            &[up, weight],
            &[status],
        ),
        (
            "metrics=haproxy_up&metrics=haproxy_server_weight",
            &[up, weight],
            &[status],
        ),
        (
            "metrics=haproxy_server_status,-haproxy_server_status",
            &[],
            &[up, status, weight],
        ),
        (
            "metrics=-haproxy_server_status,haproxy_server_status",
            &[status],
            &[up, weight],
        ),
        (
            "metrics=haproxy_server_status&scope=frontend",
            &[],
            &[up, status, weight],
        ),
    ];
    for (query, kept, left_out) in cases {
        let selection = Query::parse(query, &defaults()).unwrap().selection;
        let has = |name: &str| {
            let mut families = selection.catalog().families(1).enumerate();
            families.any(|(number, (group, family))| {
                selection.has(number) && format!("{}{}", group.prefix, family.name) == name
            })
        };
        assert!(kept.iter().all(|name| has(name)), "{query}");
        assert!(!left_out.iter().any(|name| has(name)), "{query}");
    }
}

#[test]
fn names_maintenance_and_extra_counters() {
    let parse = |query: &str| Query::parse(query, &defaults()).unwrap().selection;
    let cases = [
        ("", 1, false, false),
        ("names=exporter", 0, false, false),
        ("names=exporter&names=builtin", 1, false, false),
        ("no-maint", 1, true, false),
        ("no-maint=0", 1, true, false),
        ("extra-counters&no-maint", 1, true, true),
        ("extra-counters=0", 1, false, true),
        ("names=exporter&extra-counters", 0, false, false),
    ];
    for (query, profile, no_maint, has_extra) in cases {
        let selection = parse(query);
        let families = selection.catalog().families(profile).enumerate();
        let extra =
            families.filter(|(number, (group, _))| group.is_extra && selection.has(*number));
        assert_eq!(selection.profile(), profile, "{query}");
        assert_eq!(
            selection.leaves_out_maint(RowsOf::Stat(RowType::Server)),
            no_maint,
            "{query}"
        );
        assert!(
            !selection.leaves_out_maint(RowsOf::Stat(RowType::Backend)),
            "{query}"
        );
        assert_eq!(extra.count() > 0, has_extra, "{query}");
    }
}

#[test]
fn bad_queries() {
    let names = "global, frontend, backend, server, listener, sticktable, resolver or *";
    let cases = [
        (
            "scope",
            "scope: the value is missing (scope=VALUE)".to_owned(),
        ),
        (
            "metrics",
            "metrics: the value is missing (metrics=VALUE)".to_owned(),
        ),
        (
            "names",
            "names: the value is missing (names=VALUE)".to_owned(),
        ),
        (
            "scope=x",
            format!("scope: \"x\" is not a known value (use {names})"),
        ),
        (
            "scope=Frontend",
            format!("scope: \"Frontend\" is not a known value (use {names})"),
        ),
        (
            "scope=frontend,backend",
            format!("scope: \"frontend,backend\" is not a known value (use {names})"),
        ),
        (
            "scope=sticktable&scope=%0a",
            format!("scope: \"\\n\" is not a known value (use {names})"),
        ),
        (
            "names=go",
            "names: \"go\" is not a known value (use exporter or builtin)".to_owned(),
        ),
        (
            "metrics=a=b",
            "metrics: the value holds an equals sign".to_owned(),
        ),
        (
            "x=%4",
            "x: the value is not percent-encoded UTF-8".to_owned(),
        ),
        (
            "x=%ff",
            "x: the value is not percent-encoded UTF-8".to_owned(),
        ),
        ("%zz", "the query is not percent-encoded UTF-8".to_owned()),
    ];
    for (query, expected) in cases {
        let error = Query::parse(query, &defaults()).err().unwrap();
        assert_eq!(error.to_string(), expected, "{query}");
    }
}

#[test]
fn what_is_wanted_together() {
    let defaults = defaults();
    let wanted = |queries: &[&str]| {
        let mut wanted = Wanted::default();
        for query in queries {
            wanted.add(&Query::parse(query, &defaults).unwrap().selection);
        }
        wanted
    };
    let cases: [(&[&str], [bool; 6]); 8] = [
        (&[""], [true; 6]),
        (&["names=exporter"], [true, true, true, false, true, false]),
        (
            &["scope=frontend"],
            [true, false, false, false, false, false],
        ),
        // Servers are counted for their backends.
        (&["scope=backend"], [false, true, true, false, false, false]),
        (
            &["scope=backend&names=exporter"],
            [false, true, false, false, false, false],
        ),
        (
            &["metrics=haproxy_backend_status"],
            [false, true, false, false, false, false],
        ),
        (
            &["scope=frontend", "scope=listener"],
            [true, false, false, true, false, false],
        ),
        (&["scope="], [false; 6]),
    ];
    for (queries, expected) in cases {
        let wanted = wanted(queries);
        let [frontends, backends, servers, listeners] =
            RowType::ALL.map(|of| wanted.has(defaults.catalog, of));
        let [process, tables] = ["haproxy_process_", "haproxy_sticktable_"].map(|prefix| {
            let mut families = defaults.catalog.families(1);
            let (group, _) = families.find(|(group, _)| group.prefix == prefix).unwrap();
            wanted.has_group(defaults.catalog, group)
        });
        let found = [frontends, backends, servers, listeners, process, tables];
        assert_eq!(found, expected, "{queries:?}");
    }
    // The state of servers is read to tell those in maintenance.
    let status = defaults
        .catalog
        .slot(RowType::Server, "status", Conversion::ServerState)
        .unwrap();
    for (query, expected) in [
        ("metrics=haproxy_server_weight", false),
        ("metrics=haproxy_server_weight&no-maint", true),
    ] {
        let mut slots = Vec::new();
        wanted(&[query]).mark_slots(defaults.catalog, RowType::Server, &mut slots);
        assert_eq!(slots[status], expected, "{query}");
    }
}

#[test]
fn targets_are_named_in_the_query() {
    let cases = [
        ("", None),
        ("scope=frontend", None),
        ("target=", Some("")),
        ("target=a&target=b", Some("b")),
        ("names=builtin&target=edge%20one", Some("edge one")),
    ];
    for (query, expected) in cases {
        let target = Query::parse(query, &defaults()).unwrap().target;
        assert_eq!(target.as_deref(), expected, "{query}");
    }
}

/// What a request complained about is over when another one reads as much, or more, and finds nothing.
#[test]
fn a_request_includes_what_it_reads_and_nothing_else() {
    let defaults = defaults();
    let wanted = |query: &str| Wanted::of(&Query::parse(query, &defaults).unwrap().selection);
    for (own, other, expected) in [
        ("", "", true),
        // Servers in maintenance are left out by their state, which must be there for it.
        ("", "no-maint", true),
        ("no-maint", "", true),
        (
            "metrics=haproxy_server_weight",
            "metrics=haproxy_server_weight&no-maint",
            false,
        ),
        (
            "metrics=haproxy_server_weight&no-maint",
            "metrics=haproxy_server_weight",
            true,
        ),
        (
            "metrics=haproxy_server_weight,haproxy_server_status&names=builtin",
            "metrics=haproxy_server_weight&no-maint",
            true,
        ),
        ("scope=frontend", "scope=frontend&no-maint", true),
        ("", "scope=server", true),
        ("scope=server", "", false),
        ("scope=server", "scope=frontend", false),
        ("scope=server&scope=frontend", "scope=frontend", true),
        ("scope=frontend", "scope=server&scope=frontend", false),
        ("scope=", "scope=server", false),
        ("scope=server", "scope=", true),
        ("scope=", "scope=", true),
        (
            "metrics=haproxy_server_status",
            "metrics=haproxy_server_weight",
            false,
        ),
        // Other names of the same columns.
        (
            "names=builtin&scope=server",
            "names=exporter&metrics=haproxy_server_weight",
            true,
        ),
        (
            "names=exporter&metrics=haproxy_server_weight",
            "names=builtin&scope=server",
            false,
        ),
    ] {
        let includes = wanted(own).includes(&wanted(other), defaults.catalog);
        assert_eq!(includes, expected, "{own:?} {other:?}");
    }
}

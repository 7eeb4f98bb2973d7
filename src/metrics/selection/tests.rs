use super::*;

fn defaults() -> Defaults {
    let columns: Vec<usize> = (0..128).collect();
    Defaults {
        catalog: Box::leak(Box::new(Catalog::new(&columns))),
        profile: 1,
    }
}

/// The scopes that a selection has families of.
fn scopes(selection: &Selection) -> Vec<Scope> {
    let mut scopes = Vec::new();
    let families = catalog::families(selection.profile());
    for (number, (group, _)) in families.enumerate() {
        if selection.has(number) && !scopes.contains(&group.scope) {
            scopes.push(group.scope);
        }
    }
    scopes
}

#[test]
fn scopes_add_up_from_left_to_right() {
    use Scope::{Backend, Frontend, Listener, Resolver, Server, StickTable};
    let own = [
        Scope::Exporter,
        Scope::ExporterBuild,
        Scope::OwnProcess,
        Scope::Peer,
        Scope::Certificate,
        Scope::Certificates,
        Scope::Master,
        Scope::OldWorkers,
    ];
    let global = [
        Scope::Process,
        Scope::ProcessBuild,
        Scope::ProcessNode,
        Scope::ProcessDescription,
        Scope::HaproxyProcess,
    ];
    let rows = [Frontend, Backend, Server, Listener];
    let all = [&global[..], &rows, &[StickTable, Resolver]].concat();
    let cases: [(&str, &[Scope]); 13] = [
        ("", &all),
        ("scope=*", &all),
        ("scope=", &[]),
        ("scope=global", &global),
        ("scope=frontend", &[Frontend]),
        ("scope=frontend&scope=server", &[Frontend, Server]),
        (
            "scope=listener&scope=sticktable&scope=resolver",
            &[Listener, StickTable, Resolver],
        ),
        ("scope=*&scope=", &[]),
        ("scope=&scope=backend", &[Backend]),
        ("scope=%66rontend", &[Frontend]),
        ("Scope=frontend", &all),
        ("x=y&&scope=frontend#&scope=server", &[Frontend]),
        ("&", &all),
    ];
    for (query, expected) in cases {
        let (selection, _) = Selection::parse(query, &defaults()).unwrap();
        let mut found = scopes(&selection);
        found.retain(|scope| !own.contains(scope));
        assert_eq!(found, expected, "{query}");
        // What is not HAProxy's is always there.
        assert!(
            own.iter().all(|scope| scopes(&selection).contains(scope)),
            "{query}"
        );
    }
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
        let (selection, _) = Selection::parse(query, &defaults()).unwrap();
        let has = |name: &str| {
            let mut families = catalog::families(1).enumerate();
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
    let parse = |query: &str| Selection::parse(query, &defaults()).unwrap().0;
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
        let families = catalog::families(profile).enumerate();
        let extra =
            families.filter(|(number, (group, _))| group.is_extra && selection.has(*number));
        assert_eq!(selection.profile(), profile, "{query}");
        assert_eq!(
            selection.leaves_out_maint(Scope::Server),
            no_maint,
            "{query}"
        );
        assert!(!selection.leaves_out_maint(Scope::Backend), "{query}");
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
            format!("scope: \"x\" is not a value that it takes (use {names})"),
        ),
        (
            "scope=Frontend",
            format!("scope: \"Frontend\" is not a value that it takes (use {names})"),
        ),
        (
            "scope=frontend,backend",
            format!("scope: \"frontend,backend\" is not a value that it takes (use {names})"),
        ),
        (
            "scope=sticktable&scope=%0a",
            format!("scope: \"\\n\" is not a value that it takes (use {names})"),
        ),
        (
            "names=go",
            "names: \"go\" is not a value that it takes (use exporter or builtin)".to_owned(),
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
        let error = Selection::parse(query, &defaults()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{query}");
    }
}

#[test]
fn what_is_wanted_together() {
    let defaults = defaults();
    let wanted = |queries: &[&str]| {
        let mut wanted = Wanted::default();
        for query in queries {
            wanted.add(&Selection::parse(query, &defaults).unwrap().0);
        }
        wanted
    };
    let scopes = [
        Scope::Frontend,
        Scope::Backend,
        Scope::Server,
        Scope::Listener,
        Scope::Process,
        Scope::StickTable,
    ];
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
        assert_eq!(
            scopes.map(|scope| wanted.has(defaults.catalog, scope)),
            expected,
            "{queries:?}"
        );
    }
    // The state of servers is read to tell those in maintenance.
    let status = defaults
        .catalog
        .slot(Scope::Server, number("status"), Reading::ServerState)
        .unwrap();
    for (query, expected) in [
        ("metrics=haproxy_server_weight", false),
        ("metrics=haproxy_server_weight&no-maint", true),
    ] {
        let mut slots = Vec::new();
        wanted(&[query]).mark_slots(defaults.catalog, Scope::Server, &mut slots);
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
        let (_, target) = Selection::parse(query, &defaults()).unwrap();
        assert_eq!(target.as_deref(), expected, "{query}");
    }
}

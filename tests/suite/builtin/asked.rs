//! What HAProxy is asked for each request.

use super::answers::Answers;
use super::ours;
use super::responder::Responder;
use crate::support::exporter::Exporter;

/// Names, query, and the line that HAProxy gets. Without rows it is asked for `show info` all the same, to
/// see whether it is up.
const CASES: [(&str, &str, &str); 40] = [
    ("builtin", "", ALL),
    ("builtin", "scope=*", ALL),
    ("builtin", "scope=global", "show info"),
    ("builtin", "scope=frontend", "show stat -1 1 -1"),
    // A backend's servers are counted.
    ("builtin", "scope=backend", "show stat -1 6 -1"),
    ("builtin", "scope=server", "show stat -1 4 -1"),
    ("builtin", "scope=listener", "show stat -1 8 -1"),
    ("builtin", "scope=sticktable", "show info;show table"),
    (
        "builtin",
        "scope=resolver",
        "show info;show stat domain resolvers",
    ),
    ("builtin", "scope=", "show info"),
    ("builtin", "metrics=haproxy_up", "show info"),
    ("builtin", "metrics=nothing,haproxy_up", "show info"),
    (
        "exporter",
        "scope=listener&scope=sticktable&scope=resolver",
        "show info",
    ),
    (
        "builtin",
        "scope=frontend&scope=listener",
        "show stat -1 9 -1",
    ),
    (
        "builtin",
        "scope=frontend&scope=global",
        "show stat -1 1 -1;show info",
    ),
    (
        "builtin",
        "scope=frontend&scope=sticktable",
        "show stat -1 1 -1;show table",
    ),
    (
        "builtin",
        "scope=server&scope=resolver",
        "show stat -1 4 -1;show info;show stat domain resolvers",
    ),
    (
        "builtin",
        "scope=global&scope=sticktable&scope=resolver",
        "show info;show table;show stat domain resolvers",
    ),
    (
        "builtin",
        "metrics=haproxy_frontend_status",
        "show stat -1 1 -1",
    ),
    (
        "builtin",
        "metrics=haproxy_backend_status",
        "show stat -1 2 -1",
    ),
    (
        "builtin",
        "metrics=haproxy_backend_agg_server_status",
        "show stat -1 6 -1",
    ),
    (
        "builtin",
        "metrics=haproxy_server_status,haproxy_frontend_status",
        "show stat -1 5 -1",
    ),
    (
        "builtin",
        "metrics=haproxy_listener_status",
        "show stat -1 8 -1",
    ),
    (
        "builtin",
        "metrics=haproxy_sticktable_used",
        "show info;show table",
    ),
    ("builtin", "metrics=haproxy_process_jobs", "show info"),
    ("builtin", "metrics=haproxy_process_build_info", "show info"),
    (
        "builtin",
        "metrics=haproxy_resolver_sent,haproxy_up",
        "show info;show stat domain resolvers",
    ),
    ("builtin", "no-maint", ALL),
    (
        "builtin",
        "extra-counters&scope=frontend",
        "show stat -1 1 -1",
    ),
    (
        "builtin",
        "extra-counters&metrics=haproxy_backend_h1_open_streams",
        "show stat -1 2 -1",
    ),
    ("exporter", "", "show stat -1 7 -1;show info"),
    ("exporter", "scope=global", "show info"),
    ("exporter", "scope=frontend", "show stat -1 1 -1"),
    ("exporter", "scope=backend", "show stat -1 2 -1"),
    // Its servers are counted for each backend.
    ("exporter", "scope=server", "show stat -1 6 -1"),
    (
        "exporter",
        "scope=frontend&scope=backend",
        "show stat -1 3 -1",
    ),
    ("exporter", "metrics=haproxy_server_up", "show stat -1 4 -1"),
    ("exporter", "metrics=haproxy_version_info", "show info"),
    (
        "exporter",
        "metrics=haproxy_backend_up,haproxy_process_pid",
        "show stat -1 2 -1;show info",
    ),
    (
        "exporter",
        "extra-counters&no-maint",
        "show stat -1 7 -1;show info",
    ),
];
const ALL: &str = "show stat -1 15 -1;show info;show table;show stat domain resolvers";

#[test]
fn only_what_is_wanted() {
    let responder = Responder::start(Answers::recorded("3.4.0", "", ""));
    let exporter = Exporter::start(&[&responder.flag()]);
    // From then on the version is known.
    ours::get(&exporter, "/metrics?names=builtin");
    responder.take_lines();
    for (names, query, line) in CASES {
        ours::get(&exporter, &format!("/metrics?names={names}&{query}"));
        assert_eq!(responder.take_lines(), [line], "{names} {query}");
    }
    assert_eq!(exporter.finish().problems(), []);
}

/// A release is needed only for resolvers.
#[test]
fn nothing_is_asked_beforehand() {
    for (query, line) in [
        ("scope=frontend", "show stat -1 1 -1"),
        (
            "scope=sticktable&scope=server",
            "show stat -1 4 -1;show table",
        ),
        ("scope=global", "show info"),
    ] {
        let responder = Responder::start(Answers::recorded("3.4.0", "", ""));
        let exporter = ours::start(&[&responder.flag()]);
        ours::get(&exporter, &format!("/metrics?{query}"));
        assert_eq!(responder.take_lines(), [line]);
    }
}

//! Names that are not those of a parameter, a scope or a metric.

use super::*;

/// `resolvers` and `sticktables` as HAProxy 3 takes them; other scopes are whole words.
#[test]
fn scopes_of_modules_are_prefixes() {
    let scopes_of = |query: &str| {
        let selection = Query::parse(query, &defaults()).unwrap().selection;
        let mut found = scopes(&selection);
        found.retain(|scope| !scope.is_empty());
        found
    };
    for (query, expected) in [
        ("scope=resolvers", ["resolver"].as_slice()),
        ("scope=sticktables", &["sticktable"]),
        (
            "scope=sticktableXYZ&scope=resolver1",
            &["sticktable", "resolver"],
        ),
        ("scope=resolver&scope=resolvers", &["resolver"]),
        ("scope=resolvers&scope=&scope=sticktables", &["sticktable"]),
    ] {
        assert_eq!(scopes_of(query), expected, "{query}");
    }
    for word in [
        "frontends",
        "servers",
        "resolve",
        "Resolvers",
        "globals",
        "listenerx",
        "xresolver",
    ] {
        let error = Query::parse(&format!("scope={word}"), &defaults()).map(drop);
        assert!(
            matches!(error, Err(SelectionError::UnknownValue("scope", ..))),
            "{word}"
        );
    }
}

#[test]
fn unknown_metrics_and_misspelt_parameters() {
    let long = "x".repeat(200);
    let cases: [(&str, Result<Option<&str>, &str>); 19] = [
        ("metrics=haproxy_server_status", Ok(None)),
        ("metrics=haproxy_server_status,nope", Ok(Some("\"nope\""))),
        (
            "metrics=nope&metrics=haproxy_server_status",
            Ok(Some("\"nope\"")),
        ),
        // Known, though the scope or its absence leaves nothing of it.
        ("metrics=haproxy_server_status&scope=global", Ok(None)),
        ("metrics=haproxy_frontend_ssl_sess", Ok(None)),
        ("metrics=haproxy_up,", Ok(None)),
        ("metrics=nope", Err("metrics: no metric is called \"nope\"")),
        (
            "metrics=a,b,&metrics=-c,d",
            Err("metrics: no metric is called \"a\", \"b\", \"c\" and 1 more"),
        ),
        (
            "metrics=haproxy_server",
            Err("metrics: no metric is called \"haproxy_server\""),
        ),
        (
            "metrics=HAPROXY_UP",
            Err("metrics: no metric is called \"HAPROXY_UP\""),
        ),
        // A name of the other set.
        (
            "metrics=haproxy_server_up",
            Err("metrics: no metric is called \"haproxy_server_up\""),
        ),
        ("names=exporter&metrics=haproxy_server_up", Ok(None)),
        (
            "metrics=%1b%22",
            Err("metrics: no metric is called \"\\u{1b}\\\"\""),
        ),
        // All but what is not there anyway.
        ("metrics=-nope", Ok(Some("\"nope\""))),
        ("metrics=", Ok(None)),
        ("targets=a", Err("targets: unknown parameter (use target)")),
        ("scopes", Err("scopes: unknown parameter (use scope)")),
        (
            "x=y&metric=haproxy_up",
            Err("metric: unknown parameter (use metrics)"),
        ),
        ("name=builtin", Err("name: unknown parameter (use names)")),
    ];
    for (query, expected) in cases {
        let found = Query::parse(query, &defaults()).map(|query| query.unknown);
        let found = found.map_err(|error| error.to_string());
        let expected = expected
            .map(|names| names.map(str::to_owned))
            .map_err(str::to_owned);
        assert_eq!(found, expected, "{query}");
    }
    for query in [
        "Targets=a",
        "target_=a",
        "names_=x",
        "SCOPE=x",
        "metricsx=y",
        "_=1",
    ] {
        assert!(Query::parse(query, &defaults()).is_ok(), "{query}");
    }
    let error = Query::parse(&format!("metrics={long}"), &defaults())
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("metrics: no metric is called \"{}\"", &long[..80])
    );
}

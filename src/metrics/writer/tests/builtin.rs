//! What only the names of HAProxy's own exporter show: states, codes, http mode, counts over servers.

use super::*;
use crate::haproxy::columns::NUMBERED;
use crate::metrics::modules;

/// All columns, as a HAProxy of today prints them.
fn columns() -> Vec<&'static str> {
    let modules = modules::COLUMNS.into_iter().flatten();
    let others = ["cache_hint_hits"].into_iter();
    let others = others.chain(modules.map(|(name, _)| *name));
    NUMBERED.into_iter().chain(others).collect()
}

/// The header of a HAProxy with all columns.
fn header() -> String {
    format!("# {},\n", columns().join(","))
}

/// A row by column names.
fn named(proxy: &str, service: &str, kind: &str, cells: &[(&str, &str)]) -> String {
    let columns = columns();
    let mut fields = vec![""; columns.len() + 1];
    (fields[0], fields[1], fields[ROW_TYPE]) = (proxy, service, kind);
    for (column, text) in cells {
        let position = columns.iter().position(|name| name == column);
        fields[position.unwrap()] = text;
    }
    fields.join(",") + "\n"
}

/// The samples of a query, but for those that are 0.
fn not_zero(rows: &str, query: &str) -> Vec<String> {
    let mut table = table_with(&[], &[], 1, query);
    let answer = header() + rows + "\n";
    let scraped = scraped_by(&mut table, answer.as_bytes(), Proof::EmptyLine);
    assert_eq!(
        (scraped.result, scraped.failures),
        (Ok(()), 0),
        "{:?}",
        scraped.first
    );
    let lines = scraped.text.lines();
    let samples = lines.filter(|line| !line.starts_with('#') && !line.ends_with(" 0"));
    samples.map(|line| line.replace("haproxy_", "")).collect()
}

#[test]
fn states_are_one_sample_each() {
    let rows = [
        named("web", "FRONTEND", "0", &[("status", "OPEN")]),
        named("off", "FRONTEND", "0", &[("status", "STOP")]),
        named("web", "sock-1", "3", &[("status", "FULL")]),
        named(
            "app",
            "a",
            "2",
            &[
                ("status", "UP 1/3"),
                ("check_status", "* L7OK"),
                ("check_code", "200"),
            ],
        ),
        named(
            "app",
            "b",
            "2",
            &[("status", "MAINT (via x/y)"), ("check_status", "L4CON")],
        ),
        named("app", "c", "2", &[("status", "no check")]),
        named("app", "BACKEND", "1", &[("status", "UP")]),
        named("none", "BACKEND", "1", &[("status", "DOWN")]),
    ];
    let found = not_zero(
        &rows.concat(),
        "metrics=-haproxy_backend_agg_server_check_status",
    );
    #[rustfmt::skip]
    let expected = [
        "frontend_status{proxy=\"web\",state=\"UP\"} 1",
        "frontend_status{proxy=\"off\",state=\"DOWN\"} 1",
        "server_maintenance{proxy=\"app\",server=\"b\",reason=\"tracked\"} 1",
        "backend_status{proxy=\"app\",state=\"UP\"} 1",
        "backend_status{proxy=\"none\",state=\"DOWN\"} 1",
        "backend_agg_server_status{proxy=\"app\",state=\"UP\"} 2",
        "backend_agg_server_status{proxy=\"app\",state=\"MAINT\"} 1",
        "backend_agg_check_status{proxy=\"app\",state=\"L4CON\"} 1",
        "backend_agg_check_status{proxy=\"app\",state=\"L7OK\"} 1",
        "server_status{proxy=\"app\",server=\"a\",state=\"UP\"} 1",
        "server_status{proxy=\"app\",server=\"b\",state=\"MAINT\"} 1",
        "server_status{proxy=\"app\",server=\"c\",state=\"UP\"} 1",
        "server_check_status{proxy=\"app\",server=\"a\",state=\"L7OK\"} 1",
        "server_check_status{proxy=\"app\",server=\"b\",state=\"L4CON\"} 1",
        "server_check_code{proxy=\"app\",server=\"a\"} 200",
        "listener_status{proxy=\"web\",listener=\"sock-1\",state=\"FULL\"} 1",
    ];
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    assert_eq!(sorted(found), sorted(expected.map(str::to_owned).to_vec()));
}

#[test]
fn a_backend_without_servers_has_no_counts_and_rows_may_come_in_any_order() {
    let server = |proxy, name, status| named(proxy, name, "2", &[("status", status)]);
    let backend = |proxy| named(proxy, "BACKEND", "1", &[]);
    let rows = [
        backend("app"),
        backend("none"),
        server("app", "a", "UP"),
        server("other", "a", "DOWN"),
        server("app", "b", "DOWN 1/2"),
        backend("other"),
    ];
    let mut table = table_with(&[], &[], 1, "metrics=haproxy_backend_agg_server_status");
    let answer = header() + &rows.concat();
    let scraped = scraped_by(&mut table, answer.as_bytes(), Proof::LineEnd);
    assert_eq!((scraped.result, scraped.failures), (Ok(()), 0));
    let lines: Vec<_> = samples(&scraped.text);
    assert_eq!(lines.len(), 10, "{lines:?}");
    for (proxy, state, count) in [
        ("app", "UP", 1),
        ("app", "DOWN", 1),
        ("other", "DOWN", 1),
        ("other", "UP", 0),
    ] {
        let name = "haproxy_backend_agg_server_status";
        let line = format!("{name}{{proxy=\"{proxy}\",state=\"{state}\"}} {count}");
        assert!(lines.contains(&line.as_str()), "{line}: {lines:?}");
    }
}

#[test]
fn excluded_servers_count_for_their_backend() {
    let server = |name, status| named("app", name, "2", &[("status", status), ("weight", "1")]);
    let rows = [
        server("a", "UP"),
        server("b", "MAINT"),
        named("app", "BACKEND", "1", &[]),
    ];
    let answer = header() + &rows.concat();
    // By the flag and by the query.
    for (excluded, query) in [(&["MAINT"][..], ""), (&[], "no-maint")] {
        let mut table = table_with(&[], excluded, 1, query);
        let text = scraped_by(&mut table, answer.as_bytes(), Proof::LineEnd).text;
        assert!(
            text.contains("haproxy_backend_agg_server_status{proxy=\"app\",state=\"MAINT\"} 1\n")
        );
        assert!(text.contains("haproxy_server_weight{proxy=\"app\",server=\"a\"} 1\n"));
        assert!(!text.contains("server=\"b\""), "{query}");
    }
    // A family without a sample left has no header.
    let mut table = table_with(&[], &[], 1, "no-maint&scope=server");
    let answer = header() + &server("b", "MAINT");
    assert_eq!(
        scraped_by(&mut table, answer.as_bytes(), Proof::LineEnd).text,
        ""
    );
}

#[test]
fn cells_that_depend_on_another() {
    let http = named(
        "h",
        "FRONTEND",
        "0",
        &[("hrsp_1xx", "0"), ("comp_in", "5"), ("req_tot", "6")],
    );
    let tcp = named(
        "t",
        "FRONTEND",
        "0",
        &[("comp_in", "5"), ("req_tot", "6"), ("scur", "7")],
    );
    let found = not_zero(&(http + &tcp), "scope=frontend");
    let expected = [
        "frontend_current_sessions{proxy=\"t\"} 7",
        "frontend_http_requests_total{proxy=\"h\"} 6",
        "frontend_http_comp_bytes_in_total{proxy=\"h\"} 5",
    ];
    assert_eq!(found, expected);
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: [Case<'_>; 6] = [
        (&[("check_status", "L4OK")], &["server_check_code{} 0"]),
        (&[("check_code", "404")], &[]),
        (
            &[("check_status", "L7OK"), ("check_code", "404")],
            &["server_check_code{} 404"],
        ),
        (
            &[("agent_status", "UNK"), ("agent_duration", "5")],
            &["server_agent_code{} 0"],
        ),
        (
            &[("agent_status", "INI"), ("agent_code", "1")],
            &["server_agent_code{} 1"],
        ),
        (
            &[("agent_status", "* L7OK"), ("agent_duration", "5")],
            &[
                "server_agent_code{} 0",
                "server_agent_duration_seconds{} 0.005",
            ],
        ),
    ];
    let names = "metrics=haproxy_server_check_code,haproxy_server_agent_code,haproxy_server_agent_duration_seconds";
    for (cells, expected) in cases {
        let mut table = table_with(&[], &[], 1, names);
        let answer = header() + &named("p", "s", "2", cells);
        let text = scraped_by(&mut table, answer.as_bytes(), Proof::LineEnd).text;
        let lines = samples(&text).into_iter().map(|line| {
            let line = line.replace("proxy=\"p\",server=\"s\"", "");
            line.replace("haproxy_", "")
        });
        assert_eq!(lines.collect::<Vec<_>>(), expected, "{cells:?}");
    }
}

#[test]
fn counters_of_modules_are_there_when_asked_for() {
    let rows = [
        named("f", "FRONTEND", "0", &[("h1_bytes_in", "7"), ("scur", "1")]),
        named("b", "s", "2", &[("ssl_sess", "8"), ("h1_bytes_in", "9")]),
    ];
    let with = not_zero(&rows.concat(), "extra-counters");
    let expected = [
        "frontend_current_sessions{proxy=\"f\"} 1",
        "frontend_h1_bytes_in{proxy=\"f\",mod=\"h1\"} 7",
        "server_ssl_sess{proxy=\"b\",server=\"s\",mod=\"ssl\"} 8",
    ];
    assert_eq!(with, expected);
    assert_eq!(not_zero(&rows.concat(), ""), &expected[..1]);
}

/// Positions are kept while the header stays, and read again when it or what is wanted changes.
#[test]
fn positions_follow_the_header_and_what_is_wanted() {
    let row = |header: &str, cells: &[(&str, &str)]| {
        let of = |name: &str| cells.iter().find(|(column, _)| *column == name);
        let cells = header
            .split(',')
            .map(|name| of(name).map_or("", |cell| cell.1));
        cells.collect::<Vec<_>>().join(",") + "\n"
    };
    let usual = columns().join(",") + ",";
    let other = "svname,pxname,".to_owned()
        + &columns()[2..]
            .iter()
            .rev()
            .copied()
            .collect::<Vec<_>>()
            .join(",");
    let cells = [
        ("pxname", "app"),
        ("svname", "a"),
        ("type", "2"),
        ("scur", "7"),
        ("weight", "3"),
        ("status", "UP"),
    ];
    let headers = [&usual, &other, &other, "", &usual];
    let queries = [
        "metrics=haproxy_server_current_sessions",
        "metrics=haproxy_server_weight",
    ];
    let mut table = table_with(&[], &[], 1, queries[0]);
    for query in queries {
        for (number, header) in headers.into_iter().enumerate() {
            let defaults = Defaults {
                catalog: table.selection.catalog(),
                profile: 1,
            };
            table.selection = Query::parse(query, &defaults).unwrap().selection;
            table.wanted = Wanted::default();
            table.wanted.add(&table.selection);
            let answer = match header {
                "" => row(&NUMBERED.join(","), &cells),
                header => format!("# {header}\n{}", row(header, &cells)),
            };
            let scraped = scrape(&mut table, answer.as_bytes(), usize::MAX, Proof::LineEnd);
            assert_eq!(
                (&scraped.result, scraped.failures),
                (&Ok(()), 0),
                "{number}"
            );
            let value = samples(&scraped.text)[0].rsplit(' ').next();
            let expected = if query == queries[0] { "7" } else { "3" };
            assert_eq!(value, Some(expected), "{number}: {query}");
        }
    }
}

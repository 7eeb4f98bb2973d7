//! Which servers and which of their columns are kept.

use super::*;

#[test]
fn excluded_states() {
    #[rustfmt::skip]
    let statuses = [
        "UP", "UP 1/3", "DOWN", "DOWN 2/3", "DOWN (agent)", "MAINT", "MAINT (via a/b)",
        "MAINT (resolution)", "DRAIN", "NOLB 1/2", "no check", "MAINTAIN", "", "UP -1/3", "DRAIN -2/3",
        "DOWN -1/2",
    ];
    #[rustfmt::skip]
    let cases: [(&[&str], &[&str]); 9] = [
        (&[], &[]),
        (&["MAINT"], &["MAINT", "MAINT (via a/b)", "MAINT (resolution)"]),
        (&["MAINT (via a/b)"], &["MAINT (via a/b)"]),
        (&["DOWN"], &["DOWN", "DOWN 2/3", "DOWN (agent)", "DOWN -1/2"]),
        (&["DOWN 2/3", "no check"], &["DOWN 2/3", "no check"]),
        (&["UP", "NOLB", "DRAIN"], &["UP", "UP 1/3", "UP -1/3", "NOLB 1/2", "DRAIN", "DRAIN -2/3"]),
        (&["UP -1/3"], &["UP -1/3"]),
        (&["maint", "MAIN", "1/3"], &[]),
        (&[" UP"], &[]),
    ];
    for (excluded, gone) in cases {
        let mut answer = HEADER.to_owned();
        for (at, status) in statuses.iter().enumerate() {
            answer += &server(&format!("s{at}"), &[(4, "1"), (STATUS, status)]);
        }
        // Frontends and backends stay, whatever their state.
        answer += &row("web", "FRONTEND", "0", &[(4, "1"), (STATUS, "MAINT")]);
        answer += &row("app", "BACKEND", "1", &[(4, "1"), (STATUS, "DOWN")]);
        let mut table = table_of(&[4], excluded);
        let scraped = scraped_by(&mut table, answer.as_bytes(), Proof::LineEnd);
        assert_eq!((scraped.result, scraped.failures), (Ok(()), 0));
        for (at, status) in statuses.iter().enumerate() {
            let is_there = scraped.text.contains(&format!("server=\"s{at}\""));
            assert_eq!(is_there, !gone.contains(status), "{excluded:?}: {status:?}");
        }
        assert!(scraped.text.contains("haproxy_frontend_current_sessions{"));
        assert!(scraped.text.contains("haproxy_backend_current_sessions{"));
    }
}

#[test]
fn server_columns() {
    let row = server("a", &[(4, "1"), (17, "UP"), (39, "2"), (41, "3")]);
    let answer = HEADER.to_owned() + &frontend(&[(4, "7"), (33, "8")]) + &row;
    let server_names = |columns: &[usize]| {
        let mut table = table_of(columns, &[]);
        assert_eq!(
            table.wanted.has(table.selection.catalog(), RowType::Server),
            columns.iter().any(|c| (2..62).contains(c))
        );
        let scraped = scraped_by(&mut table, answer.as_bytes(), Proof::LineEnd);
        assert_eq!((scraped.result, scraped.failures), (Ok(()), 0));
        let (servers, others): (Vec<_>, Vec<_>) = samples(&scraped.text)
            .into_iter()
            .map(str::to_owned)
            .partition(|line| line.starts_with("haproxy_server_"));
        assert_eq!(others.len(), 2);
        let short = servers.iter().map(|line| {
            let line = line.replace("backend=\"app\",server=\"a\"", "");
            line.replace("haproxy_server_", "")
        });
        short.collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(server_names(&[]), none);
    assert_eq!(server_names(&[0, 1, 999]), none);
    assert_eq!(server_names(&[4]), ["current_sessions{} 1"]);
    assert_eq!(
        server_names(&[17, 4, 4]),
        ["current_sessions{} 1", "up{} 1"]
    );
    assert_eq!(
        server_names(&[39, 41, 42]),
        [
            "http_responses_total{,code=\"1xx\"} 2",
            "http_responses_total{,code=\"3xx\"} 3"
        ]
    );
    // One HELP and TYPE, whichever cell of the family comes first.
    assert_eq!(
        server_names(&[41]),
        ["http_responses_total{,code=\"3xx\"} 3"]
    );
}

//! `--haproxy.server-info`: the address and cookie of each server.

use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition::Exposition;
use crate::support::haproxy::{Haproxy, Place};

const FLAG: &str = "--haproxy.server-info";

/// A HAProxy whose CLI has this level, with a server that has a cookie and one that has none.
fn haproxy(level: &str) -> Option<Haproxy> {
    let place = Place::new(1);
    let global = place
        .global()
        .replace("level admin", &format!("level {level}"));
    let configuration = format!(
        "{global}frontend web\n  bind {}\n  default_backend app\n\
         backend app\n  cookie S insert\n  server one 127.0.0.1:1 cookie \"c,1\"\n  \
         server two [::1]:2 disabled\n",
        place.bind(0)
    );
    Haproxy::start(place, &configuration)
}

fn infos(found: &Exposition) -> Vec<&str> {
    let keys = found.samples.keys().map(String::as_str);
    keys.filter(|key| key.starts_with("haproxy_server_info"))
        .collect()
}

#[test]
fn addresses_and_cookies_of_a_real_haproxy() {
    let Some(haproxy) = haproxy("operator") else {
        return;
    };
    for (names, proxy) in [("exporter", "backend"), ("builtin", "proxy")] {
        let flag = format!("--haproxy.metric-names={names}");
        let exporter = Exporter::start(&[&haproxy.unix_flag(), FLAG, &flag]);
        let found = exporter.scrape();
        let info = |server: &str, address: &str, cookie: &str| {
            let mut labels = [
                format!("address=\"{address}\""),
                format!("cookie=\"{cookie}\""),
                format!("{proxy}=\"app\""),
                format!("server=\"{server}\""),
            ];
            labels.sort();
            format!("haproxy_server_info{{{}}}", labels.join(","))
        };
        let expected = [
            info("one", "127.0.0.1:1", "c,1"),
            info("two", "[::1]:2", ""),
        ];
        let mut got = infos(&found);
        got.sort_unstable();
        let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(got, expected, "{names}");
        // It answers to the scope of servers, and alone.
        for (query, count) in [
            ("scope=server", 2),
            ("scope=backend", 0),
            ("metrics=haproxy_server_info", 2),
            ("metrics=haproxy_up", 0),
        ] {
            let response = exporter.get(&format!("/metrics?{query}"));
            let lines = response.text().matches("\nhaproxy_server_info{").count();
            assert_eq!(lines, count, "{names} {query}");
        }
        assert_eq!(exporter.finish().problems(), []);
    }
}

#[test]
fn a_cli_that_does_not_tell_costs_this_family_alone_and_one_line() {
    let Some(haproxy) = haproxy("user") else {
        return;
    };
    let exporter = Exporter::start(&[&haproxy.unix_flag(), FLAG]);
    for path in ["/metrics", "/metrics?scope=frontend", "/metrics"] {
        assert_eq!(exporter.get(path).status, 200);
    }
    let found = exporter.scrape();
    assert_eq!(found.value("haproxy_up"), 1.0);
    assert!(infos(&found).is_empty());
    let up = "haproxy_server_up{backend=\"app\",server=\"one\"}";
    assert!(found.get(up).is_some());
    let expected = Problem {
        level: "warn".to_owned(),
        msg: "addresses of servers are missing".to_owned(),
        details: vec![
            "err=HAProxy prints them to a CLI of level operator and above, and on a page with stats \
             show-legends"
                .to_owned(),
        ],
    };
    assert_eq!(exporter.finish().problems(), [expected]);
}

#[test]
fn nothing_of_it_without_the_flag() {
    let Some(haproxy) = haproxy("operator") else {
        return;
    };
    let exporter = Exporter::start(&[&haproxy.unix_flag()]);
    assert!(infos(&exporter.scrape()).is_empty());
    assert_eq!(exporter.finish().problems(), []);
}

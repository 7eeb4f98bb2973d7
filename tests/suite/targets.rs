//! Several HAProxys behind one exporter: `--haproxy.target` and `?target=`.

use tempfile::TempDir;

use crate::support::exporter::{Exporter, Problem};
use crate::support::exposition;
use crate::support::haproxy::{Haproxy, Place};
use crate::support::http;
use crate::support::logfmt;

/// A HAProxy whose only frontend has a name that tells it from the others.
fn haproxy(name: &str) -> Option<Haproxy> {
    let place = Place::new(1);
    let (global, bind) = (place.global(), place.bind(0));
    let configuration = format!("{global}frontend {name}\n  bind {bind}\n  stats enable\n");
    Haproxy::start(place, &configuration)
}

fn flags(haproxys: &[(&str, &Haproxy)]) -> Vec<String> {
    let flag = |(name, haproxy): &(&str, &Haproxy)| {
        format!("--haproxy.target={name}={}", haproxy.unix_uri())
    };
    haproxys.iter().map(flag).collect()
}

/// The frontends of an answer.
fn frontends(exporter: &Exporter, path: &str) -> Vec<String> {
    let response = exporter.get(path);
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    let found = exposition::read(&response.body).expect("an exposition");
    let prefix = "haproxy_frontend_current_sessions{frontend=\"";
    let names = found
        .samples
        .keys()
        .filter_map(|key| key.strip_prefix(prefix));
    names
        .map(|rest| rest.trim_end_matches("\"}").to_owned())
        .collect()
}

#[test]
fn each_target_has_its_own_answer_and_a_stopped_one_costs_itself() {
    let (Some(one), Some(two), Some(three)) = (haproxy("one"), haproxy("two"), haproxy("three"))
    else {
        return;
    };
    let mut flags = flags(&[("a", &one), ("b.2", &two), ("c", &three)]);
    flags.push("--haproxy.timeout=500ms".to_owned());
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let exporter = Exporter::start(&flags);
    for (path, expected) in [
        ("/metrics?target=a", "one"),
        ("/metrics?target=b.2", "two"),
        ("/metrics?scope=frontend&target=c", "three"),
        ("/metrics?target=a", "one"),
    ] {
        assert_eq!(frontends(&exporter, path), [expected], "{path}");
    }
    let refused = [
        (
            "/metrics",
            400,
            "target: the value is missing (use target=a, b.2, c)\n",
        ),
        (
            "/metrics?target=x",
            404,
            "target: \"x\" is not a known target (use a, b.2, c)\n",
        ),
        (
            "/metrics?target=unix:/s",
            404,
            "target: \"unix:/s\" is not a known target (use a, b.2, c)\n",
        ),
    ];
    for (path, status, body) in refused {
        let response = exporter.get(path);
        assert_eq!((response.status, response.text()), (status, body), "{path}");
    }

    two.peer.signal(libc::SIGSTOP);
    for _ in 0..3 {
        std::thread::scope(|scope| {
            let stopped = scope
                .spawn(|| http::request(exporter.address(), "GET", "/metrics?target=b.2", &[]));
            assert_eq!(frontends(&exporter, "/metrics?target=a"), ["one"]);
            assert_eq!(frontends(&exporter, "/metrics?target=c"), ["three"]);
            let stopped = stopped.join().expect("an answer");
            let found = exposition::read(&stopped.body).expect("an exposition");
            assert_eq!(found.value("haproxy_up"), 0.0);
        });
    }
    let page = exporter.get("/").text().to_owned();
    for (name, state) in [("a", "up"), ("b.2", "down")] {
        let line = format!("<h2>{name} is <span class=\"{state}\">{state}</span></h2>");
        assert!(page.contains(&line), "{page}");
    }
    two.peer.signal(libc::SIGCONT);
    assert_eq!(frontends(&exporter, "/metrics?target=b.2"), ["two"]);
    // Each counts its own scrapes.
    let found = exposition::read(&exporter.get("/metrics?target=b.2").body).expect("an exposition");
    assert_eq!(found.value("haproxy_exporter_scrapes_total"), 6.0);

    let socket = two.socket();
    let problems = exporter.finish().problems();
    let expected = Problem {
        level: "error".to_owned(),
        msg: "scrape failed".to_owned(),
        details: vec![
            format!("err=unix socket {}: read: timed out", socket.display()),
            "target=b.2".to_owned(),
        ],
    };
    assert_eq!(problems, [expected]);
}

#[test]
fn targets_beside_the_scrape_uri() {
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("stat.csv");
    std::fs::copy(crate::support::fixtures::path("1.5.0/stat.csv"), &file).expect("copy");
    let uri = format!("file:{}", file.display());
    let flags = [
        format!("--haproxy.scrape-uri={uri}"),
        format!("--haproxy.target=a={uri}"),
    ];
    let exporter = Exporter::start(&flags.each_ref().map(String::as_str));
    for path in ["/metrics", "/metrics?target=", "/metrics?target=a"] {
        assert_eq!(exporter.get(path).status, 200, "{path}");
    }
    assert_eq!(exporter.get("/metrics?target=b").status, 404);
    let target = format!("a={uri}");
    assert_eq!(started(&exporter, "scrape_uri"), Some(uri));
    assert_eq!(started(&exporter, "targets"), Some(target.clone()));
    // Where only targets were given, the default scrape URI is not asked.
    let exporter = Exporter::start(&[&flags[1]]);
    assert_eq!(started(&exporter, "scrape_uri"), None);
    assert_eq!(started(&exporter, "targets"), Some(target));
}

/// What the start-up line has for a key.
fn started(exporter: &Exporter, key: &str) -> Option<String> {
    let lines = exporter.log_lines();
    let mut lines = lines.iter().map(|line| logfmt::fields(line));
    let line = lines.find(|fields| fields["msg"] == "starting haproxy_exporter");
    line.expect("a start-up line").get(key).cloned()
}

/// Pages about many targets are longer than what the kernel takes at once; a client that reads slowly gets all of
/// them too.
#[test]
fn pages_of_many_targets_are_whole() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("flags");
    let flag = |number: usize| format!("--haproxy.target=target{number}=unix:/none\n");
    std::fs::write(&path, (0..20_000).map(flag).collect::<String>()).expect("write the flags");
    let exporter = Exporter::start(&[&format!("@{}", path.display())]);
    for (page, status, most) in [
        ("/metrics", 400, ", target19999)\n"),
        ("/metrics?target=x", 404, ", target19999)\n"),
    ] {
        let response = exporter.get(page);
        assert_eq!(response.status, status, "{page}");
        assert!(response.text().ends_with(most), "{page}");
    }
    // What does not fit on the page is counted there.
    let page = exporter.get("/").text().to_owned();
    assert!(page.ends_with("</body>\n</html>\n"), "{}", page.len());
    let shown = page.matches("<h2>target").count();
    assert!(shown > 1500, "{shown}");
    assert!(page.contains(&format!("<p>{} more instances</p>", 20_000 - shown)));
}

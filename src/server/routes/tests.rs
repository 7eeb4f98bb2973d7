use super::super::request::{Parsed, parse};
use super::super::tests::defaults;
use super::*;

fn find(routes: &Routes, target: &str) -> String {
    let head = format!("GET {target} HTTP/1.0\r\n\r\n");
    let Parsed::Request(request, _) = parse(head.as_bytes()) else {
        panic!("{target}");
    };
    match routes.find(&request, Instant::now()) {
        Route::Metrics(None, _) => "metrics".to_owned(),
        Route::Metrics(Some(target), _) => format!("metrics of target {target}"),
        Route::Landing => "the landing page".to_owned(),
        Route::Text(text) => format!("{} {} {}", text.status, text.kind, text.body),
    }
}

#[test]
fn paths() {
    let healthy = "200 OK text/plain; charset=utf-8 OK\n";
    let missing = "404 Not Found text/plain; charset=utf-8 404 Not Found\n";
    let cases = [
        ("/metrics", "/metrics", "metrics"),
        ("/metrics", "/metrics?a=b", "metrics"),
        ("/metrics", "/metrics?target=edge", "metrics of target edge"),
        ("/metrics", "/", "the landing page"),
        ("/metrics", "http://host/metrics", "metrics"),
        ("/metrics", "/metrics/", missing),
        ("/metrics", "/Metrics", missing),
        ("/metrics", "/-/healthy", healthy),
        ("/metrics", "/-/healthy?x", healthy),
        ("/metrics", "/-/ready", healthy),
        ("/a/b", "/a/b", "metrics"),
        ("/a/b", "/metrics", missing),
        // A telemetry path there has precedence.
        ("/", "/", "metrics"),
        ("/-/healthy", "/-/healthy", "metrics"),
    ];
    for (telemetry_path, target, expected) in cases {
        let routes = Routes::new(
            telemetry_path.to_owned(),
            defaults(),
            true,
            Status::OK,
            About::default(),
        );
        assert_eq!(find(&routes, target), expected, "{telemetry_path} {target}");
    }
}

#[test]
fn targets_that_are_not_there() {
    let targets = Targets::new(["a", "b"].map(str::to_owned).to_vec());
    let cases = [
        (
            Some("x"),
            "404 Not Found",
            "target: \"x\" is not a known target (use a, b)\n",
        ),
        (
            None,
            "400 Bad Request",
            "target: the value is missing (use target=a, b)\n",
        ),
    ];
    for (name, status, body) in cases {
        let text = Text::no_target(&targets.find(name).unwrap_err());
        assert_eq!((text.status, &*text.body), (status, body), "{name:?}");
    }
}

#[test]
fn texts_as_bytes() {
    let cases = [
        (
            Text::refusal(Refusal::Method),
            (false, false),
            "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: 23\r\n\
             Connection: close\r\n\r\n405 Method Not Allowed\n",
        ),
        (
            Text::too_late(),
            (false, true),
            "HTTP/1.1 503 Service Unavailable\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: 79\r\n\
             Connection: keep-alive\r\n\r\n\
             no scrape ended in the time that X-Prometheus-Scrape-Timeout-Seconds announces\n",
        ),
        (
            Text::refusal(Refusal::Malformed),
            (true, false),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 16\r\nConnection: close\r\n\r\n",
        ),
    ];
    for (text, (is_head, keep_alive), expected) in cases {
        let bytes = text.bytes(is_head, keep_alive);
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}

/// Whether a query is reported depends on when the last one with the same message was.
#[test]
fn queries_are_reported_once_a_minute() {
    let routes = Routes::new(
        "/metrics".to_owned(),
        defaults(),
        true,
        Status::OK,
        About::default(),
    );
    let began = Instant::now();
    let cases = [
        (0, "/metrics?target=a&scope=", None, None),
        (1, "/metrics?metrics=x,haproxy_up", Some(1), None),
        (2, "/metrics?metrics=x", Some(1), Some(2)),
        (60, "/metrics?metrics=x,haproxy_up", Some(1), Some(2)),
        (61, "/metrics?metrics=x,haproxy_up", Some(61), Some(2)),
        (61, "/metrics?targets=x", Some(61), Some(2)),
        (62, "/metrics?name=x", Some(61), Some(62)),
        (121, "/metrics?scope=x", Some(61), Some(62)),
    ];
    for (second, target, ignored, rejected) in cases {
        let head = format!("GET {target} HTTP/1.0\r\n\r\n");
        let Parsed::Request(request, _) = parse(head.as_bytes()) else {
            panic!("{target}");
        };
        routes.find(&request, began + Duration::from_secs(second));
        let at = |second| began + Duration::from_secs(second);
        let reported = routes.reported.each_ref().map(Cell::get);
        assert_eq!(
            reported,
            [ignored, rejected].map(|second| second.map(at)),
            "{target}"
        );
    }
}

use super::*;
use crate::metrics::report::{Process, Report};
use crate::metrics::snapshot::Outcome;

/// What is written `seconds` after the start, which was at 1970-01-02.
fn clock(started: Instant, seconds: u64) -> Clock {
    let uptime = Duration::from_secs(seconds);
    Clock {
        now: started + uptime,
        utc: Duration::from_secs(86_400) + uptime,
        uptime,
    }
}

fn outcome(is_up: bool, millis: u64) -> Outcome {
    Outcome {
        is_up,
        took: Duration::from_micros(millis * 1000 + 250),
    }
}

fn process(release: &str) -> Process {
    let [release, node] = [release, "lb<1>"].map(str::to_owned);
    Process {
        release,
        node,
        uptime: Some(Duration::from_secs(50)),
    }
}

fn failure(why: &str) -> Report {
    Report {
        failure: Some(why.to_owned()),
        ..Report::default()
    }
}

fn success() -> Report {
    let states = [
        ("show info", State::Works),
        ("show x", State::Works),
        ("show y", State::Absent("needs \"HAProxy\"".to_owned())),
        ("show z", State::Failed("read\n: <cut>".to_owned())),
    ];
    Report {
        haproxy: process("2.8"),
        rows: [1, 2, 3, 4],
        bytes: 7,
        groups: states.map(|(name, state)| (name.to_owned(), state)).into(),
        ..Report::default()
    }
}

fn targets(names: &[&str]) -> Targets {
    Targets::new(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The part of the page about each instance.
fn instances(page: &str) -> Vec<&str> {
    let (_, rest) = page.split_once("<h2>").unwrap();
    let (rest, _) = rest.rsplit_once("<h2>Flags").unwrap();
    rest.split("<h2>").collect()
}

#[test]
fn each_target_has_its_state_and_reason() {
    let started = Instant::now();
    let at = |seconds| started + Duration::from_secs(seconds);
    let mut targets = targets(&["", "edge", "core"]);
    targets.scraped(0, (outcome(false, 1), failure("a <b> & \"c\"")), at(10));
    targets.scraped(0, (outcome(true, 1), success()), at(50));
    targets.scraped(0, (outcome(true, 12), success()), at(60));
    targets.scraped(1, (outcome(true, 5), success()), at(20));
    targets.scraped(1, (outcome(false, 5), failure("first")), at(40));
    targets.scraped(1, (outcome(false, 5000), failure("then")), at(61));
    let about = About {
        sources: vec!["unix:/<a>".to_owned(), "http://b/".to_owned()],
        flags: &[],
    };
    let page = page(
        ["/metrics", "/-/healthy"],
        &about,
        &targets,
        clock(started, 75),
    );
    let head = format!(
        "</h1>\n<p>revision {REVISION}, running for 1 min 15 s</p>\n\
         <p><a href=\"./metrics\">/metrics</a> \u{b7} <a href=\"./-/healthy\">/-/healthy</a></p>\n"
    );
    assert!(page.contains(&head), "{page}");
    let links = |target: &str| {
        format!(
            "<dt>metrics<dd><a href=\"./metrics?names=exporter{target}\">exporter</a> \
             <a href=\"./metrics?names=builtin{target}\">builtin</a> \n</dl>\n"
        )
    };
    let edge = "edge is <span class=\"down\">down</span></h2>\n<dl>\n\
        <dt>since<dd class=\"\">1970-01-02T00:00:40Z (35 s)\n\
        <dt>reason<dd class=\"down\">then (14 s ago)\n<dt>HAProxy<dd class=\"\">2.8, node lb&lt;1>\n\
        <dt>last scrape<dd class=\"\">14 s ago, took 5000.2 ms: 0 bytes, \
        0 frontends, 0 backends, 0 servers, 0 listeners\n<dt>source<dd class=\"\">http://b/\n"
        .to_owned()
        + &links("&amp;target=edge");
    let default = "default is <span class=\"up\">up</span></h2>\n<dl>\n\
        <dt>since<dd class=\"\">1970-01-02T00:00:50Z (25 s)\n\
        <dt>last failure<dd class=\"\">a &lt;b> &amp; \"c\" (1 min 5 s ago)\n\
        <dt>HAProxy<dd class=\"\">2.8, node lb&lt;1>, up for 1 min 5 s\n\
        <dt>last scrape<dd class=\"\">15 s ago, took 12.2 ms: 7 bytes, \
        1 frontends, 2 backends, 3 servers, 4 listeners\n\
        <dt>show info<dd class=\"\">works\n<dt>show x<dd class=\"\">works\n\
        <dt>show y<dd class=\"\">not available: needs \"HAProxy\"\n\
        <dt>show z<dd class=\"down\">FAILED: read\u{fffd}: &lt;cut>\n\
        <dt>source<dd class=\"\">unix:/&lt;a>\n"
        .to_owned()
        + &links("");
    let core = "core is not scraped yet</h2>\n<dl>\n".to_owned() + &links("&amp;target=core");
    // What is down comes first.
    assert_eq!(instances(&page), [edge, default, core]);
}

/// Not every scrape reads `show info`.
#[test]
fn the_process_that_replied_last() {
    let started = Instant::now();
    let at = |seconds| started + Duration::from_secs(seconds);
    let mut targets = targets(&[""]);
    let cases = [
        (process(""), None),
        (process("2.8"), Some("2.8, node lb&lt;1>, up for 50 s")),
        (process(""), Some("2.8, node lb&lt;1>, up for 51 s")),
        (process("3.0"), Some("3.0, node lb&lt;1>, up for 50 s")),
    ];
    for (second, (mut haproxy, expected)) in (1..).zip(cases) {
        if haproxy.release.is_empty() {
            haproxy = Process::default();
        }
        let report = Report {
            haproxy,
            ..Report::default()
        };
        targets.scraped(0, (outcome(true, 1), report), at(second));
        let page = page(
            ["/m", "/-/healthy"],
            &About::default(),
            &targets,
            clock(started, second),
        );
        let shown = page.split_once("<dt>HAProxy<dd class=\"\">");
        let shown = shown.and_then(|(_, rest)| rest.lines().next());
        assert_eq!(shown, expected, "{page}");
    }
}

#[test]
fn flags_and_paths() {
    static FLAGS: std::sync::LazyLock<Vec<String>> =
        std::sync::LazyLock::new(|| ["--a=<1>", "--b=\u{1b}[0m"].map(str::to_owned).to_vec());
    let about = About {
        sources: Vec::new(),
        flags: &FLAGS,
    };
    let started = Instant::now();
    // Where all have names, there is nothing at the bare path. One with a colon is no scheme.
    let page = page(
        ["/a:b", "/-/healthy"],
        &about,
        &targets(&["x"]),
        clock(started, 1),
    );
    assert!(
        page.contains("<p><a href=\"./-/healthy\">/-/healthy</a></p>\n<h2>x "),
        "{page}"
    );
    assert!(
        page.contains("<a href=\"./a:b?names=builtin&amp;target=x\">builtin</a>"),
        "{page}"
    );
    let flags =
        "<h2>Flags that differ from the defaults</h2>\n<p>--a=&lt;1>\n<p>--b=\u{fffd}[0m\n</body>";
    assert!(page.contains(flags), "{page}");
}

/// A long text is cut, and so many instances that the kernel might not take the page.
#[test]
fn it_has_an_end() {
    let started = Instant::now();
    let names: Vec<String> = (0..3000).map(|number| format!("lb{number}")).collect();
    let mut targets = Targets::new(names);
    for number in 0..3000 {
        let why = "x".repeat(100_000);
        targets.scraped(number, (outcome(number != 2999, 1), failure(&why)), started);
    }
    let flags = vec![format!("--a={}", "y".repeat(2000)); 3000];
    let about = About {
        sources: Vec::new(),
        flags: Box::leak(flags.into_boxed_slice()),
    };
    let page = page(["/m", "/-/healthy"], &about, &targets, clock(started, 1));
    assert!(page.len() < 2 * MAX_PAGE_BYTES + 4096, "{}", page.len());
    let (instances_part, _) = page.split_once("<h2>Flags").unwrap();
    assert!(instances_part.len() < MAX_PAGE_BYTES + 4096);
    assert!(
        !page.contains(&"x".repeat(MAX_VALUE_CHARACTERS + 1)),
        "{page}"
    );
    let shown = instances(&page);
    assert!(shown[0].starts_with("lb2999 "), "{}", shown[0]);
    let more = format!("<p>{} more instances</p>\n", 3000 - shown.len());
    assert!(page.contains(&more), "{} {more}", shown.len());
}
